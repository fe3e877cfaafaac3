"""Spec strings, `name:option=value,option=value`, and the dataclass fields that they set."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import numbers
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from .errors import SpecError

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_VALUE = re.compile(r"[^,=:\s\"'\\]+")
_UNFIT = "can't stand in a spec: no spaces, commas, colons, quotes, backslashes or equals signs"


class GridSize(NamedTuple):
    """Rows and columns of a grid; `16` in a spec means 16x16."""

    rows: int
    columns: int

    def __str__(self) -> str:
        return str(self.rows) if self.rows == self.columns else f"{self.rows}x{self.columns}"

    @classmethod
    def from_spec(cls, value: str) -> GridSize:
        """Read `16` or `16x24` (rows x columns)."""
        parts = value.split("x")
        if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
            raise ValueError(value)
        return cls(int(parts[0]), int(parts[-1]))


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split a spec string into its name and its options, still as text.

    Raises:
        SpecError: it is no spec string, or an option stands twice.
    """
    if not isinstance(spec, str):
        raise SpecError(f"a codec spec is a string like 'text4seg:grid=32', got {spec!r}")
    name, _, rest = spec.strip().partition(":")
    options: dict[str, str] = {}
    for part in rest.split(",") if rest else []:
        option, equals, value = part.partition("=")
        if not (option and equals and value):
            raise SpecError(f"{spec!r}: option {part!r} is not of the form option=value")
        if option in options:
            raise SpecError(f"{spec!r}: option {option!r} stands twice")
        if not _VALUE.fullmatch(value):
            raise SpecError(f"{spec!r}: {option}={value!r} {_UNFIT}")
        options[option] = value
    return name, options


def build(codec: type[Any], options: dict[str, str], spec: str) -> Any:
    """Make a codec from the options of its spec string.

    Raises:
        SpecError: an option that the codec lacks, or a value of the wrong type or range.
    """
    hints = _hints(codec)
    values = {}
    for option, text in options.items():
        if option not in hints:
            near = nearest(option, hints)
            valid = ", ".join(hints) or "none"
            raise SpecError(f"{spec!r}: no option {option!r}{near}; options are: {valid}")
        try:
            values[option] = _read(hints[option], text)
        except ValueError:
            raise SpecError(
                f"{spec!r}: {option}={text} is not {_describe(hints[option])}"
            ) from None
    try:
        return codec(**values)
    except SpecError as error:
        raise SpecError(f"{spec!r}: {error}") from None


def write_spec(codec: Any) -> str:
    """The canonical spec of a codec: every option, in the order of its fields.

    Raises:
        SpecError: a value of another type than the option's, or one that can't stand in a spec.
    """
    parts = []
    for option, text in _spelt(codec):
        if not _VALUE.fullmatch(text):
            raise SpecError(f"{codec.name}: {option}={text!r} {_UNFIT}")
        parts.append(f"{option}={text}")
    return f"{codec.name}:{','.join(parts)}" if parts else str(codec.name)


def check_values(codec: Any) -> None:
    """Check that every option of a codec made in Python is of its type.

    Raises:
        SpecError: one is not, e.g. the string `"24"` where a whole number should be.
    """
    for _ in _spelt(codec):
        pass


def _spelt(codec: Any) -> Iterator[tuple[str, str]]:
    """The options of a codec and their values as a spec spells them."""
    for option, hint in _hints(type(codec)).items():
        value = getattr(codec, option)
        try:
            yield option, _write(hint, value)
        except ValueError:
            name = getattr(codec, "name", type(codec).__name__)
            raise SpecError(f"{name}: {option}={value!r} is not {_describe(hint)}") from None


class Option(NamedTuple):
    """One option of a codec, for people: `default` is as a spec spells it, None if it has none."""

    name: str
    type: str
    default: str | None


def options(codec: type[Any]) -> list[Option]:
    """The options of a codec class, in the order of its fields."""
    defaults = {field.name: field.default for field in dataclasses.fields(codec)}
    return [
        Option(
            name,
            _describe(hint),
            None if defaults[name] is dataclasses.MISSING else _write(hint, defaults[name]),
        )
        for name, hint in _hints(codec).items()
    ]


def check_options(codec: type[Any]) -> None:
    """Check that a spec string can say every option of a codec class.

    Raises:
        SpecError: a field is of another type than bool, int, float, str, a `Literal`, or a class
            with the class method `from_spec`.
    """
    try:
        hints = _hints(codec)
    except Exception as error:  # whatever a hint's name or expression raises
        raise SpecError(f"the types of its options can't be read: {error!r}") from None
    for option, hint in hints.items():
        simple = hint in (bool, int, float, str) or get_origin(hint) is Literal
        if not simple and not hasattr(hint, "from_spec"):
            raise SpecError(
                f"option {option!r} is of type {_describe(hint)}, expected bool, int, float, str, "
                "a Literal or a class with from_spec"
            )


def nearest(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing where no known name is close, whatever its case."""
    names = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), list(names), n=1)
    return f" (did you mean {names[close[0]]!r}?)" if close else ""


def _hints(codec: Any) -> dict[str, Any]:
    return _hints_of(codec if isinstance(codec, type) else type(codec))


@functools.cache
def _hints_of(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}


def _read(hint: Any, text: str) -> Any:
    if get_origin(hint) is Literal:
        if text not in get_args(hint):
            raise ValueError(text)
        return text
    if hint is bool:
        return {"true": True, "false": False}.get(text) if text in ("true", "false") else _fail()
    if hint is int:
        return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else _fail()
    if hint is float:
        value = float(text) if _NUMBER.fullmatch(text) else _fail()
        return value + 0.0 if value - value == 0 else _fail()  # -0.0 has the spelling of 0.0
    if hint is str:
        return text
    return hint.from_spec(text)


def _fail() -> Any:
    raise ValueError


def _write(hint: Any, value: Any) -> str:
    """Spell a value so that `_read` gives an equal one; ValueError where it is of another type."""
    if get_origin(hint) is Literal:
        return str(value) if value in get_args(hint) else _fail()
    if hint is bool:
        return str(value).lower() if isinstance(value, bool) else _fail()
    if hint is int:
        is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        return str(int(value)) if is_whole else _fail()
    if hint is float:
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        return repr(float(value) + 0.0) if is_number and value - value == 0 else _fail()
    if hint is str:
        return value if isinstance(value, str) else _fail()
    return str(value) if isinstance(value, hint) else _fail()


def _describe(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(get_args(hint))
    names = {bool: "true or false", int: "a whole number", float: "a finite number", str: "text"}
    if hint is GridSize:
        return "a grid like 16 or 16x24 (rows x columns)"
    return names.get(hint, hint.__name__ if isinstance(hint, type) else str(hint))

"""Conventions of the metrics of whole images and of videos: a name, and options that it stands for.

    pick("mmseg", CONVENTIONS)              # as that program counts
    pick("mmseg:unit=image", CONVENTIONS)   # the same but for one option

Referring segmentation has its own, richer ones in `conventions`.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from ..errors import MaskCodecError


@dataclass(frozen=True, slots=True)
class Named:
    """One way to count; subclasses add the options.

    Attributes:
        name: of the program or paper that counts so.
        doc: one sentence on it.
        source: where that can be read.
    """

    name: str
    doc: str
    source: str

    @property
    def options(self) -> dict[str, str | int | float]:
        """Every option and its value, in a fixed order; JSON values."""
        return {name: getattr(self, name) for name in _hints(type(self))}

    @property
    def sentence(self) -> str:
        """What is counted how, in words."""
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.doc} ({options})"

    def describe(self) -> dict[str, Any]:
        """For a document: `name`, `options`, `sentence` and `source`."""
        return {
            "name": self.name,
            "options": self.options,
            "sentence": self.sentence,
            "source": self.source,
        }


N = TypeVar("N", bound=Named)


def pick(spec: str | N, table: Mapping[str, N]) -> N:
    """A convention by its name, single options replaced: `davis:frames=all`.

    Raises:
        MaskCodecError: no such convention, option or value; the message lists what there is.
    """
    if isinstance(spec, Named):
        return spec
    if not isinstance(spec, str):
        raise MaskCodecError(f"a convention is a name such as {next(iter(table))!r}, got {spec!r}")
    name, colon, rest = spec.strip().partition(":")
    if name not in table:
        raise MaskCodecError(
            f"no convention {name!r}{_near(name, table)}; there are: {_all(table)}"
        )
    hints = _hints(type(table[name]))
    changes: dict[str, Any] = {}
    for part in rest.split(",") if colon else []:
        option, _, value = part.strip().partition("=")
        if option not in hints:
            raise MaskCodecError(
                f"{spec!r}: no option {option!r}{_near(option, hints)}; options are: {_all(hints)}"
            )
        if option in changes:
            raise MaskCodecError(f"{spec!r}: option {option!r} stands twice")
        changes[option] = _value(spec, option, value, hints[option])
    try:
        return dataclasses.replace(table[name], **changes)
    except MaskCodecError as error:
        raise MaskCodecError(f"{spec!r}: {error}") from None


def _hints(kind: type[Named]) -> dict[str, Any]:
    """The options of a kind of convention and their types."""
    own = set(Named.__dataclass_fields__)
    return {name: hint for name, hint in get_type_hints(kind).items() if name not in own}


def _value(spec: str, option: str, text: str, hint: Any) -> Any:
    if hint in (int, float):
        try:
            return hint(text)
        except ValueError:
            kind = "a whole number" if hint is int else "a number"
            raise MaskCodecError(f"{spec!r}: {option}={text} is not {kind}") from None
    if text not in get_args(hint):
        raise MaskCodecError(f"{spec!r}: {option}={text} is not one of {', '.join(get_args(hint))}")
    return text


def _near(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _all(known: Mapping[str, Any]) -> str:
    return ", ".join(known)

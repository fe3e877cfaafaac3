"""The constraints of an expression, in a form that a program can check; see `scene_checks`.

A constraint speaks of predicted masks: of one (`subject`, its place in the answer), of each, or of
all together. As JSON it is a plain object, `{"kind": "side", "side": "left", "ref": 2}`; `KINDS`
lists the kinds and what each needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..errors import MaskCodecError
from ..records import brief

Value: TypeAlias = "str | int | tuple[int, ...] | tuple[tuple[str, str], ...]"
Where: TypeAlias = tuple[tuple[str, str], ...]

ATTRIBUTES = ("noun", "colour", "texture", "size")
SIDES = ("left", "right", "above", "below")
RANKS = ("left", "right", "above", "below", "largest", "smallest", "nearest", "farthest")

_MOST = 2**31


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MOST:
        raise MaskCodecError(f"is {brief(value)}, expected a whole number from 0")
    return value


def _word(*allowed: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise MaskCodecError(f"is {brief(value)}, expected one of {', '.join(allowed)}")
        return value

    return read


def _where(value: object) -> Where:
    if not isinstance(value, Mapping):
        raise MaskCodecError(f"is {brief(value)}, expected an object of attributes")
    for key, wanted in value.items():
        if key not in ATTRIBUTES or not isinstance(wanted, str):
            raise MaskCodecError(
                f"has {brief(key)}: {brief(wanted)}, expected {', '.join(ATTRIBUTES)} as strings"
            )
    return tuple(sorted(value.items()))


def _box(value: object) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise MaskCodecError(f"is {brief(value)}, expected four numbers")
    x0, y0, x1, y1 = (_whole(one) for one in value)
    if x0 >= x1 or y0 >= y1:
        raise MaskCodecError(f"is {brief(value)}, expected left < right and top < bottom")
    return x0, y0, x1, y1


Reader: TypeAlias = Callable[[object], Value]

KINDS: dict[str, tuple[dict[str, Reader], dict[str, Reader]]] = {
    "count": ({"n": _whole}, {}),
    "distinct": ({}, {}),
    "covers": ({"where": _where}, {"without": _where}),
    "attribute": ({"where": _where}, {"without": _where}),
    "side": ({"side": _word(*SIDES), "ref": _whole}, {}),
    "half": ({"side": _word(*SIDES)}, {}),
    "rank": ({"by": _word(*RANKS), "rank": _whole, "where": _where}, {"ref": _whole}),
    "touching": ({"ref": _whole}, {}),
    "apart": ({}, {"ref": _whole}),
    "only": ({"key": _word(*ATTRIBUTES)}, {}),
    "other": ({"ref": _whole}, {}),
    "point": ({"x": _whole, "y": _whole}, {}),
    "box": ({"box": _box}, {}),
    "area": ({"percent": _whole}, {}),
    "centre": ({"x": _whole, "y": _whole}, {}),
}
"""The arguments that each kind needs, and those that it may have."""

OF_ALL = frozenset({"count", "distinct"})
"""Kinds that speak of all masks together and have no subject."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One condition on the masks of an answer.

    Attributes:
        kind: a key of `KINDS`.
        args: its arguments by name, sorted; see `make`.
        subject: the mask of the answer that is meant, from 0; None means each of them.
    """

    kind: str
    args: tuple[tuple[str, Value], ...] = ()
    subject: int | None = None

    @classmethod
    def make(cls, kind: str, subject: int | None = None, **args: Any) -> Constraint:
        """A constraint of keyword arguments; `where` and `without` are dicts.

        Raises:
            MaskCodecError: no such kind, or an argument that is missing, unknown or wrong.
        """
        if not isinstance(kind, str) or kind not in KINDS:
            raise MaskCodecError(f"no constraint {brief(kind)}; there are: {', '.join(KINDS)}")
        needed, possible = KINDS[kind]
        readers = needed | possible
        for name in args:
            if name not in readers:
                raise MaskCodecError(f"a constraint of kind {kind} has no {brief(name)}")
        for name in needed:
            if name not in args:
                raise MaskCodecError(f"a constraint of kind {kind} needs {name!r}")
        if subject is not None:
            if kind in OF_ALL:
                raise MaskCodecError(f"a constraint of kind {kind} has no subject")
            subject = _read("subject", _whole, subject)
        if kind == "rank" and ("ref" in args) != (args["by"] in ("nearest", "farthest")):
            raise MaskCodecError("a rank needs 'ref' by nearest and by farthest, and only there")
        found = ((name, _read(name, readers[name], value)) for name, value in args.items())
        return cls(kind, tuple(sorted(found)), subject)

    def get(self, name: str, default: Any = None) -> Any:
        """An argument by its name."""
        return next((value for key, value in self.args if key == name), default)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON object; `from_json` reads it back to an equal constraint."""
        fields: dict[str, Any] = {"kind": self.kind}
        if self.subject is not None:
            fields["subject"] = self.subject
        for name, value in self.args:
            if name in ("where", "without"):
                fields[name] = dict(value)  # type: ignore[arg-type]
            else:
                fields[name] = list(value) if isinstance(value, tuple) else value
        return fields

    @classmethod
    def from_json(cls, value: object) -> Constraint:
        """Read a constraint of untrusted JSON.

        Raises:
            MaskCodecError: it is no constraint; the message says what is wrong.
        """
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise MaskCodecError(f"a constraint is {brief(value)}, expected an object")
        fields = dict(value)
        kind, subject = fields.pop("kind", None), fields.pop("subject", None)
        if "self" in fields or "cls" in fields:
            raise MaskCodecError(f"a constraint of kind {brief(kind)} has no 'self' or 'cls'")
        return cls.make(kind, subject, **fields)


def _read(name: str, reader: Reader, value: object) -> Any:
    try:
        return reader(value)
    except MaskCodecError as error:
        raise MaskCodecError(f"a constraint's {name!r} {error}") from None

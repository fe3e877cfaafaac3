"""What one text says: its validity, its repairs, its objects, its length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import rle
from ..decoded import Repair
from ..errors import DecodeError, MaskCodecError
from .excerpt import excerpt, place_of
from .shapes import shapes
from .terminal import printable
from .texts import Text

if TYPE_CHECKING:
    from ..decoded import Decoded
    from ..tokens import TokenCounter

SHOWN_REPAIRS = 20


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of a text.

    Attributes:
        label: its label.
        shape: what its geometry is, e.g. `{"rings": 2, "points": 31}`.
        box: left, top, right, bottom in pixels, half-open; None without pixels or without a size.
        area: in pixels; None without a size.
    """

    label: str
    shape: dict[str, int | str]
    box: tuple[int, int, int, int] | None = None
    area: int | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What one text says.

    Attributes:
        text: the text and where it stands.
        repairs: what reading it took; none means that it is valid.
        things: its objects, in order.
        tokens: under `counter`; None where none counts.
        decoded: its masks; None without a size, or where they can't be painted.
        unpainted: why they can't be painted; else empty.
    """

    text: Text
    repairs: tuple[Repair, ...]
    things: tuple[Thing, ...]
    tokens: int | None
    decoded: Decoded | None
    unpainted: str = ""


def inspect(text: Text, counter: TokenCounter | None) -> Inspection:
    """Read a text, and paint it if the image's size is known and the codec can.

    Raises:
        DecodeError: the text can't be read at all.
    """
    tokens = None
    if counter is not None:
        tokens = counter.adding(text.codec.vocab()).count(text.text)
    if text.size is None:
        return _without_masks(text, tokens)
    try:
        decoded = text.codec.decode(text.text, text.size, errors="repair")
    except DecodeError:
        raise
    except MaskCodecError as error:  # weights or a codebook that are not here
        return _without_masks(text, tokens, str(error))
    things = tuple(
        Thing(mask.label, shape, rle.mask_bounding_box(mask.array), mask.area)
        for mask, shape in zip(decoded.masks, shapes(decoded.geometry), strict=True)
    )
    return Inspection(text, decoded.repairs, things, tokens, decoded)


def _without_masks(text: Text, tokens: int | None, reason: str = "") -> Inspection:
    geometry, found = text.codec.parse(text.text, errors="repair")
    things = tuple(map(Thing, geometry.labels, shapes(geometry)))
    return Inspection(text, tuple(found), things, tokens, None, reason)


def as_json(found: Inspection) -> dict[str, Any]:
    """The inspection as a JSON object."""
    text = found.text
    return {
        "id": text.id,
        "spec": text.codec.spec,
        "size": None if text.size is None else list(text.size),
        "valid": not found.repairs,
        "repairs": [_repair(text.text, repair) for repair in found.repairs],
        "objects": [
            {"label": thing.label, "box": thing.box, "area": thing.area, "shape": thing.shape}
            for thing in found.things
        ],
        "characters": len(text.text),
        "tokens": found.tokens,
        "unpainted": found.unpainted or None,
    }


def _repair(text: str, repair: Repair) -> dict[str, Any]:
    line, column = place_of(text, repair.position)
    return {
        "kind": repair.kind,
        "position": repair.position,
        "line": line,
        "column": column,
        "message": repair.message,
    }


def as_lines(found: Inspection, counter: TokenCounter | None) -> list[str]:
    """The inspection for a person."""
    text = found.text
    size = "size unknown" if text.size is None else f"{text.size[0]}x{text.size[1]} pixels"
    length = f"{len(text.text)} characters"
    if counter is not None:
        length += f", {found.tokens} tokens ({counter.name})"
    lines = [f"{printable(text.id)}: {text.codec.spec}, {size}, {length}"]
    lines += _repair_lines(text.text, found.repairs)
    lines.append(_count(len(found.things), "object"))
    for number, thing in enumerate(found.things, start=1):
        lines.append(f"  {number}. {_thing_line(thing, known=found.decoded is not None)}")
    if found.unpainted:
        lines.append(f"  (no boxes and areas: {printable(found.unpainted)})")
    if text.size is None and found.things:
        lines.append("  (--size HxW gives boxes and areas in pixels)")
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number in (0, 1) else 's'}"


def _repair_lines(text: str, repairs: tuple[Repair, ...]) -> list[str]:
    if not repairs:
        return ["valid"]
    lines = [f"not valid: {_count(len(repairs), 'repair')}"]
    for repair in repairs[:SHOWN_REPAIRS]:
        line, column = place_of(text, repair.position)
        piece, caret = excerpt(text, repair.position)
        message = printable(repair.message)
        lines.append(f"  {repair.kind} at line {line}, column {column}: {message}")
        lines += [f"    {piece}", f"    {caret}"]
    if len(repairs) > SHOWN_REPAIRS:
        lines.append(f"  ... and {len(repairs) - SHOWN_REPAIRS} more (--json lists all)")
    return lines


def _thing_line(thing: Thing, *, known: bool) -> str:
    shape = ", ".join(f"{name} {value}" for name, value in thing.shape.items())
    parts = [printable(thing.label) or "(no label)", shape]
    if known and thing.box is None:
        parts.append("no pixels")
    elif thing.box is not None:
        parts.append("box {},{} to {},{}".format(*thing.box))
        parts.append(f"area {thing.area:,}")
    return "; ".join(filter(None, parts))

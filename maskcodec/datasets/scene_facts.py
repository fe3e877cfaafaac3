"""The facts of a scene, read back from its JSON: what its objects are, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import rle
from ..errors import DecodeError, RecordError
from ..mask import MAX_PIXELS
from ..records import Record
from .scene_constraints import ATTRIBUTES, Where
from .scene_measures import measure

Bits = npt.NDArray[np.bool_]

MOST_OBJECTS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """An object as the facts know it.

    Attributes:
        attributes: noun, colour, texture and size; those that the facts don't tell are missing.
        mask: bool (height, width), its visible pixels; at least one.
        area: its pixels.
        centre: (x, y), the mean of its pixels' centres.
    """

    attributes: dict[str, str]
    mask: Bits = field(repr=False)
    area: int
    centre: tuple[float, float]

    def matches(self, where: Where, without: Where = ()) -> bool:
        """Whether it has every attribute of `where`, and not all those of `without`."""
        have = self.attributes
        return all(have.get(k) == v for k, v in where) and not (
            without and all(have.get(k) == v for k, v in without)
        )


@dataclass(frozen=True, slots=True, eq=False)
class SceneFacts:
    """What is true of a scene.

    Attributes:
        size: the image's (height, width) in pixels.
        objects: in the order to which constraints refer.
    """

    size: tuple[int, int]
    objects: tuple[Fact, ...]

    @classmethod
    def from_json(cls, value: object, file: str = "facts") -> SceneFacts:
        """Read `Scene.facts()` back, as untrusted data. Boxes and areas are measured again.

        Args:
            file: how messages name where it stands.

        Raises:
            RecordError: something is missing or wrong; the message names the field.
        """
        if not isinstance(value, dict):
            raise RecordError("is no JSON object, expected the facts of a scene", file=file)
        record = Record(file, None, value)
        size, items = record.size(), record.items("objects")
        if len(items) > MOST_OBJECTS or len(items) * size[0] * size[1] > MAX_PIXELS:
            raise record.error(f"are too many ({len(items)} of {size[0]}x{size[1]})", "objects")
        objects = [
            _fact(record.child("objects", index, item), size) for index, item in enumerate(items)
        ]
        return cls(size, tuple(objects))


def _fact(record: Record, size: tuple[int, int]) -> Fact:
    attributes = {name: record.text(name) for name in ATTRIBUTES if name in record.fields}
    counts: Any = None
    try:
        counts = rle.from_string(record.text("counts"))
        total = int(counts.sum(dtype=np.int64))
        if total != size[0] * size[1]:
            raise record.error(f"sum to {total:,} pixels, expected {size[0]}x{size[1]}", "counts")
        mask = rle.decode(counts.astype(np.uint32), size)
    except DecodeError as error:
        raise record.error(str(error), "counts") from None
    if not mask.any():
        raise record.error("hold no pixel; an object has at least one", "counts")
    _, area, centre = measure(mask)
    return Fact(attributes, mask, area, centre)

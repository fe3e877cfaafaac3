"""One COCO segmentation (polygons or run lengths) of an untrusted file, as pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .. import rle
from .._ext import raster
from ..errors import DecodeError
from ..mask import MAX_SIDE
from ..records import Record, brief, numbers
from .sample import check_area

MAX_WORK = 2**32
"""Steps that painting one segmentation may take: some seconds."""


def paint(record: Record, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Paint `record.segmentation` at `size` (height, width), as pycocotools does.

    It may be a list of polygons `[x, y, x, y, ...]` in pixels, or run lengths
    `{"size": [height, width], "counts": ...}`, compressed (a string) or not (a list), or a list of
    run lengths, as some of REFER's files have them. Several parts are one mask, their union.

    Raises:
        RecordError: it is none of these, or does not fit the image.
    """
    value = record.get("segmentation")
    if isinstance(value, list) and value and isinstance(value[0], dict):
        mask = np.zeros(size, dtype=np.bool_)
        if problem := check_area(len(value), size):
            raise record.error(problem, "segmentation")
        for index, part in enumerate(value):
            mask |= paint_counts(record.child("segmentation", index, part), size)
        return mask
    if isinstance(value, list):
        return paint_polygons(record, value, size)
    if isinstance(value, dict):
        prefix = f"{record.prefix}segmentation."
        return paint_counts(Record(record.file, record.line, value, prefix), size)
    raise record.error(f"is {brief(value)}, expected polygons or run lengths", "segmentation")


def paint_counts(record: Record, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Paint `record.counts`, run lengths of `record.size`, which must be the image's `size`."""
    own = record.size()
    if own != size:
        raise record.error(
            f"is {own[0]}x{own[1]} (height x width), but the image is {size[0]}x{size[1]}", "size"
        )
    counts = _counts(record)
    area = size[0] * size[1]
    total = int(counts.sum(dtype=np.int64))
    if total != area:
        raise record.error(
            f"sums to {total:,} pixels, expected {size[0]}*{size[1]} = {area:,}", "counts"
        )
    return rle.decode(counts.astype(np.uint32), size)


def _counts(record: Record) -> npt.NDArray[np.integer[Any]]:
    value = record.get("counts")
    if isinstance(value, str):
        try:
            return rle.from_string(value)
        except DecodeError as error:
            hint = "; this is str() of Python's bytes, write counts.decode()"
            hint = hint if value.startswith(("b'", 'b"')) else ""
            raise record.error(f"{error}{hint}", "counts") from None
    if not isinstance(value, list):
        raise record.error(f"is {brief(value)}, expected a string or a list", "counts")
    lengths = numbers(value)
    if lengths is None or not np.all((lengths >= 0) & (lengths <= 2**31) & (lengths % 1 == 0)):
        raise record.error("holds what is no run length, expected whole numbers from 0", "counts")
    return lengths.astype(np.int64)


def paint_polygons(
    record: Record, polygons: list[Any], size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Paint the union of polygons `[x, y, x, y, ...]` in pixels."""
    if not polygons:
        raise record.error("is an empty list, expected at least one polygon", "segmentation")
    rings = []
    work = 0.0
    for index, polygon in enumerate(polygons):
        field = f"segmentation[{index}]"
        points = _points(record, polygon, field)
        work += _work(points, size)
        if work > MAX_WORK:
            raise record.error("takes too long to paint; simplify it", field)
        # COCO rounds to fifths of a pixel, and does it by a cast, which cuts towards zero.
        rings.append(np.trunc(5 * points + 0.5).astype(np.int32))
    starts = np.cumsum([0, *map(len, rings)], dtype=np.int32)
    mask = np.zeros(size, dtype=np.bool_)
    holes = np.zeros(len(rings), dtype=np.bool_)
    raster.paint([(np.concatenate(rings), starts, holes)], [(mask[None], True)])
    return mask


def _work(points: npt.NDArray[np.float64], size: tuple[int, int]) -> float:
    """About how many steps painting one polygon takes: columns of its edges, pixels of its box."""
    inside = points.clip(0, [size[1], size[0]])
    columns = np.abs(np.diff(inside[:, 0], append=inside[:1, 0])).sum()
    box = np.ptp(inside, axis=0) + 1
    return float(len(points) + columns + box.prod())


def _points(record: Record, polygon: Any, field: str) -> npt.NDArray[np.float64]:
    """Check one polygon; return its points, (points, 2)."""
    if not isinstance(polygon, list):
        raise record.error(f"is {brief(polygon)}, expected a list [x, y, x, y, ...]", field)
    if len(polygon) % 2 or len(polygon) < 6:
        raise record.error(
            f"has {len(polygon)} numbers, expected x and y of at least three points", field
        )
    values = numbers(polygon)
    if values is None:
        raise record.error("holds what is no finite number", field)
    points = values.reshape(-1, 2)
    if np.abs(points).max() > 2 * MAX_SIDE:
        raise record.error(
            f"reaches {np.abs(points).max():g}, far outside of any image; "
            "coordinates are in pixels",
            field,
        )
    return points

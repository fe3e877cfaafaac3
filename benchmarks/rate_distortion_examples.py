"""The same masks by each codec at about as many tokens, in a picture: what is kept, lost, added."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from maskcodec import Mask, MaskCodecError, rle
from maskcodec.metrics import iou, size_class, union_of
from maskcodec.overlay import Rgb, fit
from maskcodec.picture_grid import draw_grid
from maskcodec.tokens import load_counter

from .document import Document
from .rate_distortion_document import units
from .rate_distortion_masks import Masks
from .rate_distortion_measure import CHARACTERS, LABEL, Shape, cost_of, write
from .rate_distortion_specs import Setting, read_setting

Bools = npt.NDArray[np.bool_]

SIDE = 150
"""The longer side of a picture, in pixels."""

ROOM = 0.15
"""What is shown around an object, as a part of its sides."""

BACK, KEPT, LOST, ADDED = (238, 240, 243), (70, 80, 92), (217, 95, 2), (11, 87, 208)
LEGEND = "Grey: kept; orange: lost; blue: added"
CLASSES = ("small", "medium", "large")


def draw_examples(document: Document, masks: Masks, budget: int) -> Rgb:
    """Draw a mask of each class of size, a row a codec: the one of its specs that costs about so
    much in the mean.

    Args:
        document: a report with points.
        masks: the masks of the run.
        budget: tokens a mask, of the first tokenizer (or characters).

    Returns:
        uint8, (height, width, 3).
    """
    unit = units(document)[0]
    shown = list(_examples(masks.shapes))
    truths = [rle.decode(rle.from_string(shape.counts), shape.size) for shape in shown]
    windows = [_window(truth) for truth in truths]
    truth_row = [
        (_tile(truth, truth, window), f"{truth.sum():,} pixels, {size_class(int(truth.sum()))}")
        for truth, window in zip(truths, windows, strict=True)
    ]
    rows: list[tuple[str, Sequence[tuple[Rgb, str]]]] = [(LEGEND, truth_row)]
    for setting, mean in _about(document, unit, budget):
        cells = [_cell(setting, truth, window, document, unit)
                 for truth, window in zip(truths, windows, strict=True)]  # fmt: skip
        rows.append((f"{_short(document, setting)}, {mean:.0f} in the mean", cells))
    return draw_grid(["the mask", *[""] * (len(shown) - 1)], rows)


def png(picture: Rgb) -> bytes:
    """A picture as a file."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, "png", optimize=True)
    return data.getvalue()


def _examples(shapes: Sequence[Shape]) -> Iterator[Shape]:
    """The mask of median area of each class that there is."""
    areas = [int(rle.area(rle.from_string(shape.counts))) for shape in shapes]
    for name in CLASSES:
        inside = sorted((area, i) for i, area in enumerate(areas) if size_class(area) == name)
        if inside:
            yield shapes[inside[len(inside) // 2][1]]


def _about(document: Document, unit: str, budget: int) -> Iterator[tuple[Setting, float]]:
    """Of each codec the spec whose mean cost is nearest, as a ratio, to `budget`."""
    found: dict[str, list[tuple[float, str, float]]] = {}
    for point in document["points"]:
        cost = point["groups"]["all"]["costs"].get(unit)
        if cost is not None and cost["mean"] > 0:
            off = abs(math.log(cost["mean"] / budget))
            name = point["spec"].partition(":")[0]
            found.setdefault(name, []).append((off, point["spec"], cost["mean"]))
    for candidates in found.values():
        _, spec, mean = min(candidates)
        try:
            setting = read_setting(spec)
        except MaskCodecError:  # of an earlier run, by a codec that is not installed now
            continue
        yield setting, mean


def _short(document: Document, setting: Setting) -> str:
    return next(str(p["short"]) for p in document["points"] if p["spec"] == setting.spec)


def _cell(
    setting: Setting,
    truth: Bools,
    window: tuple[int, int, int, int],
    document: Document,
    unit: str,
) -> tuple[Rgb, str]:
    size = (truth.shape[0], truth.shape[1])
    try:
        text = write(setting, Mask(truth, LABEL))
    except MaskCodecError:
        return _tile(truth, np.zeros_like(truth), window), "could not be written"
    found = union_of(setting.codec.decode(text, size, errors="repair").masks, size)
    cost = cost_of(text, len)
    if unit != CHARACTERS:
        counter = load_counter(document["tokenizers"][unit]["file"]).adding(setting.codec.vocab())
        cost = cost_of(text, counter.count)
    what = "characters" if unit == CHARACTERS else "tokens"
    return _tile(truth, found, window), f"IoU {iou(found, truth):.3f}, {cost:,} {what}"


def _window(truth: Bools) -> tuple[int, int, int, int]:
    """The object's box with some room, xyxy."""
    rows, columns = (np.flatnonzero(truth.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    down, across = (int(ROOM * side) + 2 for side in (bottom - top, right - left))
    height, width = truth.shape
    return (
        *(max(0, int(left) - across), max(0, int(top) - down)),
        *(min(width, int(right) + across), min(height, int(bottom) + down)),
    )


def _tile(truth: Bools, found: Bools, window: tuple[int, int, int, int]) -> Rgb:
    """What is kept, lost and added, cut out and scaled."""
    colours = np.array([BACK, LOST, ADDED, KEPT], np.uint8)
    x0, y0, x1, y1 = window
    kind = truth[y0:y1, x0:x1] + 2 * found[y0:y1, x0:x1].astype(np.uint8)
    return fit(colours[kind], (), SIDE)[0]

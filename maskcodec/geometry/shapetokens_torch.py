"""Shape tokens in batches of torch: the same integers as the kernel's, and soft decoding."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, groupby
from operator import attrgetter, itemgetter

import numpy as np
import numpy.typing as npt
import torch

from .. import triton
from ..errors import MaskCodecError
from ..torch_batch import Device, Group, chunks, group_by_size, paint_groups
from .boxes import to_pixels
from .shape_codebook import CELLS, ShapeCodebook, exact_tables
from .tokens import ShapeTokens

MAX_BYTES = 1 << 30
"""Memory beside the output while painting."""

SHARPNESS = 16.0
"""A soft mask is sigmoid(SHARPNESS * field), unless something else is asked for."""


def paint_batch(
    items: Sequence[ShapeTokens],
    books: Sequence[ShapeCodebook],
    sizes: Sequence[tuple[int, int]],
    *,
    device: Device,
) -> list[torch.Tensor]:
    """Paint each item's objects at its size: bool, (objects, height, width) each, on `device`.

    Images of one size are painted together.
    """
    groups = group_by_size([len(item.labels) for item in items], sizes)
    boxes = [_corners([items[i] for i in group.texts], group.size) for group in groups]
    sums = [
        _sums([items[i] for i in group.texts], [books[i] for i in group.texts]) for group in groups
    ]

    def by_kernels() -> list[torch.Tensor]:
        from ..triton.paint import paint_fields

        parts = [
            [
                (np.pad(own, ((0, 0), (0, 1)), constant_values=1), _table(book, device))
                for book, own in group
            ]
            for group in sums
        ]
        return paint_fields(groups, boxes, parts, CELLS, len(items), device)

    def plain() -> list[torch.Tensor]:
        found = iter(zip(boxes, sums, strict=True))

        def paint(group: Group) -> torch.Tensor:
            corners, own = next(found)
            fields = _fields(own, device)
            places = torch.from_numpy(corners).to(device)
            planes = torch.empty((len(fields), *group.size), dtype=torch.bool, device=device)
            for part in chunks(len(fields), 32 * group.size[0] * group.size[1], MAX_BYTES):
                _paint(fields[part], places[part], planes[part])
            return planes

        return paint_groups(groups, paint, len(items))

    return triton.by_kernels(device, by_kernels, plain)


def _corners(items: Sequence[ShapeTokens], size: tuple[int, int]) -> npt.NDArray[np.int32]:
    """The boxes of all items in pixels at one size: int32 (objects, 4)."""
    boxes = [
        to_pixels(np.concatenate([item.boxes for item in same]), size, bins)
        for bins, same in groupby(items, key=attrgetter("bins"))
    ]
    return np.concatenate(boxes)


def _sums(
    items: Sequence[ShapeTokens], books: Sequence[ShapeCodebook]
) -> list[tuple[ShapeCodebook, npt.NDArray[np.float64]]]:
    """What the codes of items add up to; objects of one codebook that stand together as one."""
    found = []
    for book, group in groupby(zip(books, items, strict=True), key=itemgetter(0)):
        same = [item for _, item in group]
        counts = np.concatenate([item.counts for item in same])
        found.append((book, book.sums(counts, np.concatenate([item.codes for item in same]))))
    return found


def _fields(
    sums: Sequence[tuple[ShapeCodebook, npt.NDArray[np.float64]]], device: Device
) -> torch.Tensor:
    """int64 (objects, CELLS, CELLS), exact: the products are whole numbers but for their scale."""
    found = []
    for book, own in sums:
        if torch.device(device).type == "mps":  # it has no float64
            found.append(torch.from_numpy(book.fields_of_sums(own)).to(device).long())
            continue
        basis, mean = _tables(book, torch.device(device))
        fields = torch.round(torch.from_numpy(own).to(device) @ basis + mean)
        found.append(fields.long().view(-1, CELLS, CELLS))
    return torch.cat(found)


@lru_cache(maxsize=8)
def _tables(book: ShapeCodebook, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Basis and mean of a codebook on a device: 2.7 MB that are sent once."""
    basis, mean = (torch.from_numpy(table).to(device) for table in exact_tables(book))
    return basis, mean


@lru_cache(maxsize=8)
def _table(book: ShapeCodebook, device: Device) -> torch.Tensor:
    """Basis and, below it, the mean, for sums with a 1 behind them: exact like them."""
    return torch.from_numpy(np.vstack(exact_tables(book))).to(device)


def _paint(fields: torch.Tensor, boxes: torch.Tensor, planes: torch.Tensor) -> None:
    """Set `planes`, bool (objects, height, width): where the field is above 0, in the box.

    Outside of the box all weights are 0, and so is what they give. Values are worked on where they
    lie, since memory is what this waits for.
    """
    left, top, right, bottom = boxes.long().unbind(1)
    row, below, inside_y = _axis(planes.shape[1], top, bottom)
    column, after, inside_x = _axis(planes.shape[2], left, right)
    height, width = (bottom - top).clamp(min=1), (right - left).clamp(min=1)
    above = (2 * height[:, None] - below) * inside_y
    before = (2 * width[:, None] - after) * inside_x
    index = row[:, :, None].expand(-1, -1, CELLS)
    lines = fields.gather(1, index).mul_(above[:, :, None])
    lines.addcmul_(fields.gather(1, index + 1), (below * inside_y)[:, :, None])
    index = column[:, None].expand(-1, planes.shape[1], -1)
    values = lines.gather(2, index).mul_(before[:, None])
    index = (column + 1)[:, None].expand(-1, planes.shape[1], -1)
    values.addcmul_(lines.gather(2, index), (after * inside_x)[:, None])
    torch.gt(values, 0, out=planes)


def _axis(
    side: int, start: torch.Tensor, stop: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For each object and pixel of an axis: the cell before, the next one's share, if inside.

    Shares are in units of 1 / (2 * pixels of the box).
    """
    pixels = (stop - start).clamp(min=1)[:, None]
    at = torch.arange(side, device=start.device)[None] - start[:, None]
    place = ((2 * at + 1) * CELLS - pixels).clamp(min=0).minimum(2 * pixels * (CELLS - 1))
    cell = (place // (2 * pixels)).clamp(max=CELLS - 2)
    inside = (at >= 0) & (at < (stop - start)[:, None])
    return cell, place - cell * 2 * pixels, inside


def soft_fields(
    book: ShapeCodebook, probabilities: Sequence[torch.Tensor] | torch.Tensor
) -> torch.Tensor:
    """The fields that token probabilities mean: the expected sum of codes; differentiable.

    Args:
        book: the codebook.
        probabilities: (objects, codes, CODES), or a list of (codes, CODES) of any number of codes
            each; a model's softmax over the codes of each place.

    Returns:
        float (objects, CELLS, CELLS), 1 at `REACH` cells inside the outline.

    Raises:
        MaskCodecError: wrong shapes.
    """
    lists = list(probabilities)
    entries = book.codes.shape[1]
    for one in lists:
        if one.ndim != 2 or one.shape[1] != entries or len(one) > book.stages:
            raise MaskCodecError(
                f"probabilities of shape {tuple(one.shape)}, expected (codes, {entries}) with at "
                f"most {book.stages} codes"
            )
    if not lists:
        return torch.zeros((0, CELLS, CELLS))
    flat = torch.cat(lists)
    sums = _prefix_sums(book, flat, [stage for one in lists for stage in range(len(one))])
    sums = torch.cat([sums.new_zeros((1, book.dimensions)), sums])  # first the sum of no code
    ends = accumulate(len(one) for one in lists)
    last = [end if len(one) else 0 for end, one in zip(ends, lists, strict=True)]
    return _draw(book, sums[last])


def soft_prefix_fields(
    book: ShapeCodebook, probabilities: torch.Tensor, stages: Sequence[int]
) -> torch.Tensor:
    """`soft_fields` of every prefix of the codes of every object; differentiable.

    Args:
        book: the codebook.
        probabilities: (places, CODES), those of an object one after the other.
        stages: (places,), the place of each among its object's codes, from 0 for the first.

    Returns:
        float (places, CELLS, CELLS), the field of the codes up to each place.
    """
    return _draw(book, _prefix_sums(book, probabilities, stages))


def _prefix_sums(
    book: ShapeCodebook, probabilities: torch.Tensor, stages: Sequence[int]
) -> torch.Tensor:
    """The expected sum of an object's codes up to each place: (places, dimensions)."""
    codes = _soft_tables(book, probabilities.device, probabilities.dtype)[0]
    stage = torch.tensor(stages, dtype=torch.long, device=probabilities.device)
    sums = probabilities.new_zeros((len(stages), book.dimensions))
    for number in range(max(stages, default=-1) + 1):
        here = (stage == number).nonzero().squeeze(1)
        step = probabilities[here] @ codes[number]
        sums = sums.index_put((here,), step + sums[here - 1] if number else step)
    return sums


def _draw(book: ShapeCodebook, sums: torch.Tensor) -> torch.Tensor:
    _, basis, mean = _soft_tables(book, sums.device, sums.dtype)
    return (mean + sums @ basis).view(-1, CELLS, CELLS)


@lru_cache(maxsize=8)
def _soft_tables(
    book: ShapeCodebook, device: torch.device, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes, basis and mean of a codebook as numbers on a device."""
    codes, basis, mean = (
        torch.from_numpy(table).to(device, dtype)
        for table in (book.code_values, book.basis_values, book.mean_values)
    )
    return codes, basis, mean


def soft_masks(
    fields: torch.Tensor,
    boxes: torch.Tensor,
    size: tuple[int, int],
    *,
    sharpness: float = SHARPNESS,
) -> torch.Tensor:
    """Soft masks of fields: float (objects, height, width), 0 to 1; differentiable in the fields.

    Args:
        fields: float (objects, CELLS, CELLS), as `soft_fields` gives them.
        boxes: integers (objects, 4): left, top, right, bottom in pixels, half-open.
        size: (height, width) in pixels.
        sharpness: the mask is sigmoid(sharpness * field) in the box and 0 outside.
    """
    left, top, right, bottom = boxes.long().unbind(1)
    down, inside_y = _weights(size[0], top, bottom, fields)
    across, inside_x = _weights(size[1], left, right, fields)
    values = down @ fields @ across.transpose(1, 2)
    return torch.sigmoid(sharpness * values) * inside_y[:, :, None] * inside_x[:, None]


def _weights(
    side: int, start: torch.Tensor, stop: torch.Tensor, like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Bilinear weights (objects, side, CELLS) of the cells for each pixel of an axis."""
    cell, share, inside = _axis(side, start, stop)
    part = share.to(like) / (2 * (stop - start).clamp(min=1)[:, None])
    weights = torch.zeros((*cell.shape, CELLS), dtype=like.dtype, device=like.device)
    weights.scatter_(2, cell[:, :, None], (1 - part)[:, :, None])
    weights.scatter_(2, cell[:, :, None] + 1, part[:, :, None])
    return weights, inside.to(like)

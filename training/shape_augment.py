"""New shapes out of old ones: turned, sheared, swollen, hidden behind others, cut, in two parts.

A few thousand annotated objects are too few for sixteen codebooks of 1,024 entries: codes learn
them by heart. Objects in photographs differ from each other largely by pose and by what hides them,
which can be imitated.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from maskcodec.geometry.shape_codebook import CELLS
from maskcodec.geometry.shape_field import field_of

from .shape_fields import Fields, Halves, draw

CANVAS = 128
"""Pixels a side of the square on which shapes are composed."""

OUTSIDE = -2.0
"""The field far from an object."""

SMALLEST = 10
"""Pixels a side below which a composed shape is dropped."""

_ACROSS, _DOWN = np.meshgrid(*[(np.arange(CANVAS) + 0.5) / CANVAS * 2 - 1] * 2)

Plane = npt.NDArray[np.floating]


def augment(fields: Fields, weights: list[float], count: int, seed: int) -> Halves:
    """`count` new fields, float16 (count, CELLS, CELLS), drawn from each file by its weight."""
    rng = np.random.default_rng(seed)
    out = np.empty((count, CELLS, CELLS), np.float16)
    done = 0
    box = np.zeros(4, np.int32)
    while done < count:
        shape = compose(fields, draw(fields, weights, 3, rng), rng) > 0
        rows, columns = np.flatnonzero(shape.any(axis=1)), np.flatnonzero(shape.any(axis=0))
        if len(rows):
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
            if min(box[2] - box[0], box[3] - box[1]) >= SMALLEST:
                out[done] = field_of(shape, box)
                done += 1
    return out


def compose(fields: Fields, chosen: npt.NDArray[np.intp], rng: np.random.Generator) -> Plane:
    """A new shape, above 0 inside: (CANVAS, CANVAS). `chosen` are three objects to draw on."""
    angle = rng.normal(0, 0.25) if rng.random() < 0.8 else rng.uniform(-np.pi, np.pi)
    shear, stretch = rng.normal(0, 0.12), np.exp(rng.normal(0, 0.15))
    shape = place(fields, chosen[0], rng, (angle, 0.68, shear, stretch), (0, 0))
    shape += rng.normal(0, 0.05)  # swells or shrinks by less than a cell
    kind = rng.random()
    offset = rng.uniform(-0.8, 0.8, 2)
    if kind < 0.30:  # behind another object
        pose = (rng.normal(0, 0.4), np.exp(rng.normal(-0.5, 0.4)), 0, 1)
        return np.minimum(shape, -place(fields, chosen[1], rng, pose, offset))
    if kind < 0.45:  # cut off by a straight line, as by the image's border or a table
        side = (_ACROSS, -_ACROSS, _DOWN, -_DOWN)[rng.integers(4)]
        return np.minimum(shape, (side - rng.uniform(-0.6, 0.3)) * 4)
    if kind < 0.55:  # with another part, joined or not
        pose = (rng.normal(0, 0.4), np.exp(rng.normal(-1, 0.4)), 0, 1)
        return np.maximum(shape, place(fields, chosen[2], rng, pose, offset))
    return shape


def place(
    fields: Fields,
    index: np.intp,
    rng: np.random.Generator,
    pose: tuple[float, float, float, float],
    offset: npt.NDArray[np.floating] | tuple[float, float],
) -> Plane:
    """One object on the canvas, mirrored at random.

    Args:
        fields: the objects.
        index: which of them.
        rng: for mirroring, and for changing rows with columns now and then.
        pose: angle in radians, half of its longer side on a canvas of -1 to 1, shear, stretch.
        offset: of its middle, across and down.
    """
    field = fields.values[index].astype(np.float32)
    aspect = float(np.clip(fields.aspects[index], 0.15, 6))
    flips = rng.integers(4)
    field = field[:: -1 if flips & 1 else 1, :: -1 if flips & 2 else 1]
    if rng.random() < 0.15:
        field, aspect = field.T, 1 / aspect
    angle, scale, shear, stretch = pose
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]])
    turn = turn @ np.diag([stretch, 1 / stretch]) / scale
    x, y = _ACROSS - offset[0], _DOWN - offset[1]
    half_width, half_height = min(1.0, aspect), min(1.0, 1 / aspect)
    column = ((turn[0, 0] * x + turn[0, 1] * y) / half_width + 1) / 2 * CELLS - 0.5
    row = ((turn[1, 0] * x + turn[1, 1] * y) / half_height + 1) / 2 * CELLS - 0.5
    return sample(field, row, column)


def sample(field: npt.NDArray[np.float32], row: Plane, column: Plane) -> Plane:
    """The field at places between its cells, bilinear; `OUTSIDE` beyond its box."""
    inside = (np.abs(row - CELLS / 2 + 0.5) < CELLS / 2) & (
        np.abs(column - CELLS / 2 + 0.5) < CELLS / 2
    )
    row, column = np.clip(row, 0, CELLS - 1), np.clip(column, 0, CELLS - 1)
    y, x = (np.minimum(part.astype(np.intp), CELLS - 2) for part in (row, column))
    below, right = row - y, column - x
    upper = field[y, x] * (1 - right) + field[y, x + 1] * right
    lower = field[y + 1, x] * (1 - right) + field[y + 1, x + 1] * right
    return np.where(inside, upper * (1 - below) + lower * below, OUTSIDE)

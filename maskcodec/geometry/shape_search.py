"""The codes of a field: a beam search in each object's own metric, and IoU to choose at the end.

What counts is where the field changes its sign, so an error near the outline weighs more than one
far from it. With a weight w for each point of the lattice, the error of a sum of codes s against a
field f is the quadratic form

    sum_p w_p (f_p - mean_p - basis_p . s)**2 = (s - z)' G (s - z) + constant

with G of dimensions x dimensions, z where it is least. A beam keeps the hypotheses of least error,
code by code. Weights are constant on tiles of `TILE` x `TILE` cells, so that G, and the energy
c' G c of each code, are linear in few numbers. The last step paints the best hypotheses on the
lattice and takes the one of highest IoU with the field.

An object's codes must not depend on what else is in its batch, and a BLAS rounds a row of a product
by where it stands. So products go object by object, each of the same shape, or through a kernel of
our own; and they are cut so small that no BLAS starts threads of its own, of which there would be
too many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .._ext import shortlist, weigh
from .shape_codebook import CELLS, ShapeCodebook, get_codebook

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int32]
Number = TypeVar("Number", np.float32, np.int32, np.uint8)

TILE = 4
SIDE = CELLS // TILE
TILES = SIDE * SIDE

NEAR = 0.4
"""How far from the outline weights fall off, in units of the field."""

FLOOR = 0.05
"""The weight far from the outline."""

RIDGE = 1e-3
"""Added to G, of its mean diagonal: dimensions that a mask leaves open stay near 0."""

BEAM = 16
"""Hypotheses kept for each object."""

FINALISTS = 64
"""Hypotheses painted to choose by IoU."""

BLOCK = 16
"""Objects searched for together."""

CHUNK = 128
"""Codes in a matrix product: beyond 2**18 multiplications OpenBLAS takes several threads."""

SUM_PART = 16
"""Columns of a table that `weigh` takes together."""

ROUGH_PART = 32
"""Cells in a matrix product of all finalists."""

REST_PART = 128
"""Cells in a matrix product of the contenders."""

CONTENDERS = 16
"""Finalists that are painted in all cells; the others only in every other row and column."""

_SQUARE = np.arange(CELLS * CELLS).reshape(CELLS, CELLS)
ROUGH = _SQUARE[1::2, 1::2].ravel()
"""The cells of every other row and column."""

REST = np.setdiff1d(_SQUARE, ROUGH)
"""All other cells."""


@dataclass(frozen=True, slots=True, eq=False)
class SearchTables:
    """What the search needs of a codebook, computed once.

    Attributes:
        mean: float32 (cells,), with CELLS * CELLS cells.
        basis: float32 (dimensions, cells).
        codes: float32 (stages, codes, dimensions).
        products: float32 (parts, TILES, SUM_PART): means over tiles of products of two basis
            fields, columns of zeros behind them.
        pairs: the row and the column in G of each of `products`.
        energies: as many for each stage: means over tiles of each code's squared field.
        columns: float32 (parts, cells, SUM_PART), the basis transposed.
        rough: float32 (parts, dimensions, ROUGH_PART), the basis in every other row and column.
        rest: float32 (parts, dimensions, REST_PART), the basis in all other cells.
        chunks: float32 (stages, chunks, dimensions, codes of a chunk), the codes transposed.
    """

    mean: Floats
    basis: Floats
    codes: Floats
    products: Floats
    pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    energies: Floats
    columns: Floats
    rough: Floats
    rest: Floats
    chunks: Floats

    @classmethod
    def of(cls, mean: Floats, basis: Floats, codes: Floats) -> SearchTables:
        """Compute the tables."""
        rows, columns = np.triu_indices(len(basis))
        products = np.empty((TILES, len(rows)), np.float32)
        step = 256
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            products[:, part] = over_tiles(basis[rows[part]] * basis[columns[part]]).T
        energies = np.empty((len(codes), TILES, codes.shape[1]), np.float32)
        for stage, table in enumerate(codes):
            for start in range(0, len(table), step):
                part = slice(start, start + step)
                energies[stage, :, part] = over_tiles((table[part] @ basis) ** 2).T
        chunk = math.gcd(codes.shape[1], CHUNK)
        chunks = codes.reshape(len(codes), -1, chunk, len(basis)).swapaxes(2, 3)
        return cls(
            mean,
            np.ascontiguousarray(basis),
            codes,
            in_parts(products, SUM_PART),
            (rows, columns),
            np.stack([in_parts(table, SUM_PART) for table in energies]),
            in_parts(basis.T, SUM_PART),
            in_parts(basis[:, ROUGH], ROUGH_PART),
            in_parts(basis[:, REST], REST_PART),
            np.ascontiguousarray(chunks),
        )


@lru_cache(maxsize=2)
def search_tables(name: str) -> SearchTables:
    """The tables of the codebook of that name; half a second the first time."""
    return tables_of(get_codebook(name))


def tables_of(book: ShapeCodebook) -> SearchTables:
    """The tables of a codebook."""
    return SearchTables.of(book.mean_values, book.basis_values, book.code_values)


def over_tiles(fields: Floats) -> Floats:
    """Means over tiles: (…, cells) to (…, TILES)."""
    shape = fields.shape[:-1]
    cells = fields.reshape(*shape, CELLS, SIDE, TILE)
    across = cells[..., 0] + cells[..., 1] + cells[..., 2] + cells[..., 3]
    lines = across.reshape(*shape, SIDE, TILE, SIDE)
    sums = lines[..., 0, :] + lines[..., 1, :] + lines[..., 2, :] + lines[..., 3, :]
    tiles: Floats = sums.reshape(*shape, TILES) / np.float32(TILE * TILE)
    return tiles


def in_parts(columns: Floats, width: int) -> Floats:
    """The columns of a matrix in contiguous parts: (rows, columns) to (parts, rows, width).

    The last part is filled up with zeros.
    """
    rows, count = columns.shape
    parts = -(-count // width)
    filled = np.zeros((rows, parts * width), np.float32)
    filled[:, :count] = columns
    return np.ascontiguousarray(filled.reshape(rows, parts, width).swapaxes(0, 1))


def weighted_sums(weights: Floats, parts: Floats, count: int) -> Floats:
    """weights @ a table of `count` columns in parts, each row as if it were alone."""
    out = np.empty((len(weights), len(parts) * SUM_PART), np.float32)
    weigh.sums(weights, parts, out)
    return out[:, :count]


def search(
    tables: SearchTables, fields: Floats, tokens: int, iou: float = 0.0, beam: int = BEAM
) -> list[Codes]:
    """The codes of each field, at most `tokens` of them.

    Args:
        tables: of the codebook.
        fields: float32 (objects, cells).
        tokens: codes an object, 1 to the codebook's stages.
        iou: 0 for exactly `tokens` codes; else as few as reach this IoU on the lattice.
        beam: hypotheses kept.

    Returns:
        int32 (codes,) for each object.
    """
    found: list[Codes] = []
    for start in range(0, len(fields), BLOCK):
        block = fields[start : start + BLOCK]
        found += _search_block(tables, block, tokens, iou, beam)
    return found


def _search_block(
    tables: SearchTables, fields: Floats, tokens: int, iou: float, beam: int
) -> list[Codes]:
    chosen: list[Codes | None] = [None] * len(fields)
    finalists = [FINALISTS if iou or stage == tokens - 1 else beam for stage in range(tokens)]
    for stage in beam_stages(tables, fields, beam, finalists):
        last = stage.length == tokens
        if not (iou or last):
            continue
        places = [index for index, one in enumerate(chosen) if one is None]
        found = best_by_iou(tables, fields[places], stage.sums[places])
        for index, (best, reached) in zip(places, found, strict=True):
            if last or reached >= iou:
                chosen[index] = stage.codes[index, best].copy()
        if all(one is not None for one in chosen):
            break
    return [one for one in chosen if one is not None]


def best_by_iou(tables: SearchTables, fields: Floats, sums: Floats) -> list[tuple[int, float]]:
    """The hypothesis of highest IoU with each field, of equals the first, and that IoU.

    A quarter of the cells tells which `CONTENDERS` are painted in all of them.

    Args:
        tables: of the codebook.
        fields: float32 (objects, cells).
        sums: float32 (objects, hypotheses, dimensions).
    """
    rough_levels, rest_levels = -tables.mean[ROUGH], -tables.mean[REST]
    found = []
    for field, hypotheses in zip(fields, sums, strict=True):
        target = (field > 0).view(np.uint8)
        wanted = target[ROUGH]
        both, painted = _overlaps(hypotheses, tables.rough, rough_levels, wanted)
        rough = _ious(both, painted, wanted)
        few = np.sort(np.argsort(-rough, kind="stable")[:CONTENDERS])
        more, others = _overlaps(hypotheses[few], tables.rest, rest_levels, target[REST])
        ious = _ious(both[few] + more, painted[few] + others, target)
        best = int(ious.argmax())
        found.append((int(few[best]), float(ious[best])))
    return found


def _overlaps(
    hypotheses: Floats, parts: Floats, levels: Floats, target: npt.NDArray[np.uint8]
) -> tuple[Codes, Codes]:
    """Cells that hypotheses (hypotheses, dimensions) paint: those in the target too, and all."""
    values = np.empty((len(hypotheses), len(parts), parts.shape[2]), np.float32)
    np.matmul(hypotheses, parts, out=values.swapaxes(0, 1))
    both, painted = np.empty((2, len(hypotheses)), np.int32)
    shortlist.overlaps(values.reshape(len(hypotheses), -1), levels, target, both, painted)
    return both, painted


def _ious(both: Codes, painted: Codes, target: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    ious: npt.NDArray[np.float64] = both / np.maximum(painted + np.count_nonzero(target) - both, 1)
    return ious


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """The hypotheses of some objects after so many codes, the likeliest first.

    Attributes:
        codes: int32 (objects, hypotheses, length).
        sums: float32 (objects, hypotheses, dimensions), the sums of their codes.
    """

    codes: Codes
    sums: Floats

    @property
    def length(self) -> int:
        """How many codes each has."""
        return int(self.codes.shape[2])


def beam_stages(
    tables: SearchTables, fields: Floats, beam: int, rooms: Sequence[int]
) -> Iterator[Stage]:
    """The best hypotheses after each code, as many as `rooms` says; the `beam` best go on."""
    weights, metric, least = fit(tables, fields)
    count, dimensions = least.shape
    codes = np.zeros((count, 1, 0), np.int32)
    sums = np.zeros((count, 1, dimensions), np.float32)
    pull = least[:, None] @ metric  # G (z - s) of each hypothesis
    errors = np.einsum("nhd,nd->nh", pull, least)
    entries = tables.codes.shape[1]
    for stage, room in enumerate(rooms):
        dots = _dots(pull, tables.chunks[stage])
        energy = weighted_sums(weights, tables.energies[stage], entries)
        kept = min(max(beam, room), dots.shape[1] * entries)
        costs = np.empty((count, kept), np.float32)
        places = np.empty((count, kept), np.int32)
        shortlist.cheapest(np.ascontiguousarray(errors), dots, energy, costs, places)
        parents, added = np.divmod(places, np.int32(entries))
        parents += np.arange(count, dtype=np.int32)[:, None] * dots.shape[1]
        steps = tables.codes[stage].take(added, axis=0)
        codes = np.concatenate([_rows(codes, parents), added[:, :, None]], axis=2)
        sums = _rows(sums, parents)
        sums += steps
        yield Stage(codes, sums)
        if stage == len(rooms) - 1:
            return
        codes, sums, errors = codes[:, :beam], sums[:, :beam], costs[:, :beam]
        pull = _rows(pull, parents[:, :beam])
        pull -= steps[:, :beam] @ metric


def _rows(hypotheses: npt.NDArray[Number], places: Codes) -> npt.NDArray[Number]:
    """Hypotheses (objects, hypotheses, …) at places among those of all objects."""
    objects, each, length = hypotheses.shape
    return hypotheses.reshape(objects * each, length).take(places, axis=0)


def _dots(pull: Floats, chunks: Floats) -> Floats:
    """pull @ codes.T: (objects, hypotheses, codes)."""
    count, hypotheses, _ = pull.shape
    parts, _, width = chunks.shape
    dots = np.empty((count, hypotheses, parts, width), np.float32)
    np.matmul(pull[:, None], chunks, out=dots.swapaxes(1, 2))
    return dots.reshape(count, hypotheses, parts * width)


def fit(tables: SearchTables, fields: Floats) -> tuple[Floats, Floats, Floats]:
    """The weights of tiles, the metric G, and the sum z of least error, of each field.

    Returns:
        float32 (objects, TILES), (objects, dimensions, dimensions) and (objects, dimensions).
    """
    count, dimensions = len(fields), len(tables.basis)
    weights = over_tiles(np.exp(-((fields / np.float32(NEAR)) ** 2))) + np.float32(FLOOR)
    metric = np.empty((count, dimensions, dimensions), np.float32)
    rows, columns = tables.pairs
    metric[:, rows, columns] = metric[:, columns, rows] = weighted_sums(
        weights, tables.products, len(rows)
    )
    spread = weights.reshape(count, SIDE, 1, SIDE, 1) / np.float32(TILE * TILE)
    weighted = (fields - tables.mean).reshape(count, SIDE, TILE, SIDE, TILE) * spread
    target = weighted_sums(weighted.reshape(count, -1), tables.columns, dimensions)
    ridge = RIDGE * np.trace(metric, axis1=1, axis2=2) / dimensions
    solid = metric + ridge[:, None, None] * np.eye(dimensions, dtype=np.float32)
    least: Floats = np.linalg.solve(solid, target[:, :, None])[:, :, 0].astype(np.float32)
    return weights, metric, least

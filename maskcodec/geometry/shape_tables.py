"""What the search for codes needs of a codebook, computed once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from .shape_codebook import CELLS, ShapeCodebook, get_codebook

Floats = npt.NDArray[np.float32]

TILE = 4
"""Rows, and columns, of cells of one weight."""

SIDE = CELLS // TILE
TILES = SIDE * SIDE

CHUNK = 128
"""Codes in a matrix product: beyond 2**18 multiplications OpenBLAS takes several threads."""

SUM_PART = 16
"""Columns of a table that `weigh` takes together."""


PART = 128
"""Cells in a matrix product of a beam, or of the contenders."""

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
        square: which of `products` each number of G is, row by row: (dimensions * dimensions,).
        energies: as many for each stage: means over tiles of each code's squared field.
        columns: float32 (parts, cells, SUM_PART), the basis transposed.
        rough: float32 (parts, dimensions, PART), the basis in every other row and column.
        rest: float32 (parts, dimensions, PART), the basis in all other cells.
        chunks: float32 (stages, chunks, dimensions, codes of a chunk), the codes transposed.
    """

    mean: Floats
    basis: Floats
    codes: Floats
    products: Floats
    pairs: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    square: npt.NDArray[np.intp]
    energies: Floats
    columns: Floats
    rough: Floats
    rest: Floats
    chunks: Floats

    @classmethod
    def of(cls, mean: Floats, basis: Floats, codes: Floats) -> SearchTables:
        """Compute the tables."""
        rows, columns = np.triu_indices(len(basis))
        square = np.empty((len(basis), len(basis)), np.intp)
        square[rows, columns] = square[columns, rows] = np.arange(len(rows))
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
            square.ravel(),
            np.stack([in_parts(table, SUM_PART) for table in energies]),
            in_parts(basis.T, SUM_PART),
            in_parts(basis[:, ROUGH], PART),
            in_parts(basis[:, REST], PART),
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

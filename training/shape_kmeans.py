"""The codebook to start from: principal components, and k-means on what each stage leaves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

Floats = npt.NDArray[np.float32]

_ROWS = 8_192


def components(fields: npt.NDArray[np.floating], dimensions: int) -> tuple[Floats, Floats]:
    """Mean (cells,) and the `dimensions` first principal components (dimensions, cells)."""
    values = fields.astype(np.float32)
    mean = values.mean(axis=0)
    values -= mean
    if len(values) < values.shape[1]:  # the same directions from the smaller of the two products
        _, shares = np.linalg.eigh(values @ values.T)
        basis = shares[:, ::-1][:, :dimensions].T @ values
        basis /= np.maximum(np.linalg.norm(basis, axis=1, keepdims=True), 1e-6)
        missing = max(0, dimensions - len(basis))
        return mean, np.pad(basis, ((0, missing), (0, 0)))
    _, vectors = np.linalg.eigh(values.T @ values)
    return mean, np.ascontiguousarray(vectors[:, ::-1][:, :dimensions].T)


def project(fields: npt.NDArray[np.floating], mean: Floats, basis: Floats) -> Floats:
    """Coordinates of fields (objects, cells) in an orthonormal basis: (objects, dimensions)."""
    parts = [
        (fields[start : start + _ROWS].astype(np.float32) - mean) @ basis.T
        for start in range(0, len(fields), _ROWS)
    ]
    return np.concatenate(parts)


def residual_codes(
    points: Floats, stages: int, entries: int, iterations: int, rng: np.random.Generator
) -> Floats:
    """Codebooks (stages, entries, dimensions), each by k-means on what those before it leave."""
    rest = points.copy()
    found = []
    for _ in tqdm(range(stages), "k-means", unit=" stages", disable=None):
        table = rest[rng.choice(len(rest), entries, replace=len(rest) < entries)].copy()
        for _ in range(iterations):
            table = _step(rest, table, rng)
        rest -= table[nearest(rest, table)]
        found.append(table)
    return np.stack(found)


def nearest(points: Floats, table: Floats) -> npt.NDArray[np.intp]:
    """The entry of `table` nearest to each point."""
    half = (table * table).sum(axis=1) / 2
    parts = [
        (points[start : start + _ROWS] @ table.T - half).argmax(axis=1)
        for start in range(0, len(points), _ROWS)
    ]
    return np.concatenate(parts)


def _step(points: Floats, table: Floats, rng: np.random.Generator) -> Floats:
    """Move each entry to the mean of the points that it is nearest to; unused ones to any point."""
    owner = nearest(points, table)
    order = np.argsort(owner, kind="stable")
    used, starts, counts = np.unique(owner[order], return_index=True, return_counts=True)
    moved = points[rng.integers(len(points), size=len(table))]
    moved[used] = np.add.reduceat(points[order], starts, axis=0) / counts[:, None]
    return moved

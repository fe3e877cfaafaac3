"""Refines all stages of a codebook together, in the metric that the search uses.

A round encodes a sample of fields by beam search, then moves each entry of each stage to where the
error of all prefixes that hold it is least, as Lloyd's algorithm does, but with the quadratic form
G of each object (see `maskcodec.geometry.shape_search`) divided by the object's share of its box:
errors then count about as they do in IoU. At last the basis and the mean move to where the same
error is least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from maskcodec.geometry import shape_search as searching
from maskcodec.geometry.shape_tables import SIDE, TILE, SearchTables

Floats = npt.NDArray[np.float32]

BEAM = 8
"""Hypotheses of the search while training."""

DAMPING = 0.7
"""The share of the way that entries go in a round."""

PRIOR = 2.0
"""How many average objects hold an entry in place."""

LEAST_SHARE = 0.08
"""Objects that fill less of their box count as if they filled so much."""

_BATCH = 64


@dataclass(frozen=True, eq=False)
class Sample:
    """Encoded fields.

    Attributes:
        fields: float32 (objects, cells).
        codes: intp (objects, stages).
        metrics: float32 (objects, pairs): G of each, upper triangle, over its share of the box.
        errors: float32 (objects, stages, dimensions): G (z - sum of the first codes).
        weights: float32 (objects, TILES), over the share too.
    """

    fields: Floats
    codes: npt.NDArray[np.intp]
    metrics: Floats
    errors: Floats
    weights: Floats


def refine(tables: SearchTables, fields: npt.NDArray[np.floating], title: str) -> SearchTables:
    """One round: better tables, from a sample of fields (objects, cells)."""
    sample = encode(tables, fields, title)
    codes = move_codes(tables, sample)
    mean, basis = move_basis(tables, sample, codes)
    return SearchTables.of(mean, basis, codes)


def encode(tables: SearchTables, fields: npt.NDArray[np.floating], title: str) -> Sample:
    """Search the codes of all stages for each field, and what the update needs."""
    stages = len(tables.codes)
    rows, columns = tables.pairs
    parts = []
    for start in tqdm(range(0, len(fields), _BATCH), title, unit=" batches", disable=None):
        batch = fields[start : start + _BATCH].astype(np.float32)
        *_, last = searching.beam_stages(tables, batch, BEAM, [BEAM] * stages)
        codes = last.codes[:, 0].astype(np.intp)
        weights, metric, least = searching.fit(tables, batch)
        share = np.maximum((batch > 0).mean(axis=1, dtype=np.float32), LEAST_SHARE)
        steps = np.stack([tables.codes[s][codes[:, s]] for s in range(stages)], axis=1)
        errors = (least[:, None] - steps.cumsum(axis=1)) @ metric / share[:, None, None]
        packed = metric[:, rows, columns] / share[:, None]
        parts.append((batch, codes, packed, errors, weights / share[:, None]))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Sample(*joined)


def prefix_weights(stages: int) -> Floats:
    """How much the error after each number of codes counts: about one over its usual size."""
    return (np.arange(4, stages + 4) / (4 * stages)).astype(np.float32)


def move_codes(tables: SearchTables, sample: Sample) -> Floats:
    """New codebooks (stages, entries, dimensions)."""
    stages, entries, dimensions = tables.codes.shape
    weights = prefix_weights(stages)
    average = sample.metrics.mean(axis=0, keepdims=True)
    ridge = 0.02 * float(unpacked(tables, average)[0].trace()) / dimensions
    hold = PRIOR * unpacked(tables, average) + ridge * np.eye(dimensions, dtype=np.float32)
    moved = tables.codes.copy()
    for stage in range(stages):
        later = weights[stage:, None]
        pull = (sample.errors[:, stage:] * later).sum(axis=1) / later.sum()
        owner = sample.codes[:, stage]
        order = np.argsort(owner, kind="stable")
        used, starts = np.unique(owner[order], return_index=True)
        forms = np.add.reduceat(sample.metrics[order], starts, axis=0)
        pulls = np.add.reduceat(pull[order], starts, axis=0)
        for start in range(0, len(used), entries // 4):
            part = slice(start, start + entries // 4)
            solid = unpacked(tables, forms[part]) + hold
            way = np.linalg.solve(solid, pulls[part][:, :, None])[:, :, 0]
            moved[stage, used[part]] += DAMPING * way
    return moved


def unpacked(tables: SearchTables, packed: Floats) -> Floats:
    """Symmetric matrices (n, dimensions, dimensions) of their upper triangles (n, pairs)."""
    rows, columns = tables.pairs
    dimensions = len(tables.basis)
    full = np.empty((len(packed), dimensions, dimensions), np.float32)
    full[:, rows, columns] = full[:, columns, rows] = packed
    return full


def move_basis(tables: SearchTables, sample: Sample, codes: Floats) -> tuple[Floats, Floats]:
    """New mean (cells,) and basis (dimensions, cells): a weighted least squares fit, damped."""
    cells, dimensions = len(tables.mean), len(tables.basis)
    side, tile = SIDE, TILE
    some = slice(0, 6_000)
    weights = sample.weights[some].reshape(-1, side, 1, side, 1)
    weights = np.broadcast_to(weights, (len(weights), side, tile, side, tile)).reshape(-1, cells)
    chosen = sample.codes[some]
    steps = np.stack([codes[s][chosen[:, s]] for s in range(len(codes))], axis=1)
    sums = steps.cumsum(axis=1)
    forms = np.zeros((cells, (dimensions + 1) ** 2), np.float32)
    pulls = np.zeros((cells, dimensions + 1), np.float32)
    for prefix, share in enumerate(prefix_weights(len(codes))):
        if prefix % 4 != 3 and prefix != len(codes) - 1:  # some will do
            continue
        one = np.ones((len(sums), 1), np.float32)
        inputs = np.concatenate([sums[:, prefix], one], axis=1)
        rest = sample.fields[some] - tables.mean - sums[:, prefix] @ tables.basis
        pulls += share * ((weights * rest).T @ inputs)
        squares = (inputs[:, :, None] * inputs[:, None]).reshape(len(inputs), -1)
        forms += share * (weights.T @ squares)
    square = forms.reshape(cells, dimensions + 1, dimensions + 1)
    hold = np.diag(square.mean(axis=0))
    square += np.diag(0.1 * hold + 1e-3 * hold.mean())
    way = DAMPING * np.linalg.solve(square, pulls[:, :, None])[:, :, 0]
    return tables.mean + way[:, -1], tables.basis + np.ascontiguousarray(way[:, :-1].T)

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

import numpy as np
import numpy.typing as npt

from .._ext import shortlist, solve, weigh
from ..errors import MaskCodecError
from .shape_codebook import MAX_STAGES
from .shape_tables import REST, ROUGH, SIDE, SUM_PART, TILE, Floats, SearchTables, over_tiles

Codes = npt.NDArray[np.int32]

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

BLOCK = 64
"""Objects searched for together."""

TOGETHER = 4
"""Objects whose products are taken together: as much as the second cache holds."""

CONTENDERS = 16
"""Finalists that are painted in all cells; the others only in every other row and column."""


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
        best, reached = best_by_iou(tables, fields[places], stage.of(places))
        for index, one, share in zip(places, best.tolist(), reached.tolist(), strict=True):
            if last or share >= iou:
                chosen[index] = stage.codes[index, one].copy()
        if all(one is not None for one in chosen):
            break
    return [one for one in chosen if one is not None]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """The hypotheses of some objects after so many codes, the likeliest first.

    Attributes:
        codes: int32 (objects, hypotheses, length).
        parents: int32 (objects, hypotheses), which one of the stage before each adds a code to.
        before: float32 (objects, hypotheses of the stage before, dimensions), the sums of those.
        steps: float32 (codes, dimensions), what the last code adds.
    """

    codes: Codes
    parents: Codes
    before: Floats
    steps: Floats

    @property
    def length(self) -> int:
        """How many codes each has."""
        return int(self.codes.shape[2])

    @property
    def added(self) -> Codes:
        """The last code of each: int32 (objects, hypotheses)."""
        return self.codes[:, :, -1]

    @property
    def sums(self) -> Floats:
        """The sums of their codes: float32 (objects, hypotheses, dimensions)."""
        return self.sums_of(np.arange(self.parents.shape[1])[None])

    def sums_of(self, some: npt.NDArray[np.intp]) -> Floats:
        """Those of some hypotheses: `some` is (objects, hypotheses), or (1, hypotheses)."""
        objects = np.arange(len(self.codes))[:, None]
        sums: Floats = self.before[objects, self.parents[objects, some]]
        sums += self.steps[self.added[objects, some]]
        return sums

    def of(self, places: Sequence[int]) -> Stage:
        """The hypotheses of some of the objects."""
        if len(places) == len(self.codes):
            return self
        some = list(places)
        return Stage(self.codes[some], self.parents[some], self.before[some], self.steps)


def best_by_iou(
    tables: SearchTables, fields: Floats, stage: Stage
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """The hypothesis of highest IoU with each field, of equals the first, and that IoU.

    A quarter of the cells tells which `CONTENDERS` are painted in all of them. In that quarter it
    is those that the hypotheses come from that are painted, which are fewer, and the fields of the
    codes that they add are known.

    Args:
        tables: of the codebook.
        fields: float32 (objects, cells).
        stage: the hypotheses.

    Returns:
        (objects,) each.
    """
    targets = (fields > 0).view(np.uint8)
    wanted, rest = targets.take(ROUGH, axis=1), targets.take(REST, axis=1)
    both, painted = np.empty((2, *stage.parents.shape), np.int32)
    shortlist.overlaps_of_sums(
        _draw(stage.before, tables.rough),
        stage.parents,
        rough_steps(tables, stage.length - 1),
        np.ascontiguousarray(stage.added),
        -tables.mean[ROUGH],
        wanted,
        both,
        painted,
    )
    few = np.argsort(-_ious(both, painted, wanted), axis=1, kind="stable")[:, :CONTENDERS]
    few.sort(axis=1)
    sums = stage.sums_of(few)
    more, others = np.empty((2, *few.shape), np.int32)
    levels = -tables.mean[REST]
    for start in range(0, len(fields), TOGETHER):
        part = slice(start, start + TOGETHER)
        values = _draw(sums[part], tables.rest)
        shortlist.overlaps(values, levels, rest[part], more[part], others[part])
    more += np.take_along_axis(both, few, 1)
    others += np.take_along_axis(painted, few, 1)
    ious = _ious(more, others, targets)
    best = ious.argmax(axis=1)[:, None]
    return np.take_along_axis(few, best, 1)[:, 0], np.take_along_axis(ious, best, 1)[:, 0]


@lru_cache(maxsize=MAX_STAGES)
def rough_steps(tables: SearchTables, stage: int) -> Floats:
    """What each code of a stage adds in every other row and column: float32 (codes, cells)."""
    codes = tables.codes[stage]
    steps = _draw(codes.reshape(-1, math.gcd(len(codes), BEAM), codes.shape[1]), tables.rough)
    return steps.reshape(len(codes), -1)


def _draw(sums: Floats, parts: Floats) -> Floats:
    """Sums of codes (objects, hypotheses, dimensions) @ a table in parts, as many columns."""
    count, hypotheses, _ = sums.shape
    values = np.empty((count, hypotheses, len(parts), parts.shape[2]), np.float32)
    np.matmul(sums[:, None], parts, out=values.swapaxes(1, 2))
    return values.reshape(count, hypotheses, -1)


def _ious(both: Codes, painted: Codes, targets: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """IoUs of hypotheses (objects, hypotheses), of what they share with targets and paint."""
    wanted = np.count_nonzero(targets, axis=1)[:, None]
    ious: npt.NDArray[np.float64] = both / np.maximum(painted + wanted - both, 1)
    return ious


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
    objects = np.arange(count)[:, None]
    for number, room in enumerate(rooms):
        energy = weighted_sums(weights, tables.energies[number], entries)
        kept = min(max(beam, room), pull.shape[1] * entries)
        costs = np.empty((count, kept), np.float32)
        places = np.empty((count, kept), np.int32)
        errors = np.ascontiguousarray(errors)
        for start in range(0, count, TOGETHER):
            part = slice(start, start + TOGETHER)
            dots = _draw(pull[part], tables.chunks[number])
            shortlist.cheapest(errors[part], dots, energy[part], costs[part], places[part])
        parents, added = np.divmod(places, np.int32(entries))
        codes = np.concatenate([codes[objects, parents], added[:, :, None]], axis=2)
        stage = Stage(codes, parents, sums, tables.codes[number])
        yield stage
        if number == len(rooms) - 1:
            return
        parents, added = parents[:, :beam], added[:, :beam]
        codes, errors = codes[:, :beam], costs[:, :beam]
        steps = stage.steps[added]
        sums = sums[objects, parents] + steps
        pull = pull[objects, parents]
        pull -= steps @ metric


def fit(tables: SearchTables, fields: Floats) -> tuple[Floats, Floats, Floats]:
    """The weights of tiles, the metric G, and the sum z of least error, of each field.

    Returns:
        float32 (objects, TILES), (objects, dimensions, dimensions) and (objects, dimensions).
    """
    count, dimensions = len(fields), len(tables.basis)
    weights = over_tiles(np.exp(-((fields / np.float32(NEAR)) ** 2))) + np.float32(FLOOR)
    sums = weighted_sums(weights, tables.products, len(tables.pairs[0]))
    metric = sums.take(tables.square, axis=1).reshape(count, dimensions, dimensions)
    spread = weights.reshape(count, SIDE, 1, SIDE, 1) / np.float32(TILE * TILE)
    weighted = (fields - tables.mean).reshape(count, SIDE, TILE, SIDE, TILE) * spread
    target = weighted_sums(weighted.reshape(count, -1), tables.columns, dimensions)
    ridge = RIDGE * np.trace(metric, axis1=1, axis2=2) / dimensions
    least = np.empty((count, dimensions), np.float32)
    if not solve.symmetric(metric, ridge, np.ascontiguousarray(target), least):
        raise MaskCodecError("the codebook's basis is not of full rank: train it anew")
    return weights, metric, least

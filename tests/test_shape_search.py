"""The search for codes: its shortcuts give what the plain definitions give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from shape_pictures import draw_shapes, fields_of, iou

from maskcodec.geometry.shape_codebook import CELLS, get_codebook
from maskcodec.geometry.shape_search import (
    BEAM,
    Stage,
    beam_stages,
    best_by_iou,
    fit,
    search,
)
from maskcodec.geometry.shape_tables import over_tiles, search_tables

TABLES = search_tables("shapes1")
BOOK = get_codebook("shapes1")
FIELDS = fields_of(draw_shapes(10, (120, 160), 50))

Floats = npt.NDArray[np.float64]


def stages(fields: npt.NDArray[np.float32], tokens: int) -> list[Stage]:
    return list(beam_stages(TABLES, fields, BEAM, [BEAM] * tokens))


def test_means_over_tiles() -> None:
    fields = np.arange(2 * CELLS * CELLS, dtype=np.float32).reshape(2, -1)
    tiles = over_tiles(fields).reshape(2, CELLS // 4, CELLS // 4)
    square = fields.reshape(2, CELLS, CELLS)
    assert tiles[1, 3, 5] == square[1, 12:16, 20:24].mean()


def test_hypotheses_are_the_sums_of_their_codes() -> None:
    for stage in stages(FIELDS, 4):
        wanted = sum(TABLES.codes[k][stage.codes[:, :, k]] for k in range(stage.length))
        np.testing.assert_allclose(stage.sums, wanted, atol=1e-4)
        for one in stage.codes.tolist():
            assert len({tuple(codes) for codes in one}) == BEAM, "no hypothesis stands twice"


def test_the_likeliest_hypotheses_come_first() -> None:
    """By the error in each object's own metric, computed as it is defined."""
    weights, _, least = fit(TABLES, FIELDS)
    spread = np.kron(weights.reshape(-1, CELLS // 4, CELLS // 4), np.ones((4, 4))).reshape(
        len(FIELDS), -1
    )
    for stage in stages(FIELDS, 3):
        painted = stage.sums.astype(np.float64) @ TABLES.basis + TABLES.mean
        errors: Floats = (spread[:, None] * (painted - FIELDS[:, None]) ** 2).sum(axis=2)
        optimum = (spread * (least @ TABLES.basis + TABLES.mean - FIELDS) ** 2).sum(axis=1)
        assert (errors > optimum[:, None] * 0.99).all()
        steps = np.diff(errors, axis=1)
        assert (steps > -0.02 * errors.max(axis=1, keepdims=True)).all()
        if stage.length == 1:  # all codes were compared: none is better than the first
            every = TABLES.codes[0] @ TABLES.basis + TABLES.mean
            for field, weight, best in zip(FIELDS, spread, errors[:, 0], strict=True):
                assert best <= (weight * (every - field) ** 2).sum(axis=1).min() * 1.02


@pytest.mark.parametrize("tokens", [1, 3, 8])
def test_the_best_by_iou_is_the_best_of_all(tokens: int) -> None:
    last = stages(FIELDS, tokens)[-1]
    for best, reached, field, sums in zip(
        *best_by_iou(TABLES, FIELDS, last), FIELDS, last.sums, strict=True
    ):
        every = [iou(one @ TABLES.basis + TABLES.mean > 0, field > 0) for one in sums]
        assert reached == pytest.approx(max(every), abs=1e-3)
        assert every[best] == pytest.approx(max(every), abs=1e-3)


def test_some_objects_of_a_stage() -> None:
    last = stages(FIELDS, 3)[-1]
    places = [4, 0, 7]
    some = last.of(places)
    np.testing.assert_array_equal(some.sums, last.sums[places])
    for whole, part in zip(
        best_by_iou(TABLES, FIELDS, last), best_by_iou(TABLES, FIELDS[places], some), strict=True
    ):
        np.testing.assert_array_equal(part, whole[places])


@pytest.mark.parametrize("value", [-1.0, 1.0, 0.0, 1e-9])
def test_fields_without_an_outline(value: float) -> None:
    """A thin object that pooling lost has nothing to be found; a full one has."""
    fields = np.full((3, CELLS * CELLS), value, np.float32)
    for codes in search(TABLES, fields, 5):
        assert codes.dtype == np.int32
        assert codes.shape == (5,)
        assert ((codes >= 0) & (codes < 1_024)).all()
    short = search(TABLES, fields, 5, iou=0.9)
    assert all(1 <= len(codes) <= 5 for codes in short)
    if value == 1:
        painted = BOOK.fields(np.array([len(short[0])], np.int32), short[0]) > 0
        assert painted.mean() > 0.9


def test_a_wider_beam_is_not_worse() -> None:
    means = []
    for beam in (1, 16):
        found = search(TABLES, FIELDS, 6, beam=beam)
        fields = BOOK.fields(np.full(len(found), 6, np.int32), np.concatenate(found))
        painted = fields.reshape(len(found), -1) > 0
        means.append(
            np.mean([iou(one, field > 0) for one, field in zip(painted, FIELDS, strict=True)])
        )
    assert means[1] > means[0] - 2e-3

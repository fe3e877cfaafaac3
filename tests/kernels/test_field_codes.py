"""Sums of codes and rounded products, against their NumPy twins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import field_codes as kernels
from maskcodec._reference import field_codes as reference

Ints = npt.NDArray[np.int32]


def a_table(stages: int, entries: int, dimensions: int, seed: int = 0) -> npt.NDArray[np.int16]:
    random = np.random.default_rng(seed)
    return random.integers(-(2**15), 2**15, (stages, entries, dimensions), np.int16)


@given(
    counts=st.lists(st.integers(0, 5), max_size=6),
    entries=st.integers(1, 9),
    dimensions=st.integers(0, 11),
    seed=st.integers(0, 2**32),
)
def test_sums_equal_their_twin(counts: list[int], entries: int, dimensions: int, seed: int) -> None:
    table = a_table(5, entries, dimensions, seed)
    codes = np.random.default_rng(seed).integers(0, entries, sum(counts), np.int32)
    some, out = np.array(counts, np.int32), np.full((len(counts), dimensions), np.nan)
    kernels.sums(table, some, codes, out)
    np.testing.assert_array_equal(out, reference.sums(table, some, codes))


def test_the_largest_sum_is_exact() -> None:
    table = np.full((16, 1, 3), -(2**15), np.int16)
    out = np.empty((1, 3))
    kernels.sums(table, np.array([16], np.int32), np.zeros(16, np.int32), out)
    assert out.tolist() == [[-(2.0**19)] * 3]


@pytest.mark.parametrize(
    ("counts", "codes", "shape", "message"),
    [
        ([3], [0, 0, 0], (1, 4), "counts must be 0"),
        ([-1, 2], [0], (2, 4), "counts must be 0"),
        ([2], [0, 3], (1, 4), "not in the table"),
        ([2], [-1, 0], (1, 4), "not in the table"),
        ([2], [0], (1, 4), "shapes"),
        ([1], [0, 0], (1, 4), "shapes"),
        ([2], [0, 0], (2, 4), "shapes"),
        ([2], [0, 0], (1, 3), "shapes"),
    ],
)
def test_wrong_codes_are_refused(
    counts: list[int], codes: list[int], shape: tuple[int, int], message: str
) -> None:
    out = np.full(shape, 7.0)
    given_counts, given_codes = np.array(counts, np.int32), np.array(codes, np.int32)
    with pytest.raises(ValueError, match=message):
        kernels.sums(a_table(2, 3, 4), given_counts, given_codes, out)
    assert (out == 7).all()


@given(objects=st.integers(0, 3), cells=st.integers(0, 13), seed=st.integers(0, 2**32))
def test_rounded_equals_its_twin(objects: int, cells: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    products = random.integers(-(2**31), 2**31, (objects, cells)) / 16
    products += random.integers(-4, 4, (objects, cells)) / 2
    mean = random.integers(-(2**20), 2**20, cells) / 4
    out = np.full((objects, cells), -7, np.int32)
    kernels.rounded(products, mean, out)
    np.testing.assert_array_equal(out, reference.rounded(products, mean))


def test_halves_go_to_even() -> None:
    products = np.array([[0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.5, 0.25, 0.75]])
    out = np.empty((1, 9), np.int32)
    kernels.rounded(products, np.zeros(9), out)
    assert out.tolist() == [[0, 2, 2, 0, -2, -2, 4, 0, 1]]


def test_wrong_shapes_are_refused() -> None:
    def job(products: int, mean: int, out: int) -> None:
        kernels.rounded(np.zeros((2, products)), np.zeros(mean), np.zeros((2, out), np.int32))

    job(4, 4, 4)
    for wrong in ((5, 4, 4), (4, 5, 4), (4, 4, 5)):
        with pytest.raises(ValueError, match="shapes"):
            job(*wrong)
    with pytest.raises(ValueError, match="shapes"):
        kernels.rounded(np.zeros((3, 4)), np.zeros(4), np.zeros((2, 4), np.int32))

"""Weighted sums of rows, against their NumPy twin and against themselves one by one."""

from __future__ import annotations

import platform

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import weigh as kernels
from maskcodec._reference import weigh as reference

WIDTH = 16

FUSES = platform.machine().lower() not in ("x86_64", "amd64")
"""Whether a compiler may multiply and add with one rounding here."""


@given(
    objects=st.integers(0, 9),
    rows=st.sampled_from([0, 1, 2, 3, 4, 5, 11, 255, 256, 257, 600]),
    parts=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_sums_equal_their_twin_and_know_nothing_of_each_other(
    objects: int, rows: int, parts: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights = random.normal(size=(objects, rows)).astype(np.float32)
    table = random.normal(size=(parts, rows, WIDTH)).astype(np.float32)
    columns = parts * WIDTH
    out = np.full((objects, columns), np.nan, np.float32)
    kernels.sums(weights, table, out)
    wanted = reference.sums(weights, table)
    if FUSES:
        np.testing.assert_allclose(out, wanted, rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_array_equal(out, wanted)
    for index in range(objects):
        alone = np.full((1, columns), np.nan, np.float32)
        kernels.sums(weights[index : index + 1], table, alone)
        np.testing.assert_array_equal(alone[0], out[index])


def test_sums_are_the_matrix_product() -> None:
    random = np.random.default_rng(3)
    weights = random.normal(size=(5, 300)).astype(np.float32)
    matrix = random.normal(size=(300, 3 * WIDTH)).astype(np.float32)
    table = np.ascontiguousarray(matrix.reshape(300, 3, WIDTH).swapaxes(0, 1))
    out = np.empty((5, 3 * WIDTH), np.float32)
    kernels.sums(weights, table, out)
    product = weights.astype(np.float64) @ matrix
    np.testing.assert_allclose(out, product, rtol=1e-4, atol=1e-4)


def test_wrong_shapes() -> None:
    weights, table = np.zeros((2, 3), np.float32), np.zeros((2, 3, WIDTH), np.float32)
    for shape in ((2, 16), (3, 32), (2, 33)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.sums(weights, table, np.zeros(shape, np.float32))
    for wrong in (table[:, :2].copy(), table[:, :, :15].copy()):
        with pytest.raises(ValueError, match="shapes"):
            kernels.sums(weights, wrong, np.zeros((2, 32), np.float32))

"""Weighted sums of rows, against their NumPy twin and against themselves one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import weigh as kernels
from maskcodec._reference import weigh as reference


@given(
    objects=st.integers(0, 5),
    rows=st.integers(0, 11),
    columns=st.sampled_from([0, 1, 3, 64, 511, 512, 513, 1_100]),
    seed=st.integers(0, 99),
)
def test_sums_equal_their_twin_and_know_nothing_of_each_other(
    objects: int, rows: int, columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights = random.normal(size=(objects, rows)).astype(np.float32)
    table = random.normal(size=(rows, columns)).astype(np.float32)
    out = np.full((objects, columns), np.nan, np.float32)
    kernels.sums(weights, table, out)
    np.testing.assert_allclose(out, reference.sums(weights, table), rtol=1e-5, atol=1e-5)
    for index in range(objects):
        alone = np.full((1, columns), np.nan, np.float32)
        kernels.sums(weights[index : index + 1], table, alone)
        np.testing.assert_array_equal(alone[0], out[index])


def test_wrong_shapes() -> None:
    weights, table = np.zeros((2, 3), np.float32), np.zeros((3, 4), np.float32)
    for shape in ((2, 3), (3, 4), (2, 5)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.sums(weights, table, np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match="shapes"):
        kernels.sums(weights, table[:2], np.zeros((2, 4), np.float32))

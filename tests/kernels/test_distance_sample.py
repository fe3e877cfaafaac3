"""Values of pixels at the cells of a lattice, against their NumPy twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import distance as kernels
from maskcodec._reference import distance as reference

SIDES = st.integers(1, 140)


@given(shape=st.tuples(SIDES, SIDES), cells=st.tuples(SIDES, SIDES), seed=st.integers(0, 99))
def test_sample_equals_its_twin(shape: tuple[int, int], cells: tuple[int, int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    out = np.full(cells, np.nan, np.float32)
    kernels.sample(values, 0.25, np.empty(shape[1], np.float32), out)
    wanted = 0.25 * reference.sample(values, cells)
    np.testing.assert_allclose(out, wanted, rtol=1e-5, atol=1e-5)


def test_a_lattice_of_the_pixels_themselves() -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    out = np.empty((3, 4), np.float32)
    kernels.sample(values, 2.0, np.empty(4, np.float32), out)
    np.testing.assert_array_equal(out, 2 * values)


def test_wrong_shapes() -> None:
    out, line = np.empty((2, 2), np.float32), np.empty(4, np.float32)
    for shape in ((0, 4), (4, 0), (3, 5)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.sample(np.zeros(shape, np.float32), 1.0, line, out)

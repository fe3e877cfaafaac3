"""Systems of equations, against their NumPy twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import solve as kernels
from maskcodec._reference import solve as reference

Floats = npt.NDArray[np.float32]


def draw_job(objects: int, size: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Symmetric matrices that are almost singular but for their ridges."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(objects, size, max(1, size - 2)))
    matrices = (factors @ factors.swapaxes(1, 2)).astype(np.float32)
    ridges = random.uniform(0.1, 1, objects).astype(np.float32)
    return matrices, ridges, random.normal(size=(objects, size)).astype(np.float32)


@given(objects=st.integers(0, 4), size=st.integers(0, 21), seed=st.integers(0))
def test_symmetric_equals_its_twin(objects: int, size: int, seed: int) -> None:
    job = draw_job(objects, size, seed)
    out = np.full((objects, size), np.nan, np.float32)
    assert kernels.symmetric(*job, out)
    np.testing.assert_allclose(out, reference.symmetric(*job), rtol=1e-4, atol=1e-5)


def test_the_size_of_the_search() -> None:
    job = draw_job(3, 80, 0)
    out = np.empty((3, 80), np.float32)
    assert kernels.symmetric(*job, out)
    np.testing.assert_allclose(out, reference.symmetric(*job), rtol=1e-5, atol=1e-6)
    for index in range(3):
        alone = np.empty((1, 80), np.float32)
        matrices, ridges, right = (part[index : index + 1] for part in job)
        kernels.symmetric(matrices, ridges, right, alone)
        np.testing.assert_array_equal(alone[0], out[index])


def test_only_what_is_right_of_the_diagonal_counts() -> None:
    matrices, ridges, right = draw_job(2, 7, 1)
    below = np.tril(np.ones((7, 7), np.bool_), -1)
    out, again = np.empty((2, 2, 7), np.float32)
    kernels.symmetric(matrices, ridges, right, out)
    kernels.symmetric(np.where(below, np.float32(np.nan), matrices), ridges, right, again)
    np.testing.assert_array_equal(out, again)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_what_is_not_positive_definite_is_said(size: int, value: float) -> None:
    matrices = np.stack([np.eye(size, dtype=np.float32)] * 2)
    matrices[1, -1, -1] = value
    out = np.full((2, size), 7, np.float32)
    ones, zeros = np.ones((2, size), np.float32), np.zeros(2, np.float32)
    assert not kernels.symmetric(matrices, zeros, ones, out)
    np.testing.assert_array_equal(out, [[1] * size, [7] * size])


def test_symmetric_refuses_wrong_shapes() -> None:
    good = (*draw_job(2, 5, 0), np.empty((2, 5), np.float32))
    for index in range(4):
        for axis in range(good[index].ndim):
            wrong: list[Any] = [*good]
            wrong[index] = np.ascontiguousarray(np.delete(good[index], 0, axis))
            with pytest.raises(ValueError, match="shapes"):
                kernels.symmetric(*wrong)

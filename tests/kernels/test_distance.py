"""Signed distances, against their NumPy twin and SciPy's distance transform."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from strategies import KINDS, draw_array, sizes

from maskcodec._ext import distance as kernels
from maskcodec._reference import distance as reference

Floats = npt.NDArray[np.float32]

FAR = 1e6
"""A clip that no distance here reaches."""


def run_signed(
    mask: npt.ArrayLike, row_step: float = 1.0, column_step: float = 1.0, clip: float = FAR
) -> Floats:
    """The kernel's answer; all that it is to overwrite holds nonsense."""
    array = np.ascontiguousarray(mask, np.uint8)
    out = np.full(array.shape, np.nan, np.float32)
    scratch = np.full(array.shape, -1.0)
    kernels.signed(array, row_step, column_step, clip, scratch, out)
    return out


def by_scipy(mask: npt.NDArray[np.bool_], row_step: float, column_step: float) -> Floats:
    """The same, with unset pixels put around the mask; it must have a set pixel."""
    padded, steps = np.pad(mask, 1), (row_step, column_step)
    inside: npt.NDArray[np.float64] = ndimage.distance_transform_edt(padded, steps)
    outside: npt.NDArray[np.float64] = ndimage.distance_transform_edt(~padded, steps)
    half = 0.5 * min(steps)
    return np.where(padded, inside - half, half - outside)[1:-1, 1:-1].astype(np.float32)


@given(
    size=sizes(14),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 99),
    steps=st.tuples(st.floats(0.25, 64), st.floats(0.25, 64)),
    clip=st.sampled_from([0.3, 2.0, 8.0, FAR]),
)
def test_signed_equals_its_twin(
    size: tuple[int, int], kind: str, seed: int, steps: tuple[float, float], clip: float
) -> None:
    mask = draw_array(kind, size, seed)
    found = run_signed(mask, *steps, clip)
    wanted = reference.signed(mask.view(np.uint8), *steps, clip)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found > 0, mask)


@given(
    size=sizes(70),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 99),
    steps=st.tuples(st.floats(0.25, 64), st.floats(0.25, 64)),
)
def test_signed_equals_scipy(
    size: tuple[int, int], kind: str, seed: int, steps: tuple[float, float]
) -> None:
    mask = draw_array(kind, size, seed)
    if mask.any():  # without a set pixel SciPy has no distance to give
        wanted = by_scipy(mask, *steps)
        np.testing.assert_allclose(run_signed(mask, *steps), wanted, rtol=1e-5, atol=1e-5)
        clipped = run_signed(mask, *steps, 8.0)
        np.testing.assert_allclose(clipped, wanted.clip(-8, 8), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["noise", "checkerboard", "ellipses", "line"])
@pytest.mark.parametrize("size", [(128, 128), (128, 3), (3, 128), (1, 128), (128, 1)])
def test_the_largest_crops(kind: str, size: tuple[int, int]) -> None:
    mask = draw_array(kind, size, 4)
    steps = (64 / size[0], 64 / size[1])
    wanted = by_scipy(mask, *steps).clip(-8, 8)
    np.testing.assert_allclose(run_signed(mask, *steps, 8.0), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [23, 24, 25, 47, 48, 49, 73])
@pytest.mark.parametrize("clip", [0.75, 3.0, 8.0, 26.0, FAR])
def test_lines_about_as_long_as_the_kernel_s_chunks(width: int, clip: float) -> None:
    for kind in ("dot", "ellipses", "noise", "full"):
        for seed in range(3):
            mask = draw_array(kind, (9, width), seed)
            if mask.any():
                wanted = by_scipy(mask, 1.5, 1.0).clip(-clip, clip)
                found = run_signed(mask, 1.5, 1.0, clip)
                np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_one_pixel() -> None:
    assert run_signed([[1]]).tolist() == [[0.5]]
    assert run_signed([[1]], 4, 2).tolist() == [[1.0]]
    assert run_signed([[0]], 1, 1, 8).tolist() == [[-8.0]]
    assert run_signed([[1]], 64, 64, 8).tolist() == [[8.0]]


def test_all_set_means_as_far_as_the_edge_and_all_unset_as_far_as_the_clip() -> None:
    assert run_signed(np.ones((3, 5)))[1].tolist() == [0.5, 1.5, 1.5, 1.5, 0.5]
    assert (run_signed(np.zeros((3, 5)), 1, 1, 4) == -4).all()


def test_checkerboard_is_half_a_step_everywhere() -> None:
    found = run_signed(np.indices((6, 7)).sum(axis=0) % 2, 3, 2)
    assert sorted(set(found.ravel().tolist())) == [-1.0, 1.0]


def test_any_number_but_0_is_set() -> None:
    mask = np.array([[0, 1, 2, 255, 0]], np.uint8)
    np.testing.assert_array_equal(run_signed(mask), run_signed(mask != 0))


def test_the_smallest_steps_end() -> None:
    """Even where their squares vanish."""
    assert (run_signed(np.zeros((2, 9)), 1e-200, 1e-200, 1.0) < 0).all()


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
def test_masks_without_pixels(size: tuple[int, int]) -> None:
    assert run_signed(np.zeros(size)).shape == size


def test_wrong_arguments() -> None:
    mask = np.zeros((3, 4), np.uint8)
    good = np.empty((3, 4)), np.empty((3, 4), np.float32)
    for shape in ((4, 3), (3, 5), (2, 4), (0, 0)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.signed(mask, 1, 1, 1, np.empty(shape), good[1])
        with pytest.raises(ValueError, match="shapes"):
            kernels.signed(mask, 1, 1, 1, good[0], np.empty(shape, np.float32))
    for bad in (0.0, -1.0, np.inf, np.nan):
        for steps in ((bad, 1.0, 1.0), (1.0, bad, 1.0), (1.0, 1.0, bad)):
            with pytest.raises(ValueError, match="steps"):
                kernels.signed(mask, *steps, *good)
    with pytest.raises(ValueError, match="Buffer dtype"):
        kernels.signed(mask.astype(np.int32), 1, 1, 1, *good)


# --- sampling ---


def run_sample(values: Floats, shape: tuple[int, int], scale: float = 1.0) -> Floats:
    out = np.full(shape, np.nan, np.float32)
    kernels.sample(values, scale, np.empty(values.shape[1], np.float32), out)
    return out


@given(size=sizes(140), shape=sizes(70), seed=st.integers(0, 99))
def test_sample_equals_its_twin(size: tuple[int, int], shape: tuple[int, int], seed: int) -> None:
    values = np.random.default_rng(seed).uniform(-8, 8, size).astype(np.float32)
    wanted = reference.sample(values, shape)
    np.testing.assert_allclose(run_sample(values, shape), wanted, atol=1e-5)
    np.testing.assert_allclose(run_sample(values, shape, 1 / 8), wanted / 8, atol=1e-6)


def test_sampling_at_the_same_size_and_at_half_of_it() -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6) ** 2
    np.testing.assert_array_equal(run_sample(values, (4, 6)), values)
    wanted = values.reshape(2, 2, 3, 2).mean(axis=(1, 3))
    np.testing.assert_array_equal(run_sample(values, (2, 3)), wanted)


def test_what_cannot_be_sampled() -> None:
    line, out = np.empty(3, np.float32), np.empty((5, 5), np.float32)
    for shape in ((0, 3), (2, 4)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.sample(np.zeros(shape, np.float32), 1.0, line, out)
    with pytest.raises(ValueError, match="shapes"):
        kernels.sample(np.zeros((2, 0), np.float32), 1.0, line[:0], out)
    kernels.sample(np.zeros((2, 3), np.float32), 1.0, line, out[:0])

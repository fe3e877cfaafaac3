"""What `maskcodec.rle` refuses, and what its errors say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from maskcodec import MaskCodecError, rle

Bools = npt.NDArray[np.bool_]


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((5, 4), np.bool_),
        np.zeros((5, 4), np.bool_).T,
        np.zeros((4, 10), np.bool_)[:, ::2],
        np.frombuffer(bytes(20), np.bool_).reshape(4, 5),
        [[False] * 5] * 4,
    ],
)
def test_wrong_out(out: Bools) -> None:
    with pytest.raises(MaskCodecError, match="out is"):
        rle.decode(np.array([20], np.uint32), (4, 5), out=out)


@pytest.mark.parametrize(
    "counts",
    [[], [19], [21], [0, 21], [2**32 - 1] * 3, [2**31, 2**31, 20], [10] * 3, [0] * 40],
)
def test_sums_that_are_wrong(counts: list[int]) -> None:
    out = np.ones((4, 5), np.bool_)
    with pytest.raises(MaskCodecError, match=rf"sum to {sum(counts)}, expected 4 \* 5 = 20"):
        rle.decode(np.array(counts, np.uint32), (4, 5), out=out)
    assert out.all()


@pytest.mark.parametrize(
    "counts", [[1.5], [-1], [2**32], [[1]], [[1], [1, 2]], "23", b"23", None, [True], 5]
)
def test_counts_that_are_none(counts: object) -> None:
    with pytest.raises(MaskCodecError, match="counts"):
        rle.decode(counts, (1, 1))  # type: ignore[arg-type]


def test_counts_of_other_integer_types() -> None:
    assert rle.decode([1, 2, 1], (2, 2)).tolist() == [[False, True], [True, False]]  # type: ignore[arg-type]
    strided = np.array([1, 9, 2, 9, 1, 9], np.uint32)[::2]
    assert rle.decode(strided, (2, 2)).tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4), np.float32),
        np.zeros(16, np.bool_),
        np.zeros((1, 4, 4), np.bool_),
        np.broadcast_to(np.zeros(1, np.bool_), (65_537, 1)),
        np.broadcast_to(np.zeros(1, np.bool_), (65_536, 65_536)),
        [[True]],
        None,
    ],
)
def test_masks_that_are_none(mask: Bools) -> None:
    with pytest.raises(MaskCodecError):
        rle.encode(mask)


@pytest.mark.parametrize("size", [(4,), (1, 2, 3), (-1, 4), (1.5, 2), "ab", 5, (65_537, 1)])
def test_wrong_sizes(size: object) -> None:
    with pytest.raises(MaskCodecError, match="size"):
        rle.decode(np.array([4], np.uint32), size)  # type: ignore[arg-type]

"""COCO's compressed run lengths: byte for byte as pycocotools, and any text at all read safely."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pycocotools.mask as coco
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskcodec import DecodeError, rle
from maskcodec._ext import rle_text
from maskcodec._reference import rle as reference

Counts = npt.NDArray[np.uint32]

LARGEST = 2**32 - 1
COUNTS = st.lists(
    st.one_of(st.integers(0, 40), st.integers(0, 10**6), st.sampled_from((LARGEST, 2**31, 0))),
    max_size=40,
).map(lambda counts: np.array(counts, np.uint32))

TEXTS = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=60).map(lambda data: bytes(48 + byte % 64 for byte in data)),
)

# pycocotools 2.0.11 under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@given(counts=COUNTS)
def test_writing_equals_the_twin_and_reading_inverts_it(counts: Counts) -> None:
    text = rle.to_string(counts)
    assert text == reference.to_string(counts)
    for read in (rle.from_string, reference.from_string):
        np.testing.assert_array_equal(read(text), counts)
    np.testing.assert_array_equal(rle.from_string(text.decode("ascii")), counts)


@given(counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_pycocotools_writes_the_same(counts: list[int]) -> None:
    height = sum(counts)
    theirs = coco.frPyObjects({"size": [height, 1], "counts": counts}, height, 1)
    assert rle.to_string(np.array(counts, np.uint32)) == theirs["counts"]


@given(text=TEXTS)
@example(text=b"")
def test_any_bytes(text: bytes) -> None:
    counts, error = rle.scan_string(text)
    assert counts.size <= len(text)
    if error is None:
        np.testing.assert_array_equal(counts, reference.from_string(text))
        return
    assert 0 <= error.position < len(text)
    assert error.text == text.decode("latin-1")
    assert error.text.startswith(error.found, error.position)
    assert f"character {error.position}" in str(error)
    assert error.expected in str(error)
    with pytest.raises(DecodeError) as raised:
        rle.from_string(text)
    assert raised.value.position == error.position
    spelt = whole_counts(text, counts.size)
    np.testing.assert_array_equal(counts, rle.from_string(spelt))
    np.testing.assert_array_equal(counts, reference.from_string(spelt))


def whole_counts(text: bytes, count: int) -> bytes:
    """The text of the first `count` counts."""
    ends = [i + 1 for i, byte in enumerate(text) if not (byte - 48) & 32]
    return text[: ends[count - 1]] if count else b""


@given(counts=COUNTS, cut=st.integers(0, 200))
def test_a_cut_text_keeps_its_whole_counts(counts: Counts, cut: int) -> None:
    text = rle.to_string(counts)[:cut]
    found, error = rle.scan_string(text)
    np.testing.assert_array_equal(found, counts[: found.size])
    assert (error is None) == (rle.to_string(found) == text)


@pytest.mark.parametrize(
    ("text", "position", "found", "expected"),
    [
        (b"05 5", 2, " ", 'a character from "0" to "o"'),
        (b"05Pp", 3, "p", 'a character from "0" to "o"'),
        (b"05P\xff", 3, "\xff", 'a character from "0" to "o"'),
        ("05é0", 2, "é", 'a character from "0" to "o"'),
        ("05\ud8000", 2, "\ud800", 'a character from "0" to "o"'),
        (b"/", 0, "/", 'a character from "0" to "o"'),
        (b"05P", 2, "P", "a whole count"),
        (b"0PoP", 1, "PoP", "a whole count"),
        (b"O", 0, "O", "a count from 0 to 2**32 - 1"),
        (b"0005O", 4, "O", "a count from 0 to 2**32 - 1"),
        (b"oooooo4", 0, "oooooo4", "a count from 0 to 2**32 - 1"),
        (b"5" + b"P" * 90, 1, "P" * 8, "a count from 0 to 2**32 - 1"),
    ],
)
def test_faults(text: bytes | str, position: int, found: str, expected: str) -> None:
    with pytest.raises(DecodeError) as raised:
        rle.from_string(text)
    error = raised.value
    assert (error.position, error.found, error.expected) == (position, found, expected)
    assert repr(found) in str(error)


def test_spare_groups_are_read_as_pycocotools_reads_them() -> None:
    text = b"UP0PPP0"
    mask = coco.decode({"size": [5, 1], "counts": text})
    np.testing.assert_array_equal(rle.decode(rle.from_string(text), (5, 1)), mask)


def test_the_kernels_say_how_far_they_got() -> None:
    counts = np.empty(2, np.uint32)
    assert rle_text.read(b"0055", counts) == (2, 2, 4)
    assert rle_text.read(b"00", counts) == (2, 2, 0)
    assert rle_text.read(b"", counts) == (0, 0, 0)
    assert rle_text.write(counts, np.empty(13, np.uint8)) == -1
    assert rle_text.write(counts, np.empty(14, np.uint8)) == 2

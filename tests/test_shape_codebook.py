"""The codebook of shape tokens: its file, and its arithmetic, which is exact."""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shape_books import AREA, made_up

from maskcodec import MaskCodecError
from maskcodec.geometry.shape_codebook import (
    CELLS,
    CODES,
    MAX_DIMENSIONS,
    MAX_STAGES,
    UNIT_BITS,
    ShapeCodebook,
    get_codebook,
    read_codebook,
    whole_numbers,
)

ARRAYS = ("mean", "basis", "codes")


def draw_codes(
    book: ShapeCodebook, counts: list[int], seed: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    random = np.random.default_rng(seed)
    return np.array(counts, np.int32), random.integers(0, CODES, sum(counts), np.int32)


# --- the file ---


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    book = made_up()
    path = tmp_path / "made-up.npz"
    book.save(path)
    again = read_codebook(path)
    assert (again.name, again.bits, again.card) == (book.name, book.bits, book.card)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(book, name))
        assert getattr(again, name).dtype == getattr(book, name).dtype
    stream = io.BytesIO()
    again.save(stream)
    assert stream.getvalue() == path.read_bytes()


def test_arrays_by_columns_are_read_too(tmp_path: Path) -> None:
    book = made_up()
    path = tmp_path / "made-up.npz"
    by_columns = np.asfortranarray(book.basis)
    ShapeCodebook(book.name, book.mean, by_columns, book.codes, book.bits, book.card).save(path)
    again = read_codebook(path)
    np.testing.assert_array_equal(again.basis, book.basis)
    assert again.basis.flags.c_contiguous


def test_the_largest_codebook(tmp_path: Path) -> None:
    book = made_up(MAX_STAGES, MAX_DIMENSIONS)
    small = ShapeCodebook("big", book.mean, book.basis, book.codes // 100, 28, {})
    small.save(tmp_path / "big.npz")
    np.testing.assert_array_equal(read_codebook(tmp_path / "big.npz").codes, small.codes)


def test_the_codebook_that_ships() -> None:
    folder = resources.files("maskcodec.geometry") / "codebooks"
    for entry in folder.iterdir():
        if not entry.name.endswith(".npz"):
            continue
        name = entry.name.removesuffix(".npz")
        book = get_codebook(name)
        assert book.name == name
        assert book.stages == 16
        assert len(entry.read_bytes()) <= 4 * 2**20
        for values in (book.mean_values, book.basis_values, book.code_values):
            assert values.dtype == np.float32
            assert np.isfinite(values).all()
        assert np.abs(book.basis_values).max() <= 1


def test_a_name_that_is_none() -> None:
    for name in ("nope", "../shapes1", "", "shapes1.npz"):
        with pytest.raises(MaskCodecError, match=r"there are: .*shapes1"):
            get_codebook(name)


BOOK = made_up()


# --- the arithmetic ---


def field_in_python(book: ShapeCodebook, codes: list[int]) -> list[float]:
    """A field in Python's integers: exact, then rounded to whole units, halves to even."""
    sums = [
        sum(int(book.codes[stage, code, d]) for stage, code in enumerate(codes))
        for d in range(book.dimensions)
    ]
    unit = 2 ** (book.bits - UNIT_BITS)
    out = []
    for cell in range(AREA):
        total = int(book.mean[cell])
        total += sum(int(book.basis[d, cell]) * sums[d] for d in range(book.dimensions))
        whole, rest = divmod(total, unit)
        out.append(whole + (2 * rest > unit or (2 * rest == unit and whole % 2 == 1)))
    return out


@pytest.mark.parametrize("name", ["made-up", "shapes1"])
@pytest.mark.parametrize("seed", range(3))
def test_fields_are_exact(name: str, seed: int) -> None:
    book = get_codebook(name) if name == "shapes1" else made_up(seed=seed)
    counts, codes = draw_codes(book, [book.stages, 1], seed)
    fields = book.fields(counts, codes)
    assert fields.dtype == np.int32
    assert fields.shape == (2, CELLS, CELLS)
    start = 0
    for field, count in zip(fields, counts.tolist(), strict=True):
        wanted = field_in_python(book, codes[start : start + count].tolist())
        assert field.ravel().tolist() == wanted
        start += count


@pytest.mark.parametrize("bits", [14, 15, 28])
def test_halves_round_to_even(bits: int) -> None:
    book = made_up()
    mean = np.arange(AREA, dtype=np.int32) - AREA // 2
    halves = ShapeCodebook("halves", mean, BOOK.basis, BOOK.codes, bits, {})
    assert book.bits == 28
    found = halves.fields(np.zeros(1, np.int32), np.zeros(0, np.int32))
    assert found.ravel().tolist() == field_in_python(halves, [])


@given(counts=st.lists(st.integers(0, 3), max_size=6), seed=st.integers(0, 99))
def test_objects_do_not_change_each_other(counts: list[int], seed: int) -> None:
    numbers, codes = draw_codes(BOOK, counts, seed)
    fields = BOOK.fields(numbers, codes)
    start = 0
    for index, count in enumerate(counts):
        alone = BOOK.fields(numbers[index : index + 1], codes[start : start + count])
        np.testing.assert_array_equal(alone[0], fields[index])
        start += count


def test_fields_of_prefixes() -> None:
    """A code adds a field of its own, whatever stands before it; without codes the mean is left."""
    counts, codes = draw_codes(BOOK, [3], 1)
    before = BOOK.fields(np.zeros(1, np.int32), codes[:0])
    assert np.abs(before.ravel() - BOOK.mean_values * 2**UNIT_BITS).max() <= 1
    for count in range(1, 4):
        field = BOOK.fields(np.array([count], np.int32), codes[:count])
        step = BOOK.code_values[count - 1, codes[count - 1]] @ BOOK.basis_values
        scale = 2**UNIT_BITS
        difference = (field - before).ravel() / scale - step
        assert np.abs(difference).max() < 1e-3
        before = field
    np.testing.assert_array_equal(before, BOOK.fields(counts, codes))


@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_whole_numbers_are_close(scale: float, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    stages, dimensions = 4, 12
    mean = random.uniform(-1, 1, AREA)
    basis = random.normal(size=(dimensions, AREA)) / CELLS
    codes = random.normal(size=(stages, CODES, dimensions)) * scale
    book = whole_numbers("close", mean, basis, codes, {})
    book.save(tmp_path / "close.npz")
    assert read_codebook(tmp_path / "close.npz").name == "close"
    assert np.abs(book.mean_values - mean).max() < 1e-6
    counts, chosen = draw_codes(book, [stages] * 20, 7)
    wanted = mean + codes[np.arange(stages), chosen.reshape(20, stages)].sum(axis=1) @ basis
    found = book.fields(counts, chosen).reshape(20, -1) / 2**UNIT_BITS
    # Half a step of each factor times the most of the other, and half a unit of the field.
    step = 2.0 ** (15 - book.bits)
    bound = 0.5 * stages * dimensions * (step + np.abs(book.code_values).max() * 2.0**-15)
    bound += 0.51 * 2.0**-UNIT_BITS
    assert bound < 3e-3 * scale + 3e-3
    assert np.abs(found - wanted).max() < bound


def test_the_numbers_of_a_codebook_are_its_fields() -> None:
    counts, codes = draw_codes(BOOK, [2], 5)
    sums = sum(BOOK.code_values[stage, code] for stage, code in enumerate(codes.tolist()))
    wanted = BOOK.mean_values + sums @ BOOK.basis_values
    found = BOOK.fields(counts, codes).ravel() / 2**UNIT_BITS
    assert np.abs(found - wanted).max() < 1e-3


def test_a_codebook_of_zeros() -> None:
    zeros = np.zeros((2, CODES, 3))
    book = whole_numbers("zeros", np.zeros(AREA), np.zeros((3, AREA)), zeros, {})
    assert not book.fields(np.array([2], np.int32), np.array([1, 2], np.int32)).any()

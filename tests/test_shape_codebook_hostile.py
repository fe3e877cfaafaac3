"""Hostile codebook files: each is refused with the file and the entry, in bounded memory."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from shape_books import AREA, made_up

from maskcodec import MaskCodecError
from maskcodec.geometry.shape_codebook import CODES, UNIT_BITS, ShapeCodebook, read_codebook

ENTRIES = ("about", "mean", "basis", "codes")


def entries_of(book: ShapeCodebook) -> dict[str, bytes]:
    stream = io.BytesIO()
    book.save(stream)
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(f"{name}.npy") for name in ENTRIES}


def npy(array: npt.NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array)
    return stream.getvalue()


def about(**changes: Any) -> bytes:
    values = {"format": 1, "name": "made-up", "bits": 28, "card": {}} | changes
    return npy(np.frombuffer(json.dumps(values).encode(), np.uint8))


def header(text: str, body: bytes = b"") -> bytes:
    """An npy of version 1.0 with any header."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + body


def claim(dtype: str, shape: str) -> str:
    return f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}}}\n"


def zipped(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.npy", content)
    return path


def refusal(path: Path) -> str:
    """What is said of a file, which takes no more memory than a codebook may."""
    tracemalloc.start()
    try:
        with pytest.raises(MaskCodecError) as caught:
            read_codebook(path)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


BOOK = made_up()
GOOD = entries_of(BOOK)
FAR = np.full((3, CODES, 5), -32_768, np.int16)

BAD: dict[str, tuple[str, bytes, str]] = {
    "no npy": ("mean", b"mean", "mean can't be read"),
    "empty": ("codes", b"", "codes can't be read"),
    "cut": ("codes", GOOD["codes"][:-1], "codes of shape"),
    "cut in the header": ("basis", GOOD["basis"][:30], "basis can't be read"),
    "trailing bytes": ("basis", GOOD["basis"] + b"\0", "basis of shape"),
    "objects": ("codes", npy(np.array([{}, 1], object)), "codes is object"),
    "int64": ("mean", npy(BOOK.mean.astype(np.int64)), "mean is int64"),
    "floats": ("basis", npy(np.full((5, AREA), np.nan, np.float32)), "basis is float32"),
    "other byte order": ("codes", npy(BOOK.codes.astype(">i2")), "codes is >i2"),
    "fields": ("mean", header(claim("<i4", "(1,)").replace("'<i4'", "[('a', '<i4')]")), "mean is"),
    "one more cell": ("mean", npy(np.zeros(AREA + 1, np.int32)), "mean is of shape"),
    "scalar": ("mean", npy(np.zeros((), np.int32)), "mean is of shape"),
    "flat basis": ("basis", npy(BOOK.basis.ravel()), "basis is of shape"),
    "no dimension": ("basis", npy(BOOK.basis[:0]), "codes is of shape"),
    "other dimensions": ("codes", npy(BOOK.codes[:, :, :4]), "codes is of shape"),
    "fewer codes": ("codes", npy(BOOK.codes[:, :-1]), "codes is of shape"),
    "no stage": ("codes", npy(BOOK.codes[:0]), "codes of 0 stages"),
    "17 stages": ("codes", npy(np.zeros((17, CODES, 5), np.int16)), "codes of 17 stages"),
    "huge claim": ("codes", header(claim("<i2", "(1000000, 1024, 1000)")), "codes of shape"),
    "product of 2**64": ("codes", header(claim("<i2", "(4294967296, 4294967296)")), "codes of"),
    "negative sides": ("mean", header(claim("<i4", "(-2, -2)"), b"\0" * 16), "mean of shape"),
    "shape of words": ("mean", header(claim("<i4", "('a',)")), "mean can't be read"),
    "code as header": ("mean", header("__import__('os').abort()\n"), "mean can't be read"),
    "open bracket": ("mean", header("{'descr': (\n"), "mean can't be read"),
    "deep header": ("mean", header("(" * 9_000 + "\n"), "mean can't be read"),
    "version 3": ("mean", b"\x93NUMPY\x03\x00" + GOOD["mean"][8:], "mean can't be read"),
    "no JSON": ("about", npy(np.frombuffer(b"{'a'", np.uint8)), "about is no JSON"),
    "no text": ("about", npy(np.frombuffer(b"\xff\xfe\xfd", np.uint8)), "about is no JSON"),
    "deep JSON": ("about", npy(np.frombuffer(b"[" * 200_000, np.uint8)), "about is no JSON"),
    "a list": ("about", npy(np.frombuffer(b"[1]", np.uint8)), "about: format is None"),
    "another format": ("about", about(format=2), "about: format is 2"),
    "format as float": ("about", about(format=1.0), "about: format is 1.0"),
    "bits too low": ("about", about(bits=UNIT_BITS - 1), "about: bits is 13"),
    "bits too high": ("about", about(bits=31), "about: bits is 31"),
    "bits as words": ("about", about(bits="28"), "about: bits is '28'"),
    "bits as truth": ("about", about(bits=True), "about: bits is True"),
    "infinite bits": ("about", about(bits=float("inf")), "about: bits is inf"),
    "no name": ("about", about(name=None), "about: name is None"),
    "card as pairs": ("about", about(card=[["a", 1]]), "about: card is"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_hostile_entries(case: str, tmp_path: Path) -> None:
    entry, content, message = BAD[case]
    path = zipped(tmp_path / "bad.npz", GOOD | {entry: content})
    assert f": {message}" in refusal(path)


def test_fields_that_would_leave_their_range(tmp_path: Path) -> None:
    """-2**15 and -2**31 have no opposite in their types: their size must still count."""
    limit = 2 ** (25 - UNIT_BITS)
    for bits in (UNIT_BITS, 28):
        unit = 2**bits
        for mean in (-(2**31), 2**31 - 1):
            numbers = np.full(AREA, mean, np.int32)
            book = ShapeCodebook("far", numbers, BOOK.basis * 0, BOOK.codes, bits, {})
            book.save(tmp_path / "far.npz")
            if abs(mean) / unit >= limit:
                assert "may leave their range" in refusal(tmp_path / "far.npz")
            else:
                assert np.abs(read_codebook(tmp_path / "far.npz").mean_values).max() < limit
    one = ShapeCodebook("far", BOOK.mean * 0, np.full_like(BOOK.basis, -32_768), FAR, 20, {})
    one.save(tmp_path / "far.npz")
    assert "may leave their range" in refusal(tmp_path / "far.npz")


def test_files_that_are_no_archives(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    for content in (b"", b"PK", b"hello" * 100, bytes(100_000)):
        path.write_bytes(content)
        refusal(path)
    refusal(tmp_path / "missing.npz")
    refusal(tmp_path)


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_missing_entry(entry: str, tmp_path: Path) -> None:
    rest = {name: content for name, content in GOOD.items() if name != entry}
    assert f"{entry} can't be read" in refusal(zipped(tmp_path / "bad.npz", rest))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_entry_that_unpacks_to_much(compression: int, tmp_path: Path) -> None:
    """128 MiB of zeros, whose header claims just as much; and in kinds without bounds."""
    content = header(claim("<i2", "(64, 1024, 1024)"), bytes(2**27))
    path = zipped(tmp_path / "bomb.npz", GOOD | {"codes": content}, compression)
    assert path.stat().st_size < 2**20
    del content
    refusal(path)


def test_an_entry_that_claims_to_be_small(tmp_path: Path) -> None:
    """The archive says 1,000 bytes; what is packed is 128 MiB."""
    content = header(claim("<i2", "(64, 1024, 1024)"), bytes(2**27))
    path = zipped(tmp_path / "bomb.npz", {"codes": content} | GOOD | {"codes": content})
    packed = bytearray(path.read_bytes())
    size = len(content).to_bytes(4, "little")
    assert packed.count(size) >= 2
    path.write_bytes(packed.replace(size, (1_000).to_bytes(4, "little")))
    assert "codes" in refusal(path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_bytes(seed: int, tmp_path: Path) -> None:
    """Wherever a file is damaged or cut, it is refused or read as it was."""
    random = np.random.default_rng(seed)
    path = zipped(tmp_path / "bad.npz", GOOD)
    content = bytearray(path.read_bytes())
    if seed % 4 == 0:
        del content[random.integers(len(content)) :]
    else:  # near the ends, where the names and sizes stand, as well as in the middle
        reach = (len(content), 200, 400)[seed % 3]
        for place in random.integers(-reach, reach, 3):
            content[int(place) % len(content)] = int(random.integers(256))
    path.write_bytes(content)
    try:
        book = read_codebook(path)
    except MaskCodecError:
        assert refusal(path)
    else:
        np.testing.assert_array_equal(book.codes, BOOK.codes)
        np.testing.assert_array_equal(book.basis, BOOK.basis)

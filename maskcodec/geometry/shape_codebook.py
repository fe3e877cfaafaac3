"""The codebook of shape tokens: what a code adds to the field of an object.

A field is a square of `CELLS` x `CELLS` numbers over an object's box, positive inside the object;
1 is `REACH` cells, about the distance to the outline. It is linear in the codes:

    field = mean + basis.T @ (codes[0, c0] + codes[1, c1] + ...)

All of it is kept in whole numbers, so that a field is the same on every machine and device: sums of
products of them are exact in float64, in whatever order.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from .._ext import field_codes
from ..errors import MaskCodecError

CELLS = 64
"""Rows, and columns, of a field."""

REACH = 8.0
"""Cells from the outline at which a field is clipped to 1, or to -1."""

CODES = 1_024
"""Entries of the codebook of each stage."""

MAX_STAGES = 16

MAX_DIMENSIONS = 128

UNIT_BITS = 14
"""A field of 1 is 2**14 in whole numbers."""

BINS = 1_023
"""The largest coordinate of a box: there are 1,024 edges."""

_FORMAT = 1
_ENTRIES = {"about": np.uint8, "mean": np.int32, "basis": np.int16, "codes": np.int16}
_MOST_BYTES = 8_000_000
_MOST = 32_767
_BASIS_BITS = 15


@dataclass(frozen=True, slots=True, eq=False)
class ShapeCodebook:
    """A codebook, in whole numbers.

    Attributes:
        name: what spec strings call it; it stands for these numbers for ever.
        mean: int32 (CELLS * CELLS,), in units of 2**-bits.
        basis: int16 (dimensions, CELLS * CELLS).
        codes: int16 (stages, CODES, dimensions); a unit of basis times one of codes is 2**-bits.
        bits: see above, UNIT_BITS to 30.
        card: where it comes from: data, licence, command, figures.
    """

    name: str
    mean: npt.NDArray[np.int32]
    basis: npt.NDArray[np.int16]
    codes: npt.NDArray[np.int16]
    bits: int
    card: dict[str, Any]

    @property
    def stages(self) -> int:
        """The most codes of an object."""
        return len(self.codes)

    @property
    def dimensions(self) -> int:
        """How many numbers a code stands for."""
        return len(self.basis)

    @property
    def basis_values(self) -> npt.NDArray[np.float32]:
        """The basis as numbers within -1..1: float32 (dimensions, CELLS * CELLS)."""
        return (self.basis * 2.0**-_BASIS_BITS).astype(np.float32)

    @property
    def code_values(self) -> npt.NDArray[np.float32]:
        """The codes as numbers: float32 (stages, CODES, dimensions)."""
        return (self.codes * 2.0 ** (_BASIS_BITS - self.bits)).astype(np.float32)

    @property
    def mean_values(self) -> npt.NDArray[np.float32]:
        """The mean field: float32 (CELLS * CELLS,)."""
        return (self.mean * 2.0**-self.bits).astype(np.float32)

    def sums(
        self, counts: npt.NDArray[np.int32], codes: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        """The sum of each object's codes, whole numbers as float64 (objects, dimensions).

        `counts` and `codes` are those of `ShapeTokens`, each code in 0..CODES - 1; a ValueError
        says that they are not.
        """
        total = np.empty((len(counts), self.dimensions))
        field_codes.sums(
            np.ascontiguousarray(self.codes),
            np.ascontiguousarray(counts, np.int32),
            np.ascontiguousarray(codes, np.int32),
            total,
        )
        return total

    def fields(
        self, counts: npt.NDArray[np.int32], codes: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        """The field of each object: int32 (objects, CELLS, CELLS), 2**UNIT_BITS for 1."""
        return self.fields_of_sums(self.sums(counts, codes))

    def fields_of_sums(self, sums: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """The fields of objects whose codes add up to `sums`, which are as `sums` gives them."""
        rows, mean = _exact_rows(self)
        products = np.empty((len(sums), CELLS, CELLS))
        np.matmul(sums, rows, out=products.swapaxes(0, 1))
        fields = np.empty((len(sums), CELLS, CELLS), np.int32)
        field_codes.rounded(
            products.reshape(-1, CELLS * CELLS), mean, fields.reshape(-1, CELLS * CELLS)
        )
        return fields

    def save(self, path: Path | IO[bytes]) -> None:
        """Write the codebook as a compressed `.npz` that `read_codebook` reads."""
        about = {"format": _FORMAT, "name": self.name, "bits": self.bits, "card": self.card}
        np.savez_compressed(
            path,
            about=np.frombuffer(json.dumps(about, indent=1).encode(), np.uint8),
            mean=self.mean,
            basis=self.basis,
            codes=self.codes,
        )


@lru_cache(maxsize=8)
def exact_tables(book: ShapeCodebook) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Basis and mean in units of 2**-UNIT_BITS: multiples of a power of two, exact in float64."""
    scale = np.float64(2.0 ** (UNIT_BITS - book.bits))
    return book.basis * scale, book.mean * scale


@lru_cache(maxsize=8)
def _exact_rows(book: ShapeCodebook) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The basis row by row of cells, (CELLS, dimensions, CELLS), and the mean, (CELLS * CELLS,).

    Products with a row are so small that no BLAS starts threads of its own for them.
    """
    basis, mean = exact_tables(book)
    rows = basis.reshape(-1, CELLS, CELLS).swapaxes(0, 1)
    return np.ascontiguousarray(rows), mean


def whole_numbers(
    name: str,
    mean: npt.NDArray[np.floating],
    basis: npt.NDArray[np.floating],
    codes: npt.NDArray[np.floating],
    card: dict[str, Any],
) -> ShapeCodebook:
    """Round a trained codebook: `mean` (cells,), `basis` (dimensions, cells), `codes` (stages, …).

    Each dimension is scaled so that its basis fills 16 bits; the codes share one scale.
    """
    share = np.maximum(np.abs(basis).max(axis=1), 1e-9) * 2.0**_BASIS_BITS / _MOST
    scaled = codes * share
    code_bits = int(np.floor(np.log2(_MOST / max(float(np.abs(scaled).max()), 1e-9))))
    code_bits = min(code_bits, 30 - _BASIS_BITS)
    bits = _BASIS_BITS + code_bits
    return ShapeCodebook(
        name,
        np.rint(np.asarray(mean, np.float64) * 2.0**bits).astype(np.int32),
        np.rint(basis / share[:, None] * 2.0**_BASIS_BITS).astype(np.int16),
        np.rint(scaled * 2.0**code_bits).astype(np.int16),
        bits,
        card,
    )


def read_codebook(path: Path | IO[bytes]) -> ShapeCodebook:
    """Read a codebook that `ShapeCodebook.save` wrote; nothing in it is executed.

    Raises:
        MaskCodecError: the file is no codebook, or its numbers are out of range; the message names
            the file and the entry.
    """
    source = path if isinstance(path, Path) else getattr(path, "name", "the stream")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: _array(archive, name) for name in _ENTRIES}
        name, bits, card = _about(arrays["about"])
        book = ShapeCodebook(name, arrays["mean"], arrays["basis"], arrays["codes"], bits, card)
        _check(book)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise MaskCodecError(f"{source} is no codebook of shape tokens: {error}") from None
    return book


def _array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    """An entry, read only as far as it may be long: what its header claims costs nothing."""
    try:
        entry = archive.getinfo(f"{name}.npy")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("its compression unpacks without bounds")
        with archive.open(entry) as file:
            content = file.read(_MOST_BYTES + 1)
        stream = io.BytesIO(content)
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError("its version is not 1.0")
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    except Exception as error:  # whatever zipfile, zlib and the parser of headers raise
        raise ValueError(f"{name} can't be read: {error}") from None
    if dtype != _ENTRIES[name]:
        raise ValueError(f"{name} is {dtype}, expected {np.dtype(_ENTRIES[name])}")
    length = len(content) - stream.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != length:
        raise ValueError(f"{name} of shape {shape} does not fill its {length:,} bytes")
    values: npt.NDArray[Any] = np.frombuffer(content, dtype, offset=stream.tell())
    return np.ascontiguousarray(values.reshape(shape, order="F" if by_columns else "C"))


def _about(entry: npt.NDArray[np.uint8]) -> tuple[str, int, dict[str, Any]]:
    """Name, bits and card."""
    try:
        about = json.loads(entry.tobytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"about is no JSON: {error}") from None
    for key, kind in {"format": int, "name": str, "bits": int, "card": dict}.items():
        value = about.get(key) if isinstance(about, dict) else None
        if type(value) is not kind:
            raise ValueError(f"about: {key} is {value!r:.40}, expected {kind.__name__}")
    if about["format"] != _FORMAT:
        raise ValueError(f"about: format is {about['format']}, expected {_FORMAT}")
    return about["name"], about["bits"], about["card"]


def _check(book: ShapeCodebook) -> None:
    dimensions = book.basis.shape[0] if book.basis.ndim == 2 else 0
    stages = book.codes.shape[0] if book.codes.ndim == 3 else 0
    expected = {
        "mean": (CELLS * CELLS,),
        "basis": (dimensions, CELLS * CELLS),
        "codes": (stages, CODES, dimensions),
    }
    for name, shape in expected.items():
        found = getattr(book, name).shape
        if found != shape:
            raise ValueError(f"{name} is of shape {found}, expected {shape}")
    if not (1 <= dimensions <= MAX_DIMENSIONS and 1 <= stages <= MAX_STAGES):
        raise ValueError(f"codes of {stages} stages and {dimensions} dimensions are out of range")
    if not UNIT_BITS <= book.bits <= 30:
        raise ValueError(f"about: bits is {book.bits}, expected {UNIT_BITS} to 30")
    # Fields must keep within the kernel's 2**25, whatever the codes; -2**15 has no int16 opposite.
    mean, basis, codes = (
        np.abs(part.astype(np.float64)) for part in (book.mean, book.basis, book.codes)
    )
    most = float((codes.max(axis=1).sum(axis=0) @ basis + mean).max())
    if most * 2.0 ** (UNIT_BITS - book.bits) >= 2.0**25:
        raise ValueError("mean, basis and codes: fields may leave their range of 2,048 units")


@lru_cache(maxsize=8)
def get_codebook(name: str) -> ShapeCodebook:
    """The codebook of that name: one that ships with the package, or one of the user's.

    The user's lie as NAME.npz in the folder that the environment variable MASKCODEC_CODEBOOKS
    names; those that ship come first.

    Raises:
        MaskCodecError: there is none, and the message lists those that there are; or its file is
            no codebook.
    """
    folders = [Path(str(resources.files(__package__))) / "codebooks"]
    if own := os.environ.get("MASKCODEC_CODEBOOKS"):
        folders.append(Path(own))
    files: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.glob("*.npz")):
            files.setdefault(file.stem, file)
    if name not in files:
        raise MaskCodecError(
            f"no codebook is called {name!r}; there are: {', '.join(sorted(files))}; those of your "
            "own are NAME.npz in the folder that MASKCODEC_CODEBOOKS names"
        )
    book = read_codebook(files[name])
    if book.name != name:
        raise MaskCodecError(
            f"{files[name]} holds the codebook {book.name!r}: call the file {book.name}.npz"
        )
    return book

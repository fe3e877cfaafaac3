"""Files of weights as `maskcodec convert` writes them: an npz without pickles, checked when read.

A file holds one array a tensor, float32 or float16 (masks of attention: bool), and `__maskcodec__`,
the bytes of a JSON object: which network it is, the sizes of its layers, and what it was made from.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError, RecordError
from ..writing import atomic

VERSION = 1
HEADER = "__maskcodec__"
FOLDER = "MASKCODEC_WEIGHTS"
"""The environment variable that names the folder of weights."""

MAX_HEADER = 1 << 16
_MAX_ARRAY_HEADER = 10_000
_DTYPES = ("float32", "float16", "float64", "bool", "uint8", "int64")

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """What the header of an array says.

    Attributes:
        shape: its shape.
        dtype: its type.
    """

    shape: Shape
    dtype: np.dtype[Any]


def folder() -> Path:
    """The folder of weights: `MASKCODEC_WEIGHTS`, or `~/.cache/maskcodec/weights`."""
    named = os.environ.get(FOLDER)
    return Path(named) if named else Path("~/.cache/maskcodec/weights").expanduser()


def locate(weights: str, network: str) -> Path:
    """The file of weights that an option names: a path, or a name in the folder.

    Raises:
        MaskCodecError: there is none; the message says which command makes it.
    """
    path = Path(weights) if "/" in weights else folder() / weights
    if not path.is_file():
        raise MaskCodecError(
            f"{network}: no weights at {path}; get the published checkpoint, then "
            f"`maskcodec convert {network} FILE` (the folder is ${FOLDER}, or "
            "~/.cache/maskcodec/weights; the option weights= names another file)"
        )
    return path


def save(
    path: Path,
    network: str,
    config: Mapping[str, Any],
    arrays: Iterable[tuple[str, npt.NDArray[Any]]],
    source: Mapping[str, str] | None = None,
) -> None:
    """Write a file of weights; it appears under its name only when it is complete.

    Args:
        path: the file.
        network: which network it is.
        config: the sizes of its layers.
        arrays: the names and values of its tensors, one held at a time.
        source: what they were made from, e.g. `{"file": …, "sha256": …}`.
    """
    header = {
        "network": network,
        "version": VERSION,
        "config": dict(config),
        "source": dict(source or {}),
    }
    with atomic(path) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, HEADER, np.frombuffer(json.dumps(header).encode(), np.uint8))
        for name, array in arrays:
            _put(archive, name, array)


def _put(archive: zipfile.ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    info = zipfile.ZipInfo(f"{name}.npy")  # of 1980, so that equal weights give equal bytes
    with archive.open(info, "w", force_zip64=True) as stream:
        np.lib.format.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)


class ArrayFile:
    """An npz that is read without pickles and without trust: headers first.

    Args:
        path: the file.

    Raises:
        RecordError: it is no npz, or an entry is no plain array, or claims more than it holds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            raise RecordError(f"is no npz: {error}", file=str(path)) from None
        self.entries: dict[str, Entry] = {}
        try:
            for info in self._archive.infolist():
                name = info.filename.removesuffix(".npy")
                if name in self.entries:
                    raise self._wrong(name, "stands twice")
                self.entries[name] = self._header(name, info)
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def _wrong(self, name: str, reason: str) -> RecordError:
        return RecordError(reason, file=str(self.path), field=name[:200])

    def _header(self, name: str, info: zipfile.ZipInfo) -> Entry:
        try:
            with self._archive.open(info) as stream:
                shape, _, dtype = _read_header(stream)
                length = stream.tell()
        except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError) as bad:
            raise self._wrong(name, f"is no array: {bad}") from None
        if dtype.name not in _DTYPES or not dtype.isnative:
            raise self._wrong(name, f"is {dtype}, expected one of {', '.join(_DTYPES)}")
        if any(side < 0 for side in shape):
            raise self._wrong(name, f"has the shape {shape}")
        if length + math.prod(shape) * dtype.itemsize != info.file_size:
            raise self._wrong(name, f"of shape {shape} does not fill its {info.file_size} bytes")
        return Entry(shape, dtype)

    def read(self, name: str) -> npt.NDArray[Any]:
        """One array, whose `entries[name]` was checked before.

        Raises:
            RecordError: its bytes are damaged.
        """
        info = next(
            info for info in self._archive.infolist() if info.filename.removesuffix(".npy") == name
        )
        try:
            with self._archive.open(info) as stream:
                array: npt.NDArray[Any] = np.lib.format.read_array(
                    stream, allow_pickle=False, max_header_size=_MAX_ARRAY_HEADER
                )
        except (OSError, zipfile.BadZipFile, ValueError, EOFError) as error:
            raise self._wrong(name, f"can't be read: {error}") from None
        return array


def _read_header(stream: IO[bytes]) -> tuple[Shape, bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream, _MAX_ARRAY_HEADER)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream, _MAX_ARRAY_HEADER)
    raise ValueError(f"version {version} of its format")


def read_config(file: ArrayFile, network: str) -> dict[str, Any]:
    """The sizes of the layers that a file of weights holds.

    Raises:
        RecordError: it is not a file of `network` that `maskcodec convert` wrote.
    """
    where, entry = str(file.path), file.entries.get(HEADER)
    if entry is None or entry.dtype != np.uint8 or math.prod(entry.shape) > MAX_HEADER:
        raise RecordError(
            f"was not written by `maskcodec convert`; run `maskcodec convert {network} {where}`",
            file=where,
        )
    try:
        header = json.loads(file.read(HEADER).tobytes())
        found, version, config = header["network"], header["version"], header["config"]
    except (ValueError, KeyError, TypeError):
        raise RecordError("is no JSON object as expected", file=where, field=HEADER) from None
    if found != network or version != VERSION or not isinstance(config, dict):
        raise RecordError(
            f"holds {str(found)[:40]!r} of version {str(version)[:40]}, expected {network!r} of "
            f"version {VERSION}",
            file=where,
            field=HEADER,
        )
    return config


def check_layout(
    found: Mapping[str, Shape], expected: Mapping[str, Shape], where: str, what: str
) -> None:
    """Compare names and shapes.

    Raises:
        RecordError: they differ; one error names every difference (at most 20 of a kind).
    """
    missing = [name for name in expected if name not in found]
    surplus = [name for name in found if name not in expected]
    wrong = [
        f"{name} {found[name]} (expected {shape})"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    parts = [
        f"{len(names)} {kind}: {', '.join(_some(names))}"
        for kind, names in (("missing", missing), ("unexpected", surplus), ("wrong shape", wrong))
        if names
    ]
    if parts:
        raise RecordError(f"is no {what}: {'; '.join(parts)}", file=where)


def _some(names: list[str]) -> Iterator[str]:
    yield from (re.sub(r"[^\x20-\x7e]", "?", name[:200]) for name in names[:20])
    if len(names) > 20:
        yield f"and {len(names) - 20} more"

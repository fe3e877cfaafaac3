"""Predictions as arrays: folders of PNGs, `.npy` and `.npz`, never unpickled."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from maskcodec.datasets.images import image_path, read_png
from maskcodec.datasets.mask_files import read_npy
from maskcodec.errors import RecordError
from maskcodec.mask import MAX_PIXELS
from maskcodec.records import Record, brief, read_records

SUFFIXES = (".png", ".npy", ".npz")

MAX_BYTES = 2**30
"""Most bytes that one array of an archive may take."""

_BROKEN = (OSError, EOFError, ValueError, KeyError, zlib.error, zipfile.BadZipFile)


def array_records(path: Path) -> Iterator[Record | RecordError]:
    """One record a sample, that says where its array lies: `{"id", "file"}`, or `"array"` too.

    Args:
        path: a folder, where a file's path below it is its id, or its `masks.jsonl` says the ids;
            or one file: an archive has an id an array.

    Raises:
        RecordError: it holds none, or is damaged.
    """
    if path.is_file():
        yield from _file_records(path, path.parent)
        return
    listed = path / "masks.jsonl"
    if listed.is_file():
        for record in read_records(listed):
            yield record if isinstance(record, RecordError) else _listed(record, path)
        return
    files = sorted(
        one
        for one in path.rglob("*")
        if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")
    )
    if not files:
        raise RecordError("holds no .png, .npy or .npz", file=str(path))
    for one in files:
        name = one.relative_to(path)
        identity = {"id": name.with_suffix("").as_posix(), "file": str(one)}
        yield Record(str(path), None, identity, f"{name.as_posix()}: ")


def _file_records(path: Path, root: Path) -> Iterator[Record | RecordError]:
    if path.suffix.lower() != ".npz":
        yield Record(str(path), None, {"id": path.stem, "file": str(path)})
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.removesuffix(".npy") for one in archive.namelist()]
    except _BROKEN as error:
        raise RecordError(f"is a damaged .npz: {error}", file=str(path)) from None
    if not names:
        raise RecordError("holds no array", file=str(path))
    for name in names:
        yield Record(str(path), None, {"id": name, "file": str(path), "array": name}, f"{name}: ")


def _listed(record: Record, folder: Path) -> Record | RecordError:
    """A line of `masks.jsonl`, as `maskcodec segment` and `decode` write it."""
    try:
        path = image_path(folder, record.text("file"))
        fields = {
            "id": record.identifier("id"),
            "file": str(path),
            "label": record.text("label", ""),
        }
        return Record(record.file, record.line, fields)
    except RecordError as error:
        return error


def read_array(record: Record) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """The array that a record of `array_records` names, and the labels that stand beside it.

    Returns:
        bool or whole numbers, (height, width) or (masks, height, width); labels are empty where
        the file has none.

    Raises:
        RecordError: it is damaged, too large, pickled, or of another shape.
    """
    path = Path(record.text("file"))
    suffix = path.suffix.lower()
    if suffix == ".png":
        return read_png(path), ()
    if suffix == ".npy":
        return read_npy(path), ()
    name = record.text("array", "masks")
    array = _from_archive(path, name)
    if array.ndim not in (2, 3) or array.dtype.kind not in "biu":
        raise RecordError(
            f"array {name!r} is {array.dtype} of shape {array.shape}, expected bool or whole "
            "numbers, (height, width) or (masks, height, width)",
            file=str(path),
        )
    labels: tuple[str, ...] = ()
    if "array" not in record.fields and "labels" in _archive(str(path)).namelist_plain:
        found = _from_archive(path, "labels")
        if found.dtype.kind == "U" and found.shape == array.shape[:1]:
            labels = tuple(found.tolist())
    return array, labels


class _Archive:
    """An open archive and the names of its arrays."""

    def __init__(self, path: str) -> None:
        self.zip = zipfile.ZipFile(path)
        self.namelist_plain = {name.removesuffix(".npy") for name in self.zip.namelist()}


_OPEN: dict[str, _Archive] = {}


def _archive(path: str) -> _Archive:
    if path not in _OPEN:
        close_archives()
        _OPEN[path] = _Archive(path)
    return _OPEN[path]


def close_archives() -> None:
    """Close what this process has opened."""
    while _OPEN:
        _OPEN.popitem()[1].zip.close()


def _from_archive(path: Path, name: str) -> npt.NDArray[Any]:
    """One array, whose size its header must say before anything is unpacked."""
    try:
        archive = _archive(str(path))
        member = name if name in archive.zip.NameToInfo else f"{name}.npy"
        with archive.zip.open(member) as stream:
            shape, dtype = _header(stream)
            if math.prod(shape) > MAX_PIXELS or math.prod(shape) * dtype.itemsize > MAX_BYTES:
                raise RecordError(
                    f"array {name!r} of shape {shape} is larger than {MAX_BYTES:,} bytes",
                    file=str(path),
                )
        with archive.zip.open(member) as stream:
            array: npt.NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            return array
    except RecordError:
        raise
    except _BROKEN as error:
        raise RecordError(f"array {brief(name)} can't be read: {error}", file=str(path)) from None


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0
    if version >= (2, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream, max_header_size=10_000)
    return tuple(shape), dtype


def value_names(path: Path) -> dict[int, str] | None:
    """The names of the values of predicted label maps, where the folder has a `names.json`."""
    file = path / "names.json" if path.is_dir() else None
    if file is None or not file.is_file():
        return None
    try:
        value = json.loads(file.read_bytes())
        return {int(number): str(name) for number, name in value.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise RecordError(f"names no values: {error}", file=str(file)) from None

"""Published checkpoints as names and arrays: safetensors, `.pth` and `.npz`, read without trust.

Nothing in a file is run: `.npz` is read without pickles, `.pth` by torch with `weights_only`, and
safetensors by the few lines below. What a header claims is compared with the file's size first, and
an array is only read when it is asked for.
"""

from __future__ import annotations

import contextlib
import json
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from .weights import ArrayFile, Shape

MAX_SAFETENSORS_HEADER = 100 << 20
MAX_PICKLE = 64 << 20

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "BOOL": "|b1",
    "U8": "|u1",
    "I64": "<i8",
}
_WRAPPERS = ("model", "state_dict")


@dataclass(frozen=True)
class Tensor:
    """One tensor of a checkpoint.

    Attributes:
        shape: its shape.
        file: the file that holds it.
        read: reads it: float32, float16, bool or whole numbers.
    """

    shape: Shape
    file: str
    read: Callable[[], npt.NDArray[Any]]


Tensors = dict[str, Tensor]


@contextlib.contextmanager
def open_checkpoint(path: Path) -> Iterator[Tensors]:
    """The tensors of a file, which are read as long as the block lasts.

    Raises:
        RecordError: it is missing, of another kind, or damaged.
    """
    if not path.is_file():
        raise RecordError("no such file", file=str(path))
    readers = {".npz": _npz, ".safetensors": _safetensors, ".pth": _pth, ".pt": _pth, ".bin": _pth}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(readers)
        raise RecordError(
            f"is a {path.suffix or 'nameless'} file, expected {known}", file=str(path)
        )
    with reader(path) as tensors:
        yield tensors


@contextlib.contextmanager
def _npz(path: Path) -> Iterator[Tensors]:
    with ArrayFile(path) as file:
        yield {
            name: Tensor(entry.shape, str(path), lambda name=name: file.read(name))  # type: ignore[misc]
            for name, entry in file.entries.items()
        }


@contextlib.contextmanager
def _safetensors(path: Path) -> Iterator[Tensors]:
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= min(size - 8, MAX_SAFETENSORS_HEADER):
            raise RecordError(f"has a header of {length} bytes in {size}", file=str(path))
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError):
            raise RecordError("has a header that is no JSON", file=str(path)) from None
    if not isinstance(header, dict):
        raise RecordError("has a header that is no JSON object", file=str(path))
    start = 8 + length
    yield {
        name: _safetensor(path, name, entry, start, size)
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _safetensor(path: Path, name: str, entry: Any, start: int, size: int) -> Tensor:
    try:
        kind, shape = entry["dtype"], tuple(entry["shape"])
        first, last = entry["data_offsets"]
        spelt = _DTYPES.get(kind)
        whole = all(type(number) is int and number >= 0 for number in (*shape, first, last))
    except (TypeError, KeyError, ValueError):
        raise RecordError(
            "has no type, shape and place", file=str(path), field=name[:200]
        ) from None
    if not whole or start + last > size or len(shape) > 8:
        raise RecordError("lies outside the file", file=str(path), field=name[:200])

    def read() -> npt.NDArray[Any]:
        if spelt is None:
            raise RecordError(f"is {str(kind)[:20]}", file=str(path), field=name[:200])
        dtype = np.dtype(spelt)
        if last - first != math.prod(shape) * dtype.itemsize:
            raise RecordError("does not fill its bytes", file=str(path), field=name[:200])
        array = np.fromfile(path, dtype, math.prod(shape), offset=start + first).reshape(shape)
        if kind == "BF16":  # the upper half of a float32
            return (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
        return array

    return Tensor(shape, str(path), read)


@contextlib.contextmanager
def _pth(path: Path) -> Iterator[Tensors]:
    import torch

    _check_pth(path)
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever an unpickler meets
        reason = str(error).strip().partition("\n")[0][:300]
        raise RecordError(f"torch can't read it as weights: {reason}", file=str(path)) from None
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
    if not isinstance(found, Mapping):
        raise RecordError(f"holds a {type(found).__name__}, expected weights", file=str(path))
    yield {
        str(name): _torch_tensor(path, str(name), tensor)
        for name, tensor in found.items()
        if isinstance(tensor, torch.Tensor)
    }


def _check_pth(path: Path) -> None:
    """Refuse what would unpack to more than it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile, ValueError):
        raise RecordError(
            "is no zip archive, as torch writes since 1.6; load it there and save it again",
            file=str(path),
        ) from None
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise RecordError("is compressed, as torch never writes it", file=str(path))
    if any(info.filename.endswith(".pkl") and info.file_size > MAX_PICKLE for info in infos):
        raise RecordError(f"lists its tensors in more than {MAX_PICKLE >> 20} MiB", file=str(path))


def _torch_tensor(path: Path, name: str, tensor: Any) -> Tensor:
    import torch

    def read() -> npt.NDArray[Any]:
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise RecordError("is no plain tensor", file=str(path), field=name[:200])
        plain = tensor.detach()
        if plain.dtype == torch.bfloat16:
            plain = plain.float()
        array: npt.NDArray[Any] = plain.numpy()
        return array

    return Tensor(tuple(tensor.shape), str(path), read)

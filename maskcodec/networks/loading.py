"""From a file of weights to a network that is ready, once a process and device."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ..errors import MaskCodecError, RecordError
from ..geometry.tokens import ShapeTokens
from .himtok import HiMTok, HiMTokConfig
from .paligemma import PaliGemmaConfig, PaliGemmaVae
from .weights import ArrayFile, Shape, check_layout, locate, read_config

NETWORKS: dict[str, tuple[type[Any], type[Any]]] = {
    "himtok": (HiMTok, HiMTokConfig),
    "paligemma": (PaliGemmaVae, PaliGemmaConfig),
}
"""Each network: its module, and the sizes of its layers."""

_lock = threading.Lock()


def layout(network: str, config: Any) -> dict[str, Shape]:
    """The names and shapes of a network's tensors; none of them is made."""
    with torch.device("meta"):
        module = NETWORKS[network][0](config)
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def load(weights: str, network: str, device: str | torch.device) -> Any:
    """The network with its weights, in float32, on a device.

    Args:
        weights: a path, or a name in the folder of weights.
        network: "himtok" or "paligemma".
        device: where it shall work.

    Raises:
        MaskCodecError: there is no such file, or it does not hold this network.
    """
    path = locate(weights, network)
    stamp = path.stat()
    with _lock:  # or two threads would both read it
        return _load(str(path), network, str(device), (stamp.st_mtime_ns, stamp.st_size))


@functools.lru_cache(maxsize=4)
def _load(path: str, network: str, device: str, stamp: tuple[int, int]) -> nn.Module:
    make, sizes = NETWORKS[network]
    with ArrayFile(Path(path)) as file:
        try:
            config = sizes(**read_config(file, network))
        except (TypeError, MaskCodecError) as error:
            if isinstance(error, RecordError):
                raise
            raise RecordError(f"has sizes that no {network} has: {error}", file=path) from None
        found = {name: entry.shape for name, entry in file.entries.items() if name[:2] != "__"}
        check_layout(found, layout(network, config), path, f"file of {network} weights")
        with torch.device("meta"):
            module: nn.Module = make(config)
        tensors = {
            name: _tensor(file.read(name), tensor.dtype)
            for name, tensor in module.state_dict().items()
        }
    module.load_state_dict(tensors, assign=True)
    return module.requires_grad_(False).eval().to(device)


def _tensor(array: npt.NDArray[Any], dtype: torch.dtype) -> torch.Tensor:
    if dtype == torch.bool:
        return torch.from_numpy(array != 0)
    return torch.from_numpy(array.astype(np.float32, copy=False))


def batches(
    geometries: Sequence[ShapeTokens], latents: int, size: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[list[tuple[int, int]]]]]:
    """Different codes, a batch at a time, with the objects that have them.

    Objects of equal codes are drawn once: a model that loops costs no more than one that does not.
    Objects without a code are left out.

    Args:
        geometries: any number of texts' objects.
        latents: how many codes an object has at most.
        size: how many different codes to yield at once.

    Yields:
        int64 (n, latents) codes with zeros behind the last; int64 (n,) how many there are; and for
        each of them its objects as (geometry, object).
    """
    users: dict[bytes, list[tuple[int, int]]] = {}
    for index, geometry in enumerate(geometries):
        ends = np.cumsum(geometry.counts, dtype=np.int64).tolist()
        for item, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if start < end:
                key = geometry.codes[start:end].astype(np.int64).tobytes()
                users.setdefault(key, []).append((index, item))
    keys = list(users)
    for first in range(0, len(keys), size):
        part = keys[first : first + size]
        counts = np.array([len(key) // 8 for key in part], np.int64)
        codes = np.zeros((len(part), latents), np.int64)
        for row, key in zip(codes, part, strict=True):
            row[: len(key) // 8] = np.frombuffer(key, np.int64)
        yield codes, counts, [users[key] for key in part]


def canvases(
    geometries: Sequence[ShapeTokens],
    sizes: Sequence[tuple[int, int]],
    device: str | torch.device,
) -> list[torch.Tensor]:
    """Masks without pixels, one an object: bool (objects, height, width), on a device."""
    return [
        torch.zeros((len(geometry.labels), *size), dtype=torch.bool, device=device)
        for geometry, size in zip(geometries, sizes, strict=True)
    ]

"""From published checkpoints to a file of weights that a codec finds: every tensor checked."""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from .checkpoints import Tensors, open_checkpoint
from .himtok import HiMTokConfig
from .loading import layout
from .paligemma import PaliGemmaConfig
from .weights import Shape, check_layout, save

PREFIXES = ("module.", "mask_decoder.", "module.")
"""What is taken off names, in this order. HiMTok's model of 8 billion weights holds the tokenizer
as `mask_decoder.`: where that stands before any name, all others are left out."""

SHA256 = {
    "paligemma": ("vae-oid.npz", "5586010257b8536dddefab65e755077f21d5672d5674dacf911f73ae95a44447")
}
"""The published files whose sum is known."""

EXTRA = {"paligemma": re.compile(r"_vq_vae\._ema_\w{1,40}")}
"""What a published file holds for training alone; left out."""

Warn = Callable[[str], None]


def convert(
    network: str,
    files: Sequence[Path],
    output: Path,
    *,
    warn: Warn,
    skip: Iterable[str] = (),
    config: Any = None,
) -> int:
    """Check a checkpoint and write it as a file of weights.

    Args:
        network: "himtok" or "paligemma".
        files: the checkpoint; more than one where it is in parts.
        output: the file to write.
        warn: gets what is odd, but no reason to stop.
        skip: beginnings of names to leave out.
        config: sizes of another network than the published one; with HiMTok's
            `parts="decoder"`, what the encoder needs may be missing.

    Returns:
        How many weights were written.

    Raises:
        RecordError: a file can't be read, or its names and shapes are not the network's; one error
            names every difference.
    """
    config = config or {"himtok": HiMTokConfig, "paligemma": PaliGemmaConfig}[network]()
    expected = layout(network, config)
    sums = [_sum(path) for path in files if path.is_file()]
    with contextlib.ExitStack() as stack:
        found: Tensors = {}
        for path in files:
            tensors = stack.enter_context(open_checkpoint(path))
            if twice := found.keys() & tensors.keys():
                raise RecordError(
                    "stands in another file already", file=str(path), field=min(twice)[:200]
                )
            found |= tensors
        named = _wanted(_strip(found, str(files[0])), network, config, tuple(skip))
        flipped = _flipped(named, expected) if network == "paligemma" else set()
        shapes = {
            name: _unflip(tensor.shape) if name in flipped else tensor.shape
            for name, tensor in named.items()
        }
        where = " + ".join(map(str, files))
        check_layout(shapes, expected, where, f"checkpoint of {network}")
        _check_sum(network, files, sums, warn)
        arrays = ((name, _plain(named, name, name in flipped)) for name in expected)
        source = {path.name: digest for path, digest in zip(files, sums, strict=True)}
        fields = {key: getattr(config, key) for key in type(config).__dataclass_fields__}
        save(output, network, fields, arrays, source)
    return sum(math.prod(shape) for name, shape in expected.items() if "attn_mask" not in name)


def _sum(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_sum(network: str, files: Sequence[Path], sums: Sequence[str], warn: Warn) -> None:
    if network in SHA256:
        name, digest = SHA256[network]
        if list(sums) != [digest]:
            warn(
                f"{files[0]} has the layout of {name}, but not its bytes: sha256 {sums[0]}, "
                f"published is {digest}"
            )


def _strip(tensors: Tensors, where: str) -> Tensors:
    for prefix in PREFIXES:
        if any(name.startswith(prefix) for name in tensors):
            kept: Tensors = {}
            for name, tensor in tensors.items():
                if prefix == "mask_decoder." and not name.startswith(prefix):
                    continue
                short = name.removeprefix(prefix)
                if short in kept:
                    raise RecordError(
                        f"stands twice, with {prefix!r} and without", file=where, field=short[:200]
                    )
                kept[short] = tensor
            tensors = kept
    return tensors


def _wanted(tensors: Tensors, network: str, config: Any, skip: tuple[str, ...]) -> Tensors:
    """The tensors without those that are known to be of no use, or that `skip` names."""
    if network == "himtok" and config.parts == "decoder":
        skip += ("encoder.", "latent_tokens")
    extra = EXTRA.get(network)
    return {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(skip or ("\0",)) and not (extra and extra.fullmatch(name))
    }


def _unflip(shape: Shape) -> Shape:
    """The shape in torch's order of a kernel of (height, width, in, out)."""
    return (shape[3], shape[2], shape[0], shape[1])


def _flipped(tensors: Tensors, expected: dict[str, Shape]) -> set[str]:
    """The kernels that are in JAX's order: (height, width, in, out) of a torch (out, in, …)."""
    return {
        name
        for name, tensor in tensors.items()
        if len(tensor.shape) == 4
        and name in expected
        and tensor.shape != expected[name]
        and _unflip(tensor.shape) == expected[name]
    }


def _plain(tensors: Tensors, name: str, flipped: bool) -> npt.NDArray[Any]:
    """One tensor as it is written: float32, or float16 or bool as it was."""
    tensor = tensors[name]
    array = tensor.read()
    if flipped:
        array = array.transpose(3, 2, 0, 1)
    if name.endswith("attn_mask"):
        hidden: npt.NDArray[np.bool_] = array != 0
        return hidden
    if array.dtype.kind != "f":
        raise RecordError(f"is {array.dtype}, expected floats", file=tensor.file, field=name)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise RecordError("holds NaN or an infinite number", file=tensor.file, field=name)
    return np.ascontiguousarray(array)

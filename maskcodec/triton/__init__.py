"""Painting masks by kernels of Triton on an NVIDIA GPU: each byte of a mask is written once.

The painting by torch stays as what they must equal, for other devices, and for where they can't
run. `MASKCODEC_TRITON=0` in the environment keeps to torch.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from ..errors import MaskCodecError

if TYPE_CHECKING:
    import torch

T = TypeVar("T")

SWITCH = "MASKCODEC_TRITON"
"""The environment variable that turns the kernels off where it is 0."""

_failures: list[str] = []


def has_kernels(device: str | torch.device) -> bool:
    """Whether the kernels paint on a device: an NVIDIA GPU, with Triton, and nothing failed yet."""
    import torch

    return (
        torch.device(device).type == "cuda"
        and torch.version.hip is None
        and os.environ.get(SWITCH) != "0"
        and not _failures
        and _is_installed()
    )


@lru_cache(maxsize=1)
def _is_installed() -> bool:
    return importlib.util.find_spec("triton") is not None


def by_kernels(device: str | torch.device, kernels: Callable[[], T], plain: Callable[[], T]) -> T:
    """Paint by `kernels` where they can be had, otherwise by `plain`.

    A kernel that does not compile or start is said in a warning, once; painting goes on by `plain`.

    Raises:
        MaskCodecError: the arguments are wrong.
        torch.OutOfMemoryError: there is no room for the masks.
    """
    if not has_kernels(device):
        return plain()
    import torch

    try:
        return kernels()
    except (MaskCodecError, torch.cuda.OutOfMemoryError):
        raise
    except Exception as error:
        _failures.append(repr(error))
        first = (str(error).strip() or "no message").splitlines()[0].rstrip(".")
        warnings.warn(
            f"masks are painted by torch alone, some times slower, since Triton's kernels failed: "
            f"{type(error).__name__}: {first}. Triton needs a C compiler (gcc or clang) and a "
            f"version that fits torch; {SWITCH}=0 keeps to torch without this warning",
            RuntimeWarning,
            stacklevel=2,
        )
        return plain()

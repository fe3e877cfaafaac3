"""Whether masks can be painted on a device: "cpu" by NumPy, any other by torch."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from .errors import MaskCodecError

if TYPE_CHECKING:
    import torch


def check_device(device: str | torch.device) -> None:
    """Check that a device can be painted on; "cpu" needs no torch.

    Raises:
        MaskCodecError: torch is not installed, or it has no such device.
    """
    if device != "cpu":
        _check(str(device))


@cache
def _check(device: str) -> None:
    try:
        import torch

        torch.zeros(1, device=device)
    except ImportError:
        raise MaskCodecError(
            f"device {device} needs torch: pip install 'maskcodec[torch]'"
        ) from None
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise MaskCodecError(f"device {device}: torch says: {reason}") from None

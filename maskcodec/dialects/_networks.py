"""What the codecs of published tokenizers share: the way to their networks, or what is missing."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..decoded import Pixels
from ..errors import EncodeError, MaskCodecError, SpecError
from ..geometry.tokens import ShapeTokens
from ..mask import Mask

if TYPE_CHECKING:
    import torch

Network = Literal["himtok", "paligemma"]


def check_name(weights: str) -> None:
    r"""Refuse a name of weights that no spec string can hold.

    Raises:
        SpecError: it is empty, or holds white space or one of `, = : " ' \\`.
    """
    if not re.fullmatch(r"[^,=:\s\"'\\]+", weights):
        raise SpecError(
            f"weights={weights!r}: a name or path without white space, commas, colons, quotes, "
            "backslashes and equals signs; name a file in the folder of weights"
        )


def check_family(geometry: ShapeTokens, family: str, bins: int, codec: str) -> None:
    """Refuse geometry of other codes.

    Raises:
        EncodeError: another family, or boxes in other bins.
    """
    if geometry.family != family:
        raise EncodeError(f"{codec}: the codes are of {geometry.family!r}, expected {family!r}")
    if geometry.bins != bins:
        raise EncodeError(f"{codec}: boxes in 0..{geometry.bins}, expected 0..{bins}")


def no_objects(family: str, bins: int = 0) -> ShapeTokens:
    """Geometry without an object."""
    return ShapeTokens(
        family,
        bins,
        (),
        np.zeros((0, 4), np.int32),
        np.zeros(0, np.int32),
        np.zeros(0, np.int32),
    )


def no_pixels(sizes: Sequence[tuple[int, int]], device: str | torch.device) -> list[Pixels]:
    """Pixels of texts without an object."""
    if device == "cpu":
        return [np.zeros((0, *size), np.bool_) for size in sizes]
    import torch

    return [torch.zeros((0, *size), dtype=torch.bool, device=device) for size in sizes]


def take_nothing(masks: Sequence[Mask], family: str, needs: str) -> ShapeTokens:
    """The codes of no mask, which need no network.

    Raises:
        MaskCodecError: there is a mask.
    """
    if masks:
        raise MaskCodecError(
            f"{family}: taking the codes of a mask needs {needs}, which maskcodec does not run; "
            "write() spells codes that were taken elsewhere"
        )
    return no_objects(family)


def draw_nothing(
    geometries: Sequence[ShapeTokens],
    sizes: Sequence[tuple[int, int]],
    device: str | torch.device,
    family: str,
    needs: str,
) -> list[Pixels]:
    """The pixels of texts without a mask, which need no network.

    Raises:
        MaskCodecError: there is a mask.
    """
    if any(geometry.labels for geometry in geometries):
        raise MaskCodecError(
            f"{family}: drawing a mask from its codes needs {needs}, which maskcodec does not "
            "run; parse() gives the codes"
        )
    return no_pixels(sizes, device)


def masks_of(network: Network) -> Any:
    """The module that goes between masks and codes by a network.

    Raises:
        MaskCodecError: torch is not installed.
    """
    try:
        importlib.import_module("torch")
    except ModuleNotFoundError:
        raise MaskCodecError(
            f"{network}: its network needs torch; pip install 'maskcodec[torch]'"
        ) from None
    return importlib.import_module(f"..networks.{network}_masks", __package__)

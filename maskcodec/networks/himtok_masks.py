"""Masks to HiMTok's codes and back: how a mask reaches the network, and how it becomes pixels.

A mask is squeezed to 256x256 pixels by Pillow's bicubic filter, as the published script for masks
does it, and what the network draws is sampled at the nearest pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..decoded import Pixels
from ..geometry.tokens import ShapeTokens
from ..mask import Mask
from ..resample import cell_of_pixel
from .loading import batches, canvases, load

BATCH = 8
"""Masks at a time, which bounds the memory (about 150 MB a mask where the network is published)."""


@torch.inference_mode()
def take(weights: str, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
    """The codes of masks; one without pixels has codes too, those of a black picture."""
    network = load(weights, "himtok", "cpu")
    side = network.config.image
    codes = [np.zeros((0, network.config.latents), np.int32)]
    for start in range(0, len(masks), BATCH):
        pictures = np.stack([_squeeze(mask, side) for mask in masks[start : start + BATCH]])
        codes.append(network.encode(torch.from_numpy(pictures)).numpy().astype(np.int32))
    found = np.concatenate(codes)
    return ShapeTokens(
        "himtok",
        0,
        tuple(mask.label for mask in masks),
        np.zeros((len(masks), 4), np.int32),
        np.full(len(masks), found.shape[1], np.int32),
        found.reshape(-1),
    )


def _squeeze(mask: Mask, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    from PIL import Image

    picture = Image.fromarray(mask.array.astype(np.uint8) * np.uint8(255))
    small = np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC))
    return small.astype(np.float32) / np.float32(255)


@torch.inference_mode()
def draw(
    weights: str,
    geometries: Sequence[ShapeTokens],
    sizes: Sequence[tuple[int, int]],
    device: str | torch.device,
) -> list[Pixels]:
    """Masks of codes; one without codes has no pixels."""
    network = load(weights, "himtok", device)
    planes = canvases(geometries, sizes, device)
    side = network.config.image
    for codes, counts, users in batches(geometries, network.config.latents, BATCH):
        drawn = network.decode(
            torch.from_numpy(codes).to(device), torch.from_numpy(counts).to(device)
        )
        for picture, places in zip(drawn > 0.5, users, strict=True):
            for index, item in places:
                ys, xs = (
                    torch.from_numpy(cell_of_pixel(pixels, side).astype(np.int64)).to(device)
                    for pixels in sizes[index]
                )
                planes[index][item] = picture[ys][:, xs]
    return [plane.numpy() for plane in planes] if device == "cpu" else list(planes)

"""Small networks of the published kinds with random weights, the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from maskcodec.networks.himtok import HiMTok, HiMTokConfig
from maskcodec.networks.paligemma import PaliGemmaConfig, PaliGemmaVae
from maskcodec.networks.weights import save

HIMTOK = HiMTokConfig(
    image=32,
    patch=4,
    width=16,
    layers=2,
    heads=2,
    code_width=6,
    features=24,
    channels=(8, 8, 16),
    blocks=2,
    groups=4,
)
PALIGEMMA = PaliGemmaConfig(code_width=12, channels=(4, 6, 8, 10))


def randomise(network: Any, seed: int = 0) -> Any:
    """Give a network weights that make its outputs vary."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if not tensor.dtype.is_floating_point:
                continue
            noise = torch.randn(tensor.shape, generator=random)
            if tensor.ndim == 1:
                tensor.copy_(0.1 * noise + (0.0 if name.endswith("bias") else 1.0))
            elif "embedding" in name:
                tensor.copy_(noise)
            else:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)
    return network.requires_grad_(False).eval()


def tiny_himtok(parts: str = "both") -> HiMTok:
    """HiMTok at 32x32 pixels."""
    network: HiMTok = randomise(HiMTok(HiMTokConfig(**{**vars(HIMTOK), "parts": parts})))
    return network


def tiny_paligemma() -> PaliGemmaVae:
    """PaliGemma's VQ-VAE with fewer channels."""
    network: PaliGemmaVae = randomise(PaliGemmaVae(PALIGEMMA))
    return network


def arrays_of(network: torch.nn.Module) -> dict[str, npt.NDArray[Any]]:
    """The weights of a network."""
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def write_weights(folder: Path) -> None:
    """Weights of both networks, as the codecs look for them."""
    for name, network in (("himtok", tiny_himtok()), ("paligemma", tiny_paligemma())):
        save(
            folder / f"{name}.npz",
            name,
            vars(network.config),
            arrays_of(network).items(),
        )


def discs(size: tuple[int, int]) -> list[npt.NDArray[np.bool_]]:
    """Three masks of an image."""
    y, x = np.mgrid[: size[0], : size[1]]
    return [
        np.hypot(y - size[0] * part, x - size[1] * part) < size[0] * part / 2
        for part in (0.3, 0.5, 0.7)
    ]

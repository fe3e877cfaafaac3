"""PaliGemma's mask tokenizer: a mask of 64x64 pixels as 4x4 codes, by a convolutional VQ-VAE.

It is the network of "All in Tokens" (arXiv 2301.02229), trained on Open Images. The names of the
layers are those of the published checkpoint, `vae-oid.npz`; all 16 codes weigh the same, row by
row, so that they are not coarse to fine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from ..errors import MaskCodecError

STEPS = 4
"""Times that the encoder halves the side of a mask."""


@dataclass(frozen=True)
class PaliGemmaConfig:
    """The sizes of the network; the defaults are the published ones.

    Attributes:
        image: side of the mask in pixels.
        codes: how many codes there are.
        code_width: length of a code's vector.
        channels: channels of the encoder's four steps; the decoder's are the same backwards.
    """

    image: int = 64
    codes: int = 128
    code_width: int = 512
    channels: tuple[int, ...] = (16, 32, 64, 128)

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        numbers = (self.image, self.codes, self.code_width, *self.channels)
        if not all(type(number) is int and 1 <= number <= 4096 for number in numbers):
            raise MaskCodecError("paligemma: a size of the network is no number of 1 to 4096")
        if len(self.channels) != STEPS or self.image % 2**STEPS:
            raise MaskCodecError(f"paligemma: expected {STEPS} steps that halve the mask's side")

    @property
    def grid(self) -> int:
        """Codes along a side."""
        return self.image >> STEPS


class Residual(nn.Module):
    """Three convolutions with ReLU between them, and a residual around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (n, channels, height, width) to the same."""
        out: torch.Tensor = x + self.net(x)
        return out


class Quantizer(nn.Module):
    """The codebook."""

    _embedding: torch.Tensor

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("_embedding", torch.zeros(codes, width))


def _encoder(config: PaliGemmaConfig) -> nn.Sequential:
    before = (1, *config.channels[:-1])
    steps: list[nn.Module] = []
    for first, last in zip(before, config.channels, strict=True):
        steps += [nn.Conv2d(first, last, 4, stride=2, padding=1), nn.ReLU()]
    widest = config.channels[-1]
    return nn.Sequential(
        *steps, Residual(widest), Residual(widest), nn.Conv2d(widest, config.code_width, 1)
    )


def _decoder(config: PaliGemmaConfig) -> nn.Sequential:
    after: Sequence[int] = config.channels[::-1]
    widest = after[0]
    steps: list[nn.Module] = []
    for first, last in zip((widest, *after[:-1]), after, strict=True):
        steps += [nn.ConvTranspose2d(first, last, 4, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(
        nn.Conv2d(config.code_width, widest, 1),
        nn.ReLU(),
        Residual(widest),
        Residual(widest),
        *steps,
        nn.Conv2d(after[-1], 1, 1),
    )


class PaliGemmaVae(nn.Module):
    """The whole network."""

    def __init__(self, config: PaliGemmaConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or PaliGemmaConfig()
        self._vq_vae = Quantizer(config.codes, config.code_width)
        self.encoder = _encoder(config)
        self.decoder = _decoder(config)

    def encode(self, masks: torch.Tensor) -> torch.Tensor:
        """The codes of masks.

        Args:
            masks: float (n, image, image), 0 to 1.

        Returns:
            int64 (n, grid * grid), row by row.
        """
        vectors = self.encoder(2 * masks[:, None] - 1).flatten(2).transpose(1, 2)
        book = self._vq_vae._embedding
        distance = (vectors**2).sum(-1, keepdim=True) + (book**2).sum(-1)
        codes: torch.Tensor = (distance - 2 * vectors @ book.T).argmin(-1)
        return codes

    def decode(self, codes: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """The masks of codes.

        Args:
            codes: int64 (n, grid * grid), row by row; what lies beyond `counts` is not looked
                at, but must be a code.
            counts: int64 (n,): how many codes each mask has. The cells without one take the mean
                of the codebook; published code knows no such mask.

        Returns:
            Float (n, image, image); a pixel belongs to the mask where it exceeds 0.
        """
        book = self._vq_vae._embedding
        place = torch.arange(codes.shape[1], device=codes.device)
        known = (place < counts[:, None])[..., None]
        vectors = torch.where(known, nn.functional.embedding(codes, book), book.mean(0))
        grid = self.config.grid
        features = vectors.transpose(1, 2).reshape(len(codes), -1, grid, grid)
        out: torch.Tensor = self.decoder(features)[:, 0]
        return out

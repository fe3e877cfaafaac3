"""The convolutional half of HiMTok's detokenizer, laid out as MaskGIT's VQGAN decoder is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

EPSILON = 1e-6


class Residual(nn.Module):
    """Two convolutions with a residual around them.

    Where the number of channels changes, the published block applies `nin_shortcut` to the output
    of its second convolution, not to its input, which is dropped: kept here, as weights were
    trained so.
    """

    def __init__(self, before: int, after: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, before, EPSILON)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(groups, after, EPSILON)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.nin_shortcut = nn.Conv2d(after, after, 1, bias=False) if before != after else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (n, before, height, width) to (n, after, height, width)."""
        y = self.conv1(nn.functional.silu(self.norm1(x)))
        y = self.conv2(nn.functional.silu(self.norm2(y)))
        out: torch.Tensor = y + (x if self.nin_shortcut is None else self.nin_shortcut(y))
        return out


class Level(nn.Module):
    """Residual blocks at one resolution, then a step to twice that; the last level has no step."""

    def __init__(self, before: int, after: int, blocks: int, groups: int, *, step: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            Residual(before if index == 0 else after, after, groups) for index in range(blocks)
        )
        self.upsample_conv = nn.Conv2d(after, after, 3, padding=1) if step else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (n, before, height, width) to (n, after, height, width), or twice that."""
        for block in self.block:
            x = block(x)
        if self.upsample_conv is not None:
            x = self.upsample_conv(nn.functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return x


class PixelDecoder(nn.Module):
    """From a feature a cell to three channels a pixel.

    Args:
        features: channels of the input.
        channels: channels of each level, the finest first.
        blocks: residual blocks a level, and before them.
        groups: groups of each norm.
    """

    def __init__(self, features: int, channels: Sequence[int], blocks: int, groups: int) -> None:
        super().__init__()
        coarsest = channels[-1]
        self.conv_in = nn.Conv2d(features, coarsest, 3, padding=1)
        self.mid = nn.ModuleList(Residual(coarsest, coarsest, groups) for _ in range(blocks))
        before = [*channels[1:], coarsest]
        self.up = nn.ModuleList(
            Level(before[index], after, blocks, groups, step=index > 0)
            for index, after in enumerate(channels)
        )
        self.norm_out = nn.GroupNorm(groups, channels[0], EPSILON)
        self.conv_out = nn.Conv2d(channels[0], 3, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (n, features, cells, cells) to (n, 3, pixels, pixels)."""
        x = self.conv_in(x)
        for block in self.mid:
            x = block(x)
        for level in reversed(self.up):
            x = level(x)
        out: torch.Tensor = self.conv_out(nn.functional.silu(self.norm_out(x)))
        return out

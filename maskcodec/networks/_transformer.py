"""The vision transformer of HiMTok's two halves: layers named as in CLIP, so that weights fit."""

from __future__ import annotations

import torch
from torch import nn


class Mlp(nn.Module):
    """Two layers with the exact GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Float (n, tokens, width) to the same."""
        hidden = nn.functional.gelu(self.c_fc(x))
        out: torch.Tensor = self.c_proj(hidden)
        return out


class Block(nn.Module):
    """Attention and a perceptron, each with a norm before it and around it a residual."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)

    def forward(self, x: torch.Tensor, hidden: torch.Tensor | None = None) -> torch.Tensor:
        """Float (n, tokens, width) to the same.

        Args:
            x: the tokens.
            hidden: bool, (tokens, tokens): True where a token (row) doesn't see another (column).
        """
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=hidden)[0]
        out: torch.Tensor = x + self.mlp(self.ln_2(x))
        return out


class Trunk(nn.Module):
    """What both halves have: a class token, positions, and the layers over cells and latents."""

    def __init__(self, width: int, layers: int, heads: int, cells: int, latents: int) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.zeros(1, width))
        self.positional_embedding = nn.Parameter(torch.zeros(cells + 1, width))
        self.latent_token_positional_embedding = nn.Parameter(torch.zeros(latents, width))
        self.ln_pre = nn.LayerNorm(width)
        self.transformer = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_post = nn.LayerNorm(width)

    def attend(
        self, cells: torch.Tensor, latents: torch.Tensor, hidden: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Let cells and latents see each other.

        Args:
            cells: float (n, cells, width).
            latents: float (n, latents, width).
            hidden: as in `Block`, over the class token, the cells and the latents.

        Returns:
            The same two, before the norm that follows.
        """
        first = self.class_embedding.expand(len(cells), 1, -1)
        cells = torch.cat([first, cells], 1) + self.positional_embedding
        latents = latents + self.latent_token_positional_embedding
        x = self.ln_pre(torch.cat([cells, latents], 1))
        for block in self.transformer:
            x = block(x, hidden)
        return x[:, 1 : cells.shape[1]], x[:, cells.shape[1] :]

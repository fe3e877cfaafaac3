"""HiMTok's tokenizer and detokenizer (arXiv 2503.13026): a mask of 256x256 pixels as 32 codes.

Both halves are ViT-L transformers over 16x16 patches and 32 latent tokens; an image's cell never
sees a latent token, and a latent token sees only the ones before it, which makes codes coarse to
fine. The names of the layers are those of the published checkpoint. So are its quirks:

- what the encoder knows of the latents, (32, 1024), is *viewed* as (1024, 32), not transposed;
- a residual block that changes the number of channels drops its input (`_pixel_decoder.Residual`);
- the codebook is a projection of the embedding, and has length 1 wherever codes are certain;
- tokens that are missing are zeros behind `decoder_embed`, before their positions are added;
- the mask is the mean of three channels x, where sigmoid(5 (x - 0.5)) > 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ..errors import MaskCodecError
from ._pixel_decoder import PixelDecoder
from ._transformer import Trunk

PARTS = ("both", "decoder")


@dataclass(frozen=True)
class HiMTokConfig:
    """The sizes of the network; the defaults are the published ones.

    Attributes:
        image: side of the mask in pixels.
        patch: side of a patch in pixels, 2 to the number of steps of the pixel decoder.
        width: width of both transformers.
        layers: layers of each.
        heads: heads of each layer.
        latents: how many codes a mask has.
        codes: how many codes there are.
        code_width: length of a code's vector.
        features: channels between the transformer and the pixel decoder.
        channels: channels of the pixel decoder's levels, the finest first.
        blocks: its residual blocks a level.
        groups: groups of its norms.
        parts: "both", or "decoder" for codes to masks alone.
    """

    image: int = 256
    patch: int = 16
    width: int = 1024
    layers: int = 24
    heads: int = 16
    latents: int = 32
    codes: int = 1024
    code_width: int = 12
    features: int = 1024
    channels: tuple[int, ...] = (128, 128, 256, 256, 512)
    blocks: int = 2
    groups: int = 32
    parts: str = "both"

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        numbers = (
            *(self.image, self.patch, self.width, self.layers, self.heads, self.latents),
            *(self.codes, self.code_width, self.features, self.blocks, self.groups),
            *self.channels,
        )
        if not all(type(number) is int and 1 <= number <= 4096 for number in numbers):
            raise MaskCodecError("himtok: a size of the network is no whole number of 1 to 4096")
        if self.layers > 64 or self.blocks > 16 or self.parts not in PARTS:
            raise MaskCodecError("himtok: at most 64 layers and 16 blocks, and parts of both")
        if (
            len(self.channels) > 8
            or self.patch != 2 ** (len(self.channels) - 1)
            or self.image % self.patch
            or self.width % self.heads
            or any(channels % self.groups for channels in self.channels)
        ):
            raise MaskCodecError("himtok: the sizes of the network don't divide as they should")

    @property
    def grid(self) -> int:
        """Patches along a side."""
        return self.image // self.patch


class Encoder(Trunk):
    """From a mask to a vector a latent token."""

    attn_mask: torch.Tensor

    def __init__(self, config: HiMTokConfig) -> None:
        cells = config.grid**2
        super().__init__(config.width, config.layers, config.heads, cells, config.latents)
        self.patch_embed = nn.Conv2d(3, config.width, config.patch, config.patch)
        self.conv_out = nn.Conv2d(config.width, config.code_width, 1)
        tokens = 1 + cells + config.latents
        later = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
        later[:, : 1 + cells] = False
        self.register_buffer("attn_mask", later)

    def forward(self, masks: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """Float (n, 3, pixels, pixels) to (n, latents, code_width)."""
        cells = self.patch_embed(masks).flatten(2).transpose(1, 2)
        latents = latents.expand(len(masks), -1, -1)
        memory = self.ln_post(self.attend(cells, latents, self.attn_mask)[1])
        count, width = memory.shape[1:]
        viewed = memory.reshape(len(masks), width, count, 1)  # as published: no transposition
        out: torch.Tensor = self.conv_out(viewed).flatten(2).transpose(1, 2)
        return out


class Decoder(Trunk):
    """From a vector a latent token to a feature a cell."""

    def __init__(self, config: HiMTokConfig) -> None:
        super().__init__(config.width, config.layers, config.heads, config.grid**2, config.latents)
        self.decoder_embed = nn.Linear(config.code_width, config.width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, config.width))
        self.ffn = nn.Sequential(
            nn.Conv2d(config.width, 2 * config.width, 1),
            nn.Tanh(),
            nn.Conv2d(2 * config.width, config.features, 1),
        )

    def forward(self, vectors: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Vectors as features.

        Args:
            vectors: float (n, latents, code_width).
            present: bool (n, latents): False for tokens that are missing.

        Returns:
            Float (n, features, cells a side, cells a side).
        """
        latents = self.decoder_embed(vectors) * present[..., None]
        cells = self.positional_embedding.shape[0] - 1
        seen = self.attend(self.mask_token.expand(len(vectors), cells, -1), latents)[0]
        side = round(cells**0.5)
        features = self.ln_post(seen).transpose(1, 2).reshape(len(vectors), -1, side, side)
        out: torch.Tensor = self.ffn(features)
        return out


class Quantizer(nn.Module):
    """The codebook, a projection of an embedding; its vectors are used with length 1."""

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, width)
        self.embedding_proj = nn.Linear(width, width, bias=False)

    def codebook(self) -> torch.Tensor:
        """Float (codes, width), each of length 1."""
        return nn.functional.normalize(self.embedding_proj(self.embedding.weight), dim=-1)

    def nearest(self, vectors: torch.Tensor) -> torch.Tensor:
        """The codes of float (…, width): the vectors of length 1 that are nearest; int64 (…)."""
        codebook = self.codebook()
        unit = nn.functional.normalize(vectors, dim=-1)
        distance = (unit**2).sum(-1, keepdim=True) + (codebook**2).sum(-1)
        return (distance - 2 * unit @ codebook.T).argmin(-1)


class HiMTok(nn.Module):
    """The whole network, or with `config.parts == "decoder"` what turns codes into masks."""

    def __init__(self, config: HiMTokConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HiMTokConfig()
        if config.parts == "both":
            self.latent_tokens = nn.Parameter(torch.zeros(config.latents, config.width))
            self.encoder = Encoder(config)
        self.quantize = Quantizer(config.codes, config.code_width)
        self.decoder = Decoder(config)
        self.pixel_decoder = PixelDecoder(
            config.features, config.channels, config.blocks, config.groups
        )

    def encode(self, masks: torch.Tensor) -> torch.Tensor:
        """The codes of masks.

        Args:
            masks: float (n, image, image), 0 to 1.

        Returns:
            int64 (n, latents), coarse to fine.

        Raises:
            MaskCodecError: the network holds its decoder only.
        """
        if self.config.parts != "both":
            raise MaskCodecError("himtok: these weights hold the decoder only; they take no codes")
        pixels = masks[:, None].expand(-1, 3, -1, -1)
        return self.quantize.nearest(self.encoder(pixels, self.latent_tokens))

    def decode(self, codes: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """The masks of codes, as probabilities.

        Args:
            codes: int64 (n, latents); what lies beyond `counts` is not looked at, but must be
                a code.
            counts: int64 (n,): how many codes each mask has; the others are missing.

        Returns:
            Float (n, image, image), 0 to 1; a pixel belongs to the mask where it exceeds 0.5.
        """
        vectors = nn.functional.embedding(codes, self.quantize.codebook())
        place = torch.arange(codes.shape[1], device=codes.device)
        features = self.decoder(vectors, place < counts[:, None])
        return torch.sigmoid(5 * (self.pixel_decoder(features).mean(1) - 0.5))

"""The layers of the published networks in plain NumPy, float64, written for reading."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = dict[str, npt.NDArray[Any]]

_erf = np.vectorize(math.erf)


def gelu(x: Floats) -> Floats:
    """The exact one."""
    out: Floats = x * (1 + _erf(x / math.sqrt(2))) / 2
    return out


def silu(x: Floats) -> Floats:
    """The gate of the pixel decoder."""
    out: Floats = x / (1 + np.exp(-x))
    return out


def linear(x: Floats, weights: Weights, name: str) -> Floats:
    bias = weights.get(f"{name}.bias", np.zeros(1))
    out: Floats = x @ weights[f"{name}.weight"].astype(np.float64).T + bias
    return out


def layer_norm(x: Floats, weights: Weights, name: str) -> Floats:
    centred = x - x.mean(-1, keepdims=True)
    unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    out: Floats = unit * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return out


def group_norm(x: Floats, weights: Weights, name: str, groups: int) -> Floats:
    """x (channels, height, width)."""
    parts = x.reshape(groups, -1)
    centred = parts - parts.mean(1, keepdims=True)
    unit = (centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-6)).reshape(x.shape)
    scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    out: Floats = unit * scale[:, None, None] + shift[:, None, None]
    return out


def conv(x: Floats, weights: Weights, name: str, stride: int = 1, pad: int = 0) -> Floats:
    """x (in, height, width) to (out, height / stride, width / stride)."""
    kernel = weights[f"{name}.weight"].astype(np.float64)
    size = kernel.shape[-1]
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
    height = (padded.shape[1] - size) // stride + 1
    width = (padded.shape[2] - size) // stride + 1
    out = np.zeros((len(kernel), height, width))
    for dy in range(size):
        for dx in range(size):
            part = padded[:, dy : dy + stride * height : stride, dx : dx + stride * width : stride]
            out += np.einsum("oi,ihw->ohw", kernel[:, :, dy, dx], part)
    bias = weights.get(f"{name}.bias")
    return out if bias is None else out + bias[:, None, None]


def conv_transposed(x: Floats, weights: Weights, name: str) -> Floats:
    """A 4x4 kernel with stride 2 and one pixel cut off around: each pixel of x stamps it."""
    kernel = weights[f"{name}.weight"].astype(np.float64)
    _, height, width = x.shape
    out = np.zeros((kernel.shape[1], 2 * height + 2, 2 * width + 2))
    for y in range(height):
        for column in range(width):
            stamp = np.einsum("i,iohw->ohw", x[:, y, column], kernel)
            out[:, 2 * y : 2 * y + 4, 2 * column : 2 * column + 4] += stamp
    cut: Floats = out[:, 1:-1, 1:-1] + weights[f"{name}.bias"][:, None, None]
    return cut


# --- HiMTok ---


def attention(x: Floats, weights: Weights, name: str, heads: int, hidden: Any) -> Floats:
    """x (tokens, width); hidden (tokens, tokens) is True where a row doesn't see a column."""
    tokens, width = x.shape
    joint = x @ weights[f"{name}.in_proj_weight"].astype(np.float64).T
    joint = joint + weights[f"{name}.in_proj_bias"]
    queries, keys, values = (
        part.reshape(tokens, heads, -1).transpose(1, 0, 2) for part in np.split(joint, 3, axis=1)
    )
    scores = queries @ keys.transpose(0, 2, 1) / math.sqrt(width // heads)
    if hidden is not None:
        scores = np.where(hidden, -np.inf, scores)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    seen = scores / scores.sum(-1, keepdims=True) @ values
    return linear(seen.transpose(1, 0, 2).reshape(tokens, width), weights, f"{name}.out_proj")


def transformer(x: Floats, weights: Weights, half: str, heads: int, hidden: Any = None) -> Floats:
    layer = 0
    while f"{half}.transformer.{layer}.ln_1.weight" in weights:
        name = f"{half}.transformer.{layer}"
        y = layer_norm(x, weights, f"{name}.ln_1")
        x = x + attention(y, weights, f"{name}.attn", heads, hidden)
        y = layer_norm(x, weights, f"{name}.ln_2")
        x = x + linear(gelu(linear(y, weights, f"{name}.mlp.c_fc")), weights, f"{name}.mlp.c_proj")
        layer += 1
    return x


def codebook(weights: Weights) -> Floats:
    book = weights["quantize.embedding.weight"].astype(np.float64)
    book = book @ weights["quantize.embedding_proj.weight"].T
    out: Floats = book / np.linalg.norm(book, axis=1, keepdims=True)
    return out


def himtok_vectors(
    mask: Floats, weights: Weights, heads: int, patch: int, *, viewed: bool = True
) -> Floats:
    """The vector of each latent token of a mask (side, side)."""
    cells = conv(np.stack([mask] * 3), weights, "encoder.patch_embed", patch)
    x = np.concatenate([weights["encoder.class_embedding"], cells.reshape(len(cells), -1).T])
    x = x + weights["encoder.positional_embedding"]
    latents = weights["latent_tokens"] + weights["encoder.latent_token_positional_embedding"]
    x = layer_norm(np.concatenate([x, latents]), weights, "encoder.ln_pre")
    first = len(x) - len(latents)
    hidden = np.zeros((len(x), len(x)), np.bool_)
    for row in range(len(x)):
        hidden[row, max(first, row + 1) :] = True
    x = transformer(x, weights, "encoder", heads, hidden)
    memory = layer_norm(x[first:], weights, "encoder.ln_post")
    # The quirk: published weights go with a view.
    columns = memory.reshape(memory.shape[::-1]) if viewed else memory.T
    kernel = weights["encoder.conv_out.weight"][:, :, 0, 0].astype(np.float64)
    out: Floats = (kernel @ columns + weights["encoder.conv_out.bias"][:, None]).T
    return out


def himtok_codes(mask: Floats, weights: Weights, heads: int, patch: int) -> list[int]:
    vectors = himtok_vectors(mask, weights, heads, patch)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found: list[int] = (unit @ codebook(weights).T).argmax(1).tolist()
    return found


def residual(x: Floats, weights: Weights, name: str, groups: int) -> Floats:
    y = conv(silu(group_norm(x, weights, f"{name}.norm1", groups)), weights, f"{name}.conv1", 1, 1)
    y = conv(silu(group_norm(y, weights, f"{name}.norm2", groups)), weights, f"{name}.conv2", 1, 1)
    if f"{name}.nin_shortcut.weight" in weights:
        return y + conv(y, weights, f"{name}.nin_shortcut")  # the quirk: of y, and x is dropped
    return y + x


def pixel_decoder(x: Floats, weights: Weights, levels: int, blocks: int, groups: int) -> Floats:
    x = conv(x, weights, "pixel_decoder.conv_in", 1, 1)
    for block in range(blocks):
        x = residual(x, weights, f"pixel_decoder.mid.{block}", groups)
    for level in range(levels - 1, -1, -1):
        for block in range(blocks):
            x = residual(x, weights, f"pixel_decoder.up.{level}.block.{block}", groups)
        if level:
            x = x.repeat(2, axis=1).repeat(2, axis=2)
            x = conv(x, weights, f"pixel_decoder.up.{level}.upsample_conv", 1, 1)
    x = silu(group_norm(x, weights, "pixel_decoder.norm_out", groups))
    return conv(x, weights, "pixel_decoder.conv_out", 1, 1)


def himtok_mask(codes: list[int], weights: Weights, config: Any) -> Floats:
    """The probability of each pixel, from up to as many codes as there are latents."""
    latents = np.zeros((config.latents, config.width))
    if codes:
        latents[: len(codes)] = linear(codebook(weights)[codes], weights, "decoder.decoder_embed")
    latents = latents + weights["decoder.latent_token_positional_embedding"]
    cells = np.repeat(weights["decoder.mask_token"][0].astype(np.float64), config.grid**2, axis=0)
    x = np.concatenate([weights["decoder.class_embedding"], cells])
    x = x + weights["decoder.positional_embedding"]
    x = layer_norm(np.concatenate([x, latents]), weights, "decoder.ln_pre")
    x = transformer(x, weights, "decoder", config.heads)[1 : 1 + config.grid**2]
    x = layer_norm(x, weights, "decoder.ln_post").T.reshape(-1, config.grid, config.grid)
    x = conv(np.tanh(conv(x, weights, "decoder.ffn.0")), weights, "decoder.ffn.2")
    x = pixel_decoder(x, weights, len(config.channels), config.blocks, config.groups)
    out: Floats = 1 / (1 + np.exp(-5 * (x.mean(0) - 0.5)))
    return out


# --- PaliGemma ---


def three_convs(x: Floats, weights: Weights, name: str) -> Floats:
    y = np.maximum(conv(x, weights, f"{name}.net.0", 1, 1), 0)
    y = np.maximum(conv(y, weights, f"{name}.net.2", 1, 1), 0)
    return x + conv(y, weights, f"{name}.net.4")


def paligemma_codes(mask: Floats, weights: Weights) -> list[int]:
    """The codes of a mask (64, 64) of 0 to 1, row by row."""
    x = (2 * mask - 1)[None]
    for layer in (0, 2, 4, 6):
        x = np.maximum(conv(x, weights, f"encoder.{layer}", 2, 1), 0)
    for layer in (8, 9):
        x = three_convs(x, weights, f"encoder.{layer}")
    x = conv(x, weights, "encoder.10")
    book = weights["_vq_vae._embedding"].astype(np.float64)
    return [
        int(((book - x[:, row, column]) ** 2).sum(1).argmin())
        for row in range(x.shape[1])
        for column in range(x.shape[2])
    ]


def paligemma_field(codes: list[int], weights: Weights) -> Floats:
    """What codes draw, (64, 64): above 0 inside the mask; missing ones are the codebook's mean."""
    book = weights["_vq_vae._embedding"].astype(np.float64)
    vectors = [book[code] for code in codes] + [book.mean(0)] * (16 - len(codes))
    x = np.stack(vectors).reshape(4, 4, -1).transpose(2, 0, 1)
    x = np.maximum(conv(x, weights, "decoder.0"), 0)
    for layer in (2, 3):
        x = three_convs(x, weights, f"decoder.{layer}")
    for layer in (4, 6, 8, 10):
        x = np.maximum(conv_transposed(x, weights, f"decoder.{layer}"), 0)
    field: Floats = conv(x, weights, "decoder.12")[0]
    return field

"""HiMTok's networks: the published layout, and every quirk against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import network_twin as twin
import torch
from tiny_networks import HIMTOK, arrays_of, discs, tiny_himtok

from maskcodec import MaskCodecError
from maskcodec.networks._pixel_decoder import Residual
from maskcodec.networks.himtok import HiMTok, HiMTokConfig
from maskcodec.networks.loading import layout


def published() -> dict[str, tuple[int, ...]]:
    """The published checkpoint's names and shapes, written down by hand."""
    table: dict[str, tuple[int, ...]] = {
        "latent_tokens": (32, 1024),
        "encoder.patch_embed.weight": (1024, 3, 16, 16),
        "encoder.patch_embed.bias": (1024,),
        "encoder.attn_mask": (289, 289),
        "encoder.conv_out.weight": (12, 1024, 1, 1),
        "encoder.conv_out.bias": (12,),
        "quantize.embedding.weight": (1024, 12),
        "quantize.embedding_proj.weight": (12, 12),
        "decoder.decoder_embed.weight": (1024, 12),
        "decoder.decoder_embed.bias": (1024,),
        "decoder.mask_token": (1, 1, 1024),
        "decoder.ffn.0.weight": (2048, 1024, 1, 1),
        "decoder.ffn.0.bias": (2048,),
        "decoder.ffn.2.weight": (1024, 2048, 1, 1),
        "decoder.ffn.2.bias": (1024,),
        "pixel_decoder.conv_in.weight": (512, 1024, 3, 3),
        "pixel_decoder.conv_in.bias": (512,),
        "pixel_decoder.norm_out.weight": (128,),
        "pixel_decoder.norm_out.bias": (128,),
        "pixel_decoder.conv_out.weight": (3, 128, 3, 3),
        "pixel_decoder.conv_out.bias": (3,),
    }
    for half in ("encoder", "decoder"):
        table[f"{half}.class_embedding"] = (1, 1024)
        table[f"{half}.positional_embedding"] = (257, 1024)
        table[f"{half}.latent_token_positional_embedding"] = (32, 1024)
        norms = ["ln_pre", "ln_post"]
        for layer in range(24):
            name = f"transformer.{layer}"
            norms += [f"{name}.ln_1", f"{name}.ln_2"]
            table[f"{half}.{name}.attn.in_proj_weight"] = (3072, 1024)
            table[f"{half}.{name}.attn.in_proj_bias"] = (3072,)
            table[f"{half}.{name}.attn.out_proj.weight"] = (1024, 1024)
            table[f"{half}.{name}.attn.out_proj.bias"] = (1024,)
            table[f"{half}.{name}.mlp.c_fc.weight"] = (4096, 1024)
            table[f"{half}.{name}.mlp.c_fc.bias"] = (4096,)
            table[f"{half}.{name}.mlp.c_proj.weight"] = (1024, 4096)
            table[f"{half}.{name}.mlp.c_proj.bias"] = (1024,)
        for norm in norms:
            table[f"{half}.{norm}.weight"] = table[f"{half}.{norm}.bias"] = (1024,)
    pairs = {
        "mid.0": (512, 512),
        "mid.1": (512, 512),
        "up.4.block.0": (512, 512),
        "up.4.block.1": (512, 512),
        "up.3.block.0": (512, 256),
        "up.3.block.1": (256, 256),
        "up.2.block.0": (256, 256),
        "up.2.block.1": (256, 256),
        "up.1.block.0": (256, 128),
        "up.1.block.1": (128, 128),
        "up.0.block.0": (128, 128),
        "up.0.block.1": (128, 128),
    }
    for name, (before, after) in pairs.items():
        block = f"pixel_decoder.{name}"
        table[f"{block}.norm1.weight"] = table[f"{block}.norm1.bias"] = (before,)
        table[f"{block}.conv1.weight"] = (after, before, 3, 3)
        table[f"{block}.norm2.weight"] = table[f"{block}.norm2.bias"] = (after,)
        table[f"{block}.conv2.weight"] = (after, after, 3, 3)
        if before != after:
            table[f"{block}.nin_shortcut.weight"] = (after, after, 1, 1)
    for level, channels in ((4, 512), (3, 256), (2, 256), (1, 128)):
        table[f"pixel_decoder.up.{level}.upsample_conv.weight"] = (channels, channels, 3, 3)
        table[f"pixel_decoder.up.{level}.upsample_conv.bias"] = (channels,)
    return table


def test_the_layout_is_the_published_one() -> None:
    assert layout("himtok", HiMTokConfig()) == published()
    weights = sum(
        int(np.prod(shape)) for name, shape in published().items() if name != "encoder.attn_mask"
    )
    assert weights == 644_294_815  # the 644 M that its authors give


def test_the_decoder_alone_lacks_what_makes_codes() -> None:
    alone = layout("himtok", HiMTokConfig(parts="decoder"))
    assert alone.keys() == {
        name for name in published() if not name.startswith(("encoder.", "latent_tokens"))
    }
    with pytest.raises(MaskCodecError, match="decoder only"):
        tiny_himtok("decoder").encode(torch.zeros(1, 32, 32))


def test_no_cell_sees_a_latent_token_and_none_sees_a_later_one() -> None:
    hidden = HiMTok(HIMTOK).encoder.attn_mask.numpy()
    cells = 1 + HIMTOK.grid**2
    for row in range(cells + 32):
        seen = cells if row < cells else row + 1
        assert not hidden[row, :seen].any()
        assert hidden[row, seen:].all()


def test_codes_are_those_of_the_twin() -> None:
    network = tiny_himtok()
    pictures = np.stack(discs((32, 32))).astype(np.float32)
    pictures[2] *= 0.6
    codes = network.encode(torch.from_numpy(pictures)).tolist()
    weights = arrays_of(network)
    assert len({tuple(row) for row in codes}) == 3
    for picture, row in zip(pictures, codes, strict=True):
        assert row == twin.himtok_codes(picture, weights, HIMTOK.heads, HIMTOK.patch)


def test_the_memory_is_viewed_and_not_transposed() -> None:
    network = tiny_himtok()
    picture = discs((32, 32))[0].astype(np.float64)
    weights = arrays_of(network)
    vectors = twin.himtok_vectors(picture, weights, HIMTOK.heads, HIMTOK.patch)
    with torch.no_grad():
        pixels = torch.from_numpy(picture).float().expand(1, 3, 32, 32)
        ours = network.encoder(pixels, network.latent_tokens)[0].numpy()
    assert np.allclose(ours, vectors, atol=1e-4)
    turned = twin.himtok_vectors(picture, weights, HIMTOK.heads, HIMTOK.patch, viewed=False)
    assert not np.allclose(ours, turned, atol=0.1)


@pytest.mark.parametrize("count", [0, 1, 7, 32])
def test_masks_are_those_of_the_twin(count: int) -> None:
    network = tiny_himtok()
    codes = [(37 * place) % 1024 for place in range(count)]
    padded = torch.tensor([codes + [5] * (32 - count)] * 2)
    drawn = network.decode(padded, torch.tensor([count, 32]))[0].numpy()
    expected = twin.himtok_mask(codes, arrays_of(network), HIMTOK)
    assert drawn.shape == (32, 32)
    assert np.allclose(drawn, expected, atol=1e-4)
    assert drawn.std() > 0.01


def test_the_shortcut_drops_the_input() -> None:
    """A residual block that changes the channels gives y + S(y), whatever stands beside y in x."""
    block = Residual(4, 8, 2).requires_grad_(False)
    x = torch.randn(1, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    block.conv2.weight.zero_()
    assert not block(x).any()  # the published block; with the input kept this were S(x)
    assert "nin_shortcut.weight" not in Residual(8, 8, 2).state_dict()


def test_the_codebook_is_projected_and_has_length_1() -> None:
    network = tiny_himtok()
    book = network.quantize.codebook().numpy()
    assert np.allclose(book, twin.codebook(arrays_of(network)), atol=1e-6)
    assert np.allclose(np.linalg.norm(book, axis=1), 1, atol=1e-6)
    assert not np.allclose(book, network.quantize.embedding.weight.numpy(), atol=0.1)


@pytest.mark.parametrize(
    "sizes",
    [
        {"width": 0},
        {"layers": 10**6},
        {"width": "16"},
        {"heads": 3},
        {"patch": 8},
        {"image": 102},
        {"channels": [8] * 20},
        {"groups": 5},
        {"parts": "encoder"},
        {"layers": True},
    ],
)
def test_sizes_that_make_no_network(sizes: dict[str, object]) -> None:
    with pytest.raises(MaskCodecError, match="himtok: "):
        HiMTokConfig(**{**vars(HIMTOK), **sizes})


@pytest.mark.gpu
def test_a_gpu_draws_about_the_same() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    network = tiny_himtok()
    codes = torch.arange(64).reshape(2, 32)
    counts = torch.tensor([32, 9])
    here = network.decode(codes, counts)
    there = network.cuda().decode(codes.cuda(), counts.cuda()).cpu()
    assert torch.allclose(here, there, atol=1e-3)

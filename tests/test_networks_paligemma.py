"""PaliGemma's VQ-VAE: the published layout and file size, and every layer against plain NumPy."""

from __future__ import annotations

import io

import numpy as np
import pytest

pytest.importorskip("torch")

import network_twin as twin
import torch
from PIL import Image
from tiny_networks import arrays_of, discs, tiny_paligemma

from maskcodec import MaskCodecError
from maskcodec.networks._triangle import shrink, triangle_weights
from maskcodec.networks.loading import layout
from maskcodec.networks.paligemma import PaliGemmaConfig


def published() -> dict[str, tuple[int, ...]]:
    """The names and shapes of vae-oid.npz, written down by hand."""
    table: dict[str, tuple[int, ...]] = {
        "encoder.0.weight": (16, 1, 4, 4),
        "encoder.2.weight": (32, 16, 4, 4),
        "encoder.4.weight": (64, 32, 4, 4),
        "encoder.6.weight": (128, 64, 4, 4),
        "encoder.10.weight": (512, 128, 1, 1),
        "decoder.0.weight": (128, 512, 1, 1),
        "decoder.12.weight": (1, 16, 1, 1),
    }
    for block in ("encoder.8", "encoder.9", "decoder.2", "decoder.3"):
        table[f"{block}.net.0.weight"] = table[f"{block}.net.2.weight"] = (128, 128, 3, 3)
        table[f"{block}.net.4.weight"] = (128, 128, 1, 1)
    table |= {name.replace("weight", "bias"): shape[:1] for name, shape in table.items()}
    table["_vq_vae._embedding"] = (128, 512)
    for layer, before, after in ((4, 128, 128), (6, 128, 64), (8, 64, 32), (10, 32, 16)):
        table[f"decoder.{layer}.weight"] = (before, after, 4, 4)
        table[f"decoder.{layer}.bias"] = (after,)
    return table


def test_the_layout_is_the_published_one() -> None:
    assert layout("paligemma", PaliGemmaConfig()) == published()
    assert len(published()) == 47


def test_the_layout_fills_the_published_file_to_the_byte() -> None:
    """With two tensors of training (their names are a guess), NumPy writes 8,479,556 bytes."""
    extra = {"_vq_vae._ema_w": (128, 512), "_vq_vae._ema_cluster_size": (128,)}
    stream = io.BytesIO()
    arrays = {name: np.zeros(shape, np.float32) for name, shape in {**published(), **extra}.items()}
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    assert stream.tell() == 8_479_556


def test_codes_are_those_of_the_twin() -> None:
    network = tiny_paligemma()
    pictures = np.stack(discs((64, 64))).astype(np.float32)
    pictures[1] *= 0.4
    codes = network.encode(torch.from_numpy(pictures)).tolist()
    assert len({tuple(row) for row in codes}) == 3
    assert any(len(set(row)) > 1 for row in codes)
    for picture, row in zip(pictures, codes, strict=True):
        assert row == twin.paligemma_codes(picture, arrays_of(network))


@pytest.mark.parametrize("count", [0, 1, 5, 16])
def test_masks_are_those_of_the_twin(count: int) -> None:
    network = tiny_paligemma()
    codes = [(37 * place) % 128 for place in range(count)]
    padded = torch.tensor([codes + [3] * (16 - count)])
    drawn = network.decode(padded, torch.tensor([count]))[0].numpy()
    assert drawn.shape == (64, 64)
    assert np.allclose(drawn, twin.paligemma_field(codes, arrays_of(network)), atol=1e-4)
    assert drawn.std() > 1e-3


def test_codes_are_row_by_row() -> None:
    """A code in the first row changes the top of the picture, one in the last row the bottom."""
    network = tiny_paligemma()
    plain = torch.full((1, 16), 9)
    counts = torch.tensor([16])
    for place, rows, columns in (
        (3, slice(0, 16), slice(48, 64)),
        (12, slice(48, 64), slice(0, 16)),
    ):
        other = plain.clone()
        other[0, place] = 77
        change = (network.decode(other, counts) - network.decode(plain, counts))[0].abs()
        others = [change.flip(axes) for axes in ((0,), (1,), (0, 1))]
        corner = change[rows, columns].sum()
        assert all(corner > other[rows, columns].sum() for other in others)


@pytest.mark.parametrize(("source", "target"), [(64, 20), (64, 64), (64, 200), (7, 64), (301, 64)])
def test_weights_are_those_of_pillow(source: int, target: int) -> None:
    random = np.random.default_rng(source + target)
    values = random.random((source, source)).astype(np.float32)
    weights = triangle_weights(source, target)
    ours = weights @ values @ weights.T
    theirs = np.asarray(Image.fromarray(values).resize((target, target), Image.Resampling.BILINEAR))
    assert np.allclose(ours, theirs, atol=1e-5)
    assert np.allclose(weights.sum(1), 1, atol=1e-6)


def test_a_mask_shrinks_in_parts_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.random.default_rng(0).random((97, 41)) < 0.4
    whole = shrink(mask, 64)
    monkeypatch.setattr("maskcodec.networks._triangle.ROWS", 100)
    assert np.allclose(shrink(mask, 64), whole, atol=1e-6)
    assert whole.min() >= 0
    assert whole.max() <= 1 + 1e-6


@pytest.mark.parametrize(
    "sizes", [{"codes": 0}, {"channels": (4, 4)}, {"image": 65}, {"code_width": 1.5}]
)
def test_sizes_that_make_no_network(sizes: dict[str, object]) -> None:
    with pytest.raises(MaskCodecError, match="paligemma: "):
        PaliGemmaConfig(**sizes)  # type: ignore[arg-type]

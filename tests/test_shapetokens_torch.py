"""Shape tokens in torch: the kernel's pixels bit for bit, and soft decoding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shape_pictures import draw_shapes, iou

from maskcodec import MaskCodecError
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_codebook import BINS, CELLS, CODES, UNIT_BITS, get_codebook
from maskcodec.geometry.shapetokens import analyze, render_batch
from maskcodec.geometry.tokens import ShapeTokens

torch = pytest.importorskip("torch")
soft: Any = pytest.importorskip("maskcodec.geometry.shapetokens_torch")

BOOK = get_codebook("shapes1")
SIZE = (96, 128)


def drawn(objects: int, seed: int, most: int = 16) -> ShapeTokens:
    """Objects of random codes in random boxes: edges in any order, without area, of one pixel."""
    random = np.random.default_rng(seed)
    boxes = random.integers(0, BINS + 1, (objects, 4), np.int32)
    if seed % 3 == 0:
        boxes[::2] = [0, 0, BINS, BINS]
    if seed % 5 == 0:
        boxes[1::2, 2] = boxes[1::2, 0]
    counts = random.integers(0, most + 1, objects, np.int32)
    codes = random.integers(0, CODES, int(counts.sum()), np.int32)
    return ShapeTokens("shapetokens:shapes1", BINS, ("a",) * objects, boxes, counts, codes)


def compare(items: list[ShapeTokens], sizes: list[tuple[int, int]], device: str = "cpu") -> None:
    painted = render_batch(items, sizes)
    for plain, tensor in zip(
        painted, render_batch(items, sizes, device=torch.device(device)), strict=True
    ):
        assert isinstance(tensor, torch.Tensor)
        assert tensor.dtype == torch.bool
        assert tensor.device.type == device
        np.testing.assert_array_equal(np.asarray(plain), tensor.cpu().numpy())


@given(
    batch=st.lists(
        st.tuples(
            st.integers(0, 4),
            st.integers(0, 999),
            st.sampled_from([(1, 1), (1, 90), (90, 1), (33, 57), (64, 64), (63, 65), (150, 200)]),
        ),
        max_size=5,
    )
)
def test_torch_equals_numpy(batch: list[tuple[int, int, tuple[int, int]]]) -> None:
    compare([drawn(count, seed) for count, seed, _ in batch], [size for *_, size in batch])


@pytest.mark.parametrize("size", [(1, 65_536), (65_536, 1), (480, 640), (1_081, 1_919)])
def test_torch_equals_numpy_on_large_pictures(size: tuple[int, int]) -> None:
    compare([drawn(3, 6), drawn(2, 8)], [size, size])


def test_torch_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soft, "MAX_BYTES", 3 * 32 * SIZE[0] * SIZE[1])
    compare([drawn(7, 1), drawn(4, 2)], [SIZE, SIZE])


@pytest.mark.gpu
def test_gpu_equals_numpy() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    sizes = [(480, 640), (97, 31), (480, 640), (1, 65_536), (1_080, 1_920)]
    compare([drawn(9, seed) for seed in range(5)], sizes, "cuda")


# --- soft decoding ---


def one_hot(geometry: ShapeTokens) -> list[Any]:
    return [
        torch.nn.functional.one_hot(
            torch.from_numpy(geometry.codes_of(index)).long(), CODES
        ).float()
        for index in range(len(geometry.labels))
    ]


def corners(geometry: ShapeTokens, size: tuple[int, int]) -> Any:
    return torch.from_numpy(to_pixels(geometry.boxes, size, BINS))


@pytest.mark.parametrize("seed", range(4))
def test_certain_tokens_give_the_hard_fields(seed: int) -> None:
    geometry = drawn(6, seed)
    fields = soft.soft_fields(BOOK, one_hot(geometry)).numpy()
    assert fields.shape == (6, CELLS, CELLS)
    hard = BOOK.fields(geometry.counts, geometry.codes) / 2**UNIT_BITS
    np.testing.assert_allclose(fields, hard, atol=1e-3)


def test_certain_tokens_give_the_hard_masks() -> None:
    masks = draw_shapes(10, SIZE)
    geometry = analyze(masks, SIZE, "shapes1", 8)
    fields = soft.soft_fields(BOOK, one_hot(geometry))
    values = soft.soft_masks(fields, corners(geometry, SIZE), SIZE)
    assert values.shape == (10, *SIZE)
    assert float(values.min()) == 0
    assert float(values.max()) <= 1
    (hard,) = render_batch([geometry], [SIZE])
    assert (values.numpy() > 0.5).mean() > 0.1
    assert ((values.numpy() > 0.5) != np.asarray(hard)).mean() < 1e-4
    together: npt.NDArray[Any] = torch.stack(one_hot(geometry))
    assert torch.equal(soft.soft_fields(BOOK, together), fields)


def test_doubt_between_two_codes_is_their_mean() -> None:
    tokens = torch.zeros((2, 3, CODES))
    tokens[0, :, 5] = tokens[1, :, 9] = 1
    first, second = soft.soft_fields(BOOK, tokens)
    between = soft.soft_fields(BOOK, tokens.mean(dim=0, keepdim=True))[0]
    torch.testing.assert_close(between, (first + second) / 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_flow_to_the_logits(dtype: str) -> None:
    """A few steps of descent from even odds make the masks fit."""
    masks = draw_shapes(4, SIZE, seed=3)
    geometry = analyze(masks, SIZE, "shapes1", 4)
    boxes = corners(geometry, SIZE)
    target = torch.from_numpy(np.stack([mask.array for mask in masks])).to(getattr(torch, dtype))
    logits = torch.zeros((4, 4, CODES), dtype=target.dtype, requires_grad=True)
    descent = torch.optim.Adam([logits], lr=0.5)
    losses = []
    for _ in range(20):
        values = soft.soft_masks(soft.soft_fields(BOOK, logits.softmax(-1)), boxes, SIZE)
        assert values.dtype == target.dtype
        loss = ((values - target) ** 2).mean()
        losses.append(loss.item())
        descent.zero_grad()
        loss.backward()
        assert torch.isfinite(logits.grad).all()
        assert (logits.grad.abs().sum(dim=(1, 2)) > 0).all()
        descent.step()
    assert losses[-1] < 0.6 * losses[0]
    with torch.no_grad():
        values = soft.soft_masks(soft.soft_fields(BOOK, logits.softmax(-1)), boxes, SIZE)
    pairs = zip(target.numpy(), values.numpy(), strict=True)
    found = [iou(want > 0.5, value > 0.5) for want, value in pairs]
    assert sum(found) / len(found) > 0.7


def test_sharpness() -> None:
    geometry = drawn(1, 3)
    fields = soft.soft_fields(BOOK, one_hot(geometry))
    boxes = corners(geometry, SIZE)
    blunt, sharp = (soft.soft_masks(fields, boxes, SIZE, sharpness=s) for s in (1.0, 200.0))
    assert torch.equal(blunt > 0.5, sharp > 0.5)
    assert ((sharp - 0.5).abs() >= (blunt - 0.5).abs() - 1e-6).all()


def test_no_objects_and_no_codes() -> None:
    assert soft.soft_fields(BOOK, []).shape == (0, CELLS, CELLS)
    assert soft.soft_fields(BOOK, torch.zeros((0, 3, CODES))).shape == (0, CELLS, CELLS)
    assert soft.soft_masks(torch.zeros((0, CELLS, CELLS)), torch.zeros((0, 4)), SIZE).shape == (
        0,
        *SIZE,
    )
    (mean,) = soft.soft_fields(BOOK, [torch.zeros((0, CODES))])
    np.testing.assert_allclose(mean.numpy().ravel(), BOOK.mean_values, atol=1e-6)
    blank = soft.soft_masks(mean[None], torch.tensor([[5, 5, 5, 90]]), SIZE)
    assert not blank.any()


@pytest.mark.parametrize("shape", [(2, 3), (1, 3, CODES - 1), (1, 17, CODES), (3,)])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(MaskCodecError, match="expected \\(codes, 1024\\)"):
        soft.soft_fields(BOOK, torch.zeros(shape))

"""Prompts from masks, pixel by pixel, and networks of the real architectures, weights random."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import disc
from strategies import draw_array

from maskcodec import Mask, MaskCodecError
from maskcodec.promptable import Sam, load_network, prepare
from maskcodec.promptable_prompts import Frame, interior_points, outside_points, prompt_box
from maskcodec.refine import refine

SIDE = 128
SIZE = (60, 80)


def test_a_letterbox_scales_as_the_longer_side_says() -> None:
    assert Frame((480, 640)).reach == (768, 1024)
    assert Frame((640, 427)).reach == (1024, 683)  # 683.2, rounded
    assert Frame((480, 640), letterbox=False).reach == (1024, 1024)
    assert Frame((1, 9000)).reach == (1, 1024)


def test_a_pixel_s_centre_stays_its_centre() -> None:
    frame = Frame((480, 640))
    assert frame.place([[0, 0]]).tolist() == [[0.5 * 1.6 - 0.5, 0.5 * 1.6 - 0.5]]
    assert frame.place([[639, 479]]).tolist() == [[639.5 * 1.6 - 0.5, 479.5 * 1.6 - 0.5]]
    assert frame.place_box((10, 20, 11, 21)).tolist() == [*[10.5 * 1.6 - 0.5, 20.5 * 1.6 - 0.5] * 2]
    stretched = Frame((480, 640), letterbox=False)
    assert stretched.place([[0, 0]])[0, 1] == 0.5 * 1024 / 480 - 0.5


@pytest.mark.parametrize("letterbox", [True, False])
@pytest.mark.parametrize("size", [(256, 256), (192, 256), (480, 640), (640, 427), (37, 500)])
def test_the_mask_prompt_lies_where_the_box_lies(size: tuple[int, int], letterbox: bool) -> None:
    frame = Frame(size, letterbox=letterbox)
    height, width = size
    box = (width // 4, height // 3, width // 4 * 3, height // 3 * 2)
    mask = np.zeros(size, np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    logits = frame.logits(mask, 10)
    assert logits.shape == (256, 256)
    assert logits.dtype == np.float32
    assert np.abs(logits).max() <= 10
    across, down = frame.scale
    edges = [box[0] * across / 4, box[1] * down / 4, box[2] * across / 4, box[3] * down / 4]
    rows, columns = np.nonzero(logits > 0)
    found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert np.abs(np.subtract(found, edges)).max() <= 0.5 + 1e-6  # what is covered by half is set
    corners = frame.place_box(box) + 0.5  # as the network reads them
    assert np.abs(np.array(edges) * 4 - corners).max() <= max(across, down) / 2 + 1e-6
    padding = logits[-(-frame.reach[0] // 4) :, :], logits[:, -(-frame.reach[1] // 4) :]
    assert all((part == -10).all() for part in padding)


def test_a_mask_at_the_border_reaches_the_padding_and_no_farther() -> None:
    frame = Frame((192, 256))  # four pixels of the input a pixel, one of the prompt
    logits = frame.logits(np.ones((192, 256), np.bool_), 10)
    assert (logits[:192] == 10).all()
    assert (logits[192:] == -10).all()
    checks = np.indices((192, 256)).sum(0) % 2 == 0
    assert np.array_equal(frame.logits(checks, 10)[:192] > 0, checks)


@pytest.mark.parametrize("seed", range(8))
def test_points_lie_in_the_mask_and_apart(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mask = draw_array("ellipses", SIZE, seed) & (generator.random(SIZE) > 0.02)
    if not mask.any():
        pytest.skip("nothing drawn")
    points = interior_points(mask, 5)
    assert 1 <= len(points) <= 5
    assert mask[points[:, 1], points[:, 0]].all()
    away = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    assert away[~np.eye(len(points), dtype=np.bool_)].min(initial=np.inf) >= 0.15 * np.sqrt(
        mask.sum()
    )


def test_the_first_point_is_the_deepest() -> None:
    mask = disc(SIZE, (20, 50), 12)
    assert interior_points(mask, 1).tolist() == [[50, 20]]
    one = np.zeros(SIZE, np.bool_)
    one[59, 79] = True
    assert interior_points(one, 3).tolist() == [[79, 59]]
    assert interior_points(np.zeros(SIZE, np.bool_), 3).shape == (0, 2)


def test_points_outside_lie_in_the_box_and_off_the_mask() -> None:
    mask = np.zeros(SIZE, np.bool_)
    mask[10:50, 10:20] = mask[40:50, 10:60] = True
    box = prompt_box(mask, 0.0)
    assert box == (10, 10, 60, 50)
    points = outside_points(mask, box, 4, 5.0)
    assert len(points)
    for x, y in points:
        assert box[0] <= x < box[2]
        assert box[1] <= y < box[3]
        rows, columns = np.nonzero(mask)
        assert np.hypot(rows - y, columns - x).min() >= 5
    assert outside_points(mask, box, 4, 100.0).shape == (0, 2)
    assert outside_points(np.ones(SIZE, np.bool_), (0, 0, 80, 60), 4, 1.0).shape == (0, 2)
    assert prompt_box(mask, 0.5) == (0, 0, 80, 60)
    with pytest.raises(MaskCodecError, match="empty mask"):
        prompt_box(np.zeros(SIZE, np.bool_), 0.1)


def test_what_is_asked_has_the_networks_shapes() -> None:
    mask = disc(SIZE, (30, 40), 15)
    frame = Frame(SIZE, SIDE)
    asked = Sam(points=2, negatives=1).prompts(mask, frame, None)
    count = len(asked["input_labels"][0, 0])
    assert asked["input_points"].shape == (1, 1, count, 2)
    assert asked["input_labels"][0, 0].tolist()[:2] == [1, 1]
    assert asked["input_boxes"].shape == (1, 1, 4)
    assert asked["input_masks"].shape == (1, 1, 32, 32)
    only = Sam(points=0, negatives=0, mask=False).prompts(mask, frame, None)
    assert set(only) == {"input_boxes"}


# --- networks ---

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")


def tiny(kind: str) -> Any:
    prompt = {"hidden_size": 16, "image_size": SIDE, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 8}
    torch.manual_seed(0)
    if kind == "sam":
        vision = {
            "hidden_size": 16, "output_channels": 16, "num_hidden_layers": 2,
            "num_attention_heads": 2, "image_size": SIDE, "patch_size": 16, "mlp_dim": 16,
            "global_attn_indexes": [1], "window_size": 4, "num_pos_feats": 8,
        }  # fmt: skip
        config = transformers.SamConfig(
            vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder
        )
        return transformers.SamModel(config)
    backbone = transformers.Sam2HieraDetConfig(
        hidden_size=8, num_attention_heads=1, image_size=[SIDE, SIDE],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64], num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[8, 4, 4, 4], global_attention_blocks=[3], mlp_ratio=2.0,
        window_positional_embedding_background_size=[4, 4],
    )  # fmt: skip
    vision2 = transformers.Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[64, 32, 16, 8], fpn_hidden_size=16,
        backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
    )  # fmt: skip
    config2 = transformers.Sam2Config(
        vision_config=vision2, prompt_encoder_config=prompt, mask_decoder_config=decoder
    )
    return transformers.Sam2Model(config2)


@pytest.fixture(scope="module", params=["sam", "sam2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of the real architecture, its weights random."""
    path: Path = tmp_path_factory.mktemp(request.param)
    tiny(request.param).eval().save_pretrained(path)
    return path


def image() -> Any:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)


def test_a_network_answers_at_the_image_s_size(folder: Path) -> None:
    masks = [Mask(disc(SIZE, (30, 40), 15), "dog", 0.7), Mask(np.zeros(SIZE, np.bool_), "cat")]
    method = f"sam:model={folder},agree=0"
    first = refine(image(), masks, method)
    assert [(mask.label, mask.score, mask.size) for mask in first] == [
        ("dog", 0.7, SIZE),
        ("cat", None, SIZE),
    ]
    assert not np.array_equal(first[0].array, masks[0].array)
    assert not first[1].area
    again = refine(image(), masks, method)
    assert np.array_equal(first[0].array, again[0].array)


def test_an_answer_that_does_not_agree_is_not_taken(folder: Path) -> None:
    mask = Mask(disc(SIZE, (30, 40), 15), "dog")
    (found,) = refine(image(), [mask], f"sam:model={folder},agree=1")
    assert np.array_equal(found.array, mask.array)


@pytest.mark.filterwarnings("ignore")
def test_candidates_are_those_of_the_network_itself(folder: Path) -> None:
    network = load_network(str(folder), "cpu")
    frame = network.frame(SIZE)
    assert frame.reach == ((96, 128) if network.is_first else (128, 128))
    mask = disc(SIZE, (30, 40), 15)
    asked = Sam(model=str(folder)).prompts(mask, frame, None)
    candidates, guesses = network.ask(network.embed(image(), frame), frame, asked)
    assert len(candidates) == len(guesses) == 3
    assert all(one.shape == SIZE and one.dtype == np.bool_ for one in candidates)
    with torch.inference_mode():
        said = network.model(
            pixel_values=torch.from_numpy(prepare(image(), frame)),
            **{name: torch.from_numpy(value) for name, value in asked.items()},
        )
    assert guesses == pytest.approx(said.iou_scores[0, 0].tolist())
    assert said.pred_masks.shape == (1, 1, 3, 32, 32)
    if network.is_first:  # SAM 2's own processor needs torchvision
        module = pytest.importorskip("transformers.models.sam.image_processing_pil_sam")
        padded = {"height": SIDE, "width": SIDE}
        (theirs,) = module.SamImageProcessorPil().post_process_masks(
            said.pred_masks[0][None], [SIZE], [frame.reach], pad_size=padded
        )
    else:
        theirs = torch.nn.functional.interpolate(said.pred_masks[0], SIZE, mode="bilinear") > 0
    assert np.array_equal(np.stack(candidates), theirs.reshape(3, *SIZE).numpy())


def test_each_prompt_reaches_the_network(folder: Path) -> None:
    network = load_network(str(folder), "cpu")
    frame = network.frame(SIZE)
    embedded = network.embed(image(), frame)
    mask = disc(SIZE, (30, 40), 15)
    asked = Sam(model=str(folder)).prompts(mask, frame, None)
    _, guesses = network.ask(embedded, frame, asked)
    for names in (["input_boxes"], ["input_masks"], ["input_points", "input_labels"]):
        fewer = {key: value for key, value in asked.items() if key not in names}
        assert network.ask(embedded, frame, fewer)[1] != guesses
    moved = {**asked, "input_points": asked["input_points"] + 20}
    assert network.ask(embedded, frame, moved)[1] != guesses


@pytest.mark.filterwarnings("ignore")
def test_pixels_are_prepared_as_the_network_s_own_processor_does_it() -> None:
    module = pytest.importorskip("transformers.models.sam.image_processing_pil_sam")
    processor = module.SamImageProcessorPil()
    made = processor(image(), return_tensors="np")["pixel_values"]
    ours = prepare(image(), Frame(SIZE))
    assert ours.shape == made.shape == (1, 3, 1024, 1024)
    assert np.abs(ours - made).max() < 1e-5


@pytest.mark.filterwarnings("ignore")
def test_what_is_no_such_network_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = Mask(disc(SIZE, (30, 40), 15))
    with pytest.raises(MaskCodecError, match="can't be loaded"):
        refine(image(), [mask], f"sam:model={tmp_path}")
    transformers.ViTConfig(hidden_size=8).save_pretrained(tmp_path)
    with pytest.raises(MaskCodecError, match="family 'vit', expected one of sam"):
        refine(image(), [mask], f"sam:model={tmp_path}")
    load_network.cache_clear()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MaskCodecError, match=r"maskcodec\[train\]"):
        refine(image(), [mask], f"sam:model={tmp_path}")

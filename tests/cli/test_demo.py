"""`maskcodec demo`: the figures are those of the codecs, and nothing that goes wrong is hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import run
from PIL import Image
from reading import disc, rle_fields, write_jsonl

from maskcodec import Mask, get_codec
from maskcodec.commands import demo as demo_module
from maskcodec.commands.demo import SPECS, spread
from maskcodec.metrics import iou
from maskcodec.tokens import load_counter

SIZE = (120, 160)
MASKS = [
    Mask(disc(SIZE, (30, 30), 8), "coin"),
    Mask(disc(SIZE, (60, 90), 30), "plate"),
    Mask(disc(SIZE, (60, 80), 57), "table"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs with masks, one without, one damaged; and masks of one that is not there."""
    images = tmp_path / "images"
    images.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    for name in ("a.png", "b.png", "unmasked.png"):
        Image.fromarray(noise).save(images / name)
    records = [rle_fields(mask, "a.png", number) for number, mask in enumerate(MASKS)]
    records += [rle_fields(MASKS[0], "b.png", 9), rle_fields(MASKS[0], "gone.png", 10)]
    write_jsonl(tmp_path / "masks.jsonl", records)
    return tmp_path


def demo(folder: Path, *arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    result = run(
        *("demo", "--images", folder / "images", "--masks", folder / "masks.jsonl", "--json"),
        *("--output", folder / "out", "--specs", "coco_rle", "boxgrid:rows=8", *arguments),
    )
    figures = json.loads(result.out) if result.out else {}
    return result.status, figures, result.err


def test_default_specs_are_codecs() -> None:
    assert len({get_codec(spec).spec for spec in SPECS}) == len(SPECS)


def test_built_in_photographs(tmp_path: Path) -> None:
    out = tmp_path / "made" / "demo"
    result = run("demo", "-o", out, "--specs", "coco_rle", "boxgrid:rows=8", "--shown", "3")
    assert result.status == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].split()[:2] == ["codec", "tokens,"]
    assert lines[2].split()[0] == "coco_rle"
    assert lines[2].split()[3] == "1.000"
    assert "10 photographs" in result.out
    assert {path.name for path in out.iterdir()} == {"sheet.html", "overview.png", "results.json"}
    assert str(out / "sheet.html") in result.err
    page = (out / "sheet.html").read_text("utf-8")
    assert page.count("<section>") == 3
    assert lines[2].split()[3] in page
    with Image.open(out / "overview.png") as picture:
        assert picture.width > 4 * 240
    results = json.loads((out / "results.json").read_text("utf-8"))
    assert results["masks"] == sum(results["masks_by_size"].values()) > 60


def test_figures_are_those_of_each_mask_alone(folder: Path) -> None:
    status, figures, _ = demo(folder, "--tokenizer", "gpt4o")
    assert status == 0
    codec, counter = get_codec("boxgrid:rows=8"), load_counter("gpt4o")
    texts = [codec.encode([mask], SIZE) for mask in [*MASKS, MASKS[0]]]
    tokens = [counter.count(text) for text in texts]
    ious = [
        iou(codec.decode(text, SIZE).masks[0].array, mask.array)
        for text, mask in zip(texts, [*MASKS, MASKS[0]], strict=True)
    ]
    exact, boxgrid = figures["codecs"]
    assert boxgrid["spec"] == codec.spec
    assert boxgrid["tokens"] == {"median": np.median(tokens), "mean": np.mean(tokens)}
    assert boxgrid["iou"]["mean"] == pytest.approx(np.mean(ious))
    assert boxgrid["iou"]["small"] == pytest.approx((ious[0] + ious[3]) / 2)
    assert boxgrid["iou"]["medium"] == pytest.approx(ious[1])
    assert boxgrid["iou"]["large"] == pytest.approx(ious[2])
    assert exact["iou"]["mean"] == 1
    assert exact["share_iou_0"] == 0
    assert figures["masks_by_size"] == {"small": 2, "medium": 1, "large": 1}
    for codec_figures in figures["codecs"]:
        assert 0 < codec_figures["encode_us"]["median"] < 1e6
        assert 0 < codec_figures["decode_us"]["median"] < 1e6


def test_what_is_missing_is_reported_and_not_fatal(folder: Path) -> None:
    status, figures, err = demo(folder)
    assert status == 0
    assert figures["photographs"] == 2
    assert "1 images that" in err
    assert "1 images of" in err
    assert len(figures["problems"]) == 2


def test_a_damaged_photograph_is_left_out(folder: Path) -> None:
    (folder / "images" / "b.png").write_bytes(b"nonsense")
    status, figures, err = demo(folder)
    assert status == 1
    assert err.count("b.png: is no image") == 1
    assert figures["masks"] == 3


def test_masks_in_files_are_matched_by_name(folder: Path) -> None:
    masks = folder / "files"
    masks.mkdir()
    Image.fromarray(MASKS[1].array).save(masks / "a.png")
    result = run(
        *("demo", "--images", folder / "images", "--masks", masks, "--json"),
        *("--output", folder / "out", "--specs", "coco_rle"),
    )
    assert result.status == 0, result.err
    assert json.loads(result.out)["masks"] == 1


def test_folders_with_images_of_one_name(folder: Path) -> None:
    """A path says which of them is meant; where it can't, nothing is guessed."""
    for name in ("left", "right"):
        (folder / "images" / name).mkdir()
        for image in ("1.png", "2.png"):
            copy = (folder / "images" / "a.png").read_bytes()
            (folder / "images" / name / image).write_bytes(copy)
    records = [
        rle_fields(MASKS[0], "left/1.png", 1),
        rle_fields(MASKS[1], "right\\1.png", 2),
        rle_fields(MASKS[2], "2.png", 3),
    ]
    write_jsonl(folder / "masks.jsonl", records)
    status, figures, err = demo(folder)
    assert (status, figures["photographs"]) == (0, 2)
    assert figures["masks_by_size"] == {"small": 1, "medium": 1, "large": 0}
    assert "2.png may be several images" in err
    assert "5 images of" in err
    right = run(
        *("demo", "--images", folder / "images" / "right", "--masks", folder / "masks.jsonl"),
        *("--json", "--output", folder / "out", "--specs", "coco_rle"),
    )
    assert json.loads(right.out)["masks_by_size"] == {"small": 0, "medium": 1, "large": 1}
    assert "1 images that" in right.err


def test_masks_without_pixels_are_not_measured(folder: Path) -> None:
    empty = Mask(np.zeros(SIZE, np.bool_), "dog")
    records = [rle_fields(empty, "a.png", 1), rle_fields(MASKS[0], "a.png", 2)]
    write_jsonl(folder / "masks.jsonl", records)
    _, figures, err = demo(folder)
    assert [codec["masks"] for codec in figures["codecs"]] == [1, 1]
    assert figures["masks"] == 1
    assert "1 masks without pixels are not measured" in err
    assert "1 masks without pixels are not measured" in figures["problems"]


def test_a_label_that_a_codec_refuses_is_counted(folder: Path) -> None:
    mask = Mask(MASKS[0].array, "two\nlines")
    write_jsonl(
        folder / "masks.jsonl", [rle_fields(mask, "a.png", 1), rle_fields(MASKS[0], "b.png", 2)]
    )
    status, figures, _ = demo(folder)
    assert status == 0
    for codec in figures["codecs"]:
        assert codec["failed"] == 1
        assert codec["masks"] == 1
    page = (folder / "out" / "sheet.html").read_text("utf-8")
    assert "not decoded" in page


def test_ctrl_c_keeps_what_was_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskcodec import roundtrip

    real, calls = roundtrip.round_trip, []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        if options:
            calls.append(1)
            if len(calls) == 6:  # in the middle of the third mask
                raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(roundtrip, "round_trip", interrupted)
    status, figures, _ = demo(folder)
    assert status == 130
    assert figures["interrupted"] is True
    assert figures["masks"] == 2
    assert [codec["masks"] for codec in figures["codecs"]] == [2, 2]
    assert (folder / "out" / "sheet.html").is_file()
    assert json.loads((folder / "out" / "results.json").read_text()) == figures


def test_without_a_vocabulary_characters_are_counted_and_called_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maskcodec import tokens

    monkeypatch.setattr(tokens, "default_counter", lambda: None)
    status, figures, _ = demo(folder)
    assert status == 0
    assert figures["tokenizer"] is None
    assert [codec["tokens"] for codec in figures["codecs"]] == [None, None]
    page = (folder / "out" / "sheet.html").read_text("utf-8")
    assert "characters, median" in page
    assert "tokens, median" not in page
    assert "pip install &#x27;maskcodec[tokens]&#x27;" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "images"], "--images and --masks go together"),
        (["--images", "none", "--masks", "masks.jsonl"], "none, field '--images': is no folder"),
        (["--images", "images", "--masks", "none.json"], "none.json: no such file"),
        (["--images", "out", "--masks", "masks.jsonl"], "names no image of out"),
        (["--specs", "boxgird"], "did you mean 'boxgrid'"),
        (["--specs", "coco_rle", "--tokenizer", "none"], "none: no such file"),
        (["--specs", "coco_rle", "-o", "masks.jsonl"], "masks.jsonl, field '--output'"),
        (["--limit", "0"], "is no whole number from 1"),
    ],
)
def test_unusable_arguments_are_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(folder)
    (folder / "out").mkdir()
    result = run("demo", *arguments)
    assert result.status == 2
    assert message in result.err


def test_spread_takes_evenly() -> None:
    assert spread(list(range(10)), 3) == [1, 5, 8]
    assert spread(list(range(3)), 9) == [0, 1, 2]
    assert spread([], 2) == []
    assert demo_module.REPEATS >= 2

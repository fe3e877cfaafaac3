"""The program that measures refinement: right figures, halves by hash, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reading import disc, rle_fields, write_jsonl

from benchmarks import refinement, refinement_measure
from benchmarks.refinement_measure import in_half, jittered, make_coarse
from maskcodec import Mask, MaskCodecError, get_codec
from maskcodec.boundary import boundary_iou
from maskcodec.metrics import iou

SIZE = (96, 128)
NAMES = [f"{number:012}.png" for number in range(6)]


def truth_of(index: int) -> Any:
    return disc(SIZE, (44 + index, 60), 24 + index)


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    """Photographs of discs, and their masks; two of the masks hold no pixel or lie nowhere."""
    folder = tmp_path / "images"
    folder.mkdir()
    records: list[object] = []
    for index, name in enumerate(NAMES):
        truth = truth_of(index)
        noise = np.random.default_rng(index).integers(0, 12, (*SIZE, 3))
        picture = np.where(truth[..., None], (200, 60, 60), (60, 60, 160)) + noise
        Image.fromarray(picture.astype(np.uint8)).save(folder / name)
        records.append(rle_fields(Mask(truth, "cat"), name, index))
    records.append(rle_fields(Mask(np.zeros(SIZE, np.bool_), "cat"), NAMES[0], "empty"))
    records.append(rle_fields(Mask(truth_of(0), "cat"), "elsewhere.png", "lost"))
    masks = write_jsonl(tmp_path / "masks.jsonl", records)
    return ["--images", str(folder), "--masks", str(masks), "--jobs=1", "--quiet"]


def results(path: Path) -> dict[tuple[str, ...], dict[str, float]]:
    keys = ("codec", "errors", "method", "objects")
    document = json.loads(path.read_text())
    return {tuple(r["name"][key] for key in keys): r["figures"] for r in document["results"]}


def test_the_figures_are_means_over_masks(
    data: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    options = ["--specs", "text4seg:grid=16", "--methods", "walker", "none", "--errors", "none"]
    assert refinement.main([*data, *options, "--json", str(out), "--html", str(page)]) == 0
    found = results(out)
    codec = get_codec("text4seg:grid=16")
    truths = [truth_of(index) for index in range(len(NAMES))]
    coarse = [make_coarse(codec, truth, "none", "") for truth in truths]
    before = np.mean([iou(a, b) for a, b in zip(coarse, truths, strict=True)])
    near = np.mean([boundary_iou(a, b) for a, b in zip(coarse, truths, strict=True)])
    walked = found["text4seg:grid=16", "none", "walker", "all"]
    assert walked["masks"] == 6
    assert walked["iou_before"] == pytest.approx(before)
    assert walked["boundary_iou_before"] == pytest.approx(near)
    assert walked["iou"] > 0.98 > before
    assert (walked["better"], walked["worse"]) == (1, 0)
    same = found["text4seg:grid=16", "none", "none", "medium"]
    assert same["iou"] == same["iou_before"] == walked["iou_before"]
    assert (same["better"], same["worse"]) == (0, 0)
    said = capsys.readouterr()
    assert said.out.count("| `text4seg:grid=16` | none | `walker` |") == 2
    assert "1 images that" in said.err
    assert "default-src 'none'" in page.read_text()
    assert "text4seg:<wbr>grid=16" in page.read_text()


def test_a_stopped_run_goes_on(
    data: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = tmp_path / "whole.json", tmp_path / "part.json"
    options = ["--specs", "text4seg:grid=16", "shapetokens:tokens=4", "--methods", "guided"]
    assert refinement.main([*data, *options, "--json", str(whole)]) == 0
    asked = {(codec, errors) for codec, errors, _, _ in results(whole)}
    assert ("shapetokens:tokens=4", "dropped") in asked
    assert ("text4seg:grid=16", "dropped") not in asked
    calls = 0

    def stop(task: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 15:
            raise KeyboardInterrupt
        return refinement_measure.measure(task)

    monkeypatch.setattr(refinement, "measure", stop)
    assert refinement.main([*data, *options, "--json", str(part)]) == 130
    assert json.loads(part.read_text())["interrupted"]
    kept = results(part)
    assert 0 < len(kept) < len(results(whole))
    monkeypatch.setattr(refinement, "measure", refinement_measure.measure)
    assert refinement.main([*data, *options, "--json", str(part), "--resume"]) == 0
    figures = [
        {name: {key: value for key, value in one.items() if key != "seconds"}
         for name, one in results(path).items()}
        for path in (whole, part)
    ]  # fmt: skip
    assert figures[0] == figures[1]
    assert refinement.main([*data, *options, "--half=test", "--json", str(part), "--resume"]) == 2


def test_the_halves_are_parts_of_the_whole() -> None:
    names = [f"{number:012}.jpg" for number in range(400)]
    halves = [{name for name in names if in_half(name, half)} for half in ("tune", "test")]
    assert halves[0] | halves[1] == set(names)
    assert not halves[0] & halves[1]
    assert 150 < len(halves[0]) < 250
    assert all(in_half(name, "all") for name in names)


def test_errors_of_a_model() -> None:
    truth = truth_of(0)
    moved = jittered(truth, "a")
    assert np.array_equal(moved, jittered(truth, "a"))
    assert not np.array_equal(moved, jittered(truth, "b"))
    values = [iou(jittered(truth, str(seed)), truth) for seed in range(60)]
    assert 0.75 < float(np.mean(values)) < 0.95
    corner = disc(SIZE, (2, 2), 12)
    assert all(jittered(corner, str(seed)).shape == SIZE for seed in range(20))
    codec = get_codec("shapetokens:tokens=4")
    dropped = make_coarse(codec, truth, "dropped", "")
    two = get_codec("shapetokens:tokens=2")
    assert iou(make_coarse(codec, truth, "none", ""), truth) > iou(dropped, truth) > 0.7
    assert (
        iou(dropped, two.decode(two.encode([Mask(truth, "dog")], SIZE), SIZE).masks[0].array) > 0.7
    )
    with pytest.raises(MaskCodecError, match="no codes to leave away"):
        make_coarse(get_codec("boxgrid"), truth, "dropped", "")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--images", "x"], "go together"),
        (["--resume"], "--resume needs --json"),
        (["--specs", "no-such"], "no-such"),
        (["--methods", "no-such"], "no method 'no-such'"),
    ],
)
def test_wrong_options_are_said(
    options: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refinement.main([*options, "--quiet", "--count=1", "--jobs=1"]) == 2
    assert reason in capsys.readouterr().err


def test_the_built_in_photographs_do_without_data(capsys: pytest.CaptureFixture[str]) -> None:
    options = [
        "--count=2",
        "--specs",
        "text4seg:grid=16",
        "--methods",
        "guided",
        "--errors",
        "none",
    ]
    assert refinement.main([*options, "--jobs=1", "--quiet"]) == 0
    assert "| `text4seg:grid=16` | none | `guided` | all | 25 |" in capsys.readouterr().out

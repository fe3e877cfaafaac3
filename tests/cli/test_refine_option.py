"""`--refine` of `decode` and `segment`: masks at the edges of their images, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from command_line import run
from lora_adapters import QUIET, make_adapter, write_examples
from PIL import Image
from reading import disc, read_jsonl, write_jsonl

from maskcodec import Mask, cli, get_codec
from maskcodec.datasets.images import read_png
from maskcodec.metrics import iou

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SIZE = (120, 160)
CODEC = get_codec("text4seg:grid=16")
TRUTH = disc(SIZE, (60, 80), 38)
TEXT = CODEC.encode([Mask(TRUTH, "dog")], SIZE)


def photograph(path: Path, size: tuple[int, int] = SIZE) -> None:
    picture = np.zeros((*size, 3), np.uint8)
    truth = TRUTH[: size[0], : size[1]]
    picture[: truth.shape[0], : truth.shape[1]] = np.where(truth[..., None], 200, 40)
    noise = np.random.default_rng(0).integers(0, 12, picture.shape).astype(np.uint8)
    Image.fromarray(picture + noise).save(path)


def record(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "image": f"{id_}.png", "size": [*SIZE], "spec": CODEC.spec, "text": TEXT,
            **more}  # fmt: skip


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    photograph(folder / "a.png")
    return folder


def mask_of(path: Path) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = read_png(path) == 255
    return found


def test_records_are_refined_by_their_images(tmp_path: Path, images: Path) -> None:
    none = record("n", text=CODEC.encode([], SIZE))  # its image is not there, nor needed
    source = write_jsonl(tmp_path / "in.jsonl", [record("a"), none])
    plain, better = tmp_path / "plain", tmp_path / "better"
    assert run("decode", source, "-o", plain).status == 0
    result = run("decode", source, "--refine", "walker", "--image-dir", images, "-o", better)
    assert result == (0, "", "maskcodec decode: 2 texts, 1 masks\n")
    before, after = mask_of(plain / "a.1.dog.png"), mask_of(better / "a.1.dog.png")
    assert iou(before, TRUTH) < 0.93
    assert iou(after, TRUTH) > 0.99


def test_one_text_is_refined_by_one_image(tmp_path: Path, images: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    image = str(images / "a.png")
    options = ["--spec", CODEC.spec, "--size", "120x160", "--image-dir", image]
    out = tmp_path / "mask.png"
    assert run("decode", tmp_path / "text.txt", *options, "--refine=guided", "-o", out).status == 0
    assert iou(mask_of(out), TRUTH) > 0.95


def test_images_that_can_t_be_used_are_set_aside(tmp_path: Path, images: Path) -> None:
    photograph(images / "small.png", (60, 160))
    (images / "broken.png").write_bytes((images / "a.png").read_bytes()[:200])
    names = ["a", "lost", "small", "broken", "../images/a"]
    records = [record(f"r{n}", image=f"{name}.png") for n, name in enumerate(names)]
    source = write_jsonl(tmp_path / "in.jsonl", records)
    out = tmp_path / "out"
    result = run("decode", source, "--refine=walker", "--image-dir", images, "-o", out)
    assert result.status == 1
    assert "2 texts, 2 masks; 3 set aside" in result.err
    aside = {row["id"]: row for row in read_jsonl(out / "rejected.jsonl")}
    assert {row["field"] for row in aside.values()} == {"image"}
    assert [row["line"] for row in aside.values()] == [2, 3, 4]
    assert "there is no image" in aside["r1"]["reason"]
    assert "is 60x160 (height x width), expected 120x160" in aside["r2"]["reason"]
    assert "damaged" in aside["r3"]["reason"]


def test_auto_leaves_codecs_without_a_grid_alone(tmp_path: Path, images: Path) -> None:
    pytest.importorskip("cv2")
    boxes = get_codec("boxgrid")
    other = record("b", spec=boxes.spec, text=boxes.encode([Mask(TRUTH, "dog")], SIZE))
    source = write_jsonl(tmp_path / "in.jsonl", [record("a"), other])
    out = tmp_path / "out"
    assert run("decode", source, "--refine=auto", "--image-dir", images, "-o", out).status == 0
    assert iou(mask_of(out / "a.1.dog.png"), TRUTH) > 0.99
    decoded = boxes.decode(other["text"], SIZE).masks[0].array
    assert np.array_equal(mask_of(out / "b.1.dog.png"), decoded)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--refine=walker"], "give --image-dir"),
        (["--refine=auto"], "give --image-dir"),
        (["--image-dir=."], "is for --refine METHOD"),
        (["--refine=walkr", "--image-dir=."], "did you mean 'walker'"),
        (["--refine=walker:beta=x", "--image-dir=."], "beta=x is not a finite number"),
        (["--refine=walker", "--image-dir=no-such"], "no such folder"),
    ],
)
def test_wrong_options_are_said_in_a_line(tmp_path: Path, options: list[str], reason: str) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record("a")])
    result = run("decode", source, *options, "-o", tmp_path / "out")
    assert result.status == 2
    assert reason in result.err
    assert result.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


# --- segment ---

SPEC = "text4seg:grid=8"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter, and a file of examples beside it."""
    folder = tmp_path_factory.mktemp("made")
    make_adapter(folder, SPEC)
    write_examples(folder, SPEC, 2)
    return folder


def segment(made: Path, output: Path, *options: str) -> int:
    model = ["--model", str(made / "adapter"), "--output", str(output), "--max-new-tokens=90"]
    return cli.main(["segment", str(made / "val.jsonl"), *model, *options])


def test_segment_says_both_scores(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert segment(made, out, "--refine=walker", "--quiet") == 0
    scores = json.loads((out / "scores.json").read_text())
    assert scores["refined"]["method"].startswith("walker:band=")
    assert scores["refined"]["giou"] is not None
    assert scores["giou"] is not None
    assert "refined" in (out / "page.html").read_text()
    settings = json.loads((out / "run.json").read_text())
    assert settings["refine"] == scores["refined"]["method"]
    assert segment(made, out, "--quiet", "--resume") == 2
    assert "another refine" in capsys.readouterr().err
    assert segment(made, out, "--refine=guided", "--quiet", "--resume") == 2
    assert segment(made, out, "--refine=walker", "--resume") == 0
    assert "; refined by walker: gIoU" in capsys.readouterr().err

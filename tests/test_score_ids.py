"""Predictions that are for no sample of a data set: found out before anything is scored."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import SIZE, coco, davis, label_map, panoptic, photograph, ref, refcoco, shape
from layouts import reasonseg as write_reasonseg
from PIL import Image
from reading import write_jsonl
from scoring import coco as run_lengths
from scoring import score, unmatched

from eval import score as program

MASK = np.zeros(SIZE, np.bool_)
MASK[6:22, 8:24] = True


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scoring must not have begun."""

    def begun(*_: object) -> Any:
        raise AssertionError("scoring has begun")

    monkeypatch.setattr(program, "_count", begun)


def predictions(path: Path, *names: object, field: str = "id", **more: object) -> Path:
    return write_jsonl(
        path, [{field: one, "segmentation": run_lengths(MASK)} | more for one in names]
    )


def refs(folder: Path) -> Path:
    """Image 0 has an expression of its own, image 1 two."""
    sentences = [{"sent": "one", "sent_id": 70}, {"sent": "two", "sent_id": 71}]
    return refcoco(
        folder,
        [ref(5, 0, 100) | {"sentences": [{"sent": "it", "sent_id": 60}]},
         ref(6, 1, 101) | {"sentences": sentences}],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("id", ["a", "b"]),
        ("id", ["1"]),  # of several expressions
        ("id", ["0#1", "1#2"]),  # there are fewer
        ("image_id", [1, 2]),
        ("sent_id", [61, 72]),
    ],
)
@pytest.mark.usefixtures("early")
def test_refcoco(tmp_path: Path, field: str, names: list[object]) -> None:
    path = predictions(tmp_path / "p.jsonl", *names, field=field)
    found = score(tmp_path / "out", path, "--truth", refs(tmp_path / "r"))
    assert found.status == 2
    assert f"predictions have {field} {str(names[0])!r}" in found.err
    assert "the truth has '0#0', '1#0', '1#1', or in a field sent_id '60', '70', '71'" in found.err
    assert "--key" in found.err


@pytest.mark.parametrize(
    ("field", "name", "sample"),
    [
        ("id", "1#1", "1#1"),
        ("id", "1_1", "1#1"),
        ("id", "0", "0#0"),
        ("id", "0.jpg", "0#0"),
        ("image_id", 0, "0#0"),
        ("sent_id", "71", "1#1"),
    ],
)
def test_every_name_of_a_sample_is_let_through(
    tmp_path: Path, field: str, name: object, sample: str
) -> None:
    path = predictions(tmp_path / "p.jsonl", name, field=field)
    found = score(tmp_path / "out", path, "--truth", refs(tmp_path / "r"))
    assert found.status == 1, found.err
    assert found.counts["missing"] == 2
    lost = {one for why, one in unmatched(tmp_path / "out") if why == "missing"}
    assert lost == {"0#0", "1#0", "1#1"} - {sample}


@pytest.mark.usefixtures("early")
def test_whole_images(tmp_path: Path) -> None:
    path = predictions(tmp_path / "p.jsonl", 90, 91, field="image_id", category_id=18, score=1)
    found = score(tmp_path / "a", path, "--truth", coco(tmp_path / "c"))
    assert found.status == 2
    assert "the truth has '0', '1', '2', whose images are '0.jpg', '1.jpg', '2.jpg'" in found.err
    (tmp_path / "p").mkdir()
    found = score(tmp_path / "b", path, "--truth", panoptic(tmp_path / "p"))
    assert "the truth has '7', whose images are '0.jpg'" in found.err
    label_map(tmp_path / "voc" / "SegmentationClass" / "2007_1.png", {15: (5, 5, 25, 15)})
    found = score(tmp_path / "d", path, "--truth", tmp_path / "voc", "--preset", "voc")
    assert "the truth has '2007_1'" in found.err


@pytest.mark.usefixtures("early")
def test_videos(tmp_path: Path) -> None:
    truth = davis(tmp_path / "davis")
    (tmp_path / "mine" / "cow").mkdir(parents=True)
    found = score(tmp_path / "a", tmp_path / "mine", "--truth", truth, "--split", "val")
    assert found.status == 2
    assert "holds no video of the truth: here are 'cow', the truth has 'bear'" in found.err
    assert "bear/00000.png" in found.err
    path = predictions(tmp_path / "p.jsonl", "bear")
    found = score(tmp_path / "b", path, "--truth", truth)
    assert "is a file: predictions of videos are a folder" in found.err


def test_several_questions_about_an_image_are_numbered_by_its_name(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    target = shape("target", (8, 6), (23, 6), (23, 21), (8, 21))
    write_reasonseg(tmp_path / "r" / "val" / "ä b.json", [target], ["what barks?", "and where?"])
    arguments = ("--truth", tmp_path / "r", "--preset", "reasonseg", "--split", "val")
    for number, names in enumerate((["ä b#0", "ä b#1"], ["ä_b_0", "ä_b_1"])):
        path = predictions(tmp_path / f"{number}.jsonl", *names)
        found = score(tmp_path / f"out{number}", path, *arguments)
        assert found.status == 0, found.err
        assert found.value("gIoU") == pytest.approx(1)


def test_a_prediction_that_two_samples_take_is_told(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        label_map(tmp_path / "maps" / folder / "1.png", {1: (5, 5, 25, 15)})
        photograph(tmp_path / "images" / folder / "1.png")
    (tmp_path / "names.txt").write_text("dog\n")
    (tmp_path / "mine").mkdir()
    Image.fromarray(MASK.astype(np.uint8)).save(tmp_path / "mine" / "1.png")
    arguments = ("--truth", tmp_path / "maps", "--names", tmp_path / "names.txt",
                 "--images", tmp_path / "images")  # fmt: skip
    found = score(tmp_path / "out", tmp_path / "mine", *arguments)
    assert found.status == 1
    assert "'1' for 'a/1' and 'b/1': name predictions by their whole path" in found.err


def test_the_first_prediction_of_no_sample_is_shown(tmp_path: Path) -> None:
    path = predictions(tmp_path / "p.jsonl", "0#0", "1#0", "1#1", "9#9")
    found = score(tmp_path / "out", path, "--truth", refs(tmp_path / "r"))
    assert "predictions for no sample of the truth: 1 (the first is '9#9')" in found.err


def test_letters_with_accents_may_be_spelt_in_two_ways(tmp_path: Path) -> None:
    one, two = (unicodedata.normalize(form, "größe é") for form in ("NFC", "NFD"))
    assert one != two
    for at, (true, said) in enumerate(((one, two), (two, one))):
        root = tmp_path / str(at)
        label_map(root / "SegmentationClass" / f"{true}.png", {15: (5, 5, 25, 15)})
        label_map(root / "mine" / f"{said}.png", {15: (5, 5, 25, 15)})
        found = score(root / "out", root / "mine", "--truth", root, "--preset", "voc")
        assert found.status == 0, found.err
        assert (found.value("mIoU"), found.counts["extra"]) == (1, 0)

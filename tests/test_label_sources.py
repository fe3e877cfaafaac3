"""ReasonSeg's, panoptic and label-map layouts, in small."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from layouts import SIZE, label_map, loaded, panoptic, photograph, reasonseg, shape, single

from maskcodec import MaskCodecError, RecordError
from maskcodec.datasets import label_folder
from maskcodec.datasets import panoptic as panoptic_reader
from maskcodec.datasets import reasonseg as reasonseg_reader
from maskcodec.datasets.annotated import SourceOptions
from maskcodec.datasets.annotated_sources import find_format, open_source

OPTIONS = SourceOptions()
TRIANGLE = ((5.7, 4.2), (40.0, 8.0), (20.0, 33.0))
INNER = ((15.0, 10.0), (22.0, 10.0), (22.0, 17.0), (15.0, 17.0))


def test_reasonseg_draws_as_opencv_does(tmp_path: Path) -> None:
    shapes = [shape("ignore", *INNER), shape("target", *TRIANGLE), shape("flag", *INNER)]
    reasonseg(tmp_path / "train" / "a.json", shapes, ["what is hot?"])
    source = reasonseg_reader.read(tmp_path, SourceOptions(split="train"))
    assert source.tasks == ("reasoning",)
    image = single(source)
    expected = np.zeros(SIZE, np.uint8)
    for points, value in ((TRIANGLE, 1), (INNER, 255)):  # the largest first, though it stands last
        polygon: Any = np.array([points], np.int32)
        cv2.polylines(expected, polygon, True, (value,), 1)
        cv2.fillPoly(expected, polygon, (value,))
    assert np.array_equal(image.objects[0].array, expected == 1)
    (expression,) = image.expressions
    assert (expression.text, expression.targets) == ("what is hot?", (0,))
    assert (expression.task, expression.is_question) == ("reasoning", True)
    assert image.path == tmp_path / "train" / "a.jpg"


def test_reasonseg_texts_and_encodings(tmp_path: Path) -> None:
    path = reasonseg(tmp_path / "a.json", [shape("target", *TRIANGLE)], "café", is_sentence=False)
    data = json.dumps(json.loads(path.read_text()), ensure_ascii=False)
    path.write_bytes(data.encode("cp1252"))
    image = single(reasonseg_reader.read(tmp_path, OPTIONS))
    assert image.expressions[0].text == "café"
    assert not image.expressions[0].is_question


def test_what_is_wrong_in_reasonseg(tmp_path: Path) -> None:
    reasonseg(tmp_path / "a.json", [shape("target", (1, 2), (3, "x"))], ["a"])  # type: ignore[arg-type]
    reasonseg(tmp_path / "b.json", [{"label": "target"}], ["a"])
    reasonseg(tmp_path / "c.json", [shape("target", *TRIANGLE)], ["a"])
    (tmp_path / "c.jpg").unlink()
    (tmp_path / "d.json").write_text("[")
    reasonseg(tmp_path / "e.json", [shape("target", *TRIANGLE)], ["a", 5])
    found = loaded(reasonseg_reader.read(tmp_path, OPTIONS))
    assert "a.json, field 'shapes[0].points': holds no point, or what is no finite" in str(found[0])
    assert "b.json, field 'shapes[0].points': is missing" in str(found[1])
    assert "c.json: there is no image c beside it" in str(found[2])
    assert "d.json:1: is not JSON" in str(found[3])
    assert "e.json, field 'text[1]': is 5, expected a string" in str(found[4].problems[0])  # type: ignore[union-attr]


def test_reasonseg_without_opencv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = importlib.import_module

    def without(name: str, *given: Any) -> Any:
        if name == "cv2":
            raise ImportError
        return whole(name, *given)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(MaskCodecError, match="pip install opencv-python-headless"):
        reasonseg_reader.read(tmp_path, OPTIONS)


def test_panoptic(tmp_path: Path) -> None:
    source = panoptic_reader.read(panoptic(tmp_path), OPTIONS)
    assert source.tasks == ("panoptic",)
    image = single(source)
    assert [(mask.label, mask.area) for mask in image.objects] == [
        ("person", 250),
        ("person", 250),
        ("gravel", 20 * 60 - 2 * 100),
    ]
    assert image.stuff == {"gravel"}
    assert image.absent == ("bicycle",)
    assert image.is_exhaustive
    assert image.ignore is not None
    assert int(image.ignore.sum()) == 20 * 60 - 2 * 150
    assert image.crowds == ()


def test_panoptic_crowds_stand_apart(tmp_path: Path) -> None:
    path = panoptic(tmp_path)
    path.write_text(
        path.read_text().replace(
            '"id": 301, "category_id": 1, "iscrowd": 0', '"id": 301, "category_id": 1, "iscrowd": 1'
        )
    )
    image = single(panoptic_reader.read(path, OPTIONS))
    assert [(mask.label, mask.area) for mask in image.crowds] == [("person", 250)]
    assert [mask.label for mask in image.objects] == ["person", "gravel"]


def test_what_is_wrong_in_panoptic(tmp_path: Path) -> None:
    path = panoptic(tmp_path)
    whole = path.read_text()
    path.write_text(whole.replace('"id": 301', '"id": 302'))
    (found,) = loaded(panoptic_reader.read(path, OPTIONS))
    assert "0.png: holds segment 301, which segments_info of the json lacks" in str(found)
    path.write_text(whole.replace('"category_id": 125', '"category_id": 126'))
    (found,) = loaded(panoptic_reader.read(path, OPTIONS))
    assert "segments_info[2].category_id': 126 is the id of no category" in str(found)
    with pytest.raises(RecordError, match="no folder of panoptic PNGs; give --masks DIR"):
        panoptic_reader.read(path.rename(tmp_path / "other.json"), OPTIONS)


def test_voc(tmp_path: Path) -> None:
    label_map(tmp_path / "SegmentationClass" / "a.png", {12: (2, 2, 20, 20), 255: (20, 2, 22, 20)})
    label_map(tmp_path / "SegmentationClass" / "b.png", {15: (2, 2, 20, 20)})
    for name in "ab":
        photograph(tmp_path / "JPEGImages" / f"{name}.jpg")
    (tmp_path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Segmentation" / "train.txt").write_text("a\n")
    source = open_source(str(tmp_path), "auto", SourceOptions(split="train"))
    assert (source.format, source.tasks) == ("voc", ("semantic",))
    image = single(source)
    assert [(mask.label, mask.area) for mask in image.objects] == [("dog", 18 * 18)]
    assert image.image == "a.jpg"
    assert image.ignore is not None
    assert int(image.ignore.sum()) == 2 * 18  # 255 alone: 0 is background
    assert len(open_source(str(tmp_path), "auto", OPTIONS).entries) == 2


@pytest.mark.parametrize(("kind", "value"), [("labelTrainIds", 0), ("labelIds", 7)])
def test_cityscapes(tmp_path: Path, kind: str, value: int) -> None:
    folder = tmp_path / "gtFine" / "val" / "ulm"
    label_map(folder / f"u_1_gtFine_{kind}.png", {value: (0, 0, 9, 9), 254: (20, 0, 40, 60)})
    photograph(tmp_path / "leftImg8bit" / "val" / "ulm" / "u_1_leftImg8bit.png")
    image = single(open_source(str(tmp_path), "auto", SourceOptions(split="val")))
    assert image.image == "ulm/u_1_leftImg8bit.png"
    areas = {mask.label: mask.area for mask in image.objects}
    assert areas == {"road": 40 * 60 - 20 * 60 if value == 0 else 81}


def test_ade20k(tmp_path: Path) -> None:
    label_map(tmp_path / "annotations" / "training" / "a.png", {2: (0, 0, 9, 9)})
    photograph(tmp_path / "images" / "training" / "a.jpg")
    source = open_source(str(tmp_path), "auto", SourceOptions(split="train"))
    assert (source.format, len(source.names or ())) == ("ade20k", 150)
    assert [(mask.label, mask.area) for mask in single(source).objects] == [("building", 81)]
    table = "Idx\tRatio\tName\n1\t0.1\twall\n2\t0.1\tedifice, building\n"
    (tmp_path / "objectInfo150.txt").write_text(table)
    image = single(open_source(str(tmp_path), "auto", SourceOptions(split="train")))
    assert [(mask.label, mask.area) for mask in image.objects] == [("edifice", 81)]
    assert image.ignore is not None
    assert int(image.ignore.sum()) == 40 * 60 - 81  # 0 is not annotated


def test_pascal_context(tmp_path: Path) -> None:
    for name in "ab":
        label_map(
            tmp_path / "SegmentationClassContext" / f"{name}.png",
            {12: (0, 0, 9, 9), 59: (20, 0, 30, 60)},
        )
        photograph(tmp_path / "JPEGImages" / f"{name}.jpg")
    lists = tmp_path / "ImageSets" / "SegmentationContext"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("b\n")
    source = open_source(str(tmp_path), "auto", SourceOptions(split="val"))
    assert (source.format, len(source.names or ())) == ("pascal-context", 59)
    image = single(source)
    assert image.image == "b.jpg"
    assert [(mask.label, mask.area) for mask in image.objects] == [("dog", 81), ("wood", 600)]
    assert image.ignore is not None
    assert int(image.ignore.sum()) == 40 * 60 - 681


@pytest.mark.parametrize(
    ("maps", "ending", "value"),
    [
        ("annotations", "", 17),
        ("stuffthingmaps", "", 17),
        ("annotations", "_labelTrainIds", 16),
    ],
)
def test_coco_stuff(tmp_path: Path, maps: str, ending: str, value: int) -> None:
    places = {value: (0, 0, 9, 9), 255: (20, 0, 40, 60)}
    label_map(tmp_path / maps / "val2017" / f"000{ending}.png", places)
    if ending:  # mmsegmentation writes its maps beside the others
        label_map(tmp_path / maps / "val2017" / "000.png", {})
    photograph(tmp_path / "images" / "val2017" / "000.jpg")
    source = open_source(str(tmp_path), "auto", SourceOptions(split="val"))
    assert (source.format, len(source.names or ())) == ("coco-stuff", 171)
    image = single(source)
    assert image.image == "000.jpg"
    areas = {mask.label: mask.area for mask in image.objects}
    assert areas == {"dog": 81, "person": 40 * 60 - 81 - 20 * 60}
    assert image.ignore is not None
    assert int(image.ignore.sum()) == 20 * 60


def test_any_folder_of_label_maps(tmp_path: Path) -> None:
    label_map(
        tmp_path / "maps" / "x" / "a.png", {1: (0, 0, 9, 9), 2: (9, 9, 12, 12), 7: (30, 0, 40, 5)}
    )
    photograph(tmp_path / "photos" / "x" / "a.png")
    names = {1: "wall", 2: "sky"}
    with pytest.raises(RecordError, match="whose values nobody names; give --names FILE"):
        label_folder.read(tmp_path / "maps", OPTIONS, "labels")
    options = SourceOptions(names=names, images=tmp_path / "photos")
    (found,) = loaded(label_folder.read(tmp_path / "maps", options, "labels"))
    assert "a.png: holds 7, which the names file does not name; it names 1 to 2" in str(found)
    options = SourceOptions(names=names, images=tmp_path / "photos", ignore=(7, 2))
    image = single(label_folder.read(tmp_path / "maps", options, "labels"))
    assert [mask.label for mask in image.objects] == ["wall"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["refs(unc).p"], "refcoco"),
        (["grefs(unc).json", "instances.json"], "grefcoco"),
        (["SegmentationClass/a.png"], "voc"),
        (["gtFine/x"], "cityscapes"),
        (["annotations/training/a.png"], "ade20k"),
        (["annotations/val2017/a.png"], "coco-stuff"),
        (["SegmentationClassContext/a.png"], "pascal-context"),
        (["train/a.json"], "reasonseg"),
        (["x/a.png"], "labels"),
    ],
)
def test_formats_of_folders(tmp_path: Path, names: list[str], expected: str) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_format(str(tmp_path)) == expected


def test_formats_of_files(tmp_path: Path) -> None:
    for name, expected in {
        "instances.json.gz": "coco",
        "panoptic_val2017.json": "panoptic",
        "grefs(unc).json": "grefcoco",
        "refs(umd).p": "refcoco",
        "o.jsonl.gz": "jsonl",
    }.items():
        (tmp_path / name).touch()
        assert find_format(str(tmp_path / name)) == expected
    (tmp_path / "a.txt").touch()
    with pytest.raises(RecordError, match="has no suffix that is known"):
        find_format(str(tmp_path / "a.txt"))
    with pytest.raises(RecordError, match="no such file"):
        find_format(str(tmp_path / "b.json"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match="is a folder of no known layout"):
        find_format(str(tmp_path / "empty"))
    with pytest.raises(MaskCodecError, match="is no number of scenes"):
        open_source("scenes:0", "auto", OPTIONS)
    with pytest.raises(MaskCodecError, match="'nonsense' is unknown, expected scenes, coco"):
        open_source(str(tmp_path), "nonsense", OPTIONS)

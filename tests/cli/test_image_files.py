"""Images whose files are called otherwise than a data set says, and images stored turned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import run
from layouts import SIZE, coco_document, loaded, panoptic, photograph
from PIL import Image
from prepared import prepare
from reading import read_jsonl, write

from maskcodec import RecordError
from maskcodec.datasets import coco_source
from maskcodec.datasets import panoptic as panoptic_reader
from maskcodec.datasets.annotated import Annotated, SourceOptions
from maskcodec.datasets.image_names import image_name, image_name_if_any
from maskcodec.datasets.images import image_path
from maskcodec.records import Record

HOST = "http://images.cocodataset.org"


def lvis(path: Path) -> Path:
    """An instances json as LVIS publishes it: images have a URL and no name."""
    document = coco_document()
    for image in document["images"]:
        image["coco_url"] = f"{HOST}/val2017/{image.pop('file_name')}"
    return write(path, document)


def turned(path: Path) -> Path:
    """An image as a camera stores it that was held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", SIZE).save(path, exif=exif)
    return path


@pytest.mark.parametrize("folder", ["photos", "photos/val2017"])
def test_images_that_have_only_a_url(tmp_path: Path, folder: str) -> None:
    """Whether --image-dir is the folder of COCO's folders, or one of them."""
    source, photos = lvis(tmp_path / "lvis.json"), tmp_path / "photos"
    for number in range(3):
        photograph(tmp_path / folder / f"{number}.jpg")
    out = tmp_path / "texts.jsonl"
    for given in (photos, tmp_path / folder):
        more = ("--spec", "coco_rle", "--image-dir", given, "-o", out, "--overwrite")
        assert run("encode", source, *more).status == 0
        assert [record["image"] for record in read_jsonl(out)] == [
            f"val2017/{number}.jpg" for number in range(3)
        ]
        found = loaded(coco_source.read(source, SourceOptions(images=given)))
        assert [one.path for one in found if isinstance(one, Annotated)] == [
            tmp_path / folder / f"{number}.jpg" for number in range(3)
        ]
        sheet = run("show", out, "--image-dir", given, "--sheet", tmp_path / "sheet.html")
        assert "without their image" not in sheet.err


def test_one_image_of_a_json_that_has_only_urls(tmp_path: Path) -> None:
    source = lvis(tmp_path / "lvis.json")
    photo = photograph(tmp_path / "photos" / "1.jpg")
    shown = run("show", photo, "--masks", source, "-o", tmp_path / "o.png")
    assert shown.status == 0, shown.err
    demo = ("--images", photo.parent, "--masks", source, "--spec", "boxgrid")
    assert run("demo", *demo, "-o", tmp_path / "demo.html").status == 0


def entry(**fields: Any) -> Record:
    return Record("a.json", None, fields, "images[0].")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"file_name": "a.jpg", "coco_url": f"{HOST}/val2017/b.jpg"}, "a.jpg"),
        ({"coco_url": f"{HOST}/val2017/b.jpg"}, "val2017/b.jpg"),
        ({"file_name": None, "coco_url": f"{HOST}/x/y/val2017/b%20c.jpg?d=e"}, "val2017/b c.jpg"),
        ({"coco_url": "b.jpg"}, "b.jpg"),
        ({"coco_url": HOST}, None),
        ({"coco_url": "http://[1"}, None),
        ({"coco_url": f"{HOST}/%ff.jpg"}, None),
        ({"coco_url": 5}, None),
        ({}, None),
    ],
)
def test_the_name_of_an_image(fields: dict[str, Any], name: str | None) -> None:
    assert image_name_if_any(entry(**fields)) == name
    assert image_name(entry(**fields), "7") == (name or "7")
    if name is None:
        with pytest.raises(RecordError, match=r"images\[0\].file_name': is missing"):
            image_name(entry(**fields))


def test_a_name_that_is_no_text_is_an_error() -> None:
    with pytest.raises(RecordError, match="file_name': is 3, expected a string"):
        image_name(entry(file_name=3, coco_url=f"{HOST}/val2017/b.jpg"), "7")


def test_names_with_windows_separators(tmp_path: Path) -> None:
    document = coco_document(2)
    for camera, image in enumerate(document["images"]):
        image["file_name"] = f"cam{camera}\\0001.jpg"
        photograph(tmp_path / "photos" / f"cam{camera}" / "0001.jpg")
    source, photos = write(tmp_path / "coco.json", document), tmp_path / "photos"
    out = tmp_path / "texts.jsonl"
    assert run("encode", source, "--spec", "coco_rle", "--image-dir", photos, "-o", out).status == 0
    result = prepare(source, tmp_path / "train.jsonl", "--images", photos)
    assert result.status == 0, result.err
    found = {record["images"][0] for record in read_jsonl(tmp_path / "train.jsonl")}
    assert found == {"photos/cam0/0001.jpg", "photos/cam1/0001.jpg"}


def test_the_very_name_goes_before_its_other_spellings(tmp_path: Path) -> None:
    for name in ("a/b.jpg", "val2017/c.jpg", "c.jpg"):
        photograph(tmp_path / name)
    assert image_path(tmp_path, "a\\b.jpg") == tmp_path / "a/b.jpg"
    assert image_path(tmp_path, "val2017\\c.jpg") == tmp_path / "val2017/c.jpg"
    (tmp_path / "val2017/c.jpg").unlink()
    assert image_path(tmp_path, "val2017/c.jpg") == tmp_path / "c.jpg"
    photograph(tmp_path / "a\\b.jpg")
    assert image_path(tmp_path, "a\\b.jpg") == tmp_path / "a\\b.jpg"
    for name in ("cam1/c.jpg", "val2017/a/b.jpg", "2017/c.jpg"):
        with pytest.raises(RecordError, match="there is no image"):
            image_path(tmp_path, name)
        assert image_path(tmp_path, name, needed=False) == tmp_path / name
    with pytest.raises(RecordError, match="is outside of --image-dir"):
        image_path(tmp_path / "a", "..\\c.jpg")


def test_panoptic_images_that_have_only_a_url(tmp_path: Path) -> None:
    path = panoptic(tmp_path)
    document = json.loads(path.read_text())
    for image in document["images"]:
        image["coco_url"] = f"{HOST}/val2017/{image.pop('file_name')}"
    (found,) = loaded(panoptic_reader.read(write(path, document), SourceOptions(images=tmp_path)))
    assert isinstance(found, Annotated)
    assert found.image == "val2017/0.jpg"


def test_an_image_that_is_stored_turned_is_said(tmp_path: Path) -> None:
    document = coco_document(1)
    source, photos = write(tmp_path / "coco.json", document), tmp_path / "photos"
    photos.mkdir()
    photo = turned(photos / "0.jpg")
    hint = "(turned by 90 degrees? apply its EXIF orientation)"
    texts = tmp_path / "texts.jsonl"
    assert run("encode", source, "--spec", "coco_rle", "-o", texts).status == 0
    encoded = run("encode", source, "--spec", "coco_rle", "--image-dir", photos)
    prepared = prepare(source, tmp_path / "train.jsonl", "--images", photos)
    said = f"is {SIZE[1]}x{SIZE[0]} (height x width), but its masks are {SIZE[0]}x{SIZE[1]} {hint}"
    assert said in encoded.err
    assert said in prepared.err
    shown = run("show", photo, "--masks", source, "-o", tmp_path / "o.png")
    assert f"0.jpg is {SIZE[1]}x{SIZE[0]} {hint}" in shown.err
    sheet = run("show", texts, "--image-dir", photos, "--sheet", tmp_path / "s.html")
    assert f"expected {SIZE[0]}x{SIZE[1]} {hint}" in sheet.err
    photograph(photo, (SIZE[0], SIZE[1] + 1))
    assert hint not in prepare(source, tmp_path / "b.jsonl", "--images", photos).err


def test_what_a_label_map_needs_is_said_where_there_is_no_names_option(tmp_path: Path) -> None:
    """The way that the message of `demo` and `bench` advises leads there."""
    values = np.zeros(SIZE, np.uint8)
    values[5:20, 5:20], values[25:35, 30:50] = 1, 2
    (tmp_path / "masks").mkdir()
    label_map = tmp_path / "masks" / "0.png"
    Image.fromarray(values).save(label_map)
    photo = photograph(tmp_path / "photos" / "0.jpg")
    demo = ("demo", "--images", photo.parent, "--spec", "boxgrid", "-o", tmp_path / "demo.html")
    refused = run(*demo, "--masks", label_map)
    assert "give --names for a label map (where there is no --names, its COCO json:" in refused.err
    assert "`maskcodec encode --names`, then `decode --format coco`)" in refused.err
    (tmp_path / "names.txt").write_text("dog\ncat\n")
    texts, masks = tmp_path / "t.jsonl", tmp_path / "m.json"
    more = ("--names", tmp_path / "names.txt", "--image-dir", photo.parent, "--spec", "coco_rle")
    assert run("encode", label_map, *more, "-o", texts).status == 0
    assert run("decode", texts, "--format", "coco", "-o", masks).status == 0
    assert run(*demo, "--masks", masks).status == 0

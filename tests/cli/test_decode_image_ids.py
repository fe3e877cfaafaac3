"""The ids that images have in COCO json: a result with a wrong one counts for another image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Result, run
from pycocotools.coco import COCO
from reading import CAT, DOG, SIZE, read_jsonl, write, write_jsonl

from maskcodec import Mask, get_codec

CODEC = get_codec("coco_rle")
TEXT = CODEC.encode([Mask(DOG, "dog"), Mask(CAT, "cat")], SIZE)
CATEGORIES = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]


def record(**fields: Any) -> dict[str, Any]:
    return {**fields, "size": list(SIZE), "spec": CODEC.spec, "text": TEXT}


def truth(path: Path, *images: tuple[Any, str], size: tuple[int, int] = SIZE) -> Path:
    """A COCO json with images of these ids and names."""
    listed = [
        {"id": number, "file_name": name, "height": size[0], "width": size[1]}
        for number, name in images
    ]
    return write(path, {"images": listed, "categories": CATEGORIES, "annotations": []})


def decode(tmp_path: Path, records: list[Any], form: str, *more: str | Path) -> Result:
    source = write_jsonl(tmp_path / "in.jsonl", records)
    out = tmp_path / "out.json"
    return run("decode", source, "-o", out, "--format", form, "--overwrite", *more)


def result_ids(tmp_path: Path) -> list[Any]:
    """The image id of each text, whose two masks follow each other."""
    found = [result["image_id"] for result in json.loads((tmp_path / "out.json").read_text())]
    assert found[::2] == found[1::2]
    return found[::2]


def listed(tmp_path: Path) -> list[tuple[Any, str]]:
    """The images of a COCO json; every annotation is of one of them."""
    document = json.loads((tmp_path / "out.json").read_text())
    images = [(image["id"], image["file_name"]) for image in document["images"]]
    assert {one["image_id"] for one in document["annotations"]} == {one for one, _ in images}
    return images


def aside(tmp_path: Path) -> list[tuple[int, str, str]]:
    path = tmp_path / "out.rejected.jsonl"
    return [(one["line"], one["field"], one["reason"]) for one in read_jsonl(path)]


@pytest.mark.parametrize("form", ["coco", "coco-results"])
def test_an_id_is_read_however_it_is_spelt(tmp_path: Path, form: str) -> None:
    given = [17, 18.0, "19", "000000000139", "frame 7"]
    records = [record(id=n, image=f"{n}.jpg", image_id=one) for n, one in enumerate(given)]
    said = decode(tmp_path, records, form).err.splitlines()
    assert said[-1] == "maskcodec decode: 5 texts, 10 masks"
    expected = [17, 18, 19, 139, "frame 7"]
    if form == "coco-results":
        assert result_ids(tmp_path) == expected
    else:
        assert listed(tmp_path) == [(one, f"{n}.jpg") for n, one in enumerate(expected)]


@pytest.mark.parametrize("value", [1.5, True, [17], {}, ""])
def test_what_is_no_id_is_set_aside_where_ids_are_written(tmp_path: Path, value: object) -> None:
    records = [record(id="a", image_id=value), record(id="b", image_id=3)]
    assert decode(tmp_path, records, "coco-results").status == 1
    assert result_ids(tmp_path) == [3]
    ((line, field, reason),) = aside(tmp_path)
    assert (line, field) == (1, "image_id")
    assert "expected a name or a whole number" in reason
    assert run("decode", tmp_path / "in.jsonl", "-o", tmp_path / "masks").status == 0


def test_a_result_without_an_id_is_set_aside_and_leaves_the_others_alone(tmp_path: Path) -> None:
    records = [
        record(id=1, image="a.jpg", image_id=41), record(id=2, image="b.jpg"),
        record(id=3, image="c.jpg", image_id=None), record(id=4, image="d.jpg", image_id=44),
    ]  # fmt: skip
    result = decode(tmp_path, records, "coco-results")
    assert result.status == 1
    assert result_ids(tmp_path) == [41, 44]
    assert [(line, field) for line, field, _ in aside(tmp_path)] == [
        (2, "image_id"), (3, "image_id"),
    ]  # fmt: skip
    assert "in.jsonl:2, field 'image_id': is missing, and a result without it is" in result.err
    assert "give the truth's COCO json as --names, where images are looked up by" in result.err
    assert "2 texts, 4 masks; 2 set aside" in result.err
    plain = ("--spec", "coco_rle", "--size", "40x60", "-o", tmp_path / "plain.json")
    assert run("decode", "-", *plain, "--format", "coco-results", stdin=TEXT).status == 1


def test_one_image_may_be_called_in_several_ways(tmp_path: Path) -> None:
    """One record an object: the id says which image, whatever its name."""
    names = ["x.jpg", "val2017/x.jpg", "y.jpg"]
    records = [
        record(id=n, image=name, image_id=7 + n // 2) for n, name in enumerate(names)
    ]  # fmt: skip
    assert decode(tmp_path, records, "coco-results").status == 0
    assert result_ids(tmp_path) == [7, 7, 8]
    assert decode(tmp_path, records, "coco").err == "maskcodec decode: 3 texts, 6 masks\n"
    assert listed(tmp_path) == [(7, "x.jpg"), (8, "y.jpg")]


def test_only_images_without_an_id_get_new_ones(tmp_path: Path) -> None:
    records = [
        record(id="a", image="a.jpg"), record(id="b", image="b.jpg", image_id=30),
        record(id="c", image="c.jpg", image_id="x"), record(id="d", image="d.jpg"),
        record(id="e", image="b.jpg"), record(id="f", image="a.jpg"),
    ]  # fmt: skip
    result = decode(tmp_path, records, "coco")
    assert result.err == (
        "maskcodec decode: 6 texts, 12 masks; 2 images without an id numbered anew\n"
    )
    assert listed(tmp_path) == [(30, "b.jpg"), ("x", "c.jpg"), (31, "a.jpg"), (32, "d.jpg")]
    annotations = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert [one["image_id"] for one in annotations[::2]] == [31, 30, "x", 32, 30, 31]
    names = truth(tmp_path / "gt.json", (5, "d.jpg"), (900, "z.jpg"))
    result = decode(tmp_path, records, "coco", "--names", names)
    assert "; 1 image without an id numbered anew\n" in result.err
    assert listed(tmp_path) == [(30, "b.jpg"), ("x", "c.jpg"), (5, "d.jpg"), (901, "a.jpg")]


def test_one_id_for_two_images_is_an_error_where_images_are_listed(tmp_path: Path) -> None:
    records = [
        record(id=1, image_id=0), record(id=2, image="a.jpg", image_id=0),
        record(id=3, image="b.jpg", image_id=0),
    ]  # fmt: skip
    result = decode(tmp_path, records, "coco")
    assert result.status == 1
    assert "image_id 0 is that of 'a.jpg' in an earlier record, and of 'b.jpg' here" in result.err
    assert listed(tmp_path) == [(0, "a.jpg")]


def test_ids_are_looked_up_by_file_name(tmp_path: Path) -> None:
    """Its whole name first, then without folders, however those are separated."""
    images = [(3, "a.jpg"), (1, "val/b.jpg"), (2, "c.jpg"), (4, "x/c.jpg"), (5, "y\\e.jpg")]
    names = truth(tmp_path / "gt.json", *images)
    asked = ["a.jpg", "val2017/a.jpg", "b.jpg", "c.jpg", "x\\c.jpg", "y/e.jpg", "/tmp/b.jpg"]
    records = [record(id=n, image=name) for n, name in enumerate(asked)]
    result = decode(tmp_path, records, "coco-results", "--names", names)
    assert result_ids(tmp_path) == [3, 3, 1, 2, 4, 5]
    assert f"{names} has one image for 'b.jpg' and '/tmp/b.jpg'" in result.err


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"image": "d.jpg"}, "lists no image 'd.jpg'"),
        ({"image": "z/c.jpg"}, "lists more than one image 'z/c.jpg'"),
        ({"image": "d.jpg", "id": 1}, "lists no image 'd.jpg'"),
        ({"id": "nothing"}, "lists no image 'nothing'"),
        ({}, "the record names neither its image nor itself"),  # its line is no id
    ],
)
def test_an_image_that_is_not_found_is_said(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    names = truth(tmp_path / "gt.json", (1, "a.jpg"), (2, "x/c.jpg"), (3, "y/c.jpg"))
    assert decode(tmp_path, [record(**fields)], "coco-results", "--names", names).status == 1
    ((line, field, said),) = aside(tmp_path)
    assert (line, field) == (1, "image_id")
    assert reason in said


def test_an_image_of_another_size_is_another_image(tmp_path: Path) -> None:
    names = truth(tmp_path / "gt.json", (1, "a.jpg"), size=(41, 60))
    result = decode(tmp_path, [record(image="a.jpg")], "coco-results", "--names", names)
    assert result.status == 1
    assert "'a.jpg' is 41x60 in " in result.err
    assert "gt.json, and 40x60 here" in result.err


def test_the_id_of_a_record_may_be_that_of_its_image(tmp_path: Path) -> None:
    """Unless it may be that of an object of another image."""
    document = json.loads(truth(tmp_path / "gt.json", (7, "a.jpg"), (8, "b.jpg")).read_text())
    document["annotations"] = [{"id": 8, "image_id": 7}, {"id": 7, "image_id": 7}, {"id": None}]
    names = write(tmp_path / "gt.json", document)
    records = [record(id="7"), record(id=8), record(id="b.jpg")]
    result = decode(tmp_path, records, "coco-results", "--names", names)
    assert result_ids(tmp_path) == [7, 8]
    assert [line for line, _, _ in aside(tmp_path)] == [2]
    assert "'8' is the id of an image in " in result.err
    assert "and of an object of another" in result.err


@pytest.mark.parametrize("written", ["139", "000000000139", "scene one", 139, 139.0])
def test_ids_are_written_as_the_truth_has_them(tmp_path: Path, written: Any) -> None:
    """pycocotools takes "139" and 139 for two images."""
    names = truth(tmp_path / "gt.json", (written, "a.jpg"))
    own = written if written == "scene one" else 139
    records = [record(image="a.jpg"), record(image="b.jpg", image_id=own), record(id=written)]
    assert decode(tmp_path, records, "coco-results", "--names", names).status == 0
    assert result_ids(tmp_path) == [written] * 3
    loaded = COCO(str(names)).loadRes(str(tmp_path / "out.json"))
    assert len(loaded.anns) == 6


def test_text_ids_survive_a_round(tmp_path: Path) -> None:
    images = [{"id": f"i{n}", "file_name": f"{n}.jpg", "height": 4, "width": 4} for n in range(2)]
    square = {"category_id": 1, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]], "iscrowd": 0}
    annotations = [{"id": n, "image_id": f"i{n}", **square} for n in range(2)]
    document = {"images": images, "categories": CATEGORIES, "annotations": annotations}
    source = write(tmp_path / "coco.json", document)
    texts, out = tmp_path / "t.jsonl", tmp_path / "out.json"
    more = ("--spec", "coco_rle", "--per", "object", "-o", texts)
    assert run("encode", source, *more).status == 0
    assert run("decode", texts, "--format", "coco", "-o", out).status == 0
    assert listed(tmp_path) == [("i0", "0.jpg"), ("i1", "1.jpg")]


@pytest.mark.parametrize("images", [None, {}, [5, {"id": 1}, {"id": [1], "file_name": "a.jpg"}]])
def test_a_names_file_may_list_no_usable_image(tmp_path: Path, images: object) -> None:
    fields = {"categories": CATEGORIES} | ({} if images is None else {"images": images})
    names = write(tmp_path / "n.json", fields)
    records = [record(image="a.jpg"), record(image="b.jpg", image_id=9)]
    result = decode(tmp_path, records, "coco-results", "--names", names)
    assert result.status == 1
    assert "lists no image 'a.jpg'" in result.err
    assert result_ids(tmp_path) == [9]


def test_an_image_that_was_named_whole_is_no_other_folder_s(tmp_path: Path) -> None:
    names = truth(tmp_path / "gt.json", (7, "cam1/0001.jpg"))
    records = [record(image="cam1/0001.jpg"), record(image="cam2/0001.jpg")]
    assert decode(tmp_path, records, "coco-results", "--names", names).status == 1
    assert result_ids(tmp_path) == [7]
    [(line, field, reason)] = aside(tmp_path)
    assert (line, field) == (2, "image_id")
    assert "has one image for 'cam1/0001.jpg' and 'cam2/0001.jpg'" in reason


def test_category_ids_that_nobody_gave_are_said(tmp_path: Path) -> None:
    records = [record(image_id=3)]
    result = decode(tmp_path, records, "coco-results")
    assert "category ids are 1, 2, ... in order of appearance" in result.err
    names = write(tmp_path / "names.json", {"7": "dog"})
    result = decode(tmp_path, records, "coco-results", "--names", names)
    assert "lacks names, which got new numbers: 'cat' (8)\n" in result.err
    assert "warning" not in decode(tmp_path, records, "coco").err


@pytest.mark.parametrize("form", ["coco", "coco-results", "labels"])
def test_a_name_of_two_numbers_is_said_once(tmp_path: Path, form: str) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [record(id=n, image_id=n) for n in range(3)])
    names = write(tmp_path / "n.json", {"4": "dog", "3": "cat", "1": "dog", "5": "cat", "6": "x"})
    out = tmp_path / ("out" if form == "labels" else "out.json")
    more = ("--format", form, "--names", names, "-q", "-o", out)
    assert run("decode", source, *more).err == (
        f"maskcodec decode: warning: {names} has one name for several numbers: 'dog' (1, 4), "
        "'cat' (3, 5); its masks get the lowest of them\n"
    )
    if form != "labels":
        document = json.loads(out.read_text())
        found = document["annotations"] if form == "coco" else document
        assert {one["category_id"] for one in found} == {1, 3}

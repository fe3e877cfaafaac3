"""`maskcodec encode`: any masks to text; bad records are set aside, the rest is written."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from command_line import many_objects, run
from PIL import Image
from reading import CAT, DOG, SIZE, disc, read_jsonl, rle_fields, save, write, write_jsonl
from test_coco import coco_file

from maskcodec import Mask, get_codec, rle

SPEC = "coco_rle:alphabet=safe"


def text_of(*masks: Mask) -> str:
    return get_codec(SPEC).encode(masks, SIZE)


def test_one_mask_gives_its_text(tmp_path: Path) -> None:
    path = save(tmp_path / "dog.png", DOG)
    expected = text_of(Mask(DOG, "dog")) + "\n"
    assert run("encode", path, "--spec", SPEC) == (0, expected, "")
    assert (
        run("encode", path, "--spec", SPEC, "--label", "white horse").out
        == text_of(Mask(DOG, "white horse")) + "\n"
    )
    np.save(tmp_path / "two.npy", np.stack([DOG, CAT]))
    assert run("encode", tmp_path / "two.npy", "--spec", SPEC).out.count("two 40x60") == 2


def test_a_label_map_gives_its_text(tmp_path: Path) -> None:
    values = np.zeros(SIZE, np.uint8)
    values[DOG] = 3
    path = save(tmp_path / "map.png", values)
    write(tmp_path / "names.json", {"3": "dog"})
    result = run("encode", path, "--names", tmp_path / "names.json", "--spec", SPEC)
    assert result == (0, text_of(Mask(DOG, "dog")) + "\n", "")


def test_text_into_a_file(tmp_path: Path) -> None:
    path = save(tmp_path / "dog.png", DOG)
    out = tmp_path / "dog.txt"
    assert run("encode", path, "--spec", SPEC, "-o", out) == (0, "", "")
    assert out.read_text() == text_of(Mask(DOG, "dog")) + "\n"
    again = run("encode", path, "--spec", SPEC, "-o", out)
    assert again.status == 2
    assert "exists already; give another name, or --overwrite" in again.err
    assert run("encode", path, "--spec", SPEC, "-o", out, "--overwrite").status == 0
    refused = run("encode", path, "--spec", SPEC, "--truth")
    assert refused.status == 2
    assert "give --output FILE.jsonl" in refused.err


def test_records_of_a_coco_file(tmp_path: Path) -> None:
    path = write(tmp_path / "coco.json", coco_file())
    out = tmp_path / "out.jsonl"
    result = run("encode", path, "--spec", "coco_rle", "-o", out, "--truth")
    assert result == (0, "", "maskcodec encode: 3 records; 1 without an object\n")
    first, second, third = read_jsonl(out)
    assert list(second) == ["id", "image", "image_id", "size", "spec", "text", "truth"]
    assert (second["id"], second["image"], second["image_id"]) == ("8", "b.jpg", 8)
    assert (second["size"], second["spec"]) == ([40, 60], SPEC)
    assert second["text"] == text_of(Mask(CAT, "cat"))
    (truth,) = second["truth"]
    assert (truth["label"], truth["size"]) == ("cat", [40, 60])
    assert np.array_equal(rle.decode(rle.from_string(truth["counts"]), SIZE), CAT)
    assert (third["text"], third["truth"]) == ("none", [])
    assert len(first["truth"]) == 2

    objects = tmp_path / "objects.jsonl"
    assert run("encode", path, "--spec", SPEC, "-o", objects, "--per", "object").status == 0
    assert [record["id"] for record in read_jsonl(objects)] == ["1", "3", "2"]
    assert [record["image_id"] for record in read_jsonl(objects)] == [7, 7, 8]


def test_several_inputs_go_to_stdout(tmp_path: Path) -> None:
    save(tmp_path / "dog.png", DOG)
    np.save(tmp_path / "cat.npy", CAT)
    rles = write_jsonl(tmp_path / "r.jsonl", [rle_fields(Mask(DOG, "x"), "x.jpg", 1)])
    result = run("encode", tmp_path / "dog.png", rles, tmp_path / "cat.npy", "--spec", SPEC)
    assert result.status == 0
    records = [json.loads(line) for line in result.out.splitlines()]
    assert [record["id"] for record in records] == ["dog", "x.jpg", "cat"]
    one = run("encode", tmp_path / "dog.png", "--spec", SPEC, "-o", "-")
    assert json.loads(one.out)["id"] == "dog"


def test_bad_records_are_set_aside(tmp_path: Path) -> None:
    good = rle_fields(Mask(DOG, "dog"), "a.jpg", 1)
    path = write_jsonl(
        tmp_path / "r.jsonl",
        [good, "{oops", {**good, "image": "b.jpg", "counts": "0"}, {**good, "image": "c.jpg"},
         {**good, "image": "d.jpg", "category": "two\nlines"}],
    )  # fmt: skip
    out = tmp_path / "out.jsonl"
    result = run("encode", path, "--spec", SPEC, "-o", out, "-q")
    assert result.status == 1
    assert [record["id"] for record in read_jsonl(out)] == ["a.jpg", "c.jpg"]
    aside = read_jsonl(tmp_path / "out.rejected.jsonl")
    assert [(a["file"], a["line"], a["field"], a["id"]) for a in aside] == [
        (str(path), 2, None, None),
        (str(path), 3, "counts", "b.jpg"),
        (str(path), 5, None, "d.jpg"),
    ]
    assert aside[0]["reason"] == (
        "is not JSON: Expecting property name enclosed in double quotes (column 2)"
    )
    assert aside[1]["reason"] == "sums to 0 pixels, expected 40*60 = 2,400"
    assert "holds the control character '\\n'" in aside[2]["reason"]
    lines = result.err.splitlines()
    assert lines[1] == (
        f"maskcodec encode: set aside: {path}:3, field 'counts': sums to 0 pixels, expected "
        "40*60 = 2,400"
    )
    assert lines[-1] == (
        f"maskcodec encode: 2 records; 3 set aside, see {tmp_path / 'out.rejected.jsonl'}"
    )


@pytest.mark.parametrize(("per", "place"), [("image", "images[1]"), ("object", "annotations[1]")])
def test_a_label_that_the_format_refuses_has_a_place(tmp_path: Path, per: str, place: str) -> None:
    document = coco_file()
    document["categories"][1]["name"] = "c|at"
    document["annotations"][2]["category_id"] = 18
    path = write(tmp_path / "coco.json", document)
    out = tmp_path / "out.jsonl"
    assert run("encode", path, "--spec", "text4seg:grid=8", "-o", out, "--per", per).status == 1
    (aside,) = read_jsonl(tmp_path / "out.rejected.jsonl")
    assert (aside["field"], "label 'c|at'" in aside["reason"]) == (place, True)


def test_options_that_change_nothing_are_refused(tmp_path: Path) -> None:
    coco = write(tmp_path / "coco.json", coco_file())
    png = save(tmp_path / "dog.png", DOG)
    rles = write_jsonl(tmp_path / "r.jsonl", [rle_fields(Mask(DOG, "x"), "x.jpg", 1)])
    names = write(tmp_path / "names.json", {"1": "dog"})
    wrong: list[tuple[list[str | Path], str]] = [
        ([coco, rles, "--label", "dog"], "a COCO json or .jsonl names its objects itself"),
        ([png, "--label", "dog", "--names", names], "every mask file is a label map"),
        ([rles, "--names", names], "goes with label maps and COCO json"),
        ([rles, png, "--crowd", "skip"], "goes with COCO json"),
    ]
    for given, message in wrong:
        refused = run("encode", *given, "--spec", SPEC)
        assert refused.status == 2
        assert message in refused.err
    assert run("encode", coco, png, "--spec", SPEC, "--label", "dog").status == 0


def test_images_without_objects_are_said(tmp_path: Path) -> None:
    """A mask of 0 and 255 is no label map: 255 stands for what is not annotated."""
    path = save(tmp_path / "dog.png", DOG * np.uint8(255))
    names = write(tmp_path / "names.json", {"1": "dog"})
    result = run("encode", path, "--spec", SPEC, "--names", names)
    assert (result.status, result.out) == (0, "none\n")
    assert "shows no object (0 is background and 255 not annotated" in result.err
    assert not run("encode", path, "--spec", SPEC, "--names", names, "-q").err
    out = tmp_path / "out.jsonl"
    result = run("encode", path, "--spec", SPEC, "--names", names, "-o", out)
    assert "1 records; 1 without an object (0 is" in result.err


def test_only_ten_reasons_are_printed(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "r.jsonl", ["oops"] * 50)
    result = run("encode", path, "--spec", SPEC, "-o", tmp_path / "out.jsonl")
    assert result.status == 1
    assert len(result.err.splitlines()) == 11
    assert len(read_jsonl(tmp_path / "out.rejected.jsonl")) == 50
    assert (tmp_path / "out.jsonl").read_bytes() == b""


def test_ids_must_differ(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one = write_jsonl(tmp_path / "one.jsonl", [rle_fields(Mask(DOG, "dog"), "x.jpg", 1)])
    two = write_jsonl(tmp_path / "two.jsonl", [rle_fields(Mask(CAT, "cat"), "x.jpg", 1)])
    out = tmp_path / "out.jsonl"
    result = run("encode", one, two, "--spec", SPEC, "-o", out)
    assert result.status == 1
    assert f"{two}:1, field 'id': 'x.jpg' is the id of an earlier input already" in result.err
    assert [record["text"] for record in read_jsonl(out)] == [text_of(Mask(DOG, "dog"))]


@pytest.mark.parametrize("spec", ["coco_rle", "boxgrid", "text4seg:grid=8"])
def test_processes_change_nothing(tmp_path: Path, spec: str) -> None:
    path = many_objects(tmp_path / "r.jsonl", 60)
    one = run("encode", path, "--spec", spec, "-o", tmp_path / "1.jsonl")
    four = run("encode", path, "--spec", spec, "-o", tmp_path / "4.jsonl", "--jobs", "4")
    assert (one.status, four.status) == (0, 0)
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "4.jsonl").read_bytes()
    assert len(read_jsonl(tmp_path / "1.jsonl")) == 60


def test_outputs_that_are_refused(tmp_path: Path) -> None:
    path = many_objects(tmp_path / "r.jsonl", 2)
    content = path.read_bytes()
    (tmp_path / "out.jsonl").write_text("precious")
    for out, message in [
        (tmp_path / "out.jsonl", "exists already"),
        (tmp_path / "out.json", "must end in .jsonl"),
        (tmp_path / "no" / "out.jsonl", "does not exist; make it first"),
        (tmp_path, "must end in .jsonl"),
    ]:
        result = run("encode", path, "--spec", SPEC, "-o", out)
        assert (result.status, result.out) == (2, "")
        assert message in result.err
    one = save(tmp_path / "m.png", DOG)
    result = run("encode", one, "--spec", SPEC, "-o", tmp_path / "m.json")
    assert "must end in .txt, for the text of one mask file, or in .jsonl" in result.err
    result = run("encode", path, "--spec", SPEC, "-o", path, "--overwrite")
    assert result.status == 2
    assert "is an input too" in result.err
    assert path.read_bytes() == content
    assert (tmp_path / "out.jsonl").read_text() == "precious"


def test_an_unusable_file_leaves_the_output_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(b'{"images": []}')[:-9])
    for name in ("list.json", "cut.json.gz"):
        result = run("encode", tmp_path / name, "--spec", SPEC, "-o", out, "--overwrite")
        assert result.status == 2
        assert out.read_text() == "precious"


def test_images_are_checked(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (60, 40)).save(photos / "dog.jpg")
    masks = tmp_path / "masks"
    masks.mkdir()
    save(masks / "dog.png", DOG)
    save(masks / "cat.png", CAT)
    out = tmp_path / "out.jsonl"
    result = run("encode", masks, "--spec", SPEC, "--image-dir", photos, "-o", out)
    assert result.status == 1
    assert "there is no image 'cat'" in result.err
    assert [record["image"] for record in read_jsonl(out)] == ["dog.jpg"]


def test_a_mask_of_one_side_65536(tmp_path: Path) -> None:
    path = tmp_path / "long.npy"
    np.save(path, disc((1, 65_536), (0, 100), 50))
    assert run("encode", path, "--spec", SPEC).out.startswith("long 1x65536 ")


@pytest.mark.parametrize("spec", ["samtok", "shapetokens:codebook=nope"])
def test_a_codec_that_can_not_encode_writes_nothing(tmp_path: Path, spec: str) -> None:
    """Else only the images without objects would be written, as if all were so."""
    masks = [rle_fields(Mask(DOG, "dog"), "a.jpg", 1), rle_fields(Mask(CAT, "cat"), "b.jpg", 2)]
    source = write_jsonl(tmp_path / "masks.jsonl", masks)
    result = run("encode", source, "--spec", spec, "-o", tmp_path / "out.jsonl")
    assert result.status == 2
    assert "set aside" not in result.err
    assert not (tmp_path / "out.jsonl").exists()

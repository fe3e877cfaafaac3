"""`maskcodec show`: overlays and sheets, and every way to be given something unusable."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from command_line import run
from PIL import Image
from reading import disc, rle_fields, write_jsonl

from maskcodec import Mask, get_codec, rle

SIZE = (40, 60)
DOG = Mask(disc(SIZE, (20, 20), 10), "dog")
CAT = Mask(disc(SIZE, (20, 45), 8), "cat")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((*SIZE, 3), 120, dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def mask_file(tmp_path: Path) -> Path:
    path = tmp_path / "dog.png"
    Image.fromarray(DOG.array).save(path)
    return path


def changed(path: Path) -> npt.NDArray[np.bool_]:
    """Which pixels of an overlay are not the photo's grey."""
    with Image.open(path) as image:
        assert image.format == "PNG"
        array: npt.NDArray[np.bool_] = (np.asarray(image) != 120).any(axis=2)
    return array


def record(name: str, masks: list[Mask], **fields: Any) -> dict[str, Any]:
    """A record as `maskcodec encode --truth` writes it, with changes."""
    codec = get_codec("coco_rle")
    truth = [
        {
            "label": mask.label,
            "size": list(SIZE),
            "counts": rle.to_string(rle.encode(mask.array)).decode(),
        }
        for mask in masks
    ]
    made = {
        "id": name,
        "image": f"{name}.png",
        "size": list(SIZE),
        "spec": codec.spec,
        "text": codec.encode(masks, SIZE),
        "truth": truth,
    }
    return made | fields


def test_masks_over_a_photo(photo: Path, mask_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "overlay.png"
    result = run("show", photo, "--masks", mask_file, "--output", out, "--no-tags")
    assert result.status == 0, result.err
    assert np.array_equal(changed(out), DOG.array)
    tagged = run("show", photo, "--masks", mask_file, "--output", out)
    assert tagged.status == 0
    assert changed(out).sum() > DOG.area + 50  # the tag


def test_the_masks_of_one_image_among_many(photo: Path, tmp_path: Path) -> None:
    many = write_jsonl(
        tmp_path / "many.jsonl",
        [rle_fields(CAT, "other.png", 1), rle_fields(DOG, "photo.png", 2)],
    )
    out = tmp_path / "o.png"
    assert run("show", photo, "--masks", many, "-o", out, "--no-tags").status == 0
    assert np.array_equal(changed(out), DOG.array)
    coco = tmp_path / "coco.json"
    counts = {"size": list(SIZE), "counts": rle_fields(CAT, "", 1)["counts"]}
    images = [
        {"id": number, "file_name": name, "height": 40, "width": 60}
        for number, name in enumerate(("other.png", "photo.png"))
    ]
    annotation = {"id": 5, "image_id": 1, "category_id": 1, "segmentation": counts, "iscrowd": 0}
    categories = [{"id": 1, "name": "cat"}]
    document = {"images": images, "annotations": [annotation], "categories": categories}
    coco.write_text(json.dumps(document))
    assert run("show", photo, "--masks", coco, "-o", out, "--no-tags").status == 0
    assert np.array_equal(changed(out), CAT.array)


def test_images_of_one_name_in_several_folders(photo: Path, tmp_path: Path) -> None:
    """The masks are those of the path that agrees; where none does more, nothing is guessed."""
    for name in ("cam1", "cam2", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo.png").write_bytes(photo.read_bytes())
    listed = write_jsonl(
        tmp_path / "many.jsonl",
        [rle_fields(CAT, "cam1/photo.png", 1), rle_fields(DOG, "cam2/photo.png", 2)],
    )
    for mask, name in ((CAT, "cam1"), (DOG, "cam2")):
        (tmp_path / "masks" / name).mkdir(parents=True)
        Image.fromarray(mask.array).save(tmp_path / "masks" / name / "photo.png")
    out = tmp_path / "o.png"
    for masks in (listed, tmp_path / "masks"):
        for mask, name in ((CAT, "cam1"), (DOG, "cam2")):
            shown = tmp_path / name / "photo.png"
            done = run("show", shown, "--masks", masks, "-o", out, "--no-tags")
            assert done.status == 0, done.err
            assert np.array_equal(changed(out), mask.array)
        result = run("show", tmp_path / "other" / "photo.png", "--masks", masks, "-o", out)
        assert result.status == 2
        assert "'cam1/photo" in result.err
        assert "which of them is" in result.err


def test_what_a_text_says(photo: Path, tmp_path: Path) -> None:
    text = get_codec("coco_rle").encode([DOG], SIZE)
    file, out = tmp_path / "answer.txt", tmp_path / "o.png"
    file.write_text(text + "\n")
    for given in (text, file):
        result = run("show", photo, "--text", given, "--spec", "coco_rle", "-o", out, "--no-tags")
        assert result.status == 0
        assert result.err == ""
        assert np.array_equal(changed(out), DOG.array)


def test_repairs_are_said(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.png"
    result = run("show", photo, "--text", "\x1b[31m no mask", "--spec", "coco_rle", "-o", out)
    assert result.status == 0
    assert "repaired at character 0" in result.err
    assert "\x1b" not in result.err
    assert not changed(out).any()


def test_a_sheet_of_one_text_beside_its_truth(photo: Path, mask_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.html"
    text = get_codec("coco_rle").encode([DOG], SIZE)
    result = run(
        *("show", photo, "--masks", mask_file, "--text", text, "--spec", "coco_rle"),
        *("--sheet", out, "--tokenizer", "gpt4o"),
    )
    assert result.status == 0, result.err
    page = out.read_text("utf-8")
    assert "IoU <b>1.000</b>" in page
    assert "token" in page
    assert page.count("<img ") == 3


def test_what_a_codec_makes_of_masks(photo: Path, mask_file: Path, tmp_path: Path) -> None:
    page, out = tmp_path / "sheet.html", tmp_path / "o.png"
    for spec in ("coco_rle", "text4seg:grid=2x3,sample=best"):
        result = run(
            *("show", photo, "--masks", mask_file, "--spec", spec, "--label", "dog"),
            *("--sheet", page, "-o", out, "--no-tags"),
        )
        assert (result.status, result.err) == (0, "")
        codec = get_codec(spec)
        text = codec.encode([Mask(DOG.array, "dog")], SIZE)
        assert html.escape(text.splitlines()[-1]) in page.read_text("utf-8")
        assert np.array_equal(changed(out), codec.decode(text, SIZE).masks[0].array)


def test_a_sheet_of_records(tmp_path: Path) -> None:
    for name in "abc":
        Image.fromarray(np.full((*SIZE, 3), 120, dtype=np.uint8)).save(tmp_path / f"{name}.png")
    records = write_jsonl(
        tmp_path / "records.jsonl",
        [
            record("a", [DOG, CAT]),
            record("b", [DOG], text="<script>alert(1)</script>"),
            record("c", [], truth=None),
            record("c", [], id="d", text=get_codec("coco_rle").encode([], SIZE)),
        ],
    )
    out = tmp_path / "sheet.html"
    result = run("show", records, "--image-dir", tmp_path, "--sheet", out)
    assert result.status == 0, result.err
    assert "4 records" in result.err
    page = out.read_text("utf-8")
    assert page.count("<section>") == 4
    assert page.count("IoU <b>1.000</b>") == 2  # a, and nothing found where nothing is in d
    assert page.count("IoU <b>0.000</b>") == 1
    assert "<script>" not in page
    assert "1 repair" in page
    assert ">0.667<" in page  # the mean in the head: c has no truth
    limited = run("show", records, "--image-dir", tmp_path, "--sheet", out, "--limit", "2")
    assert limited.status == 0
    assert out.read_text("utf-8").count("<section>") == 2


def test_bad_records_are_left_out_and_missing_images_are_grey(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    records = write_jsonl(
        tmp_path / "records.jsonl",
        [
            record("gone", [DOG]),
            record("away", [DOG], image="../records.jsonl"),
            "{not json",
            record("b", [DOG], spec="nonsense"),
            record("c", [DOG], size=[0, 3]),
            record("d", [DOG], truth=[{"label": "dog", "size": [40, 60], "counts": "0"}]),
            record("e", [DOG], truth="x"),
            record("f", [DOG], text=5),
        ],
    )
    out = tmp_path / "sheet.html"
    result = run("show", records, "--image-dir", tmp_path / "images", "--sheet", out)
    assert result.status == 1
    for line in range(3, 9):
        assert f"records.jsonl:{line}" in result.err
    assert "2 records" in result.err
    assert "6 left out" in result.err
    assert "2 without their image" in result.err
    page = out.read_text("utf-8")
    assert page.count("<section>") == 2
    assert "no image: " in page


def test_an_image_of_another_size_than_its_record_is_not_shown(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((10, 10), dtype=np.uint8)).save(tmp_path / "a.png")
    records = write_jsonl(tmp_path / "r.jsonl", [record("a", [DOG])])
    result = run("show", records, "--image-dir", tmp_path, "--sheet", tmp_path / "s.html")
    assert result.status == 0
    assert "is 10x10 (height x width), expected 40x60" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photo.png", "--masks", "dog.png"], "give --output FILE.png for a picture"),
        (["photo.png", "-o", "o.png"], "nothing to show"),
        (["photo.png", "--text", "x", "-o", "o.png"], "--text needs --spec"),
        (["photo.png", "--spec", "coco_rle", "-o", "o.png"], "nothing to show"),
        (["photo.png", "--text", "x", "--spec", "coco", "-o", "o.png"], "no codec 'coco'"),
        (["none.png", "--masks", "dog.png", "-o", "o.png"], "none.png: no such file"),
        (["broken.png", "--masks", "dog.png", "-o", "o.png"], "broken.png: is no image"),
        (["cut.png", "--masks", "dog.png", "-o", "o.png"], "cut.png: is a damaged"),
        (["photo.png", "--masks", "none.png", "-o", "o.png"], "none.png: no such file"),
        (["photo.png", "--masks", "small.png", "-o", "o.png"], "small.png: has masks of 5x5"),
        (
            ["photo.png", "--masks", "other.jsonl", "-o", "o.png"],
            "no masks of an image 'photo.png'",
        ),
        (["photo.png", "--masks", "dog.png", "-o", "none/o.png"], "does not exist"),
        (["photo.png", "--masks", "dog.png", "-o", "dog.png"], "is an input too"),
        (["other.jsonl", "-o", "o.png"], "holds records: give --sheet"),
        (["empty.jsonl", "--sheet", "s.html"], "no record that can be shown"),
        (["other.jsonl", "--image-dir", "none", "--sheet", "s.html"], "none, field '--image-dir'"),
        (["other.jsonl", "--masks", "dog.png", "--sheet", "s.html"], "records hold theirs"),
        (["other.jsonl", "--label", "dog", "--sheet", "s.html"], "'--label': goes with an image"),
        (["photo.png", "--masks", "dog.png", "-o", "o.png", "--limit", "2"], "goes with records"),
        (
            ["photo.png", "--masks", "dog.png", "--sheet", "s.html", "--tokenizer", "none.json"],
            "none.json: no such file",
        ),
    ],
)
def test_unusable_input_is_one_line_and_writes_nothing(
    photo: Path,
    mask_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    Image.fromarray(noise).save("cut.png")
    Path("cut.png").write_bytes(Path("cut.png").read_bytes()[:3000])
    Image.fromarray(np.ones((5, 5), dtype=np.bool_)).save("small.png")
    write_jsonl(Path("other.jsonl"), [rle_fields(DOG, "x.png", 1), rle_fields(DOG, "y.png", 2)])
    Path("empty.jsonl").write_text("")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    result = run("show", *arguments)
    assert result.status == 2
    assert message in result.err
    assert result.out == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("opacity", ["2", "-1", "x", "", "nan"])
def test_opacity_must_be_a_share(photo: Path, opacity: str) -> None:
    result = run("show", photo, "--opacity", opacity)
    assert result.status == 2
    assert "is no number from 0 to 1" in result.err or "expected one argument" in result.err

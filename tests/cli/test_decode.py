"""`maskcodec decode`: texts to files that other tools read, whatever the texts and ids hold."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import many_objects, run
from PIL import Image
from pycocotools.coco import COCO
from reading import CAT, DOG, SIZE, only, read_jsonl, same, write, write_jsonl
from test_coco import coco_file
from test_naming import HOSTILE

from maskcodec import Mask, get_codec, rle
from maskcodec.commands import batching
from maskcodec.datasets.sample import ReadOptions

CODEC = get_codec("coco_rle")
TEXT = CODEC.encode([Mask(DOG, "dog"), Mask(CAT, "white cat")], SIZE)
ONE = CODEC.encode([Mask(DOG, "dog")], SIZE)


def record(id_: Any, text: Any = TEXT, **more: Any) -> dict[str, Any]:
    return {"id": id_, "image": f"{id_}.jpg", "size": [40, 60], "spec": CODEC.spec, "text": text,
            **more}  # fmt: skip


def decode(tmp_path: Path, records: list[Any], *more: str | Path) -> Any:
    source = write_jsonl(tmp_path / "in.jsonl", records)
    return run("decode", source, *more)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)


def test_one_png_a_mask(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = decode(tmp_path, [record("a"), record("b", "none"), record("c", ONE)], "-o", out)
    assert result == (0, "", "maskcodec decode: 3 texts, 3 masks\n")
    assert names(out) == ["a.1.dog.png", "a.2.white_cat.png", "c.1.dog.png", "masks.jsonl"]
    assert np.array_equal(pixels(out / "a.2.white_cat.png"), CAT * np.uint8(255))
    assert read_jsonl(out / "masks.jsonl")[1] == {
        "file": "a.2.white_cat.png", "id": "a", "image": "a.jpg", "label": "white cat",
        "size": [40, 60], "area": int(CAT.sum()),
    }  # fmt: skip


def test_label_maps_come_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = decode(tmp_path, [record("a"), record("b", "none")], "-o", out, "--format", "labels")
    assert result.status == 0
    assert names(out) == ["a.png", "b.png", "names.json"]
    with Image.open(out / "a.png") as image:
        assert image.mode == "P"
    listed = {int(k): v for k, v in json.loads((out / "names.json").read_text()).items()}
    assert listed == {1: "dog", 2: "white cat"}
    sample = only(out / "a.png", options=ReadOptions(names=listed))
    assert [mask.label for mask in sample.masks] == ["dog", "white cat"]
    assert same(sample.masks[1], CAT)


def test_label_maps_of_many_labels(tmp_path: Path) -> None:
    dots = []
    for number in range(300):
        array = np.zeros(SIZE, bool)
        array.flat[number] = True
        dots.append(Mask(array, f"label {number}"))
    texts = [CODEC.encode(dots[:200], SIZE), CODEC.encode(dots, SIZE)]
    out = tmp_path / "out"
    records = [record(n, text) for n, text in enumerate(texts)]
    assert decode(tmp_path, records, "-o", out, "--format", "labels").status == 0
    listed = {int(k): v for k, v in json.loads((out / "names.json").read_text()).items()}
    assert 255 not in listed
    assert len(listed) == 300
    for name, count in (("0.png", 200), ("1.png", 300)):
        sample = only(out / name, options=ReadOptions(names=listed))
        assert [mask.label for mask in sample.masks] == [f"label {n}" for n in range(count)]


def test_labels_keep_the_numbers_of_a_names_file(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\nwhite cat\n")
    out = tmp_path / "out"
    more = ["--format", "labels", "--names", str(tmp_path / "names.txt")]
    assert decode(tmp_path, [record("a")], "-o", out, *more).status == 0
    assert json.loads((out / "names.json").read_text()) == {
        "1": "cat",
        "2": "white cat",
        "3": "dog",
    }
    assert set(pixels(out / "a.png").ravel()) == {0, 2, 3}


def test_a_label_of_the_background_s_number_is_set_aside(tmp_path: Path) -> None:
    for number, status in ((0, 1), (65_536, 1), (255, 0)):
        file = write(tmp_path / f"n{number}.json", {str(number): "dog"})
        out = tmp_path / f"out{number}"
        more = ["--format", "labels", "--names"]
        result = decode(tmp_path, [record(1, ONE)], "-o", out, *more, file)
        assert result.status == status
        if status:
            assert f"label 'dog' has the number {number}, but in a label map" in result.err
        else:
            assert np.array_equal(pixels(out / "1.png") == number, DOG)


def test_names_go_with_numbers(tmp_path: Path) -> None:
    file = write(tmp_path / "n.json", {"1": "dog"})
    for form in ("png", "npz"):
        result = decode(
            tmp_path, [record(1)], "-o", tmp_path / "o", "--names", file, "--format", form
        )
        assert result.status == 2
        assert "goes with label maps and COCO json" in result.err


@pytest.mark.parametrize("name", ["rejected.jsonl", "masks.jsonl", "names.json"])
def test_a_report_is_none_of_the_lists(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    result = decode(tmp_path, [record(1)], "-o", out, "--report", out / name)
    assert result.status == 2
    assert "is no file that a report may replace" in result.err
    assert not out.exists()


def test_suffixes_in_capitals_are_known(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "IN.JSONL", [record(1), record(2)])
    assert run("decode", path, "-o", tmp_path / "out").err == "maskcodec decode: 2 texts, 4 masks\n"
    numbers = write(tmp_path / "N.JSON", {"7": "dog", "9": "white cat"})
    more = ["--format", "labels", "--names"]
    assert run("decode", path, "-o", tmp_path / "m", *more, numbers).status == 0
    assert set(pixels(tmp_path / "m" / "1.png").ravel()) == {0, 7, 9}


def test_npz(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = decode(tmp_path, [record("a"), record("b", "none")], "-o", out, "--format", "npz")
    assert result.status == 0
    assert names(out) == ["a.npz", "b.npz"]
    with np.load(out / "a.npz") as arrays:
        assert np.array_equal(arrays["masks"], np.stack([DOG, CAT]))
        assert arrays["labels"].tolist() == ["dog", "white cat"]
        assert (str(arrays["id"]), str(arrays["image"])) == ("a", "a.jpg")
    with np.load(out / "b.npz") as arrays:
        assert (arrays["masks"].shape, arrays["masks"].dtype) == ((0, 40, 60), np.bool_)
        assert arrays["labels"].tolist() == []


def test_coco_json_is_read_by_pycocotools_and_by_us(tmp_path: Path) -> None:
    source = write(tmp_path / "coco.json", coco_file())
    texts, out = tmp_path / "texts.jsonl", tmp_path / "out.json"
    assert run("encode", source, "--spec", "coco_rle", "-o", texts).status == 0
    result = run("decode", texts, "-o", out, "--format", "coco", "--names", source)
    assert result.status == 0
    document = json.loads(out.read_text())
    assert [image["id"] for image in document["images"]] == [7, 8, 9]
    assert document["categories"] == [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}]
    cat = document["annotations"][2]
    assert (cat["image_id"], cat["category_id"], cat["area"]) == (8, 17, CAT.sum())
    assert cat["bbox"] == [39, 9, 13, 13]
    again = tmp_path / "again.jsonl"
    assert run("encode", out, "--spec", "coco_rle", "-o", again).status == 0
    assert again.read_bytes() == texts.read_bytes()

    results = tmp_path / "results.json"
    more = ["--format", "coco-results", "--names", str(source)]
    assert run("decode", texts, "-o", results, *more).status == 0
    truth = COCO(str(out))
    loaded = truth.loadRes(str(results))
    assert len(loaded.anns) == 3
    assert {annotation["score"] for annotation in loaded.anns.values()} == {1.0}


def test_coco_numbers_images_that_have_none(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    records = [record("a", ONE), record("b", ONE, image="same.jpg"), record("c", image="same.jpg")]
    assert decode(tmp_path, records, "-o", out, "--format", "coco").status == 0
    document = json.loads(out.read_text())
    assert [(image["id"], image["file_name"]) for image in document["images"]] == [
        (1, "a.jpg"), (2, "same.jpg"),
    ]  # fmt: skip
    assert [a["image_id"] for a in document["annotations"]] == [1, 2, 2, 2]
    other = record("d", "dog 4x4 `", size=[4, 4], image="same.jpg")
    result = decode(tmp_path, [*records, other], "-o", out, "--format", "coco", "--overwrite")
    assert result.status == 1
    assert "image 'same.jpg' is 4x4 here, but 40x60 in an earlier record" in result.err


def test_plain_text_into_one_file(tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text(ONE + "\n")
    more = ["--spec", "coco_rle", "--size", "40x60"]
    out = tmp_path / "mask.png"
    assert run("decode", tmp_path / "answer.txt", "-o", out, *more).status == 0
    assert np.array_equal(pixels(out), DOG * np.uint8(255))
    refused = run("decode", tmp_path / "answer.txt", "-o", out, *more)
    assert refused.status == 2
    assert "exists already" in refused.err
    two = run("decode", "-", "-o", tmp_path / "two.png", *more, stdin=TEXT)
    assert two.status == 1
    assert "the text says 2 masks, but two.png holds one: give a folder" in two.err
    for form, name in (("labels", "map.png"), ("npz", "masks.npz")):
        assert (
            run("decode", "-", "-o", tmp_path / name, *more, "--format", form, stdin=TEXT)[0] == 0
        )
    assert set(pixels(tmp_path / "map.png").ravel()) == {0, 1, 2}
    jpeg = run("decode", "-", "-o", tmp_path / "mask.jpg", *more, stdin=TEXT)
    assert jpeg.status == 2
    assert "--format png takes a folder or a name that ends in .png" in jpeg.err
    folder = run("decode", "-", "-o", tmp_path / "folder", *more, stdin=TEXT)
    assert folder.status == 0
    assert names(tmp_path / "folder") == [
        "masks.jsonl", "text.1.dog.png", "text.2.white_cat.png",
    ]  # fmt: skip


def test_records_from_stdin(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(record(n, ONE)) for n in range(3))
    result = run("decode", "-", "-o", tmp_path / "out", stdin=lines)
    assert result == (0, "", "maskcodec decode: 3 texts, 3 masks\n")


def test_spec_and_size_for_records_without(tmp_path: Path) -> None:
    bare = {"id": 1, "text": "dog 4x4 `"}
    result = decode(tmp_path, [bare, record(2)], "-o", tmp_path / "a")
    assert result.status == 1
    assert "in.jsonl:1, field 'spec': is missing; give --spec" in result.err
    result = decode(tmp_path, [bare], "-o", tmp_path / "b", "--spec", "coco_rle")
    assert "in.jsonl:1, field 'size': is missing; give --size HxW" in result.err
    more = ["--spec", "coco_rle:alphabet=coco", "--size", "8x8"]
    assert decode(tmp_path, [bare, record(2, ONE)], "-o", tmp_path / "c", *more).status == 0
    assert pixels(tmp_path / "c" / "1.1.dog.png").shape == (8, 8)
    assert pixels(tmp_path / "c" / "2.1.dog.png").shape == SIZE


def test_repairs_are_counted_and_reported(tmp_path: Path) -> None:
    records = [record("a", ONE[:-4]), record("b"), record("c", f"Sure!\n{ONE}")]
    report = tmp_path / "report.json"
    result = decode(tmp_path, records, "-o", tmp_path / "out", "--report", report)
    assert result.status == 0
    assert result.err == (
        "maskcodec decode: 3 texts, 4 masks; 2 texts repaired (area 1, object 1)\n"
    )
    listed = json.loads(report.read_text())
    assert [(entry["id"], entry["line"]) for entry in listed] == [("a", 1), ("c", 3)]
    assert set(listed[0]["repairs"][0]) == {"kind", "position", "message"}
    assert decode(tmp_path, [record("b")], "-o", tmp_path / "d", "--report", report).status == 0
    assert json.loads(report.read_text()) == []
    refused = decode(tmp_path, [record("b")], "-o", tmp_path / "e", "--report", tmp_path)
    assert refused.status == 2


def test_strict_sets_bad_texts_aside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    records = [record("a", ONE[:-4]), record("b", ONE)]
    result = decode(tmp_path, records, "-o", out, "--errors", "strict")
    assert result.status == 1
    assert names(out) == ["b.1.dog.png", "masks.jsonl", "rejected.jsonl"]
    (aside,) = read_jsonl(out / "rejected.jsonl")
    assert (aside["id"], aside["line"], aside["field"]) == ("a", 1, "text")
    assert 'errors="repair" leaves the rest empty' in aside["reason"]


def test_bad_records_are_set_aside(tmp_path: Path) -> None:
    records = [
        "oops", record(1, spec="coco_rel"), record(2, text=5), record(3, size=[0, 5]),
        record(4, spec=None), record([5]), record(6, ONE),
    ]  # fmt: skip
    result = decode(tmp_path, records, "-o", tmp_path / "out", "-q")
    assert result.status == 1
    assert [
        (aside["line"], aside["field"]) for aside in read_jsonl(tmp_path / "out" / "rejected.jsonl")
    ] == [(1, None), (2, "spec"), (3, "text"), (4, "size"), (5, "spec"), (6, "id")]
    assert names(tmp_path / "out") == ["6.1.dog.png", "masks.jsonl", "rejected.jsonl"]


@pytest.mark.parametrize("form", ["png", "labels", "npz"])
def test_hostile_ids_stay_in_the_folder(tmp_path: Path, form: str) -> None:
    records = [record(id_, ONE) for id_ in HOSTILE if id_]
    result = decode(tmp_path, records, "-o", tmp_path / "a" / "out", "--format", form)
    assert result.status == 0
    assert names(tmp_path) == ["a", "in.jsonl"]
    assert names(tmp_path / "a") == ["out"]
    written = [name for name in names(tmp_path / "a" / "out") if not name.endswith((".json", "l"))]
    assert len(written) == len(records)
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in written}) == len(records)


def test_hostile_labels_stay_in_the_folder(tmp_path: Path) -> None:
    text = ONE.replace("dog", "../../x/.png")
    assert decode(tmp_path, [record("a", text)], "-o", tmp_path / "out").status == 0
    assert names(tmp_path / "out") == ["a.1.x__png.png", "masks.jsonl"]


@pytest.mark.parametrize("form", ["png", "labels", "npz", "coco"])
def test_half_a_surrogate_pair_in_a_label(tmp_path: Path, form: str) -> None:
    text = ONE.replace("dog", "d\ud800g")
    out = tmp_path / ("out.json" if form == "coco" else "out")
    result = decode(
        tmp_path, [record("a\ud800", text), record("b", text)], "-o", out, "--format", form
    )
    assert result.status == 1
    assert "half a surrogate pair is no character" in result.err
    assert "1 texts, 1 masks" in result.err


def test_a_folder_with_files_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.1.dog.png").write_text("precious")
    result = decode(tmp_path, [record("a")], "-o", out)
    assert result.status == 2
    assert "holds files already; give a new folder, or --overwrite" in result.err
    assert (out / "a.1.dog.png").read_text() == "precious"
    assert decode(tmp_path, [record("a")], "-o", out, "--overwrite").status == 0
    assert pixels(out / "a.1.dog.png").shape == SIZE
    assert decode(tmp_path, [record("a")], "-o", tmp_path / "in.jsonl").status == 2
    folder = decode(tmp_path, [record("a")], "-o", tmp_path / "x.png")
    assert "is one file, but the input holds records: give a folder" in folder.err


def test_batches_are_cut_to_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, texts = many_objects(tmp_path / "r.jsonl", 30), tmp_path / "t.jsonl"
    run("encode", source, "--spec", "boxgrid", "-o", texts)
    mixed = tmp_path / "mixed.jsonl"
    other = [record(f"z{n}") for n in range(3)]
    lines = [line for pair in zip(read_jsonl(texts), other * 10, strict=False) for line in pair]
    write_jsonl(mixed, [{**line, "id": str(n)} for n, line in enumerate(lines)])
    assert run("decode", mixed, "-o", tmp_path / "a.json", "--format", "coco").status == 0
    monkeypatch.setattr(batching, "MAX_BATCH_PIXELS", 9_000)
    monkeypatch.setattr(batching, "MAX_BATCH_TEXTS", 3)
    assert run("decode", mixed, "-o", tmp_path / "b.json", "--format", "coco").status == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_torch_paints_the_same(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    source, texts = many_objects(tmp_path / "r.jsonl", 5), tmp_path / "t.jsonl"
    run("encode", source, "--spec", "boxgrid", "-o", texts)
    for device in ("cpu", "cpu:0"):
        out = tmp_path / f"{device[-1]}.json"
        result = run("decode", texts, "-o", out, "--format", "coco", "--device", device)
        assert result.status == 0
    assert (tmp_path / "u.json").read_bytes() == (tmp_path / "0.json").read_bytes()


def test_an_interrupted_run_leaves_readable_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [record(n) for n in range(5)]
    monkeypatch.setattr(batching, "MAX_BATCH_TEXTS", 2)
    calls = []
    real = type(CODEC).decode_batch

    def interrupt(*arguments: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) % 2 == 0:
            raise KeyboardInterrupt
        return real(*arguments, **more)

    monkeypatch.setattr(type(CODEC), "decode_batch", interrupt)
    out, report = tmp_path / "out", tmp_path / "report.json"
    result = decode(tmp_path, records, "-o", out, "--format", "labels", "--report", report)
    assert result.status == 130
    assert "interrupted; what was written is kept" in result.err
    assert names(out) == ["0.png", "1.png", "names.json"]
    result = decode(tmp_path, records, "-o", tmp_path / "out.json", "--format", "coco")
    assert result.status == 130
    assert "written when all is decoded; nothing was" in result.err
    assert names(tmp_path) == ["in.jsonl", "out"]


def test_rle_of_a_decoded_mask(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert decode(tmp_path, [record(1, ONE)], "-o", out, "--format", "coco").status == 0
    (annotation,) = json.loads(out.read_text())["annotations"]
    counts = rle.from_string(annotation["segmentation"]["counts"])
    assert np.array_equal(rle.decode(counts, SIZE), DOG)


@pytest.mark.parametrize(
    ("spec", "text", "reason"),
    [
        ("samtok", "<|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>", "SAM 2"),
        ("shapetokens:codebook=nope", "a: <|b_0001|><|b_0002|><|b_0300|><|b_0400|>", "'nope'"),
    ],
)
def test_a_record_that_can_not_be_painted_is_set_aside(
    tmp_path: Path, spec: str, text: str, reason: str
) -> None:
    """Whatever it lacks, the records around it are written."""
    bad = [{"id": f"bad{n}", "size": [40, 60], "spec": spec, "text": text} for n in range(2)]
    result = decode(tmp_path, [record("a"), *bad, record("b")], "-o", tmp_path / "out")
    assert result.status == 1
    assert f"in.jsonl:2, field 'text': {spec.partition(':')[0]}" in result.err or (
        "in.jsonl:2, field 'text': no codebook" in result.err
    )
    assert reason in result.err
    assert "2 texts, 4 masks; 2 set aside" in result.err
    assert "a.1.dog.png" in names(tmp_path / "out")
    assert "b.1.dog.png" in names(tmp_path / "out")

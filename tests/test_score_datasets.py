"""`maskcodec score` against data sets as they lie on disk, and the kinds of figures."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from layouts import (
    OTHER,
    SIZE,
    SQUARE,
    coco,
    davis,
    grefcoco,
    label_map,
    panoptic,
    photograph,
    ref,
    refcoco,
    referring_videos,
    shape,
)
from layouts import reasonseg as write_reasonseg
from PIL import Image
from reading import read_jsonl, rle_fields, write_jsonl
from scoring import coco as run_lengths
from scoring import score, unmatched

from maskcodec import Mask, cli, get_codec
from maskcodec.scores.presets import PRESETS

Bits = npt.NDArray[np.bool_]
SPEC = "boxgrid:rows=12"


def box(left: int, top: int, right: int, bottom: int) -> Bits:
    """A rectangle."""
    mask = np.zeros(SIZE, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


FIRST, SECOND = box(8, 6, 24, 22), box(36, 10, 52, 30)


def refs(folder: Path) -> Path:
    """RefCOCO: the dog of image 0 twice, and both dogs of image 1."""
    return refcoco(
        folder,
        [
            ref(5, 0, 100, "the dog", "a brown dog"),
            ref(6, 1, 101, "left dog") | {"sent_ids": [7]},
            ref(7, 1, 102, "right dog"),
            ref(8, 2, 104, "another part", split="val"),
        ],
    )


def ids_of_prepare(source: Path, output: Path, *more: str) -> list[str]:
    arguments = ["prepare", str(source), "--spec", SPEC, "-o", str(output), "-q", *more]
    assert cli.main(arguments) in (0, 1)
    return [row["id"] for row in read_jsonl(output)]


def test_refcoco_has_the_ids_of_prepare(tmp_path: Path) -> None:
    folder = refs(tmp_path / "refcoco")
    ids = ids_of_prepare(folder, tmp_path / "val.jsonl", "--split", "train")
    assert ids == ["0#0", "0#1", "1#0", "1#1"]
    truth = [FIRST, FIRST, FIRST, SECOND]
    given = [{"id": i, "segmentation": run_lengths(m)} for i, m in zip(ids, truth, strict=True)]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    shutil.rmtree(folder / "images")  # masks need no images
    found = score(
        tmp_path / "out", path, "--truth", folder, "--split", "train", "--preset", "refcoco"
    )
    assert found.status == 0, found.err
    assert found.value("cIoU") == 1
    assert found.document["scores"][0]["name"] == "cIoU"
    assert found.document["convention"]["name"] == "lisa"
    assert (found.document["preset"], found.document["split"]) == ("refcoco", "train")
    rows = [row["row"] for row in read_jsonl(tmp_path / "out" / "rows.jsonl")]
    assert [row["group"] for row in rows] == ["ref 5", "ref 5", "ref 6", "ref 7"]
    prepared = score(tmp_path / "prepared", path, "--truth", tmp_path / "val.jsonl")
    assert prepared.document["counts"]["truth"] == 4
    assert prepared.value("cIoU") == 1


def test_sentences_may_be_named_as_refcoco_names_them(tmp_path: Path) -> None:
    sentences = [{"sent": text, "sent_id": number} for number, text in ((40, "a"), (41, "b"))]
    one = ref(5, 0, 100) | {"sentences": sentences}
    folder = refcoco(tmp_path / "refcoco", [one])
    given = [
        {"sent_id": 40, "segmentation": run_lengths(FIRST)},
        {"sent_id": 41, "segmentation": run_lengths(SECOND)},
    ]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", folder)
    assert found.status == 0, found.err
    assert found.value("gIoU") == 0.5
    pngs = tmp_path / "pngs"
    pngs.mkdir()
    for number, mask in ((40, FIRST), (41, SECOND)):
        Image.fromarray(mask).save(pngs / f"{number}.png")
    named = score(tmp_path / "b", pngs, "--truth", folder, "--key", "sent_id")
    assert named.document["scores"] == found.document["scores"]
    lost = score(tmp_path / "c", pngs, "--truth", folder)
    assert lost.status == 2
    assert "--key" in lost.err


def test_a_data_set_has_a_ceiling_of_the_texts_own_codec(tmp_path: Path) -> None:
    folder = refs(tmp_path / "refcoco")
    codec = get_codec("boxgrid:rows=2")
    text = codec.encode([Mask(FIRST & (np.arange(60) % 3 > 0), "dog")], SIZE)
    given = [{"id": "0#0", "spec": codec.spec, "text": text}]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", folder, "--split", "train")
    assert found.counts["missing"] == 3
    assert found.ceiling("cIoU") == 1  # rectangles are what this codec keeps whole
    with_spec = score(
        tmp_path / "b", path, "--truth", folder, "--split", "train", "--ceiling", "polygon"
    )
    assert 0.9 < with_spec.ceiling("cIoU") <= 1


def test_grefcoco_counts_nothing_there(tmp_path: Path) -> None:
    folder = grefcoco(
        tmp_path / "g", [ref(1, 1, [101, 102], "both dogs"), ref(2, 0, [-1], "a horse")]
    )
    ids = ids_of_prepare(folder, tmp_path / "v.jsonl")
    both = [run_lengths(FIRST), run_lengths(SECOND)]
    given = [{"id": ids[0], "masks": both}, {"id": ids[1], "masks": []}]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", folder, "--preset", "grefcoco")
    assert found.status == 0, found.err
    assert [one["name"] for one in found.document["scores"][:4]] == [
        "gIoU", "cIoU", "N-acc", "T-acc",
    ]  # fmt: skip
    assert [found.value(name) for name in ("N-acc", "T-acc", "gIoU")] == pytest.approx([1, 1, 1])


def test_reasonseg_leaves_ignored_pixels_out(tmp_path: Path) -> None:
    pytest.importorskip("cv2")
    target = shape("target", (8, 6), (23, 6), (23, 21), (8, 21))
    unsure = shape("ignore", (30, 6), (45, 6), (45, 21), (30, 21))
    write_reasonseg(tmp_path / "r" / "val" / "a.json", [target, unsure], ["what barks?"])
    pngs = tmp_path / "pngs"
    pngs.mkdir()
    Image.fromarray(box(8, 6, 46, 22)).save(pngs / "a.png")  # an image with one question: its name
    arguments = (pngs, "--truth", tmp_path / "r", "--preset", "reasonseg", "--convention")
    between = (30 - 24) * 16
    lisa = score(tmp_path / "lisa", *arguments, "lisa")
    assert lisa.status == 0, lisa.err
    assert lisa.value("cIoU") == pytest.approx(256 / (256 + between))
    himtok = score(tmp_path / "himtok", *arguments, "himtok")
    assert himtok.value("cIoU") == pytest.approx(512 / (512 + between))
    background = score(tmp_path / "b", *arguments, "lisa:ignore=background")
    assert background.value("cIoU") == pytest.approx(256 / (512 + between))
    prepared = tmp_path / "val.jsonl"
    options = ["--split", "val", "--spec", "coco_rle", "--quiet", "--output", str(prepared)]
    assert cli.main(["prepare", str(tmp_path / "r"), *options]) == 0
    (example,) = (json.loads(line) for line in prepared.read_text().splitlines())
    said = {"id": example["id"], "segmentation": run_lengths(box(8, 6, 46, 22))}
    same = score(
        tmp_path / "prepared", write_jsonl(tmp_path / "p.jsonl", [said]), "--truth", prepared
    )
    assert same.value("cIoU") == lisa.value("cIoU")


def test_boxes_are_read_from_records_texts_and_masks(tmp_path: Path) -> None:
    folder = refs(tmp_path / "refcoco")
    given: list[dict[str, Any]] = [
        {"id": "0#0", "bbox": [8, 6, 16, 16]},
        {"id": "0#1", "box": [8, 6, 24, 22]},
        {"id": "1#0", "text": "It is at [8, 6, 24, 22]."},
        {"id": "1#1", "segmentation": run_lengths(SECOND)},
    ]
    arguments = ("--truth", folder, "--split", "train", "--kind", "boxes")
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), *arguments)
    assert found.status == 0, found.err
    assert found.value("REC@0.5") == found.value("REC@0.9") == 1
    given[0]["bbox"] = [8, 6, -16, 16]
    given[2]["text"] = "no idea"
    worse = score(tmp_path / "b", write_jsonl(tmp_path / "q.jsonl", given), *arguments)
    assert worse.value("REC@0.5") == 0.5
    assert worse.counts["invalid"] == 2


def test_boxes_in_texts_have_units_and_pictures(tmp_path: Path) -> None:
    folder = refs(tmp_path / "refcoco")
    names = ("0#0", "0#1", "1#0", "1#1")
    box = {"0#0": FIRST, "0#1": FIRST, "1#0": FIRST, "1#1": SECOND}
    given = []
    for name in names:
        ys, xs = np.nonzero(box[name])
        ends = (xs.min() / SIZE[1], ys.min() / SIZE[0], (xs.max() + 1) / SIZE[1],
                (ys.max() + 1) / SIZE[0])  # fmt: skip
        given.append({"id": name, "text": str([float(end) for end in ends])})  # all their digits
    assert len(given[0]["text"]) > 30
    path = write_jsonl(tmp_path / "p.jsonl", given)
    arguments = (path, "--truth", folder, "--split", "train", "--kind", "boxes")
    found = score(tmp_path / "out", *arguments, "--boxes", "one", "--shown", 8)
    assert found.status == 0, found.err
    assert found.value("REC@0.9") == 1
    page = (tmp_path / "out" / "page.html").read_text()
    assert given[0]["text"] in page
    assert "IoU <b>1.000</b>" in page
    wrong = score(tmp_path / "b", *arguments, "--boxes", "thousand")
    assert wrong.status == 2
    assert "'thousand' is unknown, expected pixels, one, percent, 999, 1000, 1024" in wrong.err
    order = score(tmp_path / "c", *arguments, "--boxes", "one,xxyy")
    assert "'xxyy' is unknown, expected xyxy, yxyx, xywh" in order.err


def test_instances_are_scored_by_image(tmp_path: Path) -> None:
    truth = coco(tmp_path / "coco")
    given = [
        {"image_id": image, "category_id": 18, "segmentation": [SQUARE], "score": 0.9}
        for image in range(3)
    ]
    given.append({"image_id": 1, "category_id": 18, "segmentation": [OTHER], "score": 0.8})
    given.append(
        {"image_id": 1, "category_id": 17, "segmentation": [[1.0, 30, 9, 30, 9, 39]], "score": 1}
    )
    path = tmp_path / "results.json"
    path.write_text(json.dumps(given))
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 0, found.err
    assert found.document["kind"] == "instances"
    assert found.value("AP") == 1
    path.write_text(json.dumps(given[:3]))
    fewer = score(tmp_path / "b", path, "--truth", truth, "--no-boundary")
    assert fewer.value("AP") < 0.5
    assert "boundary_AP" not in {one["name"] for one in fewer.document["scores"]}
    assert {one["name"] for one in fewer.document["labels"]} >= {"dog", "cat"}


def test_panoptic_predictions_as_coco_has_them(tmp_path: Path) -> None:
    truth = panoptic(tmp_path / "truth")
    predicted = tmp_path / "predicted.json"
    document = json.loads(truth.read_text())
    predicted.write_text(json.dumps({"annotations": document["annotations"]}))
    shutil.copytree(tmp_path / "truth" / "panoptic_val", tmp_path / "predicted")
    found = score(tmp_path / "out", predicted, "--truth", truth, "--preset", "coco-panoptic")
    assert found.status == 0, found.err
    assert [one["name"] for one in found.document["scores"][:3]] == ["PQ", "SQ", "RQ"]
    assert found.value("PQ") == found.value("PQ_th") == found.value("PQ_st") == 1
    document["annotations"][0]["segments_info"][0]["category_id"] = 2
    predicted.write_text(json.dumps({"annotations": document["annotations"]}))
    worse = score(tmp_path / "b", predicted, "--truth", truth)
    assert worse.value("PQ") < 1


def voc(folder: Path) -> Path:
    for number in range(3):
        values = {15: (5, 5, 25, 15), 12: (20, 20, 30, 40), 255: (0, 50, 40, 60)}
        label_map(folder / "SegmentationClass" / f"{number}.png", values)
        photograph(folder / "JPEGImages" / f"{number}.jpg")
    return folder


def test_label_maps_against_label_maps(tmp_path: Path) -> None:
    truth = voc(tmp_path / "voc")
    same = score(tmp_path / "out", truth / "SegmentationClass", "--truth", truth, "--preset", "voc")
    assert same.status == 0, same.err
    assert same.value("mIoU") == 1
    folder = tmp_path / "predicted"
    for number in range(3):
        label_map(folder / f"{number}.png", {15: (5, 5, 25, 10), 12: (20, 20, 30, 40)})
    found = score(tmp_path / "b", folder, "--truth", truth, "--preset", "voc")
    background = (40 * 50 - 200 - 200) / (40 * 50 - 200 - 200 + 100)
    assert found.value("mIoU") == pytest.approx((0.5 + 1 + background) / 3)
    labels = {one["name"]: one["iou"] for one in found.document["labels"]}
    assert labels["person"] == 0.5
    assert labels["background"] == pytest.approx(background)
    (folder / "names.json").write_text(json.dumps({"15": "dog", "12": "person"}))
    swapped = score(tmp_path / "c", folder, "--truth", truth, "--preset", "voc")
    assert swapped.value("mIoU") < 0.5


def test_label_maps_need_no_images(tmp_path: Path) -> None:
    maps = tmp_path / "stuff" / "stuffthingmaps" / "val2017"
    for number in range(2):
        label_map(maps / f"{number}.png", {15: (5, 5, 25, 15), 255: (30, 0, 40, 60)})
    arguments = ("--truth", tmp_path / "stuff", "--preset", "coco-stuff")
    found = score(tmp_path / "out", maps, *arguments)
    assert found.status == 0, found.err
    assert found.value("mIoU") == 1
    photograph(tmp_path / "stuff" / "images" / "val2017" / "0.jpg")  # of the other there is none
    found = score(tmp_path / "some", maps, *arguments)
    assert (found.status, found.counts["scored"]) == (0, 2), found.err


def test_semantic_answers_of_a_model(tmp_path: Path) -> None:
    truth = voc(tmp_path / "voc")
    prepared = tmp_path / "val.jsonl"
    arguments = ["prepare", str(truth), "--spec", "text4seg:grid=20", "-o", str(prepared), "-q"]
    assert cli.main(arguments) == 0
    rows = read_jsonl(prepared)
    given = [
        {"id": row["id"], "spec": row["spec"], "text": row["messages"][1]["content"]}
        for row in rows
    ]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", prepared)
    assert found.status == 0, found.err
    assert found.document["kind"] == "semantic"
    assert found.value("mIoU") == found.ceiling("mIoU")
    on_disk = score(tmp_path / "b", path, "--truth", truth)
    assert on_disk.counts["missing"] == 0
    assert on_disk.ceiling("mIoU") < 1


def test_grounded_answers(tmp_path: Path) -> None:
    prepared = tmp_path / "val.jsonl"
    source = write_jsonl(
        tmp_path / "o.jsonl",
        [rle_fields(Mask(m, w), "0.jpg", w) for m, w in ((FIRST, "dog"), (SECOND, "cat"))],
    )
    photograph(tmp_path / "0.jpg")
    arguments = ["prepare", str(source), "--spec", SPEC, "-o", str(prepared), "-q"]
    assert cli.main([*arguments, "--tasks", "grounded"]) == 0
    row = read_jsonl(prepared)[0]
    given = {"id": row["id"], "spec": row["spec"], "text": row["messages"][1]["content"]}
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", [given]), "-t", prepared)
    assert found.status == 0, found.err
    assert found.document["kind"] == "grounded"
    assert found.value("AP50") == found.value("recall") == 1


@pytest.mark.parametrize("kind", ["davis", "ref-youtube-vos"])
def test_videos(tmp_path: Path, kind: str) -> None:
    if kind == "davis":
        truth = davis(tmp_path / "truth")
        predicted = truth / "Annotations" / "480p"
        folder = tmp_path / "predicted"
        shutil.copytree(predicted / "bear", folder / "bear")
        split, count = "val", 2
    else:
        referring_videos(tmp_path / "truth")
        truth = tmp_path / "truth"
        folder = tmp_path / "predicted"
        for frame in sorted((truth / "train" / "Annotations" / "0f3a").iterdir()):
            values = np.array(Image.open(frame))
            for name, chosen in (("0", [1]), ("1", [3]), ("2", [1, 3])):
                path = folder / "0f3a" / name / frame.name
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.isin(values, chosen)).save(path)
        split, count = "train", 3
    arguments = ("--truth", truth, "--split", split, "--preset", kind)
    found = score(tmp_path / "out", folder, *arguments)
    assert found.status == 0, found.err
    assert found.counts["truth"] == count
    assert found.value("J&F") == 1
    shutil.rmtree(next(folder.iterdir()))
    none = score(tmp_path / "b", folder, *arguments)
    assert none.status == 2


def test_tasks_of_different_kinds_are_chosen(tmp_path: Path) -> None:
    photograph(tmp_path / "0.jpg")
    source = write_jsonl(tmp_path / "o.jsonl", [rle_fields(Mask(FIRST, "dog"), "0.jpg", "a")])
    prepared = tmp_path / "val.jsonl"
    arguments = ["prepare", str(source), "--spec", SPEC, "-o", str(prepared), "-q"]
    assert cli.main([*arguments, "--tasks", "generalised,semantic"]) == 0
    given: list[dict[str, Any]] = [
        {"id": row["id"], "spec": row["spec"], "text": row["messages"][1]["content"]}
        for row in read_jsonl(prepared)
    ]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    mixed = score(tmp_path / "out", path, "--truth", prepared)
    assert mixed.status == 2
    assert "choose by --tasks" in mixed.err
    chosen = score(tmp_path / "b", path, "--truth", prepared, "--tasks", "semantic")
    assert chosen.document["kind"] == "semantic"
    assert chosen.counts["truth"] == 1
    assert chosen.counts["extra"] == len(given) - 1
    assert ("extra", given[0]["id"]) in unmatched(tmp_path / "b")


def test_presets_name_what_there_is() -> None:
    from eval.score_kinds import describe_convention
    from maskcodec.datasets.annotated_sources import FORMATS

    for preset in PRESETS.values():
        assert preset.format == "auto" or preset.format in FORMATS
        assert describe_convention(preset.kind, preset.convention)["sentence"]
    assert list(PRESETS) == [
        "refcoco", "refcoco+", "refcocog", "grefcoco", "reasonseg", "ade20k", "pascal-context-59",
        "voc", "coco-stuff", "coco-panoptic", "ref-youtube-vos", "davis",
    ]  # fmt: skip


def test_the_ceiling_counts_samples_without_a_prediction(tmp_path: Path) -> None:
    folder = refs(tmp_path / "refcoco")
    codec = get_codec("text4seg:grid=4")
    said = {"id": "0#0", "spec": codec.spec, "text": codec.encode([], (48, 64))}
    found = score(
        tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", [said]), "--truth", folder,
        "--split", "train",
    )  # fmt: skip
    assert found.counts["missing"] > 0
    assert "the ceiling is of" not in found.err
    rows = read_jsonl(tmp_path / "out" / "rows.jsonl")
    assert all(row["row"]["ceiling"] for row in rows if row["row"]["targets"])


def test_reasons_that_do_not_fit_the_mask_are_told(tmp_path: Path) -> None:
    truth = tmp_path / "val.jsonl"
    options = ["--scene", "tiny,reasons=yes", "--tasks", "reasoning", "--spec", "boxgrid:rows=16"]
    assert cli.main(["prepare", "scenes:40", *options, "--quiet", "--output", str(truth)]) == 0
    said = {one["id"]: one["messages"][1]["content"] for one in read_jsonl(truth)}
    assert all(text.index("<mask>") for text in said.values())  # something stands before it

    def consistency(name: str, texts: dict[str, str]) -> float:
        given = [
            {"id": key, "spec": "boxgrid:rows=16", "form": "tagged", "text": text}
            for key, text in texts.items()
        ]
        path = write_jsonl(tmp_path / f"{name}.jsonl", given)
        return score(tmp_path / name, path, "--truth", truth).value("step_consistency")

    assert consistency("right", said) == 1
    swapped = {"largest": "smallest", "left": "right", "smallest": "largest", "right": "left"}
    pattern = re.compile("|".join(swapped))
    turned = {key: pattern.sub(lambda m: swapped[m[0]], text) for key, text in said.items()}
    assert turned != said
    assert consistency("turned", turned) < 1

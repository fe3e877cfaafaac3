"""`maskcodec prepare` on small copies of data sets: examples, and what is set aside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from layouts import (
    DOG,
    SIZE,
    TINY,
    coco,
    coco_document,
    grefcoco,
    label_map,
    objects,
    panoptic,
    photograph,
    reasonseg,
    ref,
    refcoco,
    shape,
)
from PIL import Image
from prepared import SPEC, aside, check, examples, prepare
from reading import write

from maskcodec import rle
from maskcodec.examples import TASKS


def test_coco_with_every_task(tmp_path: Path) -> None:
    out = tmp_path / "train.jsonl"
    tasks = "referring,generalised,semantic,panoptic,grounded,prompted"
    result = prepare(coco(tmp_path), out, "--tasks", tasks, "--tokenizer", "gpt4o")
    assert result.status == 0, result.err
    found = examples(out)
    assert {example.task for example in found} == set(tasks.split(","))
    for example in found:
        check(example)
        assert example.spec == SPEC
        assert example.source == "instances.json"
        assert example.images[0] in ("0.jpg", "1.jpg", "2.jpg")
    assert len({example.id for example in found}) == len(found)
    assert any(not turn.truth for example in found for turn in example.turns)
    assert f"{out}: {len(found)} examples of 3 images" in result.out
    assert "ceiling of the codec: mean IoU" in result.out
    assert "tokens of an answer (gpt4o): median" in result.out


def test_refcoco(tmp_path: Path) -> None:
    refs = [
        ref(1, 0, 100, "the dog", " "),
        ref(2, 1, 101, "left dog"),
        ref(3, 1, 999, "nothing"),
        ref(4, 2, 104, "dog", split="val"),
    ]
    out = tmp_path / "train.jsonl"
    folder = refcoco(tmp_path / "refcoco", refs)
    result = prepare(folder, out, "--split", "train", "--labels", "expression")
    assert result.status == 1
    found = examples(out)
    assert [one.task for one in found] == ["referring"] * 2
    assert [[mask.label for mask in one.masks()] for one in found] == [["the dog"], ["left dog"]]
    assert found[0].source == "refcoco/refs(unc).p"
    assert aside(out) == [
        (None, "refs[0].sentences[1].sent", "0#1", "the expression is empty"),
        (None, "refs[2].ann_id", "1#left-out-0", "999 is no annotation of image 1"),
    ]


def test_grefcoco(tmp_path: Path) -> None:
    refs = [ref(1, 1, [101, 102], "both dogs"), ref(2, 1, [-1], "a bird")]
    out = tmp_path / "train.jsonl"
    assert prepare(grefcoco(tmp_path / "g", refs), out, "--labels", "constant").status == 0
    found = examples(out)
    assert [one.task for one in found] == ["generalised"] * 2
    assert [[mask.label for mask in one.masks()] for one in found] == [["mask", "mask"], []]
    assert found[1].turns[0].answer == "none"


def test_reasonseg(tmp_path: Path) -> None:
    (tmp_path / "r" / "train").mkdir(parents=True)
    target = shape("target", (5, 5), (40, 5), (40, 30), (5, 30))
    reasonseg(tmp_path / "r" / "train" / "a.json", [target], ["What is it?", "Which one?"])
    out = tmp_path / "train.jsonl"
    assert prepare(tmp_path / "r", out, "--split", "train", "--turns", "2").status == 0
    (found,) = examples(out)
    assert found.task == "reasoning"
    assert [turn.question.split("?")[0] for turn in found.turns] == ["What is it", "Which one"]
    check(found)


def test_label_maps_and_panoptic(tmp_path: Path) -> None:
    label_map(tmp_path / "SegmentationClass" / "a.png", {12: (2, 2, 30, 30)})
    photograph(tmp_path / "JPEGImages" / "a.jpg")
    out = tmp_path / "train.jsonl"
    assert prepare(tmp_path, out, "--format", "voc").status == 0
    (found,) = examples(out)
    assert (found.task, [mask.label for mask in found.masks()]) == ("semantic", ["dog"])
    (tmp_path / "p").mkdir()
    out = tmp_path / "pan.jsonl"
    assert prepare(panoptic(tmp_path / "p"), out).status == 0
    (found,) = examples(out)
    assert [mask.label for mask in found.masks()] == ["person", "person", "gravel"]


def test_scenes_with_every_task(tmp_path: Path) -> None:
    out = tmp_path / "train.jsonl"
    val = tmp_path / "val" / "val.jsonl"
    val.parent.mkdir()
    more = ["--scene", "tiny", "--val-share", "0.3", "--val-output", val, "--seed", "2"]
    assert prepare("scenes:8", out, "--tasks", ",".join(TASKS), *more).status == 0
    train, held_out = examples(out), examples(val)
    assert {one.task for one in (*train, *held_out)} == set(TASKS)
    images = [{path for one in part for path in one.image_paths()} for part in (train, held_out)]
    assert images[0]
    assert images[1]
    assert not images[0] & images[1]
    for example in (*train, *held_out):
        check(example)
        with Image.open(example.image_paths()[0]) as image:
            assert image.size == example.size[::-1]
        if example.task == "referring":
            assert example.turns[0].constraints
    assert {path.parent for path in images[0] | images[1]} == {tmp_path / "images"}
    assert train[0].id.startswith("scene-200000000")


def test_scene_options_and_silhouettes(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    bad = prepare("scenes:1", out, "--scene", "colour=red")
    assert bad.status == 2
    assert "'colour=red' is no option" in bad.err
    assert "can't be read" in prepare("scenes:1", out, "--scene", "size=big").err
    assert not out.exists()
    scene = "size=48x64,objects=1-2,overlap=no,backgrounds=plain+noisy,extents=0.3-0.6"
    assert prepare("scenes:2", out, "--scene", scene, "--tasks", "semantic").status == 0
    assert {one.size for one in examples(out)} == {(48, 64)}


def test_bad_records_are_set_aside_with_their_place(tmp_path: Path) -> None:
    source = coco(tmp_path, 6)
    document = coco_document(6)
    document["images"][1]["height"] = 41
    (tmp_path / "2.jpg").unlink()
    annotation = {"image_id": 3, "category_id": DOG, "segmentation": [TINY], "id": 900}
    document["annotations"].append(annotation)
    document["annotations"].append({"id": 901, "image_id": 99})
    document["annotations"].append(annotation | {"id": 902, "image_id": 4, "category_id": 5})
    document["annotations"].append(annotation | {"id": 903, "image_id": 5, "segmentation": [[1]]})
    write(source, document)
    out = tmp_path / "t.jsonl"
    result = prepare(source, out, "--tasks", "generalised")
    assert result.status == 1
    assert {one.images[0] for one in examples(out)} == {"0.jpg", "3.jpg"}
    fields = [(field, name) for _, field, name, _ in aside(out)]
    assert fields == [
        ("annotations[13].image_id", None),
        (None, "1#"),
        (None, "2#"),
        (None, "3#left-out-0"),
        ("annotations[14].category_id", "4#"),
        ("annotations[15].segmentation[0]", "5#"),
    ]
    reasons = [reason for *_, reason in aside(out)]
    assert "is 40x60 (height x width), but its masks are 41x60" in reasons[1]
    assert "there is no image '2.jpg' here" in reasons[2]
    assert "an object 'dog' has no pixels and is left out" in reasons[3]
    assert "6 set aside, see" in result.err


def test_lines_with_expressions(tmp_path: Path) -> None:
    source = objects(tmp_path / "o.jsonl", 2, said=True)
    rows = [json.loads(line) for line in source.read_text().splitlines()]
    rows[1]["expressions"] = ["ok", "", 5]
    rows[2]["counts"] = "~"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows) + "oops\n")
    out = tmp_path / "t.jsonl"
    assert prepare(source, out).status == 1
    assert [one.task for one in examples(out)] == ["referring"] * 3
    places = [(line, field) for line, field, *_ in aside(out)]
    assert places == [
        (5, None),
        (2, "expressions"),
        (2, "expressions[1]"),
        (3, "counts"),
    ]


def test_labels_that_a_codec_can_not_hold(tmp_path: Path) -> None:
    refs = [ref(1, 0, 100, "dog: the left one", "a <mask> dog", "fine")]
    out = tmp_path / "t.jsonl"
    assert prepare(refcoco(tmp_path, refs), out, "--labels", "expression").status == 1
    assert len(examples(out)) == 1
    fields = [field for _, field, *_ in aside(out)]
    assert fields == ["refs[0].sentences[0].sent", "refs[0].sentences[1].sent"]
    assert "holds ': ', which the format needs" in aside(out)[0][3]
    assert "would be read as the mark of a mask" in aside(out)[1][3]


def test_truth_is_the_mask_itself(tmp_path: Path) -> None:
    source = objects(tmp_path / "o.jsonl", 1)
    out = tmp_path / "t.jsonl"
    assert prepare(source, out, "--tasks", "panoptic").status == 0
    (found,) = examples(out)
    given = [json.loads(line) for line in source.read_text().splitlines()]
    for mask, row in zip(found.masks(), given, strict=True):
        counts = rle.from_string(row["counts"]).astype("uint32")
        assert np.array_equal(mask.array, rle.decode(counts, SIZE))

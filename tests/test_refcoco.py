"""RefCOCO's and gRefCOCO's layouts, in small."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from layouts import SIZE, grefcoco, loaded, ref, refcoco, single
from reading import write

from maskcodec import MaskCodecError, RecordError
from maskcodec.datasets import grefcoco as grefcoco_reader
from maskcodec.datasets import refcoco as refcoco_reader
from maskcodec.datasets.annotated import Annotated, AnnotatedEntry, SourceOptions

OPTIONS = SourceOptions()


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_each_sentence_is_an_expression(tmp_path: Path, protocol: int) -> None:
    refs = [
        ref(1, 0, 100, "the dog", "left dog"),
        ref(2, 1, 102, "right dog"),
        ref(3, 1, 101, "dog on the left"),
    ]
    source = refcoco_reader.read(refcoco(tmp_path, refs, protocol=protocol), OPTIONS)
    assert (source.format, source.tasks) == ("refcoco", ("referring",))
    assert source.name == f"{tmp_path.name}/refs(unc).p"
    first, second = loaded(source)
    assert isinstance(first, Annotated)
    assert isinstance(second, Annotated)
    assert [expression.text for expression in first.expressions] == ["the dog", "left dog"]
    assert {expression.label for expression in first.expressions} == {"dog"}
    expected = np.zeros(SIZE, np.bool_)
    expected[6:22, 8:24] = True
    assert np.array_equal(first.objects[0].array, expected)
    assert [expression.targets for expression in second.expressions] == [(0,), (1,)]
    assert second.path == tmp_path / "images" / "1.jpg"
    assert not second.is_exhaustive


def test_splits(tmp_path: Path) -> None:
    refs = [ref(1, 0, 100, "a"), ref(2, 1, 101, "b", split="testA")]
    folder = refcoco(tmp_path, refs)
    for split, count in (("all", 2), ("train", 1), ("testA", 1)):
        found = refcoco_reader.read(folder, SourceOptions(split=split)).entries
        assert len(found) == count, split
    with pytest.raises(RecordError, match="holds the splits train, testA: name one with --split"):
        refcoco_reader.read(folder, SourceOptions())
    with pytest.raises(RecordError, match="no ref of split 'val'; its splits are: train, testA"):
        refcoco_reader.read(folder, SourceOptions(split="val"))


def test_two_splits_by_must_be_told_apart(tmp_path: Path) -> None:
    folder = refcoco(tmp_path, [ref(1, 0, 100, "a")], "refs(umd).p")
    refcoco(tmp_path, [ref(1, 0, 100, "a"), ref(1, 1, 101, "a")], "refs(google).p")
    with pytest.raises(RecordError, match=r"refs\(google\)\.p, refs\(umd\)\.p: give the one"):
        refcoco_reader.read(folder, OPTIONS)
    assert len(refcoco_reader.read(folder / "refs(umd).p", OPTIONS).entries) == 1


def test_every_object_where_tasks_need_them(tmp_path: Path) -> None:
    folder = refcoco(tmp_path, [ref(1, 1, 102, "right dog")])
    image = single(refcoco_reader.read(folder, SourceOptions(tasks=("panoptic",))))
    assert [mask.label for mask in image.objects] == ["dog", "dog", "cat"]
    assert image.expressions[0].targets == (0,)


def test_ids_may_be_whole_floats(tmp_path: Path) -> None:
    one = ref(1, 1, 102.0, "right dog") | {"image_id": 1.0}
    one["sentences"][0]["sent_id"] = 5.0
    source = refcoco_reader.read(refcoco(tmp_path, [one]), OPTIONS)
    (entry,) = source.entries
    assert isinstance(entry, AnnotatedEntry)
    assert entry.sentences == ("5",)
    assert single(source).expressions[0].sentence == "5"


def test_photographs_without_coco_s_old_prefix(tmp_path: Path) -> None:
    folder = refcoco(tmp_path, [ref(1, 0, 100, "a")])
    document = json.loads((folder / "instances.json").read_text())
    document["images"][0]["file_name"] = "COCO_train2014_0.jpg"
    write(folder / "instances.json", document)
    image = single(refcoco_reader.read(folder, OPTIONS))
    assert image.path == folder / "images" / "0.jpg"
    assert image.image == "COCO_train2014_0.jpg"


def test_what_is_wrong_with_one_ref_costs_that_one(tmp_path: Path) -> None:
    refs = [
        ref(1, 0, 100, "good"),
        ref(2, 0, 999, "no such annotation"),
        ref(3, 0, "100", "no number"),
        ref(4, 77, 100, "no such image"),
        7,
        {"ref_id": 5},
        ref(6, 0, 101, "of another image"),
    ]
    messages = loaded(refcoco_reader.read(refcoco(tmp_path, refs), OPTIONS))
    assert [str(message).partition("field ")[2] for message in messages[:-1]] == [
        "'refs[3].image_id': 77 is no image of " + str(tmp_path / "instances.json"),
        "'refs[4]': is 7, expected an object",
        "'refs[5].split': is missing (fields here: 'ref_id')",
    ]
    image = messages[-1]
    assert isinstance(image, Annotated)
    assert [expression.text for expression in image.expressions] == ["good"]
    assert [str(problem).partition("field ")[2] for problem in image.problems] == [
        "'refs[1].ann_id': 999 is no annotation of image 0",
        "'refs[2].ann_id': is '100', expected the ids of annotations",
        "'refs[6].ann_id': 101 is no annotation of image 0",
    ]


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"holds no refs\*\.p"):
        refcoco_reader.read(tmp_path, OPTIONS)
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps([]))
    with pytest.raises(RecordError, match="images: is no folder of images; give --images DIR"):
        refcoco_reader.read(tmp_path, OPTIONS)
    with pytest.raises(RecordError, match=r"instances\.json: no such file"):
        refcoco_reader.read(tmp_path, SourceOptions(images=tmp_path))
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(RecordError, match="is an object, expected a list of refs"):
        refcoco_reader.read(tmp_path, OPTIONS)
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(Path()))
    with pytest.raises(MaskCodecError, match="would make a Python object"):
        refcoco_reader.read(tmp_path, OPTIONS)


def test_grefcoco_means_any_number_of_objects(tmp_path: Path) -> None:
    refs = [
        ref(1, 1, [101, 102], "both dogs"),
        ref(2, 1, [-1], "a bird"),
        ref(3, 1, [103], "the cat"),
        ref(4, 1, [101, 103], "a dog and a cat"),
    ]
    source = grefcoco_reader.read(grefcoco(tmp_path, refs), OPTIONS)
    assert (source.format, source.tasks) == ("grefcoco", ("generalised",))
    image = single(source)
    assert [(e.text, e.targets, e.label) for e in image.expressions] == [
        ("both dogs", (0, 1), "dog"),
        ("a bird", (), ""),
        ("the cat", (2,), "cat"),
        ("a dog and a cat", (0, 2), ""),
    ]

"""COCO json: what is read, and what each refusal says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as pycoco
from reading import CAT, DOG, PER_OBJECT, SIZE, labels, read, same, uncompressed, write

from maskcodec import RecordError, rle
from maskcodec.datasets import coco_source, segmentation
from maskcodec.datasets.annotated import SourceOptions
from maskcodec.datasets.coco_index import read_index
from maskcodec.datasets.sample import ReadOptions, Sample
from maskcodec.records import Record


def coco_file() -> dict[str, Any]:
    packed = pycoco.encode(np.asfortranarray(CAT.astype(np.uint8)))
    return {
        "images": [
            {"id": 7, "file_name": "a.jpg", "height": 40, "width": 60},
            {"id": 8, "file_name": "b.jpg", "height": 40, "width": 60},
            {"id": 9, "file_name": "empty.jpg", "height": 30, "width": 20},
        ],
        "categories": [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}],
        "annotations": [
            {
                "id": 1, "image_id": 7, "category_id": 18, "iscrowd": 0,
                "segmentation": [[10.5, 10, 30, 12.25, 20, 35], [40, 5, 55, 5, 55, 20, 40.2, 20]],
            },
            {
                "id": 2, "image_id": 8, "category_id": 17,
                "segmentation": {"size": [40, 60], "counts": packed["counts"].decode()},
            },
            {
                "id": 3, "image_id": 7, "category_id": 17, "iscrowd": 1,
                "segmentation": {"size": [40, 60], "counts": uncompressed(DOG)},
            },
        ],
    }  # fmt: skip


def test_coco(tmp_path: Path) -> None:
    document = coco_file()
    path = write(tmp_path / "coco.json", document)
    first, second, third = read(path)
    assert isinstance(first, Sample)
    assert isinstance(second, Sample)
    assert isinstance(third, Sample)
    assert [s.id for s in (first, second, third)] == ["7", "8", "9"]
    assert [s.image_id for s in (first, second, third)] == [7, 8, 9]
    assert (first.image, labels(first)) == ("a.jpg", ["dog", "cat"])
    polygons = pycoco.frPyObjects(document["annotations"][0]["segmentation"], *SIZE)
    counts = pycoco.merge(polygons)["counts"]
    assert rle.to_string(rle.encode(first.masks[0].array)) == counts
    assert same(first.masks[1], DOG)
    assert same(second.masks[0], CAT)
    assert (third.masks, third.size) == ((), (30, 20))

    objects = read(path, options=PER_OBJECT)
    assert [(s.id, s.image_id, labels(s)) for s in objects if isinstance(s, Sample)] == [
        ("1", 7, ["dog"]), ("3", 7, ["cat"]), ("2", 8, ["cat"]),
    ]  # fmt: skip
    without = read(path, options=ReadOptions(crowd=False))
    assert [labels(s) for s in without if isinstance(s, Sample)] == [["dog"], ["cat"], []]


def spelt(document: dict[str, Any], spell: Callable[[int], Any]) -> dict[str, Any]:
    """The document with every id written as `spell` has it."""
    for part in ("images", "categories", "annotations"):
        for entry in document[part]:
            ids = {field: value for field, value in entry.items() if field.endswith("id")}
            entry.update((field, spell(value)) for field, value in ids.items())
    return document


def test_ids_are_the_same_however_they_are_spelt(tmp_path: Path) -> None:
    """Tables write 1.0 where a number of the column is missing, and other tools text."""
    expected = read(write(tmp_path / "a.json", coco_file()))
    for number, spell in enumerate((float, str)):
        path = write(tmp_path / f"{number}.json", spelt(coco_file(), spell))
        for found, sample in zip(read(path), expected, strict=True):
            assert isinstance(found, Sample)
            assert isinstance(sample, Sample)
            assert (found.id, found.image_id) == (sample.id, spell(int(sample.id)))
            assert labels(found) == labels(sample)
        objects = read(path, options=PER_OBJECT)
        assert [sample.id for sample in objects if isinstance(sample, Sample)] == ["1", "3", "2"]
        index = read_index(path)
        assert (list(index.images), index.names) == ([7, 8, 9], {18: "dog", 17: "cat"})
        assert list(index.images[7].annotations) == [1]
        assert not index.errors


@pytest.mark.parametrize("value", [1.5, True, "dog", "", [1], None, "-1"])
def test_a_category_s_id_is_a_number(tmp_path: Path, value: object) -> None:
    wrong = broken(lambda d: d["annotations"][1].update(category_id=value))
    assert "annotations[1].category_id': is" in str(read(write(tmp_path / "a.json", wrong))[1])
    wrong = broken(lambda d: d["categories"][1].update(id=value))
    with pytest.raises(RecordError, match=r"categories\[1\].id': is .* expected a whole number"):
        read(write(tmp_path / "b.json", wrong))


def broken(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    document = coco_file()
    change(document)
    return document


def set_segmentation(value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document["annotations"][1].update(segmentation=value)


PACKED = coco_file()["annotations"][1]["segmentation"]["counts"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_segmentation([[1, 2, 3, 4, 5]]), "[0]': has 5 numbers, expected x and y of at least"),
        (set_segmentation([[1, 2, 3, 4]]), "has 4 numbers, expected x and y of at least three"),
        (set_segmentation([[]]), "has 0 numbers"),
        (set_segmentation([]), "is an empty list, expected at least one polygon"),
        (set_segmentation([5, 6]), "segmentation[0]': is 5, expected a list [x, y, x, y, ...]"),
        (set_segmentation([[1, 2, 3, None, 5, 6]]), "holds what is no finite number"),
        (set_segmentation([[1, 2, 3, "4", 5, 6]]), "holds what is no finite number"),
        (set_segmentation([[1, 2, 3, 10**400, 5, 6]]), "holds what is no finite number"),
        (set_segmentation([[1, 2, 1e9, 4, 5, 6]]), "reaches 1e+09, far outside of any image"),
        (set_segmentation("abc"), "is 'abc', expected polygons or run lengths"),
        (set_segmentation(None), "is null, expected polygons or run lengths"),
        (set_segmentation({"size": [40, 60]}), "'annotations[1].segmentation.counts': is missing"),
        (set_segmentation({"size": [60, 40], "counts": PACKED}), "but the image is 40x60"),
        (set_segmentation({"size": [40, 60], "counts": PACKED[:-4]}), "sums to"),
        (
            set_segmentation({"size": [40, 60], "counts": "\u1234"}),
            "'\u1234' at character 0 stands in the counts",
        ),
        (set_segmentation({"size": [40, 60], "counts": "~~"}), "segmentation.counts'"),
        (set_segmentation({"size": [40, 60], "counts": [1, -1, 2400]}), "no run length"),
        (set_segmentation({"size": [40, 60], "counts": [1.5, 2]}), "no run length"),
        (set_segmentation({"size": [40, 60], "counts": [10**30]}), "no run length"),
        (set_segmentation({"size": [40, 60], "counts": [2399]}), "sums to 2,399 pixels, expected"),
        (set_segmentation({"size": [40, 60], "counts": 5}), "is 5, expected a string or a list"),
        (lambda d: d["annotations"][1].update(category_id=99), "99 is the id of no category"),
        (lambda d: d["annotations"][1].pop("category_id"), "category_id': is missing"),
        (lambda d: d["images"][1].update(height=0), "each side must be 1 to 65,536"),
        (lambda d: d["images"][1].update(height="40"), "height': is '40', expected a whole number"),
        (lambda d: d["images"][1].pop("width"), "'images[1].width': is missing"),
        (lambda d: d["images"][1].update(file_name=3), "file_name': is 3, expected a string"),
        (set_segmentation([[1, 1, 9, 1, float("nan"), 9]]), "holds what is no finite number"),
        (lambda d: d["images"][1].update(height=float("inf")), "is inf, expected a whole number"),
    ],
)
def test_a_bad_annotation_costs_its_image(tmp_path: Path, change: Any, message: str) -> None:
    path = write(tmp_path / "coco.json", broken(change))
    first, second, third = read(path)
    assert isinstance(first, Sample)
    assert isinstance(third, Sample)
    assert message in str(second)
    assert str(path) in str(second)


def test_a_number_that_nobody_needs_may_be_anything(tmp_path: Path) -> None:
    path = write(tmp_path / "coco.json", broken(lambda d: d["annotations"][1].update(area=1e999)))
    assert "Infinity" in path.read_text()
    assert all(isinstance(sample, Sample) for sample in read(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["annotations"].append(7), "'annotations[3]': is 7, expected an object"),
        (lambda d: d["annotations"].append({"image_id": 99}), "'99' is the id of no image"),
        (lambda d: d["annotations"].append({"id": 4}), "annotations[3].image_id': is missing"),
        (lambda d: d["images"].append({"id": 7}), "'7' is the id of another image already"),
        (lambda d: d["images"].append(None), "'images[3]': is null, expected an object"),
    ],
)
def test_what_belongs_to_no_image_is_reported(tmp_path: Path, change: Any, message: str) -> None:
    path = write(tmp_path / "coco.json", broken(change))
    (report,) = [item for item in read(path) if isinstance(item, str)]
    assert message in report
    assert len(read(path)) == 4


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "is [], expected a COCO object with images, annotations and categories"),
        ([{}] * 9, "is a list of 9, expected a COCO object"),
        ({"a": 1}, "field 'categories': is missing (fields here: 'a')"),
        (broken(lambda d: d.update(images={})), "field 'images': is an object, expected a list"),
        (broken(lambda d: d.pop("annotations")), "field 'annotations': is missing"),
        (broken(lambda d: d["categories"].append({"id": 17, "name": "x"})), "of 'cat' already"),
        (broken(lambda d: d["categories"].append({"id": 3})), "'categories[2].name': is missing"),
    ],
)
def test_json_of_another_kind(tmp_path: Path, document: Any, message: str) -> None:
    path = write(tmp_path / "coco.json", document)
    with pytest.raises(RecordError) as caught:
        read(path)
    assert message in str(caught.value)


@given(
    st.lists(
        st.lists(
            st.floats(-100, 200, width=32) | st.integers(-10, 70).map(float),
            min_size=6,
            max_size=16,
        ).map(lambda xy: xy[: len(xy) // 2 * 2]),
        min_size=1,
        max_size=3,
    )
)
def test_polygons_are_painted_as_pycocotools_paints_them(polygons: list[list[float]]) -> None:
    record = Record("f", None, {"segmentation": polygons})
    expected = pycoco.merge(pycoco.frPyObjects(polygons, *SIZE))["counts"]
    assert rle.to_string(rle.encode(segmentation.paint(record, SIZE))) == expected


def test_polygons_that_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "MAX_WORK", 10_000)
    record = Record("f", None, {"segmentation": [[0, 0, 60, 0, 60, 40]] * 9})
    with pytest.raises(RecordError, match=r"segmentation\[3\]': takes too long to paint"):
        segmentation.paint(record, SIZE)
    far = Record("f", None, {"segmentation": [[-1e5, -1e5, 1e5, 1e5, 1e5, -1e5]]})
    assert segmentation.paint(far, SIZE).any()


def test_too_many_pixels_in_one_sample(tmp_path: Path) -> None:
    document = coco_file()
    document["images"][0].update(height=46_000, width=46_000)
    path = write(tmp_path / "coco.json", document)
    assert "2 masks of 46000x46000 are more than 2,147,483,647 pixels; use --per" in str(
        read(path)[0]
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(["images", "annotations", "categories"]),
    st.integers(0, 1),
    st.sampled_from(
        ["id", "image_id", "category_id", "height", "width", "segmentation", "name", "iscrowd"]
    ),
    JSON,
)
def test_any_json_in_a_coco_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, part: str, index: int, field: str, value: Any
) -> None:
    document = coco_file()
    document[part][index][field] = value
    path = write(tmp_path_factory.mktemp("coco") / "c.json", document)
    for options in (ReadOptions(), PER_OBJECT):
        try:
            result = read(path, options=options)
        except RecordError:
            continue
        for item in result:
            if isinstance(item, Sample):
                assert all(mask.size == item.size for mask in item.masks)


@pytest.mark.parametrize(("value", "count"), [(False, 2), (None, 2), (True, 1), (1.0, 1), (0, 2)])
def test_crowds_in_words_of_json(tmp_path: Path, value: object, count: int) -> None:
    path = write(tmp_path / "c.json", broken(lambda d: d["annotations"][0].update(iscrowd=value)))
    document = broken(lambda d: d["annotations"][0].update(iscrowd=value))
    document["annotations"][2]["iscrowd"] = 0
    write(path, document)
    first = read(path, options=ReadOptions(crowd=False))[0]
    assert isinstance(first, Sample)
    assert len(first.masks) == count


@pytest.mark.parametrize("value", ["no", 2, [], 0.5])
def test_an_object_of_no_known_kind_costs_its_image(tmp_path: Path, value: object) -> None:
    """Without it the image would say what is not true."""
    path = write(tmp_path / "c.json", broken(lambda d: d["annotations"][0].update(iscrowd=value)))
    first, second, third = read(path)
    assert "annotations[0].iscrowd" in str(first)
    assert isinstance(second, Sample)
    assert isinstance(third, Sample)
    source = coco_source.read(path, SourceOptions(scoring=True))
    assert len(source.entries) == 3
    with pytest.raises(RecordError, match=r"annotations\[0\].iscrowd"):
        source.entries[0].load()  # type: ignore[union-attr]

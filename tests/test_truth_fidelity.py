"""Truth as the benchmarks' own programs make it: readers against their recipes, written anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layouts import (
    SIZE,
    coco_document,
    grefcoco,
    loaded,
    reasonseg,
    ref,
    refcoco,
    shape,
    single,
)
from PIL import ExifTags, Image
from pycocotools import mask as pycocotools
from reading import write

from maskcodec import RecordError, rle
from maskcodec.datasets import grefcoco as grefcoco_reader
from maskcodec.datasets import reasonseg as reasonseg_reader
from maskcodec.datasets import refcoco as refcoco_reader
from maskcodec.datasets.annotated import SourceOptions
from maskcodec.records import Record

cv2: Any = pytest.importorskip("cv2")

OPTIONS = SourceOptions()
HEIGHT, WIDTH = SIZE

points = st.tuples(
    st.floats(-10, WIDTH + 10, width=32).map(lambda x: round(x, 2)),
    st.floats(-10, HEIGHT + 10, width=32).map(lambda y: round(y, 2)),
)
shapes = st.lists(
    st.builds(
        lambda label, ring: shape(label, *ring),
        st.sampled_from(("target", "ignore", "flag", "Ignore_2", "FLAG", "chair")),
        st.lists(points, min_size=1, max_size=7),
    ),
    max_size=6,
)


def by_recipe(drawn: list[dict[str, Any]]) -> npt.NDArray[np.uint8]:
    """ReasonSeg's mask, step by step as its authors describe it: by falling area, ties reversed."""
    rings = [
        (one["label"].lower(), np.array(one["points"]).astype(np.int32)[None])
        for one in drawn
        if one["label"].lower() != "flag"
    ]
    areas = []
    for _, ring in rings:
        alone = np.zeros(SIZE, np.uint8)
        cv2.polylines(alone, ring, True, 1, 1)
        cv2.fillPoly(alone, ring, 1)
        areas.append(int(alone.sum()))
    values = np.zeros(SIZE, np.uint8)
    for at in np.argsort(areas, kind="stable")[::-1].tolist():
        label, ring = rings[at]
        colour = 255 if "ignore" in label else 1
        cv2.polylines(values, ring, True, colour, 1)
        cv2.fillPoly(values, ring, colour)
    return values


@settings(deadline=None, max_examples=80)
@given(shapes)
def test_reasonseg_shapes_are_drawn_as_by_the_recipe(drawn: list[dict[str, Any]]) -> None:
    found = reasonseg_reader.draw(Record("a.json", None, {"shapes": drawn}), SIZE)
    assert np.array_equal(found, by_recipe(drawn))


def test_of_equal_shapes_the_first_lies_on_top() -> None:
    box = ((5.0, 5.0), (20.0, 5.0), (20.0, 15.0), (5.0, 15.0))
    for first, second, expected in (("target", "ignore", 1), ("ignore", "target", 255)):
        drawn = [shape(first, *box), shape(second, *box)]
        found = reasonseg_reader.draw(Record("a.json", None, {"shapes": drawn}), SIZE)
        assert found[10, 10] == expected
        assert np.array_equal(found, by_recipe(drawn))


@settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(shapes)
def test_reasonseg_ignores_what_the_recipe_marks(
    tmp_path: Path, drawn: list[dict[str, Any]]
) -> None:
    reasonseg(tmp_path / "a.json", drawn, ["what?"])
    image = single(reasonseg_reader.read(tmp_path, OPTIONS))
    expected = by_recipe(drawn)
    assert np.array_equal(image.objects[0].array, expected == 1)
    ignore = np.zeros(SIZE, np.bool_) if image.ignore is None else image.ignore
    assert np.array_equal(ignore, expected == 255)


@pytest.mark.parametrize(("orientation", "sideways"), [(1, False), (3, False), (6, True)])
def test_reasonseg_photographs_stand_upright(
    tmp_path: Path, orientation: int, sideways: bool
) -> None:
    box = ((5.0, 5.0), (20.0, 5.0), (20.0, 15.0), (5.0, 15.0))
    reasonseg(tmp_path / "a.json", [shape("target", *box)], ["what?"])
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a.jpg", exif=exif)
    shown = cv2.imread(str(tmp_path / "a.jpg"))
    image = single(reasonseg_reader.read(tmp_path, SourceOptions(scoring=True)))
    assert image.size == shown.shape[:2] == ((WIDTH, HEIGHT) if sideways else SIZE)
    (found,) = loaded(reasonseg_reader.read(tmp_path, OPTIONS))
    assert isinstance(found, str) == (orientation != 1)
    assert orientation == 1 or "a.jpg: is turned by its EXIF orientation" in str(found)


PARTS = (
    [8.0, 6.0, 24.5, 6.2, 24.0, 22.9, 8.1, 22.0],
    [20.0, 10.0, 52.0, 10.0, 52.0, 30.0],
    [1.0, 30.0, 9.0, 30.0, 9.0, 39.9],
)


def runs(part: list[float], *, listed: bool = False) -> dict[str, Any]:
    """One polygon as run lengths."""
    (found,) = pycocotools.frPyObjects([part], HEIGHT, WIDTH)
    counts = rle.from_string(found["counts"])
    text = found["counts"].decode("ascii")
    return {"size": list(SIZE), "counts": counts.tolist() if listed else text}


@pytest.mark.parametrize(
    "segmentation",
    [
        list(PARTS),
        runs(PARTS[0]),
        runs(PARTS[0], listed=True),
        [runs(part) for part in PARTS],
        [runs(PARTS[0], listed=True), runs(PARTS[1])],
    ],
)
@pytest.mark.parametrize("crowd", [0, 1])
@pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools with NumPy 2
def test_refcoco_masks_are_pycocotools_of_all_parts(
    tmp_path: Path, segmentation: Any, crowd: int
) -> None:
    refcoco(tmp_path, [ref(1, 0, 100, "the dog")])
    document = coco_document()
    document["annotations"][0] |= {"segmentation": segmentation, "iscrowd": crowd}
    write(tmp_path / "instances.json", document)
    image = single(refcoco_reader.read(tmp_path, OPTIONS))
    parts = segmentation if isinstance(segmentation, list) else [segmentation]
    expected = np.zeros(SIZE, np.bool_)
    for part in parts:
        if isinstance(part, dict) and isinstance(part["counts"], list):
            one = pycocotools.frPyObjects(part, HEIGHT, WIDTH)
        elif isinstance(part, dict):
            one = {**part, "counts": part["counts"].encode()}
        else:
            (one,) = pycocotools.frPyObjects([part], HEIGHT, WIDTH)
        expected |= pycocotools.decode(one) > 0
    (target,) = image.expressions[0].targets
    assert np.array_equal(image.objects[target].array, expected)


def test_grefcoco_expressions_mean_any_number_of_objects(tmp_path: Path) -> None:
    refs = [
        ref(1, 1, [101, 102, 101], "both dogs"),
        ref(2, 1, [-1], "the zebra"),
        ref(3, 1, [103], "the cat"),
    ]
    grefcoco(tmp_path, refs)
    image = single(grefcoco_reader.read(tmp_path, OPTIONS))
    both, nothing, cat = image.expressions
    assert [image.objects[at].label for at in both.targets] == ["dog", "dog"]
    assert len(set(both.targets)) == 2
    assert nothing.targets == ()
    assert [image.objects[at].label for at in cat.targets] == ["cat"]


def test_run_lengths_among_others_that_are_wrong(tmp_path: Path) -> None:
    refcoco(tmp_path, [ref(1, 0, 100, "the dog")])
    document = coco_document()
    for segmentation, message in (
        ([runs(PARTS[0]), PARTS[1]], r"segmentation\[1\]"),
        ([runs(PARTS[0]), {"size": [3, 3], "counts": "0"}], r"segmentation\[1\]\.size"),
        ([{"size": [40_000, 40_000]}] * 2, "2 masks of 40000x40000 are more than"),
    ):
        if "40000" in message:
            document["images"][0] |= {"height": 40_000, "width": 40_000}
        document["annotations"][0]["segmentation"] = segmentation
        write(tmp_path / "instances.json", document)
        (problem,) = single(refcoco_reader.read(tmp_path, OPTIONS)).problems
        with pytest.raises(RecordError, match=message):
            raise problem

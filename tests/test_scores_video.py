"""J and F of videos against loops over pixels, OpenCV's dilation, and figures by hand."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import arrays, draw_array, sizes

from maskcodec import MaskCodecError, RecordError
from maskcodec.records import Record
from maskcodec.scores.video import (
    VideoColumns,
    VideoRow,
    compare,
    frame_scores,
    summarize,
    video_table,
)
from maskcodec.scores.video_frames import contour, contour_radius, grow

Bits = npt.NDArray[np.bool_]


def looped_contour(mask: Bits) -> Bits:
    height, width = mask.shape
    found = np.zeros_like(mask)
    for y in range(height):
        for x in range(width):
            right = mask[y, min(x + 1, width - 1)]
            below = mask[min(y + 1, height - 1), x]
            beyond = mask[min(y + 1, height - 1), min(x + 1, width - 1)]
            found[y, x] = len({bool(mask[y, x]), bool(right), bool(below), bool(beyond)}) > 1
    return found


def by_opencv(pred: Bits, truth: Bits, ignore: Bits, ratio: float = 0.008) -> tuple[float, float]:
    """J and F as the definition says, with another contour, another dilation, and no cropping."""
    import cv2
    from skimage.morphology import disk

    pred, truth = pred & ~ignore, truth & ~ignore
    union = int((pred | truth).sum())
    region = int((pred & truth).sum()) / union if union else 1.0
    radius = math.ceil(ratio * math.hypot(*pred.shape))
    footprint = disk(radius).astype(np.uint8)
    lines = [looped_contour(mask) for mask in (pred, truth)]
    wide = [cv2.dilate(line.astype(np.uint8), footprint) > 0 for line in lines]
    shown, true = (int(line.sum()) for line in lines)
    if not shown and not true:
        return region, 1.0
    if not shown or not true:
        return region, 0.0
    precision = int((lines[0] & wide[1]).sum()) / shown
    recall = int((lines[1] & wide[0]).sum()) / true
    total = precision + recall
    return region, 2 * precision * recall / total if total else 0.0


@st.composite
def frame_lists(draw: st.DrawFn, least: int = 1, most: int = 6) -> list[tuple[Bits, Bits, Bits]]:
    size = draw(sizes(40))
    frames = []
    for _ in range(draw(st.integers(least, most))):
        truth = draw(arrays(size))
        pred = np.roll(truth, 1, 1) if draw(st.booleans()) else draw(arrays(size))
        ignore = draw(arrays(size)) if draw(st.booleans()) else np.zeros(size, np.bool_)
        frames.append((pred, truth, ignore))
    return frames


@settings(deadline=None, max_examples=30)
@given(frame_lists())
def test_frames_are_scored_as_defined(frames: list[tuple[Bits, Bits, Bits]]) -> None:
    row = compare("a", frames, video="v")
    region, outline = frame_scores(row)
    for at, frame in enumerate(frames):
        j, f = by_opencv(*frame)
        assert region[at] == pytest.approx(j)
        assert outline[at] == pytest.approx(f)


def test_frames_of_the_usual_size() -> None:
    assert contour_radius((480, 854)) == 8
    truth = draw_array("ellipses", (240, 427), 2)
    pred = np.roll(truth, (2, -5), (0, 1))
    ignore = np.zeros_like(truth)
    row = compare("a", [(pred, truth, None)], video="v")
    region, outline = frame_scores(row)
    assert (region[0], outline[0]) == pytest.approx(by_opencv(pred, truth, ignore))


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_contours_and_growing(data: st.DataObject) -> None:
    mask = data.draw(arrays(data.draw(sizes(14))))
    assert np.array_equal(contour(mask), looped_contour(mask))
    radius = data.draw(st.integers(0, 20))
    expected = np.zeros_like(mask)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    for row, column in np.argwhere(mask).tolist():
        expected |= (y - row) ** 2 + (x - column) ** 2 <= radius**2
    assert np.array_equal(grow(mask, radius), expected)


def looped_figures(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean, recall and decay; the quarters as DAVIS cuts them."""
    count = len(values)
    edges = [math.floor(1 + (count - 1) * k / 4 + 0.5 + 1e-9) - 1 for k in range(5)]
    first, last = values[edges[0] : edges[1] + 1], values[edges[3] : edges[4] + 1]
    return (
        sum(values) / count,
        sum(value > 0.5 for value in values) / count,
        sum(first) / len(first) - sum(last) / len(last),
    )


@settings(deadline=None, max_examples=20)
@given(st.lists(frame_lists(3, 10), min_size=1, max_size=3))
def test_summaries(objects: list[list[tuple[Bits, Bits, Bits]]]) -> None:
    rows = [compare(str(at), frames, video="v") for at, frames in enumerate(objects)]
    for how, part in (("davis", slice(1, -1)), ("ref-youtube-vos", slice(None))):
        j = [looped_figures(frame_scores(row)[0][part].tolist()) for row in rows]
        f = [looped_figures(frame_scores(row)[1][part].tolist()) for row in rows]
        mean = [
            sum(column) / len(rows) for column in (*zip(*j, strict=True), *zip(*f, strict=True))
        ]
        found = summarize(rows, how)
        names = ("J", "J_recall", "J_decay", "F", "F_recall", "F_decay")
        assert [found[name] for name in names] == pytest.approx(mean)
        assert found["J&F"] == pytest.approx((mean[0] + mean[3]) / 2)


def test_figures_by_hand() -> None:
    truth = np.zeros((10, 10), np.bool_)
    truth[2:6, 2:6] = True
    empty = np.zeros_like(truth)
    frames: list[Any] = [(empty, truth, None), (truth, truth, None), (None, truth, None)]
    row = compare("a", frames, video="v", status="repaired")
    assert (row.missing, row.status) == (1, "repaired")
    assert summarize([row], "ref-youtube-vos")["J"] == pytest.approx(1 / 3)
    assert summarize([row], "davis") == {
        "J&F": 1.0, "J": 1.0, "F": 1.0, "J_recall": 1.0, "J_decay": 0.0, "F_recall": 1.0,
        "F_decay": 0.0,
    }  # fmt: skip
    # Nothing there and nothing predicted is right.
    nothing = compare("b", [(None, empty, None)] * 3, video="v")
    assert summarize([nothing], "davis")["J&F"] == 1.0
    # A frame that is all ignored is nothing there.
    out = compare("c", [(truth, truth, ~empty)] * 3, video="v")
    assert out.ignored == 300
    assert summarize([out], "davis")["J&F"] == 1.0


def test_contours_agree_within_the_tolerance_only() -> None:
    truth = np.zeros((60, 80), np.bool_)  # the diagonal is 100, r is 1
    truth[20:40, 20:40] = True
    assert contour_radius(truth.shape) == 1
    near = compare("a", [(np.roll(truth, 1, 1), truth, None)], video="v")
    far = compare("a", [(np.roll(truth, 4, 1), truth, None)], video="v")
    assert summarize([near], "ref-youtube-vos")["F"] == 1.0
    scores = summarize([far], "ref-youtube-vos")
    assert scores["F"] is not None
    assert 0.3 < scores["F"] < 0.7
    wide = compare("a", [(np.roll(truth, 4, 1), truth, None)], video="v", ratio=0.04)
    assert summarize([wide], "ref-youtube-vos")["F"] == 1.0


def test_videos_too_short_for_a_convention() -> None:
    truth = np.ones((4, 4), np.bool_)
    row = compare("a", [(truth, truth, None)] * 2, video="v")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(summarize([row], "davis").values()) == {None}
        assert summarize([row], "davis:frames=all")["J&F"] == 1.0
        assert set(summarize([], "davis").values()) == {None}


def test_means_over_objects_or_over_videos() -> None:
    truth = np.ones((4, 4), np.bool_)
    right: list[Any] = [(truth, truth, None)]
    wrong: list[Any] = [(None, truth, None)]
    rows = [
        compare("a", right, video="v"),
        compare("b", right, video="v"),
        compare("c", wrong, video="w"),
    ]
    assert summarize(rows, "ref-youtube-vos")["J"] == pytest.approx(2 / 3)
    assert summarize(rows, "ref-youtube-vos:unit=video")["J"] == pytest.approx(1 / 2)
    columns = VideoColumns.of(rows)
    table = video_table(columns, "ref-youtube-vos")
    assert [(line["name"], line["count"], line["J"]) for line in table] == [
        ("v", 2, 1.0),
        ("w", 1, 0.0),
    ]
    assert summarize(columns.take([2, 2, 0]), "ref-youtube-vos")["J"] == pytest.approx(1 / 3)
    drawn = columns.by_video().take(np.array([0, 0, 1]))
    assert summarize(drawn, "ref-youtube-vos")["J"] == pytest.approx(2 / 3)


def test_frames_of_another_size() -> None:
    truth, other = np.ones((4, 4), np.bool_), np.ones((4, 5), np.bool_)
    with pytest.raises(
        MaskCodecError, match=r"a, frame 1: the truth is \(4, 5\), expected \(4, 4\)"
    ):
        compare("a", [(None, truth, None), (None, other, None)], video="v")
    with pytest.raises(MaskCodecError, match="the prediction is"):
        compare("a", [(other, truth, None)], video="v")
    with pytest.raises(MaskCodecError, match="a has no frame"):
        compare("a", [], video="v")


@settings(deadline=None, max_examples=20)
@given(frame_lists())
def test_rows_survive_being_written(frames: list[tuple[Bits, Bits, Bits]]) -> None:
    row = compare("a", frames, video="v")
    assert VideoRow.from_record(Record("rows.jsonl", 1, row.fields())) == row


GOOD = {"id": "a", "video": "v", "status": "valid", "size": [4, 4], "frames": [[1, 2, 1, 2, 1, 2]]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frames": []}, "are 0, expected 1 to"),
        ({"frames": [[1, 2]]}, "expected 6 whole numbers from 0 to 16"),
        ({"frames": [[1, 17, 0, 0, 0, 0]]}, "expected 6 whole numbers from 0 to 16"),
        ({"frames": [[2, 1, 0, 0, 0, 0]]}, "a part that is greater than its whole"),
        ({"missing": 2}, "expected a whole number from 0 to 1"),
        ({"video": 3}, "expected a string"),
    ],
)
def test_hostile_rows(change: Mapping[str, Any], message: str) -> None:
    VideoRow.from_record(Record("rows.jsonl", 4, dict(GOOD)))
    with pytest.raises(RecordError, match=message):
        VideoRow.from_record(Record("rows.jsonl", 4, {**GOOD, **change}))

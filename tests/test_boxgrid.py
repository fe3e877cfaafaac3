"""The codec `boxgrid`: its text, its repairs, its grammar."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import mask_lists

from maskcodec import DecodeError, EncodeError, Mask, SpecError, get_codec
from maskcodec.geometry import boxgrid
from maskcodec.geometry.boxes import to_bins, to_pixels
from maskcodec.geometry.boxgrid import BINS, BoxGrid
from maskcodec.geometry.polygon import largest_part
from maskcodec.rle import mask_bounding_box

SIZE = (60, 80)
CODEC = get_codec("boxgrid:rows=4")
SHAPE = "100,200,700,900 ks cz aj.qz -"
TEXT = f"dog: {SHAPE}\ntwo words: none"


def disc(size: tuple[int, int] = SIZE) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[: size[0], : size[1]]
    inside: npt.NDArray[np.bool_] = np.hypot(y - size[0] / 2, x - size[1] / 3) < size[0] / 3
    return inside


def test_golden_text() -> None:
    ring = disc() & ~(np.hypot(*(np.mgrid[:60, :80] - np.array([30, 26])[:, None, None])) < 8)
    masks = [Mask(disc(), "dog"), Mask(np.zeros(SIZE, np.bool_), "tv"), Mask(ring, "a")]
    assert get_codec("boxgrid:rows=8").encode(masks, SIZE) == (
        "dog: 87,183,587,833 gt cx by az az by cx gt\n"
        "tv: none\n"
        "a: 87,183,587,833 gt cx bl.oy ah.rz ai.rz bl.oy cx gt"
    )


def test_default_rows() -> None:
    assert get_codec("boxgrid").spec == "boxgrid:rows=24"


@pytest.mark.parametrize("rows", [0, 1, 65])
def test_rows_out_of_range(rows: int) -> None:
    with pytest.raises(SpecError, match="2 to 64"):
        get_codec(f"boxgrid:rows={rows}")


def test_what_a_text_says() -> None:
    geometry, repairs = CODEC.parse(TEXT)
    assert repairs == []
    assert geometry.labels == ("dog", "two words")
    assert geometry.boxes.tolist() == [[100, 200, 700, 900], [0, 0, 0, 0]]
    assert geometry.counts.tolist() == [[1, 1, 2, 0], [0, 0, 0, 0]]
    assert geometry.runs.tolist() == [[10, 18], [2, 25], [0, 9], [16, 25]]
    assert CODEC.write(geometry) == TEXT
    assert geometry.head(1).labels == ("dog",)
    assert CODEC.write(geometry.head(1)) == TEXT.split("\n")[0]


def test_corners_in_any_order() -> None:
    a = CODEC.decode(f"dog: {SHAPE}", SIZE).pixels
    b = CODEC.decode("dog: 700,900,100,200 ks cz aj.qz -", SIZE).pixels
    assert np.array_equal(a, b)
    assert not CODEC.decode("dog: 700,900,700,200 ks cz aj.qz -", SIZE).masks[0].array.any()


def test_lines_join_the_rows() -> None:
    """A triangle of two rows: its sides are straight, not stairs."""
    codec = get_codec("boxgrid:rows=2")
    pixels = codec.decode("x: 0,0,999,999 mn az", (200, 100)).masks[0].array
    widths = pixels.sum(axis=1)
    assert (widths[:50] == 4).all()
    assert (widths[150:] == 100).all()
    assert (np.diff(widths[50:150]) >= 0).all()
    assert np.diff(widths).max() <= 2


@pytest.mark.parametrize("label", ["a: b", "x: ", ": x", "a\nb", "", " a"])
def test_labels_that_are_refused(label: str) -> None:
    with pytest.raises(EncodeError, match="label"):
        CODEC.encode([Mask(disc(), label)], SIZE)
    with pytest.raises(EncodeError, match="label"):
        CODEC.grammar([label])


@pytest.mark.parametrize(
    "label", ["none", "a:b", "a:", "::", "12,3,4,5", "cq", "a, b.", '"\\', "犬"]
)
def test_labels_that_come_back(label: str) -> None:
    text = CODEC.encode([Mask(disc(), label)] * 2, SIZE)
    assert CODEC.decode(text, SIZE).labels == (label, label)
    assert CODEC.decode(f"{label}: none", SIZE).labels == (label,)


def test_geometry_of_other_rows_is_not_written() -> None:
    geometry = boxgrid.analyze([Mask(disc(), "dog")], SIZE, 5)
    assert not CODEC.adopts(geometry)
    with pytest.raises(EncodeError, match="boxgrid:rows=5"):
        CODEC.write(geometry)


# How well shapes survive


@pytest.mark.parametrize(("rows", "least"), [(4, 0.92), (8, 0.96), (16, 0.975), (24, 0.979)])
def test_a_disc_survives(rows: int, least: float) -> None:
    codec = get_codec(f"boxgrid:rows={rows}")
    array = disc((480, 640))
    found = codec.decode(codec.encode([Mask(array, "x")], array.shape), array.shape)
    assert (found.masks[0].array & array).sum() / (found.masks[0].array | array).sum() > least


def test_an_object_below_a_bin_keeps_a_pixel() -> None:
    """In an image of 5,000 pixels a bin is 5 pixels wide."""
    for corner in (0, *range(2495, 2505), 4999):
        array = np.zeros((4, 5000), np.bool_)
        array[1, corner] = True
        geometry = CODEC.analyze([Mask(array, "x")], array.shape)
        left, _, right, _ = geometry.boxes[0].tolist()
        assert 0 <= left < right <= 999
        assert CODEC.render(geometry, array.shape)[0, 1, corner]


def test_of_an_object_outside_its_rounded_box_one_part_is_kept() -> None:
    """Two pixels at opposite corners, both cut off by rounding."""
    array = np.zeros((2500, 2500), np.bool_)
    array[2, 2] = array[10, 10] = True
    size = (2500, 2500)
    both = to_pixels(np.array(to_bins((2, 2, 11, 11), size, BINS), np.int32), size, BINS)
    left, top, right, bottom = both.tolist()
    assert not array[top:bottom, left:right].any()
    painted = CODEC.render(CODEC.analyze([Mask(array, "x")], size), size)[0]
    assert array[painted].any()
    assert np.count_nonzero(painted) <= 9
    # Where it is one part, a frame that leaves its middle open, the box is filled.
    array[2:11, 2:11] = True
    array[3:10, 3:10] = False
    assert not array[top:bottom, left:right].any()
    painted = CODEC.render(CODEC.analyze([Mask(array, "x")], size), size)[0]
    assert painted[top:bottom, left:right].all()
    assert np.count_nonzero(painted) == (bottom - top) * (right - left)


def test_a_line_one_pixel_wide_does_not_fall_between_runs() -> None:
    array = np.zeros((38, 1), np.bool_)
    array[[7, 26, 35]] = True
    codec = get_codec("boxgrid:rows=8")
    assert codec.decode(codec.encode([Mask(array, "x")], (38, 1)), (38, 1)).pixels.any()


@given(example=mask_lists(70))
def test_no_mask_vanishes(example: tuple[list[Mask], tuple[int, int]]) -> None:
    masks, size = example
    decoded = CODEC.decode(CODEC.encode(masks, size), size)
    for mask, found in zip(masks, decoded.masks, strict=True):
        assert mask.array.any() == found.array.any()
        box = mask_bounding_box(mask.array)
        if box:
            outside = found.array.copy()
            outside[box[1] : box[3], box[0] : box[2]] = False
            assert not outside.any()
            bins = np.array(to_bins(box, size, BINS), np.int32)
            assert to_pixels(bins, size, BINS).tolist() == list(box)


# Strict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dog", "LABEL: BOX ROWS"),
        ("dog 1,2,3,4 az az az az", "LABEL: BOX ROWS"),
        ("dog: ", "a box"),
        ("dog: 1,2,3 az az az az", "a box"),
        ("dog: 01,2,3,4 az az az az", "a box"),
        ("dog: 1,2,3,1000 az az az az", "a box"),
        ("dog: 1, 2, 3, 4 az az az az", "a box"),
        ("dog: 1,2,3,4", "4 rows"),
        ("dog: 1,2,3,4 az az az", "4 rows"),
        ("dog: 1,2,3,4 az az az az az", "4 rows"),
        ("dog: 1,2,3,4 az az az az ", "4 rows"),
        ("dog: 1,2,3,4 az az  az az", "row 3"),
        ("dog: 1,2,3,4 az az qc az", "row 3"),
        ("dog: 1,2,3,4 az az cc az", "row 3"),
        ("dog: 1,2,3,4 az az cf.fk az", "row 3"),
        ("dog: 1,2,3,4 az az cfk az", "row 3"),
        ("dog: 1,2,3,4 az az AZ az", "row 3"),
        ("dog: 1,2,3,4 az az cq. az", "row 3"),
        ("dog: 1,2,3,4 az az az é", "row 4"),
        (" dog: none", "a label"),
        (": none", "a label"),
        ("dog: None", "a box"),
        ("none\ndog: none", "LABEL: BOX ROWS"),
        ("dog: none\n", "'none'"),
        ("dog: none\n\ncat: none", "'none'"),
        ("", "'none'"),
        ("dog: none\r\ncat: none", "a box"),
    ],
)
def test_strict_refuses(text: str, expected: str) -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode(text, SIZE)
    assert expected in caught.value.expected
    assert 0 <= caught.value.position <= len(text)


def test_strict_points_at_the_row() -> None:
    with pytest.raises(DecodeError) as caught:
        CODEC.decode("dog: none\ncat: 1,2,3,4 az az qc az", SIZE)
    assert caught.value.position == 10 + 19
    assert caught.value.found == "'qc'"


# Geometry on other sizes, and painted by torch


@st.composite
def geometries(draw: st.DrawFn) -> BoxGrid:
    """Geometry of four rows, of any kind that a text can say."""
    places = st.sets(st.integers(0, 25), max_size=draw(st.sampled_from((2, 6, 26))))
    rows = [sorted(draw(places)) for _ in range(4 * draw(st.integers(0, 3)))]
    rows = [row[: len(row) // 2 * 2] for row in rows]
    boxes = [draw(st.tuples(*[st.integers(0, 999)] * 4)) for _ in rows[::4]]
    return BoxGrid(
        tuple("abc"[: len(boxes)]),
        np.array(boxes, np.int32).reshape(-1, 4),
        np.array([len(row) // 2 for row in rows], np.uint8).reshape(-1, 4),
        np.array(list(itertools.chain(*rows)), np.uint8).reshape(-1, 2),
    )


@given(items=st.lists(geometries(), max_size=3), data=st.data())
def test_torch_paints_the_same_bits(items: list[BoxGrid], data: st.DataObject) -> None:
    torch = pytest.importorskip("torch")
    size = st.tuples(st.integers(1, 60), st.integers(1, 60)) | st.just((33, 57))
    sizes = [data.draw(size) for _ in items]
    tensors = boxgrid.render_batch(items, sizes, device=torch.device("cpu"))
    for array, tensor in zip(boxgrid.render_batch(items, sizes), tensors, strict=True):
        assert np.array_equal(array, np.asarray(tensor))


@given(item=geometries())
def test_text_holds_the_geometry(item: BoxGrid) -> None:
    geometry, _ = CODEC.parse(CODEC.write(item))
    assert geometry.labels == item.labels
    assert np.array_equal(geometry.runs, item.runs)
    assert np.array_equal(geometry.counts, item.counts)
    shown = item.counts.any(axis=1)
    assert np.array_equal(geometry.boxes[shown], item.boxes[shown])


# Grammar


@pytest.mark.parametrize(
    ("rows", "labels"), [(2, ["dog", 'quoted "\\', "犬"]), (24, ["a"]), (2, None)]
)
def test_random_texts_of_the_grammar(rows: int, labels: list[str] | None) -> None:
    walk = pytest.importorskip("grammar_walk")
    codec = get_codec(f"boxgrid:rows={rows}")
    grammar = codec.grammar(labels)
    texts = [walk.random_text(grammar, seed, longest=1_500) for seed in range(20)]
    whole = [text for text in texts if text is not None]
    assert whole
    for text in whole:
        assert walk.llguidance_accepts(grammar, text)
        assert codec.decode(text, SIZE).repairs == ()


FREE_LABELS = [
    "dog", "two words", "a:b", "a:", ":", "::", ": b", "a: b", "a :b", "a : b", " a", "a ", "a  b",
    "\xa0a", "a\u3000", "a\u3000b", "a:\u3000b", "a:\u3000 b", "a \u3000b", "a\u2028b", "a\x85b",
    "a\tb", "", "é犬", "12,3,4,5", "none", "a: b: c", "a:: b", "x:y: z", "\u200b",
]  # fmt: skip


@pytest.mark.parametrize("label", FREE_LABELS)
def test_free_labels(label: str) -> None:
    walk = pytest.importorskip("grammar_walk")
    for text in (f"{label}: none", f"{label}: {SHAPE}"):
        try:
            CODEC.decode(text, SIZE)
        except DecodeError:
            valid = False
        else:
            valid = True
        assert walk.accepts(CODEC.grammar(), text) == valid, text
        assert walk.llguidance_accepts(CODEC.grammar(), text) == valid, text


WORDS = ["-", "az", "yz", "zz", "za", "cq.rt", "cq.qt", "cq.rz", "a", "ab.cd.ef.gh.ij.kl.mn", "cq."]


@pytest.mark.parametrize("word", WORDS)
def test_grammar_and_strict_agree_on_rows(word: str) -> None:
    walk = pytest.importorskip("grammar_walk")
    text = f"dog: 1,20,300,999 {word} az az {word}"
    try:
        CODEC.decode(text, SIZE)
    except DecodeError:
        valid = False
    else:
        valid = True
    assert walk.accepts(CODEC.grammar(["dog"]), text) == valid
    assert walk.llguidance_accepts(CODEC.grammar(["dog"]), text) == valid


def test_grammar_without_labels_knows_none_alone() -> None:
    walk = pytest.importorskip("grammar_walk")
    assert walk.accepts(CODEC.grammar([]), "none")
    assert not walk.accepts(CODEC.grammar([]), "dog: none")


@settings(max_examples=30)
@given(item=geometries())
def test_every_geometry_is_in_the_grammar(item: BoxGrid) -> None:
    walk = pytest.importorskip("grammar_walk")
    assert walk.accepts(CODEC.grammar(["a", "b", "c"]), CODEC.write(item))


def test_runs_that_paint_no_pixel_of_the_mask_are_none() -> None:
    array = np.zeros((51, 24), np.bool_)
    array[7, 18] = array[24, 17] = True
    fitted = boxgrid.fit(array, np.array([17, 7, 19, 25], np.int32), 4)
    assert fitted.both == 0
    assert not len(fitted.runs)


def test_the_largest_part_alone_is_not_taken_where_all_parts_keep_more() -> None:
    random, seen = np.random.default_rng(1), 0
    for _ in range(1500):
        size = int(random.integers(10, 400)), int(random.integers(10, 400))
        array = np.zeros(size, np.bool_)
        for _ in range(random.integers(2, 9)):
            y, x = random.integers(size[0]), random.integers(size[1])
            array[y : y + random.integers(1, 5), x : x + random.integers(1, 5)] = True
        box = mask_bounding_box(array)
        assert box is not None
        bins = to_bins(box, size, BINS)
        best = boxgrid.fit(array, to_pixels(np.array(bins, np.int32), size, BINS), 8)
        if best.iou >= boxgrid.POOR:
            continue
        part, area = to_bins(largest_part(array), size, BINS), int(array.sum())
        alone = boxgrid.fit(array, to_pixels(np.array(part, np.int32), size, BINS), 8)
        if alone.iou_of(area) < best.iou_of(area):
            seen += 1
            assert tuple(boxgrid.analyze([Mask(array, "x")], size, 8).boxes[0]) == bins
    assert seen

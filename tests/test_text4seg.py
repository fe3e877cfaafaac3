"""`text4seg`: what it writes, byte for byte, and what it makes of masks."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image
from skimage.transform import resize
from strategies import LABELS, draw_array, mask_lists

from maskcodec import (
    DecodeError,
    EncodeError,
    Mask,
    MaskCodecError,
    SpecError,
    get_codec,
    transcode,
)
from maskcodec.geometry.grid import Grid
from maskcodec.resample import cell_of_pixel

GOLDEN = json.loads((Path(__file__).parent / "golden" / "text4seg.json").read_text("utf-8"))

Bools = npt.NDArray[np.bool_]


def drawn(art: list[str], legend: dict[str, str], scale: tuple[int, int] = (1, 1)) -> list[Mask]:
    """Masks from a picture of letters, each letter `scale` (height, width) pixels large."""
    letters = np.array([list(row) for row in art])
    large = np.kron(np.vectorize(ord)(letters), np.ones(scale, np.int64))
    return [Mask(large == ord(letter), label) for letter, label in legend.items()]


def label_map(masks: list[Mask], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Number of the last mask at each pixel, 0 where there is none."""
    labels = np.zeros(size, np.uint8)
    for number, mask in enumerate(masks, 1):
        labels[mask.array] = number
    return labels


@pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: entry["spec"])
def test_golden_texts(entry: dict[str, Any]) -> None:
    codec = get_codec(entry["spec"])
    masks = drawn(entry["art"], entry["legend"], tuple(entry["scale"]))
    height, width = len(entry["art"]), len(entry["art"][0])
    size = (height * entry["scale"][0], width * entry["scale"][1])
    assert codec.encode(masks, size) == entry["text"]
    decoded = codec.decode(f"Sure, here it is:\n{entry['text']}", size)
    assert decoded.repairs == ()
    assert {mask.label: mask.array.tolist() for mask in decoded.masks} == {
        mask.label: mask.array.tolist() for mask in masks
    }


def test_labels_come_in_the_order_of_the_text() -> None:
    codec = get_codec("text4seg:grid=1x4")
    text = "<seg>c *1| others *1| a *1| b *1\n</seg>"
    assert codec.decode(text, (2, 8)).labels == ("c", "a", "b")
    masks = drawn(["c.ab"], {"a": "a", "b": "b", "c": "c"})
    assert codec.analyze(masks, (1, 4)).labels == ("c", "a", "b")


# From masks to cells


def floats_agree(pixels: int, cells: int) -> bool:
    """Whether no cell's centre lies on the border of two pixels, where other libraries round.

    They do so exactly where pixels / cells is a fraction of a power of two, as 480 / 32 is.
    """
    step = Fraction(pixels, cells)
    on_border = any(((2 * cell + 1) * step / 2).denominator == 1 for cell in range(cells))
    return not on_border or step.denominator & (step.denominator - 1) == 0


@given(example=mask_lists(40, most=4), rows=st.integers(1, 24), columns=st.integers(1, 24))
def test_nearest_is_what_other_libraries_call_nearest(
    example: tuple[list[Mask], tuple[int, int]], rows: int, columns: int
) -> None:
    torch = pytest.importorskip("torch")
    masks, size = example
    assume(all(floats_agree(*axis) for axis in zip(size, (rows, columns), strict=True)))
    labels = label_map(masks, size)
    grid = get_codec(f"text4seg:grid={rows}x{columns}").analyze(masks, size)
    names = np.array(["others", *(mask.label for mask in masks)])
    ours = np.array(grid.table)[grid.cells]

    pil = np.array(Image.fromarray(labels).resize((columns, rows), Image.Resampling.NEAREST))
    assert (ours == names[pil]).all()
    tensor = torch.from_numpy(labels)[None, None].float()
    nearest = torch.nn.functional.interpolate(tensor, (rows, columns), mode="nearest-exact")
    assert (ours == names[nearest[0, 0].numpy().astype(int)]).all()


@pytest.mark.parametrize("side", [16, 24, 32])
def test_nearest_is_scikit_image_of_order_0(side: int) -> None:
    # With 480 x 640 pixels, centres lie on the border of two pixels, where scikit-image rounds.
    masks = [Mask(draw_array("ellipses", (477, 643), seed), str(seed)) for seed in range(4)]
    labels = label_map(masks, (477, 643))
    theirs = resize(labels, (side, side), order=0, preserve_range=True, anti_aliasing=False)
    names = np.array(["others", *(mask.label for mask in masks)])
    grid = get_codec(f"text4seg:grid={side}").analyze(masks, (477, 643))
    assert (np.array(grid.table)[grid.cells] == names[theirs.astype(int)]).all()


def naive_coverage(array: Bools, rows: int, columns: int) -> npt.NDArray[np.float64]:
    """The part of each cell that is covered."""
    ys, xs = (cell_of_pixel(*axis) for axis in zip(array.shape, (rows, columns), strict=True))
    counts = np.zeros((2, rows, columns))
    np.add.at(counts[0], (ys[:, None], xs[None, :]), array)
    np.add.at(counts[1], (ys[:, None], xs[None, :]), 1)
    covered: npt.NDArray[np.float64] = counts[0] / counts[1]
    return covered


@given(kind=st.sampled_from(("ellipses", "noise", "dot", "full")), seed=st.integers(0, 999))
def test_area_is_half_a_cell_or_more(kind: str, seed: int) -> None:
    array = draw_array(kind, (37, 52), seed)
    grid = get_codec("text4seg:grid=6x9,sample=area").analyze([Mask(array, "dog")], array.shape)
    assert ((grid.cells == 1) == (naive_coverage(array, 6, 9) >= 0.5)).all()


@given(kind=st.sampled_from(("ellipses", "noise", "dot", "line")), seed=st.integers(0, 999))
def test_best_has_the_highest_iou_of_all_thresholds(kind: str, seed: int) -> None:
    array = draw_array(kind, (37, 52), seed)
    codec = get_codec("text4seg:grid=6x9,sample=best")
    planes = codec.decode(codec.encode([Mask(array, "dog")], array.shape), array.shape).pixels
    assert len(planes) == array.any(), "an object vanished, or one came out of nothing"

    def iou(plane: Bools) -> float:
        return float((plane & array).sum() / max(1, (plane | array).sum()))

    covered = naive_coverage(array, 6, 9)
    ys, xs = cell_of_pixel(37, 6), cell_of_pixel(52, 9)
    most = max(iou((covered >= level)[ys][:, xs]) for level in np.unique(covered[covered > 0]))
    assert iou(np.asarray(planes[0])) == pytest.approx(most) if len(planes) else not array.any()


@pytest.mark.parametrize("sample", ["nearest", "area", "best"])
def test_later_masks_lie_on_top_and_equal_labels_join(sample: str) -> None:
    codec = get_codec(f"text4seg:grid=1x6,sample={sample}")
    parts = [("aaaa..", "dog"), ("..bb..", "cat"), ("...ccc", "dog")]
    masks = [drawn([art], {art.strip(".")[0]: label}, (3, 2))[0] for art, label in parts]
    assert codec.encode(masks, (3, 12)) == "<seg>dog *2| cat *1| dog *3\n</seg>"


def test_a_cell_that_two_objects_want_goes_to_the_larger_part() -> None:
    masks = drawn(["aaaabb", "bbbb.."], {"b": "b", "a": "a"}, (1, 2))
    assert get_codec("text4seg:grid=1,sample=best").encode(masks, (2, 12)) == "<seg>b *1\n</seg>"
    masks = drawn(["aaabbb"], {"b": "b", "a": "a"})
    for sample in ("area", "best"):
        codec = get_codec(f"text4seg:grid=1,sample={sample}")
        assert codec.encode(masks, (1, 6)) == "<seg>a *1\n</seg>", "of equals the later"


def test_parts_of_one_label_count_together() -> None:
    left, right = drawn(["ab.."], {"a": "dog", "b": "dog"})
    codec = get_codec("text4seg:grid=1,sample=area")
    assert codec.encode([left, right], (1, 4)) == "<seg>dog *1\n</seg>"
    assert codec.encode([left], (1, 4)) == "<seg>others *1\n</seg>"


# From cells to pixels


@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    sample=st.sampled_from(("nearest", "area", "best")),
    upsample=st.sampled_from(("nearest", "bilinear")),
    data=st.data(),
)
def test_is_exact_where_it_says_so(
    size: tuple[int, int], sample: str, upsample: str, data: st.DataObject
) -> None:
    grid = data.draw(st.sampled_from(("4x3", "1", "7", f"{size[0]}x{size[1]}")))
    codec = get_codec(f"text4seg:grid={grid},sample={sample},upsample={upsample}")
    seeds = data.draw(st.lists(st.integers(0, 999), max_size=3))
    masks = [Mask(draw_array("noise", size, seed), str(k)) for k, seed in enumerate(seeds)]
    if codec.is_exact(masks, size):
        text = codec.encode(masks, size)
        assert codec.encode(codec.decode(text, size).masks, size) == text


@pytest.mark.parametrize(
    ("spec", "size", "exact"),
    [
        ("grid=16", (5, 500), True),
        ("grid=16,sample=best", (5, 500), False),
        ("grid=16,sample=best", (5, 7), True),
        ("grid=16,sample=area", (16, 500), True),
        ("grid=16,upsample=bilinear", (48, 80), True),
        ("grid=16,upsample=bilinear", (48, 64), False),
        ("grid=16,sample=best,upsample=bilinear", (48, 80), False),
    ],
)
def test_is_exact(spec: str, size: tuple[int, int], exact: bool) -> None:
    assert get_codec(f"text4seg:{spec}").is_exact([], size) == exact


def test_inexact_says_no_for_a_reason() -> None:
    codec = get_codec("text4seg:grid=16x20,sample=area")
    masks = [Mask(np.arange(21)[None] % 2 == 0, "dog")]
    text = codec.encode(masks, (1, 21))
    assert not codec.is_exact(masks, (1, 21))
    assert codec.encode(codec.decode(text, (1, 21)).masks, (1, 21)) != text


def test_bilinear_labels_are_painted_by_themselves() -> None:
    codec = get_codec("text4seg:grid=1x2,upsample=bilinear")
    left, right = codec.decode("<seg>a *1| b *1\n</seg>", (1, 8)).masks
    assert left.array.tolist() == [[True] * 4 + [False] * 4]
    assert right.array.tolist() == [[False] * 4 + [True] * 4]


def test_head_leaves_other_labels_out() -> None:
    grid = Grid(("others", "a", "b"), np.array([[2, 1, 0]], np.int32)).head(1)
    assert grid.labels == ("a",)
    assert grid.cells.tolist() == [[0, 1, 0]]


# Labels


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("a*b", r"holds '\*'"),
        ("a|b", r"holds '\|'"),
        ("a\nb", "control character"),
        ("a <seg> b", "holds '<seg>'"),
        ("</seg>", "holds '</seg>'"),
        ("", "is empty"),
        (" a", "white space"),
        ("others", "name of the background"),
        ("Others", "name of the background"),
    ],
)
@pytest.mark.parametrize("rle", ["row", "none"])
def test_labels_that_are_refused(label: str, reason: str, rle: str) -> None:
    codec = get_codec(f"text4seg:grid=2,rle={rle}")
    with pytest.raises(EncodeError, match=reason) as caught:
        codec.encode([Mask(np.ones((2, 2), np.bool_), label)], (2, 2))
    assert repr(label) in str(caught.value)
    if label:
        assert "escape=true" in str(caught.value)


def test_the_background_may_have_another_name() -> None:
    codec = get_codec("text4seg:grid=1x2,background=void")
    masks = drawn(["a."], {"a": "others"})
    text = "<seg>others *1| void *1\n</seg>"
    assert codec.encode(masks, (1, 2)) == text
    assert codec.decode(text, (1, 2)).labels == ("others",)


@given(label=st.text(min_size=1, max_size=12), rle=st.sampled_from(("none", "image", "row")))
def test_escape_carries_any_label(label: str, rle: str) -> None:
    codec = get_codec(f"text4seg:grid=2x3,rle={rle},escape=true")
    array = np.array([[1, 1, 0], [0, 0, 1]], np.bool_)
    text = codec.encode([Mask(array, label)], (2, 3))
    decoded = codec.decode(text, (2, 3))
    assert decoded.labels == (label,)
    assert (decoded.masks[0].array == array).all()


@pytest.mark.parametrize(
    "label", ["others", "OTHERS", "*", "|", "\n", "<seg>", "%", "%2A;", " ", "\ud800"]
)
def test_escape_of_the_formats_own_pieces(label: str) -> None:
    codec = get_codec("text4seg:grid=1,escape=true")
    mask = Mask(np.ones((1, 1), np.bool_), label)
    assert codec.decode(codec.encode([mask], (1, 1)), (1, 1)).labels == (label,)
    if label in ("%", "%2A;"):
        plain = get_codec("text4seg:grid=1")
        assert plain.decode(plain.encode([mask], (1, 1)), (1, 1)).labels == (label,)


def test_escape_has_one_spelling() -> None:
    codec = get_codec("text4seg:grid=1x2,escape=true")
    with pytest.raises(DecodeError, match="escaped as the format does"):
        codec.decode("<seg>%61; *1| b *1\n</seg>", (1, 2))
    decoded = codec.decode("<seg>%61; *1| a *1\n</seg>", (1, 2), errors="repair")
    assert decoded.labels == ("a",)
    assert decoded.masks[0].array.all()


# Between codecs


@pytest.mark.parametrize("target", ["none", "image", "row"])
@pytest.mark.parametrize("source", ["none", "image", "row"])
def test_transcoding_changes_the_spelling_only(source: str, target: str) -> None:
    masks = drawn(["aab.", "..bb", "a..."], {"a": "dog", "b": "naïve café"}, (7, 5))
    first, second = (get_codec(f"text4seg:grid=3x4,rle={rle}") for rle in (source, target))
    text, repairs = transcode(first.encode(masks, (21, 20)), first, second, (21, 20))
    assert text == second.encode(masks, (21, 20))
    assert repairs == ()


def test_adopts_only_grids_of_its_size() -> None:
    codec = get_codec("text4seg:grid=2x3")
    assert codec.adopts(Grid(("others",), np.zeros((2, 3), np.int32)))
    assert not codec.adopts(Grid(("others",), np.zeros((3, 2), np.int32)))
    assert not codec.adopts(get_codec("coco_rle").analyze([], (2, 3)))


def test_write_refuses_what_it_can_not_spell() -> None:
    codec = get_codec("text4seg:grid=2x3")
    with pytest.raises(EncodeError, match="the grid is 3x2, but this codec writes 2x3"):
        codec.write(Grid(("others",), np.zeros((3, 2), np.int32)))
    with pytest.raises(MaskCodecError, match="no label"):
        codec.write(Grid(("others",), np.ones((2, 3), np.int32)))
    table = ("others", *map(str, range(10_001)))
    with pytest.raises(EncodeError, match="10,001 labels, but a text holds 10,000"):
        codec.write(Grid(table, np.zeros((2, 3), np.int32)))


def test_many_labels_and_long_ones() -> None:
    codec = get_codec("text4seg:grid=100")
    table = ("others", *(f"label {k} {'x' * 40}" for k in range(10_000)))
    grid = Grid(table, np.arange(1, 10_001, dtype=np.int32).reshape(100, 100))
    text = codec.write(grid)
    again, repairs = codec.parse(text)
    assert repairs == []
    assert again.table == table
    assert (again.cells == grid.cells).all()


# Options


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("grid=0", "1 to 1,024"),
        ("grid=4x1025", "1 to 1,024"),
        ("grid=a", "a grid like 16 or 16x24"),
        ("rle=column", "one of none, image, row"),
        ("background=a|b", r"holds '\|'"),
        ("sample=bilinear", "one of nearest, area, best"),
    ],
)
def test_options_out_of_range(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        get_codec(f"text4seg:{spec}")


def test_the_largest_grid() -> None:
    codec = get_codec("text4seg:grid=1024,sample=area")
    array = draw_array("noise", (1024, 1024), 7)
    text = codec.encode([Mask(array, LABELS[0])], (1024, 1024))
    assert (codec.decode(text, (1024, 1024)).masks[0].array == array).all()


@pytest.mark.parametrize("grid", ["0x16", "16x0", "1025x16", "16x1025"])
def test_grids_out_of_range(grid: str) -> None:
    with pytest.raises(SpecError, match="rows and columns must be 1 to 1,024"):
        get_codec(f"text4seg:grid={grid}")

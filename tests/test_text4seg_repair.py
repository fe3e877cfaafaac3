"""`text4seg`: what it refuses, where it says so, and what it makes of damaged answers."""

from __future__ import annotations

import re
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import draw_array

from maskcodec import Codec, DecodeError, Mask, MaskCodecError, get_codec
from maskcodec.geometry.grid import Grid

PICTURE = """<seg>others *8
 others *2| dog *2| others *4
 others *2| dog *3| others *3
 others *1| white horse *4| dog *1| others *2
 others *1| white horse *6| others *1
 others *2| white horse *4| others *2
 others *2| white horse *1| others *5
 others *8
</seg>"""

CODEC = get_codec("text4seg:grid=8")
WHOLE: Grid = CODEC.parse(PICTURE)[0]


def read(text: str, codec: Codec[Grid] = CODEC) -> tuple[Grid, list[str]]:
    """The grid, and the kinds of the repairs."""
    grid, repairs = codec.parse(text, errors="repair")
    return grid, [repair.kind for repair in repairs]


def same(a: Grid, b: Grid) -> bool:
    return a.table == b.table and np.array_equal(a.cells, b.cells)


def spelt(rle: str) -> str:
    return get_codec(f"text4seg:grid=8,rle={rle}").write(WHOLE)


# What strict says


@pytest.mark.parametrize(
    ("old", "new", "place", "expected", "found"),
    [
        ("dog *2", "dog *3", "others *4", "8 cells in row 2 of 8", "9"),
        ("dog *2", "dog *1", "others *4", "8 cells in row 2 of 8", "7"),
        ("dog *2", "dog *02", "02", "a count of 1 or more without sign and leading zeros", "02"),
        ("dog *2", "dog *", "| others *4", "a count after the label", "none"),
        ("dog *2", "dog*2", "*2| others *4", "'LABEL *COUNT| LABEL *COUNT'", "other space"),
        ("| dog *2", ", dog *2", ", dog *2", "'| ' between two runs", ", dog *2"),
        ("| dog *2", "|dog *2", "dog *2", "'LABEL *COUNT| LABEL *COUNT'", "other space"),
        ("others *4\n", "others *4| \n", "| \n", "a label", "|"),
        ("dog *2", "dog x2", " x2", "'*' before a count", "a times sign"),
        (
            "\n others *2| dog *2",
            "\nothers *2| dog *2",
            "others *2| dog *2",
            "one space before",
            "",
        ),
        (
            "\n others *2| dog *2",
            "\n\n others *2| dog *2",
            "\n others *2| dog",
            "a row of runs",
            "",
        ),
        (" others *8\n</seg>", "</seg>", "</seg>", "8 rows", "7"),
        ("others *8\n</seg>", "others *8</seg>", "</seg>", "a line break before </seg>", "none"),
        ("</seg>", "", "", "</seg> after the rows", "none"),
        ("</seg>", "</seg>.", ".", "nothing after </seg>", "."),
        ("<seg>", "", "others *8", "<seg> before the rows", "none"),
        ("<seg>", "Sure: <seg>", "<seg>", "a sentence and a line break", "other text"),
        ("dog", "OTHERS", "OTHERS", "the background, 'others', in its own letters", "OTHERS"),
        ("dog", "d\tog", "d\tog", "a label without control characters", "'d\\tog'"),
    ],
)
def test_strict_says_what_is_wrong_and_where(
    old: str, new: str, place: str, expected: str, found: str
) -> None:
    text = PICTURE.replace(old, new, 1)
    with pytest.raises(DecodeError) as caught:
        CODEC.parse(text)
    error = caught.value
    assert text[error.position :].startswith(place), text[error.position :]
    assert expected in error.expected
    assert found in error.found
    assert error.text == text
    for piece in ("text4seg", error.expected, f"(character {error.position}:", 'errors="repair"'):
        assert piece in str(error)
    assert CODEC.parse(text, errors="repair")[1][0].position == error.position


def test_strict_reads_the_sentence_before_the_answer() -> None:
    text = f"Sure, here is the segmentation mask for 'dog | horse':\n{PICTURE}"
    assert same(CODEC.parse(text)[0], WHOLE)
    for before in ("\n", "Sure", "</seg>\n", "<seg>\n"):
        with pytest.raises(DecodeError):
            CODEC.parse(before + PICTURE)


def test_strict_reads_neighbouring_runs_of_one_label() -> None:
    text = PICTURE.replace("others *8", "others *3| others *5")
    assert same(CODEC.parse(text)[0], WHOLE)


def test_positions_count_characters() -> None:
    text = PICTURE.replace("white horse", "犬🐎").replace("dog *3", "dog *4")
    (repair,) = CODEC.parse(text, errors="repair")[1]
    assert text[repair.position :].startswith("others *3\n others *1| 犬🐎 *4")
    text = PICTURE.replace("white horse", "犬🐎").replace("犬🐎 *1| ", "犬🐎 *1, ")
    (repair,) = CODEC.parse(text, errors="repair")[1]
    assert text[repair.position :].startswith(", others *5")


def test_errors_must_be_one_of_two() -> None:
    with pytest.raises(MaskCodecError, match='"strict" or "repair"'):
        CODEC.parse(PICTURE, errors="ignore")  # type: ignore[arg-type]


# What repair understands


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (lambda t: t.replace("| ", "|").replace("\n ", "\n").replace(" *", "*"),
         {"spacing", "line-start"}),
        (lambda t: t.replace("| ", ", "), {"separator"}),
        (lambda t: t.replace("| ", ";"), {"separator"}),
        (lambda t: t.replace("| ", " "), {"separator", "spacing"}),
        (lambda t: t.replace("\n ", "| \n "), {"label"}),
        (lambda t: t.replace("dog *1", "dog"), {"count"}),
        (lambda t: t.replace("dog *1", "dog *"), {"count"}),
        (lambda t: t.replace("*", "x"), {"star"}),
        (lambda t: t.replace(" *", " x "), {"star"}),
        (lambda t: t.replace("*", "×"), {"star"}),
        (lambda t: t.replace("*", "* "), {"spacing"}),
        (lambda t: t.replace("*", "*0"), {"count-form"}),
        (lambda t: t.replace("\n", "\r\n"), {"spacing"}),
        (lambda t: t.replace("\n", "\n\n"), {"blank-line"}),
        (lambda t: t.replace("others", "Others"), {"label-form"}),
        (lambda t: t.replace("others", "others "), {"spacing"}),
        (lambda t: f"```\n{t}\n```", {"text-after"}),
        (lambda t: t + "<|im_end|>", {"text-after"}),
        (lambda t: t.replace("</seg>", "<|im_end|>"), {"close-tag"}),
        (lambda t: t.replace("</seg>", "</s"), {"close-tag"}),
        (lambda t: t.replace("<seg>", "Here it is:\n"), {"open-tag"}),
        (lambda t: t.replace("<seg>", "Here it is: "), {"open-tag"}),
        (lambda t: t.replace("<seg>", "").replace("</seg>", ""), {"open-tag", "close-tag"}),
        (lambda t: t.replace("<seg>", "<SEG>").replace("</seg>", "</ seg>"),
         {"open-tag", "close-tag"}),
        (lambda t: f"<seg>{t}", {"answers", "text-before"}),
        (lambda t: f"{t}\nor\n<seg>others *8\n</seg>", {"answers", "text-after"}),
        (lambda t: t.replace("\n others *2| dog *2", "| others *2| dog *2"), {"rows"}),
        (lambda t: t.replace("| dog *2| others *4", "|\n dog *2| others *4"), {"label", "rows"}),
        (lambda t: t.replace("\n ", "| "), {"rows"}),
        (lambda t: t[5:-7].replace(" *", "*").replace("| ", ", ").replace("\n ", "\n"),
         {"open-tag", "close-tag", "separator", "spacing", "line-start"}),
        (lambda _: spelt("image"), {"rows"}),
        (lambda _: spelt("none"), {"rows", "counts"}),
        (lambda _: spelt("none").replace("| ", ", "), {"rows", "counts", "separator"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rle", ["row", "image", "none"])
def test_other_spellings_mean_the_same(change: object, kinds: set[str], rle: str) -> None:
    text = change(PICTURE)  # type: ignore[operator]
    codec = get_codec(f"text4seg:grid=8,rle={rle}")
    grid, found = read(text, codec)
    assert same(grid, WHOLE), grid
    if rle == "row":
        assert set(found) == kinds


def test_a_sentence_of_semicolons_is_rows() -> None:
    grid, kinds = read("<seg> 0, 0, 1; 0, 1, 1; 0, 0, 0 </seg>", get_codec("text4seg:grid=3"))
    assert grid.table == ("others", "0", "1")
    assert grid.cells.tolist() == [[1, 1, 2], [1, 2, 2], [1, 1, 1]]
    assert "separator" in kinds


def test_without_the_background_nothing_becomes_background() -> None:
    grid, kinds = read("<seg>cat *2\n dog *2\n</seg>", get_codec("text4seg:grid=2"))
    assert kinds == []
    assert grid.table == ("others", "cat", "dog")
    assert grid.cells.tolist() == [[1, 1], [2, 2]]


# One fault costs one row


@given(data=st.data(), delta=st.sampled_from((-1, 1)), seed=st.integers(0, 99))
def test_a_wrong_count_costs_no_other_row(data: st.DataObject, delta: int, seed: int) -> None:
    array = draw_array("ellipses", (60, 80), seed)
    codec = get_codec("text4seg:grid=12x16")
    text = codec.encode([Mask(array, "dog")], array.shape)
    whole = codec.parse(text)[0].cells > 0
    counts = list(re.finditer(r"\*(\d+)", text))
    chosen = data.draw(st.sampled_from(counts))
    row = text[: chosen.start()].count("\n")
    count = int(chosen[1]) + delta
    if count == 0:
        return
    grid, kinds = read(f"{text[: chosen.start(1)]}{count}{text[chosen.end() :]}", codec)
    assert kinds == ["row-length"]
    others = np.arange(12) != row
    assert np.array_equal((grid.cells > 0)[others], whole[others])


def test_rows_are_mended_better_than_by_filling_them_up() -> None:
    codec = get_codec("text4seg:grid=32")
    random = np.random.default_rng(3)
    mended, filled = [], []
    for seed in range(40):
        array = draw_array("ellipses", (200, 200), seed)
        text = codec.encode([Mask(array, "dog")], array.shape)
        whole = codec.parse(text)[0].cells > 0
        if not whole.any():
            continue
        y, x = random.integers(32, size=2)
        row = np.delete(whole[y], x)
        lines = text.split("\n")
        lines[y] = re.match("(<seg>)?( )?", lines[y])[0] + runs_of(row)  # type: ignore[index]
        cells = read("\n".join(lines), codec)[0].cells > 0
        mended.append(iou(cells, whole))
        cells = whole.copy()
        cells[y] = np.append(row, row[-1])
        filled.append(iou(cells, whole))
    assert np.mean(mended) > 0.995
    assert 1 - np.mean(mended) < (1 - np.mean(filled)) / 2


def runs_of(row: npt.NDArray[np.bool_]) -> str:
    edges = np.flatnonzero(np.diff(row)) + 1
    return "| ".join(
        f"{'dog' if part[0] else 'others'} *{len(part)}" for part in np.split(row, edges)
    )


def iou(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_lost_run_is_found_in_the_neighbours() -> None:
    text = PICTURE.replace("white horse *6| ", "")
    grid, kinds = read(text)
    assert kinds == ["row-length"]
    assert same(grid, CODEC.parse(PICTURE.replace("white horse *6| others *1",
                "white horse *4| dog *1| others *2"))[0])  # fmt: skip


@pytest.mark.parametrize("count", ["9", "64", "99999999", "9" * 5_000])
def test_a_count_is_cut_to_its_row(count: str) -> None:
    text = PICTURE.replace("white horse *6", f"white horse *{count}")
    tracemalloc.start()
    grid, kinds = read(text)
    assert tracemalloc.get_traced_memory()[1] < 300_000
    tracemalloc.stop()
    assert kinds == ["row-length"]
    assert same(grid, WHOLE)


def test_a_row_too_much_is_dropped_and_one_too_few_is_background() -> None:
    grid, kinds = read(PICTURE.replace("</seg>", " dog *8\n</seg>"))
    assert kinds == ["row-count"]
    assert same(grid, WHOLE)
    grid, kinds = read(PICTURE.replace(" others *2| white horse *1| others *5\n", ""))
    assert kinds == ["row-count"]
    assert np.array_equal(grid.cells[:6], WHOLE.cells[:6])
    assert not grid.cells[6:].any()


# An answer that breaks off


@pytest.mark.parametrize("ending", ["", "<|endoftext|>", "</s>"])
def test_every_prefix_keeps_its_complete_rows(ending: str) -> None:
    for cut in range(5, len(PICTURE)):
        grid, kinds = read(PICTURE[:cut] + ending)
        rows = PICTURE[:cut].count("\n")
        assert np.array_equal(grid.cells[:rows], WHOLE.cells[:rows]), cut
        assert not grid.cells[rows + 1 :].any()
        assert set(grid.labels) <= set(WHOLE.labels), "half a label became one"
        assert kinds
        row = grid.cells[min(rows, 7)]
        before = PICTURE[:cut].rpartition("\n")[2]
        done = sum(int(count) for count in re.findall(r" \*(\d)\|", before))
        assert np.array_equal(row[:done], WHOLE.cells[min(rows, 7)][:done]), cut


@pytest.mark.parametrize("rle", ["image", "none"])
def test_every_prefix_of_one_line_keeps_its_cells(rle: str) -> None:
    codec, text = get_codec(f"text4seg:grid=8,rle={rle}"), spelt(rle)
    for cut in range(5, len(text)):
        done = 0
        if rle == "none":
            done = text[:cut].count("|")
        else:
            done = sum(int(count) for count in re.findall(r" \*(\d+)\|", text[:cut]))
        grid = read(text[:cut], codec)[0]
        assert np.array_equal(grid.cells.flat[:done], WHOLE.cells.flat[:done]), cut
        assert set(grid.labels) <= set(WHOLE.labels)


# Grids of other sizes


@pytest.mark.parametrize("rle", ["row", "image", "none"])
@pytest.mark.parametrize("grid", ["16", "4", "12x12"])
def test_another_grid_is_read_at_its_own_size(grid: str, rle: str) -> None:
    codec = get_codec(f"text4seg:grid={grid},rle={rle}")
    found, repairs = codec.parse(spelt(rle), errors="repair")
    assert same(found, WHOLE)
    (repair,) = repairs
    assert repair.kind == "grid-size"
    assert "found 8 rows of 8" in repair.message
    decoded = codec.decode(spelt(rle), (48, 48), errors="repair")
    assert np.array_equal(decoded.pixels, CODEC.decode(PICTURE, (48, 48)).pixels)


def test_rows_of_another_length_without_an_end() -> None:
    text = PICTURE[: PICTURE.index("</seg>") - 40]
    grid = read(text, get_codec("text4seg:grid=16"))[0]
    assert grid.cells.shape == (8, 8)
    assert np.array_equal(grid.cells[:5], WHOLE.cells[:5])


def test_a_number_alone_states_no_size() -> None:
    codec = get_codec("text4seg:grid=8,rle=image")
    assert read("<seg>dog *1000000\n</seg>", codec)[0].cells.shape == (8, 8)
    rows = "<seg>" + "\n ".join(["dog *100000"] * 8) + "\n</seg>"
    assert read(rows)[0].cells.shape == (8, 8)


# Hostile texts


@pytest.mark.parametrize(
    "text",
    [
        "*" * 10_000_000,
        "<seg>" * 2_000_000,
        "<seg>" + "dog *3| " * 1_250_000,
        "<seg>" + "".join(f"{k} *1| " for k in range(800_000)),
        "<seg>" + "a*1,b *1\n" * 1_000_000,
        "犬×| " * 2_500_000,
        "<seg>a" + " " * 10_000_000 + "*3",
    ],
    ids=["stars", "tags", "runs", "labels", "faulty rows", "wide characters", "spaces"],
)
def test_ten_megabytes_are_bounded(text: str) -> None:
    tracemalloc.start()
    grid, repairs = CODEC.parse(text, errors="repair")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert grid.cells.size <= 64 * 64
    assert len(repairs) <= 1_001
    assert peak < 8 * len(text.encode()) + 50_000_000


def test_repairs_beyond_the_limit_are_counted() -> None:
    rows = ["a*1"] * 1_500
    repairs = get_codec("text4seg:grid=1024").parse("\n ".join(rows), errors="repair")[1]
    assert len(repairs) == 1_001
    assert int(repairs[-1].message.split()[0]) >= 500


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "I can't see that.", "<seg>", "</seg>", "<seg></seg>"]
)
def test_an_answer_without_rows_is_background(text: str) -> None:
    decoded = CODEC.decode(text, (5, 6), errors="repair")
    assert decoded.masks == []
    assert decoded.pixels.shape == (0, 5, 6)
    assert decoded.repairs


def test_a_label_that_breaks_off_is_no_cell() -> None:
    codec = get_codec("text4seg:grid=4,rle=none")
    _, repairs = codec.parse("<seg>others| dog| ca", errors="repair")
    assert "found 2" in next(one.message for one in repairs if one.kind == "cells")

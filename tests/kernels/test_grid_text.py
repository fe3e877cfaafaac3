"""The parser of runs against its twin, on texts that are right, damaged and hostile."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maskcodec._ext import grid_text as kernel
from maskcodec._reference import grid_text as twin

Ints = npt.NDArray[np.int32]
OPEN, FULL, GRID = 1, 2, 4

BACKGROUND = b"others"
NAMES = (
    b"others",
    b"dog",
    b"white horse",
    "犬".encode(),
    b"a",
    b"x",
    b"a|very,long label*x",
    b"oth",
)
PIECES = (
    *(b"others *3", b"dog *12", b"| ", b"\n ", b"\n", b" ", b"*", b"|", b",", b";", "×".encode()),
    *(b"x3", b" x 4", b"0", b"007", b"99999999999999999999", b"-2", b"+", b"\t", b"\r", b"\xc3"),
    *(b"dog", b"\x00", b"others *1| dog *2| others *1"),
)

lines = st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join)
repeated = st.lists(st.tuples(lines, st.integers(1, 4)), max_size=5).map(
    lambda some: b"".join((line + b"\n") * times for line, times in some)
)
STARS = (b" *", b"*", b" * ", b"* ", b"\t*", " ×".encode(), b"*-", b"* -", b" x", b"*0", b"")
BARS = (b"| ", b"|", b" |", b" | ", b"|  ", b",", b", ", b"||", b"", b" ")
COUNTS = (b"1", b"3", b"12", b"100", b"0")


@st.composite
def spelt(draw: st.DrawFn) -> bytes:
    """Runs that keep to a spelling, as models do, and stray from it now and then."""
    labels = draw(st.sampled_from(((b"dog",), (b"dog", b"others"), NAMES)))
    star, bar = draw(st.sampled_from(STARS)), draw(st.sampled_from(BARS))
    end = draw(st.sampled_from((b"\n", b"\n ")))
    text = draw(st.sampled_from((b"", b" ")))
    for _ in range(draw(st.integers(1, 14))):
        strays = draw(st.integers(0, 9))
        text += draw(st.sampled_from((*labels, b"") if strays == 1 else labels))
        text += draw(st.sampled_from(STARS)) if strays == 2 else star
        text += draw(st.sampled_from(COUNTS))
        text += draw(st.sampled_from(BARS)) if strays == 3 else draw(st.sampled_from((bar, end)))
    return text


texts = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join) | repeated | spelt()


def room_for(count: int) -> Ints:
    """An array to fill, with a recognisable filling."""
    return np.full(9 * count, -7, np.int32)


def parts(room: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Runs, lines, labels and notes."""
    runs, lines, labels, notes = np.split(room, len(room) // 9 * np.array([2, 5, 7]))
    return runs.reshape(-1, 2), lines.reshape(-1, 3), labels.reshape(-1, 2), notes.reshape(-1, 2)


def call(
    text: bytes, counted: bool, room: Ints, cells: Ints, start: int = 0, stop: int | None = None
) -> tuple[int, int, int, int, int]:
    """The kernel; a grid is as large as `cells`."""
    stop = len(text) if stop is None else stop
    rows, columns = cells.shape
    return kernel.scan(text, start, stop, counted, BACKGROUND, rows, columns, room, cells)


def scan(
    text: bytes, counted: bool, rows: int = 0, columns: int = 0, start: int = 0
) -> tuple[int, twin.Scanned, Ints, int]:
    """What the kernel says, in the form of its twin; the cells; and how many labels it found."""
    room = room_for(900)
    runs, lines, labels, notes = parts(room)
    cells = np.full((rows, columns), -7, np.int32)
    flags, run_count, line_count, label_count, noted = call(text, counted, room, cells, start)
    names = [BACKGROUND, *(text[a:b] for a, b in labels[1:label_count].tolist())]
    assert len(set(names)) == len(names)
    found = [(names[label], count) for label, count in runs[:run_count].tolist()]
    listed = [(end, byte, count) for end, byte, count in lines[:line_count].tolist()]
    noted_here = [(kind, byte) for kind, byte in notes[:noted].tolist()]
    assert (lines[line_count:] == -7).all()
    return flags, twin.Scanned(found, listed, noted_here, bool(flags & OPEN)), cells, label_count


def expected(text: bytes, counted: bool, start: int = 0) -> twin.Scanned:
    scanned = twin.scan(text, start, len(text), counted)
    scanned.runs = [(name or BACKGROUND, count) for name, count in scanned.runs]
    return scanned


@given(text=texts, counted=st.booleans())
@example(text=b"dog *3| ", counted=True)
@example(text=b"*", counted=True)
@example(text=b"|", counted=False)
@example(text=b"others *16\n others *16\n others *16", counted=True)
@example(text=b"others *2| dog *2\n others *2| dog *2\n others *2| dog *22\n", counted=True)
@example(text=b"dog x3, others x13\n", counted=True)
@example(text=b"dog *-2| cat *+-03\n", counted=True)
@example(text=b"label*3, label*4\nlabel*7\n", counted=True)
@example(text="a *3\n a ×3| b *0\n".encode(), counted=True)
@example(text=b"a*3\na*3\na*3\n a *3\na*3\na*3\n", counted=True)
@example(text=b" a *3\n a *3\n\n\na*-3|\na*-3|\na*-3|", counted=True)
@example(text="a ×3| a*1\n a×3*2".encode(), counted=True)
@example(text=b"a * 3| a * 3\n a * 3\n", counted=True)
@example(text=b"a *3|\ta *3\n a *3|\ta *3\n", counted=True)
@example(text=b"a*1|a*2|", counted=True)
@example(text=b"a*1|a*1a*1|b", counted=True)
def test_scan(text: bytes, counted: bool) -> None:
    assert scan(text, counted)[1] == expected(text, counted)


@given(text=st.binary(max_size=60), counted=st.booleans(), start=st.integers(0, 60))
def test_scan_of_any_bytes(text: bytes, counted: bool, start: int) -> None:
    start = min(start, len(text))
    found = scan(text, counted, start=start)[1]
    wanted = expected(text, counted, start)
    assert (found.runs, found.lines, found.notes) == (wanted.runs, wanted.lines, wanted.notes)


@st.composite
def grids(draw: st.DrawFn) -> tuple[bytes, bool, list[list[int]], tuple[bytes, ...]]:
    """A text as the codec writes it, and the cells that it means."""
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    others = draw(st.permutations([n for n in NAMES if b"|" not in n and n != BACKGROUND]))
    names = (BACKGROUND, *others)
    cells = [[draw(st.integers(0, 3)) for _ in range(columns)] for _ in range(rows)]
    if draw(st.booleans()):
        cells = [cells[0]] * rows
    counted = draw(st.booleans())
    lines = []
    for row in cells:
        runs: list[list[int]] = []
        for cell in row:
            if runs and counted and runs[-1][0] == cell and draw(st.integers(0, 9)):
                runs[-1][1] += 1
            else:
                runs.append([cell, 1])
        lines.append(b"| ".join(names[k] + (b" *%d" % n if counted else b"") for k, n in runs))
    return b"\n ".join(lines) + b"\n", counted, cells, names


@given(example=grids())
def test_a_grid_is_read_as_it_is_written(
    example: tuple[bytes, bool, list[list[int]], tuple[bytes, ...]],
) -> None:
    text, counted, rows, _ = example
    flags, scanned, cells, label_count = scan(text, counted, len(rows), len(rows[0]))
    assert flags == GRID
    assert scanned == expected(text, counted)
    order = list(dict.fromkeys(cell for row in rows for cell in row if cell))
    number = {0: 0, **{cell: k for k, cell in enumerate(order, 1)}}
    assert cells.tolist() == [[number[cell] for cell in row] for row in rows]
    assert label_count == len(order) + 1


@given(example=grids(), place=st.integers(0, 200), byte=st.sampled_from(b"0 *|\n,x9a"))
def test_one_wrong_byte(
    example: tuple[bytes, bool, list[list[int]], tuple[bytes, ...]], place: int, byte: int
) -> None:
    text, counted, rows, _ = example
    place %= len(text)
    changed = text[:place] + bytes([byte]) + text[place + 1 :]
    flags, scanned, _, _ = scan(changed, counted, len(rows), len(rows[0]))
    wanted = expected(changed, counted)
    assert scanned == wanted
    assert (flags == GRID) == wanted.fits(len(rows), len(rows[0]))


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200, 5_000])
def test_many_labels(count: int) -> None:
    names = [b"label %d" % (k * 7919) for k in range(count)]
    text = b"| ".join([*names, *names]) + b"\n"
    cells = np.zeros((1, 2 * count), np.int32)
    found = call(text, False, room_for(2 * count), cells)
    assert found == (GRID, 2 * count, 1, count + 1, 0)
    assert cells[0].tolist() == [*range(1, count + 1)] * 2


@given(text=texts, counted=st.booleans(), count=st.integers(1, 6))
@example(text=b"a| b\na| b\na| b\n", counted=False, count=5)
@example(text=b"a\n a| b\n a| b\n a| b\n", counted=False, count=6)
def test_too_little_room(text: bytes, counted: bool, count: int) -> None:
    guarded = np.full(9 * count + 1, -7, np.int32)
    nothing = np.zeros((1, 0), np.int32)
    flags, runs, lines, labels, noted = call(text, counted, guarded[:-1], nothing)
    assert guarded[-1] == -7
    assert max(runs, lines, labels) <= count
    # Runs of a line that is read twice may stay behind; nothing else goes beyond its part.
    for part, used in zip(parts(guarded[:-1])[1:], (lines, labels, noted), strict=True):
        assert (part[used:] == -7).all()
    wanted = expected(text, counted)
    if flags & FULL:
        assert runs <= len(wanted.runs)
        assert max(len(wanted.runs), len(wanted.lines)) > count or labels == count
    else:
        assert (runs, lines, noted) == (len(wanted.runs), len(wanted.lines), len(wanted.notes))


def test_a_number_allocates_nothing() -> None:
    text = b"dog *" + b"9" * 400 + b"\n"
    _, scanned, _, _ = scan(text, True, 2, 2)
    assert scanned.runs == [(b"dog", 1 << 20)]


def test_wrong_arguments() -> None:
    room, cells = room_for(4), np.zeros((2, 2), np.int32)
    for start, stop in ((-1, 2), (2, 1), (0, 9)):
        with pytest.raises(ValueError, match="start and stop"):
            call(b"dog *2", True, room, cells, start, stop)
    with pytest.raises(ValueError, match="cells must hold"):
        call(b"dog *2", True, room[:8], cells)
    with pytest.raises(ValueError, match="cells must hold"):
        kernel.scan(b"a *2", 0, 4, True, BACKGROUND, 3, 2, room, cells)
    read_only = cells.copy()
    read_only.flags.writeable = False
    with pytest.raises((ValueError, BufferError)):
        call(b"dog *2", True, room, read_only)

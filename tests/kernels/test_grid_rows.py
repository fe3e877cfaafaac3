"""Rows from runs, and rows as text, against their twins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import grid_rows, grid_write
from maskcodec._reference import grid_rows as rows_twin
from maskcodec._reference import grid_write as write_twin

runs_lists = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from((0, 1, 1, 2, 3, 5, 1 << 20))), max_size=8
)


def as_array(runs: list[tuple[int, int]]) -> npt.NDArray[np.int32]:
    return np.array(runs, np.int32).reshape(-1, 2)


@given(runs=runs_lists, room=st.integers(0, 12), skipped=st.integers(0, 3))
def test_expand(runs: list[tuple[int, int]], room: int, skipped: int) -> None:
    first = min(skipped, len(runs))
    guarded = np.full(room + 1, -7, np.int32)
    filled = grid_rows.expand(as_array(runs), first, len(runs), guarded[:-1])
    wanted = rows_twin.expand(runs[first:], room)
    assert filled == len(wanted)
    assert guarded[:filled].tolist() == wanted
    assert guarded[-1] == -7


@given(data=st.data(), runs=runs_lists, columns=st.integers(0, 9))
def test_align(data: st.DataObject, runs: list[tuple[int, int]], columns: int) -> None:
    rows = st.none() | st.lists(st.integers(0, 2), min_size=columns, max_size=columns)
    above, below = data.draw(rows), data.draw(rows)
    guarded = np.full(columns + 1, -7, np.int32)
    grid_rows.align(
        as_array(runs),
        0,
        len(runs),
        None if above is None else np.array(above, np.int32),
        None if below is None else np.array(below, np.int32),
        guarded[:-1],
    )
    assert guarded[:-1].tolist() == rows_twin.align(runs, above, below, columns)
    assert guarded[-1] == -7


def test_align_finds_the_lost_cell() -> None:
    above = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0], np.int32)
    cells = np.empty(9, np.int32)
    for runs in ([(0, 3), (1, 3), (0, 2)], [(0, 3), (1, 5), (0, 2)], [(0, 3), (0, 2)]):
        grid_rows.align(as_array(runs), 0, len(runs), above, above, cells)
        assert cells.tolist() == above.tolist()


def test_align_of_equal_runs_mends_the_first() -> None:
    for columns in (3, 6):
        cells = np.empty(columns, np.int32)
        runs = [(0, 1), (1, 2), (2, 2)]
        grid_rows.align(as_array(runs), 0, 3, None, None, cells)
        assert cells.tolist() == rows_twin.align(runs, None, None, columns)
        assert cells.tolist() == ([0, 2, 2] if columns == 3 else [0, 1, 1, 1, 2, 2])


def test_align_of_one_array_twice() -> None:
    row = np.array([1, 0], np.int32)
    cells = np.empty(2, np.int32)
    grid_rows.align(as_array([(0, 1)]), 0, 1, row, row, cells)
    assert cells.tolist() == [1, 0]


def test_wrong_arguments() -> None:
    runs, cells = as_array([(0, 2)]), np.empty(2, np.int32)
    with pytest.raises(ValueError, match="must be runs"):
        grid_rows.align(runs, 0, 2, None, None, cells)
    with pytest.raises(ValueError, match="must be runs"):
        grid_rows.expand(runs, 1, 0, cells)
    with pytest.raises(ValueError, match="as long as cells"):
        grid_rows.align(runs, 0, 1, np.empty(3, np.int32), None, cells)
    with pytest.raises(ValueError, match="cells must hold"):
        grid_write.write(cells, 2, 2, b"a\n", 2, np.empty(9, np.uint8))


NAMES = (
    "others",
    "dog",
    "犬",
    "white horse",
    "a label of some length, with commas",
    "x",
    "12345678",
)


@pytest.mark.parametrize("style", [0, 1, 2])
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_write(data: st.DataObject, style: int, seed: int) -> None:
    shape = data.draw(st.tuples(st.integers(1, 5), st.sampled_from((1, 2, 7, 8, 9, 40))))
    random = np.random.default_rng(seed)
    count = shape[0] * shape[1]
    runs = np.repeat(random.integers(0, len(NAMES), count), random.integers(1, 12, count))
    cells: npt.NDArray[np.int32] = runs[:count].astype(np.int32).reshape(shape)
    if data.draw(st.booleans()):
        cells = np.repeat(cells, 2, axis=0)
    names = "".join(f"{name}\n" for name in NAMES).encode()
    rows, columns = cells.shape
    wanted = write_twin.write(cells, NAMES, style).encode()
    out = np.full(len(wanted) + 80, 255, np.uint8)
    written = grid_write.write(cells, rows, columns, names, style, out)
    assert out[:written].tobytes() == wanted

    room = data.draw(st.integers(0, len(wanted)))
    guarded = np.full(room + 1, 255, np.uint8)
    bound = grid_write.write(cells, rows, columns, names, style, guarded[:-1])
    assert guarded[-1] == 255
    assert bound >= len(wanted)
    if bound <= room:
        assert guarded[:bound].tobytes() == wanted
    enough = np.empty(bound, np.uint8)
    written = grid_write.write(cells, rows, columns, names, style, enough)
    assert enough[:written].tobytes() == wanted


@pytest.mark.parametrize("style", [1, 2])
def test_write_long_runs(style: int) -> None:
    runs = [1, 9, 10, 63, 64, 65, 99, 100, 101, 128, 999, 1000, 12_345]
    cells: npt.NDArray[np.int32] = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.int32)[None]
    out = np.empty(999, np.uint8)
    written = grid_write.write(cells, 1, cells.size, b"a\nb\n", style, out)
    assert out[:written].tobytes().decode() == write_twin.write(cells, ("a", "b"), style)


@pytest.mark.parametrize("number", [-1, 2])
def test_a_cell_without_a_name(number: int) -> None:
    cells = np.array([[0, number]], np.int32)
    assert grid_write.write(cells, 1, 2, b"a\nb\n", 2, np.empty(99, np.uint8)) == -1


def test_more_names_than_fit_on_the_stack() -> None:
    cells = np.arange(300, dtype=np.int32).reshape(3, 100)
    names = [f"n{k}" for k in range(300)]
    out = np.empty(9_000, np.uint8)
    written = grid_write.write(cells, 3, 100, "\n".join([*names, ""]).encode(), 2, out)
    assert out[:written].tobytes().decode() == write_twin.write(cells, names, 2)

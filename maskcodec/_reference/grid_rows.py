"""Rows of a grid of labels, in plain Python: the specification of `_ext/grid_rows.pyx`."""

from __future__ import annotations

from collections.abc import Sequence

Run = tuple[int, int]


def expand(runs: Sequence[Run], room: int) -> list[int]:
    """The cells of runs (label, count), as many as there is room for."""
    return [label for label, count in runs for _ in range(min(count, room))][:room]


def align(
    runs: Sequence[Run],
    above: Sequence[int] | None,
    below: Sequence[int] | None,
    columns: int,
) -> list[int]:
    """The row of `columns` cells that runs of too few or too many cells mean most probably.

    All rows are tried that come from inserting cells at one run's end, from that run or from a
    neighbour, or from dropping cells from one run's start or the row's end. The row that agrees
    with its neighbours in most cells wins; among equals the one mended at the longest run, and
    among those the first.
    """
    row = expand([(label, min(count, columns)) for label, count in runs], 2 * columns)
    neighbours = [other for other in (above, below) if other is not None]
    tried = _wider if len(row) <= columns else _narrower
    candidates = tried(runs, row, neighbours, columns)

    def merit(candidate: tuple[list[int], int]) -> tuple[int, int]:
        cells, length = candidate
        agreeing = (a == b for other in neighbours for a, b in zip(cells, other, strict=True))
        return sum(agreeing), length

    return max(candidates, key=merit)[0]


def _wider(
    runs: Sequence[Run], row: list[int], neighbours: list[Sequence[int]], columns: int
) -> list[tuple[list[int], int]]:
    """Rows with cells inserted, and the length of the run they are inserted at."""
    missing, end = columns - len(row), 0
    candidates = []

    def copy() -> None:
        filling = list(neighbours[0][end : end + missing])
        candidates.append(([*row[:end], *filling, *row[end:]], 0))

    if neighbours:
        copy()
    for label, count in runs:
        if end >= len(row):
            break
        end = min(end + count, len(row))
        candidates.append(([*row[:end], *[label] * missing, *row[end:]], count))
        if neighbours:
            copy()
    return candidates or [([0] * columns, 0)]


def _narrower(
    runs: Sequence[Run], row: list[int], neighbours: list[Sequence[int]], columns: int
) -> list[tuple[list[int], int]]:
    """Rows with cells dropped, and the length of the run they are dropped from."""
    surplus, start = len(row) - columns, 0
    candidates = [(row[:columns], 0)]
    for _, count in runs:
        if start > columns:
            break
        candidates.append((row[:start] + row[start + surplus :], count))
        start += min(count, columns)
    return candidates

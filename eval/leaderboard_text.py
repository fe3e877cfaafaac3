"""The table of results for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from maskcodec.commands.terminal import printable

from .leaderboard_board import AVERAGE, Board, Row
from .leaderboard_runs import Figure

DASH = "–"
WIDEST = 34
"""Characters of a name that are shown."""

DECODER = {True: "yes", False: "no", None: "?"}


def text(board: Board) -> str:
    """The table with its notes, lines of plain text."""
    letters = footnotes(board)
    many = len({column.dataset for column in board.columns}) > 1
    head = ["", "#", "system", "backbone", "decoder"]
    head += [column.name if many else column.split for column in board.columns]
    head += [AVERAGE] if len(board.columns) > 1 else []
    lines = [head]
    for row, rank in zip(board.rows, board.ranks(), strict=True):
        lines += _lines(board, row, rank, letters)
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    left = (0, 2, 3)
    drawn = [
        "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    where = ", ".join(dict.fromkeys(column.dataset for column in board.columns))
    title = f"{board.metric} on {where}, in percent"
    return "\n".join([title, "", *drawn, *_notes(board, letters)]) + "\n"


def footnotes(board: Board) -> dict[str, str]:
    """A letter for each reason why rows do not compare, in the order of the table."""
    reasons = dict.fromkeys(reason for row in board.rows for reason in row.differs)
    return {reason: letter(index) for index, reason in enumerate(reasons)}


def letter(index: int) -> str:
    """a, b, …, z, aa, ab, …"""
    high, low = divmod(index, 26)
    return (letter(high - 1) if high else "") + chr(ord("a") + low)


def _lines(board: Board, row: Row, rank: int | None, letters: dict[str, str]) -> list[list[str]]:
    marks = ",".join(letters[reason] for reason in row.differs)
    name = _short(row.system) + (f" [{marks}]" if marks else "")
    figures = [row.figures.get(column) for column in board.columns]
    cells = [
        ">" if row.yours else "",
        DASH if rank is None else str(rank),
        name,
        _short(row.backbone),
        "" if row.yours else DECODER[row.needs_decoder],
        *(_cell(one) for one in figures),
    ]
    if len(board.columns) > 1:
        cells.append(number(board.average(row)))
    ceilings = [None if one is None else one.ceiling for one in figures]
    if all(ceiling is None for ceiling in ceilings):
        return [cells]
    below = ["", "", "  its codec alone", "", "", *(number(ceiling) for ceiling in ceilings)]
    return [cells, below + [""] * (len(cells) - len(below))]


def _cell(figure: Figure | None) -> str:
    return number(None if figure is None else figure.value)


def number(value: float | None) -> str:
    """A figure with one decimal, or a dash."""
    return DASH if value is None else f"{value:.1f}"


def _short(name: str) -> str:
    name = printable(name)
    return name if len(name) <= WIDEST else name[: WIDEST - 1] + "…"


def _notes(board: Board, letters: dict[str, str]) -> Sequence[str]:
    said = "does not compare with yours" if board.has_yours else "counted otherwise"
    notes = [f"[{mark}] {said}: {reason}" for reason, mark in letters.items()]
    for row in board.rows:
        if row.yours:
            notes += [f"> {_short(row.system)}: {printable(note)}" for note in row.notes]
    if any(row.needs_decoder for row in board.rows):
        notes.append("decoder: whether a network that sees the image makes the pixels")
    return ["", *notes] if notes else []

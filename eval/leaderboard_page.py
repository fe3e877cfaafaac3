"""The table of results as one HTML page that loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO

from maskcodec.scores.published import CONVENTIONS, KINDS
from maskcodec.sheet import escape, page_head

from . import score_page_plots as plots
from . import score_page_tables as tables
from . import score_page_words as words
from .leaderboard_board import AVERAGE, Board, Column, Row
from .leaderboard_text import DECODER, footnotes, number

STYLE = (
    plots.STYLE
    + tables.STYLE
    + """
.legend { padding: 0; margin: .8rem 0 0; list-style: none; font-size: .85rem; color: var(--dim); }
.legend li { margin-bottom: .2rem; max-width: 100ch; }
tbody tr.yours th, tbody tr.yours td { background: var(--yours); font-weight: 600; }
:root { --yours: #e3edfd; }
@media (prefers-color-scheme: dark) { :root { --yours: #1c2c47; } }
sup { color: var(--bad); font-weight: 600; line-height: 0; }
td.plot svg { width: 8rem; min-width: 6rem; }
th, td { padding: .35rem .55rem; }
thead th { white-space: normal; vertical-align: bottom; }
thead th:nth-child(2), tbody th { text-align: left; }
tbody th { white-space: nowrap; }
td:first-child { color: var(--dim); }
tr.yours svg .kept { fill: var(--model); }
td small { display: block; font-weight: normal; }
section > p { max-width: 80ch; }
"""
)


def write_page(stream: IO[bytes], board: Board) -> None:
    """Write the page; `stream` is open for bytes."""
    names = dict.fromkeys(words.DATASETS.get(one.dataset, one.dataset) for one in board.columns)
    title = f"{board.metric} on {', '.join(names)}"
    letters = footnotes(board)
    parts = [
        page_head(title, _lead(board), STYLE),
        _table(board, letters),
        _legend(board, letters),
        _conventions(board),
        _sources(board),
        "</body>\n</html>\n",
    ]
    stream.write("".join(parts).encode("utf-8"))


def _lead(board: Board) -> str:
    meaning = words.metric(board.metric)
    said = f"{board.metric} in percent: {meaning}." if meaning else ""
    said += " Published figures, each with its source below, the best first."
    for row, rank in zip(board.rows, board.ranks(), strict=True):
        if row.yours and rank is not None:
            said += f" {row.system} has place {rank} of {len(board.rows)}."
    if any(row.differs for row in board.rows):
        others = "your run" if board.has_yours else "most"
        said += f" Rows with a letter were counted in another way than {others}: why stands below."
    return said.strip()


def _table(board: Board, letters: Mapping[str, str]) -> str:
    order = AVERAGE if board.order is None else _named(board.order)
    head = ["", "system", f"by {order}", *(_named(column) for column in board.columns)]
    head += [AVERAGE] if len(board.columns) > 1 else []
    head += ["decoder", "kind"]
    cells = "".join(f"<th scope=col>{escape(name)}</th>" for name in head)
    body = "".join(
        _row(board, row, rank, letters) for row, rank in zip(board.rows, board.ranks(), strict=True)
    )
    return (
        f"<div class=scroll><table>\n<thead><tr>{cells}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def _named(column: Column) -> str:
    return f"{words.DATASETS.get(column.dataset, column.dataset)} {column.split}"


def _row(board: Board, row: Row, rank: int | None, letters: Mapping[str, str]) -> str:
    marks = ",".join(letters[reason] for reason in row.differs)
    name = escape(row.system) + (f"<sup> {marks}</sup>" if marks else "")
    name += f"<small>{escape(row.backbone)}</small>" if row.backbone else ""
    cells = [_bar(board, row)]
    for column in board.columns:
        figure = row.figures.get(column)
        below = ""
        if figure is not None and figure.ceiling is not None:
            below = f"<small>codec {number(figure.ceiling)}</small>"
        cells.append(number(None if figure is None else figure.value) + below)
    if len(board.columns) > 1:
        cells.append(number(board.average(row)))
    cells += ["" if row.yours else DECODER[row.needs_decoder], "" if row.yours else row.kind]
    first = f"<td>{'' if rank is None else rank}</td><th scope=row>{name}</th>"
    rest = "".join(
        f"<td{' class=plot' if index == 0 else ''}>{cell}</td>" for index, cell in enumerate(cells)
    )
    return f"<tr{' class=yours' if row.yours else ''}>{first}{rest}</tr>\n"


def _bar(board: Board, row: Row) -> str:
    value = board.sorted_by(row)
    if value is None:
        return tables.DASH
    figure = None if board.order is None else row.figures.get(board.order)
    low, high = (None, None) if figure is None else (figure.low, figure.high)
    ends = [None if end is None else end / 100 for end in (low, high)]
    return plots.loss_bar(value / 100, ends[0], ends[1], name=row.system)


def _legend(board: Board, letters: Mapping[str, str]) -> str:
    items = [f"<sup>{mark}</sup> {escape(reason)}" for reason, mark in letters.items()]
    for row in board.rows:
        if row.yours:
            items += [f"<b>{escape(row.system)}</b>: {escape(note)}" for note in row.notes]
    items.append("decoder: whether a network that sees the image makes the pixels")
    items += [
        f"{escape(kind)}: {escape(said)}"
        for kind, said in KINDS.items()
        if any(row.kind == kind for row in board.rows)
    ]
    return "<ul class=legend>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>\n"


def _conventions(board: Board) -> str:
    used = dict.fromkeys(row.convention for row in board.rows if not row.yours)
    rows = [[escape(name), escape(CONVENTIONS[name].doc)] for name in used]
    if not rows:
        return ""
    table = tables.grid(["convention", ""], rows, kinds="nw")
    return f"<section>\n<h2>How figures were counted</h2>\n{table}</section>\n"


def _sources(board: Board) -> str:
    rows = [
        [
            escape(row.system) + (f"<small>{escape(row.backbone)}</small>" if row.backbone else ""),
            escape(row.convention),
            "<br>".join(escape(source) for source in row.sources),
            "<br>".join(escape(note) for note in row.notes),
        ]
        for row in board.rows
    ]
    table = tables.grid(["system", "convention", "source", "note"], rows, kinds="nwww", tall=True)
    said = "“Secondary” figures were read in somebody else's table."
    return f"<section>\n<h2>Where figures come from</h2>\n<p>{said}</p>\n{table}</section>\n"

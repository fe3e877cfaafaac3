"""The page of `bench generate`: what a rule costs a step, and what a mask costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from maskcodec.sheet import Table

from . import page as pages
from . import plots
from .document import Document, Result

TITLE = "What constrained decoding costs, and what a mask costs"
LEAD = (
    "A rule keeps answers in the codec's format: by token id where the codec's pieces are tokens, "
    "by a grammar elsewhere. Models were made to print the right answers, so that the way with the "
    "rule and the way without it take the same steps."
)
REPLAYED = {
    "answers": "answers",
    "tokens_mask": "tokens a mask",
    "free_step_ms": "ms a step, free",
    "held_step_ms": "ms a step, held",
    "rule_ms": "the rule, ms a step",
    "rule_row_us": "µs a row",
    "rule_share": "share",
    "free_mask_seconds": "s a mask, free",
    "held_mask_seconds": "s a mask, held",
    "first_ms": "first, ms",
}
OWN = {
    "mask_seconds": "s a mask",
    "tokens_answer": "tokens an answer, without its end",
    "giou": "gIoU",
    "invalid": "invalid",
}
RULE = {
    "answers": "answers",
    "vocabulary": "vocabulary",
    "tokens_mask": "tokens a mask",
    "rule_ms": "the rule, ms a step",
    "rule_row_us": "µs a row",
    "first_ms": "first, ms",
}
NOTE = (
    "tokens a mask: the answer's end among them. A step is one of the whole batch; reading the "
    "question is the first. share: of all time, what the rule took. first: what the first answer "
    "in that vocabulary waits for; what a process loads once, about half a second, is not in it."
)
WHOLE = ("answers", "vocabulary")
"""Figures that are counts."""
KEYS = ("model", "codec", "batch")


def of_kind(document: Document, kind: str) -> list[Result]:
    """Results of a kind, in order."""
    return [one for one in document["results"] if one["name"].get("kind") == kind]


def write(path: Path, document: Document) -> None:
    """Write the page, with as much as there is so far."""
    pages.write_page(path, document, TITLE, LEAD, sections(document))


def sections(document: Document) -> list[str]:
    """The parts of the page."""
    found = []
    right, own, rule = (of_kind(document, kind) for kind in ("right", "its own", "rule alone"))
    if right:
        found.append(_replayed(right))
    if own:
        content = pages.results_table(own, (*KEYS, "way"), OWN, "By an adapter that knows it.")
        found.append(pages.section("An adapter's own answers", content))
    if rule:
        note = "So many answers at a time, each step the right id; no model takes part."
        content = pages.results_table(rule, KEYS, RULE, NOTE)
        found.append(pages.section("The rule alone, in large vocabularies", content, note=note))
    return found


def _replayed(results: list[Result]) -> str:
    names = list(dict.fromkeys(map(_line, results)))
    drawn = [
        _plot(results, names, "The rule's cost", "rule_ms", "ms a step of the batch"),
        _plot(results, names, "The rule's share of the time", "rule_share", "share of all time"),
        _plot(results, names, "A mask", "held_mask_seconds", "seconds a mask, held"),
    ]
    content = pages.results_table(results, KEYS, REPLAYED, NOTE)
    legend = plots.legend(names)
    return pages.section("Right answers, free and held", legend, pages.plots(drawn), content)


def _line(result: Result) -> str:
    return f"{result['name']['model']}: {result['name']['codec']}"


def _plot(results: list[Result], names: list[str], title: str, figure: str, label: str) -> str:
    lines = plots.series(results, "batch", _line, figure)
    return plots.line_plot(
        title, lines, "answers at a time", label, log_x=True, zero=True, inks=names
    )


def text_table(document: Document) -> str:
    """All figures for a terminal."""
    parts = []
    for kind, keys, figures in (
        ("right", KEYS, REPLAYED),
        ("its own", (*KEYS, "way"), OWN),
        ("rule alone", KEYS, RULE),
    ):
        results = of_kind(document, kind)
        if results:
            parts.append(_lines(_table(results, keys, figures)))
    return "\n\n".join(parts)


def _table(results: list[Result], keys: Iterable[str], figures: Mapping[str, str]) -> Table:
    keys = list(keys)
    rows = [
        [
            *(str(one["name"].get(key, "")) for key in keys),
            *(_cell(one["figures"].get(figure), figure) for figure in figures),
        ]
        for one in results
    ]
    return Table([*keys, *figures.values()], rows)


def _cell(value: float | None, figure: str) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if figure in WHOLE else f"{value:,.4g}"


def _lines(content: Table) -> str:
    rows = [list(content.columns), *map(list, content.rows)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if index < 2 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )

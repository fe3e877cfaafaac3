"""A benchmark's document as an HTML page that loads nothing: plots, tables, how it was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskcodec import svg_canvas
from maskcodec.plot_axis import short
from maskcodec.sheet import Table, escape, page_head, table
from maskcodec.writing import atomic

from .document import Document, Result, missed

STYLE = (
    svg_canvas.STYLE
    + """
.plots { display: grid; gap: 12px; margin-bottom: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); align-items: start; }
.plots figure { padding: .5rem .5rem .25rem; }
.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.4rem; padding: 0; margin: 0 0 1rem;
  list-style: none; font: .85rem ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.legend svg { display: inline-block; width: 1.9rem; height: 1rem; vertical-align: -.15rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .85rem; }
dt { color: var(--dim); } dd { margin: 0; }
"""
)
"""CSS of what stands on such a page."""

STOPPED = "<p class=problem>The run was interrupted: this is what it had measured until then.</p>\n"
"""HTML that says so."""


def write_page(
    path: Path, document: Document, title: str, lead: str, sections: Iterable[str]
) -> None:
    """Write a page, whole or not at all.

    Args:
        path: where to.
        document: what was measured.
        title: heading.
        lead: a paragraph below it.
        sections: HTML, in order; see `section`.
    """
    with atomic(path) as stream:
        stream.write(page(document, title, lead, sections).encode("utf-8"))


def page(document: Document, title: str, lead: str, sections: Iterable[str]) -> str:
    """The page as a string; ends with what is known of the run."""
    stopped = STOPPED if document["interrupted"] else ""
    busy = document.get("busy")
    stopped += f"<p class=problem>{escape(str(busy))}</p>\n" if busy else ""
    parts = [page_head(title, lead, STYLE), stopped, *sections, about(document)]
    return "".join(parts) + "</body>\n</html>\n"


def section(heading: str, *parts: str, note: str = "") -> str:
    """A part of the page: heading, a remark, then HTML."""
    said = f"<p class=note>{escape(note)}</p>\n" if note else ""
    return f"<section>\n<h2>{escape(heading)}</h2>\n{said}{''.join(parts)}</section>\n"


def plots(figures: Iterable[str]) -> str:
    """Plots of `benchmarks.plots` beside each other, as many as there is room for."""
    return f"<div class=plots>\n{''.join(figures)}</div>\n"


def results_table(
    results: Sequence[Result],
    keys: Sequence[str] | None = None,
    figures: Mapping[str, str] | Sequence[str] | None = None,
    note: str = "",
) -> str:
    """Results as a table, a row each.

    Args:
        results: of a document.
        keys: the keys of their names, in order; None takes all.
        figures: the figures in order, with their headings where it is a mapping; None takes all.
        note: what the columns mean.
    """
    if keys is None:
        keys = list(dict.fromkeys(key for result in results for key in result["name"]))
    if figures is None:
        figures = list(dict.fromkeys(key for result in results for key in result["figures"]))
    headings = figures if isinstance(figures, Mapping) else dict(zip(figures, figures, strict=True))
    rows = [
        (
            *(_name(result["name"].get(key)) for key in keys),
            *(_cell(result, figure) for figure in headings),
        )
        for result in results
    ]
    return table(Table([*keys, *headings.values()], rows, note))


def _name(value: str | float | None) -> str:
    return value if isinstance(value, str) else "" if value is None else f"{value:,}"


def _cell(result: Result, figure: str) -> str:
    value = result["figures"].get(figure)
    if value is None:
        return "–"
    gate = result.get("gates", {}).get(figure)
    if gate is None:
        return short(value)
    is_missed = figure in missed(result)
    stretch = gate.get("stretch", math.inf)
    mark = "✗" if is_missed else "★" if value >= stretch else "✓"
    goal = f" (★ {short(stretch)})" if value < stretch < math.inf else ""
    return f"{short(value)} {mark} {short(gate['least'])}{goal}"


def about(document: Document) -> str:
    """The section that says how it was measured."""
    facts = {
        "command": document["command"],
        "date": document["date"],
        "machine": machine_line(document["machine"]),
        "versions": ", ".join(f"{name} {value}" for name, value in document["versions"].items()),
        "seed": "none" if document["seed"] is None else str(document["seed"]),
        **{name: _setting(value) for name, value in document["settings"].items()},
    }
    items = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
        for name, value in facts.items()
        if value != ""
    )
    return f"<section>\n<h2>How it was measured</h2>\n<dl>{items}</dl>\n</section>\n"


def machine_line(machine: Mapping[str, Any]) -> str:
    """A machine in one line."""
    cores = f"{machine['cores']} cores" if "cores" in machine else ""
    parts = [cores, *(str(value) for name, value in machine.items() if name != "cores" and value)]
    return "; ".join(part for part in parts if part)


def _setting(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value))
    if isinstance(value, dict):
        return ", ".join(f"{key} {_setting(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)

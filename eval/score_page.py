"""A report of scores as one HTML page that loads nothing, for a reader who never saw the project.

The figures come first, in sentences; then tables and plots; then pictures of single cases.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from maskcodec.sheet import Example, escape, write_sheet

from . import score_page_facts as facts
from . import score_page_plots as plots
from . import score_page_sections as sections
from . import score_page_tables as tables
from . import score_page_words as words
from .score_page_summary import finite, headline, lead, title

Json = Mapping[str, Any]

STYLE = (
    plots.STYLE
    + tables.STYLE
    + """
.summary { max-width: 78ch; margin: 0 0 1.25rem; font-size: 1.05rem; }
.summary p { margin: 0 0 .45rem; }
.summary p:first-child { color: var(--dim); }
.summary .problem { font-size: 1rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 12px;
  margin: 0 0 1rem; max-width: 64rem; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--dim); font-size: .85rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; font-size: .9rem; }
nav a { color: var(--good); }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; margin: .6rem 0 0;
  list-style: none; font-size: .85rem; color: var(--dim); }
p + .legend { margin: 0 0 .6rem; }
figure.plot { padding: .75rem .75rem .5rem; max-width: 62rem; }
figure.plot.bar { max-width: none; margin-bottom: 12px; }
section > p { max-width: 80ch; margin: 0 0 .9rem; }
h3 + p { margin-top: 0; max-width: 80ch; }
dl { display: grid; grid-template-columns: minmax(10rem, max-content) 1fr; gap: .3rem 1.2rem;
  margin: 0; font-size: .9rem; max-width: 90ch; }
dt { color: var(--dim); } dd { margin: 0; }
code { font: .85em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre.command { max-width: 100%; }
@media (max-width: 640px) { p + .legend { display: none; } }
@media (max-width: 480px) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .4rem; } }
"""
)


def write_page(stream: IO[bytes], document: Json, cases: Iterable[Example]) -> None:
    """Write the report.

    Args:
        stream: open for bytes.
        document: what `maskcodec score` writes as JSON, schema 1. What is missing or null is left
            out or shown as a dash; strings may be anything.
        cases: samples to be shown as pictures, drawn one after the other.
    """
    pictures = iter(cases)
    first = next(pictures, None)
    shown = () if first is None else itertools.chain([first], pictures)
    parts = [*_sections(document)]
    if first is not None:
        parts.append(("Cases", sections.cases()))
    write_sheet(stream, title(document), shown, style=STYLE, figures=_front(document, parts))


def _sections(document: Json) -> Iterable[tuple[str, str]]:
    """Heading and content of each section that the document has something for."""
    if document.get("scores"):
        yield "Scores", sections.scores(document)
    if document.get("comparison"):
        yield "Two systems", sections.comparison(document)
    if sum((document.get("histogram") or {}).get("counts") or ()):
        yield "IoU of samples", sections.histogram(document["histogram"])
    if document.get("groups"):
        yield "Parts of the data", sections.groups(document["groups"])
    if document.get("labels"):
        yield "Labels", sections.labels(document["labels"])
    if document.get("counts"):
        yield "Answers that failed", facts.failures(document)
    if document.get("convention"):
        yield "How it was counted", facts.convention(document["convention"])
    if content := facts.inputs(document):
        yield "What was scored, and with what", content


def _front(document: Json, parts: Sequence[tuple[str, str]]) -> str:
    said = "".join(f"<p>{escape(sentence)}</p>\n" for sentence in lead(document))
    said += "".join(f"<p class=problem>{escape(text)}</p>\n" for text in _warnings(document))
    links = "".join(
        f'<a href="#s{number}">{escape(name)}</a>\n' for number, (name, _) in enumerate(parts)
    )
    body = "".join(
        f'<section id="s{number}">\n<h2>{escape(name)}</h2>\n{content}</section>\n'
        for number, (name, content) in enumerate(parts)
    )
    return (
        f"<div class=summary>\n{said}</div>\n{_tiles(document)}"
        f'<nav aria-label="sections">\n{links}</nav>\n{body}'
    )


def _warnings(document: Json) -> list[str]:
    """What a reader must know before believing a figure."""
    found, parts = document.get("warnings"), document.get("lacking")
    if found is None and parts:
        found = [
            f"Parts {', '.join(map(str, parts))} are lacking: these are the scores of the rest."
        ]
    return [f"{str(text)[:1].upper()}{str(text)[1 : facts.MOST_TEXT]}" for text in found or ()]


def _tiles(document: Json) -> str:
    best = headline(document)
    counts = document.get("counts") or {}
    found = []
    if best is not None:
        found.append((tables.share(finite(best["value"])), f"{best['name']}, the result"))
        if (ceiling := finite(best.get("ceiling"))) is not None:
            found.append((tables.share(ceiling), f"{best['name']} of the codec alone"))
    total = int(counts.get("truth") or 0)
    if total:
        found.append((f"{total:,}", words.noun(document, total).split(" ", 1)[1]))
        failed = int(counts.get("invalid") or 0) + int(counts.get("missing") or 0)
        found.append((tables.share(failed / total), "not readable or missing"))
    cells = "".join(
        f"<div class=tile><b>{value}</b><span>{escape(what)}</span></div>\n"
        for value, what in found
    )
    return f"<div class=tiles>\n{cells}</div>\n" if found else ""

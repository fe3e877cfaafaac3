"""Tables of a report of scores, as HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from maskcodec.sheet import escape

from . import score_page_plots as plots
from . import score_page_words as words
from .score_page_summary import finite, signed, tenths

DASH = "<span class=none>–</span>"

Json = Mapping[str, Any]

STYLE = """
td.words { text-align: left; white-space: normal; min-width: 16rem; color: var(--dim);
  font-size: .85rem; line-height: 1.4; }
th.words { text-align: left; }
td.plot { padding-top: .2rem; padding-bottom: .2rem; }
td small { color: var(--dim); }
tbody th { font: inherit; font-weight: 600; min-width: 9.5rem;
  overflow-wrap: break-word; }
tbody th small { display: block; min-width: 9.5rem; max-width: 22rem; color: var(--dim);
  font: normal .8rem/1.35 system-ui, sans-serif; }
.none { color: var(--dim); }
.tall { max-height: 34rem; overflow: auto; }
.tall thead th { position: sticky; top: 0; z-index: 1; }
@media (max-width: 640px) {
  td.plot, th.plot { display: none; }
  tbody th, tbody th small { min-width: 7rem; }
}
.verdict-better { color: var(--good); font-weight: 600; }
.verdict-worse { color: var(--bad); font-weight: 600; }
"""
"""CSS of the tables."""


def grid(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, kinds: str = "", tall: bool = False
) -> str:
    """A table of cells that are HTML already; the first of a row is its heading.

    Args:
        columns: headings, as text.
        rows: HTML.
        kinds: a letter a column: "n" number, "w" words, "p" plot; "n" where there are none left.
        tall: whether a long table scrolls within its own frame.
    """
    style = {"w": " class=words", "p": " class=plot"}
    kinds = kinds.ljust(len(columns), "n")
    head = "".join(
        f"<th scope=col{style.get(kind, '')}>{escape(column)}</th>"
        for column, kind in zip(columns, kinds, strict=False)
    )
    body = "".join(
        f"<tr><th scope=row>{row[0]}</th>"
        + "".join(
            f"<td{style.get(kind, '')}>{cell}</td>"
            for cell, kind in zip(row[1:], kinds[1:], strict=False)
        )
        + "</tr>\n"
        for row in rows
    )
    frame = "scroll tall" if tall else "scroll"
    return (
        f'<div class="{frame}"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def scores(found: Sequence[Json], kind: object = None) -> str:
    """Every score with its interval, what the codec alone reaches, and who lost what."""
    ranged = any(finite(one.get("low")) is not None for one in found)
    ceilings = any(finite(one.get("ceiling")) is not None for one in found)
    columns = ["score", "", "result", *(["95 % interval"] if ranged else [])]
    columns += ["codec alone", "lost by the codec", "by the model"] if ceilings else []
    rows = []
    for one in found:
        name = str(one.get("name", ""))
        value, ceiling = finite(one.get("value")), finite(one.get("ceiling"))
        low, high = finite(one.get("low")), finite(one.get("high"))
        bar = DASH if value is None else plots.loss_bar(value, low, high, ceiling, name)
        bar = "" if name.endswith("_decay") else bar  # no share, and less of it is better
        row = [_explained(name, kind), bar, share(value)]
        row += [interval(low, high)] if ranged else []
        row += [share(ceiling), *_lost(value, ceiling)] if ceilings else []
        rows.append(row)
    return grid(columns, rows, kinds="np")


def breakable(name: str) -> str:
    """A name that may be broken at its underscores, slashes and commas."""
    return re.sub("([_/,])", r"\1<wbr>", escape(name))


def _explained(name: str, kind: object) -> str:
    meaning = words.metric(name, kind)
    return breakable(name) + (f"<small>{escape(meaning)}</small>" if meaning else "")


def _lost(value: float | None, ceiling: float | None) -> tuple[str, str]:
    if value is None or ceiling is None:
        return DASH, DASH
    codec, model = 1000 - tenths(ceiling), tenths(ceiling) - tenths(value)
    return f"{codec / 10:.1f}", f"{model / 10:.1f}"


def groups(found: Sequence[Json], most: int = 5) -> str:
    """Scores of parts of the samples, one part a row."""
    names: dict[str, None] = {}
    for group in found:
        names.update(dict.fromkeys(str(one.get("name", "")) for one in group.get("scores") or ()))
    shown = list(names)[:most]
    rows = []
    for group in found:
        by_name = {str(one.get("name", "")): one for one in group.get("scores") or ()}
        lead = by_name.get(shown[0], {}) if shown else {}
        value = finite(lead.get("value"))
        bar = DASH
        if value is not None:
            low, high, ceiling = (finite(lead.get(key)) for key in ("low", "high", "ceiling"))
            bar = plots.loss_bar(value, low, high, ceiling, shown[0])
        name = str(group.get("name", ""))
        count = group.get("count")
        meaning = words.GROUPS.get(name, "")
        part = breakable(name) + (f"<small>{escape(meaning)}</small>" if meaning else "")
        row = [part, f"{count:,}" if isinstance(count, int) else DASH, bar]
        for metric in shown:
            one = by_name.get(metric, {})
            value, ceiling = finite(one.get("value")), finite(one.get("ceiling"))
            beside = f" <small>of {100 * ceiling:.1f}</small>" if ceiling is not None else ""
            row.append(share(value) + (beside if value is not None else ""))
        rows.append(row)
    return grid(["part", "samples", "", *shown], rows, kinds="nnp")


def labels(found: Sequence[Json]) -> str:
    """What was measured of each label, the lowest first."""
    lead = leading(found)
    keys = dict.fromkeys(key for one in found for key in one)
    extra = [
        key
        for key in keys
        if key not in ("name", "count", lead) and any(one.get(key) is not None for one in found)
    ]
    rows = []
    for one in sorted(found, key=lambda one: _lowest(one, lead)):
        value, count = finite(one.get(lead)), one.get("count")
        bar = DASH if value is None else plots.loss_bar(value, name=words.FIGURES[lead])
        cells = [_figure(one.get(key)) for key in extra]
        number = f"{count:,}" if isinstance(count, int) else DASH
        rows.append([breakable(str(one.get("name", ""))), number, bar, share(value), *cells])
    head = [words.FIGURES.get(key, key) for key in (lead, *extra)]
    return grid(["label", "count", "", *head], rows, kinds="nnp", tall=len(found) > 16)


def leading(found: Sequence[Json]) -> str:
    """The figure of labels that stands first: the first that any of them has."""
    known = (key for key in ("iou", "pq", "ap") if any(one.get(key) is not None for one in found))
    return next(known, "iou")


def _lowest(one: Json, lead: str) -> tuple[bool, float]:
    value = finite(one.get(lead))
    return value is None, 0.0 if value is None else value


def _figure(value: object) -> str:
    """A share as such, a whole number as such, anything else as text."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    number = finite(value)
    return escape(str(value)) if number is None else share(number)


def comparison(content: Json, system: str) -> str:
    """Two systems beside each other, score by score."""
    found = content.get("scores") or ()
    ends = [
        abs(number)
        for one in found
        for key in ("difference", "low", "high")
        if (number := finite(one.get(key))) is not None
    ]
    reach = max(ends, default=0.0) * 1.1
    rows = []
    for one in found:
        difference = finite(one.get("difference"))
        low, high, p = (finite(one.get(key)) for key in ("low", "high", "p"))
        verdict = judge(low, high)
        bar = DASH
        if difference is not None:
            bar = plots.difference_bar(difference, low, high, reach, verdict)
        rows.append([
            breakable(str(one.get("name", ""))), share(finite(one.get("value"))),
            share(finite(one.get("other"))),
            DASH if difference is None else signed(difference),
            interval(low, high, both_signed=True), bar, probability(p),
            f"<span class=verdict-{verdict}>{VERDICTS[verdict]}</span>",
        ])  # fmt: skip
    other = str(content.get("system") or "the other")
    columns = ["score", system, other, "difference", "95 % interval", "", "p", ""]
    return grid(columns, rows, kinds="nnnnnpn")


VERDICTS = {"better": "better", "worse": "worse", "same": "unclear"}


def judge(low: float | None, high: float | None) -> str:
    """Better or worse where the whole interval says so."""
    if low is None or high is None:
        return "same"
    return "better" if low > 0 else "worse" if high < 0 else "same"


def probability(p: float | None) -> str:
    """`.03`, `< .001`."""
    if p is None:
        return DASH
    return "&lt; .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def share(value: float | None) -> str:
    """A share in percent, or a dash."""
    return DASH if value is None else f"{100 * value:.1f} %"


def interval(low: float | None, high: float | None, *, both_signed: bool = False) -> str:
    """`73.0 to 75.0`, or a dash."""
    if low is None or high is None:
        return DASH
    if both_signed:
        return f"{signed(low)} to {signed(high)}"
    return f"{100 * low:.1f} to {100 * high:.1f}"

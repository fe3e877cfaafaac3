"""A document of scores as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

DASH = "–"


def table(document: Json) -> str:
    """The scores, one a line, with who lost what, and what was missing or could not be read."""
    lines = [_heading(document), ""]
    lines += _scores(document["scores"])
    lines += ["", *_sentences(document)]
    if document.get("groups"):
        lines += ["", *_groups(document["groups"])]
    if document.get("comparison"):
        lines += ["", *_comparison(document["comparison"], document["system"])]
    return "\n".join(lines)


def _heading(document: Json) -> str:
    where = " ".join(str(document[key]) for key in ("dataset", "split") if document.get(key))
    counts = document["counts"]
    said = f"{document['system']}" + (f" on {where}" if where else "")
    rules = document["convention"]
    return f"{said}: {counts['scored']:,} samples, convention {rules.get('spec', rules['name'])}"


def _scores(scores: Sequence[Json]) -> list[str]:
    ceilings = any(one.get("ceiling") is not None for one in scores)
    ranged = any(one.get("low") is not None for one in scores)
    head = ["score", "value"]
    head += ["95 % interval"] if ranged else []
    head += ["ceiling", "codec lost", "model lost"] if ceilings else []
    rows = [head]
    for one in scores:
        row = [str(one["name"]), percent(one["value"])]
        row += [interval(one["low"], one["high"])] if ranged else []
        if ceilings:
            row += [percent(one["ceiling"]), *_lost(one["value"], one["ceiling"])]
        rows.append(row)
    return aligned(rows)


def _lost(value: float, ceiling: float | None) -> tuple[str, str]:
    if ceiling is None:
        return DASH, DASH
    return f"{100 - tenths(ceiling):.1f}", f"{tenths(ceiling) - tenths(value):.1f}"


def tenths(share: float) -> float:
    """A share in percent as it is shown, so that differences of what is shown add up."""
    return round(1000 * share) / 10


def _sentences(document: Json) -> list[str]:
    lines = []
    first = next((one for one in document["scores"] if one.get("ceiling") is not None), None)
    if first is not None and document["scores"][0] is first:
        codec, model = _lost(first["value"], first["ceiling"])
        lines.append(
            f"Of 100 points of {first['name']} the codec lost {codec} and the model {model}."
        )
    counts = document["counts"]
    wrong = [
        f"{counts[key]:,} {words}"
        for key, words in (
            ("missing", "missing"),
            ("invalid", "invalid"),
            ("repaired", "repaired"),
        )
        if counts[key]
    ]
    total = counts["truth"]
    if wrong:
        lines.append(
            f"Predictions: {', '.join(wrong)} of {total:,}; missing and invalid ones count as "
            "nothing found."
        )
    else:
        lines.append(f"Predictions: all {total:,} are there and were read as they stand.")
    kinds = document.get("repairs") or {}
    if kinds:
        shown = ", ".join(f"{kind} {count:,}" for kind, count in list(kinds.items())[:8])
        lines.append(f"What was wrong with them: {shown}.")
    return lines


def _groups(groups: Sequence[Json]) -> list[str]:
    names: dict[str, None] = {}
    for group in groups:
        names.update(dict.fromkeys(str(one["name"]) for one in group["scores"][:4]))
    shown = list(names)[:5]
    rows = [["part", "samples", *shown]]
    for group in groups:
        values = {one["name"]: one for one in group["scores"]}
        cells = [
            percent(values[name]["value"]) + _of(values[name].get("ceiling"))
            if name in values
            else DASH
            for name in shown
        ]
        rows.append([str(group["name"]), f"{group['count']:,}", *cells])
    return aligned(rows)


def _of(ceiling: float | None) -> str:
    return "" if ceiling is None else f" of {percent(ceiling)}"


def _comparison(content: Json, system: str) -> list[str]:
    rows = [["score", system, str(content["system"]), "difference", "95 % interval", "p"]]
    for one in content["scores"]:
        p = one.get("p")
        rows.append(
            [
                str(one["name"]),
                percent(one["value"]),
                percent(one["other"]),
                f"{100 * one['difference']:+.1f}",
                interval(one["low"], one["high"], sign="+"),
                DASH if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001",
            ]
        )
    lines = aligned(rows)
    if "better" in content:
        lines.append(
            f"Better on {content['better']:,} samples, worse on {content['worse']:,}, the same on "
            f"{content['same']:,}."
        )
    return [*lines, f"Test: {content['test']}."]


def percent(value: float | None) -> str:
    """A share in percent."""
    return DASH if value is None else f"{100 * value:.1f}"


def interval(low: float | None, high: float | None, sign: str = "") -> str:
    """The ends of an interval in percent."""
    if low is None or high is None:
        return DASH
    return f"{100 * low:{sign}.1f} to {100 * high:{sign}.1f}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns: the first to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

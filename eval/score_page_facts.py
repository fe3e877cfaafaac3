"""Sections of a report of scores on what was scored: failed answers, conventions, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskcodec.sheet import escape

from . import score_page_plots as plots
from . import score_page_tables as tables
from . import score_page_words as words
from .score_page_options import option

Json = Mapping[str, Any]

MOST_TEXT = 2_000
"""Characters of a single fact that are shown."""


def failures(document: Json) -> str:
    """What became of answers, and what was wrong with them."""
    counts = {key: int(value or 0) for key, value in document["counts"].items()}
    total = counts.get("truth", 0)
    failed = {key: counts.get(key, 0) for key in ("repaired", "invalid", "missing")}
    found = {"valid": max(total - sum(failed.values()), 0), **failed}
    inks = {"valid": "kept", "missing": "absent"}
    parts = [
        (inks.get(key, key), count, f"{words.STATUSES[key][0]}: {count:,}")
        for key, count in found.items()
    ]
    bar = f"<figure class='plot bar'>{plots.shares(parts, 'what became of answers')}</figure>\n"
    rows = [
        [
            f'<span class="swatch {inks.get(key, key)}"></span>{words.STATUSES[key][0]}',
            f"{count:,}",
            tables.share(count / total) if total else tables.DASH,
            words.STATUSES[key][1],
        ]
        for key, count in found.items()
    ]
    rows += [
        [key.replace("_", " "), f"{counts[key]:,}", tables.DASH, words.COUNTS[key]]
        for key in words.COUNTS
        if counts.get(key)
    ]
    said = "No sample is left out: an answer that is missing or can't be read counts too."
    table = tables.grid(["answers", "count", "share", ""], rows, kinds="nnnw")
    return f"<p>{said}</p>\n{bar}{table}{_repairs(document.get('repairs') or {}, total)}"


def _repairs(kinds: Json, total: int) -> str:
    found = {str(kind): int(count or 0) for kind, count in kinds.items()}
    if not found:
        return ""
    rows = [
        [
            f"<code>{escape(kind)}</code>",
            f"{count:,}",
            tables.share(count / total) if total else tables.DASH,
            escape(words.REPAIRS.get(kind, "")),
        ]
        for kind, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]
    table = tables.grid(["kind", "answers", "share", ""], rows, kinds="nnnw", tall=len(rows) > 16)
    return (
        f"<h3>What was wrong with answers</h3>\n<p>One answer can have several faults.</p>\n{table}"
    )


def convention(content: Json) -> str:
    """How figures were counted, in words."""
    name = str(content.get("name") or "")
    said = (
        f"Programs that print the same names of scores count differently. These figures follow the "
        f"convention {name!r}; figures of another one do not compare."
    )
    if content.get("sentence"):
        said += f" In short: {content['sentence']}"
    pairs = [option(key, value) for key, value in (content.get("options") or {}).items()]
    source = content.get("source")
    note = f"<p class=note>As in: {escape(str(source))}</p>\n" if source else ""
    return f"<p>{escape(said)}</p>\n{_facts(pairs)}{note}"


def inputs(document: Json) -> str:
    """Files, command and versions."""
    inputs = document.get("inputs") or {}
    rows = []
    for what, key in (("predictions", "predictions"), ("compared", "against"), ("truth", "truth")):
        for one in inputs.get(key) or ():
            records = one.get("records")
            specs = [tables.breakable(str(spec)) for spec in one.get("specs") or ()]
            rows.append([
                tables.breakable(str(one.get("file", ""))), what,
                f"{records:,}" if isinstance(records, int) else tables.DASH,
                f"<code>{escape(str(one.get('sha256') or '')[:16])}</code>",
                "<br>".join(f"<code>{spec}</code>" for spec in specs),
            ])  # fmt: skip
    table = tables.grid(["file", "", "records", "SHA-256", "codec"], rows, kinds="nwnnw")
    flat = [(key, document.get(key)) for key in ("preset", "seed")]
    for key in ("versions", "machine"):
        flat += list((document.get(key) or {}).items())
    pairs = [(str(key), str(value)) for key, value in flat if value is not None]
    command = document.get("command")
    said = f"<pre class=command>\n{escape(str(command)[:MOST_TEXT])}</pre>\n" if command else ""
    return (table if rows else "") + said + (f"<h3>Versions</h3>\n{_facts(pairs)}" if pairs else "")


def _facts(pairs: Sequence[tuple[str, str]]) -> str:
    cells = "".join(
        f"<dt>{escape(what[:MOST_TEXT])}</dt><dd>{escape(value[:MOST_TEXT])}</dd>\n"
        for what, value in pairs
    )
    return f"<dl>\n{cells}</dl>\n" if pairs else ""

"""The first sentences of a report of scores: what was scored, the result, and who lost what."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from . import score_page_words as words

Json = Mapping[str, Any]


def finite(value: object) -> float | None:
    """A number as such; None for anything else, and for NaN and infinities."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def tenths(value: float) -> int:
    """A share in tenths of a percent, so that differences of what is shown add up."""
    return round(1000 * value)


def signed(difference: float) -> str:
    """A difference of shares in points, with its sign: `+3.2`."""
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def title(document: Json) -> str:
    """`tiny-masks on RefCOCO val`."""
    system, where = document.get("system"), words.dataset(document)
    if system and where:
        return f"{system} on {where}"
    return f"Scores of {system or where or 'predictions'}"


def headline(document: Json) -> Json | None:
    """The first score that has a value."""
    found = document.get("scores") or ()
    return next((one for one in found if finite(one.get("value")) is not None), None)


def lead(document: Json) -> list[str]:
    """A few plain sentences, the most important first."""
    return [
        sentence
        for sentence in (
            _what(document),
            _result(document),
            _losses(document),
            _failures(document),
            _against(document),
        )
        if sentence
    ]


def _what(document: Json) -> str:
    counts = document.get("counts") or {}
    system = document.get("system") or "What a system predicted"
    where = words.dataset(document)
    task = words.TASKS.get(str(document.get("kind")))
    scored = words.noun(document, int(counts.get("truth") or counts.get("scored") or 0))
    of = f" of {where}" if where else ""
    asked = f", which ask for {task}" if task else ""
    return f"{system} was scored on {scored}{of}{asked}."


def _result(document: Json) -> str:
    best = headline(document)
    if best is None:
        return "There is no score: nothing could be measured."
    name, value = best["name"], finite(best["value"])
    assert value is not None
    low, high = finite(best.get("low")), finite(best.get("high"))
    meaning = words.metric(str(name), document.get("kind"))
    text = f"Its {name} is {tenths(value) / 10:.1f} %"
    if low is not None and high is not None:
        text += f" (95 % interval {tenths(low) / 10:.1f} to {tenths(high) / 10:.1f})"
    return f"{text}: {meaning}." if meaning else f"{text}."


def _losses(document: Json) -> str:
    best = headline(document)
    ceiling = None if best is None else finite(best.get("ceiling"))
    if best is None or ceiling is None:
        return ""
    value = finite(best["value"])
    assert value is not None
    kept, top = tenths(value), tenths(ceiling)
    start = f"The right masks, written and read by the codec alone, keep {top / 10:.1f} %"
    if top < kept:
        return f"{start}, less than the predictions reach."
    lost = f"of the {(1000 - kept) / 10:.1f} points lost"
    return (
        f"{start}: {lost}, the codec lost {(1000 - top) / 10:.1f} and the model "
        f"{(top - kept) / 10:.1f}."
    )


def _failures(document: Json) -> str:
    counts = document.get("counts") or {}
    truth = int(counts.get("truth") or 0)
    kinds = ("invalid", "repaired", "missing")
    invalid, repaired, missing = (int(counts.get(kind) or 0) for kind in kinds)
    parts = []
    if invalid:
        parts.append(f"{invalid:,} could not be read")
    if repaired:
        parts.append(f"{repaired:,} {'was' if repaired == 1 else 'were'} read after repair")
    if missing:
        parts.append(f"{missing:,} {'is' if missing == 1 else 'are'} missing")
    if not parts:
        return "Every answer is there and could be read as it stands." if truth else ""
    joined = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" and {parts[-1]}"
    failed = invalid + repaired + missing
    tail = "it is in the figures" if failed == 1 else "all of them are in the figures"
    return f"Of the answers {joined}: {tail}."


def _against(document: Json) -> str:
    content = document.get("comparison")
    if not content:
        return ""
    other = content.get("system") or "the other system"
    for best in content.get("scores") or ():
        known = [finite(best.get(key)) for key in ("difference", "low", "high")]
        difference, low, high = known
        if difference is not None and low is not None and high is not None:
            system = document.get("system") or "The predictions"
            size = f"{abs(difference) * 100:.1f} points of {best['name']}"
            return f"{system} {_verdict(other, size, low, high)}"
    return ""


def _verdict(other: str, size: str, low: float, high: float) -> str:
    range_ = f"(95 % interval {signed(low)} to {signed(high)})"
    if size.startswith("0.0 ") and low == high == 0:
        return f"scores the same as {other}."
    if low > 0:
        return f"scores better than {other} by {size} {range_}."
    if high < 0:
        return f"scores worse than {other} by {size} {range_}."
    return f"differs from {other} by {size}, which may be chance {range_}."

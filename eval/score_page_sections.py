"""Sections of a report of scores that stand on its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskcodec.sheet import escape

from . import score_page_plots as plots
from . import score_page_tables as tables
from . import score_page_words as words
from .score_page_summary import finite

Json = Mapping[str, Any]


IOU = (
    "IoU is the area that a prediction and the truth share, divided by the area that either covers."
)


def legend(*items: tuple[str, str]) -> str:
    """What colours mean: (the swatch's class, words)."""
    cells = "".join(
        f'<li><span class="swatch {ink}"></span>{escape(text)}</li>' for ink, text in items
    )
    return f"<ul class=legend>{cells}</ul>\n"


def scores(document: Json) -> str:
    """Every score, and who lost what."""
    found = document["scores"]
    items = [("kept", "reached")]
    if any(finite(one.get("ceiling")) is not None for one in found):
        items += [("model", "lost by the model"), ("codec", "lost by the codec")]
        said = (
            "The codec turns masks into text and back, and loses detail on the way. What it makes "
            "of the right masks is the most that a model can reach that prints this text; what is "
            "lost below that is the model's."
        )
    else:
        said = "What is lost can't be divided between codec and model: no codec is known."
    if any(finite(one.get("low")) is not None for one in found):
        items.append(("line", "95 % interval, by drawing samples anew"))
    if document.get("kind") in ("referring", "boxes"):
        said += f" {IOU}"
    return f"<p>{escape(said)}</p>\n{legend(*items)}{tables.scores(found, document.get('kind'))}"


def comparison(document: Json) -> str:
    """Two systems beside each other."""
    content = document["comparison"]
    system = str(document.get("system") or "this")
    other = str(content.get("system") or "the other")
    parts = []
    for key, word in (("better", "better on"), ("worse", "worse on"), ("same", "the same on")):
        if isinstance(count := content.get(key), int):
            parts.append(f"{word} {words.noun(document, count)}")
    said = f"{system} beside {other}, on the same samples."
    if parts:
        said += f" Taken one by one, {system} is {', '.join(parts)}."
    said += (
        " A difference is clear where its whole interval lies on one side of zero; p is how often "
        "chance alone would make so great a difference."
    )
    test = f"<p class=note>{escape(str(content['test']))}</p>\n" if content.get("test") else ""
    return f"<p>{escape(said)}</p>\n{tables.comparison(content, system)}{test}"


def histogram(content: Json) -> str:
    """How many samples have which IoU."""
    items = [("kept", "predictions")]
    if content.get("ceiling") is not None:
        items.append(("line", "the codec alone"))
    said = "How many samples have which IoU: 1 is a perfect mask, 0 one that lies elsewhere."
    return (
        f"<p>{escape(said)}</p>\n<figure class=plot>{plots.histogram(content)}</figure>\n"
        f"{legend(*items)}"
    )


def groups(found: Sequence[Json]) -> str:
    """Scores of parts of the samples."""
    said = "The same scores for parts of the samples; small figures are those of the codec alone."
    return f"<p>{escape(said)}</p>\n{tables.groups(found)}"


def labels(found: Sequence[Json]) -> str:
    """Figures of each label."""
    lead = tables.leading(found)
    none = sum(finite(one.get(lead)) is None for one in found)
    said = f"{len(found):,} labels, the lowest first."
    if none:
        occur = "occurs" if none == 1 else "occur"
        said += f" {none:,} of them {occur} neither in the truth nor in a prediction."
    return f"<p>{escape(said)}</p>\n{tables.labels(found)}"


def cases() -> str:
    """What the pictures below it show."""
    said = (
        "Single samples: those with the lowest figures, those with the highest, and answers whose "
        "text was wrong. Each shows the image, the right mask, and the prediction with its text."
    )
    return f"<p>{escape(said)}</p>\n"

"""The figures of the demo as a table: for the terminal, for the sheet's head, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import __version__
from ..metrics import SizeClass
from ..roundtrip import Totals
from ..tokens import TokenCounter

NO_TOKENS = "tokens are not counted: pip install 'maskcodec[tokens]', or give --tokenizer FILE"


def columns(counter: TokenCounter | None) -> list[str]:
    """The headings of `rows`."""
    unit = "characters" if counter is None else "tokens"
    return [
        "codec",
        f"{unit}, median",
        "mean",
        "mean IoU",
        "small",
        "medium",
        "large",
        "lost",
        "encode µs",
        "decode µs",
    ]


def rows(totals: Sequence[Totals], counter: TokenCounter | None) -> list[list[str]]:
    """One row a codec."""
    return [
        _row(total.figures(), "characters" if counter is None else "tokens") for total in totals
    ]


def _row(figures: dict[str, Any], unit: str) -> list[str]:
    spread, iou = figures[unit], figures["iou"]
    zero = figures["share_iou_0"]
    return [
        figures["given"],
        "–" if spread is None else f"{spread['median']:,.0f}",
        "–" if spread is None else f"{spread['mean']:,.0f}",
        *("–" if iou[key] is None else f"{iou[key]:.3f}" for key in iou),
        "–" if zero is None else f"{100 * zero:.1f}%",
        *(
            "–" if figures[key] is None else f"{figures[key]['median']:,.0f}"
            for key in ("encode_us", "decode_us")
        ),
    ]


def note(photographs: int, count: dict[SizeClass, int], counter: TokenCounter | None) -> str:
    """What the figures are figures of."""
    text = (
        f"{sum(count.values()):,} masks of {photographs:,} photographs ("
        f"{count['small']:,} small, under 32² pixels; {count['medium']:,} medium; "
        f"{count['large']:,} large, from 96² pixels), "
        "each encoded alone and decoded at its photograph's size. Times: median over the masks of "
        "the least of several runs on one thread, from mask to text and from text to mask. Lost: "
        "the share of masks of which nothing is left. "
    )
    if counter is None:
        return f"{text}Characters are of the whole text, its label included; {NO_TOKENS}."
    return f"{text}Tokens: of the whole text, its label included, by {counter.name}."


def as_text(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in aligned columns, the first to the left, the others to the right."""
    lines = [head, *body]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [head, rule, *body]
    )


def as_json(
    totals: Sequence[Totals],
    photographs: int,
    count: dict[SizeClass, int],
    counter: TokenCounter | None,
    repeats: int,
    problems: Sequence[str],
    *,
    interrupted: bool,
) -> dict[str, Any]:
    """All figures, not rounded."""
    return {
        "maskcodec": __version__,
        "photographs": photographs,
        "masks": sum(count.values()),
        "masks_by_size": dict(count),
        "tokenizer": None if counter is None else counter.name,
        "repeats": repeats,
        "interrupted": interrupted,
        "problems": list(problems),
        "codecs": [total.figures() for total in totals],
    }

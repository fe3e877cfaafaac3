"""How soon an answer that is still being printed gives a mask."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from maskcodec import Mask
from maskcodec.metrics import iou, union_of
from maskcodec.tokens import TokenCounter

from .decode_texts import Texts

LOOKED_AT = 24
"""Texts of each codec."""

PLACES = 48
"""Places in a text at which it is decoded as if it ended there."""

KEYS = (
    *("tokens", "first_tokens", "useful_tokens"),
    *("seconds", "first_seconds", "useful_seconds", "decode_ms"),
)

USEFUL = 0.5
"""The IoU with the mask of the whole text from which on a mask is called useful."""


def measure_latency(
    texts: Texts, counter: TokenCounter | None, rate: float
) -> dict[str, float | None]:
    """Cut texts at evenly spaced places and look what masks they give.

    The model prints `rate` tokens a second; the time to a mask is that of the tokens up to it and
    of decoding them once. The prompt's time is the model's and is not in it.

    Args:
        texts: whole answers; their masks count as one.
        counter: counts tokens; None counts characters, `rate` of them a second.
        rate: tokens a second.

    Returns:
        medians: `tokens` of a whole text, up to the `first` mask with a pixel, and up to the first
        `useful` one; `seconds` to each of the three; `decode_ms` of a text cut short. Texts without
        a pixel in the whole answer are not among them: of `texts`, `lost` are such.
    """
    codec = texts.codec
    counting: Callable[[str], int] = len if counter is None else counter.adding(codec.vocab()).count
    rows = [_look(texts, text, counting, rate) for text in texts.batch(LOOKED_AT)]
    seen = [row for row in rows if row is not None]
    known = {key: [row[key] for row in seen] for key in KEYS}
    medians = {key: statistics.median(values) if values else None for key, values in known.items()}
    return {**medians, "texts": len(rows), "lost": len(rows) - len(seen)}


def _look(
    texts: Texts, text: str, counting: Callable[[str], int], rate: float
) -> dict[str, float] | None:
    """What `measure_latency` says, of one text; None where the whole of it has no pixel."""
    size = texts.size
    whole, took = _decode(texts, text)
    target = union_of(whole, size)
    if not target.any():
        return None
    tokens = counting(text)
    row: dict[str, float] = {"tokens": tokens, "seconds": tokens / rate + took}
    decoding = []
    for place in range(1, PLACES + 1):
        part = text[: len(text) * place // PLACES]
        masks, took = _decode(texts, part)
        decoding.append(took)
        found = union_of(masks, size)
        for key, reached in (
            ("first", bool(np.any(found))),
            ("useful", iou(found, target) >= USEFUL),
        ):
            if reached and f"{key}_tokens" not in row:
                row[f"{key}_tokens"] = counting(part)
                row[f"{key}_seconds"] = row[f"{key}_tokens"] / rate + took
        if "useful_tokens" in row and "first_tokens" in row:
            break
    row["decode_ms"] = 1e3 * statistics.median(decoding)
    return row


def _decode(texts: Texts, text: str) -> tuple[list[Mask], float]:
    """The masks of a text, and the seconds that decoding took."""
    start = time.perf_counter()
    decoded: Any = texts.codec.decode(text, texts.size, errors="repair")
    took = time.perf_counter() - start
    return decoded.masks, took

"""Masks through a codec and back: what it costs and what is left, per mask and in sum."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .codec import Codec
from .decoded import Repair
from .mask import Mask
from .metrics import IouTally, iou, union_of
from .tokens import TokenCounter

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class RoundTrip:
    """One mask, alone, as text and back at its own size.

    Attributes:
        text: what the codec wrote.
        mask: what the text decodes to: the union of its masks, with the label of the truth.
        repairs: none, unless the codec's own text is not valid to it.
        iou: of `mask` with the truth.
        encode_us: microseconds from mask to text, the least of the repeats.
        decode_us: microseconds from text to mask, the least of the repeats.
    """

    text: str
    mask: Mask
    repairs: tuple[Repair, ...]
    iou: float
    encode_us: float
    decode_us: float


def round_trip(codec: Codec[Any], mask: Mask, *, repeats: int = 1) -> RoundTrip:
    """Encode one mask and decode its text again, `repeats` times, on the calling thread.

    Raises:
        EncodeError: the codec can't hold the mask or its label.
    """
    text, encode_us = _timed(lambda: codec.encode([mask], mask.size), repeats)
    decoded, decode_us = _timed(lambda: codec.decode(text, mask.size, errors="repair"), repeats)
    found = Mask(union_of(decoded.masks, mask.size), mask.label)
    quality = iou(found.array, mask.array)
    return RoundTrip(text, found, decoded.repairs, quality, encode_us, decode_us)


def _timed(work: Callable[[], T], repeats: int) -> tuple[T, float]:
    least = float("inf")
    for _ in range(max(1, repeats)):
        start = time.perf_counter_ns()
        result = work()
        least = min(least, (time.perf_counter_ns() - start) / 1000)
    return result, least


@dataclass(slots=True)
class Totals:
    """What one codec costs over many masks; each mask was encoded alone.

    Attributes:
        title: the spec as it was given.
        codec: the codec.
        tally: the IoU of each mask.
        tokens: of each text; empty where tokens were not counted.
        characters: of each text.
        encode_us: microseconds, one a mask.
        decode_us: microseconds, one a mask.
        failures: why masks could not be encoded, and how many for each reason.
    """

    title: str
    codec: Codec[Any]
    tally: IouTally = field(default_factory=IouTally)
    tokens: list[int] = field(default_factory=list)
    characters: list[int] = field(default_factory=list)
    encode_us: list[float] = field(default_factory=list)
    decode_us: list[float] = field(default_factory=list)
    failures: dict[str, int] = field(default_factory=dict)

    def add(self, trip: RoundTrip, area: int, counter: TokenCounter | None) -> None:
        """Add a mask of `area` pixels."""
        self.tally.add(trip.iou, area)
        self.characters.append(len(trip.text))
        self.encode_us.append(trip.encode_us)
        self.decode_us.append(trip.decode_us)
        if counter is not None:
            self.tokens.append(counter.adding(self.codec.vocab()).count(trip.text))

    def fail(self, reason: str) -> None:
        """Count a mask that could not be encoded."""
        self.failures[reason] = self.failures.get(reason, 0) + 1

    def figures(self) -> dict[str, Any]:
        """All figures, as JSON takes them; None where there is nothing to measure."""
        tally = self.tally
        return {
            "given": self.title,
            "spec": self.codec.spec,
            "masks": tally.count,
            "failed": sum(self.failures.values()),
            "failures": dict(self.failures),
            "tokens": _spread(self.tokens),
            "characters": _spread(self.characters),
            "iou": {
                "mean": tally.mean(),
                "small": tally.mean("small"),
                "medium": tally.mean("medium"),
                "large": tally.mean("large"),
            },
            "share_iou_0": tally.zero_share(),
            "encode_us": _spread(self.encode_us),
            "decode_us": _spread(self.decode_us),
        }


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    if not values:
        return None
    return {"median": statistics.median(values), "mean": statistics.fmean(values)}

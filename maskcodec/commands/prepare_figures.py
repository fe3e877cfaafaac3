"""What `maskcodec prepare` says before anyone trains: the codec's ceiling, and answers' lengths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import rle
from ..metrics import IouTally
from ..records import Record

BINS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Upper ends of the histogram's bars, in tokens; the last bar has none."""


@dataclass(slots=True)
class Figures:
    """Figures of the examples of one file, added up from its lines.

    Attributes:
        examples: lines.
        images: how many different ones.
        tasks: how many answers of each task.
        nothing: answers that say that there is no object.
        tally: of the masks.
        answers: IoU of each answer.
        tokens: of each answer.
        texts: tokens of each conversation's questions and answers.
    """

    examples: int = 0
    images: set[str] = field(default_factory=set)
    tasks: Counter[str] = field(default_factory=Counter)
    nothing: int = 0
    tally: IouTally = field(default_factory=IouTally)
    answers: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    texts: list[int] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Add a line that this program wrote.

        Raises:
            RecordError: it did not.
        """
        fields = record.fields
        try:
            figures = fields["figures"]
            self.examples += 1
            self.images.update(fields["images"])
            self.tasks[fields["task"]] += len(fields["truth"])
            for truth, ious, answer in zip(
                fields["truth"], figures["ious"], figures["answer_iou"], strict=True
            ):
                for one, value in zip(truth, ious, strict=True):
                    self.tally.add(float(value), int(rle.from_string(one["counts"])[1::2].sum()))
                if answer is not None:
                    self.answers.append(float(answer))
                    self.nothing += not truth
            if "tokens" in figures:
                self.tokens.extend(map(int, figures["tokens"]))
                self.texts.append(int(figures["text_tokens"]))
        except (LookupError, TypeError, ValueError):
            raise record.error("is no line that `maskcodec prepare` wrote") from None

    def fields(self, limit: int | None) -> dict[str, Any]:
        """All figures, as JSON takes them.

        Args:
            limit: longest answer that the training takes, in tokens.
        """
        tally = self.tally
        tokens = None
        if self.tokens:
            tokens = spread(self.tokens) | {
                "histogram": histogram(self.tokens),
                "conversations": spread(self.texts),
            }
            if limit is not None:
                tokens["over_limit"] = sum(count > limit for count in self.tokens)
                tokens["limit"] = limit
        return {
            "examples": self.examples,
            "images": len(self.images),
            "answers": sum(self.tasks.values()),
            "tasks": dict(sorted(self.tasks.items())),
            "no_object": self.nothing,
            "ceiling": {
                "masks": tally.count,
                "mean_iou": _round(tally.mean()),
                "small": _round(tally.mean("small")),
                "medium": _round(tally.mean("medium")),
                "large": _round(tally.mean("large")),
                "share_iou_0": _round(tally.zero_share()),
                "giou": _round(sum(self.answers) / len(self.answers)) if self.answers else None,
            },
            "tokens": tokens,
        }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def spread(values: Sequence[int]) -> dict[str, Any]:
    """Median, mean, 95th percentile (the least value that 95 % don't exceed) and maximum."""
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "median": ordered[(len(ordered) - 1) // 2],
        "mean": round(sum(ordered) / len(ordered), 1),
        "p95": ordered[-(-95 * len(ordered) // 100) - 1],
        "max": ordered[-1],
    }


def histogram(values: Sequence[int]) -> list[dict[str, int | None]]:
    """How many values are at most each of `BINS` (and more than the one before)."""
    bars: list[dict[str, int | None]] = []
    low = 0
    for high in (*BINS, None):
        count = sum(low < value and (high is None or value <= high) for value in values)
        bars.append({"above": low, "to": high, "answers": count})
        low = high or low
    return bars


def summary(title: str, figures: dict[str, Any], counter: str) -> list[str]:
    """Lines for a terminal."""
    ceiling, tokens = figures["ceiling"], figures["tokens"]
    tasks = ", ".join(f"{count:,} {task}" for task, count in figures["tasks"].items())
    lines = [
        f"{title}: {figures['examples']:,} examples of {figures['images']:,} images; "
        f"answers: {tasks or 'none'}; {figures['no_object']:,} say no object"
    ]
    if ceiling["masks"]:
        sizes = ", ".join(
            f"{name} {ceiling[name]:.3f}"
            for name in ("small", "medium", "large")
            if ceiling[name] is not None
        )
        lines.append(
            f"  ceiling of the codec: mean IoU {ceiling['mean_iou']:.3f} of "
            f"{ceiling['masks']:,} masks ({sizes}), {100 * ceiling['share_iou_0']:.1f} % lost"
        )
    if ceiling["giou"] is not None:
        lines.append(f"  and of the answers: gIoU {ceiling['giou']:.3f}")
    if tokens is None:
        lines.append("  tokens: not counted (give --tokenizer)")
    else:
        lines.append(
            f"  tokens of an answer ({counter}): median {tokens['median']:,}, 95 % "
            f"{tokens['p95']:,}, longest {tokens['max']:,}"
        )
    return lines

"""How far a run has come, by steps or by the clock, and the learning rate that follows from it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Schedule:
    """The length of a run.

    With a limit of time the rate follows the clock, so that it reaches 0 when the time is up, on a
    fast machine and on a slow one; such a run can be resumed, but not repeated to the bit. Without
    one it is a matter of steps alone.

    Attributes:
        shape: "cosine", "linear" or "constant".
        warmup: steps in which the rate rises.
        steps: the most steps.
        seconds: the most time; 0 for any.
        spent: seconds that were spent before this process.
        evaluating: those of all seconds that went into evaluations.
        counts_evaluations: whether the limit of time is also one of evaluations.
    """

    shape: str
    warmup: int
    steps: int
    seconds: float = 0.0
    spent: float = 0.0
    evaluating: float = 0.0
    counts_evaluations: bool = True
    _began: float | None = None

    def begin(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds so far, in all processes of this run."""
        return self.spent + (0.0 if self._began is None else time.monotonic() - self._began)

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[None]:
        """Take the time of what stands in the block for that of an evaluation."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.evaluating += time.monotonic() - began

    @property
    def training(self) -> float:
        """Seconds so far without evaluations."""
        return self.elapsed - self.evaluating

    @property
    def used(self) -> float:
        """Seconds that count against the limit."""
        return self.elapsed if self.counts_evaluations else self.training

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return 0 < self.seconds <= self.used

    def progress(self, step: int) -> float:
        """0 to 1."""
        done = step / self.steps
        if self.seconds:
            done = max(done, self.used / self.seconds)
        return min(1.0, done)

    def rate(self, step: int) -> float:
        """What the greatest learning rate is multiplied with at a step (0 for the first)."""
        rising = min(1.0, (step + 1) / (self.warmup + 1))
        if self.shape == "constant":
            return rising
        first = min(self.warmup / self.steps, 0.5) if not self.seconds else 0.0
        rest = max(0.0, (self.progress(step) - first) / (1 - first))
        if self.shape == "linear":
            return rising * (1 - rest)
        return rising * (0.5 + 0.5 * math.cos(math.pi * rest))

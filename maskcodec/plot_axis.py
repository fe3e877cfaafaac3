"""An axis of a plot: where numbers stand along it, and which of them are marked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """From one number to a larger one.

    Attributes:
        low: the number at its beginning; above 0 where `log`.
        high: the number at its end.
        log: equal ratios are equally far apart, instead of equal differences.
    """

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, values: Iterable[float], *, log: bool = False, zero: bool = False) -> Axis:
        """An axis that holds all values with some room; from 0 where `zero` and none is below.

        On a logarithm, values that are not above 0 have no place and are passed over.
        """
        if log:
            logs = [math.log(value) for value in values if value > 0]
            low, high = min(logs, default=0.0), max(logs, default=1.0)
            room = 0.05 * (high - low) or 0.5
            return cls(math.exp(low - room), math.exp(high + room), True)
        values = list(values)
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
        is_grounded = zero and low >= 0
        return cls(0.0 if is_grounded else low - room, high + room)

    def place(self, value: float) -> float:
        """0 at the beginning to 1 at the end; beyond for values beyond."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """Round numbers within the axis, about `most` of them or fewer."""
        if self.log and self.high / self.low > 4:
            return self._powers(most)
        width = self.high - self.low
        power = 10.0 ** math.floor(math.log10(width / most))
        step = next(power * k for k in (1, 2, 5, 10) if width / (power * k) <= most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]

    def _powers(self, most: int) -> list[float]:
        """Round numbers for a logarithm: 1, 2, 5; 1, 3; or every so many powers of ten."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        tries = [[k * 10.0**p for p in range(first, last + 1) for k in ks] for ks in _STEPS]
        stride = max(1, -(-(last - first) // most))
        tries.append([10.0**p for p in range(first, last + 1, stride)])
        kept = [[t for t in ticks if self.low <= t <= self.high] for ticks in tries]
        return next((ticks for ticks in kept if len(ticks) <= most), kept[-1])


_STEPS = ((1, 2, 5), (1, 3), (1,))


def short(value: float) -> str:
    """A number in three digits or a whole one: `12.3`, `1,234`, `34.5k`, `4M`, `20µ`."""
    value = float(f"{value:.3g}") if not 1000 <= abs(value) < 9_999.5 else value
    for power, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= power:
            return f"{value / min(power, 1e3 if unit == 'k' else power):.3g}{unit}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if value == 0 or abs(value) >= 1e-3:
        return f"{value:.3g}"
    for power, unit in ((1e-6, "µ"), (1e-9, "n")):
        if abs(value) >= power:
            return f"{value / power:.3g}{unit}"
    return f"{value:.3g}"

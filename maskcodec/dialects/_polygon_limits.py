"""What rings out of a text may cost to paint, whatever the text."""

from __future__ import annotations

import numpy as np

from ..decoded import RepairLog
from ..geometry.polygon import MAX_COVER, NO_RINGS, Rings, cover, most_cover


def within_cover(objects: list[Rings], bins: int, log: RepairLog) -> list[Rings]:
    """Leave out the rings that would take too long to paint.

    Raises:
        DecodeError: there are such, and the log is strict.
    """
    if most_cover(objects) <= MAX_COVER:
        return objects
    spent = 0.0
    for index, item in enumerate(objects):
        costs = spent + np.cumsum(cover(item, bins))
        spent = float(costs[-1]) if len(costs) else spent
        if spent > MAX_COVER:
            kept = int(np.searchsorted(costs, MAX_COVER, side="right"))
            limit = f"rings that cover the image at most {MAX_COVER:,.0f} times over"
            act = f"keeps {kept} rings of object {index + 1} and none of the later ones"
            log.note("too-much-paint", 0, limit, "more", act)
            rest = [NO_RINGS] * (len(objects) - index - 1)
            return [*objects[:index], item.head(kept), *rest]
    return objects

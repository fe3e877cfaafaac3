"""Which samples a report of scores shows as pictures: the worst, the best, and unreadable answers.

The choice depends on nothing but the rows and the seed, so that two reports on the same rows show
the same samples, in whatever order the rows come.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

CaseKind = Literal["worst", "best", "invalid"]

OVERLAP = 0.1
"""Below this IoU an answer is told to lie elsewhere, not to be inexact."""


class Scored(Protocol):
    """What is needed of a row: its id, and an `iou` or pixels `truth`, `pred`, `intersection`."""

    @property
    def id(self) -> str:
        """Of the sample, unique within a run."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One sample that is worth a picture.

    Attributes:
        id: of the sample.
        why: a few words for a reader, e.g. `"IoU .03: the answer lies elsewhere"`.
        kind: which of the three lists it belongs to.
    """

    id: str
    why: str
    kind: CaseKind


@dataclass(frozen=True, slots=True)
class _Facts:
    """A row, read once."""

    id: str
    iou: float
    ceiling: float | None
    status: str
    group: str
    repairs: tuple[str, ...]
    truth: int | None
    pred: int | None
    order: bytes


def choose(
    rows: Iterable[Scored],
    worst: int = 12,
    best: int = 6,
    invalid: int = 6,
    seed: int = 0,
    measure: str = "IoU",
) -> list[Case]:
    """Choose samples: the worst that could be read, then the best, then those that could not.

    No sample is chosen twice. Among the worst and the best, no two share a `group` (expressions of
    the same object) while others are left; where many have the same IoU, `seed` decides. Unreadable
    and repaired answers are taken kind by kind of what was wrong, the most frequent kind first.
    Missing predictions have no picture to show and are never chosen, nor are samples without a
    target, whose IoU is 0 or 1, among the best.

    Args:
        rows: `ReferringRow`, or anything else with `id` and `iou`; `status`, `repairs`, `group`,
            `ceiling` (an IoU, or counts as of `ReferringRow`) are used where they are.
        worst: how many of the lowest IoU.
        best: how many of the highest.
        invalid: how many whose text was wrong.
        seed: chooses among equals.
        measure: what the rows' `iou` is called, where it is another share than that.

    Returns:
        the cases, list by list.
    """
    facts = [read for row in rows if (read := _read(row, seed)) is not None]
    readable = [one for one in facts if one.status not in ("invalid", "missing")]
    taken: set[str] = set()
    low = sorted(readable, key=lambda one: (one.iou, -(one.truth or 0), one.order))
    lowest = _spread([one for one in low if one.iou < 1], worst, taken)
    high = sorted(readable, key=lambda one: (-one.iou, one.order))
    highest = _spread([one for one in high if one.truth != 0 and one.iou > 0], best, taken)
    wrong = [one for one in facts if one.status in ("invalid", "repaired") and one.id not in taken]
    return [
        *(Case(one.id, _why_low(one, measure), "worst") for one in lowest),
        *(Case(one.id, _score(one, measure), "best") for one in highest),
        *(Case(one.id, _why_wrong(one, measure), "invalid") for one in _by_kind(wrong, invalid)),
    ]


def _spread(ordered: Sequence[_Facts], count: int, taken: set[str]) -> list[_Facts]:
    """The first `count` that are of different groups; of the same ones only to fill up."""
    free = [one for one in ordered if one.id not in taken]
    groups: set[str] = set()
    found: list[_Facts] = []
    spare: list[_Facts] = []
    for one in free:
        if len(found) == count:
            break
        if one.group and one.group in groups:
            spare.append(one)
            continue
        groups.add(one.group)
        found.append(one)
    found += spare[: count - len(found)]
    taken.update(one.id for one in found)
    places = {one.id: place for place, one in enumerate(free)}
    return sorted(found, key=lambda one: places[one.id])


def _by_kind(wrong: Sequence[_Facts], count: int) -> list[_Facts]:
    """Answers whose text was wrong, a kind of it at a time; those without a mask go first."""
    often = Counter(_kind(one) for one in wrong)
    queues = {
        kind: sorted(
            (one for one in wrong if _kind(one) == kind),
            key=lambda one: (one.status != "invalid", one.order),
        )
        for kind in sorted(often, key=lambda kind: (-often[kind], kind))
    }
    found: list[_Facts] = []
    while len(found) < count and any(queues.values()):
        for queue in queues.values():
            if queue and len(found) < count:
                found.append(queue.pop(0))
    return found


def _kind(one: _Facts) -> str:
    return one.repairs[0] if one.repairs else ""


def _why_low(one: _Facts, measure: str) -> str:
    score = _score(one, measure)
    if one.truth == 0:
        return f"{score}: nothing was to be found"
    if one.pred == 0:
        return f"{score}: nothing was found"
    elsewhere = one.truth is not None and one.iou < OVERLAP
    return f"{score}: the answer lies elsewhere" if elsewhere else score


def _why_wrong(one: _Facts, measure: str) -> str:
    kinds = ", ".join(one.repairs[:3]) or "no mask in it"
    if one.status == "invalid":
        return f"could not be read ({kinds})"
    return f"read after repair ({kinds}), {measure} {_short(one.iou)}"


def _score(one: _Facts, measure: str) -> str:
    beside = "" if one.ceiling is None else f", codec alone {_short(one.ceiling)}"
    return f"{measure} {_short(one.iou)}{beside}"


def _short(value: float) -> str:
    """`.93`; `1.00` and `.00` only where they are meant."""
    if 0.995 <= value < 1:
        return "above .99"
    if 0 < value < 0.005:
        return "below .01"
    return f"{value:.2f}".removeprefix("0")


def _read(row: Any, seed: int) -> _Facts | None:
    """What the choice needs of a row; None where it has no IoU (the sample was not scored)."""
    counted = hasattr(row, "intersection")
    value = _iou(row.pred, row.truth, row.intersection) if counted else row.iou
    if value is None:
        return None
    ceiling = getattr(row, "ceiling", None)
    if isinstance(ceiling, tuple):
        ceiling = _iou(ceiling[0], row.truth, ceiling[1])
    name = str(row.id)
    return _Facts(
        id=name,
        iou=float(value),
        ceiling=None if ceiling is None else float(ceiling),
        status=str(getattr(row, "status", "valid")),
        group=str(getattr(row, "group", "")),
        repairs=tuple(getattr(row, "repairs", ())),
        truth=int(row.truth) if counted else None,
        pred=int(row.pred) if counted else None,
        order=hashlib.blake2b(
            f"{seed}:{name}".encode("utf-8", "backslashreplace"), digest_size=8
        ).digest(),
    )


def _iou(pred: int, truth: int, both: int) -> float:
    union = pred + truth - both
    return both / union if union else 1.0

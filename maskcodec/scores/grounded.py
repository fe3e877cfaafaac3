"""Grounded conversation: prose whose phrases have masks, scored by AP50, mIoU and recall.

The task and its scores come from GLaMM (arXiv 2311.03356, "GCG"; eval/gcg/evaluate.py). Each
predicted mask has a phrase and each true one too.

AP50    COCO's average precision at an IoU of 0.5, all masks of one class: phrases don't count.
mIoU    of each answer the mean IoU of pairs of a predicted and a true mask, taken greedily, the
        highest IoU first, each mask once; the mean of that over answers.
recall  true masks that are found / true masks, over all answers: found is one whose partner, taken
        greedily as before, has an IoU of at least 0.5 and a phrase that means the same.

GLaMM's program leaves masks without a partner out of mIoU, so that an answer with one good mask of
ten scores as well as one with ten; it has 0 where both sides are empty; and it stops looking for
pairs at the first one whose phrases differ. Each is an option here, under the name `glamm`, and
`maskcodec` decides the other way.

Whether two phrases mean the same GLaMM asks a network (BERT's mean embeddings, a cosine of at least
0.5). None is shipped here. `phrases=words` takes them for the same where the harmonic mean of the
shares of common words is at least 0.5; `phrases=equal` where they are equal but for case, articles
and punctuation; `phrases=any` always, as GLaMM's does for most pairs of phrases. A function
`similarity(predicted, true)`, 0 to 1, can be given instead. Scores of the prose itself (METEOR,
CIDEr) belong to programs for captions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from .detection_curves import average_precision
from .grounded_rows import GroundedRow, compare
from .named import Named, pick
from .ratios import Ratios
from .reasoning import plain

__all__ = [
    "CONVENTIONS",
    "NAMES",
    "GroundedColumns",
    "GroundedConvention",
    "GroundedRow",
    "compare",
    "summarize",
    "word_similarity",
]

NAMES = ("AP50", "mIoU", "recall")

Similarity: TypeAlias = Callable[[str, str], float]
Floats: TypeAlias = npt.NDArray[np.float64]

MOST_RANKED = 100
"""Predicted masks of an answer that AP50 looks at, the most confident: COCO's bound."""

_FOUND = 0.5
"""Least IoU, and least similarity, of what is found."""


@dataclass(frozen=True, slots=True)
class GroundedConvention(Named):
    """One way to count.

    Attributes:
        unpaired: what a mask without a partner counts in mIoU: 0, or not at all.
        empty: what an answer without masks counts in mIoU where none is right: 1, 0, or not at all.
        failed: what an answer counts in mIoU that is missing or can't be read, where no mask is
            right: 0, or the same as one without masks.
        phrases: when two phrases mean the same; see above.
        stop: whether recall looks no further once the best pair that is left has phrases that
            differ.
        ties: whether AP50 ranks predictions of equal confidence (all of them, where none says one)
            at once, or in the order of ids and masks, as pycocotools does.
    """

    unpaired: Literal["zero", "drop"] = "zero"
    empty: Literal["one", "zero", "drop"] = "one"
    failed: Literal["wrong", "empty"] = "wrong"
    phrases: Literal["words", "equal", "any"] = "words"
    stop: Literal["never", "first"] = "never"
    ties: Literal["together", "order"] = "together"


CONVENTIONS = {
    one.name: one
    for one in (
        GroundedConvention(
            "maskcodec",
            "Every mask counts, on both sides, and no order changes a score.",
            "docs/metrics.md",
        ),
        GroundedConvention(
            "glamm",
            "As GLaMM's program counts, but for the network that compares phrases.",
            "arXiv 2311.03356; GLaMM's eval/gcg/evaluate.py",
            unpaired="drop",
            empty="zero",
            failed="empty",
            phrases="any",
            stop="first",
            ties="order",
        ),
    )
}
"""Every convention by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundedColumns:
    """Rows, and which of them are meant: what is measured of a row is measured once.

    Attributes:
        rows: every row.
        chosen: int64, the numbers of those that are meant, some of them several times.
    """

    rows: tuple[GroundedRow, ...]
    chosen: npt.NDArray[np.int64]
    _known: dict[Any, _Measured] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Iterable[GroundedRow]) -> GroundedColumns:
        """All of the rows."""
        given = tuple(rows)
        return cls(given, np.arange(len(given)))

    def __len__(self) -> int:
        return len(self.chosen)

    def take(self, rows: npt.NDArray[Any] | Sequence[int]) -> GroundedColumns:
        """Some of the rows: their numbers, or a flag for each."""
        wanted = np.asarray(rows)
        if not wanted.size:
            wanted = wanted.astype(np.int64)
        return GroundedColumns(self.rows, self.chosen[wanted], self._known)

    def measured(self, how: GroundedConvention, similarity: Similarity | None) -> _Measured:
        """What the convention counts of every row."""
        key = (how, similarity)
        if key not in self._known:
            self._known[key] = _measure(self.rows, how, similarity or _SIMILAR[how.phrases])
        return self._known[key]


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Every row under a convention; predictions of all rows in falling confidence."""

    ratios: Ratios
    targets: Floats
    row: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    last: npt.NDArray[np.bool_] | None


def summarize(
    rows: GroundedColumns | Iterable[GroundedRow],
    how: str | GroundedConvention = "maskcodec",
    names: Sequence[str] | None = None,
    *,
    similarity: Similarity | None = None,
) -> dict[str, float | None]:
    """The scores of rows: shares from 0 to 1 by name; None where nothing counts.

    Args:
        rows: of any samples, in any order; columns are faster where several things are asked.
        how: the convention.
        names: of the scores; None takes `NAMES`.
        similarity: of a predicted and a true phrase, in place of the convention's.

    Raises:
        MaskCodecError: no such convention or score.
    """
    wanted = NAMES if names is None else tuple(names)
    if unknown := [name for name in wanted if name not in NAMES]:
        raise MaskCodecError(f"no score {unknown[0]!r}; there are: {', '.join(NAMES)}")
    columns = rows if isinstance(rows, GroundedColumns) else GroundedColumns.of(rows)
    measured = columns.measured(pick(how, CONVENTIONS), similarity)
    counts = np.bincount(columns.chosen, minlength=len(columns.rows)).astype(np.float64)
    ratios = measured.ratios
    sums = Ratios(ratios.names, counts @ ratios.upper, counts @ ratios.lower)
    found = Ratios(ratios.names, sums.upper[None], sums.lower[None]).as_dict()
    wrong = ~measured.right
    precision = average_precision(
        measured.right[:, None],
        wrong[:, None],
        np.array([counts @ measured.targets]),
        counts[measured.row],
        measured.last,
    )[0]
    found["AP50"] = None if np.isnan(precision) else float(precision)
    return {name: found[name] for name in wanted}


def _measure(
    rows: tuple[GroundedRow, ...], how: GroundedConvention, similar: Similarity
) -> _Measured:
    table = np.zeros((2, len(rows), 2))
    ranked: list[tuple[float, int, bool]] = []
    by_id = sorted(range(len(rows)), key=lambda place: _id_order(rows[place].id))
    for place in by_id:
        row = rows[place]
        table[:, place, 0] = _row_iou(row, how)
        table[:, place, 1] = _found(row, how, similar), len(row.targets)
        ranked += [(score, place, right) for score, right in _ranked(row)]
    ranked.sort(key=lambda one: -one[0])
    scores = np.array([one[0] for one in ranked])
    return _Measured(
        Ratios(("mIoU", "recall"), table[0], table[1]),
        np.array([float(len(row.targets)) for row in rows]),
        np.array([one[1] for one in ranked], np.int64),
        np.array([one[2] for one in ranked], np.bool_),
        np.append(scores[1:] != scores[:-1], np.ones(min(1, len(scores)), np.bool_))
        if how.ties == "together"
        else None,
    )


def _id_order(name: str) -> tuple[int, int, str]:
    """Numbers as numbers and first, as COCO sorts images."""
    return (0, int(name), "") if name.isascii() and name.isdigit() else (1, 0, name)


def _row_iou(row: GroundedRow, how: GroundedConvention) -> tuple[float, float]:
    """The mean IoU of an answer, and whether it counts."""
    paired: list[float] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for pred, target, iou in sorted(row.overlaps, key=lambda one: (-one[2], one[0], one[1])):
        if pred not in taken[0] and target not in taken[1]:
            taken[0].add(pred)
            taken[1].add(target)
            paired.append(iou)
    masks = max(len(row.phrases), len(row.targets))
    if not masks:
        failed = row.status in ("invalid", "missing") and how.failed == "wrong"
        counts = {"one": (1.0, 1.0), "zero": (0.0, 1.0), "drop": (0.0, 0.0)}
        return (0.0, 1.0) if failed else counts[how.empty]
    count = masks if how.unpaired == "zero" else max(len(paired), 1)
    return sum(paired) / count, 1.0


def _found(row: GroundedRow, how: GroundedConvention, similar: Similarity) -> int:
    """How many true masks have a partner that fits and whose phrase means the same."""
    taken: tuple[set[int], set[int]] = (set(), set())
    for pred, target, iou in sorted(row.overlaps, key=lambda one: (-one[2], one[1], one[0])):
        if iou < _FOUND:
            break
        if pred in taken[0] or target in taken[1]:
            continue
        if similar(row.phrases[pred], row.targets[target]) < _FOUND:
            if how.stop == "first":
                break
            continue
        taken[0].add(pred)
        taken[1].add(target)
    return len(taken[0])


def _ranked(row: GroundedRow) -> list[tuple[float, bool]]:
    """(confidence, whether it is right) of each predicted mask, matched as COCO matches."""
    scores = [1.0 if score is None else score for score in row.confidences]
    order = sorted(range(len(scores)), key=lambda place: -scores[place])[:MOST_RANKED]
    fits: dict[int, list[tuple[int, float]]] = {}
    for pred, target, iou in sorted(row.overlaps):
        fits.setdefault(pred, []).append((target, iou))
    taken: set[int] = set()
    found = []
    for pred in order:
        best, match = _FOUND, None
        for target, iou in fits.get(pred, ()):
            if target not in taken and iou >= best:
                best, match = iou, target
        if match is not None:
            taken.add(match)
        found.append((scores[pred], match is not None))
    return found


def word_similarity(one: str, other: str) -> float:
    """How many words two phrases share: the harmonic mean of both shares, 0 to 1."""
    first, second = Counter(plain(one).split()), Counter(plain(other).split())
    words = first.total() + second.total()
    return 2 * (first & second).total() / words if words else 1.0


def _equal(one: str, other: str) -> float:
    return float(plain(one) == plain(other))


def _any(_one: str, _other: str) -> float:
    return 1.0


_SIMILAR: dict[str, Similarity] = {"words": word_similarity, "equal": _equal, "any": _any}

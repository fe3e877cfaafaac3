"""What a run of answers says: gIoU and cIoU beside the codec's ceiling, and what was wrong.

gIoU is the mean over answers of the IoU of all their pixels, 1 where both are empty (a right
"nothing there"); cIoU is the sum of all intersections over the sum of all unions. Where labels
matter (tasks "semantic" and "panoptic") an answer's IoU is the mean over labels, and pixels are
summed label by label. The ceiling is what the right answers themselves decode to. Answers in words,
whose right answer is prose without a mask, have no IoU. Pixels that nobody annotated count neither
way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .chat import AnswerMasks, read_answer
from .codec import Codec
from .examples import Example
from .labels import composed_label
from .mask import Mask
from .metrics import iou, label_iou, union_of

BY_LABEL = ("semantic", "panoptic")
"""Tasks whose labels are part of the answer."""

Bits = npt.NDArray[np.bool_]


class Printed(Protocol):
    """What is known of an answer beside its text."""

    @property
    def cut(self) -> bool:
        """Whether it was cut off."""
        ...

    @property
    def tokens(self) -> int:
        """How many ids it is."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The figures of a run.

    Attributes:
        count: answers.
        scored: answers whose truth is known; the next six are None where there are none.
        giou: mean IoU of answers, 0 to 1.
        ciou: intersections over unions, 0 to 1.
        hits: the share of answers with an IoU of 0.5 or more.
        ceiling_giou: `giou` of the right answers' own texts.
        ceiling_ciou: `ciou` of them.
        no_target_share: the share of right answers without a mask.
        invalid_share: answers that leave the format in any way.
        repaired_share: of all answers, those that left it and still gave a mask.
        cut_share: answers that did not end in the room they had.
        mean_tokens: of an answer.
        repairs: how many answers had each kind of repair.
        tasks: `giou` of each task.
    """

    count: int
    scored: int
    giou: float | None
    ciou: float | None
    hits: float | None
    ceiling_giou: float | None
    ceiling_ciou: float | None
    no_target_share: float | None
    invalid_share: float
    repaired_share: float
    cut_share: float
    mean_tokens: float
    repairs: Mapping[str, int] = field(default_factory=dict)
    tasks: Mapping[str, float] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)


class Overlap:
    """gIoU and cIoU of answers, added up."""

    def __init__(self) -> None:
        self.ious: list[float] = []
        self._intersection = self._union = 0

    def add(
        self, preds: Sequence[Mask], targets: Sequence[Mask], size: tuple[int, int], task: str
    ) -> float:
        """Add one answer; its IoU comes back."""
        if task in BY_LABEL:
            for label in {composed_label(mask.label) for mask in (*preds, *targets)}:
                self._count(_of_label(preds, label, size), _of_label(targets, label, size))
            value = label_iou(preds, targets)
        else:
            pred, target = union_of(preds, size), union_of(targets, size)
            self._count(pred, target)
            value = iou(pred, target)
        self.ious.append(value)
        return value

    def _count(self, pred: Bits, target: Bits) -> None:
        self._intersection += int(np.count_nonzero(pred & target))
        self._union += int(np.count_nonzero(pred | target))

    @property
    def giou(self) -> float | None:
        """Mean IoU of answers; None where there are none."""
        return sum(self.ious) / len(self.ious) if self.ious else None

    @property
    def ciou(self) -> float | None:
        """Intersections over unions; 1 where all is empty, None where there are no answers."""
        if not self.ious:
            return None
        return self._intersection / self._union if self._union else 1.0


class AnswerScores:
    """Takes decoded answers one after the other."""

    def __init__(self, codec: Codec[Any]) -> None:
        self._codec = codec
        self._overlap, self._ceiling = Overlap(), Overlap()
        self._kinds: Counter[str] = Counter()
        self._tasks: dict[str, list[float]] = {}
        self._count = self._invalid = self._repaired = self._cut = self._tokens = 0
        self._empty = 0

    def add(
        self,
        decoded: AnswerMasks,
        printed: Printed,
        example: Example | None = None,
        turn: int = 0,
    ) -> float | None:
        """Add an answer.

        Args:
            decoded: the answer, read with `errors="repair"`.
            printed: what else is known of it.
            example: where the truth is; None where it is not known.
            turn: which of the example's answers it is.

        Returns:
            its IoU; None where the truth is not known, or is in words.

        Raises:
            RecordError: the example's masks can't be painted.
        """
        self._count += 1
        self._cut += printed.cut
        self._tokens += printed.tokens
        if decoded.repairs:
            self._invalid += 1
            self._repaired += bool(decoded.labels)
            self._kinds.update({repair.kind for repair in decoded.repairs})
        if example is None:
            return None
        asked = example.turns[turn]
        if asked.form == "tagged" and not asked.truth:
            return None
        targets, ignored = example.masks(turn), example.ignored()
        self._empty += not targets
        best = read_answer(asked.answer, self._codec, example.size, form=asked.form)
        right, kept, said = (
            _without(masks, ignored) for masks in (targets, best.masks, decoded.masks)
        )
        self._ceiling.add(kept, right, example.size, example.task)
        value = self._overlap.add(said, right, example.size, example.task)
        self._tasks.setdefault(example.task, []).append(value)
        return value

    def result(self) -> EvaluationResult:
        """The figures of all answers so far."""
        ious = self._overlap.ious
        return EvaluationResult(
            count=self._count,
            scored=len(ious),
            giou=self._overlap.giou,
            ciou=self._overlap.ciou,
            hits=sum(value >= 0.5 for value in ious) / len(ious) if ious else None,
            ceiling_giou=self._ceiling.giou,
            ceiling_ciou=self._ceiling.ciou,
            no_target_share=self._empty / len(ious) if ious else None,
            invalid_share=self._share(self._invalid),
            repaired_share=self._share(self._repaired),
            cut_share=self._share(self._cut),
            mean_tokens=self._share(self._tokens),
            repairs=dict(self._kinds.most_common()),
            tasks={task: sum(ious) / len(ious) for task, ious in self._tasks.items()},
        )

    def _share(self, count: int) -> float:
        return count / self._count if self._count else 0.0


def _without(masks: Sequence[Mask], ignored: Bits | None) -> Sequence[Mask]:
    """Masks without the pixels that nobody annotated."""
    if ignored is None:
        return masks
    return [Mask(mask.array & ~ignored, mask.label, mask.score) for mask in masks]


def _of_label(masks: Sequence[Mask], label: str, size: tuple[int, int]) -> Bits:
    return union_of([mask for mask in masks if composed_label(mask.label) == label], size)

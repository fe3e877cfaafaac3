"""A question about a scene, with its answer and what a program can check of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..mask import Mask
from .scene_constraints import Constraint
from .scenes import Scene

MASK_TASKS = ("referring", "generalised", "reasoning", "semantic", "grounded", "prompted")
"""Tasks that masks answer (`"prompted"` also asks for words)."""

TEXT_TASKS = ("name", "count", "locate", "exist")
"""Tasks that words answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked and what is true.

    Attributes:
        task: one of `MASK_TASKS` or `TEXT_TASKS`.
        text: the question; each `{mask}` in it stands for the mask of an object of `prompts`.
        targets: the objects of the answer, places in `Scene.objects`, from left to right (in a
            caption, as it names them).
        labels: one of each target, e.g. `"red star"`; in a label map the class.
        answer: the words of the answer; None where the masks alone are the answer. A text task and
            a `prompted` question for a description have words and no masks.
        phrases: where `answer` names targets: (start, end, place in `targets`), in order.
        prompts: the objects whose masks stand in the question.
        constraints: what the masks of a right answer keep, see `scene_checks`.
        reasons: of a reasoning question: true sentences on its target, see `scene_statements`.
    """

    task: str
    text: str
    targets: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    answer: str | None = None
    phrases: tuple[tuple[int, int, int], ...] = ()
    prompts: tuple[int, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def asks_masks(self) -> bool:
        """Whether masks are (part of) the answer; `masks` may still be empty: nothing is there."""
        return self.answer is None or bool(self.phrases)

    def masks(self, scene: Scene) -> list[Mask]:
        """The masks of the right answer, in its order; those of one class of a label map as one."""
        if not self.asks_masks:
            return []
        if self.task != "semantic":
            return [
                Mask(scene.objects[index].mask, label)
                for index, label in zip(self.targets, self.labels, strict=True)
            ]
        found = {}
        for index, label in zip(self.targets, self.labels, strict=True):
            if label not in found:
                found[label] = np.zeros(scene.size, dtype=np.bool_)
            found[label] |= scene.objects[index].mask
        return [Mask(array, label) for label, array in found.items()]

    def pieces(self) -> Iterator[tuple[str, int | None]]:
        """The answer's words in pieces: (text, place in `targets`, or None between phrases)."""
        words, done = self.answer or "", 0
        for start, end, target in self.phrases:
            if start > done:
                yield words[done:start], None
            yield words[start:end], target
            done = end
        if done < len(words):
            yield words[done:], None

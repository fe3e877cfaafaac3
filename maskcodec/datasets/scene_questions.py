"""Truthful questions about a scene, chosen by a seed: what is asked is never ambiguous."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..errors import MaskCodecError
from . import scene_captions, scene_expressions, scene_prompts, scene_sets, scene_text_questions
from .draw import Draw
from .question import MASK_TASKS, TEXT_TASKS, Question
from .scene_statements import make_statements
from .scene_words import Wording
from .scenes import Scene

__all__ = ["MASK_TASKS", "TASKS", "TEXT_TASKS", "Question", "make_questions"]

TASKS = (*MASK_TASKS, *TEXT_TASKS)

_TRIES = 8


def _reasoned(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    question = scene_expressions.reasoning(scene, draw, words)
    if question is None:
        return None
    where = next((one.get("where") for one in question.constraints if one.get("where")), ())
    found = make_statements(scene, question.targets[0], draw, words, where)
    return replace(question, reasons=tuple(one.text for one in found))


_MAKERS: dict[str, Callable[[Scene, Draw, Wording], Question | None]] = {
    "referring": scene_expressions.referring,
    "generalised": scene_sets.generalised,
    "reasoning": _reasoned,
    "semantic": scene_captions.semantic,
    "grounded": scene_captions.grounded,
    "prompted": scene_prompts.prompted,
    "name": scene_text_questions.name,
    "count": scene_text_questions.count,
    "locate": scene_text_questions.locate,
    "exist": scene_text_questions.exist,
}


def make_questions(
    scene: Scene, seed: int = 0, tasks: Sequence[str] = MASK_TASKS
) -> list[Question]:
    """Ask about a scene, in the order of `tasks`.

    Args:
        seed: a whole number from 0. Together with the scene's own seed it chooses the questions.
        tasks: names of `TASKS`; one that stands there twice is asked twice.

    Returns:
        a question of each task. Of a scene that has none of a task (a single object has no
        neighbour), it is left out, and no question comes twice.

    Raises:
        MaskCodecError: no such task, or a seed that is no whole number from 0.
    """
    draw = Draw(scene.seed, 1, seed)
    words = Wording(scene, draw)
    found: list[Question] = []
    asked: set[tuple[str, tuple[int, ...]]] = set()
    for task in tasks:
        if task not in _MAKERS:
            raise MaskCodecError(f"no task {task!r}; there are: {', '.join(_MAKERS)}")
        for _ in range(_TRIES):
            question = _MAKERS[task](scene, draw, words)
            if question is not None and (question.text, question.prompts) not in asked:
                asked.add((question.text, question.prompts))
                found.append(question)
                break
    return found

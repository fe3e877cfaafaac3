"""Masks while a model still prints them: coarse at first, then finer.

    for step in stream_masks(segmenter, question, size=(480, 640)):
        show(step.answer.masks)

What is printed so far is read under `errors="repair"`, which keeps every part that is complete. In
shape tokens each further code sharpens the shape; a grid grows row by row, a polygon by points.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .chat import AnswerMasks, read_answer
from .generation import Question, Segmenter
from .hf import answer_texts

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The answer so far.

    Attributes:
        text: what is printed so far.
        answer: what it says, repaired where it is not finished.
        tokens: ids so far.
        done: whether this is the whole answer.
        cut: whether it is whole only because the room for it ended.
    """

    text: str
    answer: AnswerMasks
    tokens: int
    done: bool
    cut: bool = False


def stream_masks(
    segmenter: Segmenter, question: Question, size: tuple[int, int], *, every: int = 1
) -> Iterator[Step]:
    """Ask one question, and yield whenever its masks have changed.

    The last step is the whole answer, changed or not. Leaving the loop stops the model.

    Args:
        segmenter: what is asked.
        question: one.
        size: the masks' (height, width) in pixels.
        every: look at the text after so many ids.

    Raises:
        MaskCodecError: see `Segmenter.answer`.
    """
    ids: list[int] = []
    seen: AnswerMasks | None = None
    stream = _Stream(segmenter, question)
    try:
        for number in stream:
            if number in segmenter.ends:
                break
            ids.append(number)
            if len(ids) % every:
                continue
            step = _step(segmenter, question, ids, size)
            if seen is None or not _same(seen, step.answer):
                seen = step.answer
                yield step
        whole = _step(segmenter, question, ids, size)
    finally:
        stream.close()
    yield Step(whole.text, whole.answer, len(ids), done=True, cut=not stream.has_ended)


def _step(segmenter: Segmenter, question: Question, ids: list[int], size: tuple[int, int]) -> Step:
    [text] = answer_texts(segmenter.processor, [ids], ends=())
    # Half of a character of several bytes; its rest is still to come.
    answer = read_answer(text.rstrip("\ufffd"), segmenter.codec, size, form=question.form)
    return Step(text, answer, len(ids), done=False)


def _same(one: AnswerMasks, other: AnswerMasks) -> bool:
    if one.labels != other.labels or len(one.decoded) != len(other.decoded):
        return False
    pairs = zip(one.decoded, other.decoded, strict=True)
    return all(np.array_equal(np.asarray(a.pixels), np.asarray(b.pixels)) for a, b in pairs)


class _Stream:
    """The ids of an answer, as a thread generates them."""

    def __init__(self, segmenter: Segmenter, question: Question) -> None:
        inputs = segmenter.inputs([question])
        options = segmenter.options(inputs, question.form)
        self._ends = segmenter.ends
        self._ids: queue.SimpleQueue[list[int] | BaseException | None] = queue.SimpleQueue()
        self._left = threading.Event()
        self._prompt_seen = False
        self.has_ended = False
        arguments = {**inputs, **options, "streamer": self, "stopping_criteria": [self._stops]}
        self._thread = threading.Thread(
            target=self._run, args=(segmenter.model, arguments), daemon=True
        )
        self._thread.start()

    def _run(self, model: Any, arguments: dict[str, Any]) -> None:
        was_training = model.training
        model.eval()
        try:
            model.generate(**arguments)
        except BaseException as error:
            self._ids.put(error)
        finally:
            model.train(was_training)
            self._ids.put(None)

    def _stops(self, input_ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        import torch

        return torch.full((len(input_ids),), self._left.is_set(), device=input_ids.device)

    def put(self, value: torch.Tensor) -> None:
        """Take ids, as a streamer of transformers does; the first ones are the prompt."""
        if self._prompt_seen:
            self._ids.put(value.flatten().tolist())
        self._prompt_seen = True

    def end(self) -> None:
        """The last id was put."""

    def __iter__(self) -> Iterator[int]:
        while (found := self._ids.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            for number in found:
                self.has_ended |= number in self._ends
                yield number

    def close(self) -> None:
        """Stop the model and wait for it."""
        self._left.set()
        self._thread.join()

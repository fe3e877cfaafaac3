"""What the tiny base model is taught: scenes, and questions whose answers are words and boxes.

No question asks for a mask, and no mask is shown: a base model knows what things are called, how
many there are, and where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import IterableDataset

from maskcodec.datasets.question import Question
from maskcodec.datasets.scene_questions import TASKS, make_questions
from maskcodec.datasets.scenes import Scene, SceneOptions, make_scene

from .tiny_model import PATCH, PATCHES, SIDE
from .tiny_tokenizer import ASSISTANT, IMAGE, USER

LESSONS = ("referring",) * 5 + ("locate", "name", "count", "exist")
"""Kinds of questions, as often as they are asked of one scene."""

BOX, NAMED_BOX = " Give the box.", " Name and box."
"""What is asked about an object that an expression refers to, after the expression."""

_ROW = SIDE // PATCH

UNSEEN = 1_000_000_000
"""Scenes from this seed on are kept for measuring."""

LOOKS = 6
"""What a patch is asked about the object at its centre: colour, noun and four edges."""


@dataclass(frozen=True)
class Batch:
    """Scenes as tensors.

    Attributes:
        pixels: float32 (scenes, 3, 64, 64), -1 to 1.
        ids: int64 (scenes, length), padded on the right.
        labels: int64 (scenes, length): the id where an answer stands, else -100.
        looks: int64 (scenes, 64, 6), of the object in whose box the centre of a patch lies: the
            ids of colour and noun, then left, top, right and bottom in percent; else -1.
    """

    pixels: torch.Tensor
    ids: torch.Tensor
    labels: torch.Tensor
    looks: torch.Tensor


class Lessons(IterableDataset[Batch]):
    """Batches of scenes, endless; batch k is the same whenever it is asked for.

    Args:
        tokenizer: of the base model.
        options: of the scenes.
        batch: scenes a batch.
        first: the number of the first batch.
    """

    def __init__(self, tokenizer: Any, options: SceneOptions, batch: int, first: int = 0) -> None:
        self.tokenizer = tokenizer
        self.options = options
        self.batch = batch
        self.first = first

    def __iter__(self) -> Iterator[Batch]:
        number = self.first
        while True:
            seeds = range(number * self.batch, (number + 1) * self.batch)
            yield make_batch(self.tokenizer, [make_scene(seed, self.options) for seed in seeds])
            number += 1


def make_batch(tokenizer: Any, scenes: list[Scene]) -> Batch:
    """Scenes with a conversation each, as tensors."""
    talks = [_conversation(tokenizer, scene) for scene in scenes]
    length = max(len(ids) for ids, _ in talks)
    ids = torch.full((len(scenes), length), tokenizer.pad_token_id)
    labels = torch.full((len(scenes), length), -100)
    for row, (told, answered) in enumerate(talks):
        ids[row, : len(told)] = torch.tensor(told)
        labels[row, : len(told)] = torch.tensor(answered)
    pixels = torch.from_numpy(np.stack([scene.image for scene in scenes]))
    looks = torch.from_numpy(np.stack([_looks(tokenizer, scene) for scene in scenes]))
    return Batch(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1, ids, labels, looks)


def _conversation(tokenizer: Any, scene: Scene) -> tuple[list[int], list[int]]:
    """The ids of a conversation about a scene, and its labels."""
    user, assistant, image = tokenizer.convert_tokens_to_ids([USER, ASSISTANT, IMAGE])
    ids: list[int] = [tokenizer.bos_token_id]
    labels: list[int] = [-100]
    questions = make_questions(scene, scene.seed, tasks=LESSONS)
    draw = np.random.default_rng(scene.seed)
    order = draw.permutation(len(questions))
    texts = [text for k in order for text in _lesson(scene, questions[k], draw.random() < 0.6)]
    told = tokenizer(texts, add_special_tokens=False)["input_ids"]
    for turn in range(len(order)):
        shown = [image] * PATCHES if turn == 0 else []
        asked = [user, *shown, *told[2 * turn], assistant]
        answer = [*told[2 * turn + 1], tokenizer.eos_token_id]
        ids += asked + answer
        labels += [-100] * len(asked) + answer
    return ids, labels


def _lesson(scene: Scene, question: Question, named: bool) -> tuple[str, str]:
    """A question and its answer, which is never a mask."""
    if question.answer is not None:
        return question.text, question.answer
    [target] = question.targets
    thing = scene.objects[target]
    box = " ".join(str(round(100 * edge / SIDE)) for edge in thing.box)
    if named:
        return question.text + NAMED_BOX, f"{thing.label}: {box}"
    return question.text + BOX, box


def _looks(tokenizer: Any, scene: Scene) -> npt.NDArray[np.int64]:
    """int64 (64, 6): see `Batch.looks`."""
    looks = np.full((PATCHES // _ROW, _ROW, LOOKS), -1, np.int64)
    centres = np.arange(PATCH // 2, SIDE, PATCH)
    for thing in sorted(scene.objects, key=lambda thing: -thing.area):  # of two the smaller
        left, top, right, bottom = thing.box
        rows = (top <= centres) & (centres < bottom)
        columns = (left <= centres) & (centres < right)
        words = tokenizer([f" {thing.colour}", f" {thing.noun}"], add_special_tokens=False)
        edges = [round(100 * edge / SIDE) for edge in thing.box]
        looks[np.ix_(rows, columns)] = [ids[0] for ids in words["input_ids"]] + edges
    return looks.reshape(PATCHES, LOOKS)


def scene_texts(count: int) -> Iterator[str]:
    """Questions and answers of `count` scenes, of every kind, for the tokenizer."""
    for seed in range(count):
        scene = make_scene(seed, SceneOptions.tiny())
        for question in make_questions(scene, seed, tasks=TASKS):
            yield question.text
            if question.answer is not None:
                yield question.answer
            elif question.task == "referring":
                yield from _lesson(scene, question, named=True)
        yield from (f" {word}" for thing in scene.objects for word in (thing.colour, thing.noun))

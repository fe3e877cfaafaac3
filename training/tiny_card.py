"""What the tiny base model knows, measured on scenes that it never saw; and its card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from maskcodec.datasets.scene_questions import make_questions
from maskcodec.datasets.scenes import Scene, SceneOptions, make_scene
from maskcodec.prompts import model_inputs
from maskcodec.writing import atomic

from .tiny_lessons import UNSEEN

KINDS = ("name", "count", "exist", "locate")

Box = tuple[int, ...]


def measure(model: Any, processor: Any, scenes: int = 250) -> dict[str, float]:
    """Scores on unseen scenes, a question of each kind about each.

    Args:
        model: of `tiny_model`.
        processor: of the model.
        scenes: how many.

    Returns:
        The share of right answers of each kind but `locate`, and of `locate`, for one object, the
        mean IoU of boxes (0 where the answer is no box) and the share of at least 0.5.
    """
    right: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for seed in range(UNSEEN, UNSEEN + scenes):
        scene = make_scene(seed, SceneOptions.tiny())
        asked = [
            question
            for question in make_questions(scene, seed, tasks=KINDS)
            if question.task != "locate" or len(question.targets) == 1
        ]
        answers = _answers(model, processor, scene, [question.text for question in asked])
        for question, answer in zip(asked, answers, strict=True):
            truth = str(question.answer)
            if question.task == "locate":
                right["locate"].append(_box_iou(_box(answer), _box(truth)))
            else:
                right[question.task].append(float(answer == truth))
    scores = {kind: sum(found) / len(found) for kind, found in right.items()}
    boxes = right["locate"]
    return scores | {"located at IoU 0.5": sum(iou >= 0.5 for iou in boxes) / len(boxes)}


def _answers(model: Any, processor: Any, scene: Scene, questions: list[str]) -> list[str]:
    from PIL import Image

    picture = Image.fromarray(scene.image)
    chats = [[{"role": "user", "content": text}] for text in questions]
    inputs = model_inputs(processor, chats, [[picture]] * len(chats))
    ids = model.generate(**inputs, max_new_tokens=24, do_sample=False)
    start = inputs["input_ids"].shape[1]
    texts = processor.tokenizer.batch_decode(ids[:, start:], skip_special_tokens=True)
    return [str(text).strip() for text in texts]


def _box(text: str) -> Box:
    """The edges that a text says, `()` if it is no box."""
    numbers = tuple(int(number) for number in re.findall(r"\d{1,3}", text))
    return numbers if len(numbers) == 4 else ()


def _box_iou(one: Box, other: Box) -> float:
    if not one or not other:
        return 0.0
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0, width) * max(0, height)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - shared
    return shared / union if union > 0 and min(areas) > 0 else 0.0


def write_card(path: Path, figures: dict[str, float], weights: int, made: dict[str, Any]) -> None:
    """Write the card of a model.

    Args:
        path: of the card.
        figures: of `measure`.
        weights: how many the model has.
        made: what the program was told, and how long it took.
    """
    rows = "".join(f"| {name} | {value:.3f} |\n" for name, value in figures.items())
    facts = "".join(f"| {name} | {value} |\n" for name, value in made.items())
    text = _CARD.format(weights=weights / 1e6, rows=rows, facts=facts)
    with atomic(path) as file:
        file.write(text.encode())


_CARD = """\
---
license: apache-2.0
pipeline_tag: image-text-to-text
library_name: transformers
---

# A tiny base model that knows scenes, and no masks

{weights:.2f} million weights: LLaVA's architecture (a SigLIP tower of 4 layers, 64x64 pixels in
patches of 8; a projector; a Llama of 4 layers, 192 wide), trained from scratch by
`python -m maskcodec.training.tiny_base`. It is for tests and demonstrations: it has only ever seen
generated scenes of one to four coloured shapes, and knows no other words.

It was trained on naming, counting, saying whether something is there, and locating: it prints
boxes as `left top right bottom` in percent of the image. It has never seen a mask or a mask token.
In the first stage of its training each patch had to say the colour, the noun and the edges of the
object in whose box it lies; the heads for that are not part of the model.

All data was generated (`maskcodec.datasets.scenes`); nothing of anyone else's is in it.

## What it knows, on 250 scenes that it never saw

| question | right answers; for `locate` mean IoU of the box |
|---|---|
{rows}
## How it was made

| option | value |
|---|---|
{facts}"""
"""Card in the form of model hubs."""

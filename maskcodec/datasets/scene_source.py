"""Generated scenes as a source of examples: `scenes:N`.

Scene number k of seed s is `make_scene(s * 10**9 + k)`: two seeds share no scene.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import MaskCodecError
from ..mask import Mask
from .annotated import Annotated, AnnotatedEntry, Exchange, Piece, Source, SourceOptions
from .exchanges import REGION
from .scene_options import SceneOptions
from .scene_questions import MASK_TASKS, Question, make_questions
from .scenes import Scene, make_scene
from .silhouettes import load_silhouettes

APART = 10**9
"""Scenes of a seed."""


def read(source: str, options: SourceOptions) -> Source:
    """The scenes of `scenes:N`.

    Raises:
        MaskCodecError: an option of scenes that there isn't.
    """
    count = int(source.partition(":")[2])
    scene_options(options.scene, options.shapes)  # before any process starts
    tasks = options.tasks or ("referring",)
    asked = tuple(task for task in tasks if task in MASK_TASKS for _ in range(options.questions))
    first = options.seed * APART
    entries = [
        AnnotatedEntry(
            f"scene-{first + index}",
            source,
            None,
            partial(_load, first + index, asked, options.scene, options.shapes),
        )
        for index in range(count)
    ]
    return Source("scenes", entries, tasks, "scenes")


def _load(seed: int, tasks: tuple[str, ...], given: str, shapes: Path | None) -> Annotated:
    options = scene_options(given, shapes)
    scene = make_scene(seed, options)
    objects = tuple(Mask(one.mask, one.label) for one in scene.objects)
    questions = make_questions(scene, 0, tasks=tasks) if tasks else []
    exchanges = tuple(
        _exchange(scene, question, with_reasons=options.reasons) for question in questions
    )
    return Annotated(
        f"scene-{seed}.png", scene.size, objects, pixels=scene.image, exchanges=exchanges
    )


def _exchange(scene: Scene, question: Question, *, with_reasons: bool) -> Exchange:
    constraints = tuple(constraint.to_json() for constraint in question.constraints)
    answer = _answer(scene, question)
    if with_reasons and question.reasons:
        answer = (" ".join(question.reasons) + " ", *answer)
    return Exchange(question.task, _question(scene, question), answer, constraints)


def _question(scene: Scene, question: Question) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    prompts = iter(question.prompts)
    for index, text in enumerate(question.text.split("{mask}")):
        if index:
            pieces.append((Mask(scene.objects[next(prompts)].mask, REGION),))
        if text:
            pieces.append(text)
    return tuple(pieces)


def _answer(scene: Scene, question: Question) -> tuple[Piece, ...]:
    masks = question.masks(scene)
    if question.answer is None:
        return (tuple(masks),)
    pieces: list[Piece] = []
    for text, target in question.pieces():
        pieces.append(text if target is None else f"{text} ")
        if target is not None:
            pieces.append((masks[target],))
    return tuple(pieces)


@functools.lru_cache(maxsize=4)
def scene_options(given: str, shapes: Path | None) -> SceneOptions:
    """Scene options as the command line has them.

    Args:
        given: options of `SceneOptions` as `size=128x128,objects=1-4,overlap=no,
            backgrounds=plain+noisy`; the word `tiny` takes its easy scenes as the start.
        shapes: a file of silhouettes, see `load_silhouettes`.

    Raises:
        MaskCodecError: an option that there isn't, or a wrong value.
        RecordError: the file of silhouettes can't be used.
    """
    hints = typing.get_type_hints(SceneOptions)
    known = [
        field.name for field in dataclasses.fields(SceneOptions) if field.name != "silhouettes"
    ]
    changes: dict[str, Any] = {}
    tiny = False
    for part in filter(None, given.split(",")):
        name, equals, text = part.partition("=")
        if part == "tiny":
            tiny = True
        elif name not in known or not equals:
            raise MaskCodecError(
                f'--scene: {part!r} is no option; write "tiny", or NAME=VALUE of {", ".join(known)}'
            )
        else:
            changes[name] = _value(name, text, hints[name])
    if shapes is not None:
        changes["silhouettes"] = load_silhouettes(shapes)
    return SceneOptions.tiny(**changes) if tiny else SceneOptions(**changes)


def _value(name: str, text: str, kind: Any) -> Any:
    """A value by the type of its field."""
    try:
        if kind is bool:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        if kind is float:
            return float(text)
        if kind == tuple[int, int]:
            low, high = (int(side) for side in text.replace("x", "-").split("-"))
            return low, high
        if kind == tuple[float, float]:
            start, stop = (float(end) for end in text.split("-"))
            return start, stop
    except (KeyError, ValueError):
        raise MaskCodecError(
            f"--scene: {name}={text!r} can't be read; e.g. size=128x128, objects=1-4, "
            "extents=0.2-0.6, overlap=no, repeat=0.4, backgrounds=plain+noisy"
        ) from None
    return tuple(text.split("+")) if kind == tuple[str, ...] else text

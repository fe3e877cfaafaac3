"""What `bench generate` asks: images, questions and right masks, of scenes or of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import Mask, MaskCodecError
from maskcodec.codec import Codec
from maskcodec.datasets.pictures import read_picture
from maskcodec.datasets.scene_options import SceneOptions
from maskcodec.datasets.scene_source import APART
from maskcodec.datasets.scenes import make_scene
from maskcodec.errors import RecordError
from maskcodec.examples import read_examples


@dataclass(frozen=True, eq=False)
class Asked:
    """One question.

    Attributes:
        image: uint8 (height, width, 3), RGB.
        question: what is asked.
        masks: the right answer; one or more.
    """

    image: npt.NDArray[np.uint8]
    question: str
    masks: Sequence[Mask]

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.image.shape[0], self.image.shape[1]

    def answer(self, codec: Codec[Any]) -> str:
        """The right answer's text."""
        return codec.encode(list(self.masks), self.size)


def of_scenes(count: int, seed: int) -> list[Asked]:
    """One object of each scene, asked for by its colour and noun."""
    found = []
    for number in range(count):
        scene = make_scene(seed * APART + number, SceneOptions.tiny())
        one = scene.objects[number % len(scene.objects)]
        found.append(Asked(scene.image, f"Segment the {one.label}.", [Mask(one.mask, one.label)]))
    return found


def of_file(path: Path, count: int) -> list[Asked]:
    """First questions of a prepared file, those whose answer is masks alone.

    Raises:
        RecordError: a line or an image can't be used.
        MaskCodecError: no question is answered by masks alone.
    """
    found: list[Asked] = []
    for example in read_examples(path):
        if isinstance(example, RecordError):
            raise example
        turn = example.turns[0]
        if turn.form == "bare" and turn.truth:
            image = read_picture(example.image_paths()[0], example.size)
            found.append(Asked(image, turn.question, example.masks(0)))
        if len(found) == count:
            break
    if not found:
        raise MaskCodecError(f"{path}: no question in it is answered by masks alone")
    return found


def labels(asked: Sequence[Asked]) -> list[str]:
    """The labels of all right masks, sorted."""
    return sorted({mask.label for one in asked for mask in one.masks})

"""What readers for training give: an image, its objects, and what was said about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from ..mask import Mask

Piece: TypeAlias = "str | tuple[Mask, ...]"
"""Text, or masks that a codec spells."""


@dataclass(frozen=True, slots=True)
class Expression:
    """Something said that means objects of an image.

    Attributes:
        text: as it was said; white space at its ends and within is one blank.
        targets: indices of the objects that it means; none is a right "no object".
        task: one of `maskcodec.examples.TASKS`.
        label: what the targets are called in the data set; "" where it doesn't say.
        is_question: whether it is a whole question, to be asked as it stands.
        constraints: what a program can check of the object; JSON values.
        place: the field that it stands in, for messages.
        line: its line, where that is not the image's.
        ref: what the data set calls the objects that it means; "" where it doesn't say.
        sentence: what the data set calls the expression itself.
    """

    text: str
    targets: tuple[int, ...]
    task: str
    label: str = ""
    is_question: bool = False
    constraints: tuple[Any, ...] | None = None
    place: str | None = None
    line: int | None = None
    ref: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer.

    Attributes:
        task: one of `maskcodec.examples.TASKS`.
        question: text, and masks that the question shows.
        answer: one tuple of masks alone, or text with masks in it.
        constraints: see `maskcodec.examples.Turn`.
        problem: why it can't be asked; empty if it can.
        place: the field of the source that it comes from, for messages.
        line: its line, where that is not the image's.
    """

    task: str
    question: tuple[Piece, ...]
    answer: tuple[Piece, ...]
    constraints: tuple[Any, ...] | None = None
    problem: str = ""
    place: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Annotated:
    """One image with everything that is known of it.

    Attributes:
        image: the image's name; samples of the same image are held out together by it.
        size: the image's (height, width) in pixels.
        objects: masks with the names of their categories.
        expressions: what was said about them.
        path: where the image lies; None where `pixels` are to be written.
        pixels: uint8 (height, width, 3), of an image that was made.
        stuff: labels that name a region (grass, sky) and no single object.
        absent: names of categories that the image is known not to show.
        is_exhaustive: whether every object of the categories is among `objects`.
        problems: what of this image had to be left out.
        exchanges: questions that the data set brings with their answers; of their tasks no others
            are asked.
        ignore: bool (height, width), pixels that nobody annotated; None where all were.
        crowds: regions of many things that stand for no single object; of COCO instances, where
            `SourceOptions.scoring` asks for them.
        areas: of each object, the pixels that the data set says it has; () where it doesn't say.
    """

    image: str
    size: tuple[int, int]
    objects: tuple[Mask, ...]
    expressions: tuple[Expression, ...] = ()
    path: Path | None = None
    pixels: npt.NDArray[np.uint8] | None = None
    stuff: frozenset[str] = frozenset()
    absent: tuple[str, ...] = ()
    is_exhaustive: bool = False
    problems: tuple[RecordError, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    ignore: npt.NDArray[np.bool_] | None = None
    crowds: tuple[Mask, ...] = ()
    areas: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class AnnotatedEntry:
    """An image that is not loaded yet.

    Attributes:
        id: a name that no other entry of the source has.
        file: where it comes from, as the path was given.
        line: its line there, 1-based; None where the file has no lines.
        load: reads and paints it; raises `MaskCodecError`.
        names: what its file may be called beside `id`, with or without suffix, as far as that is
            known before it is loaded.
        sentences: the ids of its expressions, "" for one that has none; None where they are not
            known before it is loaded.
    """

    id: str
    file: str
    line: int | None
    load: Callable[[], Annotated]
    names: tuple[str, ...] = ()
    sentences: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What one input holds.

    Attributes:
        format: which reader took it.
        entries: the images in order, and in its place the error of what can't become one.
        tasks: what it is for, unless told otherwise.
        name: what examples name as their source; "" takes the file's name.
        names: of the values of its label maps, or of its categories by their ids; None where it
            has neither.
        stuff: which of them name regions and no single objects.
    """

    format: str
    entries: Sequence[AnnotatedEntry | RecordError]
    tasks: tuple[str, ...]
    name: str = ""
    names: dict[int, str] | None = None
    stuff: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a source is read.

    Attributes:
        images: where the images lie; None takes the place that the layout has for them.
        split: the part of the data set, e.g. "train"; None where there is but one.
        names: the name of each value of a label map; None takes those of the data set.
        masks: where panoptic PNGs lie; None takes the folder named like the json.
        ignore: values of a label map that stand for "not annotated", beside the data set's own.
        seed: of what is made.
        shapes: a file of silhouettes for scenes; None draws shapes.
        scene: how scenes are drawn, see `scene_source.parse_options`.
        tasks: what is asked; empty where the source decides.
        questions: of each task, a scene.
        scoring: whether it is read to score predictions: COCO's crowd regions and areas are wanted,
            and images may be missing where their sizes are known without them.
    """

    images: Path | None = None
    split: str | None = None
    names: dict[int, str] | None = None
    masks: Path | None = None
    ignore: tuple[int, ...] = ()
    seed: int = 0
    shapes: Path | None = None
    scene: str = ""
    tasks: tuple[str, ...] = ()
    questions: int = 1
    scoring: bool = False

    def image_folder(self, default: Path) -> Path:
        """Where the images lie.

        Raises:
            RecordError: nobody says it, and they are not at `default`.
        """
        if self.images is not None:
            return self.images
        if not default.is_dir() and not self.scoring:
            raise RecordError("is no folder of images; give --images DIR", file=str(default))
        return default

    @property
    def every_object(self) -> bool:
        """Whether objects that no expression means are wanted too."""
        return not set(self.tasks) <= {"referring", "generalised", "reasoning"}


def one_line(text: str) -> str:
    """An expression with each run of white space as one blank."""
    return " ".join(text.split())

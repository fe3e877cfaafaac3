"""Generated scenes: images of coloured shapes or silhouettes, with exact masks, without end.

`make_scene(seed, options)` is the same scene on every machine (of a JPEG background the pixels may
differ by what JPEG decoders differ). `scene_questions.make_questions` asks about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import rle
from ..errors import MaskCodecError
from .draw import Draw
from .scene_backgrounds import draw_background
from .scene_measures import measure
from .scene_options import SceneOptions
from .scene_paint import paint_object
from .scene_placing import Placed, place_all

__all__ = ["Scene", "SceneObject", "SceneOptions", "make_scene", "scenes"]

Bits = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]

_TRIES = 12


@dataclass(frozen=True, slots=True, eq=False)
class SceneObject:
    """An object of a scene.

    Attributes:
        noun: its shape or category, in the singular.
        colour: a name of `scene_paint.COLOURS`.
        texture: a name of `scene_paint.TEXTURES`.
        size: `"small"`, `"medium"` or `"large"`, see `SceneOptions.extents`.
        mask: bool (height, width) of the image: its visible pixels.
        box: of the visible pixels, xyxy, half-open.
        area: visible pixels.
        centre: (x, y), the mean of its visible pixels' centres, in pixels.
        depth: objects of a greater depth are painted over those of a smaller one.
        whole_area: its pixels without what hides them.
    """

    noun: str
    colour: str
    texture: str
    size: str
    mask: Bits = field(repr=False)
    box: tuple[int, int, int, int]
    area: int
    centre: tuple[float, float]
    depth: int
    whole_area: int

    @property
    def label(self) -> str:
        """Colour and noun, e.g. `"red star"`."""
        return f"{self.colour} {self.noun}"


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An image with all that is known of it.

    Attributes:
        seed: what it was made from.
        image: uint8 (height, width, 3), RGB.
        objects: from left to right by their centres.
        background: `"plain"`, `"noisy"` or `"photo"`.
        options: what it was made with.
    """

    seed: int
    image: Pixels = field(repr=False)
    objects: tuple[SceneObject, ...]
    background: str
    options: SceneOptions = field(repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """The image's (height, width) in pixels."""
        return self.options.size

    def facts(self) -> dict[str, Any]:
        """What is true of the scene, as plain JSON; `scene_facts.SceneFacts` reads it back.

        `{"size": [H, W], "objects": [{"label", "noun", "colour", "texture", "size", "box", "area",
        "counts"}]}`, where `counts` are COCO's compressed run lengths of the visible pixels.
        """
        objects = [
            {
                "label": one.label,
                "noun": one.noun,
                "colour": one.colour,
                "texture": one.texture,
                "size": one.size,
                "box": list(one.box),
                "area": one.area,
                "counts": rle.to_string(rle.encode(one.mask)).decode("ascii"),
            }
            for one in self.objects
        ]
        return {"size": list(self.size), "background": self.background, "objects": objects}


def scenes(first: int = 0, options: SceneOptions | None = None) -> Iterator[Scene]:
    """Scenes without end, of the seeds `first`, `first + 1`, ..."""
    options = SceneOptions() if options is None else options
    while True:
        yield make_scene(first, options)
        first += 1


def make_scene(seed: int, options: SceneOptions | None = None) -> Scene:
    """Make the scene of a seed, a whole number from 0.

    Raises:
        MaskCodecError: the seed is no such number, or the least number of objects finds no place.
        RecordError: a folder of photographs that can't be read.
    """
    options = SceneOptions() if options is None else options
    draw = Draw(seed, 0)
    count = draw.between(*options.objects)
    background = draw.pick(options.backgrounds)
    image = draw_background(draw, background, options.size, options.photo_dir)
    for _ in range(_TRIES):
        placed = place_all(draw, count, options)
        if len(placed) >= options.objects[0]:
            break
    else:
        raise MaskCodecError(
            f"no place for {options.objects[0]} objects of {options.extents[0]:g} to "
            f"{options.extents[1]:g} of the side; ask for fewer or smaller ones"
        )
    for one in placed:
        paint_object(image, one.stencil, one.corner, one.colour, one.shift, one.texture)
    objects = sorted(_measure(placed, options.size), key=lambda one: (one.centre, one.depth))
    return Scene(int(seed), image, tuple(objects), background, options)


def _measure(placed: list[Placed], size: tuple[int, int]) -> Iterator[SceneObject]:
    owner = np.full(size, -1, dtype=np.int16)
    for depth, one in enumerate(placed):
        height, width = one.stencil.mask.shape
        top, start = one.corner
        owner[top : top + height, start : start + width][one.stencil.mask] = depth
    for depth, one in enumerate(placed):
        height, width = one.stencil.mask.shape
        top, start = one.corner
        mask = np.zeros(size, dtype=np.bool_)
        seen = owner[top : top + height, start : start + width] == depth
        mask[top : top + height, start : start + width] = seen
        box, area, centre = measure(seen)
        yield SceneObject(
            one.noun,
            one.colour,
            one.texture,
            one.size,
            mask,
            (box[0] + start, box[1] + top, box[2] + start, box[3] + top),
            area,
            (centre[0] + start, centre[1] + top),
            depth,
            one.whole_area,
        )

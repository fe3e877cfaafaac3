"""What generated scenes are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..errors import MaskCodecError
from ..mask import check_size
from .scene_backgrounds import BACKGROUNDS
from .scene_paint import COLOURS, TEXTURES
from .scene_shapes import SHAPES
from .silhouettes import Silhouette

Turns: TypeAlias = Literal["none", "kept"]

SIZES = ("small", "medium", "large")

LEAST_SIDE = 16
MOST_OBJECTS = 64


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """How scenes are drawn. A name that stands twice in a tuple is drawn twice as often.

    Attributes:
        size: (height, width) in pixels, each at least 16.
        objects: fewest and most objects of a scene.
        extents: least and greatest length of an object's longer side, in shares of the image's
            shorter side. Small, medium and large objects are the thirds of this range, and a tenth
            of the range lies unused between one and the next.
        colours: names of `scene_paint.COLOURS`.
        shapes: names of `scene_shapes.SHAPES`.
        silhouettes: where there are any, they are drawn instead of `shapes`.
        textures: names of `scene_paint.TEXTURES`.
        backgrounds: `"plain"`, `"noisy"` and `"photo"`.
        overlap: whether objects may touch and hide each other; at least half of each stays visible.
            Otherwise they keep 2 % of the image's shorter side apart, and at least 2 pixels.
        turns: `"kept"` turns the shapes whose name a turn does not change, by steps of 15 degrees.
        repeat: how often an object takes the colour, and how often the shape, of one before it.
        photo_dir: a folder of photographs for the backgrounds; None takes those of scikit-image.
        reasons: whether the answer to a reasoning question begins with true sentences about the
            object's size, place and order (see `scene_statements`), its mask after them.

    Raises:
        MaskCodecError: a value out of range, or an unknown name.
    """

    size: tuple[int, int] = (64, 64)
    objects: tuple[int, int] = (1, 5)
    extents: tuple[float, float] = (0.16, 0.55)
    colours: tuple[str, ...] = tuple(COLOURS)
    shapes: tuple[str, ...] = tuple(SHAPES)
    silhouettes: tuple[Silhouette, ...] = ()
    textures: tuple[str, ...] = ("plain", "plain", "striped", "dotted", "checked")
    backgrounds: tuple[str, ...] = BACKGROUNDS
    overlap: bool = True
    turns: Turns = "none"
    repeat: float = 0.4
    photo_dir: str | None = None
    reasons: bool = False

    @classmethod
    def tiny(cls, **changes: Any) -> SceneOptions:
        """Easy scenes of 64x64 pixels: one to four large objects that keep apart."""
        given: dict[str, Any] = {
            "objects": (1, 4),
            "extents": (0.22, 0.6),
            "textures": ("plain",) * 5 + TEXTURES[1:],
            "backgrounds": ("plain", "noisy"),
            "overlap": False,
        }
        return cls(**(given | changes))

    def __post_init__(self) -> None:
        size = check_size(self.size)
        object.__setattr__(self, "size", size)
        if min(size) < LEAST_SIDE:
            raise MaskCodecError(f"size is {size}; a scene's sides are at least {LEAST_SIDE}")
        _check_range("objects", self.objects, 1, MOST_OBJECTS, int)
        _check_range("extents", self.extents, 0.05, 1.0, float)
        _check_names("colours", self.colours, COLOURS)
        _check_names("shapes", self.shapes, SHAPES)
        _check_names("textures", self.textures, TEXTURES)
        _check_names("backgrounds", self.backgrounds, BACKGROUNDS)
        _check_names("turns", (self.turns,), ("none", "kept"))
        if not all(isinstance(one, Silhouette) for one in self.silhouettes):
            raise MaskCodecError("silhouettes holds what is no Silhouette; see load_silhouettes")
        if not 0.0 <= self.repeat <= 1.0:
            raise MaskCodecError(f"repeat is {self.repeat!r}, expected a share of 0 to 1")

    def extent_range(self, size_name: str) -> tuple[float, float]:
        """The least and greatest extent, in shares of the shorter side, of a size's objects."""
        low, high = self.extents
        step, third = SIZES.index(size_name), (high - low) * (1 - 0.2) / 3
        start = low + step * (third + (high - low) * 0.1)
        return start, start + third


def _check_range(name: str, value: Any, least: float, most: float, kind: type) -> None:
    allowed = int if kind is int else (int, float)
    try:
        low, high = value
        if not (isinstance(low, allowed) and isinstance(high, allowed)):
            raise TypeError
        good = least <= low <= high <= most
    except (TypeError, ValueError):
        good = False
    if not good:
        raise MaskCodecError(
            f"{name} is {value!r}, expected (least, greatest) of {least} to {most}"
        )


def _check_names(name: str, given: Any, known: Any) -> None:
    if not isinstance(given, tuple) or not given:
        raise MaskCodecError(f"{name} is {given!r}, expected a tuple of {', '.join(known)}")
    for one in given:
        if one not in known:
            raise MaskCodecError(f"{name} has {one!r}; there are: {', '.join(known)}")

"""Examples that need no download: photographs that scikit-image ships, with masks of objects.

The photographs lie in the wheel of scikit-image (`skimage.data` tells their origins); they are read
as files, so that no downloader is asked. The masks are ours: thresholds where light tells an object
from its background, outlines by hand elsewhere.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError, RecordError
from ..mask import Mask
from . import outlines
from .outlines import Outline, paint

Bits = npt.NDArray[np.bool_]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """An image with the masks of its objects.

    Attributes:
        name: of the example.
        image: uint8, (height, width, 3), RGB.
        masks: its objects; none where the image holds nothing that was asked for.
        about: what the example is there for.
    """

    name: str
    image: Pixels
    masks: tuple[Mask, ...]
    about: str

    @property
    def size(self) -> tuple[int, int]:
        """The image's (height, width) in pixels."""
        return self.image.shape[0], self.image.shape[1]


def photograph_names() -> tuple[str, ...]:
    """The names of all examples, in the order of the demo."""
    return tuple(_EXAMPLES)


def load_photograph(name: str) -> Photograph:
    """Read a photograph and make its masks.

    Raises:
        MaskCodecError: no such example.
        RecordError: scikit-image is installed without that photograph.
    """
    image = load_pixels(name)
    _, make, about = _EXAMPLES[name]
    return Photograph(name, image, make(image), about)


def load_pixels(name: str) -> Pixels:
    """The image of a photograph, uint8 (height, width, 3), without the work of making its masks.

    Raises: as `load_photograph`.
    """
    if name not in _EXAMPLES:
        raise MaskCodecError(f"no photograph {name!r}; there are: {', '.join(_EXAMPLES)}")
    return _read(_EXAMPLES[name][0])


def _read(file: str) -> Pixels:
    from PIL import Image

    path = _folder() / file
    try:
        with Image.open(path) as opened:
            image = opened.convert("RGBA")
    except OSError as error:
        raise RecordError(
            f"can't be read ({error}); reinstall scikit-image", file=str(path)
        ) from None
    white = Image.new("RGBA", image.size, "white")
    return np.array(Image.alpha_composite(white, image).convert("RGB"))


@functools.cache
def _folder() -> Path:
    found = importlib.util.find_spec("skimage")
    if found is None or not found.submodule_search_locations:
        raise MaskCodecError(
            "the built-in photographs come with scikit-image; pip install scikit-image"
        )
    return Path(next(iter(found.submodule_search_locations))) / "data"


# --- masks by light ---


def _coins(image: Pixels) -> tuple[Mask, ...]:
    """Flood the edges from what is surely coin and surely background, then take convex hulls.

    The plate's light falls from left to right, so that no single threshold parts coins and plate.
    """
    from skimage import filters, morphology, segmentation

    grey = image[..., 0]
    dark = morphology.opening(grey < 30, morphology.disk(3))  # shadows inside a coin are smaller
    markers = np.where(dark, 1, np.where(grey > 150, 2, 0))
    coins = segmentation.watershed(filters.sobel(grey), markers) == 2
    coins = morphology.opening(_without_holes(coins, grey.size), morphology.disk(4))
    return _objects(coins, "coin", hull=True)


def _horse(image: Pixels) -> tuple[Mask, ...]:
    return (Mask(image[..., 0] < 128, "horse"),)


def _galaxies(image: Pixels) -> tuple[Mask, ...]:
    from skimage import filters, morphology

    light = filters.gaussian(image.astype(np.float64).mean(axis=2), 1.5)
    return _objects(
        _without_specks(morphology.opening(light > 55, morphology.disk(3)), 200), "galaxy"
    )


def _tissue(image: Pixels) -> tuple[Mask, ...]:
    """The brown stain (DAB), parted from the blue one by colour; gaps stay as holes."""
    from skimage import color, filters, morphology

    stain = filters.gaussian(color.rgb2hed(image)[..., 2], 5)
    stained = morphology.opening(stain > filters.threshold_otsu(stain), morphology.disk(3))
    return (Mask(_without_holes(_without_specks(stained, 2000), 300), "stained tissue"),)


def _objects(inside: Bits, label: str, *, hull: bool = False) -> tuple[Mask, ...]:
    """Each connected object as a mask of its own, in reading order."""
    from skimage import measure

    masks = []
    for region in measure.regionprops(measure.label(inside)):
        array = np.zeros(inside.shape, dtype=np.bool_)
        array[region.slice] = region.image_convex if hull else region.image
        masks.append(Mask(array, label))
    return tuple(masks)


def _without_specks(inside: Bits, area: int) -> Bits:
    """Drop connected pieces of fewer than `area` pixels."""
    from skimage import measure

    pieces = measure.label(inside, connectivity=1)
    kept = np.bincount(pieces.ravel()) >= area
    kept[0] = False
    found: Bits = kept[pieces]
    return found


def _without_holes(inside: Bits, area: int) -> Bits:
    """Fill holes of fewer than `area` pixels; what reaches the border is no hole."""
    from skimage import segmentation

    outside = ~inside
    holes: Bits = segmentation.clear_border(outside)
    return inside | (holes & ~_without_specks(holes, area))


def _outlined(objects: tuple[Outline, ...]) -> Callable[[Pixels], tuple[Mask, ...]]:
    def make(image: Pixels) -> tuple[Mask, ...]:
        # Where two outlines meet, the one behind shows through in slivers of a pixel or two.
        masks = paint(objects, (image.shape[0], image.shape[1]))
        return tuple(Mask(_without_specks(mask.array, 50), mask.label) for mask in masks)

    return make


def _nothing(_image: Pixels) -> tuple[Mask, ...]:
    return ()


_EXAMPLES: dict[str, tuple[str, Callable[[Pixels], tuple[Mask, ...]], str]] = {
    "coins": ("coins.png", _coins, "24 objects of one label"),
    "horse": ("horse.png", _horse, "one object, its image a silhouette"),
    "coffee": ("coffee.png", _outlined(outlines.COFFEE), "objects that surround each other"),
    "chelsea": ("chelsea.png", _outlined(outlines.CHELSEA), "parts on an object"),
    "astronaut": ("astronaut.png", _outlined(outlines.ASTRONAUT), "several labels"),
    "rocket": ("rocket.jpg", _outlined(outlines.ROCKET), "slender objects"),
    "camera": ("camera.png", _outlined(outlines.CAMERA), "thin struts with gaps, a grey image"),
    "tissue": ("ihc.png", _tissue, "one region with holes and pieces"),
    "galaxies": ("hubble_deep_field.jpg", _galaxies, "many small objects"),
    "grass": ("grass.png", _nothing, "no object: an empty answer"),
}

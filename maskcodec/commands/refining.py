"""The option `--refine` of verbs that paint masks: which method, and whose image."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import MaskCodecError, RecordError

if TYPE_CHECKING:
    from ..codec import Codec
    from ..decoded import Decoded
    from ..overlay import Rgb
    from ..refine import Refiner
    from .texts import Text

HELP = """\
move the contours of masks to the edges of their image: guided, walker, grabcut, sam:model=NAME, or
auto, which does it for codecs where it was measured to help; options follow as in
guided:radius=8,epsilon=1e-4. It helps coarse grids and harms masks that are good already: see
docs/refinement.md (default: none)"""


def add_refine(parser: argparse.ArgumentParser) -> None:
    """Add `--refine`."""
    parser.add_argument("--refine", metavar="METHOD", default="none", help=HELP)


class RecordRefiner:
    """Refines what the texts of records say by their images.

    Args:
        method: what `--refine` names.
        images: the folder of the images, or the one image of a plain text.

    Raises:
        SpecError: no such method or option.
        MaskCodecError: there is no image to go by, or nothing to do with it.
    """

    def __init__(self, method: str, images: Path | None) -> None:
        from ..refine import AUTO, read_method

        self.method = method
        self.images = images
        self.is_active = method == AUTO or read_method(method) is not None
        if self.is_active and images is None:
            raise MaskCodecError(
                f"--refine {method} goes by the images: give --image-dir, the folder where they lie"
            )
        if images is not None and not self.is_active:
            raise MaskCodecError("--image-dir is for --refine METHOD, which is not given")
        if images is not None and not images.exists():
            raise RecordError("there is no such folder", file=str(images), field="--image-dir")

    def refine(self, text: Text, decoded: Decoded) -> Decoded:
        """What a text says, refined; as it is where there is nothing to refine.

        Raises:
            RecordError: its image is missing, damaged or of another size.
        """
        refiner = _method(self.method, text.codec) if self.is_active else None
        if refiner is None or not decoded.labels:
            return decoded
        from .texts import place

        try:
            image = self._image(text, decoded.size)
        except RecordError as error:
            raise place(text, f"can't be refined: {error}", "image") from None
        return refine_decoded(decoded, image, refiner, text.codec)

    def _image(self, text: Text, size: tuple[int, int]) -> Rgb:
        from ..datasets.images import image_path
        from ..datasets.pictures import read_picture

        assert self.images is not None
        is_image = text.record is None and self.images.is_file()
        return read_picture(self.images if is_image else image_path(self.images, text.image), size)


@lru_cache(maxsize=64)
def _method(method: str, codec: Codec[Any]) -> Refiner | None:
    from ..refine import read_method

    return read_method(method, codec)


def refine_decoded(decoded: Decoded, image: Rgb, refiner: Refiner, codec: Codec[Any]) -> Decoded:
    """What a text says, with its masks refined; the pixels are NumPy's then."""
    import numpy as np

    from ..refine import refine

    if not decoded.labels:
        return decoded
    masks = refine(image, decoded.masks, refiner, codec=codec)
    return replace(decoded, pixels=np.stack([mask.array for mask in masks]))

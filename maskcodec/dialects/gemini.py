"""`gemini`: what Gemini 2.5 prints for segmentation: boxes and pictures, as a list in JSON.

Edges of a box in 0 to 1000, y before x; the picture is a PNG in base64 that is stretched over the
box, bright where the object is::

    [{"box_2d": [96, 101, 300, 250], "mask": "data:image/png;base64,iVBO…", "label": "dog"}]

An empty list says that there is no object; a mask without pixels is left out. Labels are any text
without control characters. The picture may have any size and any grey values: it is a map of how
sure the model was, and a pixel is set where the stretched value rounds to more than 127.

What is written here is black and white, `side` pixels a side; what Gemini writes, in tokens of its
own or in bytes of its own PNG writer, nobody else can say. Answers that hold `<seg_35>` instead of
a picture are read by `paligemma:form=gemini`. Published: Google's documentation of image
understanding with Gemini 2.5.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..codec import Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..errors import EncodeError, SpecError
from ..geometry import raster
from ..geometry.raster import Rasters
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span
from ._code_json import spell_label
from ._gemini_reader import BINS, HEAD, Reader
from ._png import MAX_SIDE, write_png

if TYPE_CHECKING:
    import torch

_SAID = re.compile(
    rf"(?P<where>(?<=\[)[0-9]+(?:, [0-9]+){{3}})|(?P<shape>(?<={HEAD})[A-Za-z0-9+/=]+)"
    r'|(?P<label>(?<="label": ")(?:[^"\\]|\\.)+)'
)


@register("gemini")
@dataclass(frozen=True)
class GeminiCodec(Codec[Rasters]):
    """Gemini's boxes with PNG pictures in base64, in JSON.

    Attributes:
        side: rows and columns of the pictures that are written, 1 to 2,048; those that are read may
            have any.
    """

    side: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.side <= MAX_SIDE:
            raise SpecError(f"side={self.side} is not 1 to {MAX_SIDE}")

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Rasters:
        """See `Codec.analyze`; masks without pixels are left out."""
        size = check_masks(masks, size)
        return raster.analyze(masks, size, BINS, self.side)

    def render_batch(
        self,
        geometries: Sequence[Rasters],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """See `Codec.render_batch`."""
        return raster.render_batch(geometries, sizes, device=device)

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`."""
        kinds = {"where": "where", "shape": "shape", "label": "label"}
        return [
            Span(match.start(), match.end(), kinds[match.lastgroup])  # type: ignore[index, arg-type]
            for match in _SAID.finditer(text)
        ]

    def adopts(self, geometry: Geometry) -> bool:
        """Boxes of 1,000 bins with maps."""
        return isinstance(geometry, Rasters) and geometry.bins == BINS

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Masks that happen to come back as they are."""
        if not all(mask.area for mask in masks):
            return False
        painted = raster.paint(self.analyze(masks, size), size)
        return all(
            np.array_equal(mask.array, plane) for mask, plane in zip(masks, painted, strict=True)
        )

    def write(self, geometry: Rasters) -> str:
        """Spell boxes and maps.

        Raises:
            EncodeError: a label with a control character or white space at an end, or other bins.
        """
        if geometry.bins != BINS:
            raise EncodeError(
                f"{self.name}: the geometry has {geometry.bins} bins, expected {BINS}"
            )
        objects = []
        for label, (left, top, right, bottom), cells in zip(
            geometry.labels, geometry.boxes.tolist(), geometry.maps, strict=True
        ):
            picture = base64.b64encode(write_png(cells)).decode("ascii")
            objects.append(
                f'{{"box_2d": [{top}, {left}, {bottom}, {right}], "mask": "{HEAD}{picture}", '
                f'"label": {spell_label(label, self.name)}}}'
            )
        return f"[{', '.join(objects)}]"

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Rasters, list[Repair]]:
        """Read objects.

        Repairs: code fences, words and other keys are passed over, and an end that is missing is
        not missed; a box out of range or order is set right; where the picture is missing, broken
        or larger than 2,048 pixels a side, the box is filled; an object without a box is dropped.
        """
        log = RepairLog(self.name, text, errors)
        return Reader(log).read(), log.repairs

"""What all codecs of polygons share: how rings are painted, and whether masks come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..codec import Codec
from ..decoded import Pixels
from ..geometry import polygon
from ..geometry.polygon import Polygons
from ..mask import Mask

if TYPE_CHECKING:
    import torch


class RingsCodec(Codec[Polygons]):
    """A codec whose geometry is polygons."""

    def render_batch(
        self,
        geometries: Sequence[Polygons],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """See `Codec.render_batch`."""
        return polygon.render_batch(geometries, sizes, device=device)

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Masks that happen to come back as they are."""
        geometry = self.analyze(masks, size)
        if len(geometry.labels) != len(masks):  # one without pixels, which some formats leave out
            return False
        painted = polygon.paint(geometry, size)
        return all(
            np.array_equal(mask.array, plane) for mask, plane in zip(masks, painted, strict=True)
        )

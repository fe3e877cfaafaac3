"""ShapeTokens: for each object a box, and codes that say its shape, coarse to fine.

What the codes mean is the business of their `family`: a codebook of this package, or a published
tokenizer with a network of its own. Any prefix of the codes is a shape too, a coarser one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CODEBOOK_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
"""What a codebook may be called."""


@dataclass(frozen=True, slots=True, eq=False)
class ShapeTokens:
    """Objects as boxes and codes.

    Attributes:
        family: whose codes they are, e.g. the name of a codebook or `"himtok"`; only the decoder
            of that family can paint them.
        bins: the largest coordinate of a box; 0 where the family has no boxes.
        labels: one label an object.
        boxes: int32 (objects, 4): left, top, right, bottom in 0..bins; zeros where the family has
            no boxes. A box without area holds no pixel.
        counts: int32 (objects,): how many codes each object has, 0 or more.
        codes: int32 (all codes,), those of the first object first, coarse to fine.
    """

    family: str
    bins: int
    labels: tuple[str, ...]
    boxes: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int32]

    def head(self, count: int) -> ShapeTokens:
        """The first `count` objects."""
        kept = int(self.counts[:count].sum(dtype=np.int64))
        return ShapeTokens(
            self.family,
            self.bins,
            self.labels[:count],
            self.boxes[:count],
            self.counts[:count],
            self.codes[:kept],
        )

    def prefix(self, tokens: int) -> ShapeTokens:
        """The same objects with at most their first `tokens` codes."""
        ends = np.cumsum(self.counts)
        place = np.arange(len(self.codes)) - np.repeat(ends - self.counts, self.counts)
        return ShapeTokens(
            self.family,
            self.bins,
            self.labels,
            self.boxes,
            np.minimum(self.counts, tokens),
            self.codes[place < tokens],
        )

    def codes_of(self, index: int) -> npt.NDArray[np.int32]:
        """The codes of one object."""
        end = int(self.counts[: index + 1].sum(dtype=np.int64))
        return self.codes[end - int(self.counts[index]) : end]

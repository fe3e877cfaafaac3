"""A trial of a codec before any work: some need weights, a codebook, or another network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..mask import Mask

if TYPE_CHECKING:
    from ..codec import Codec

SIZE = (32, 32)


def try_encoding(codec: Codec[Any]) -> str:
    """The text of a square called a.

    Raises:
        EncodeError: the format can't hold this mask or its label.
        MaskCodecError: nothing can be encoded here.
    """
    array = np.zeros(SIZE, np.bool_)
    array[8:24, 8:24] = True
    return codec.encode([Mask(array, "a")], SIZE)


def try_both_ways(codec: Codec[Any]) -> None:
    """Encode a square and decode it.

    Raises:
        MaskCodecError: it can't be done here.
    """
    codec.decode(try_encoding(codec), SIZE)

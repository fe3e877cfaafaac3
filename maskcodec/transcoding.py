"""From one codec's text to another's."""

from __future__ import annotations

from typing import Any

from .codec import Codec
from .decoded import Errors, Repair, check_text
from .mask import check_size
from .registry import get_codec


def transcode(
    text: str,
    source: Codec[Any] | str,
    target: Codec[Any] | str,
    size: tuple[int, int],
    *,
    errors: Errors = "strict",
) -> tuple[str, tuple[Repair, ...]]:
    """Rewrite `text` of codec `source` as text of codec `target`.

    Where both codecs share a geometry of equal layout (`target.adopts(geometry)`), only the
    spelling changes and nothing is lost. Otherwise the masks are painted at `size` and analysed
    again.

    Args:
        text: text in the format of `source`.
        source: a codec, or its spec.
        target: a codec, or its spec.
        size: the image's (height, width) in pixels.
        errors: how `source` reads the text, see `Codec.parse`.

    Returns:
        The new text, and what was repaired in the old one.

    Raises:
        DecodeError: under `errors="strict"`, where `text` is not valid.
        EncodeError: a label that the target's text can't hold.
        SpecError: no codec has such a spec.
    """
    source, target = (get_codec(one) if isinstance(one, str) else one for one in (source, target))
    check_text(text, source.name)
    geometry, repairs = source.parse(text, errors=errors)
    if target.adopts(geometry):
        return target.write(geometry), tuple(repairs)
    decoded = source.decode(text, check_size(size), errors=errors)
    return target.encode(decoded.masks, size), decoded.repairs

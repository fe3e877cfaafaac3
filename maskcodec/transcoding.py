"""From one codec's text to another's."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from .codec import Codec
from .decoded import Errors, Geometry, Repair, check_text
from .errors import EncodeError
from .mask import Mask, check_size
from .registry import get_codec


def transcode(
    text: str,
    source: Codec[Any] | str,
    target: Codec[Any] | str,
    size: tuple[int, int],
    *,
    errors: Errors = "strict",
    label: str = "",
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
        label: of objects that have none; some formats hold no labels, and most need them.

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
    written = respell(geometry, target, label)
    if written is not None:
        return written, tuple(repairs)
    decoded = source.decode(text, check_size(size), errors=errors)
    masks = [Mask(mask.array, mask.label or label) for mask in decoded.masks]
    with _unnamed_are_said([mask.label for mask in masks]):
        return target.encode(masks, size), decoded.repairs


def respell(geometry: Geometry, target: Codec[Any], label: str = "") -> str | None:
    """Geometry as text of `target`; None where that needs its masks painted.

    Args:
        geometry: what a text says.
        target: a codec.
        label: of objects that have none.

    Raises:
        EncodeError: a label that the target's text can't hold.
    """
    if label and not all(geometry.labels):
        if "labels" not in getattr(geometry, "__dataclass_fields__", ()):
            return None
        labels = tuple(one or label for one in geometry.labels)
        geometry = dataclasses.replace(geometry, labels=labels)  # type: ignore[type-var]
    if not target.adopts(geometry):
        return None
    with _unnamed_are_said(geometry.labels):
        return target.write(geometry)


@contextlib.contextmanager
def _unnamed_are_said(labels: Sequence[str]) -> Iterator[None]:
    """Say how to name objects without a label where a format refuses these."""
    try:
        yield
    except EncodeError as error:
        if all(labels):
            raise
        raise EncodeError(f"{error}, by label= (--label) for objects that have none") from None

"""Texts gathered into batches that fit the memory once they are painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ..decoded import Errors
from ..errors import DecodeError, RecordError
from .texts import Text, place

MAX_BATCH_PIXELS = 2**28
"""Pixels painted at once: 256 MiB. A single text may exceed it, up to what a codec paints."""

MAX_BATCH_TEXTS = 256


def batches(
    texts: Iterable[Text | RecordError],
    errors: Errors,
    reject: Callable[[RecordError, str | None], None],
) -> Iterator[list[Text]]:
    """Group neighbouring texts of one codec; what can't be read goes to `reject`.

    Parsing, which is cheap beside painting, tells how many masks a text says.
    """
    batch: list[Text] = []
    pixels = 0
    for text in texts:
        if isinstance(text, RecordError):
            reject(text, None)
            continue
        try:
            needed = _pixels(text, errors)
        except DecodeError as error:
            reject(place(text, str(error)), text.id)
            continue
        full = pixels + needed > MAX_BATCH_PIXELS or len(batch) >= MAX_BATCH_TEXTS
        if batch and (full or text.codec is not batch[0].codec):
            yield batch
            batch, pixels = [], 0
        batch.append(text)
        pixels += needed
    if batch:
        yield batch


def _pixels(text: Text, errors: Errors) -> int:
    """How many pixels painting a text takes."""
    geometry, _ = text.codec.parse(text.text, errors=errors)
    height, width = text.size or (1, 1)
    return len(geometry.labels) * height * width

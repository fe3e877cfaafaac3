"""One mask through one codec and back: what is left of it and what it costs; and the sums."""

from __future__ import annotations

import functools
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from maskcodec import Mask, MaskCodecError, rle, tokens
from maskcodec.boundary import boundary_iou
from maskcodec.metrics import iou, size_class, union_of
from maskcodec.tokens import TokenCounter

from .rate_distortion_specs import Setting, curve_of, read_setting, short_spec

LABEL = "dog"
"""Every mask's label: one token in common vocabularies."""

GROUPS = ("all", "small", "medium", "large")
"""All masks, and COCO's classes of the true mask's area."""

CHARACTERS = "characters"


@dataclass(frozen=True, slots=True)
class Shape:
    """A true mask as it is handed to the processes that measure.

    Attributes:
        size: the image's (height, width) in pixels.
        counts: COCO's compressed run lengths.
    """

    size: tuple[int, int]
    counts: str


class Trip(NamedTuple):
    """What one codec made of one mask.

    Attributes:
        area: of the true mask, in pixels.
        iou: 0 where the mask could not be encoded.
        boundary_iou: the same.
        costs: tokens under each tokenizer, then characters; empty where it could not be encoded.
        problem: why it could not be encoded.
    """

    area: int
    iou: float
    boundary_iou: float
    costs: tuple[int, ...]
    problem: str = ""


def measure(task: tuple[str, Shape], tokenizers: tuple[str, ...]) -> Trip:
    """Write a mask by a spec, alone, and read it back at its own size.

    Costs are those of the text less those of the label alone, once: a format that repeats the
    label pays for each repetition, and one that says no label pays for its whole text. Tokens that
    the codec adds to a vocabulary count one each.

    Args:
        task: the spec, as `read_setting` takes it, and the true mask.
        tokenizers: as `maskcodec.tokens.load_counter` takes them.
    """
    spec, shape = task
    setting = _setting(spec)
    truth = rle.decode(rle.from_string(shape.counts), shape.size)
    area = int(np.count_nonzero(truth))
    try:
        text = write(setting, Mask(truth, LABEL))
        decoded = setting.codec.decode(text, shape.size, errors="repair")
    except MaskCodecError as error:
        return Trip(area, 0.0, 0.0, (), str(error))
    found = union_of(decoded.masks, shape.size)
    costs = [cost_of(text, _counter(tokenizer, spec).count) for tokenizer in tokenizers]
    return Trip(
        area,
        iou(found, truth),
        boundary_iou(found, truth),
        (*costs, cost_of(text, len)),
    )


def cost_of(text: str, count: Callable[[str], int]) -> int:
    """What a mask's text costs without its label, which some formats do not say."""
    return count(text) - (count(LABEL) if LABEL in text else 0)


def write(setting: Setting, mask: Mask) -> str:
    """A mask as text, with as many codes as are kept.

    Raises:
        MaskCodecError: the codec can't hold it, or has no codes that could be left away.
    """
    codec: Any = setting.codec
    if setting.keep is None:
        return setting.codec.encode([mask], mask.size)
    geometry = codec.analyze([mask], mask.size)
    if not hasattr(geometry, "prefix"):
        raise MaskCodecError(f"{setting.spec}: codec {codec.name!r} has no codes to leave away")
    # Where a text must have so many codes, one of fewer is another codec's.
    writer = codec.shorter(setting.keep) if hasattr(codec, "shorter") else codec
    text: str = writer.write(geometry.prefix(setting.keep))
    return text


@functools.lru_cache(maxsize=64)
def _setting(spec: str) -> Setting:
    return read_setting(spec)


@functools.lru_cache(maxsize=64)
def _counter(tokenizer: str, spec: str) -> TokenCounter:
    return _base_counter(tokenizer).adding(_setting(spec).codec.vocab())


@functools.cache
def _base_counter(tokenizer: str) -> TokenCounter:
    return tokens.load_counter(tokenizer)


def summarize(spec: str, trips: Sequence[Trip], names: Sequence[str]) -> dict[str, Any]:
    """All figures of one spec, as JSON takes them.

    Args:
        spec: as `read_setting` takes it.
        trips: one a mask.
        names: of the tokenizers.

    Returns:
        for each of `GROUPS` that has masks their `count`, mean `iou` and `boundary_iou` (a mask
        that could not be encoded counts as 0), `share_iou_0` and the `costs`: mean, median and
        95th percentile of tokens under each tokenizer, and of characters.
    """
    setting = read_setting(spec)
    problems = Counter(trip.problem for trip in trips if trip.problem)
    grouped: dict[str, list[Trip]] = {group: [] for group in GROUPS}
    for trip in trips:
        grouped["all"].append(trip)
        grouped[size_class(trip.area)].append(trip)
    return {
        "spec": setting.spec,
        "short": short_spec(setting),
        "curve": curve_of(setting),
        "failed": sum(problems.values()),
        "failures": dict(problems.most_common(20)),
        "groups": {group: _figures(some, names) for group, some in grouped.items() if some},
    }


def _figures(trips: Sequence[Trip], names: Sequence[str]) -> dict[str, Any]:
    written = [trip.costs for trip in trips if trip.costs]
    columns = zip((*names, CHARACTERS), zip(*written, strict=True), strict=True) if written else ()
    return {
        "count": len(trips),
        "iou": statistics.fmean(trip.iou for trip in trips),
        "boundary_iou": statistics.fmean(trip.boundary_iou for trip in trips),
        "share_iou_0": sum(trip.iou == 0 for trip in trips) / len(trips),
        "costs": {name: _spread(costs) for name, costs in columns},
    }


def _spread(costs: Sequence[int]) -> dict[str, float]:
    return {
        "mean": statistics.fmean(costs),
        "median": statistics.median(costs),
        "p95": float(np.percentile(costs, 95)),
    }

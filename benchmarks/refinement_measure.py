"""Masks through a codec, made worse as a model would, and refined: what is gained and lost."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec import Mask, MaskCodecError, get_codec
from maskcodec.boundary import boundary_iou
from maskcodec.codec import Codec
from maskcodec.commands.demo_inputs import Source
from maskcodec.metrics import iou, size_class, union_of
from maskcodec.refine import Refiner, read_method, refine
from maskcodec.resample import sample_nearest
from maskcodec.rle import mask_bounding_box

Bits = npt.NDArray[np.bool_]

LABEL = "dog"
ERRORS = ("none", "jitter", "dropped")
GROUPS = ("all", "small", "medium", "large")

JITTER = 0.05
"""Standard deviation of each edge of a jittered box, in sides of the box."""


@dataclass(frozen=True, slots=True)
class Task:
    """One image, one codec, one kind of error, several methods.

    Attributes:
        source: the image with its true masks.
        spec: of the codec.
        errors: one of `ERRORS`.
        methods: as `maskcodec.refine.read_method` takes them.
        seed: of the jitter.
    """

    source: Source
    spec: str
    errors: str
    methods: tuple[str, ...]
    seed: int


class Trial(NamedTuple):
    """One mask before and after one method.

    Attributes:
        area: of the true mask, in pixels.
        iou: before and after.
        boundary_iou: before and after.
        seconds: that the refinement took.
    """

    area: int
    iou: tuple[float, float]
    boundary_iou: tuple[float, float]
    seconds: float


class Outcome(NamedTuple):
    """All masks of an image: for each method as many trials, and what could not be done."""

    trials: dict[str, list[Trial]]
    problems: list[str]


def in_half(name: str, half: str) -> bool:
    """Whether an image belongs to `"tune"` or `"test"`, by the hash of its name; all to `"all"`."""
    is_tune = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[0] % 2 == 0
    return half == "all" or is_tune == (half == "tune")


def measure(task: Task) -> Outcome:
    """Measure every mask of one image, each alone."""
    trials: dict[str, list[Trial]] = {method: [] for method in task.methods}
    problems: list[str] = []
    try:
        photograph = task.source.load()
    except MaskCodecError as error:
        return Outcome(trials, [str(error)])
    codec = get_codec(task.spec)
    for index, mask in enumerate(photograph.masks):
        if not mask.area:
            continue
        seed = f"{task.seed} {photograph.name} {index}"
        try:
            coarse = make_coarse(codec, mask.array, task.errors, seed)
        except MaskCodecError as error:
            problems.append(f"{photograph.name}, mask {index}: {error}")
            continue
        before = iou(coarse, mask.array), boundary_iou(coarse, mask.array)
        for method in task.methods:
            start = time.perf_counter()
            found = _refined(photograph.image, coarse, method, task.spec)
            seconds = time.perf_counter() - start
            trials[method].append(
                Trial(
                    mask.area,
                    (before[0], iou(found, mask.array)),
                    (before[1], boundary_iou(found, mask.array)),
                    seconds,
                )
            )
    return Outcome(trials, problems)


def _refined(image: npt.NDArray[np.uint8], coarse: Bits, method: str, spec: str) -> Bits:
    codec = get_codec(spec)
    masks = refine(image, [Mask(coarse)], _method(method, spec) or "none", codec=codec)
    return masks[0].array


@lru_cache(maxsize=64)
def _method(method: str, spec: str) -> Refiner | None:
    return read_method(method, get_codec(spec))


def make_coarse(codec: Codec[Any], truth: Bits, errors: str, seed: str) -> Bits:
    """A true mask as a text of `codec` says it, with a model's kind of error.

    Args:
        codec: the codec.
        truth: bool, (height, width).
        errors: "none" is what the codec itself loses; "jitter" moves each edge of the object's box
            by a normal number of `JITTER` of its sides before it is written; "dropped" leaves away
            the second half of its codes.
        seed: of the jitter.

    Raises:
        MaskCodecError: the codec can't hold the mask, or has no codes that can be left away.
    """
    size = truth.shape[0], truth.shape[1]
    mask = Mask(jittered(truth, seed) if errors == "jitter" else truth, LABEL)
    text = _half_of_codes(codec, mask) if errors == "dropped" else codec.encode([mask], size)
    return union_of(codec.decode(text, size, errors="repair").masks, size)


def has_codes(codec: Codec[Any]) -> bool:
    """Whether codes can be left away from the end of what a codec writes."""
    return hasattr(codec, "shorter")


def _half_of_codes(codec: Any, mask: Mask) -> str:
    if not has_codes(codec):
        raise MaskCodecError(f"{codec.spec}: has no codes to leave away")
    keep = max(1, codec.tokens // 2)
    text: str = codec.shorter(keep).write(codec.analyze([mask], mask.size).prefix(keep))
    return text


def jittered(truth: Bits, seed: str) -> Bits:
    """The mask stretched to a box whose edges moved; the same for the same seed."""
    box = mask_bounding_box(truth)
    if box is None:
        return truth
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
    moves = np.random.default_rng(int.from_bytes(digest[:8], "big")).normal(0, JITTER, 4)
    x0, y0, x1, y1 = box
    sides = np.array([x1 - x0, y1 - y0] * 2)
    left, top, right, bottom = (round(v) for v in np.array(box) + moves * sides)
    right, bottom = max(left + 1, right), max(top + 1, bottom)
    part = sample_nearest(truth, (bottom - top, right - left), box)
    height, width = truth.shape
    out = np.zeros_like(truth)
    x, y = max(0, -left), max(0, -top)
    part = part[y : height - top, x : width - left]
    out[top + y : top + y + part.shape[0], left + x : left + x + part.shape[1]] = part
    return out


def summarize(trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Means before and after for each of `GROUPS` that has masks, by the true mask's area."""
    grouped: dict[str, list[Trial]] = {group: [] for group in GROUPS}
    for trial in trials:
        grouped["all"].append(trial)
        grouped[size_class(trial.area)].append(trial)
    return {group: _figures(some) for group, some in grouped.items() if some}


def _figures(trials: Sequence[Trial]) -> dict[str, float]:
    ious = np.array([trial.iou for trial in trials])
    boundaries = np.array([trial.boundary_iou for trial in trials])
    return {
        "masks": len(trials),
        "iou_before": float(ious[:, 0].mean()),
        "iou": float(ious[:, 1].mean()),
        "boundary_iou_before": float(boundaries[:, 0].mean()),
        "boundary_iou": float(boundaries[:, 1].mean()),
        "better": float((ious[:, 1] > ious[:, 0]).mean()),
        "worse": float((ious[:, 1] < ious[:, 0]).mean()),
        "seconds": float(np.median([trial.seconds for trial in trials])),
    }

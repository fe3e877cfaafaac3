"""One sample to be scored: what was predicted beside what is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from ..mask import Mask

Status: TypeAlias = Literal["valid", "repaired", "invalid", "missing"]
"""What became of a prediction: read as it stands; left its format and still gave masks; left its
format and gave none; not there at all."""

STATUSES: tuple[Status, ...] = ("valid", "repaired", "invalid", "missing")


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One sample. An invalid or missing prediction has no masks, and is scored like any other.

    Attributes:
        id: of the sample, unique within a run.
        size: (height, width) of every mask, in pixels.
        preds: predicted masks; their `score` is a detector's confidence.
        targets: right masks; none is a right "no object".
        ignore: bool (height, width), pixels that were not annotated; None where all were.
        status: what became of the prediction.
        task: one of `maskcodec.examples.TASKS`.
        group: what several samples have in common, e.g. the object that expressions mean.
        constraints: what a program can check of the prediction; JSON values.
        text: the prediction as it was printed; None where it came as masks.
        crowds: true regions that stand for no single object (COCO's `iscrowd`).
        areas: of each target, the area in pixels that the data set says; () takes the masks' own.

    Raises:
        MaskCodecError: a mask or `ignore` is of another size.
    """

    id: str
    size: tuple[int, int]
    preds: tuple[Mask, ...]
    targets: tuple[Mask, ...]
    ignore: npt.NDArray[np.bool_] | None = None
    status: Status = "valid"
    task: str = "referring"
    group: str = ""
    constraints: tuple[Any, ...] | None = None
    text: str | None = None
    crowds: tuple[Mask, ...] = ()
    areas: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for what, masks in (
            ("prediction", self.preds),
            ("truth", self.targets),
            ("truth's crowds", self.crowds),
        ):
            for mask in masks:
                if mask.array.shape != self.size:
                    raise MaskCodecError(
                        f"{self.id}: a mask of the {what} is {mask.array.shape}, the sample is "
                        f"{self.size}"
                    )
        if self.ignore is not None and self.ignore.shape != self.size:
            raise MaskCodecError(
                f"{self.id}: the pixels to ignore are {self.ignore.shape}, the sample is "
                f"{self.size}"
            )
        if self.areas and len(self.areas) != len(self.targets):
            raise MaskCodecError(
                f"{self.id}: {len(self.areas)} areas for {len(self.targets)} true masks"
            )

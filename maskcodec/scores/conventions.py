"""Conventions of scoring: what programs do differently under the same name of a metric.

Two programs that both print "gIoU" may differ by several points, since one counts a right "nothing
there" as 1 and the other drops it, or since one counts pixels that nobody annotated as hits. Here
each such choice is an option, and each known program is a named set of options::

    convention("lisa")                # as LISA's evaluation counts
    convention("lisa:ignore=hit")     # the same but for one option

The options speak of one sample's sets of pixels P (predicted) and T (true), I = |P & T| and
U = |P | T|; `docs/metrics.md` gives every formula and a worked example.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import MaskCodecError
from ..mask import MAX_PIXELS
from ..metrics import LARGE_AREA, SMALL_AREA
from .named import Named, pick

Empty = Literal["one", "zero", "drop"]
Ignore = Literal["drop", "hit", "background"]
Unit = Literal["expression", "group"]
Failed = Literal["wrong", "empty"]
Missed = Literal["add", "leave"]
Among = Literal["all", "targets"]
Reach = Literal["at-least", "above"]


@dataclass(frozen=True, slots=True)
class Convention(Named):
    """One way to count.

    Attributes:
        empty: what a sample whose truth and prediction are both empty counts in means over
            samples: 1, 0, or not at all.
        ignore: pixels that were not annotated are dropped from both sides; set on both sides, so
            that each is a hit; or taken for background, so that a prediction there is wrong.
        epsilon: added to the union of each sample's IoU, in pixels.
        failed: what an answer counts that is missing or gave no mask because it can't be read:
            IoU 0 also where nothing is there to be found, or the same as an empty mask.
        missed: whether what was predicted where nothing is there adds to the unions of cIoU, or
            leaves them as they are.
        among: which samples P@t is a share of: all that count, or those with a target.
        reach: whether an IoU of exactly t counts in P@t.
        reject: a prediction of fewer pixels is taken for "nothing there"; of a sample with a
            target none of its pixels is a hit then.
        unit: a mean over expressions, or over groups (the objects that several expressions mean)
            of the means inside each group; sums of pixels are averaged inside groups alike.
        small: true masks of fewer pixels are small.
        large: true masks of at least so many pixels are large.

    Raises:
        MaskCodecError: a number out of range.
    """

    empty: Empty = "one"
    ignore: Ignore = "drop"
    epsilon: float = 0.0
    failed: Failed = "empty"
    missed: Missed = "add"
    among: Among = "all"
    reach: Reach = "at-least"
    reject: int = 1
    unit: Unit = "expression"
    small: int = SMALL_AREA
    large: int = LARGE_AREA

    def __post_init__(self) -> None:
        if not (math.isfinite(self.epsilon) and 0 <= self.epsilon <= 1):
            raise MaskCodecError(f"epsilon is {self.epsilon!r}, expected 0 to 1 pixel")
        if not 1 <= self.reject <= MAX_PIXELS:
            raise MaskCodecError(f"reject is {self.reject!r}, expected at least 1 pixel")
        if not 1 <= self.small <= self.large <= MAX_PIXELS:
            raise MaskCodecError(
                f"small is {self.small} and large {self.large}, expected 1 <= small <= large"
            )

    @property
    def spec(self) -> str:
        """What `convention` reads back to an equal one: the name, and what differs from it."""
        usual = CONVENTIONS[self.name].options
        changed = [f"{key}={value}" for key, value in self.options.items() if usual[key] != value]
        return f"{self.name}:{','.join(changed)}" if changed else self.name

    # Slots make a second class of this one, which the bare form of super() doesn't know.
    def describe(self) -> dict[str, Any]:
        """For a document: `name`, `spec`, `options`, `sentence` for a person, and `source`."""
        return {"spec": self.spec, **Named.describe(self)}

    @property
    def sentence(self) -> str:
        """What is counted how, in words."""
        found = []
        for option, value in self.options.items():
            words = _WORDS.get((option, value)) or _NUMBERS.get(option, "")
            if words and (option, value) not in _SILENT:
                found.append(words.format(value))
        return "; ".join(found) + "."


_WORDS: dict[tuple[str, Any], str] = {
    ("empty", "one"): 'A right "nothing there" is 1',
    ("empty", "zero"): 'A right "nothing there" is 0',
    ("empty", "drop"): 'A right "nothing there" is left out of means',
    ("ignore", "drop"): "pixels that were not annotated are left out",
    ("ignore", "hit"): "pixels that were not annotated count as hits",
    ("ignore", "background"): "pixels that were not annotated count as background",
    ("failed", "wrong"): "an answer that is missing or can't be read is always wrong",
    ("failed", "empty"): "an answer that is missing or can't be read counts as an empty mask",
    ("missed", "leave"): "a mask where nothing is there adds nothing to the union of cIoU",
    ("among", "targets"): "P@t is a share of the samples with a target",
    ("reach", "above"): "an IoU of exactly t doesn't count in P@t",
    ("unit", "group"): "the expressions of one object are averaged first",
}

_NUMBERS = {
    "epsilon": "each union is enlarged by {:g}",
    "reject": 'fewer than {} predicted pixels are "nothing there"',
    "small": "true masks below {} pixels are small",
    "large": "true masks from {} pixels on are large",
}

_SILENT = (("epsilon", 0.0), ("reject", 1), ("small", SMALL_AREA), ("large", LARGE_AREA))


def convention(spec: str | Convention) -> Convention:
    """A convention by its name, single options replaced: `lisa`, `lisa:ignore=hit,unit=group`.

    Raises:
        MaskCodecError: no such convention, option or value; the message lists what there is.
    """
    return pick(spec, CONVENTIONS)


CONVENTIONS = {
    one.name: one
    for one in (
        Convention(
            "maskcodec",
            "Exact, and nothing is hidden: an answer that can't be read is never right.",
            "docs/metrics.md",
            failed="wrong",
        ),
        Convention(
            "lisa",
            "LISA's evaluation, which most systems with a mask decoder have taken over.",
            "arXiv 2308.00692; `validate` in LISA's train_ds.py",
            epsilon=1e-5,
        ),
        Convention(
            "gsva",
            "Generalised referring segmentation as GRES defines it and GSVA counts it.",
            "arXiv 2306.00968, ReLA's refer_evaluation.py; arXiv 2312.10103, `eval_gres` in GSVA's "
            "solver.py",
            epsilon=1e-8,
            among="targets",
        ),
        Convention(
            "himtok",
            "HiMTok's evaluation, where pixels that were not annotated are set on both sides.",
            "arXiv 2503.13026; `update_metrics` in its eval/predict.py",
            epsilon=1e-10,
            ignore="hit",
        ),
        Convention(
            "lavt",
            "The evaluation of LAVT and of many specialists: nothing against nothing is 0.",
            "arXiv 2112.02244; LAVT's test.py",
            empty="zero",
        ),
        Convention(
            "cris",
            "The evaluation of CRIS and its followers, who print its mean IoU as IoU.",
            "arXiv 2111.15174; CRIS's engine/engine.py",
            empty="zero",
            epsilon=1e-6,
            reach="above",
        ),
        Convention(
            "pycocotools",
            "IoU as pycocotools.mask.iou gives it.",
            "pycocotools 2.0, maskApi.c",
            empty="zero",
        ),
        Convention(
            "torchmetrics",
            "The mean of torchmetrics' MeanIoU, which leaves out what both sides lack.",
            "torchmetrics 1.9, torchmetrics.segmentation.MeanIoU",
            empty="drop",
        ),
    )
}
"""Every convention by its name."""

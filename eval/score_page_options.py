"""What the options of a convention mean, in words."""

from __future__ import annotations

OPTIONS = {
    "empty": (
        "a right “nothing there”",
        {
            "one": "counts 1 in means over samples",
            "zero": "counts 0 in means over samples",
            "drop": "is left out of means over samples",
        },
    ),
    "ignore": (
        "pixels that nobody annotated",
        {
            "drop": "are left out on both sides",
            "hit": "count as hits, on both sides",
            "background": "count as background: a prediction there is wrong",
        },
    ),
    "epsilon": ("added to every sample's union", {}),
    "failed": (
        "an answer that is missing or can't be read",
        {
            "wrong": "is wrong, also where nothing is to be found",
            "empty": "counts as an empty mask",
        },
    ),
    "missed": (
        "a mask where nothing is to be found",
        {"add": "adds its pixels to the unions of cIoU", "leave": "adds nothing to cIoU"},
    ),
    "among": (
        "P@t is a share of",
        {"all": "all samples", "targets": "the samples with something to be found"},
    ),
    "reach": (
        "an IoU of exactly t in P@t",
        {"at-least": "counts", "above": "does not count"},
    ),
    "reject": ("an answer of fewer pixels is taken for “nothing there”", {}),
    "unit": (
        "means are taken over",
        {
            "expression": "expressions, each alone",
            "group": "objects: the expressions that mean the same object are averaged first",
            "dataset": "the whole data set: pixels of all images are added up",
            "image": "images, each scored by itself",
            "object": "objects",
            "video": "videos: the objects of a video are averaged first",
        },
    ),
    "absent": (
        "a label that occurs nowhere",
        {
            "drop": "is left out of means",
            "zero": "counts 0",
            "untrue": "is left out of means, also where it is predicted but never true",
        },
    ),
    "unlabelled": (
        "pixels in no predicted segment",
        {"count": "are wrong", "drop": "are left out"},
    ),
    "repeated": (
        "several masks of one label of stuff, or crowds of one label",
        {
            "merged": "are one segment",
            "apart": "stay several segments; of the crowds the last alone is seen",
        },
    ),
    "frames": (
        "frames that count",
        {"all": "all of them", "inner": "all but the first and the last of a video"},
    ),
    "ties": (
        "predictions of equal confidence",
        {"order": "rank as images and masks come", "together": "rank at once"},
    ),
    "unpaired": (
        "a mask without a partner",
        {"zero": "counts 0 in mIoU", "drop": "is left out of mIoU"},
    ),
    "phrases": (
        "two phrases mean the same",
        {
            "words": "where they share enough words",
            "equal": "where they are equal",
            "any": "always: phrases are not compared",
        },
    ),
    "stop": (
        "recall looks no further",
        {"never": "when no pair is left", "first": "at the first pair whose phrases differ"},
    ),
    "small": ("an object is small below", {}),
    "large": ("an object is large from", {}),
}
"""Options of a convention: what each decides, and what its values mean."""

PIXELS = ("epsilon", "reject", "small", "large")
"""Options that are numbers of pixels."""


def option(name: str, value: object) -> tuple[str, str]:
    """An option and its value in words."""
    what, meanings = OPTIONS.get(name, (name, {}))
    said = meanings.get(str(value), str(value))
    if name in PIXELS and isinstance(value, int | float) and not isinstance(value, bool):
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.9f}".rstrip("0").rstrip(".")
        said = f"{shown} pixels" if value != 1 else "1 pixel"
    return what, said

"""The rules of benchmarks by name: which family of figures, counted how, and which come first."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from ..errors import MaskCodecError


@dataclass(frozen=True, slots=True)
class Preset:
    """How a benchmark is scored.

    Attributes:
        name: as `--preset` takes it.
        kind: the family of figures.
        convention: as its field counts, see `maskcodec.scores`.
        dataset: its name, as tables of results write it.
        doc: what its papers report, in a sentence.
        source: where that is defined.
        format: of the data set on disk, see `datasets.annotated_sources`; "auto" finds it.
        first: the scores that stand first, in this order.
        ignore: values of its label maps that nobody annotated.
        background: the label of pixels that no mask covers; None where they have none.
    """

    name: str
    kind: str
    convention: str
    dataset: str
    doc: str
    source: str
    format: str = "auto"
    first: tuple[str, ...] = ()
    ignore: tuple[int, ...] = ()
    background: str | None = None


_REFERRING = ("cIoU", "gIoU", "P@0.5", "P@0.6", "P@0.7", "P@0.8", "P@0.9")
_SEMANTIC = ("mIoU", "pAcc", "mAcc", "fwIoU")
_REFER = "Papers report cIoU (oIoU), older ones gIoU (mIoU) and P@0.5 to 0.9 beside it."

PRESETS = {
    one.name: one
    for one in (
        Preset(
            "refcoco", "referring", "lisa", "refcoco", _REFER,
            "Yu et al., arXiv 1608.00272; splits val, testA, testB", "refcoco", _REFERRING,
        ),
        Preset(
            "refcoco+", "referring", "lisa", "refcoco+", _REFER,
            "Yu et al., arXiv 1608.00272; splits val, testA, testB", "refcoco", _REFERRING,
        ),
        Preset(
            "refcocog", "referring", "lisa", "refcocog", _REFER,
            "Mao et al., arXiv 1511.02283; the umd splits val, test", "refcoco", _REFERRING,
        ),
        Preset(
            "grefcoco", "referring", "gsva", "grefcoco",
            "Papers report gIoU and cIoU; N-acc and T-acc of telling whether something is there.",
            "Liu et al. (GRES), arXiv 2306.00968; splits val, testA, testB", "grefcoco",
            ("gIoU", "cIoU", "N-acc", "T-acc"),
        ),
        Preset(
            "reasonseg", "referring", "lisa", "reasonseg",
            "Papers report gIoU and cIoU; pixels marked to be ignored are left out.",
            "Lai et al. (LISA), arXiv 2308.00692; splits val, test", "reasonseg", ("gIoU", "cIoU"),
        ),
        Preset(
            "ade20k", "semantic", "mmseg", "ade20k",
            "Papers report mIoU over 150 classes; 0 in a label map is not annotated.",
            "Zhou et al., arXiv 1608.05442; split validation", "ade20k", _SEMANTIC,
        ),
        Preset(
            "pascal-context-59", "semantic", "mmseg", "pascal-context-59",
            "Papers report mIoU over 59 classes; 0, the rest, is not annotated.",
            "Mottaghi et al., CVPR 2014", "pascal-context", _SEMANTIC,
        ),
        Preset(
            "voc", "semantic", "mmseg", "voc",
            "Papers report mIoU over 20 classes and background; 255 is not annotated.",
            "Everingham et al., IJCV 2010; PASCAL VOC 2012, split val", "voc", _SEMANTIC,
            background="background",
        ),
        Preset(
            "coco-stuff", "semantic", "mmseg", "coco-stuff",
            "Papers report mIoU over 171 classes; 255 is not annotated.",
            "Caesar et al., arXiv 1612.03716", "coco-stuff", _SEMANTIC,
        ),
        Preset(
            "coco-panoptic", "panoptic", "coco", "coco-panoptic",
            "Papers report PQ, and PQ of things and of stuff.",
            "Kirillov et al., arXiv 1801.00868", "panoptic", ("PQ", "SQ", "RQ", "PQ_th", "PQ_st"),
        ),
        Preset(
            "ref-youtube-vos", "video", "ref-youtube-vos", "ref-youtube-vos",
            "Papers report J&F over all frames of each expression.",
            "Seo et al. (URVOS), ECCV 2020", first=("J&F", "J", "F"),
        ),
        Preset(
            "davis", "video", "davis", "davis",
            "Papers report J&F over objects, the first and the last frame left out.",
            "Pont-Tuset et al., arXiv 1704.00675", first=("J&F", "J", "F"),
        ),
    )
}  # fmt: skip
"""Every preset by its name."""


def preset(name: str) -> Preset:
    """A preset by its name.

    Raises:
        MaskCodecError: there is none of that name; the message lists them.
    """
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise MaskCodecError(f"no preset {name!r}{hint}; there are: {', '.join(PRESETS)}")

"""The families of figures: what each counts of a sample, and which scores follow from that.

Every family of `maskcodec.scores` works alike: a sample gives a row, rows merge by concatenation,
and scores are taken of all rows at the end. This is the one place that knows which is which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from maskcodec.errors import MaskCodecError
from maskcodec.mask import Mask
from maskcodec.records import Record
from maskcodec.scores import boxes, detection, grounded, panoptic, referring, semantic, video
from maskcodec.scores.conventions import convention
from maskcodec.scores.label_map import LabelSet
from maskcodec.scores.named import Named, pick
from maskcodec.scores.pair import Pair, Status

if TYPE_CHECKING:
    from maskcodec.datasets.scene_facts import SceneFacts


class Row(Protocol):
    """What was counted of a sample."""

    @property
    def id(self) -> str:
        """Of the sample."""
        ...

    @property
    def status(self) -> Status:
        """What became of the prediction."""
        ...

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Rules:
    """What is measured of every sample; the same in every process.

    Attributes:
        kind: the family of figures.
        boundary: whether boundaries are measured too.
        labels: those that are scored; None takes every label that occurs.
        stuff: labels of regions.
        background: the label of pixels that no mask covers; None where they have none.
    """

    kind: str
    boundary: bool = True
    labels: tuple[str, ...] | None = None
    stuff: tuple[str, ...] = ()
    background: str | None = None

    @property
    def label_set(self) -> LabelSet | None:
        """`labels` as the families take them."""
        return None if self.labels is None else LabelSet(self.labels)


def compare(
    pair: Pair,
    rules: Rules,
    ceiling: Sequence[Mask] | None,
    given: Sequence[tuple[float, ...]] | None = None,
    facts: SceneFacts | None = None,
) -> tuple[Row, Row | None]:
    """Count what a sample counts.

    Args:
        pair: prediction and truth.
        rules: what is measured.
        ceiling: what the truth, encoded, decodes to; None where that is not wanted.
        given: predicted boxes, where boxes were predicted and no masks.
        facts: of the image's objects, see `maskcodec.scores.reasoning`.

    Returns:
        the row, and that of the ceiling; a family that holds both in one row has None there.
    """
    if rules.kind == "referring":
        row = referring.compare(pair, boundary=rules.boundary, ceiling=ceiling, facts=facts)
        return row, None
    best = None
    if ceiling is not None:
        best = Pair(
            pair.id, pair.size, tuple(ceiling), pair.targets, pair.ignore, "valid", pair.task,
            pair.group, crowds=pair.crowds, areas=pair.areas,
        )  # fmt: skip
    return (
        _count(pair, rules, given),
        None if best is None else _count(best, rules, None),
    )


def _count(pair: Pair, rules: Rules, given: Sequence[tuple[float, ...]] | None) -> Row:
    match rules.kind:
        case "boxes":
            return boxes.compare(pair, given)
        case "semantic":
            return semantic.compare(pair, rules.label_set, background=rules.background)
        case "instances":
            return detection.compare(pair, rules.label_set, boundary=rules.boundary)
        case "panoptic":
            return panoptic.compare(pair, rules.label_set, stuff=rules.stuff)
        case "grounded":
            return grounded.compare(pair)
    raise MaskCodecError(f"--kind {rules.kind!r} is not scored sample by sample")


def read_row(kind: str, record: Record) -> Row:
    """A row back from its `fields`, as untrusted data.

    Raises:
        RecordError: a field is missing or wrong.
    """
    match kind:
        case "referring":
            return referring.ReferringRow.from_record(record)
        case "boxes":
            return boxes.BoxRow.from_record(record)
        case "semantic":
            return semantic.SemanticRow.from_record(record)
        case "instances":
            return detection.DetectionRow.from_record(record)
        case "panoptic":
            return panoptic.PanopticRow.from_record(record)
        case "video":
            return video.VideoRow.from_record(record)
        case "grounded":
            return grounded.GroundedRow.from_record(record)
    raise record.error(f"is of kind {kind!r}, which this version doesn't know", "kind")


_CONVENTIONS: dict[str, Mapping[str, Named]] = {
    "video": video.CONVENTIONS,
    "semantic": semantic.CONVENTIONS,
    "instances": detection.CONVENTIONS,
    "panoptic": panoptic.CONVENTIONS,
    "grounded": grounded.CONVENTIONS,
}


def describe_convention(kind: str, spec: str) -> dict[str, Any]:
    """A convention's name, its options, what it says in words, and its source.

    Raises:
        MaskCodecError: the family has no such convention; the message names the family, and lists
            what there is.
    """
    try:
        found = convention(spec) if kind == "referring" else named_convention(kind, spec)
    except MaskCodecError as error:
        raise MaskCodecError(f"--convention, of --kind {kind}: {error}") from None
    return found.describe()


def named_convention(kind: str, spec: str) -> Named:
    """A convention of the families other than referring segmentation.

    Raises:
        MaskCodecError: there is none of that name.
    """
    return pick(spec, _CONVENTIONS.get(kind, PLAIN))


PLAIN = {
    "maskcodec": Named("maskcodec", "As docs/metrics.md says it.", "docs/metrics.md"),
}
"""Conventions of boxes, which are counted in one way alone."""

DEFAULTS = {
    "referring": "maskcodec",
    "boxes": "maskcodec",
    "grounded": "maskcodec",
    "semantic": "mmseg",
    "instances": "coco",
    "panoptic": "coco",
    "video": "ref-youtube-vos",
}
"""The convention of each family, unless another is asked for."""

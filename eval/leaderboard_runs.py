"""A user's own results, from what `maskcodec score` and `maskcodec segment` write."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskcodec.errors import RecordError
from maskcodec.records import Record, brief, read_json
from maskcodec.scores.conventions import CONVENTIONS
from maskcodec.scores.published import DATASETS, Prompts
from maskcodec.spec import nearest

EXPRESSIONS = {
    ("refcoco", "val"): 10_834,
    ("refcoco", "testA"): 5_657,
    ("refcoco", "testB"): 5_095,
    ("refcoco+", "val"): 10_758,
    ("refcoco+", "testA"): 5_726,
    ("refcoco+", "testB"): 4_889,
    ("refcocog", "val"): 4_896,
    ("refcocog", "test"): 9_602,
    ("reasonseg", "val"): 200,
    ("reasonseg", "test"): 779,
}
"""Samples of each split when every expression is one: RefCOCO and RefCOCO+ by unc, RefCOCOg by umd
(Yu et al., arXiv 1608.00272), ReasonSeg (Lai et al., arXiv 2308.00692)."""

ALIASES = {"mIoU": "gIoU", "gIoU": "mIoU", "cIoU": "oIoU"}
"""Names under which a run may have a metric that papers call otherwise."""

SEGMENT = {"cIoU": "ciou", "gIoU": "giou", "P@0.5": "hits"}
"""Figures of `maskcodec segment`, whose ceilings are named `ceiling_` and the same."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run, in percent; what is not known is None."""

    value: float
    low: float | None = None
    high: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run on one split.

    Attributes:
        file: where it was read.
        system: its name.
        dataset: in lower case, as in `maskcodec.scores.published`.
        split: of that.
        count: samples; None where it is not known.
        missing: predictions that were missing.
        convention: its name.
        options: of the convention.
        figures: by the name of the metric.
        prompts: how expressions were put, see `maskcodec.scores.published.Prompts`.
    """

    file: str
    system: str
    dataset: str
    split: str
    count: int | None
    missing: int
    convention: str
    options: Mapping[str, Any]
    figures: Mapping[str, Figure]
    prompts: Prompts = "single"

    def figure(self, metric: str) -> Figure | None:
        """A metric's figure, under its own name or that of papers; None where it has none."""
        found = self.figures.get(metric)
        return found if found is not None else self.figures.get(ALIASES.get(metric, ""))

    def gaps(self) -> list[str]:
        """What keeps the run from being one on the whole split, in words."""
        found = []
        whole = EXPRESSIONS.get((self.dataset, self.split))
        if whole is not None and self.count is not None and self.count != whole:
            found.append(f"{self.count:,} samples were scored; the split has {whole:,}")
        if self.missing:
            found.append(f"{self.missing:,} predictions are missing")
        return found


def read_run(
    path: str | Path,
    system: str | None = None,
    dataset: str | None = None,
    split: str | None = None,
    prompts: Prompts = "single",
) -> Run:
    """Read a run.

    Args:
        path: scores.json of `maskcodec score` or `maskcodec segment`.
        system: its name; None: as the file says, or its folder's name.
        dataset: None: as the file says.
        split: None: as the file says.
        prompts: how expressions were put to the system.

    Raises:
        RecordError: the file is none of these, or says no data set or split and none is given.
    """
    file = str(path)
    document = read_json(path)
    if not isinstance(document, dict):
        raise RecordError(f"is {brief(document)}, expected scores.json", file=file)
    record = Record(file, None, document)
    if "scores" not in document and not {"giou", "ciou"} <= document.keys():
        raise RecordError(
            "has neither 'scores' nor 'giou' and 'ciou': expected scores.json as `maskcodec score` "
            "or `maskcodec segment` writes it",
            file=file,
        )
    known = _dataset(record, dataset)
    if "scores" in document:
        figures, counts = _scored(record), _object(record, "counts")
        convention = _object(record, "convention")
        name, options = str(convention.get("name") or "unstated"), _inner(convention, "options")
        count, missing = _whole(counts, "truth"), _whole(counts, "missing") or 0
    else:
        figures, name, missing = _segmented(record), "maskcodec", 0
        options, count = CONVENTIONS["maskcodec"].options, _whole(document, "scored")
    if not figures:
        raise RecordError("has no score with a value", file=file)
    fallback = Path(path).resolve().parent.name or "yours"
    return Run(
        file=file,
        system=system or _text(record, "system") or fallback,
        dataset=known,
        split=_named(record, "split", split),
        count=count,
        missing=missing,
        convention=name,
        options=options,
        figures=figures,
        prompts=prompts,
    )


def _dataset(record: Record, given: str | None) -> str:
    """The run's data set: first of all, since of no other there is anything to compare with."""
    name = _named(record, "dataset", given).lower()
    if name not in DATASETS:
        raise record.error(
            f"is of data set {name!r}{nearest(name, DATASETS)}; the table knows "
            f"{', '.join(DATASETS)}: if it is one of them, give --run-dataset"
        )
    return name


def _scored(record: Record) -> dict[str, Figure]:
    figures = {}
    for index, item in enumerate(record.items("scores")):
        one = record.child("scores", index, item)
        name, value = one.text("name"), _share(one, "value")
        if value is not None:
            figures[name] = Figure(
                value, _share(one, "low"), _share(one, "high"), _share(one, "ceiling")
            )
    return figures


def _segmented(record: Record) -> dict[str, Figure]:
    figures = {}
    for metric, field in SEGMENT.items():
        value = _share(record, field)
        if value is not None:
            figures[metric] = Figure(value, ceiling=_share(record, f"ceiling_{field}"))
    return figures


def _share(record: Record, field: str) -> float | None:
    """A share from 0 to 1 as a percentage; None where it is null or missing."""
    value = record.fields.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise record.error(f"is {brief(value)}, expected a share from 0 to 1", field)
    if not 0 <= value <= 1:
        raise record.error(f"is {brief(value)}, expected a share from 0 to 1, not percent", field)
    return 100.0 * value


def _object(record: Record, field: str) -> dict[str, Any]:
    value = record.fields.get(field)
    if value is not None and not isinstance(value, dict):
        raise record.error(f"is {brief(value)}, expected an object", field)
    return value or {}


def _inner(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _whole(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(record: Record, field: str) -> str:
    value = record.fields.get(field)
    return record.text(field) if value is not None else ""


def _named(record: Record, field: str, given: str | None) -> str:
    value = given or _text(record, field)
    if not value:
        raise record.error(f"is not said there; give --run-{field}", field)
    return value

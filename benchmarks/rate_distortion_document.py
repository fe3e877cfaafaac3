"""The JSON of a rate-distortion run: a benchmark's document, with the curves' points beside it.

`results` has a row for each spec and class of size, in the form that every benchmark has. `points`
keeps the same figures as the plots take them, with what no number can say: names of curves, and why
masks could not be written. `best` names the best spec within each budget (null where none is within
it), of all masks and of each class of size, `hull` the specs that no
mixture of others can beat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from maskcodec import MaskCodecError
from maskcodec.records import read_json

from . import document as documents
from .document import Document
from .rate_distortion_curves import Point, best_within, curves, hull
from .rate_distortion_masks import Masks
from .rate_distortion_measure import CHARACTERS, GROUPS, LABEL

FIGURES = ("iou", "boundary_iou")


def start(seed: int, masks: Masks, tokenizers: Mapping[str, Mapping[str, str]]) -> Document:
    """A document without points."""
    settings = {
        "label": LABEL,
        "masks": f"{masks.about['count']} of split {masks.about['split']}",
        "masks sha256": masks.about["sha256"],
        **{f"tokenizer {name} sha256": entry["sha256"] for name, entry in tokenizers.items()},
    }
    document = documents.start("rd", None, seed, settings)
    document |= {
        "masks": masks.about,
        "tokenizers": dict(tokenizers),
        "label": LABEL,
        "groups": list(GROUPS),
        "left_out": {},
        "points": [],
        "best": [],
        "hull": [],
    }
    return document


def put_points(
    document: Document, points: Sequence[dict[str, Any]], budgets: Sequence[int]
) -> None:
    """Let a document hold these points, and all that follows from them."""
    document["points"] = list(points)
    document["results"] = []
    for point in points:
        for group, figures in point["groups"].items():
            name = {"spec": point["short"], "masks": group}
            documents.add(document, name, _flat(point, group, figures))
    document["best"] = [
        entry for unit in units(document) for entry in _best(document, unit, budgets)
    ]
    document["hull"] = [
        {"unit": unit, "figure": figure, **_entry(point)}
        for unit in units(document)
        for figure in FIGURES
        for point in hull(all_points(document, figure, "all", unit))
    ]


def units(document: Document) -> list[str]:
    """What costs are counted in: the tokenizers, or characters where there is none."""
    return [*document["tokenizers"]] or [CHARACTERS]


def all_points(document: Document, figure: str, group: str, unit: str) -> list[Point]:
    """The points of all curves."""
    return [point for line in curves(document, figure, group, unit).values() for point in line]


def _flat(point: dict[str, Any], group: str, figures: dict[str, Any]) -> dict[str, float]:
    flat = {key: figures[key] for key in ("count", *FIGURES, "share_iou_0")}
    for unit, spread in figures["costs"].items():
        flat |= {f"{unit}, {key}": value for key, value in spread.items()}
    return flat | ({"failed": point["failed"]} if group == "all" else {})


def _best(document: Document, unit: str, budgets: Sequence[int]) -> list[dict[str, Any]]:
    """The best spec within each budget, of all objects and of each size; None where none is."""
    found = []
    for budget in sorted(set(budgets)):
        for group in GROUPS:
            for figure in FIGURES:
                point = best_within(all_points(document, figure, group, unit), budget)
                entry = dict.fromkeys(("spec", "value", "cost")) if point is None else _entry(point)
                name = {"unit": unit, "budget": budget, "masks": group, "figure": figure}
                found.append({**name, **entry})
    return found


def _entry(point: Point) -> dict[str, Any]:
    return {"spec": point.spec, "value": point.quality, "cost": point.cost}


class Finished(NamedTuple):
    """What an earlier run has found.

    Attributes:
        points: of every spec that it measured, in its order.
        left_out: the specs that it could not measure, with the reason.
    """

    points: list[dict[str, Any]]
    left_out: dict[str, str]


def read_finished(document: Document, path: Path) -> Finished:
    """What an earlier run of the same masks and tokenizers has found.

    Raises:
        MaskCodecError: the file is of another run, or no report at all.
    """
    old = read_json(path)
    try:
        same = [
            old["schema"] == documents.SCHEMA,
            old["label"] == LABEL,
            old["masks"]["sha256"] == document["masks"]["sha256"],
            {name: entry["sha256"] for name, entry in old["tokenizers"].items()}
            == {name: entry["sha256"] for name, entry in document["tokenizers"].items()},
        ]
        points = list({point["spec"]: point for point in old["points"]}.values())
        found = Finished(points, dict(old["left_out"]))
        if all(same):
            _check(document, found)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MaskCodecError(f"{path}: is no report of this program; give another --json") from None
    if not all(same):
        raise MaskCodecError(
            f"{path}: was measured on other masks, or with other tokenizers; give those again, or "
            "another --json"
        )
    return found


def _check(document: Document, found: Finished) -> None:
    """Raise where a point lacks what tables and plots take of it, or a reason is no text."""
    points, left_out = found
    names = [point[key] for point in points for key in ("spec", "short", "curve")]
    if not all(isinstance(text, str) for text in (*names, *left_out, *left_out.values())):
        raise TypeError("a name or a reason is no text")
    trial = dict(document)
    put_points(trial, points, ())
    documents.check(trial, "")
    for point in points:
        costs = point["groups"]["all"]["costs"]
        if point["failed"] and not costs:
            continue
        for unit in units(document):
            float(costs[unit]["mean"]), float(costs[unit]["median"]), float(costs[unit]["p95"])

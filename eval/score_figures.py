"""Scores of rows: values, confidence intervals, ceilings, groups, and two systems in pairs.

Referring segmentation and boxes are ratios of sums, which resample as products of matrices. The
other families recompute their scores for each draw of images.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from maskcodec.scores import boxes, detection, grounded, panoptic, referring, semantic, video
from maskcodec.scores.ratios import Ratios
from maskcodec.scores.referring_columns import ReferringColumns
from maskcodec.scores.resampling import better_or_worse, differences, intervals

from .score_kinds import Row, Rules

Floats = npt.NDArray[np.float64]
Json = dict[str, Any]

DRAWS = {"instances": 100, "panoptic": 300, "semantic": 300, "video": 300, "grounded": 100}
"""Most resamples of families whose scores take long to recompute."""

CONFIDENCE = 0.95


class Table(Protocol):
    """Rows of one system, as its family's columns."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...

    def take(self, rows: npt.NDArray[Any]) -> Table:
        """Some of the rows."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """Which figures are wanted.

    Attributes:
        rules: what was measured.
        convention: how it is added up.
        first: scores that stand first.
        resamples: draws for intervals and tests; 0 for none.
        seed: of the draws.
    """

    rules: Rules
    convention: str
    first: tuple[str, ...] = ()
    resamples: int = 1000
    seed: int = 0

    @property
    def draws(self) -> int:
        """How many resamples are drawn."""
        return min(self.resamples, DRAWS.get(self.rules.kind, self.resamples))


def columns_of(rows: Iterable[Row], rules: Rules) -> Any:
    """The rows as columns of their family."""
    given: Any = list(rows)
    match rules.kind:
        case "referring":
            return ReferringColumns.of(given)
        case "semantic":
            return semantic.SemanticColumns.of(given, rules.label_set)
        case "instances":
            return detection.DetectionColumns.of(given, rules.label_set)
        case "panoptic":
            return panoptic.PanopticColumns.of(given, rules.label_set)
        case "video":
            return video.VideoColumns.of(given)
        case "grounded":
            return grounded.GroundedColumns.of(given)
    return _BoxTable(tuple(given))


@dataclass(frozen=True, slots=True)
class _BoxTable:
    rows: tuple[boxes.BoxRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: npt.NDArray[Any]) -> _BoxTable:
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return _BoxTable(tuple(self.rows[at] for at in chosen.tolist()))

    def groups(self) -> npt.NDArray[np.int64]:
        numbers: dict[Any, int] = {}
        keys = [row.group or at for at, row in enumerate(self.rows)]
        return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def values(columns: Any, asked: Asked) -> dict[str, float | None]:
    """Every score of columns; shares from 0 to 1."""
    rules = asked.rules
    match rules.kind:
        case "referring":
            found = referring.summarize(columns, asked.convention)
        case "boxes":
            found = boxes.summarize(columns.rows)
        case "semantic":
            found = semantic.summarize(columns, asked.convention)
        case "instances":
            found = detection.summarize(columns, asked.convention)
        case "panoptic":
            found = panoptic.summarize(columns, asked.convention, stuff=rules.stuff)
        case "video":
            found = video.summarize(columns, asked.convention)
        case _:
            found = grounded.summarize(columns, asked.convention)
    return found


def _ratios(columns: Any, asked: Asked) -> Ratios | None:
    if asked.rules.kind == "referring":
        return referring.ratios(columns, asked.convention)
    return boxes.ratios(columns.rows) if asked.rules.kind == "boxes" else None


def _groups(columns: Any) -> npt.NDArray[np.int64]:
    found: npt.NDArray[np.int64] = (
        columns.groups() if isinstance(columns, _BoxTable) else columns.group
    )
    return found


def scores(columns: Any, ceiling: Any, asked: Asked) -> list[Json]:
    """Each score with its interval and its ceiling, those that come first in front."""
    best = {} if ceiling is None else values(ceiling, asked)
    ratios = _ratios(columns, asked)
    if ratios is not None:
        found = [
            (one.name, one.value, one.low, one.high)
            for one in intervals(ratios, _groups(columns), resamples=asked.draws, seed=asked.seed)
        ]
    else:
        own = values(columns, asked)
        drawn = _drawn([columns], asked, list(own))[0]
        lows, highs = _ends(drawn)
        found = [
            (name, value, low, high)
            for (name, value), low, high in zip(own.items(), lows, highs, strict=True)
        ]
    listed = [
        {"name": name, "value": value, "low": low, "high": high, "ceiling": best.get(name)}
        for name, value, low, high in found
        if value is not None
    ]
    return _ordered(listed, asked.first)


def _ordered(listed: list[Json], first: Sequence[str]) -> list[Json]:
    places = {name: place for place, name in enumerate(first)}
    return sorted(listed, key=lambda one: places.get(str(one["name"]), len(places)))


def _drawn(tables: Sequence[Any], asked: Asked, names: Sequence[str]) -> list[Floats]:
    """The scores of each draw of rows, the same rows of each table: (draws, scores) a table."""
    count = len(tables[0])
    draws = asked.draws if count > 1 else 0
    generator = np.random.default_rng(asked.seed)
    found = [np.full((draws, len(names)), np.nan) for _ in tables]
    for draw in range(draws):
        chosen = generator.integers(0, count, count)
        for table, into in zip(tables, found, strict=True):
            drawn = values(table.take(chosen), asked)
            into[draw] = [np.nan if (value := drawn.get(name)) is None else value for name in names]
    return found


def _ends(drawn: Floats) -> tuple[list[float | None], list[float | None]]:
    outside = (1 - CONFIDENCE) / 2
    ends: list[list[float | None]] = [[], []]
    for column in drawn.T:
        known = column[~np.isnan(column)]
        for into, share in zip(ends, (outside, 1 - outside), strict=True):
            into.append(float(np.quantile(known, share)) if known.size else None)
    return ends[0], ends[1]


def groups(columns: Any, asked: Asked) -> list[Json]:
    """The scores of parts: small, medium and large objects, no target, and tasks."""
    if asked.rules.kind != "referring":
        return []
    parts = dict(referring.size_groups(columns, asked.convention))
    tasks = sorted(set(columns.task.tolist()))
    if len(tasks) > 1:
        parts |= {task: columns.task == task for task in tasks}
    found = []
    for name, chosen in parts.items():
        count = int(np.count_nonzero(chosen))
        if not count or count == len(columns):
            continue
        part = columns.take(chosen)
        ceiling = part.ceiling()
        best = {} if ceiling is None else values(ceiling, asked)
        listed = [
            {"name": score, "value": value, "low": None, "high": None, "ceiling": best.get(score)}
            for score, value in values(part, asked).items()
            if value is not None
        ]
        found.append({"name": name, "count": count, "scores": _ordered(listed, asked.first)})
    return found


def histogram(columns: Any, asked: Asked) -> Json | None:
    """How many samples have which IoU, and which the ceiling has."""
    if asked.rules.kind != "referring":
        return None
    edges = np.linspace(0, 1, 21)
    ceiling = columns.ceiling()
    return {
        "edges": [round(float(edge), 2) for edge in edges],
        "counts": _counts(referring.ious(columns, asked.convention), edges),
        "ceiling": None
        if ceiling is None
        else _counts(referring.ious(ceiling, asked.convention), edges),
    }


def _counts(ious: Floats, edges: Floats) -> list[int]:
    known = ious[~np.isnan(ious)].clip(0, 1)
    return [int(one) for one in np.histogram(known, edges)[0]]


def labels(columns: Any, asked: Asked) -> list[Json] | None:
    """Figures label by label, where labels are scored."""
    match asked.rules.kind:
        case "semantic":
            return semantic.label_table(columns)
        case "instances":
            return detection.label_table(columns, asked.convention)
        case "panoptic":
            return panoptic.label_table(columns, asked.convention, stuff=asked.rules.stuff)
        case "video":
            return video.video_table(columns, asked.convention)
    return None


def comparison(columns: Any, other: Any, name: str, asked: Asked) -> Json:
    """Two systems on the same samples: differences of scores, and on how many each is better."""
    ratios, rival = _ratios(columns, asked), _ratios(other, asked)
    listed: list[Json] = []
    if ratios is not None and rival is not None:
        for one in differences(
            ratios, rival, _groups(columns), resamples=asked.draws, seed=asked.seed
        ):
            if one.value is not None and one.other is not None:
                listed.append(
                    {key: getattr(one, key) for key in ("name", "value", "other", "difference",
                                                        "low", "high", "p")}
                )  # fmt: skip
    else:
        listed = _differences(columns, other, asked)
    found: Json = {"system": name, "scores": _ordered(listed, asked.first)}
    ious = _sample_scores(columns, other, asked)
    if ious is not None:
        counts = better_or_worse(*ious)
        found |= {"better": counts.better, "worse": counts.worse, "same": counts.same}
    groups_drawn = "groups of samples of one object" if ratios is not None else "images"
    found["test"] = (
        f"paired bootstrap of {asked.draws:,} draws of {groups_drawn}, seed {asked.seed}"
    )
    return found


def _sample_scores(columns: Any, other: Any, asked: Asked) -> tuple[Floats, Floats] | None:
    if asked.rules.kind == "referring":
        return referring.ious(columns, asked.convention), referring.ious(other, asked.convention)
    if asked.rules.kind == "boxes":
        found = [
            np.array([np.nan if row.first is None else row.first for row in table.rows])
            for table in (columns, other)
        ]
        return found[0], found[1]
    return None


def _differences(columns: Any, other: Any, asked: Asked) -> list[Json]:
    own, rival = values(columns, asked), values(other, asked)
    names = [name for name in own if own[name] is not None and rival.get(name) is not None]
    one, two = _drawn([columns, other], asked, names)
    lows, highs = _ends(one - two)
    listed = []
    for place, name in enumerate(names):
        value, against = own[name] or 0.0, rival[name] or 0.0
        gaps = (one - two)[:, place]
        listed.append(
            {
                "name": name,
                "value": value,
                "other": against,
                "difference": value - against,
                "low": lows[place],
                "high": highs[place],
                "p": _p(gaps[~np.isnan(gaps)]),
            }
        )
    return listed


def _p(gaps: Floats) -> float | None:
    """As `maskcodec.scores.resampling.Difference` says it."""
    if not gaps.size:
        return None
    tail = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (gaps.size + 1))

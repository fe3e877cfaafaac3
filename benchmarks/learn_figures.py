"""Figures of `bench learn`: which rate is the best, and what the seeds say together."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from maskcodec.errors import RecordError

from . import document as documents
from . import learn_log
from .document import Document, Result
from .learn_log import FIGURES, LOG, Point
from .learn_options import examples_a_step
from .learn_plan import Settings, Training
from .learn_runs import Runs

CODEC, SWEEP, RUN, POINT, MEAN, CURVE = "codec", "sweep", "run", "point", "mean", "curve"
"""Kinds of results: sizes of a codec's texts, trainings that try a rate, the others, a point of a
training's curve, and over all seeds the final figures and the points."""

END_TOKEN = 1


def choose(losses: Mapping[float, float | None]) -> float | None:
    """The rate with the lowest loss, the lower rate of two equals; None where all failed.

    The loss and not gIoU: of 100 answers that is uncertain by .03, and after a few steps it is 0
    for codecs that take longer.
    """
    found = {rate: loss for rate, loss in losses.items() if loss is not None}
    return min(found, key=lambda rate: (found[rate], rate)) if found else None


def last_point(folder: Path) -> Point | None:
    """The end of a training; None where it did not come to its end."""
    return learn_log.read_points(folder / LOG)[-1] if learn_log.is_trained(folder) else None


def chosen(runs: Runs, specs: Iterable[str], sweeps: Sequence[Training]) -> dict[str, float]:
    """The rate of each codec for which a training came to its end."""
    found = {}
    for spec in specs:
        ends = {one.rate: last_point(runs.output(one)) for one in sweeps if one.spec == spec}
        rate = choose({rate: end.loss if end else None for rate, end in ends.items()})
        if rate is not None:
            found[spec] = rate
    return found


def spread(values: Sequence[float], name: str) -> dict[str, float | None]:
    """Mean, standard deviation (of a sample; None of one value), least and greatest."""
    return {
        name: statistics.mean(values),
        f"{name}_std": statistics.stdev(values) if len(values) > 1 else None,
        f"{name}_low": min(values),
        f"{name}_high": max(values),
    }


def reported(document: Document, settings: Settings) -> tuple[list[Training], list[Training]]:
    """The trainings of a document of these settings: those that tried rates, and the others."""

    def trainings(kind: str, steps: int) -> list[Training]:
        names = [one["name"] for one in of_kind(document, kind)]
        found = [Training(one["codec"], one["lr"], one["seed"], steps) for one in names]
        return list(dict.fromkeys(found))

    return trainings(SWEEP, settings.sweep_steps), trainings(POINT, settings.final_steps)


def operations(sizes: Mapping[str, Any], batch: int) -> float:
    """Of a step, in 10¹²: 6 for each weight and token, image and question among them, no padding.

    The estimate of Kaplan et al. 2020 (arXiv 2001.08361) for training all weights; LoRA, which
    needs no gradients of the frozen ones, takes about two thirds of it, for every codec alike.
    """
    tokens = sizes["prompt_tokens"] + sizes["answer_tokens"] + END_TOKEN
    return float(6e-12 * sizes["parameters"] * tokens * batch)


def collect(
    document: Document, runs: Runs, sweeps: Sequence[Training], finals: Sequence[Training]
) -> None:
    """Fill a document with all that stands in the run's folder; what is missing is left out."""
    document["results"] = []
    specs = list(dict.fromkeys(one.spec for one in (*sweeps, *finals)))
    sizes = {spec: found for spec in specs if (found := _sizes(runs, spec)) is not None}
    batch = examples_a_step(runs.settings)
    for spec, found in sizes.items():
        before = found["constrained"] or found["free"]
        figures = {name: found[name] for name in learn_log.SIZES}
        figures |= {"ceiling": before["ceiling_giou"], "before": before["giou"]}
        figures |= {"before_free": found["free"]["giou"]}
        figures |= {"before_free_invalid": found["free"]["invalid_share"]}
        figures |= {"operations": operations(found, batch)}
        documents.add(document, {"kind": CODEC, "codec": spec}, figures)
    for training in sweeps:
        end = last_point(runs.output(training))
        if end is not None:
            figures = {"loss": end.loss, "giou": end.giou}
            documents.add(document, _name(SWEEP, training), figures)
    for training in finals:
        if training.spec in sizes:
            step_operations = operations(sizes[training.spec], batch)
            _collect_training(document, runs, training, step_operations)
    for spec in sizes:
        _collect_means(document, spec)
        _collect_curve(document, spec, by_clock=runs.settings.minutes > 0)


def _sizes(runs: Runs, spec: str) -> dict[str, Any] | None:
    try:
        return learn_log.read_figures(runs.before(spec))
    except RecordError:
        return None


def _name(kind: str, training: Training) -> dict[str, str | int | float]:
    return {"kind": kind, "codec": training.spec, "lr": training.rate, "seed": training.seed}


def _collect_training(
    document: Document, runs: Runs, training: Training, step_operations: float
) -> None:
    folder = runs.output(training)
    if not learn_log.is_trained(folder):
        return
    points = learn_log.read_points(folder / LOG)
    for point in points:
        figures = _point(point) | {"operations": step_operations * point.step}
        documents.add(document, {**_name(POINT, training), "step": point.step}, figures)
    try:
        found = learn_log.read_figures(folder / FIGURES)
    except RecordError:
        return
    held = found["constrained"] or found["free"]
    free = found["free"]
    last = points[-1]
    documents.add(
        document,
        _name(RUN, training),
        {
            "giou": held["giou"],
            "hits": held["hits"],
            "ceiling": held["ceiling_giou"],
            "gap": held["ceiling_giou"] - held["giou"],
            "invalid": held["invalid_share"],
            "free_giou": free["giou"],
            "free_invalid": free["invalid_share"],
            "steps": last.step,
            "seconds": last.seconds,
            "step_seconds": last.seconds / last.step if last.step else None,
            "operations": step_operations * last.step,
        },
    )


def _point(point: Point) -> dict[str, float | None]:
    return {
        "giou": point.giou,
        "share": point.giou / point.ceiling if point.ceiling else None,
        "invalid": point.invalid,
        "seconds": point.seconds,
        "loss": point.loss,
    }


def _collect_means(document: Document, spec: str) -> None:
    """The final figures over seeds."""
    trained = of_kind(document, RUN, spec)
    if not trained:
        return
    figures: dict[str, float | None] = {"seeds": len(trained), "lr": trained[0]["name"]["lr"]}
    for name in ("giou", "hits", "gap", "free_giou", "free_invalid", "invalid"):
        figures |= spread([one["figures"][name] for one in trained], name)
    for name in ("ceiling", "seconds", "step_seconds", "operations", "steps"):
        figures[name] = statistics.mean(one["figures"][name] or 0.0 for one in trained)
    documents.add(document, {"kind": MEAN, "codec": spec}, figures)


def _collect_curve(document: Document, spec: str, *, by_clock: bool) -> None:
    """The base before training, the points that every seed has, and where they end by the clock.

    The clock ends every seed after other steps: their ends are one point, after the mean of steps.
    """
    points = of_kind(document, POINT, spec)
    if not points:
        return
    name = {"kind": CURVE, "codec": spec}
    [codec] = of_kind(document, CODEC, spec)
    before, ceiling = codec["figures"]["before"], codec["figures"]["ceiling"]
    documents.add(
        document,
        {**name, "step": 0},
        {
            "giou": before,
            "share": before / ceiling if ceiling else None,
            "seconds": 0.0,
            "operations": 0.0,
        },
    )
    seeds: dict[int, dict[int, dict[str, Any]]] = {}
    for one in points:
        seeds.setdefault(one["name"]["seed"], {})[one["name"]["step"]] = one["figures"]
    ends = [own.popitem() for own in seeds.values()] if by_clock else []
    for step in sorted(set[int].intersection(*map(set, seeds.values()))):
        found = [own[step] for own in seeds.values()]
        documents.add(document, {**name, "step": step}, _over_seeds(found))
    if ends:
        middle = statistics.mean(step for step, _ in ends)
        found = [figures for _, figures in ends]
        documents.add(document, {**name, "step": middle}, _over_seeds(found))


def _over_seeds(found: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """A point of a curve, of one point of each seed."""
    return {
        **spread([one["giou"] for one in found], "giou"),
        **spread([one["share"] or 0.0 for one in found], "share"),
        "seconds": statistics.mean(one["seconds"] for one in found),
        "operations": statistics.mean(one["operations"] for one in found),
        "seeds": len(found),
    }


def of_kind(document: Document, kind: str, spec: str | None = None) -> list[Result]:
    """Results of a kind, in order; of one codec, or of all."""
    return [
        one
        for one in document["results"]
        if one["name"].get("kind") == kind and spec in (None, one["name"].get("codec"))
    ]

"""The page of `bench learn`: curves, the figures of all codecs, the rates that were tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from maskcodec.sheet import Table, table

from . import page as pages
from . import plots
from .document import Document, Result
from .learn_figures import CODEC, CURVE, MEAN, RUN, SWEEP, choose, of_kind

TITLE = "How well a model learns each codec"
LEAD = (
    "The same base model, examples, steps and rates for every codec, plain LoRA and next-token "
    "loss. gIoU is the mean IoU of answers about images that no training saw. The ceiling is what "
    "the right answers themselves decode to: what is missing to it, the model has not learnt."
)
COMPUTE = "10¹² operations of training: 6 × weights × tokens"
SPREAD = "Bars go from the lowest to the highest seed."
SIZE = (640, 420)
LEVELS_APART = 0.05
"""So far apart the words at two level lines do not touch, on an axis from 0 to about 1."""


def write(path: Path, document: Document) -> None:
    """Write the page, with as much as there is so far."""
    pages.write_page(path, document, TITLE, LEAD, sections(document))


def sections(document: Document) -> list[str]:
    """The parts of the page."""
    found = [_curves(document)] if of_kind(document, CURVE) else []
    if of_kind(document, MEAN):
        found.append(pages.section("At the end, on the test", table(summary(document))))
    if of_kind(document, CODEC):
        found.append(pages.section("Texts, and the base before training", table(_texts(document))))
    if of_kind(document, SWEEP):
        found.append(pages.section("Learning rates", table(_rates(document))))
    if of_kind(document, RUN):
        found.append(_trainings(document))
    return found


def specs(document: Document) -> list[str]:
    """The codecs in the order that gives their colours."""
    return [str(one["name"]["codec"]) for one in of_kind(document, CODEC)]


def ceilings(document: Document) -> dict[str, float]:
    """The ceiling of each codec on the watched examples."""
    return {
        str(one["name"]["codec"]): one["figures"]["ceiling"] for one in of_kind(document, CODEC)
    }


def _curves(document: Document) -> str:
    names = specs(document)
    curve = of_kind(document, CURVE)
    parts = []
    for title, over, label, log in (
        ("gIoU against steps", "step", "steps", False),
        ("gIoU against compute", "operations", COMPUTE, True),
        ("gIoU against time", "seconds", "seconds of training, on this machine", True),
    ):
        lines = plots.series(curve, over, "codec", "giou", low="giou_low", high="giou_high")
        levels = _levels(document) if over == "step" else None
        parts.append(
            plots.line_plot(
                title, lines, label, "gIoU", log_x=log, zero=True, inks=names, size=SIZE,
                levels=levels, caption=SPREAD,
            )
        )  # fmt: skip
    lines = plots.series(curve, "step", "codec", "share", low="share_low", high="share_high")
    parts.append(
        plots.line_plot(
            "Share of the codec's own ceiling", lines, "steps", "gIoU / ceiling", zero=True,
            inks=names, size=SIZE, levels={"the codec alone": 1.0}, caption=SPREAD,
        )
    )  # fmt: skip
    note = "Measured on the examples that are watched while training; the end on others."
    if document["settings"].get("minutes"):
        note += " The clock ended the trainings: the last point is the mean of the seeds' ends."
    return pages.section("While training", plots.legend(names), pages.plots(parts), note=note)


def _levels(document: Document) -> dict[str, float]:
    """Ceilings as level lines; those share the lowest one's that are too near for own words."""
    groups: list[list[tuple[str, float]]] = []
    for spec, value in sorted(ceilings(document).items(), key=lambda item: item[1]):
        if not groups or value - groups[-1][0][1] >= LEVELS_APART:
            groups.append([])
        groups[-1].append((spec.partition(":")[0], value))
    found: dict[str, float] = {}
    for group in groups:
        families = ", ".join(dict.fromkeys(family for family, _ in group))
        low, high = (f"{value:.2f}" for value in (group[0][1], group[-1][1]))
        found[f"{families} alone: {low}" + (f" to {high}" if high != low else "")] = group[0][1]
    return found


def summary(document: Document) -> Table:
    """The final figures of every codec, the highest gIoU first."""
    sizes = {one["name"]["codec"]: one["figures"] for one in of_kind(document, CODEC)}
    rows = []
    for one in sorted(of_kind(document, MEAN), key=lambda one: -one["figures"]["giou"]):
        figures, size = one["figures"], sizes[one["name"]["codec"]]
        rows.append(
            [
                str(one["name"]["codec"]),
                f"{size['answer_tokens']:.0f}",
                _mean(figures, "giou"),
                f"{figures['ceiling']:.3f}",
                f"{figures['gap']:.3f}",
                f"{figures['hits']:.1%}",
                f"{figures['free_giou']:.3f}",
                f"{figures['free_invalid']:.1%}",
                f"{figures['lr']:g}",
                f"{figures['operations']:.3g}",
                f"{figures['step_seconds']:.2f}",
                f"{figures['seeds']:.0f}",
            ]
        )
    columns = ["codec", "tokens", "gIoU", "ceiling", "gap", "IoU ≥ .5", "gIoU, free"]
    columns += ["invalid, free", "rate", "10¹² operations", "seconds a step", "seeds"]
    note = (
        "tokens: of an answer, mean. gIoU: mean and standard deviation over seeds, answers kept in "
        "the format where the codec has a grammar. free: nothing keeps them there; invalid is an "
        "answer that leaves the format by a letter, and gIoU takes it as it was repaired. "
        "operations: of one training, 6 for each weight and token of questions, images and answers."
    )
    return Table(columns, rows, note)


def _mean(figures: dict[str, float | None], name: str) -> str:
    deviation = figures[f"{name}_std"]
    return f"{figures[name]:.3f}" + ("" if deviation is None else f" ± {deviation:.3f}")


def _texts(document: Document) -> Table:
    rows = []
    for one in of_kind(document, CODEC):
        figures = one["figures"]
        rows.append(
            [
                str(one["name"]["codec"]),
                f"{figures['answer_tokens']:.1f}",
                f"{figures['answer_max']:.0f}",
                f"{figures['prompt_tokens']:.0f}",
                f"{figures['parameters']:,.0f}",
                f"{figures['ceiling']:.3f}",
                f"{figures['before']:.3f}",
                f"{figures['before_free_invalid']:.1%}",
            ]
        )
    columns = ["codec", "answer", "longest", "question", "weights", "ceiling", "gIoU before"]
    note = "answer, longest, question: tokens, the question's with its image."
    return Table([*columns, "invalid before, free"], rows, note)


def _rates(document: Document) -> Table:
    tried = of_kind(document, SWEEP)
    rates = sorted({one["name"]["lr"] for one in tried})
    found = {(one["name"]["codec"], one["name"]["lr"]): one["figures"] for one in tried}
    rows = []
    for spec in dict.fromkeys(one["name"]["codec"] for one in tried):
        best = choose({rate: found.get((spec, rate), {}).get("loss") for rate in rates})
        cells = [_tried(found.get((spec, rate)), is_best=rate == best) for rate in rates]
        rows.append([str(spec), *cells])
    note = (
        "Loss a token at the end of the short trainings, and gIoU; ★ marks the rate that was "
        "taken, whose loss is the lowest; – failed."
    )
    return Table(["codec", *(f"{rate:g}" for rate in rates)], rows, note)


def _tried(figures: Mapping[str, float | None] | None, *, is_best: bool) -> str:
    if figures is None or figures["loss"] is None:
        return "–"
    return f"{figures['loss']:.3f}, {figures['giou']:.3f}" + (" ★" if is_best else "")


def _trainings(document: Document) -> str:
    headings = {
        "giou": "gIoU", "gap": "gap", "invalid": "invalid", "free_giou": "gIoU, free",
        "free_invalid": "invalid, free", "steps": "steps", "seconds": "seconds",
    }  # fmt: skip
    found: Sequence[Result] = of_kind(document, RUN)
    return pages.section(
        "Every training", pages.results_table(found, ["codec", "lr", "seed"], headings)
    )


def text_table(document: Document) -> str:
    """The final figures for a terminal."""
    content = summary(document)
    rows = [list(content.columns), *map(list, content.rows)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not index else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )

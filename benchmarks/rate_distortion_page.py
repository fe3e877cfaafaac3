"""A rate-distortion report as one HTML page that loads nothing: plots, tables, how it was made."""

from __future__ import annotations

import base64
from typing import Any

from maskcodec import svg_canvas
from maskcodec.plot_canvas import MARKERS, Frame
from maskcodec.sheet import Table, escape, page_head, table
from maskcodec.tokens import GPT4O

from . import curve_plot
from .curve_plot import Plot, Ranges
from .page import STOPPED, about
from .rate_distortion_curves import LABEL_ROOM, curves, hull
from .rate_distortion_document import all_points, units
from .rate_distortion_examples import LEGEND
from .rate_distortion_measure import CHARACTERS, GROUPS
from .rate_distortion_published import layouts_of

FIGURES = {"iou": "IoU", "boundary_iou": "boundary IoU"}
SIZES = {"small": "small: under 32² pixels", "medium": "medium", "large": "large: from 96² pixels"}

STYLE = (
    svg_canvas.STYLE
    + """
.plots { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem),
  1fr)); }
.plots.three { grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); }
.plots figure { padding: .5rem .5rem .25rem; }
.legend { display: flex; flex-wrap: wrap; gap: .35rem 1.4rem; padding: 0; margin: 0 0 1rem;
  list-style: none; font: .85rem ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.legend svg { display: inline-block; width: 1.9rem; height: 1rem; vertical-align: -.15rem; }
h3 { margin-top: 2rem; }
td.spec { white-space: normal; overflow-wrap: anywhere; min-width: 13rem; }
details.unit { margin: 0; font-size: inherit; }
details.unit summary h2 { display: inline-block; color: var(--text); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .85rem; }
dt { color: var(--dim); } dd { margin: 0; }
"""
)

LEAD = (
    "Each mask was written alone, with one label, and read back at its own size. Costs are means "
    "over masks, without the label. The scale of IoU is the logarithm of what is missing to 1."
)
BUILT_IN = ["built-in photographs"]
BUILT_IN_NOTE = (
    "These are the masks of the photographs that come with the package, outlined by hand or by "
    "light, each at full, half and quarter size. They are few and not a fair sample of anything: "
    "give masks of your own before you choose a codec by these figures."
)
CHARACTERS_NOTE = (
    "No tokenizer was given, so that these are characters. A token that is added to a vocabulary, "
    "as by shapetokens or florence2, counts as its ten characters here and would be one."
)
HULL_NOTE = (
    "The broad line is the best that can be had for the money: whoever writes some masks by one "
    "spec and the rest by another reaches every point of it."
)


def page(document: dict[str, Any], examples: bytes = b"", budget: int = 0) -> str:
    """The page; plots of the first tokenizer stand open, those of the others can be unfolded.

    Args:
        document: a report with points.
        examples: a PNG of the same masks by each codec; empty for none.
        budget: at about how many tokens.
    """
    masks = document["masks"]
    names = units(document)
    title = "IoU against characters" if names == [CHARACTERS] else "IoU against tokens"
    parts = [page_head(title, LEAD, STYLE), _stopped(document), _legend(document)]
    what = {"all": "", "held-out": "held-out ", "train": "training "}[masks["split"]]
    counted = f"{masks['count']:,} masks of {masks['images']:,} {what}images. {HULL_NOTE}"
    parts.append(f"<p class=note>{escape(counted)}</p>\n")
    if masks["without_pixels"] or masks["unreadable"]:
        parts.append(f"<p class=note>{escape(_missing(masks))}</p>\n")
    if names == [CHARACTERS]:
        parts.append(f"<p class=note>{escape(CHARACTERS_NOTE)}</p>\n")
    if masks["files"] == BUILT_IN:
        parts.append(f"<p class=note>{escape(BUILT_IN_NOTE)}</p>\n")
    for index, unit in enumerate(names):
        state = "" if index else " open"
        heading = f"<summary><h2>{escape(_title(unit))}</h2></summary>"
        section = f"<details class=unit{state}>{heading}\n{_section(document, unit)}</details>"
        parts.append(f"<section>\n{section}</section>\n")
    if examples:
        parts.append(_examples(examples, names[0], budget))
    parts += [_figures(document, names), _layouts(document), _about(document)]
    return "".join(parts) + "</body>\n</html>\n"


def _missing(masks: dict[str, Any]) -> str:
    """What of the files was not measured."""
    counts = {"without pixels": masks["without_pixels"], "unreadable": masks["unreadable"]}
    listed = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"Not measured, and in no mean: {listed}."


def _stopped(document: dict[str, Any]) -> str:
    return STOPPED if document["interrupted"] else ""


def _examples(picture: bytes, unit: str, budget: int) -> str:
    """The same masks by each codec."""
    data = base64.b64encode(picture).decode("ascii")
    heading = escape(f"The same masks at about {budget:,} {_axis(unit)}")
    return (
        f"<section>\n<h2>{heading}</h2>\n"
        f"<p class=note>Of each codec the spec whose mean cost is nearest. {escape(LEGEND)}.</p>\n"
        f'<figure><img src="data:image/png;base64,{data}" alt="{heading}"></figure>\n</section>\n'
    )


def _layouts(document: dict[str, Any]) -> str:
    """What published formats cost that could not be measured."""
    rows = [
        (layout.codec, layout.tokens, layout.parts) for layout in layouts_of(document["left_out"])
    ]
    if not rows:
        return ""
    note = "Their pixels come from networks whose weights are not here, so that there is no IoU."
    content = table(Table(["codec", "tokens a mask", "which are"], rows, note))
    return f"<section>\n<h2>Published formats that were not measured</h2>\n{content}</section>\n"


def _title(unit: str) -> str:
    return "Characters" if unit == CHARACTERS else f"Tokens of {unit}"


def _axis(unit: str) -> str:
    return "characters" if unit == CHARACTERS else f"tokens ({unit})"


def _legend(document: dict[str, Any]) -> str:
    names = dict.fromkeys(entry["curve"] for entry in document["points"])
    items = []
    for index, name in enumerate(names):
        canvas = svg_canvas.SvgCanvas(30, 16, name)
        canvas.line([(1, 8), (29, 8)], index, 2)
        canvas.marker((15, 8), MARKERS[index % len(MARKERS)], index, name)
        items.append(f"<li>{canvas.finish()} {escape(name)}</li>")
    canvas = svg_canvas.SvgCanvas(30, 16, "best")
    canvas.line([(5, 8), (25, 8)], "hull", 9)
    items.append(f"<li>{canvas.finish()} best at each budget</li>")
    return f"<ul class=legend>{''.join(items)}</ul>\n"


def _section(document: dict[str, Any], unit: str) -> str:
    """The plots of one tokenizer, and the winners."""
    every = [
        point
        for figure in FIGURES
        for group in GROUPS
        for point in all_points(document, figure, group, unit)
    ]
    if not every:
        return "<p class=note>Nothing could be written.</p>\n"
    axes = curve_plot.ranges(every)
    parts = ["<div class=plots>"]
    parts += [_plot(document, figure, "all", unit, axes, (640, 470)) for figure in FIGURES]
    parts.append("</div>\n")
    for figure, name in FIGURES.items():
        heading = f"{name[0].upper()}{name[1:]} by the size of the object"
        parts.append(f"<h3>{heading}</h3>\n<div class='plots three'>")
        parts += [_plot(document, figure, group, unit, axes, (470, 400)) for group in SIZES]
        parts.append("</div>\n")
    parts.append(f"<h3>Best at each budget</h3>\n{_winners(document, unit)}")
    parts.append("<h3>Best IoU at each budget by the size of the object</h3>\n")
    parts.append(_winners_by_size(document, unit))
    parts.append(f"<h3>The convex hull</h3>\n{_hull(document, unit)}")
    return "".join(parts)


def _plot(
    document: dict[str, Any],
    figure: str,
    group: str,
    unit: str,
    axes: Ranges,
    size: tuple[int, int],
) -> str:
    lines = curves(document, figure, group, unit)
    points = [point for line in lines.values() for point in line]
    name = FIGURES[figure]
    title = name if group == "all" else f"{name}, {SIZES[group]}"
    canvas = svg_canvas.SvgCanvas(*size, f"{title} against {_axis(unit)}")
    plot = Plot(title, _axis(unit), name, lines, hull(points))
    curve_plot.draw(canvas, plot, Frame(0, 0, size[0] - LABEL_ROOM, size[1]), axes)
    return f"<figure>{canvas.finish()}</figure>\n"


def _winners(document: dict[str, Any], unit: str) -> str:
    """The best spec within each budget."""
    rows: dict[int, list[str]] = {}
    for entry in document["best"]:
        if entry["unit"] == unit and entry["masks"] == "all":
            cells = rows.setdefault(entry["budget"], [f"{entry['budget']:,}"])
            known = entry["spec"] is not None
            cells += (
                [f"{entry['value']:.3f}", entry["spec"], f"{entry['cost']:.1f}"]
                if known
                else ["–"] * 3
            )
    columns = ["mean at most", "IoU", "spec", "cost", "boundary IoU", "spec", "cost"]
    note = f"The cost is the mean of {_axis(unit)} a mask."
    return _with_specs(document, table(Table(columns, list(rows.values()), note)))


def _winners_by_size(document: dict[str, Any], unit: str) -> str:
    """The spec of highest IoU within each budget, for small, medium and large objects."""
    shown = [group for group in SIZES if all_points(document, "iou", group, unit)]
    columns, rows = ["mean at most"], dict[int, list[str]]()
    for group in shown:
        columns += [group, "IoU"]
    for entry in document["best"]:
        if entry["unit"] == unit and entry["figure"] == "iou" and entry["masks"] in shown:
            cells = rows.setdefault(entry["budget"], [f"{entry['budget']:,}"])
            known = entry["spec"] is not None
            cells += [entry["spec"], f"{entry['value']:.3f}"] if known else ["–", "–"]
    note = f"The mean of {_axis(unit)} a mask is that of the objects of this size."
    return _with_specs(document, table(Table(columns, list(rows.values()), note)))


def _with_specs(document: dict[str, Any], content: str) -> str:
    """A table's HTML, where specs may be broken between their options."""
    for spec in {entry["short"] for entry in document["points"]}:
        cell = escape(spec)
        broken = cell.replace(":", ":<wbr>").replace(",", ",<wbr>")
        content = content.replace(f"<td>{cell}</td>", f"<td class=spec>{broken}</td>")
    return content


def _hull(document: dict[str, Any], unit: str) -> str:
    """The specs that no mixture of others can beat."""
    rows = [
        (entry["spec"], FIGURES[entry["figure"]], f"{entry['value']:.3f}", f"{entry['cost']:.1f}")
        for entry in document["hull"]
        if entry["unit"] == unit
    ]
    note = "By rising cost. Between two that follow each other, a mixture of both is best."
    return table(Table(["spec", "figure", "mean", "cost"], rows, note))


def _figures(document: dict[str, Any], names: list[str]) -> str:
    """All points in one table."""
    columns = ["spec", *(f"{_axis(unit)}: mean / median / p95" for unit in names)]
    columns += ["IoU", "small", "medium", "large", "boundary IoU", "small", "medium", "large"]
    columns += ["lost", "failed"]
    rows = []
    for entry in document["points"]:
        groups = entry["groups"]
        costs = [groups["all"]["costs"].get(unit) for unit in names]
        cells = [entry["short"]]
        cells += [
            f"{c['mean']:,.1f} / {c['median']:,g} / {c['p95']:,.0f}" if c else "–" for c in costs
        ]
        cells += [
            f"{groups[group][figure]:.3f}" if group in groups else "–"
            for figure in FIGURES
            for group in GROUPS
        ]
        cells += [f"{100 * groups['all']['share_iou_0']:.1f} %", f"{entry['failed']:,}"]
        rows.append(cells)
    note = "lost: the share of masks of which nothing is left. failed: could not be written; IoU 0."
    content = table(Table(columns, rows, note))
    return f"<section>\n<h2>All figures</h2>\n{content}</section>\n"


def _about(document: dict[str, Any]) -> str:
    masks = document["masks"]
    facts = {
        "masks": f"{', '.join(masks['files'])}; split {masks['split']}{_draw(masks)}",
        "masks sha256": masks["sha256"],
        "label": document["label"],
    }
    for name, entry in document["tokenizers"].items():
        facts[f"tokenizer {name}"] = _tokenizer(entry)
    facts |= {f"left out: {spec}": reason for spec, reason in document["left_out"].items()}
    return about({**document, "settings": facts})


def _draw(masks: dict[str, Any]) -> str:
    """How many were taken, where a number was asked for."""
    if masks["drawn"] is None:
        return ""
    if masks["drawn"] < masks["found"]:
        return f"; {masks['count']:,} of {masks['found']:,}, drawn by the seed"
    return f"; all {masks['found']:,}, as --count asks for {masks['drawn']:,}"


def _tokenizer(entry: dict[str, str]) -> str:
    """Its file; the one that needs none comes with a package, whose version is said."""
    if entry["file"] == GPT4O:
        return "of the package bpe-openai"
    return f"{entry['file']}; sha256 {entry['sha256']}"

"""The page of `maskcodec bench kernels`: for each kernel, how many times faster than each peer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from maskcodec.plot_axis import short
from maskcodec.sheet import Table, escape, table

from .document import Document, Result, missed
from .page import plots, results_table, section, write_page
from .peers import PEERS
from .plots import Bar, bar_plot

TITLE = "Kernels against other packages"

LEAD = (
    "Bars say how many times faster maskcodec is than others at the same job, on the same masks, "
    "in turns on one machine; all answers were proved equal first. A long line across a bar is the "
    "ratio that must be held, a short one the goal beyond it. Below 1 the other one is faster."
)
MACHINE = {
    "machine, arithmetic": "two threads of the machine: arithmetic",
    "machine, memory": "two threads of the machine: memory",
}
OWN = ("microseconds", "x limit", *MACHINE)


def write_kernels_page(path: Path, document: Document) -> None:
    """Write the page of a document of `bench kernels`."""
    results: list[Result] = document["results"]
    sets = list(dict.fromkeys(result["name"]["masks"] for result in results))
    sections = [_summary(document)]
    for name in sets:
        of_set = [result for result in results if result["name"]["masks"] == name]
        figures = [_bars(result) for result in of_set if set(result["figures"]) - set(OWN)]
        shown = dict.fromkeys(figure for result in of_set for figure in result["figures"])
        headings = {figure: HEADINGS.get(figure, figure) for figure in shown}
        content = results_table(of_set, ["kernel"], headings, NOTE)
        sections.append(section(name, plots(figures), content))
    write_page(path, document, TITLE, LEAD, sections)


HEADINGS = {"microseconds": "µs a mask", "x limit": "times the limit of memory", **MACHINE}
NOTE = (
    "The other columns: how many times as fast as they we are. ✓ gate held, ✗ gate missed, ★ the "
    "goal beyond it reached; the gate stands behind, and a goal that was not reached in brackets. "
    "Beside a batch on two threads: how many times as fast two threads of this machine are as one "
    "in the same turns, at other work."
)


def _summary(document: Document) -> str:
    """What to know before the plots: memory, missed gates, who was not measured."""
    results = document["results"]
    gates = sum(
        result["figures"].get(peer) is not None
        for result in results
        for peer in result.get("gates", ())
    )
    below = [
        (
            result["name"]["kernel"],
            result["name"]["masks"],
            peer,
            short(result["figures"][peer]),
            short(result["gates"][peer]["least"]),
            _reach(result["gates"][peer]),
        )
        for result in results
        for peer in missed(result)
    ]
    speeds = ", ".join(f"{name} {short(v)}" for name, v in document.get("memory", {}).items())
    said = [
        f"{gates - len(below)} of {gates} gates hold.",
        f"Memory in the same run: {speeds}." if speeds else "",
        *(f"Not measured: {k}: {v}." for k, v in document.get("problems", {}).items()),
    ]
    lines = "".join(f"<p>{escape(line)}</p>\n" for line in said if line)
    columns = ("below its gate", "masks", "against", "times as fast", "gate", "the machine allows")
    return section("Summary", lines, table(Table(columns, below)) if below else "")


def _reach(gate: Mapping[str, float]) -> str:
    return short(gate["reach"]) if "reach" in gate else "–"


def _bars(result: Result) -> str:
    figures, gates = result["figures"], result.get("gates", {})
    colours = list(PEERS)
    bars = [
        Bar(
            name,
            ratio,
            colours.index(name) if name in colours else len(colours),
            gates.get(name, {}).get("least"),
            gates.get(name, {}).get("stretch"),
        )
        for name, ratio in figures.items()
        if name not in OWN
    ]
    limit = figures["x limit"]
    caption = f"{short(figures['microseconds'])} µs a mask" + (
        f", {short(limit)} times the limit set by memory" if limit else ""
    )
    if any(name in figures for name in MACHINE):
        gains = ", ".join(f"{name.split()[-1]} {short(figures[name])}" for name in MACHINE)
        caption += f"; two threads of the machine gain: {gains}"
    return bar_plot(
        result["name"]["kernel"], bars, "times as fast", log=True, base=1, caption=caption
    )

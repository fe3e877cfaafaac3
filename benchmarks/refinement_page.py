"""What refinement gains and loses, as one HTML page that loads nothing."""

from __future__ import annotations

from pathlib import Path

from maskcodec.sheet import Table, table

from . import page
from .document import Document, Result
from .refinement_measure import GROUPS

TITLE = "Refinement by the image"
LEAD = (
    "Each true mask was written alone and read back, then its contour was moved to the edges of "
    "its photograph. Shown is the mean over masks before and after, by COCO's classes of the true "
    "mask's area; better and worse are the shares of masks whose IoU rose and fell."
)
ERRORS = {
    "none": ("What the codec itself loses", "The text says the true mask, as well as it can."),
    "jitter": (
        "Boxes that are off",
        "Each edge of the object's box was moved by a normal number of 5 % of the box's side "
        "before the mask was written.",
    ),
    "dropped": ("Codes that are missing", "The second half of an object's codes was left away."),
}
FIGURES = {"iou": "IoU", "boundary_iou": "boundary IoU"}


def write(path: Path, document: Document) -> None:
    """Write the page, whole or not at all."""
    sections = [
        page.section(heading, *_tables(document, errors), note=note)
        for errors, (heading, note) in ERRORS.items()
        if _of(document, errors)
    ]
    page.write_page(path, document, TITLE, LEAD, sections)


def _of(document: Document, errors: str) -> list[Result]:
    return [result for result in document["results"] if result["name"]["errors"] == errors]


def _tables(document: Document, errors: str) -> list[str]:
    """A table of gains a figure, and the rest."""
    results = _of(document, errors)
    by_name = {(r["name"]["codec"], r["name"]["method"], r["name"]["objects"]): r for r in results}
    pairs = list(dict.fromkeys((codec, method) for codec, method, _ in by_name))
    parts = []
    for figure, name in FIGURES.items():
        rows = [
            [
                codec,
                method,
                *(_change(by_name.get((codec, method, group)), figure) for group in GROUPS),
            ]
            for codec, method in pairs
        ]
        parts.append(f"<h3>{name}</h3>\n" + table(Table(["codec", "method", *GROUPS], rows)))
    rows = [[*pair, *_rest(by_name[(*pair, "all")])] for pair in pairs]
    columns = ["codec", "method", "masks", "better", "worse", "median ms"]
    return [*parts, "<h3>How many, how long</h3>\n" + table(Table(columns, rows))]


def _change(result: Result | None, figure: str) -> str:
    if result is None:
        return "–"
    before, after = result["figures"][f"{figure}_before"], result["figures"][figure]
    return f"{before:.3f} → {after:.3f} ({after - before:+.3f})"


def _rest(result: Result) -> list[str]:
    figures = result["figures"]
    shares = [f"{100 * figures[key]:.0f} %" for key in ("better", "worse")]
    return [f"{figures['masks']:,}", *shares, f"{1000 * figures['seconds']:.0f}"]

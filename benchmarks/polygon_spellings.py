r"""Tokens and IoU of ways to simplify and to spell outlines; the ground for codec `polygon`.

    python -m maskcodec.benchmarks.polygon_spellings --masks coco.jsonl.gz \
        --tokenizer qwen3=tokenizer.json gemma3=other/tokenizer.json --json polygon.json

A mask file holds one JSON object a line with `size` and COCO `counts`. The first table compares
spellings of the same outlines, the second ways to get from a contour to fewer vertices, and the
third is `polygon` itself, through `encode` and `decode`. IoU is taken at native resolution after
COCO's rasterising; tokens are those of all that follows the label.
"""

from __future__ import annotations

import argparse
import json
import string
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask
from tokenizers import Tokenizer
from tqdm import tqdm

from maskcodec.geometry import polygon
from maskcodec.geometry.polygon import Polygons, Rings

from .boxgrid_spellings import (
    Result,
    print_heading,
    print_row,
    read_shapes,
    run_codec,
    summarize,
)

Bools = npt.NDArray[np.bool_]
Vertex = Callable[[int, int], str]

TOLERANCE = 0.005
CODECS = (
    "polygon:tolerance=0.0",
    "polygon:tolerance=0.002",
    "polygon:tolerance=0.005",
    "polygon:tolerance=0.01",
    "polygon:tolerance=0.02",
    "polygon:tolerance=0.04",
    "polygon:tolerance=0.0,points=8",
    "polygon:tolerance=0.0,points=12",
    "polygon:tolerance=0.0,points=24",
    "polygon:bins=1000,alphabet=decimal,tolerance=0.005",
    "polygon:bins=1000,alphabet=decimal,tolerance=0.02",
)


class Spelling(NamedTuple):
    """How vertices, rings and holes are written.

    Attributes:
        bins: bins along a side.
        vertex: writes one vertex.
        blank: stands between vertices.
        plus: stands before a further ring.
        minus: stands before a hole.
    """

    bins: int
    vertex: Vertex
    blank: str = " "
    plus: str = " + "
    minus: str = " - "


def in_letters(number: int, digits: str = string.ascii_lowercase) -> str:
    """Two letters for 0 to 675."""
    return digits[number // 26] + digits[number % 26]


def letters(upper: bool, between: str) -> Vertex:
    """Writes x and y as two letters each, y perhaps in upper case."""
    second = string.ascii_uppercase if upper else string.ascii_lowercase
    return lambda x, y: in_letters(x) + between + in_letters(y, second)


SPELLINGS = {
    "`12,345 67,890`": Spelling(1000, "{},{}".format),
    "`12 345 67 890`": Spelling(1000, "{} {}".format),
    "JSON `[12,345],[67,890]`": Spelling(1000, "[{},{}]".format, ",", "],[", "],["),
    "`012345 067890`": Spelling(1000, "{:03}{:03}".format),
    "`012345067890`": Spelling(1000, "{:03}{:03}".format, ""),
    "`<loc_12><loc_345>`, not added": Spelling(1000, "<loc_{}><loc_{}>".format, ""),
    "`ab cd ef gh`": Spelling(676, letters(upper=False, between=" ")),
    "`ab CD ef GH`": Spelling(676, letters(upper=True, between=" ")),
    "`abcd efgh`": Spelling(676, letters(upper=False, between="")),
    "`abCD efGH`": Spelling(676, letters(upper=True, between="")),
}


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--masks", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument("--tokenizer", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument("--limit", type=int, help="take as many masks a file, chosen by seed 0")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the tables there")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Print three tables a file."""
    args = make_parser().parse_args(argv)
    tokenizers = {
        name: Tokenizer.from_file(file)
        for name, _, file in (entry.partition("=") for entry in args.tokenizer)
    }
    rows: list[dict[str, Any]] = []
    for path in args.masks:
        shapes = read_shapes(path, args.limit)
        decoded = (coco_mask.decode(shape.mask) for shape in shapes)
        arrays = [np.ascontiguousarray(array, np.bool_) for array in decoded]
        print(f"\n{path.name}: {len(arrays)} masks; spellings at tolerance {TOLERANCE}")
        print_heading(tokenizers)
        for name, spelling in SPELLINGS.items():
            results = [spell(spelling, array) for array in tqdm(arrays, desc=name, leave=False)]
            rows.append(row := summarize(path.name, name, results, tokenizers))
            print_row(row, tokenizers)
        print("\n| fewer vertices by | IoU | vertices | rings |\n|---|---|---|---|")
        for name, simplify in SIMPLIFIERS.items():
            rows.append(row := compare(path.name, name, simplify, arrays))
            print(f"| {name} | {row['iou']:.4f} | {row['vertices']:.1f} | {row['rings']:.2f} |")
        print()
        print_heading(tokenizers)
        for spec in CODECS:
            results = [run_codec(spec, shape) for shape in tqdm(shapes, desc=spec, leave=False)]
            rows.append(row := summarize(path.name, spec, results, tokenizers))
            print_row(row, tokenizers)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


def spell(spelling: Spelling, array: Bools) -> Result:
    """Outline a mask on the bins of a spelling, and write it."""
    rings = polygon.outline(array, spelling.bins, TOLERANCE)
    text = ": "
    for index, (ring, hole) in enumerate(zip(rings.split(), rings.hole, strict=True)):
        if index:
            text += spelling.minus if hole else spelling.plus
        text += spelling.blank.join(spelling.vertex(x, y) for x, y in ring.tolist())
    painted = polygon.paint(Polygons(("",), spelling.bins, (rings,)), array.shape)[0]
    return Result(text, iou(painted, array), int(array.sum()))


def compare(
    file: str, name: str, simplify: Callable[[Bools], Rings], arrays: Sequence[Bools]
) -> dict[str, Any]:
    """IoU, vertices and rings of a way to simplify, on a lattice fine enough to play no part."""
    found = [simplify(array) for array in tqdm(arrays, desc=name, leave=False)]
    painted = (
        polygon.paint(Polygons(("",), FINE, (rings,)), array.shape)[0]
        for rings, array in zip(found, arrays, strict=True)
    )
    return {
        "masks": file,
        "simplified": name,
        "iou": float(np.mean([iou(a, b) for a, b in zip(painted, arrays, strict=True)])),
        "vertices": float(np.mean([len(rings.xy) for rings in found])),
        "rings": float(np.mean([len(rings.hole) for rings in found])),
    }


def iou(a: Bools, b: Bools) -> float:
    """Intersection over union."""
    return float((a & b).sum() / (a | b).sum())


FINE = 16_001


def douglas_peucker(pixels: float, array: Bools) -> Rings:
    """OpenCV's approxPolyDP on the contour along pixel edges."""
    xy, starts, hole = polygon.trace(array)
    rings = [
        cv2.approxPolyDP(xy[a:b].reshape(-1, 1, 2), pixels, closed=True).reshape(-1, 2)
        for a, b in pairwise(starts)
    ]
    if max(map(len, rings)) < 3:  # an object keeps a ring
        rings, hole = [xy[: starts[1]]], hole[:1]
    kept = [(ring, hole) for ring, hole in zip(rings, hole, strict=True) if len(ring) >= 3]
    lengths = [len(ring) for ring, _ in kept]
    return _on_lattice(
        np.concatenate([ring for ring, _ in kept]),
        np.cumsum([0, *lengths]).astype(np.int32),
        np.array([hole for _, hole in kept]),
        array,
    )


def collapse(tolerance: float, array: Bools) -> Rings:
    """Segments collapsed at equal area, as `polygon` does it, before vertices are fitted."""
    contour = polygon.trace(array)
    return _on_lattice(*polygon.simplify(*contour, tolerance * int(array.sum()), 0), array)


def _on_lattice(
    xy: npt.NDArray[Any], starts: npt.NDArray[np.int32], hole: Bools, array: Bools
) -> Rings:
    side = np.array(array.shape[::-1])
    placed = np.floor(xy * ((FINE - 1) / side) + 0.5).clip(0, FINE - 1)
    return Rings(placed.astype(np.int32), starts, hole)


SIMPLIFIERS: dict[str, Callable[[Bools], Rings]] = {
    **{f"Douglas-Peucker, {p:g} px": partial(douglas_peucker, p) for p in (1.0, 1.5, 2.0, 4.0)},
    **{f"collapse, {t:g}": partial(collapse, t) for t in (0.002, 0.005, 0.01, 0.02)},
    **{
        f"collapse and fit, {t:g}": partial(polygon.outline, bins=FINE, tolerance=t)
        for t in (0.002, 0.005, 0.01, 0.02)
    },
}


if __name__ == "__main__":
    main()

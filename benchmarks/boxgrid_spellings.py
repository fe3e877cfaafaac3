r"""Tokens and IoU of ways to spell a shape inside its box; the ground for codec `boxgrid`.

    python -m maskcodec.benchmarks.boxgrid_spellings --masks coco.jsonl.gz lvis.jsonl.gz \
        --tokenizer qwen3=tokenizer.json gemma3=other/tokenizer.json --json spellings.json

A mask file holds one JSON object a line with `size` and COCO `counts`. The box of each mask is
written in 0..999 before its shape, and IoU is taken at native resolution with the box as read
back, so that both pay for it. Tokens are those of all that follows the label. `--codec` adds
settings of `boxgrid` that are measured through maskcodec itself.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask
from tokenizers import Tokenizer
from tqdm import tqdm

import maskcodec as mc

from .spellings import SPELLINGS

BINS = 999


class Shape(NamedTuple):
    """One mask, cut to its box as a reader of the written box sees it."""

    box: str
    crop: npt.NDArray[np.bool_]
    area: int
    mask: dict[str, Any]


class Result(NamedTuple):
    """What one spelling made of one mask."""

    text: str
    iou: float
    area: int


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--masks", nargs="+", type=Path, required=True, metavar="FILE")
    parser.add_argument("--tokenizer", nargs="+", required=True, metavar="NAME=FILE")
    parser.add_argument("--limit", type=int, help="take as many masks a file, chosen by seed 0")
    parser.add_argument("--only", nargs="*", help="names of spellings (default: all)")
    parser.add_argument("--codec", nargs="*", default=[], metavar="SPEC", help="codecs to add")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the table there")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every spelling on every file and print one table a file."""
    args = make_parser().parse_args(argv)
    tokenizers = {
        name: Tokenizer.from_file(file)
        for name, _, file in (entry.partition("=") for entry in args.tokenizer)
    }
    table = []
    for path in args.masks:
        shapes = read_shapes(path, args.limit)
        print(f"\n{path.name}: {len(shapes)} masks")
        print_heading(tokenizers)
        for name in args.only if args.only is not None else SPELLINGS:
            results = [spell(name, shape) for shape in tqdm(shapes, desc=name, leave=False)]
            table.append(row := summarize(path.name, name, results, tokenizers))
            print_row(row, tokenizers)
        for spec in args.codec:
            results = [run_codec(spec, shape) for shape in tqdm(shapes, desc=spec, leave=False)]
            table.append(row := summarize(path.name, spec, results, tokenizers))
            print_row(row, tokenizers)
    if args.json:
        args.json.write_text(json.dumps(table, indent=1) + "\n")


def read_shapes(path: Path, limit: int | None) -> list[Shape]:
    """Read the masks of a file that hold at least one pixel."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        records = [json.loads(line) for line in lines]
    if limit:
        random.Random(0).shuffle(records)
        records = records[:limit]
    masks = (
        {"size": record["size"], "counts": record["counts"].encode()}
        for record in tqdm(records, desc=path.name, leave=False)
    )
    return [cut(mask) for mask in masks if coco_mask.area(mask)]


def cut(mask: dict[str, Any]) -> Shape:
    """Write the box of a COCO RLE in 0..999, read it back and cut the mask to it."""
    sides = np.array(mask["size"][::-1] * 2)
    x, y, width, height = coco_mask.toBbox(mask)
    corners = np.array([x, y, x + width, y + height], np.int64)
    bins = (2 * corners * BINS + sides) // (2 * sides)
    bins[2:] = np.maximum(bins[2:], bins[:2] + 1)
    left, top, right, bottom = ((2 * bins * sides + BINS) // (2 * BINS)).tolist()
    crop = coco_mask.decode(mask)[top:bottom, left:right].astype(np.bool_)
    return Shape(",".join(map(str, bins)), crop, int(coco_mask.area(mask)), mask)


def spell(name: str, shape: Shape) -> Result:
    """Spell a shape, paint what the words say and compare; outside the box all is missed."""
    words, pixels = SPELLINGS[name](shape.crop)
    both = int((pixels & shape.crop).sum())
    return Result(
        f": {shape.box} {words}", both / (int(pixels.sum()) + shape.area - both), shape.area
    )


def run_codec(spec: str, shape: Shape) -> Result:
    """Encode and decode one mask through maskcodec."""
    label = "x"
    codec = mc.get_codec(spec)
    array = coco_mask.decode(shape.mask).astype(np.bool_)
    text = codec.encode([mc.Mask(array, label)], array.shape)
    found = codec.decode(text, array.shape).masks[0].array
    iou = float((found & array).sum() / (found | array).sum())
    return Result(text.removeprefix(label), iou, shape.area)


def summarize(
    file: str, name: str, results: Sequence[Result], tokenizers: dict[str, Tokenizer]
) -> dict[str, Any]:
    """Mean IoU (also of COCO's small, medium and large), median and mean tokens a vocabulary."""
    iou = np.array([result.iou for result in results])
    area = np.array([result.area for result in results])
    bounds = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, np.inf)}
    tokens = {}
    for vocabulary, tokenizer in tokenizers.items():
        encoded = tokenizer.encode_batch([r.text for r in results], add_special_tokens=False)
        counts = [len(encoding.ids) for encoding in encoded]
        tokens[vocabulary] = {"median": float(np.median(counts)), "mean": float(np.mean(counts))}
    return {
        "masks": file,
        "spelling": name,
        "count": len(results),
        "iou": float(iou.mean()),
        **{
            size: float(iou[(low <= area) & (area < high)].mean())
            for size, (low, high) in bounds.items()
            if ((low <= area) & (area < high)).any()
        },
        "tokens": tokens,
    }


def print_heading(tokenizers: dict[str, Tokenizer]) -> None:
    """The first lines of a table in markdown."""
    names = ["spelling", "IoU", "S", "M", "L", *tokenizers]
    print(f"| {' | '.join(names)} |")
    print("|---" * len(names) + "|")


def print_row(row: dict[str, Any], tokenizers: dict[str, Tokenizer]) -> None:
    """One line of a table in markdown; tokens as median / mean."""
    ious = [f"{row[key]:.4f}" if key in row else "" for key in ("iou", "small", "medium", "large")]
    counts = [
        f"{row['tokens'][name]['median']:g} / {row['tokens'][name]['mean']:.1f}"
        for name in tokenizers
    ]
    print(f"| {' | '.join([row['spelling'], *ious, *counts])} |", flush=True)


if __name__ == "__main__":
    main()

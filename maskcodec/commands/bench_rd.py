"""`maskcodec bench rd`: its arguments."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from . import arguments as args

BUDGETS = (4, 8, 12, 20, 30, 40, 60, 120, 240)

DESCRIPTION = """\
IoU and boundary IoU against tokens, for every codec and a grid of its options: which one is best
for 20, 60 or 120 tokens a mask?

Each mask is written alone, with one label, and read back at its own size. Tokens are those of the
text less those of the label, once, under every --tokenizer; without one, those of gpt4o, or
characters where it is not installed. Prints a row a spec, then the best spec within each budget.

Without masks it takes those of the built-in photographs, at full, half and quarter size: enough to
see how codecs compare, too few to choose by. Give your own: COCO json, JSONL of run lengths (.gz
too), or folders. `--split held-out` takes the images that no shipped codebook was trained on.

After Ctrl-C the figures of the finished specs are written; --resume keeps those that stand in
--json and measures the rest; with nothing left to measure it draws the page and the pictures again.
`SPEC@N` keeps the first N codes of what SPEC writes."""

EXAMPLES = """\
  maskcodec bench rd --html rd.html
  maskcodec bench rd instances_val2017.json --count 2000 --tokenizer qwen3=tokenizer.json gpt4o \\
      --json rd.json --html rd.html --png rd.png --examples examples.png
  maskcodec bench rd masks.jsonl --specs florence2 simpleseg polygon --budgets 50 100"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add = parser.add_argument
    add(
        "masks", nargs="*", type=Path,
        help="COCO json, JSONL of run lengths (.gz too), folders (default: built-in photographs)",
    )  # fmt: skip
    add(
        "--names", type=Path, metavar="FILE",
        help="take images as label maps; names of their values as for `maskcodec encode`",
    )  # fmt: skip
    add("--split", choices=("held-out", "train", "all"), default="all", help="default: %(default)s")
    add("--count", type=args.count, metavar="N", help="take N masks, drawn by --seed")
    add("--seed", type=int, default=0, help="default: %(default)s")
    add("--specs", nargs="+", metavar="SPEC", help="default: a grid of every codec")
    add(
        "--tokenizer", nargs="+", default=[], metavar="NAME=FILE",
        help="tokenizer.json files, or gpt4o; the first one's tokens are printed (default: gpt4o "
        "where the package bpe-openai is installed)",
    )  # fmt: skip
    add(
        "--budgets", nargs="+", type=args.count, metavar="N", default=list(BUDGETS),
        help="tokens a mask for which the best spec is named "
        f"(default: {' '.join(map(str, BUDGETS))})",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write all figures there, spec by spec")
    add("--html", type=Path, metavar="FILE", help="write a page with curves, tables and examples")
    add("--png", type=Path, metavar="FILE", help="write a picture of the curves")
    add(
        "--examples", type=Path, metavar="FILE",
        help="write a picture (PNG) of three masks by each codec at about as many tokens",
    )  # fmt: skip
    add(
        "--example-tokens", type=args.count, metavar="N", default=60,
        help="about how many tokens a mask that is (default: 60)",
    )  # fmt: skip
    add("--resume", action="store_true", help="keep the finished specs of --json")
    add(
        "--jobs",
        type=args.jobs,
        default=os.cpu_count() or 1,
        help="processes (default: one a core)",
    )
    args.add_quiet(parser)

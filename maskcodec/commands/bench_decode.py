"""`maskcodec bench decode`: its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args

SPECS = ("boxgrid", "text4seg:grid=32", "polygon", "coco_rle", "shapetokens")
"""One codec of each way to be painted; two of grids, the package's own and the field's."""

BATCHES = (1, 4, 16, 64, 256, 1024, 4096)
SIZE = (480, 640)
RATE = 50.0

DESCRIPTION = """\
Decode texts to masks on the whole path, from characters to pixels: one by one, in batches on one
thread and on all, and on the GPU where there is one. Says texts, masks and bytes a second, the
share of the speed at which this machine can write memory (measured in the same run), the memory
that decoding needs beside its output, and how soon a model's answer gives a first mask.

Before anything is timed, batches must equal the texts one by one, and each device the CPU, bit for
bit. Texts are written from the masks of the built-in photographs, shifted and mirrored by --seed so
that no two are alike, or from your own (--masks)."""

EXAMPLES = """\
  maskcodec bench decode --html decode.html --json decode.json
  maskcodec bench decode --specs polygon florence2 --sizes 480x640 1080x1920 --batches 1 64 256
  maskcodec bench decode --masks instances_val2017.json --objects 5 --devices cpu cuda"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add = parser.add_argument
    add(
        "--specs", nargs="+", metavar="SPEC", default=list(SPECS),
        help=f"codecs to measure (default: {' '.join(SPECS)})",
    )  # fmt: skip
    add(
        "--sizes", nargs="+", type=args.size, metavar="HxW", default=[SIZE],
        help="sizes of the masks in pixels (default: 480x640)",
    )  # fmt: skip
    add(
        "--batches", nargs="+", type=args.count, metavar="N", default=list(BATCHES),
        help="texts decoded in one call (default: 1 to 4096); those whose masks would not fit into "
        "--memory are left out, and named",
    )  # fmt: skip
    add(
        "--objects", type=args.count, default=1, metavar="N", help="masks a text (default: 1)"
    )  # fmt: skip
    add(
        "--devices", nargs="+", choices=("cpu", "torch", "cuda"),
        help="cpu: the compiled kernels. torch: torch on the CPU. cuda: the GPU, by Triton's "
        "kernels where it has them, and by torch alone (default: cpu, and cuda where there is one)",
    )  # fmt: skip
    add(
        "--masks",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="COCO json, JSONL or folders of masks; a record that can't be used ends the run",
    )
    add(
        "--memory", type=args.count, metavar="MIB",
        help="the most MiB that the masks of a batch may take (default: a quarter of what is free)",
    )  # fmt: skip
    add(
        "--seconds", type=float, default=0.3, metavar="S",
        help="time spent on each measurement, at least three passes (default: 0.3)",
    )  # fmt: skip
    add(
        "--rate", type=float, default=RATE, metavar="R",
        help="tokens a second at which a model is taken to print (default: 50)",
    )  # fmt: skip
    args.add_tokenizer(parser)
    add("--seed", type=args.natural, default=0, help="default: %(default)s")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    add("--html", type=Path, metavar="FILE", help="write a page with plots and tables")
    args.add_quiet(parser)

"""`maskcodec bench kernels`: its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args

DESCRIPTION = """\
Time every kernel against other packages, and against the speed of memory, in one run.

Each kernel is first proved equal to its NumPy twin, and each peer's answers to ours. Every peer has
a process of its own; ours and theirs then take turns, each going through the masks of a set a turn
(a slow one through some of them), and the fastest time of each part of the set counts: processor
time, or the wall clock's for threads. Where some side's time still falls by a hundredth and more,
all go on. A peer that is missing or fails is named and left out.
Beside batches on two threads stands how much faster two threads of this machine are than one, in
the same turns, at pure arithmetic and at copies of memory.

The table gives microseconds a mask; "x limit" is that time over the time that this machine takes
just to read the kernel's input and to write its output, measured in the same run; then how many
times faster we are than each peer. Where there is a gate, the ratio that must be held, it says
whether it was, and whether the goal beyond it was reached. "the machine allows 3.9" stands where
a gate asks for more than the machine had in this run: a program that takes no longer than memory
does would be 3.9 times as fast as that peer; or two threads of the machine gain no more than that.

Status 1: a gate was missed, or an answer was wrong. While other programs keep the cores busy, two
threads can't be faster than one, and memory is slower: look twice at such a gate."""

EXAMPLES = """\
  maskcodec bench kernels
  maskcodec bench kernels --full --json kernels.json --html kernels.html
  maskcodec bench kernels --only rle --masks coco.jsonl.gz
  maskcodec bench kernels --kernel bilinear --peers opencv torch --sizes 720x1280"""

SUITES = ("rle", "grid", "paint", "text", "polygon", "shape")

SIZES = ((480, 640), (1024, 1024), (2160, 3840))
"""(height, width) in pixels of the sets that `--full` takes; the first is the default."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add = parser.add_argument
    add(
        "--masks", type=Path, nargs="+", default=[], metavar="FILE",
        help="also measure on masks of your own: JSONL of COCO run lengths, .gz too, 64 or more",
    )  # fmt: skip
    add("--only", choices=SUITES, nargs="+", default=list(SUITES), help="which kernels")
    add("--kernel", default="", metavar="WORDS", help="only kernels whose name holds this")
    add(
        "--peers", nargs="+", metavar="PEER",
        help="only these, e.g. pycocotools opencv; none at all: --peers none (default: all)",
    )  # fmt: skip
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--sizes", type=args.size, nargs="+", metavar="HxW", help="of the masks (default: 480x640)"
    )
    sizes.add_argument(
        "--full", action="store_true", help="480x640, 1024x1024 and 2160x3840; half an hour"
    )
    add(
        "--count", type=args.count, metavar="N",
        help="masks in a set; few stay in a cache (default: 64, and 64 MiB of them at least)",
    )  # fmt: skip
    add("--seed", type=args.natural, default=0, help="of the masks (default: %(default)s)")
    add(
        "--seconds", type=float, default=0.5,
        help="time for each kernel and set, three turns at least, and up to six times as long "
        "while times are falling (default: %(default)s)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write the figures there")
    add("--html", type=Path, metavar="FILE", help="write a page with a plot for each kernel")
    args.add_quiet(parser)

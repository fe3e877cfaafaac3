"""`maskcodec bench compare`: its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args

DESCRIPTION = """\
Show what moved between two measurements: two files that `maskcodec bench` wrote with --json.

Results are matched by name. For each figure that both have, the table says what it was in A, what
it is in B, and by how much it moved, the largest moves first; then which results stand in one file
alone. The machine, the versions and the settings are compared too, and a difference is said: where
they are not the same, a figure may have moved because of them."""

EXAMPLES = """\
  maskcodec bench kernels --json before.json
  maskcodec bench kernels --json after.json
  maskcodec bench compare before.json after.json
  maskcodec bench compare before.json after.json --figures pycocotools --min-change 0.1
  maskcodec bench compare before.json after.json --json moved.json --html moved.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add = parser.add_argument
    add("before", type=Path, metavar="A.json", help="the earlier measurement")
    add("after", type=Path, metavar="B.json", help="the later one")
    add(
        "--min-change", type=args.ratio, default=0.05, metavar="SHARE",
        help="leave out figures that moved by less: 0.1 is a tenth of A, 2 is three times A; an "
        "IoU must move by a tenth of it in points (default: %(default)s)",
    )  # fmt: skip
    add("--figures", nargs="+", metavar="NAME", help="only figures of these names")
    add("--results", default="", metavar="WORDS", help="only results whose name holds this")
    add(
        "--most", type=args.count, default=50, metavar="N",
        help="rows that are printed; the files get all (default: %(default)s)",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write what moved there")
    add("--html", type=Path, metavar="FILE", help="write a page with what moved")

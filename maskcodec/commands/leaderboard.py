"""`maskcodec leaderboard`: published results, and a user's own run among them."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from ..spec import nearest
from . import arguments as args

DATASETS = ("refcoco", "refcoco+", "refcocog", "grefcoco", "reasonseg")

DESCRIPTION = """\
Published results of referring and reasoning segmentation as a table, the best first, and your own
run among them: its row begins with >. A row whose figures were counted in another way than your
run's bears a letter, and below the table stands why; do not compare with it.

Your run is scores.json as `maskcodec score` or `maskcodec segment` writes it. Figures are in
percent; a dash is a figure that nobody published. The average stands where no column is missing.
docs/leaderboard.md says where the figures come from and how to add rows."""

EXAMPLES = """\
  maskcodec leaderboard
  maskcodec leaderboard --dataset refcoco refcoco+ refcocog --sort average
  maskcodec leaderboard --with scores/scores.json
  maskcodec leaderboard --with a/scores.json b/scores.json --html board.html --json board.json
  maskcodec leaderboard --dataset reasonseg --metric gIoU --csv ours.csv
  maskcodec leaderboard --with out/scores.json --run-dataset refcoco --run-split val"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "leaderboard", "published results, your own run among them", DESCRIPTION,
        EXAMPLES,
    )  # fmt: skip
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all arguments."""
    add = parser.add_argument
    add(
        "--with", dest="runs", nargs="+", default=[], type=Path, metavar="FILE",
        help="scores.json of your run; of several splits, several files",
    )  # fmt: skip
    add(
        "--dataset", nargs="+", type=_dataset, metavar="NAME",
        help=f"one or more of {', '.join(DATASETS)} (default: your run's, else refcoco)",
    )  # fmt: skip
    add("--split", nargs="+", metavar="NAME", help="only these splits (default: all)")
    add(
        "--metric", metavar="NAME",
        help="cIoU, gIoU, mIoU, P@0.5 to P@0.9, N-acc, T-acc (default: cIoU; of grefcoco and "
        "reasonseg gIoU)",
    )  # fmt: skip
    add(
        "--sort", metavar="SPLIT|average",
        help="the column that decides the order (default: your run's split, else the first)",
    )  # fmt: skip
    add(
        "--kind", nargs="+", choices=("text-as-mask", "LLM-based", "pre-LLM"), metavar="KIND",
        help="only systems of these kinds: text-as-mask, LLM-based, pre-LLM",
    )  # fmt: skip
    add(
        "--csv", type=Path, nargs="+", default=[], metavar="FILE",
        help="more rows, in the form of the shipped table",
    )  # fmt: skip
    add("--html", type=Path, metavar="FILE", help="write the table as a page too")
    add("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    _add_run(parser)


def _dataset(name: str) -> str:
    """A data set of the table.

    Raises:
        argparse.ArgumentTypeError: there is none of that name.
    """
    if name not in DATASETS:
        raise argparse.ArgumentTypeError(
            f"{name!r} is none of {', '.join(DATASETS)}{nearest(name, DATASETS)}"
        )
    return name


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("about your run, where its file does not say").add_argument
    add("--run-system", metavar="NAME", help="its name")
    add("--run-dataset", metavar="NAME", help="its data set")
    add("--run-split", metavar="NAME", help="its split")
    add(
        "--run-prompts", choices=("single", "merged", "one"), default="single",
        help="whether each expression was asked alone, all of an object in one prompt, or one of "
        "each object (default: %(default)s)",
    )  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Print the table."""
    # The program is packaged from the folder eval/, where type checkers don't look for it.
    program = importlib.import_module("maskcodec.eval.leaderboard")
    status: int = program.leaderboard(arguments)
    return status

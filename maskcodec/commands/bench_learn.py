"""`maskcodec bench learn`: its arguments."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from . import arguments as args

DESCRIPTION = """\
How well does a model learn each codec? The same base model, examples, steps and learning rates for
each: gIoU on unseen images against training, the share of invalid answers, and what is missing to
what the codec alone keeps.

For each codec: prepare the examples; train --sweep-steps steps with each rate of --lr, and take the
rate with the lowest loss at the end; then train with that rate, with --seeds seeds, and let each
adapter answer --test, kept in the codec's format and free. The loss is the plain next-token loss.

The defaults train a tiny model that is shipped on generated scenes, on the CPU: some 40 minutes on
two cores, the beginning of each curve. For more of it, give --steps and --batch-size. For a model
and data of yours, on a GPU, give --model, --train, --val and --test, where each of the last three
takes the arguments of `maskcodec prepare` as one string, without --spec and --output.

Into the folder --output go learn.json, learn.html, learn.png, and all examples, adapters and logs.
Ctrl-C keeps every finished training, and the checkpoint of the one that was stopped; --resume goes
on, also with further --specs or --seeds: the figures then hold all that the folder holds."""

EXAMPLES = """\
  maskcodec bench learn --output learn
  maskcodec bench learn --output learn --resume --seeds 5
  maskcodec bench learn -o longer --batch-size 32 --sweep-steps 90 --steps 270 --eval-steps 45
  maskcodec bench learn -o quick --specs shapetokens boxgrid:rows=6 --steps 60 --sweep-steps 20
  maskcodec bench learn -o learn --model Qwen/Qwen2.5-VL-3B-Instruct \\
      --train "refcoco --images train2014 --split train" \\
      --val "refcoco --images train2014 --split val --limit 200" \\
      --test "refcoco --images train2014 --split testA --limit 1000" \\
      --lr 5e-5 1e-4 2e-4 --token-rate 5 --sweep-steps 500 --steps 5000 --eval-steps 500"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add = parser.add_argument
    add("--output", "-o", type=Path, required=True, metavar="DIR", help="see above")
    add("--specs", nargs="+", metavar="SPEC", help="codecs (default: six, of all families)")
    add("--model", default="tiny", metavar="NAME", help="the base model (default: %(default)s)")
    add(
        "--as-it-is", action="store_true",
        help="take tiny as it is; else it is made neutral to the tokens that it never printed, "
        "which codecs of plain text need and a model of text knows",
    )  # fmt: skip
    for name, what in (
        ("train", "what to train on"),
        ("val", "what the curves are measured on"),
        ("test", "what the end is measured on"),
    ):
        add(f"--{name}", metavar='"SOURCE …"', help=f"{what} (default: generated scenes)")
    add(
        "--lr", nargs="+", type=_positive, default=[3e-3, 1e-2], metavar="X",
        help="learning rates to try (default: .003 .01); with one there is no sweep",
    )  # fmt: skip
    add(
        "--token-rate", type=_positive, default=5.0, metavar="X",
        help="the rate of rows of added tokens, times the other (default: %(default)g)",
    )  # fmt: skip
    add("--batch-size", type=args.count, default=16, metavar="N", help="default: %(default)s")
    add(
        "--sweep-steps", type=args.count, default=50, metavar="N",
        help="steps of a training that tries a rate (default: %(default)s)",
    )  # fmt: skip
    add("--steps", type=args.count, default=150, metavar="N",
        help="steps of the others (default: %(default)s)")  # fmt: skip
    add(
        "--minutes", type=_positive, metavar="X",
        help="end each of the others by the clock instead: equal time of training for every codec, "
        "evaluations not counted",
    )  # fmt: skip
    add("--seeds", type=args.count, default=3, metavar="N", help="default: %(default)s")
    add(
        "--eval-steps", type=args.count, default=30, metavar="N",
        help="steps between points of a curve (default: %(default)s)",
    )  # fmt: skip
    add(
        "--eval-examples", type=args.count, default=100, metavar="N",
        help="examples of --val for a point (default: %(default)s)",
    )  # fmt: skip
    add(
        "--train-options", default="", metavar='"…"',
        help='further flags of `maskcodec train`, e.g. --train-options="--rank 64"; none that are '
        "said by a flag of this program",
    )  # fmt: skip
    add(
        "--jobs", "-j", type=args.jobs, metavar="N",
        help="trainings at a time (default: one a core, 8 at most, for --model tiny; else 1)",
    )  # fmt: skip
    add(
        "--threads", type=_threads, default=0, metavar="N",
        help="of torch in each of them (default: its own choice, or 1 with --jobs)",
    )  # fmt: skip
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--resume", action="store_true", help="keep what is finished in --output")
    group.add_argument("--overwrite", action="store_true", help="replace a run in --output")
    args.add_quiet(parser)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def _threads(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of threads")
    return int(text)

"""`maskcodec segment`: images and words to masks, by a model that was trained to print them."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from . import arguments as args
from .refining import add_refine

DESCRIPTION = """\
Ask a model for masks: INPUT is one or more images and what to look for in each of them, or a file
of questions that `maskcodec prepare` wrote (.jsonl, .jsonl.gz).

--model is an adapter that `maskcodec train` wrote, a folder that `maskcodec merge` or
`save_pretrained` wrote, a name on the Hugging Face hub, or tiny, the model that is shipped.

Answers are kept in the codec's format at every token: by token id where the codec's pieces are
tokens, by its grammar (package xgrammar) elsewhere. --free lets the model print what it likes.

Into the folder --output go
  predictions.jsonl  id, image, size, spec and the raw text: `maskcodec decode` reads it without
                     the model
  masks/             a PNG for each mask, and masks.jsonl, which says what each shows
  overlays/          a PNG for each answer
  page.html          images, truths and answers, in one file
  scores.json        shares of invalid, repaired and cut answers; with a truth gIoU and cIoU beside
                     what the codec alone reaches
With --refine masks, overlays and the page show refined masks; predictions.jsonl and the figures of
scores.json stay as they are, and scores.json says beside them what refinement reaches."""

EXAMPLES = """\
  maskcodec segment photo.jpg "the dog on the left" --model runs/dogs --output out
  maskcodec segment a.jpg b.jpg "every cup" --model runs/dogs --labels cup --output out --stream
  maskcodec segment val.jsonl --model runs/dogs --batch 16 --output out --resume
  maskcodec segment val.jsonl --model runs/dogs --free --limit 200 --output out-free
  maskcodec segment val.jsonl --model runs/dogs --refine auto --output out"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "segment", "images and words to masks, by a model", DESCRIPTION, EXAMPLES
    )
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all arguments."""
    add = parser.add_argument
    add("input", nargs="+", metavar="INPUT", help="see above")
    add("--model", "-m", required=True, metavar="NAME", help="see above")
    add("--output", "-o", required=True, type=Path, metavar="DIR", help="see above")
    add("--spec", help=f"{args.SPEC_HELP} (default: what the model's maskcodec.json says)")
    add(
        "--question", default="Segment {}.", metavar="TEXT",
        help="how an expression is asked; {} stands for it (default: %(default)r)",
    )  # fmt: skip
    add(
        "--labels", nargs="+", metavar="LABEL|FILE",
        help="the labels that answers may use, or a file with one a line (default: those of the "
        "file's truth; of images, any)",
    )  # fmt: skip
    add(
        "--form", choices=("bare", "tagged"),
        help="whether answers are mask text alone or prose with <mask>...</mask> (default: what "
        "the file says; of images, what maskcodec.json says)",
    )  # fmt: skip
    add("--free", action="store_true", help="do not constrain answers")
    add(
        "--stream", action="store_true",
        help="one question at a time: its overlay is written anew whenever its masks change",
    )  # fmt: skip
    add(
        "--batch", type=args.count, default=8, metavar="N",
        help="questions at a time (default: %(default)s)",
    )  # fmt: skip
    add(
        "--max-new-tokens", type=args.count, metavar="N",
        help="tokens of an answer at most (default: half as many again as the file's longest "
        "answer; of images, 1024)",
    )  # fmt: skip
    add("--limit", type=args.count, metavar="N", help="ask only the first N questions")
    add(
        "--shown", type=args.count, default=100,
        metavar="N", help="answers on the page (default: %(default)s)",
    )  # fmt: skip
    add_refine(parser)
    add("--no-overlays", action="store_true", help="leave out overlays/")
    add("--device", default="cpu", help="of torch, e.g. cuda (default: %(default)s)")
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run stopped; give the same inputs and options",
    )  # fmt: skip
    group.add_argument("--overwrite", action="store_true", help="replace an earlier run's files")
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Segment; 1 if questions were set aside."""
    # The program is packaged from the folder eval/, where type checkers don't look for it.
    program = importlib.import_module("maskcodec.eval.generate")
    status: int = program.segment(arguments)
    return status

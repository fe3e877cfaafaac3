"""The arguments of `maskcodec prepare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them all."""
    parser.add_argument("source", metavar="SOURCE", help="see above")
    parser.add_argument("--spec", required=True, help=args.SPEC_HELP)
    parser.add_argument("--output", "-o", type=Path, required=True, metavar="FILE.jsonl")
    _add_source(parser)
    _add_questions(parser)
    _add_lengths(parser)
    _add_run(parser)
    args.add_quiet(parser)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", default="auto", metavar="NAME",
        help="refcoco, grefcoco, reasonseg, coco, panoptic, labels, ade20k, cityscapes, voc, "
        "pascal-context, coco-stuff, jsonl or scenes (default: by the source's name and layout)",
    )  # fmt: skip
    parser.add_argument(
        "--images", type=Path, metavar="DIR",
        help="where the images lie (default: where the layout has them, or beside the source)",
    )  # fmt: skip
    parser.add_argument("--split", help='the part of the data set, e.g. "train"')
    parser.add_argument(
        "--masks", type=Path, metavar="DIR", help="where the PNGs of a panoptic json lie"
    )
    parser.add_argument(
        "--names", type=Path, metavar="FILE",
        help="names of a label map's values: one a line (line 1 names value 1), or JSON",
    )  # fmt: skip
    parser.add_argument(
        "--ignore", type=args.natural, action="append", default=[], metavar="N",
        help="a value of a label map that means not annotated, beside 255; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--shapes", type=Path, metavar="FILE",
        help="for scenes: real silhouettes, as JSONL of run lengths (default: drawn shapes)",
    )  # fmt: skip
    parser.add_argument(
        "--scene", default="", metavar="OPTIONS",
        help='for scenes: how they are drawn, e.g. "tiny" or "size=128x128,objects=1-4,overlap=no"',
    )  # fmt: skip
    parser.add_argument(
        "--questions", type=args.count, default=1, metavar="N",
        help="for scenes: questions of each task about a scene (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--limit", type=args.count, metavar="N", help="stop after so many examples")


def _add_questions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tasks", type=_tasks, metavar="A,B",
        help="referring, generalised, reasoning, semantic, panoptic, grounded, prompted "
        "(default: what the source is for)",
    )  # fmt: skip
    parser.add_argument(
        "--labels", choices=("category", "expression", "constant"), default="category",
        help="what a mask is called in the answer to an expression (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--constant", default="mask", metavar="TEXT",
        help="the name of --labels constant, and of what has no category (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--turns", type=args.count, default=1, metavar="N",
        help="questions about one image in a conversation, at most (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--templates", type=Path, metavar="FILE", help="JSON with wordings of your own"
    )
    parser.add_argument(
        "--coordinates", type=args.count, default=999, metavar="N",
        help="boxes and points in questions count from 0 to N (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--prompts", type=args.count, default=3, metavar="N",
        help="questions by box, point or mask, an image (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--absent", type=args.natural, default=1, metavar="N",
        help="questions for a category that isn't there, an image (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=args.natural, default=0, metavar="N",
        help="of wordings, prompts, held-out images and scenes (default: %(default)s)",
    )  # fmt: skip


def _add_lengths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tokenizer", metavar="FILE|gpt4o|none",
        help="what counts tokens: the model's tokenizer.json or its folder, gpt4o, or none "
        "(default: gpt4o where the package bpe-openai is installed, else none)",
    )  # fmt: skip
    parser.add_argument(
        "--max-tokens", type=args.count, metavar="N",
        help="what the training leaves an answer: longer ones are counted, with a warning",
    )  # fmt: skip
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="figures (default: OUTPUT.report.json)"
    )
    parser.add_argument("--sheet", type=Path, metavar="HTML", help="a sheet of examples to look at")
    parser.add_argument(
        "--sheet-examples", type=args.count, default=24, metavar="N",
        help="examples on the sheet (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--export", action="append", default=[], type=_export, metavar="SCHEMA=FILE",
        help="write the examples also as llava, swift or llamafactory read them; may be repeated",
    )  # fmt: skip


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--val-share", type=args.share, default=0.0, metavar="0..1",
        help="share of the images that are held out (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--val-output", type=Path, metavar="FILE.jsonl", help="where held-out examples go"
    )
    parser.add_argument(
        "--processes", "-j", type=args.jobs, default=1, metavar="N",
        help="processes (default: %(default)s); the output is the same",
    )  # fmt: skip
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run stopped, however it was stopped; with the "
        "same options",
    )  # fmt: skip
    group.add_argument("--overwrite", action="store_true", help="replace the output if it exists")


def _tasks(text: str) -> tuple[str, ...]:
    from ..examples import TASKS

    tasks = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    unknown = [task for task in tasks if task not in TASKS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"{unknown[0]!r} is no task, expected some of {', '.join(TASKS)}"
        )
    return tasks


def _export(text: str) -> tuple[str, Path]:
    schema, equals, name = text.partition("=")
    if not equals or not name or schema not in ("llava", "swift", "llamafactory"):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no export, expected llava=FILE.json, swift=FILE.jsonl or "
            "llamafactory=FILE.json"
        )
    return schema, Path(name)

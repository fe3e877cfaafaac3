"""`maskcodec score`: what a system predicted against what is right."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

from . import arguments as args

KINDS = ("referring", "boxes", "grounded", "semantic", "instances", "panoptic", "video")

DESCRIPTION = """\
Score predictions against truth: figures with confidence intervals, a table, a page with pictures,
and beside each figure the ceiling, which is what the codec alone keeps of the right masks.

PREDICTIONS is one of
  predictions.jsonl   text that a model printed: {"id", "spec", "text"} a line, as `maskcodec
                      segment` writes it. Where lines name no spec, give --spec
  results.json(l)     masks: {"id", "segmentation"}, where the segmentation is run lengths as COCO
                      writes them, or polygons; "image_id" and "category_id" for images as a whole
  a folder of PNGs    one PNG a sample, named by its id: a mask, or a label map (--kind semantic)
  masks.npz           an array a sample, named by its id: (height, width), or several masks

--truth is one of
  val.jsonl           a file that `maskcodec prepare` wrote
  a data set          whatever `maskcodec prepare` reads: RefCOCO, gRefCOCO, ReasonSeg, COCO
                      instances and panoptic, VOC2012, Cityscapes, ADE20K, folders of label maps,
                      run lengths. Ids are those that `prepare` gives: IMAGE#NUMBER

A sample without a prediction counts as one with nothing found; it is never passed over. Into the
folder --output go scores.json, rows.jsonl (what was counted of each sample), page.html, and
unmatched.jsonl, which lists what is missing, invalid, there twice, or of no sample.

Status 0: every prediction was read and matched. 1: scored, but something was missing or could not
be used, and is counted. 2: nothing was scored."""

EXAMPLES = """\
  maskcodec score out/predictions.jsonl --truth val.jsonl -o scores
  maskcodec score lisa.json --truth refcoco --split val --preset refcoco --system LISA -o lisa
  maskcodec score a.jsonl --against b.jsonl --truth val.jsonl -o ab
  maskcodec score masks/ --truth ADEChallengeData2016 --split val --preset ade20k -o ade
  maskcodec score a.jsonl --truth val.jsonl --shard 0/2 -o part0   # and 1/2 on another machine
  maskcodec score --merge part0 part1 -o whole"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "score", "predictions against truth: figures and a page", DESCRIPTION, EXAMPLES
    )
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all arguments."""
    add = parser.add_argument
    add("predictions", nargs="?", metavar="PREDICTIONS", help="see above")
    add("--truth", "-t", metavar="SOURCE", help="see above")
    add("--output", "-o", type=Path, required=True, metavar="DIR", help="see above")
    add("--against", metavar="PREDICTIONS", help="other predictions, to be compared in pairs")
    add(
        "--merge", nargs="+", type=Path, metavar="DIR",
        help="no predictions, but the folders of runs with --shard, to be put together",
    )  # fmt: skip
    add("--system", metavar="NAME", help="what was scored, by name (default: PREDICTIONS)")
    add("--other", metavar="NAME", help="the name of what --against holds (default: its file)")
    _add_rules(parser)
    _add_reading(parser)
    _add_running(parser)


def _add_rules(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is measured, and how")
    add = group.add_argument
    add(
        "--preset", metavar="NAME",
        help="the rules of a benchmark: refcoco, refcoco+, refcocog, grefcoco, reasonseg, ade20k, "
        "pascal-context-59, voc, coco-stuff, coco-panoptic, ref-youtube-vos, davis",
    )  # fmt: skip
    add(
        "--convention", metavar="NAME[:option=value,...]",
        help="how figures are added up: maskcodec, lisa, gsva, himtok, lavt, cris, pycocotools, "
        "torchmetrics, as far as the kind of truth has them; single options after a colon, e.g. "
        "lisa:ignore=hit (default: the preset's, else maskcodec)",
    )  # fmt: skip
    add("--kind", choices=KINDS, help="which family of figures (default: as the truth is)")
    add("--tasks", type=_names, metavar="T,T", help="only these tasks of a prepared file")
    add(
        "--resamples", type=args.natural, default=1000, metavar="N",
        help="resamples of confidence intervals and paired tests; 0 for none (default: "
        "%(default)s)",
    )  # fmt: skip
    add("--seed", type=args.natural, default=0, metavar="N", help="of the resamples (default: 0)")
    add(
        "--ceiling", metavar="SPEC",
        help="measure what this codec alone keeps of the right masks (default: the codec of the "
        "predictions; of masks, none)",
    )  # fmt: skip
    add("--no-ceiling", action="store_true", help="measure no ceiling, which takes half the time")
    add("--no-boundary", action="store_true", help="measure no boundary IoU")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how files are read")
    add = group.add_argument
    add("--spec", help=f"of texts that name none: {args.SPEC_HELP}")
    add(
        "--format", default="auto", metavar="NAME",
        help="how --truth is read, as of `maskcodec prepare` (default: by its name)",
    )  # fmt: skip
    add("--split", metavar="NAME", help="part of the data set, e.g. val or testA")
    add("--images", type=Path, metavar="DIR", help="where the images of the truth lie")
    add("--masks", type=Path, metavar="DIR", help="where the PNGs of panoptic truth lie")
    add("--names", type=Path, metavar="FILE", help="the names of the values of label maps")
    add(
        "--prediction-names", type=Path, metavar="FILE",
        help="the same of predicted label maps (default: as the truth's)",
    )  # fmt: skip
    add(
        "--ignore", type=int, nargs="+", default=(), metavar="VALUE",
        help="values of the truth's label maps that are not annotated",
    )  # fmt: skip
    add(
        "--key", choices=("auto", "id", "sent_id", "image_id"), default="auto",
        help="what names a sample in the predictions (default: auto, the field that they have)",
    )  # fmt: skip
    add(
        "--rle-order", choices=("columns", "rows"), default="columns",
        help="how predicted run lengths go: down the columns, as COCO's, or along the rows "
        "(default: %(default)s)",
    )  # fmt: skip
    add(
        "--boxes", default="pixels", metavar="UNITS[,ORDER]",
        help="how boxes in texts are meant (--kind boxes): pixels, percent, 999, 1000 or 1024 "
        "(what the far edge is called), or one (0 to 1); and xyxy, yxyx or xywh (default: "
        "pixels,xyxy)",
    )  # fmt: skip
    add(
        "--resize", action="store_true",
        help="take predicted masks of another size, nearest pixel; without it they are invalid",
    )  # fmt: skip


def _add_running(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is run")
    add = group.add_argument
    add(
        "--jobs", "-j", type=args.jobs, metavar="N",
        help="processes (default: as many as there are cores)",
    )  # fmt: skip
    add("--shard", type=_shard, metavar="I/N", help="score only part I of N, counted from 0")
    add(
        "--shown", type=args.natural, default=24, metavar="N",
        help="samples on the page as pictures (default: %(default)s)",
    )  # fmt: skip
    add("--no-page", action="store_true", help="write no page.html")
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--resume", action="store_true",
        help="go on where an interrupted run stopped; give the same files and options",
    )  # fmt: skip
    either.add_argument("--overwrite", action="store_true", help="replace an earlier run's files")
    args.add_quiet(parser)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text)
    if not match or not int(match[1]) < int(match[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is no part I/N with I from 0 to N - 1")
    return int(match[1]), int(match[2])


def run(arguments: argparse.Namespace) -> int:
    """Score; 1 if something was missing or could not be used."""
    # The program is packaged from the folder eval/, where type checkers don't look for it.
    program = importlib.import_module("maskcodec.eval.score")
    status: int = program.score(arguments)
    return status

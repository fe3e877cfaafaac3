"""`maskcodec train`: a LoRA adapter that prints masks."""

from __future__ import annotations

import argparse
import importlib

from . import arguments as args
from .train_options import add_options

DESCRIPTION = """\
Fine-tune an image-text-to-text model with LoRA to print masks.

Takes what `maskcodec prepare` wrote, a stock model class of transformers, PEFT's adapter and TRL's
SFTTrainer. Everything is checked before the first step: images, specs, and lengths, since an answer
that does not fit the model's context would be cut; such examples are listed in
DIR/rejected.jsonl with their file, line and reason.

Writes into DIR the adapter with the tokenizer and `maskcodec.json`, which says what it speaks, and
  log.jsonl      loss, and gIoU and the share of invalid answers where there is a --val
  report.html    its curves and options; curves.png is the picture alone
  checkpoint-N/  where --resume goes on, to the same adapter as if nothing had stopped the run
Ctrl-C saves a checkpoint and says how to go on."""

EXAMPLES = """\
  maskcodec train --model tiny --data train.jsonl --val val.jsonl -o runs/dogs --minutes 10
  maskcodec train --model Qwen/Qwen2.5-VL-3B-Instruct --data train.jsonl -o runs/dogs \\
      --epochs 2 --batch-size 4 --accumulate 8 --gradient-checkpointing
  maskcodec train --config run.yaml --lr 1e-4
  maskcodec train --resume -o runs/dogs"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(subparsers, "train", "a LoRA adapter", DESCRIPTION, EXAMPLES)
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add_options(parser)
    parser.add_argument(
        "--config", metavar="FILE", help="YAML of KEY: VALUE, one an option; flags win"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --output"
    )
    group.add_argument("--overwrite", action="store_true", help="replace a run in --output")
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Train; 1 if examples were set aside, 130 by Ctrl-C."""
    program = importlib.import_module("maskcodec.training.lora")
    status: int = program.run(arguments)
    return status

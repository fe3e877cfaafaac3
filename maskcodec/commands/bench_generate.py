"""`maskcodec bench generate`: its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import arguments as args

DESCRIPTION = """\
What does constrained decoding cost a model, and what does a mask: milliseconds a step with and
without the rule that keeps answers in the codec's format, tokens a mask, seconds a mask, and how
long the first answer waits for its grammar. Codecs whose pieces are tokens are held by token id,
all others by a grammar (package xgrammar).

So that both ways take the same steps, whatever a model has learnt, it is made to print the right
answers: it computes every step, and then the right id is taken. An adapter, which knows its codec,
also answers by itself, with IoU and the share of invalid answers.

--model takes models and adapters: tiny, tiny-masks, folders, names on the Hugging Face hub.
--tokenizer measures the rule alone, in a vocabulary of any size, without a model."""

EXAMPLES = """\
  maskcodec bench generate --html generate.html
  maskcodec bench generate --model Qwen/Qwen2.5-VL-3B-Instruct --specs shapetokens boxgrid --batch 1
  maskcodec bench generate --model runs/dogs --examples val.jsonl --count 200 --batch 1 16
  maskcodec bench generate --tokenizer qwen3=qwen3/tokenizer.json --json generate.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add all flags."""
    add = parser.add_argument
    add("--model", nargs="*", metavar="NAME", help="see above (default: tiny tiny-masks)")
    add(
        "--tokenizer", nargs="+", default=[], metavar="NAME=FILE",
        help="tokenizer.json files to measure the rule in",
    )  # fmt: skip
    add(
        "--specs", nargs="+", metavar="SPEC",
        help="codecs of the models that are no adapters, and of the tokenizers (default: five)",
    )  # fmt: skip
    add(
        "--examples", type=Path, metavar="FILE.jsonl",
        help="questions that `maskcodec prepare` wrote, for any codec (default: generated scenes)",
    )  # fmt: skip
    add("--count", type=args.count, default=16, metavar="N",
        help="answers of each measurement (default: %(default)s)")  # fmt: skip
    add("--batch", nargs="+", type=args.count, default=[1, 16], metavar="N",
        help="answers at a time (default: 1 16)")  # fmt: skip
    add("--repeat", type=args.count, default=2, metavar="N",
        help="measure so often and take the fastest (default: %(default)s)")  # fmt: skip
    add(
        "--seed",
        type=args.natural,
        default=6,
        metavar="N",
        help="of the scenes (default: %(default)s)",
    )
    add("--threads", type=args.count, metavar="N", help="of torch (default: its own choice)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    add("--html", type=Path, metavar="FILE", help="write a page of plots and tables")
    add("--resume", action="store_true", help="keep what stands in --json, measure the rest")
    args.add_quiet(parser)

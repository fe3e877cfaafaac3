"""`maskcodec bench`: measure speed, accuracy, tokens and learning; compare two measurements."""

from __future__ import annotations

import argparse
import importlib
from typing import Any

from . import arguments as args

BENCHES = {
    "kernels": "how fast are the kernels beside other packages, and beside memory",
    "decode": "how fast does text become masks: one by one, in batches, on a GPU",
    "rd": "how accurate are masks for their tokens, for every codec",
    "generate": "what does constrained decoding cost a model",
    "learn": "how well does a model learn each codec",
    "compare": "what moved between two measurements",
}
"""Each bench and the question that it answers."""

PROGRAMS = {"rd": "rate_distortion"}
"""The modules of `maskcodec.benchmarks` that are not called like their bench."""

DESCRIPTION = """\
Measure what decides between codecs, on this machine and on your own masks, and compare.

Each bench prints a table, and writes its figures with --json FILE and a page of plots with
--html FILE. Both say the machine, the versions, the seed and the command. Ctrl-C keeps what was
measured."""

EXAMPLES = """\
  maskcodec bench kernels --html kernels.html
  maskcodec bench rd coco.json --tokenizer qwen3=tokenizer.json --html rd.html
  maskcodec bench decode --json before.json
  maskcodec bench compare before.json after.json
`maskcodec bench NAME --help` says all about a bench."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb and its benches."""
    parser = args.add_verb(subparsers, "bench", "measure codecs", DESCRIPTION, EXAMPLES)
    benches = parser.add_subparsers(dest="bench", metavar="NAME", required=True)
    for name, question in BENCHES.items():
        module = importlib.import_module(f".bench_{name}", __package__)
        child = args.add_verb(benches, name, question, module.DESCRIPTION, module.EXAMPLES)
        module.add_arguments(child)


def run(arguments: argparse.Namespace) -> int:
    """Run the program of one bench; its exit status."""
    name = PROGRAMS.get(arguments.bench, arguments.bench)
    try:
        program: Any = importlib.import_module(f"maskcodec.benchmarks.{name}")
        status: int = program.run(arguments)
    except ModuleNotFoundError as error:
        from ..errors import MaskCodecError

        raise MaskCodecError(
            f"{arguments.bench} needs {error.name}, which is not installed: "
            "pip install 'maskcodec[bench]'"
        ) from error
    return status

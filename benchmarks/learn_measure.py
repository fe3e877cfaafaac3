"""What a trained adapter, or a base model, answers to the examples of a file, as JSON.

    python -m maskcodec.benchmarks.learn_measure run test.jsonl --output figures.json
    python -m maskcodec.benchmarks.learn_measure tiny test.jsonl --output before.json

A process of `bench learn`, which starts one for each training: torch keeps to itself there. A base
model gets the tokens of the file's codec first, as `maskcodec train` adds them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError, get_codec
from maskcodec.commands.arguments import count
from maskcodec.commands.terminal import say
from maskcodec.errors import RecordError
from maskcodec.examples import Example, read_examples
from maskcodec.writing import atomic

SCHEMA = 1
SHOWN = ("giou", "ciou", "hits", "ceiling_giou", "invalid_share", "cut_share", "mean_tokens")
"""What is kept of an evaluation."""


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.benchmarks.learn_measure",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("model", help="an adapter's folder, or a base model")
    add("examples", type=Path, help="what `maskcodec prepare` wrote")
    add("--output", type=Path, required=True, metavar="JSON")
    add(
        "--watched", type=count, metavar="N",
        help="answer so many of them, those that `maskcodec train --eval-examples` takes",
    )  # fmt: skip
    add("--batch", type=count, default=50, metavar="N")
    add("--threads", type=int, default=0, metavar="N")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; 2 if that is not possible."""
    arguments = make_parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            figures = measure(arguments)
    except (MaskCodecError, OSError) as error:
        say("bench learn", str(error))
        return 2
    with atomic(arguments.output) as stream:
        stream.write(json.dumps({"schema": SCHEMA, **figures}, indent=1).encode() + b"\n")
    return 0


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Answers in the format and free, the sizes of model and texts.

    Sizes are of all examples, also where few are answered.

    Returns:
        "watched" (how many answers were asked for; None for all), "constrained" (None where the
        codec has no grammar) and "free" with what `SHOWN` names, "parameters", "prompt_tokens"
        (mean, image and all) and "answer_tokens" (mean, its end not among them), "answer_p95",
        "answer_max".
    """
    import torch

    from maskcodec import hf
    from maskcodec.model_files import read_card

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    examples = read(arguments.examples)
    codec = get_codec(examples[0].spec)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, processor = hf.load_model(arguments.model, device=device)
    if read_card(arguments.model) is None:
        hf.add_tokens(processor, model, codec, init="numbers+codebook")
    found: dict[str, Any] = {"watched": arguments.watched}
    found |= {"parameters": sum(one.numel() for one in model.parameters())}
    found |= lengths(model, processor, codec, examples)
    from maskcodec.generation import evaluate

    answered = examples
    if arguments.watched:
        chooser = importlib.import_module("maskcodec.training.training_set")
        answered = chooser.spread(examples, arguments.watched)
    for name, constrained in (("constrained", True), ("free", False)):
        if constrained and codec.grammar(["a"]) is None:
            found[name] = None
            continue
        result = evaluate(
            model, processor, answered, codec, constrained=constrained, batch=arguments.batch
        ).figures()
        found[name] = {key: result[key] for key in SHOWN}
    return found


def lengths(
    model: Any, processor: Any, codec: Any, examples: Sequence[Example]
) -> dict[str, float]:
    """Tokens of questions with their images, and of right answers."""
    from maskcodec.generation import Segmenter, question_of

    segmenter = Segmenter(model, processor, codec, constrained=False)
    prompts = [
        int(segmenter.inputs([question_of(example, 0)])["attention_mask"].sum())
        for example in examples[:50]
    ]
    tokenizer = processor.tokenizer
    answers = sorted(
        len(tokenizer(turn.answer, add_special_tokens=False, verbose=False)["input_ids"])
        for example in examples
        for turn in example.turns
    )
    return {
        "prompt_tokens": statistics.mean(prompts),
        "answer_tokens": statistics.mean(answers),
        "answer_p95": answers[int(0.95 * (len(answers) - 1))],
        "answer_max": answers[-1],
    }


def read(path: Path) -> list[Example]:
    """The examples of a file.

    Raises:
        RecordError: one of them is unusable.
    """
    found = []
    for example in read_examples(path):
        if isinstance(example, RecordError):
            raise example
        found.append(example)
    return found


if __name__ == "__main__":
    sys.exit(main())

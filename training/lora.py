"""Fine-tune an image-text-to-text model with LoRA to print masks.

    python -m maskcodec.training.lora --model tiny --data train.jsonl --val val.jsonl -o runs/dogs

The model is a stock class of transformers, the adapter PEFT's, the loop that of TRL's `SFTTrainer`.
`maskcodec train` is this program. docs/training.md says what each part is for.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from maskcodec import MaskCodecError, get_codec
from maskcodec.commands.terminal import say
from maskcodec.commands.train import add_arguments
from maskcodec.commands.train_options import TrainOptions, read_options
from maskcodec.errors import RecordError

VERB = "train"
INTERRUPTED = 130


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.training.lora",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None, *, counts_evaluations: bool = True) -> int:
    """Train; returns the exit status; see `run`."""
    arguments = make_parser().parse_args(argv)
    try:
        return run(arguments, counts_evaluations=counts_evaluations)
    except (MaskCodecError, OSError) as error:
        say(VERB, str(error))
        return 2
    except KeyboardInterrupt:
        say(VERB, "interrupted; the last checkpoint is kept")
        return INTERRUPTED


def run(arguments: argparse.Namespace, *, counts_evaluations: bool = True) -> int:
    """Train as the arguments say.

    Args:
        arguments: of the command line.
        counts_evaluations: whether --minutes counts the time of evaluations too.

    Returns:
        0 when done, 1 if examples were set aside, 130 by Ctrl-C.
    """
    from . import checkpoints

    given = vars(arguments)
    options = read_options(given, arguments.config)
    if not options.output:
        raise MaskCodecError("--output is missing: a folder for the adapter")
    output = Path(options.output)
    start: Path | None = None
    if arguments.resume:
        named = {name for name in given if hasattr(options, name)} - {"output"}
        named |= read_options({}, arguments.config).changed().keys()
        options = checkpoints.resumed(options, dict.fromkeys(named), output)
        start = checkpoints.newest(output)
        if checkpoints.is_finished(output):
            say(VERB, f"the run in {output} is finished; nothing to do")
            return 0
    _check(options)
    if is_first():
        _make_folder(output, resume=arguments.resume, overwrite=arguments.overwrite)
    with _less_noise(arguments.quiet):
        from .lora_run import Run

        run = Run(options, output, start, arguments.quiet, counts_evaluations)
        return run.train()


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return os.environ.get("RANK", "0") == "0"


def _check(options: TrainOptions) -> None:
    if not options.model:
        raise MaskCodecError("--model is missing: a folder, a Hugging Face name, or tiny")
    if not options.data:
        raise MaskCodecError("--data is missing: a file that `maskcodec prepare` wrote")
    for path in (*options.data, *filter(None, [options.val])):
        if not Path(path).is_file():
            raise RecordError("no such file", file=path)
    if options.spec:
        get_codec(options.spec)


def _make_folder(output: Path, *, resume: bool, overwrite: bool) -> None:
    from . import checkpoints

    if resume:
        checkpoints.clear_halves(output)
        return
    if (output / checkpoints.RUN).exists():
        if not overwrite:
            raise MaskCodecError(
                f"{output} holds a run already; --resume goes on with it, --overwrite replaces it"
            )
    elif output.exists() and (not output.is_dir() or checkpoints.holds_more(output)):
        raise MaskCodecError(f"{output} exists already and is no run; give another folder")
    output.mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _less_noise(quiet: bool) -> Iterator[None]:
    """Without bars where nobody watches, and without what libraries say to each other."""
    from transformers.utils import logging

    with warnings.catch_warnings():
        for package in ("transformers", "trl", "peft", "accelerate", "torch"):
            for kind in (FutureWarning, DeprecationWarning):
                warnings.filterwarnings("ignore", category=kind, module=rf"{package}\.")
        had_bars = logging.is_progress_bar_enabled()
        if quiet or not sys.stderr.isatty():
            logging.disable_progress_bar()
        try:
            yield
        finally:
            if had_bars:
                logging.enable_progress_bar()


if __name__ == "__main__":
    sys.exit(main())

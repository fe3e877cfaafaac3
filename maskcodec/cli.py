"""`maskcodec VERB`: picks the verb's module, and turns what goes wrong into a line and a status.

Status 0: all done. 1: done, but some records were set aside. 2: nothing or not all could be done,
with one line that says why. 130: interrupted; what was written is kept.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from . import __version__
from .commands.terminal import say
from .errors import MaskCodecError

VERBS = {
    "list": "list_codecs",
    "encode": "encode",
    "decode": "decode",
    "inspect": "inspect",
    "show": "show",
    "transcode": "transcode",
    "demo": "demo",
    "prepare": "prepare",
    "train": "train",
    "merge": "merge",
    "segment": "segment",
    "score": "score",
    "leaderboard": "leaderboard",
    "bench": "bench",
    "convert": "convert",
}
"""Each verb and its module in `maskcodec.commands`, which has `add_parser` and `run`."""

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def make_parser() -> argparse.ArgumentParser:
    """The parser of all verbs; each puts its function in `run` of the parsed arguments."""
    parser = argparse.ArgumentParser(
        prog="maskcodec",
        description="Segmentation masks as text, and text as segmentation masks.",
        epilog="`maskcodec VERB --help` says all about a verb, with examples.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"maskcodec {__version__}")
    subparsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, name in VERBS.items():
        module = importlib.import_module(f".commands.{name}", __package__)
        module.add_parser(subparsers)
        subparsers.choices[verb].set_defaults(run=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return the process's exit status."""
    arguments = make_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a character
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader has gone, e.g. `| head`
        _silence_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return _fail(arguments.verb, "interrupted; what was written is kept", INTERRUPTED)
    except MaskCodecError as error:
        return _fail(arguments.verb, str(error), BAD_INPUT)
    except MemoryError:
        return _fail(arguments.verb, "out of memory; use smaller images or --jobs 1", BAD_INPUT)
    except OSError as error:  # a full disk, no permission
        return _fail(arguments.verb, str(error), BAD_INPUT)


def _fail(verb: str, message: str, status: int) -> int:
    say(verb, message)
    return status


def _silence_stdout() -> None:
    """Point stdout at nothing, or Python complains once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

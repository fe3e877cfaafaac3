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
from pathlib import Path

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
    _open_closed_streams()
    given = sys.argv[1:] if argv is None else argv
    try:
        parser = make_parser()
        arguments = parser.parse_args(argv)
        _refuse_empty(parser, given)
    except KeyboardInterrupt:
        print("maskcodec: interrupted; nothing was begun", file=sys.stderr)
        return INTERRUPTED
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a character
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader has gone, e.g. `| head`
        _silence_stdout()
        return BROKEN_PIPE
    except KeyboardInterrupt as error:
        kept = str(error) or "what was written is kept"
        return _fail(arguments.verb, f"interrupted; {kept}", INTERRUPTED)
    except MaskCodecError as error:
        return _fail(arguments.verb, str(error), BAD_INPUT)
    except ModuleNotFoundError as error:
        if (error.name or __package__).partition(".")[0] == __package__:
            raise  # a broken build, which is no matter of one line
        needed = f"needs the Python module {error.name}, which is not installed"
        return _fail(arguments.verb, needed, BAD_INPUT)
    except MemoryError:
        return _fail(arguments.verb, "out of memory; use smaller images or --jobs 1", BAD_INPUT)
    except OSError as error:  # a full disk, no permission
        return _fail(arguments.verb, str(error), BAD_INPUT)


def _open_closed_streams() -> None:
    """Stand in for streams that the caller closed (`>&-`), which Python leaves as None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stream)


def _refuse_empty(parser: argparse.ArgumentParser, given: Sequence[str]) -> None:
    """Refuse an empty input or output, as an unset variable of the shell leaves: as a path it would
    be the current folder.
    """
    before = ""
    for number, argument in enumerate(given, 1):
        output = before in ("-o", "--output")
        if argument == "--output=" or (not argument and (output or not before.startswith("-"))):
            place = " of --output" if output or argument else ""
            parser.error(f"argument {number}{place} is empty; is a variable of the shell not set?")
        before = argument


def _fail(verb: str, message: str, status: int) -> int:
    say(verb, message)
    return status


def _silence_stdout() -> None:
    """Point stdout at nothing, or Python complains once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

SPEC_HELP = 'codec and options, e.g. "text4seg:grid=32"; `maskcodec list` shows all'


def add_verb(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    verb: str,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """Add a verb with its one-line summary, what its `--help` says first, and examples."""
    return subparsers.add_parser(
        verb,
        help=summary,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def size(text: str) -> tuple[int, int]:
    """Read `480x640`: height x width in pixels."""
    match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", text)
    if not match:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no size, expected HEIGHTxWIDTH in pixels, e.g. 480x640"
        )
    from ..errors import MaskCodecError
    from ..mask import check_size

    try:
        return check_size((int(match[1]), int(match[2])))
    except MaskCodecError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def jobs(text: str) -> int:
    """Read a number of processes."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes from 1 to 999")
    return int(text)


def count(text: str) -> int:
    """Read how many, 1 or more."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def natural(text: str) -> int:
    """Read a whole number, 0 or more."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    if not re.fullmatch(r"[0-9]?(\.[0-9]{1,9})?", text) or not text or not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return float(text)


def ratio(text: str) -> float:
    """Read a number from 0 to 1,000,000."""
    if not re.fullmatch(r"[0-9]{0,7}(\.[0-9]{1,9})?", text) or not text or float(text) > 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0")
    return float(text)


def add_tokenizer(parser: argparse.ArgumentParser) -> None:
    """Add `--tokenizer`."""
    parser.add_argument(
        "--tokenizer",
        metavar="FILE|gpt4o",
        help="what counts tokens: the path of a tokenizer.json, or gpt4o, OpenAI's vocabulary "
        "(default: gpt4o where the package bpe-openai is installed, else none are counted)",
    )


def add_size(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add `--size HxW`."""
    parser.add_argument("--size", type=size, metavar="HxW", help=help_text)


def add_errors(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--errors`."""
    parser.add_argument(
        "--errors",
        choices=("repair", "strict"),
        default=default,
        help="repair reads any text and counts what it repaired; strict sets aside a text that "
        "leaves its format (default: %(default)s)",
    )


def add_output_file(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add `--output`, `--resume` and `--overwrite` for a file of records."""
    parser.add_argument("--output", "-o", metavar="FILE", help=help_text)
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--resume",
        action="store_true",
        help="go on where an interrupted run stopped, however it was stopped; give the same inputs "
        "and options. Records set aside stay so: delete FILE's .rejected.jsonl to try them again",
    )
    group.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add `--quiet`."""
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress bar and no summary")


def output_path(arguments: Any) -> Path | None:
    """The file that `--output` names; None for stdout."""
    return None if arguments.output in (None, "-") else Path(arguments.output)

"""What reaches a person's terminal: a progress bar, and text that can't drive it."""

from __future__ import annotations

import re
import sys
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` on one line, with control characters (and those that turn text around) as escapes.

    What a model printed may hold escape sequences, which a terminal would obey.
    """
    return _CONTROL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def say(verb: str, message: str) -> None:
    """Print one line on stderr."""
    print(f"maskcodec {verb}: {printable(message)}", file=sys.stderr)


def progress(total: int | None, unit: str, *, quiet: bool) -> Any:
    """A tqdm bar on stderr; silent with `quiet`, and where stderr is no terminal."""
    from tqdm import tqdm

    return tqdm(
        total=total,
        unit=f" {unit}",
        disable=quiet or not sys.stderr.isatty(),
        dynamic_ncols=True,
        mininterval=0.2,
    )

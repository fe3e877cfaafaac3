"""Benches as programs: `python -m maskcodec.benchmarks.NAME` is `maskcodec bench NAME`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from maskcodec import MaskCodecError, RecordError, cli
from maskcodec.commands.terminal import say
from maskcodec.writing import check_apart, check_output

BAD_INPUT = 2
BUSY = 0.3
"""The load a core from which a machine is busy."""


def run_bench(
    bench: str, run: Callable[[argparse.Namespace], int], argv: Sequence[str] | None = None
) -> int:
    """Run a bench with these arguments, or this process's; 2 if nothing could be done."""
    given = ["bench", bench, *(sys.argv[1:] if argv is None else argv)]
    try:
        return run(cli.make_parser().parse_args(given))
    except (MaskCodecError, OSError) as error:
        say(f"bench {bench}", str(error))
        return BAD_INPUT


def check_reports(outputs: Iterable[Path | None], inputs: Iterable[str | Path | None] = ()) -> None:
    """Check that each report can be written, and that none is another one or an input.

    Raises:
        RecordError: a file is both, or can't be written; the message names it.
    """
    wanted = [path for path in outputs if path is not None]
    for index, path in enumerate(wanted):
        check_output(path, may_exist=True)
        if path.resolve() in [other.resolve() for other in wanted[:index]]:
            raise RecordError("is given for two reports; give each its own file", file=str(path))
    check_apart(wanted, inputs)


def busy(consequence: str) -> str:
    """A sentence where other programs keep this machine busy and what follows from it, else ""."""
    try:
        load = os.getloadavg()[0]
    except (AttributeError, OSError):  # not every system says
        return ""
    cores = os.cpu_count() or 1
    if load < BUSY * cores:
        return ""
    return (
        f"Other programs are running: a load of {load:.1f} on {cores} cores when this run began. "
        + consequence
    )

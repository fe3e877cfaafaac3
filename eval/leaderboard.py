r"""Published results as a table, and your own run among them.

    python -m maskcodec.eval.leaderboard --with scores/scores.json

The same as `maskcodec leaderboard`, whose help says all.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from maskcodec.commands.leaderboard import DESCRIPTION, add_arguments
from maskcodec.commands.terminal import say
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.scores.published import DATASETS, METRICS, Published, read_published
from maskcodec.spec import nearest
from maskcodec.writing import atomic, check_apart, check_output

from .leaderboard_board import AVERAGE, Board, Column, columns_of, make_board
from .leaderboard_page import write_page
from .leaderboard_runs import Run, read_run
from .leaderboard_text import text

VERB = "leaderboard"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.eval.leaderboard",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program."""
    try:
        return leaderboard(make_parser().parse_args(argv))
    except MaskCodecError as error:
        say(VERB, str(error))
        return 2


def leaderboard(arguments: argparse.Namespace) -> int:
    """Print the table, and write what is asked for.

    Raises:
        MaskCodecError: an input can't be used, or there is nothing to show.
    """
    for path in (arguments.html, arguments.json):
        if path is not None:
            check_output(path, may_exist=True)
    check_apart((arguments.html, arguments.json), arguments.runs)
    runs = [
        read_run(
            path,
            arguments.run_system,
            arguments.run_dataset,
            arguments.run_split,
            arguments.run_prompts,
        )
        for path in arguments.runs
    ]
    board = _board(arguments, runs)
    print(text(board), end="")
    if arguments.json is not None:
        with atomic(arguments.json) as stream:
            document = json.dumps(board.document(), indent=1, ensure_ascii=False)
            stream.write(document.encode("utf-8", "backslashreplace") + b"\n")
    if arguments.html is not None:
        with atomic(arguments.html) as stream:
            write_page(stream, board)
    return 0


def _board(arguments: argparse.Namespace, runs: Sequence[Run]) -> Board:
    _check_runs(runs)
    datasets = arguments.dataset or list(dict.fromkeys(one.dataset for one in runs)) or ["refcoco"]
    columns = _columns(datasets, arguments.split or ())
    metric = _metric(arguments.metric, datasets)
    for run in runs:
        if Column(run.dataset, run.split) not in columns:
            raise RecordError(
                f"is of {run.dataset} {run.split}, which is none of the table's columns "
                f"({', '.join(column.name for column in columns)}); change --dataset or --split",
                file=run.file,
            )
        if run.figure(metric) is None:
            raise RecordError(
                f"has no {metric}; it has {', '.join(run.figures)}: give --metric", file=run.file
            )
    board = make_board(_results(arguments), runs, columns, metric, _order(arguments.sort, columns))
    if not board.rows:
        where = ", ".join(column.name for column in columns)
        raise MaskCodecError(f"nobody published {metric} on {where}, as far as the table knows")
    return board


def _check_runs(runs: Sequence[Run]) -> None:
    seen: dict[tuple[str, str, str], str] = {}
    for run in runs:
        if run.split not in DATASETS[run.dataset]:
            raise RecordError(
                f"is of split {run.split!r}{nearest(run.split, DATASETS[run.dataset])}; "
                f"{run.dataset} has {', '.join(DATASETS[run.dataset])}: if it is one of them, "
                "give --run-split",
                file=run.file,
            )
        key = run.system, run.dataset, run.split
        if key in seen:
            raise RecordError(
                f"is of {run.system!r} on {run.dataset} {run.split}, as {seen[key]} is: name them "
                "apart by `maskcodec score --system`",
                file=run.file,
            )
        seen[key] = run.file


def _columns(datasets: Sequence[str], splits: Sequence[str]) -> list[Column]:
    known = list(dict.fromkeys(one.split for one in columns_of(datasets)))
    for split in splits:
        if split not in known:
            raise MaskCodecError(f"--split {split}: there are {', '.join(known)}")
    return columns_of(list(dict.fromkeys(datasets)), splits)


def _metric(given: str | None, datasets: Sequence[str]) -> str:
    if given is None:
        return "gIoU" if set(datasets) <= {"grefcoco", "reasonseg"} else "cIoU"
    found = {name.lower(): name for name in METRICS} | {"oiou": "cIoU"}
    if given.lower() not in found:
        raise MaskCodecError(f"--metric {given}: there are {', '.join(METRICS)}")
    return found[given.lower()]


def _order(given: str | None, columns: Sequence[Column]) -> Column | str | None:
    if given is None or given == AVERAGE:
        return given
    found = [one for one in columns if given in (one.split, one.name)]
    if not found:
        names = ", ".join([*dict.fromkeys(one.split for one in columns), AVERAGE])
        raise MaskCodecError(f"--sort {given}: there are {names}")
    return found[0]


def _results(arguments: argparse.Namespace) -> list[Published]:
    """The shipped results and those of the user's tables; the same figure twice is an error."""
    results = read_published()
    known = {one.key: "the shipped table" for one in results}
    for path in arguments.csv:
        for one in read_published(path):
            if one.key in known:
                raise RecordError(
                    f"{', '.join(one.key)}: stands in {known[one.key]} too; change the system's "
                    "name to have both",
                    file=str(path),
                    line=one.line,
                )
            known[one.key] = str(Path(path))
            results.append(one)
    kinds = arguments.kind
    return [one for one in results if kinds is None or one.kind in kinds]


if __name__ == "__main__":
    sys.exit(main())

r"""Predictions against truth: figures, a table and a page.

    python -m maskcodec.eval.score predictions.jsonl --truth val.jsonl --output scores

The same as `maskcodec score`, whose help says all. Rows are counted first, sample by sample, and go
to rows.jsonl at once, so that a stopped run goes on and parts can be put together; every figure is
then made of those rows.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from maskcodec.commands.ordered import map_ordered
from maskcodec.commands.score import DESCRIPTION, add_arguments
from maskcodec.commands.set_aside import SetAside
from maskcodec.commands.terminal import progress, say
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.writing import LineFile, atomic

from .score_arrays import close_archives
from .score_document import About
from .score_ids import no_match
from .score_inputs import Inputs, asked, check_arguments, open_inputs, settings
from .score_kinds import Row, Rules
from .score_parts import lacking, merged, name_of_all
from .score_predictions import close_files
from .score_reading import UndrawableError
from .score_report import VERB, about_run, command, report
from .score_rows import (
    REJECTED,
    ROWS,
    UNMATCHED,
    Folder,
    Stored,
    Tally,
    clear,
    read_folder,
    read_rows,
    start,
)
from .score_truth import Unit
from .score_warnings import OF_FILES
from .score_work import Done, score_unit

FEW = 64
"""Units a process that are not worth starting one for."""


FEW_PREDICTIONS = 5
"""Fewer that are all unusable are counted as invalid: they say little about their file."""


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.eval.score",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program."""
    try:
        return score(make_parser().parse_args(argv))
    except MaskCodecError as error:
        say(VERB, str(error))
        return 2


def score(arguments: argparse.Namespace) -> int:
    """Score; 1 if something was missing or could not be used."""
    check_arguments(arguments)
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="maskcodec-"))
        stack.callback(close_files)
        stack.callback(close_archives)
        if arguments.merge is not None:
            return _merge(arguments, Path(temporary))
        inputs = open_inputs(arguments, Path(temporary))
        wanted = asked(arguments, inputs.job.rules, inputs.rules)
        folder = start(
            arguments.output,
            settings(arguments, inputs),
            resume=arguments.resume,
            overwrite=arguments.overwrite,
        )
        for remark in inputs.remarks:
            say(VERB, remark)
        try:
            turned, tally = _count(arguments, inputs, folder)
        except UndrawableError:  # no run of these files can go on
            if not arguments.resume:
                clear(folder.path)
            raise
        rows = list(read_rows(folder.path, wanted.rules.kind))
        _finish_tally(tally, rows, inputs)
        _check_found(arguments, inputs, rows, folder.path)
        folder.write_settings(tally)
        _write_unmatched(folder.path, rows, inputs, whole=not arguments.shard)
        about = about_run(arguments, inputs)
        return report(arguments, rows, wanted, folder.settings, tally, about, inputs, turned)


def _check_found(
    arguments: argparse.Namespace, inputs: Inputs, rows: Sequence[Stored], path: Path
) -> None:
    """Refuse to call it a score where no prediction could be used: of a part that may be.

    Raises:
        RecordError: no sample was scored, none has a prediction, or all of these are unusable by
            the fault of their file, which is none of the system's.
    """
    wrong: RecordError | None = None
    if not rows:
        wrong = RecordError("has no sample that can be scored", file=inputs.truth.path)
    elif not arguments.shard:
        systems = zip(inputs.predictions, ("row", "other"), strict=False)
        for predictions, name in systems:
            found: list[Row] = [getattr(one, name) for one in rows]
            if all(row is None or row.status == "missing" for row in found):
                wrong = no_match(predictions, inputs.truth, [one.row.id for one in rows[:3]])
        wrong = wrong or _all_unusable(rows, inputs)
    if wrong is not None:
        clear(path)
        raise wrong


def _all_unusable(rows: Sequence[Stored], inputs: Inputs) -> RecordError | None:
    """The error that no prediction is of a form that can be scored; None where one is."""
    there = [one for one in rows if one.row.status != "missing"]
    faulty = [one for one in there if one.row.status == "invalid" and _is_of_file(one)]
    if len(there) < FEW_PREDICTIONS or len(faulty) < len(there):
        return None
    return RecordError(
        f"none of its {len(there):,} predictions of samples can be used, so that there is nothing "
        f"to score; the first: {there[0].problem}",
        file=inputs.predictions[0].file.path,
    )


def _is_of_file(one: Stored) -> bool:
    return bool(one.repairs) and one.repairs[0] in OF_FILES


def _count(
    arguments: argparse.Namespace, inputs: Inputs, folder: Folder
) -> tuple[tuple[float, float, int], Tally]:
    """Score every unit that is not done yet, and write its rows."""
    part, parts = arguments.shard or (0, 1)
    total = len(range(part, inputs.truth.units, parts))
    lines = LineFile(folder.path / ROWS, resume=True)
    aside = SetAside(folder.path / REJECTED, VERB, resume=arguments.resume)
    bar = progress(total, "units", quiet=arguments.quiet)
    tally = Tally()
    turned = (0.0, 0.0, 0)
    known = {name for names in folder.known.values() for name in names}
    try:
        for done in _work(arguments, inputs, folder, bar):
            for error in done.errors:
                aside.add(error)
            tally.words += done.words
            before = folder.known.get(done.number, set())
            for name, line in done.lines:
                if name in before:
                    continue
                if name in known:
                    error = RecordError(
                        f"{name!r} is the id of an earlier sample too", file=inputs.truth.path
                    )
                    aside.add(error, name)
                    continue
                known.add(name)
                lines.append_line(line)
            turned = _added(turned, done.turned)
            bar.update()
    finally:
        bar.close()
        lines.touch()
        lines.close()
        aside.close()
    tally.rejected = aside.count
    return turned, tally


def _added(
    one: tuple[float, float, int], other: tuple[float, float, int]
) -> tuple[float, float, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _work(
    arguments: argparse.Namespace, inputs: Inputs, folder: Folder, bar: Any
) -> Iterator[Done]:
    part, parts = arguments.shard or (0, 1)
    jobs = arguments.jobs or os.cpu_count() or 1
    jobs = 1 if inputs.truth.units < FEW * jobs else jobs

    def units() -> Iterator[Unit]:
        for unit in inputs.truth.all_units():
            if unit.number % parts != part:
                continue
            if folder.is_done(unit.number):
                bar.update()
                continue
            yield unit

    results = map_ordered(functools.partial(score_unit, job=inputs.job), units(), jobs)
    try:
        yield from results
    finally:
        results.close()  # type: ignore[attr-defined]


def _finish_tally(tally: Tally, rows: Sequence[Stored], inputs: Inputs) -> None:
    first = inputs.predictions[0]
    names = {one.by for one in rows if one.by}
    if inputs.truth.videos is not None:  # found in their place, file by file
        tally.ids = tally.used = len(names)
    else:
        tally.ids = len(first.places)
        tally.used = len(names & first.places.keys())
    tally.duplicate = first.duplicate_count
    tally.unreadable = first.rejected
    tally.torn = first.torn
    tally.words += sum(one.words for one in rows)
    tally.other_size = sum(one.other_size for one in rows)


def _write_unmatched(path: Path, rows: Sequence[Stored], inputs: Inputs, *, whole: bool) -> None:
    """List what is missing, invalid, there twice, unreadable or of no sample."""
    first = inputs.predictions[0]
    lines = LineFile(path / UNMATCHED)
    for one in rows:
        if one.row.status in ("missing", "invalid"):
            lines.append(
                {
                    "why": one.row.status,
                    "id": one.row.id,
                    "kinds": list(one.repairs),
                    "problem": one.problem,
                }
            )
    for name, place in first.duplicates:
        lines.append({"why": "duplicate", "id": name, "place": place.number})
    for error in first.errors:
        lines.append({"why": "unreadable", "line": error.line, "problem": error.reason})
    used = {one.by for one in rows}
    if whole:
        for name, places in first.places.items():
            if name not in used:
                lines.append({"why": "extra", "id": name, "place": places[0].number})
    lines.touch()
    lines.close()


def _merge(arguments: argparse.Namespace, temporary: Path) -> int:
    """Put the folders of several runs together."""
    folders = [read_folder(path) for path in arguments.merge]
    if arguments.output.resolve() in {folder.path.resolve() for folder in folders}:
        raise MaskCodecError("--output is one of the folders that are merged; give another")
    rows, made, tally = merged(folders)
    if not rows:
        raise MaskCodecError("the folders hold no rows")
    said = command(arguments)
    kept = folders[0].settings["arguments"]
    for name in ("preset", "kind", "split", "against"):
        if getattr(arguments, name) is None:
            setattr(arguments, name, kept.get(name))
    for name in ("system", "other"):
        if getattr(arguments, name) is None:
            setattr(arguments, name, name_of_all(folders, name))
    rules = _rules_of(made["rules"])
    from maskcodec.scores.presets import preset

    chosen = None if arguments.preset is None else preset(arguments.preset)
    wanted = asked(arguments, rules, chosen)
    folder = start(
        arguments.output, made, resume=False, overwrite=arguments.overwrite or arguments.resume
    )
    _copy_rows(folders, rows, folder.path)
    folder.write_settings(tally)
    inputs = _inputs_again(folders, temporary)
    about = dataclasses.replace(about_run(arguments, inputs), command=said)
    if arguments.system is None and kept.get("predictions"):
        about = About(
            about.command, str(kept["predictions"]), about.other, arguments.preset,
            about.dataset or (chosen.dataset if chosen else None), arguments.split,
        )  # fmt: skip
    status = report(arguments, rows, wanted, folder.settings, tally, about, inputs)
    return 1 if lacking(made) else status


def _rules_of(fields: dict[str, Any]) -> Rules:
    lists = {
        name: None if fields[name] is None else tuple(fields[name]) for name in ("labels", "stuff")
    }
    return Rules(**(fields | lists))


def _copy_rows(folders: Sequence[Folder], rows: Sequence[Stored], path: Path) -> None:
    """Write the lines of all parts in the order of the rows."""
    by_id: dict[str, bytes] = {}
    for folder in folders:
        with (folder.path / ROWS).open("rb") as stream:
            for line in stream:
                by_id[json.loads(line)["row"]["id"]] = line
    with atomic(path / ROWS) as stream:
        for one in rows:
            stream.write(by_id[one.row.id])


def _inputs_again(folders: Sequence[Folder], temporary: Path) -> Inputs | None:
    """The files of the parts, for pictures, where they are the same ones and still there."""
    kept = folders[0].settings["arguments"]
    if any(folder.settings["arguments"] != kept for folder in folders):
        return None
    paths = {
        name: None if kept.get(name) is None else Path(kept[name])
        for name in ("images", "masks", "names", "prediction_names")
    }
    try:
        return open_inputs(argparse.Namespace(**(kept | paths)), temporary)
    except (MaskCodecError, OSError, TypeError, AttributeError):
        return None


if __name__ == "__main__":
    sys.exit(main())

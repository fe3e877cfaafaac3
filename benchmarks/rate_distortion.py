r"""IoU and boundary IoU against tokens, for every codec and a grid of its options.

    maskcodec bench rd coco.jsonl.gz --split held-out \
        --tokenizer qwen3=tokenizer.json --json rd.json --html rd.html --png rd.png

`python -m maskcodec.benchmarks.rate_distortion` is the same program. `maskcodec bench rd --help`
says what is measured, and how.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskcodec import MaskCodecError
from maskcodec.commands.ordered import map_ordered
from maskcodec.commands.terminal import say
from maskcodec.datasets.names import read_names
from maskcodec.tokens import GPT4O, INSTALL, default_counter, load_counter
from maskcodec.writing import atomic

from . import document as documents
from .document import Document
from .program import check_reports, run_bench
from .rate_distortion_document import (
    Finished,
    all_points,
    put_points,
    read_finished,
    start,
    units,
)
from .rate_distortion_masks import Masks, built_in_masks, read_masks, sample_lines
from .rate_distortion_measure import CHARACTERS, GROUPS, Shape, Trip, measure, summarize
from .rate_distortion_specs import default_specs, read_setting

VERB = "bench rd"
INTERRUPTED = 130
SHOWN = 5
"""Problems printed on stderr."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program; see `run`."""
    return run_bench("rd", run, argv)


def run(arguments: argparse.Namespace) -> int:
    """Measure what is missing, and write all that was asked for: 1 if some masks could not be read,
    130 by Ctrl-C.
    """
    outputs = (arguments.json, arguments.html, arguments.png, arguments.examples)
    files = [entry.partition("=")[2] for entry in arguments.tokenizer or ()]
    check_reports(outputs, (*(arguments.masks or ()), arguments.names, *filter(None, files)))
    if arguments.resume and arguments.json is None:
        raise MaskCodecError("--resume needs --json FILE, which holds the finished specs")
    tokenizers = read_tokenizers(arguments.tokenizer or default_tokenizers())
    specs = read_specs(arguments.specs or default_specs())
    masks = read_all(arguments)
    say_problems(masks)
    document = start(arguments.seed, masks, tokenizers)
    earlier = Finished([], {})
    if arguments.resume and arguments.json.exists():
        earlier = read_finished(document, arguments.json)
    finished = {point["spec"]: point for point in earlier.points}
    todo = [spec for spec in specs if spec not in finished]
    unusable = find_unusable(todo, masks)
    still = {spec: reason for spec, reason in earlier.left_out.items() if spec not in specs}
    document["left_out"] = still | unusable
    todo = [spec for spec in todo if spec not in unusable]
    if not (todo or finished):
        raise MaskCodecError("no spec is left to measure; see above why")

    name = next(iter(tokenizers), CHARACTERS)
    print("\n".join([heading(name), *(row(point, name) for point in finished.values())]))
    put_points(document, list(finished.values()), arguments.budgets)
    try:
        for point in measure_all(todo, masks, tokenizers, arguments):
            finished[point["spec"]] = point
            put_points(document, list(finished.values()), arguments.budgets)
            tqdm.write(row(point, name))
            write_json(arguments.json, document)
    except KeyboardInterrupt:
        document["interrupted"] = True
        say(VERB, "interrupted; finished specs are kept")
    write_json(arguments.json, document)
    print("\n".join(best_lines(document)))
    draw(arguments, document, masks)
    if document["interrupted"]:
        return INTERRUPTED
    return 1 if masks.problems else 0


def read_specs(given: Sequence[str]) -> list[str]:
    """The specs with every option spelt out, each once.

    Raises:
        MaskCodecError: no such codec or option; the message says so where a file is meant.
    """
    found: dict[str, None] = {}
    for spec in given:
        try:
            found[read_setting(spec).spec] = None
        except MaskCodecError as error:
            hint = "; masks stand before --specs" if Path(spec).exists() else ""
            raise MaskCodecError(f"{error}{hint}") from None
    return list(found)


def read_all(arguments: argparse.Namespace) -> Masks:
    """The masks that were asked for, or the built-in ones."""
    split, count, seed = arguments.split, arguments.count, arguments.seed
    if not arguments.masks:
        return built_in_masks(split, count, seed)
    names = None if arguments.names is None else read_names(arguments.names)
    return read_masks(arguments.masks, split, count, seed, names=names, quiet=arguments.quiet)


def default_tokenizers() -> list[str]:
    """The tokenizer that needs no file; where it is not installed, a person is told."""
    if default_counter() is not None:
        return [GPT4O]
    say(
        VERB,
        "characters are counted, of which an added token has about ten; give --tokenizer "
        f"NAME=FILE, or {INSTALL}",
    )
    return []


def read_tokenizers(entries: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tokenizers by name: their file, and its hash.

    Raises:
        MaskCodecError: an entry that is not NAME=FILE, a name given twice, or no tokenizer.
    """
    found: dict[str, dict[str, str]] = {}
    for entry in entries:
        name, equals, file = (entry, "=", entry) if entry == GPT4O else entry.partition("=")
        if not (name and equals and file) or name in (*found, CHARACTERS):
            raise MaskCodecError(f"--tokenizer {entry}: expected NAME=FILE, or {GPT4O}, each once")
        load_counter(file)
        path = Path(file) / "tokenizer.json" if Path(file).is_dir() else Path(file)
        content = GPT4O.encode() if file == GPT4O else path.read_bytes()
        found[name] = {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
    return found


def say_problems(masks: Masks) -> None:
    """Tell a person what was not measured, and where fewer masks were found than asked for."""
    for line in sample_lines(masks.about):
        say(VERB, line)
    for problem in masks.problems[:SHOWN]:
        say(VERB, f"not read: {problem}")
    if len(masks.problems) > SHOWN:
        say(VERB, f"... and {len(masks.problems) - SHOWN} more")


def find_unusable(specs: Sequence[str], masks: Masks, tries: int = 20) -> dict[str, str]:
    """The specs that can write none of the first masks, with the reason; a person is told.

    A published tokenizer without its weights is such a one.
    """
    left_out = {}
    for spec in specs:
        problems = (measure((spec, shape), ()).problem for shape in masks.shapes[:tries])
        first = next(problems)
        if first and all(problems):
            left_out[spec] = first
            say(VERB, f"left out {spec}: {first}")
    return left_out


def measure_all(
    specs: Sequence[str],
    masks: Masks,
    tokenizers: dict[str, dict[str, str]],
    arguments: argparse.Namespace,
) -> Iterator[dict[str, Any]]:
    """Yield the figures of each spec as soon as it was measured on every mask."""
    # Processes share the work already: threads of a BLAS inside each would only get in the way.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    tasks: Iterator[tuple[str, Shape]] = ((spec, shape) for spec in specs for shape in masks.shapes)
    files = tuple(entry["file"] for entry in tokenizers.values())
    total = len(specs) * len(masks.shapes)
    trips: list[Trip] = []
    todo = iter(specs)
    with tqdm(total=total, unit=" masks", disable=arguments.quiet or None) as bar:
        for trip in map_ordered(partial(measure, tokenizers=files), tasks, arguments.jobs):
            trips.append(trip)
            bar.update()
            if len(trips) == len(masks.shapes):
                yield summarize(next(todo), trips, tuple(tokenizers))
                trips = []


def heading(name: str) -> str:
    """The first lines of the table in markdown."""
    columns = ["spec", f"{name}, mean / median / p95", "IoU", "S", "M", "L"]
    columns += ["boundary IoU", "S", "M", "L", "lost"]
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"


def row(point: dict[str, Any], name: str) -> str:
    """One line of the table in markdown."""
    groups = point["groups"]
    cost = groups["all"]["costs"].get(name)
    cells = [f"`{point['short']}`"]
    cells.append(
        "" if cost is None else f"{cost['mean']:.1f} / {cost['median']:g} / {cost['p95']:g}"
    )
    for figure in ("iou", "boundary_iou"):
        cells += [f"{groups[g][figure]:.4f}" if g in groups else "" for g in GROUPS]
    cells.append(f"{100 * groups['all']['share_iou_0']:.1f} %")
    return f"| {' | '.join(cells)} |"


def best_lines(document: Document) -> Iterator[str]:
    """What is best within each budget, in words."""
    unit = units(document)[0]
    cheapest = min((point.cost for point in all_points(document, "iou", "all", unit)), default=None)
    for entry in document["best"]:
        if entry["unit"] != unit or entry["masks"] != "all":
            continue
        figure = entry["figure"].replace("_iou", " IoU").replace("iou", "IoU")
        if entry["spec"] is None:
            if entry["figure"] == "iou" and cheapest is not None:
                yield f"within {entry['budget']:,} {_unit(unit)}: none; the least is {cheapest:.1f}"
            continue
        yield (
            f"within {entry['budget']:,} {_unit(unit)}: {figure} "
            f"{entry['value']:.4f} by `{entry['spec']}` at {entry['cost']:.1f}"
        )


def _unit(unit: str) -> str:
    return CHARACTERS if unit == CHARACTERS else f"tokens of {unit}"


def write_json(path: Path | None, document: Document) -> None:
    """Write the report, whole or not at all; without a point there is none to replace another."""
    if path is not None and document["points"]:
        documents.write(path, document)


def draw(arguments: argparse.Namespace, document: Document, masks: Masks) -> None:
    """Write the page and the pictures that were asked for, if there is a point."""
    if not document["points"] or not any((arguments.html, arguments.png, arguments.examples)):
        return
    from .rate_distortion_examples import draw_examples, png

    shown = b""
    if arguments.html is not None or arguments.examples is not None:
        shown = png(draw_examples(document, masks, arguments.example_tokens))
    if arguments.examples is not None:
        with atomic(arguments.examples) as stream:
            stream.write(shown)
    if arguments.html is not None:
        from .rate_distortion_page import page

        with atomic(arguments.html) as stream:
            stream.write(page(document, shown, arguments.example_tokens).encode("utf-8"))
    if arguments.png is not None:
        from .rate_distortion_picture import picture

        with atomic(arguments.png) as stream:
            picture(document).save(stream, "png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())

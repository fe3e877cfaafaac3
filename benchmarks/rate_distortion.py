r"""IoU and boundary IoU against tokens, for every codec and a grid of its options.

    python -m maskcodec.benchmarks.rate_distortion coco.jsonl.gz --split held-out \
        --tokenizer qwen3=tokenizer.json --json rd.json --html rd.html --png rd.png

Each mask is written alone, with one label, and read back at its own size. Tokens are those of the
text less those of the label, once; without `--tokenizer` characters are counted. Prints a row a
spec. `--split held-out` takes the images that no shipped codebook was trained on
(`maskcodec.datasets.image_split`). After Ctrl-C the figures of the finished specs are written;
`--resume` keeps those that stand in `--json` and measures the rest; with nothing left to measure it
draws the page and the picture again. `SPEC@N` keeps the first N codes of what SPEC writes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskcodec import MaskCodecError
from maskcodec.commands.arguments import count, jobs
from maskcodec.commands.ordered import map_ordered
from maskcodec.tokens import GPT4O, load_counter
from maskcodec.writing import atomic, check_output

from .machine import command_line, describe_machine, describe_versions
from .rate_distortion_masks import Masks, read_masks
from .rate_distortion_measure import CHARACTERS, GROUPS, LABEL, Shape, Trip, measure, summarize
from .rate_distortion_specs import default_specs, read_setting

SCHEMA = 1
INTERRUPTED = 130
SHOWN = 5
"""Problems printed on stderr."""


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.benchmarks.rate_distortion",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("masks", nargs="+", type=Path, help="COCO json, JSONL of run lengths (.gz too), folders")
    add("--split", choices=("held-out", "train", "all"), default="all", help="default: %(default)s")
    add("--count", type=count, metavar="N", help="take N masks, drawn by --seed")
    add("--seed", type=int, default=0, help="default: %(default)s")
    add("--specs", nargs="+", metavar="SPEC", help="default: a grid of every codec")
    add(
        "--tokenizer", nargs="+", default=[], metavar="NAME=FILE",
        help="tokenizer.json files, or gpt4o; the first one's tokens are printed",
    )  # fmt: skip
    add("--json", type=Path, metavar="FILE", help="write all figures there, spec by spec")
    add("--html", type=Path, metavar="FILE", help="write a page with curves and tables")
    add("--png", type=Path, metavar="FILE", help="write a picture of the curves")
    add("--resume", action="store_true", help="keep the finished specs of --json")
    add("--jobs", type=jobs, default=os.cpu_count() or 1, help="processes (default: one a core)")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; 130 if interrupted, 2 if nothing could be done."""
    arguments = make_parser().parse_args(argv)
    try:
        return run(arguments, command_line("maskcodec.benchmarks.rate_distortion", argv))
    except (MaskCodecError, OSError) as error:
        print(f"rate_distortion: {error}", file=sys.stderr)
        return 2


def run(arguments: argparse.Namespace, command: str) -> int:
    """Measure what is missing, and write all that was asked for."""
    for path in filter(None, (arguments.json, arguments.html, arguments.png)):
        check_output(path, may_exist=True)
    if arguments.resume and arguments.json is None:
        raise MaskCodecError("--resume needs --json FILE, which holds the finished specs")
    tokenizers = read_tokenizers(arguments.tokenizer)
    settings = [read_setting(spec) for spec in arguments.specs or default_specs()]
    specs = list(dict.fromkeys(setting.spec for setting in settings))
    masks = read_masks(
        arguments.masks, arguments.split, arguments.count, arguments.seed, quiet=arguments.quiet
    )
    say_problems(masks)
    document = start_document(command, masks, tokenizers)
    if arguments.resume and arguments.json.exists():
        keep_finished(document, arguments.json, specs)
    finished = {point["spec"]: point for point in document["points"]}
    todo = [spec for spec in specs if spec not in finished]
    document["left_out"] = find_unusable(todo, masks)
    todo = [spec for spec in todo if spec not in document["left_out"]]
    if not (todo or finished):
        raise MaskCodecError("no spec is left to measure; see above why")

    name = next(iter(tokenizers), CHARACTERS)
    print("\n".join([heading(name), *(row(point, name) for point in finished.values())]))
    try:
        for point in measure_all(todo, masks, tokenizers, arguments):
            finished[point["spec"]] = point
            document["points"] = [finished[spec] for spec in specs if spec in finished]
            tqdm.write(row(point, name))
            write_json(arguments.json, document)
    except KeyboardInterrupt:
        document["interrupted"] = True
        print("rate_distortion: interrupted; finished specs are kept", file=sys.stderr)
    write_json(arguments.json, document)
    draw(arguments, document)
    return INTERRUPTED if document["interrupted"] else 0


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
    """Tell a person what was not measured."""
    for problem in masks.problems[:SHOWN]:
        print(f"rate_distortion: not read: {problem}", file=sys.stderr)
    if len(masks.problems) > SHOWN:
        print(f"rate_distortion: ... and {len(masks.problems) - SHOWN} more", file=sys.stderr)


def start_document(
    command: str, masks: Masks, tokenizers: dict[str, dict[str, str]]
) -> dict[str, Any]:
    """The JSON without its points."""
    return {
        "report": "maskcodec rate-distortion",
        "schema": SCHEMA,
        "command": command,
        "machine": describe_machine(),
        "versions": describe_versions(),
        "masks": masks.about,
        "tokenizers": tokenizers,
        "label": LABEL,
        "groups": list(GROUPS),
        "interrupted": False,
        "left_out": {},
        "points": [],
    }


def keep_finished(document: dict[str, Any], path: Path, specs: Sequence[str]) -> None:
    """Take over the points of an earlier run of the same masks and tokenizers.

    Raises:
        MaskCodecError: the file is of another run, or no report at all.
    """
    try:
        old = json.loads(path.read_bytes())
        same = [
            old["schema"] == SCHEMA,
            old["label"] == LABEL,
            old["masks"]["sha256"] == document["masks"]["sha256"],
            {name: entry["sha256"] for name, entry in old["tokenizers"].items()}
            == {name: entry["sha256"] for name, entry in document["tokenizers"].items()},
        ]
        points = {point["spec"]: point for point in old["points"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise MaskCodecError(f"{path}: is no report of this program; give another --json") from None
    if not all(same):
        raise MaskCodecError(
            f"{path}: was measured on other masks, or with other tokenizers; give those again, or "
            "another --json"
        )
    document["points"] = [points[spec] for spec in specs if spec in points]


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
            print(f"rate_distortion: left out {spec}: {first}", file=sys.stderr)
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


def write_json(path: Path | None, document: dict[str, Any]) -> None:
    """Write the report, whole or not at all."""
    if path is not None:
        with atomic(path) as stream:
            stream.write(json.dumps(document, indent=1).encode() + b"\n")


def draw(arguments: argparse.Namespace, document: dict[str, Any]) -> None:
    """Write the page and the picture that were asked for, if there is a point."""
    if not document["points"]:
        return
    if arguments.html is not None:
        from .rate_distortion_page import page

        with atomic(arguments.html) as stream:
            stream.write(page(document).encode("utf-8"))
    if arguments.png is not None:
        from .rate_distortion_picture import picture

        with atomic(arguments.png) as stream:
            picture(document).save(stream, "png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())

r"""IoU and boundary IoU before and after refinement by the image, for codecs and kinds of error.

    python -m maskcodec.benchmarks.refinement --images photos --masks instances.json --half test \
        --json refinement.json --html refinement.html

Each true mask is written alone by each codec and read back, and then refined by each method
(`maskcodec.refine`). `--errors` makes the text wrong before that, as a model does: `jitter` moves
the edges of the object's box by normal numbers of 5 % of its sides, `dropped` leaves away the
second half of the codes (of codecs that have codes). Without `--images` and `--masks` the
photographs that scikit-image ships are taken. `--half` takes half of the images by the hash of
their names, so that options can be chosen on `tune` and judged on `test`.

Prints a row a codec, error and method. After Ctrl-C what was finished is written; `--resume` keeps
it and measures the rest.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskcodec import MaskCodecError, get_codec
from maskcodec.commands.arguments import count, jobs
from maskcodec.commands.demo_inputs import Source, built_in, from_folder
from maskcodec.commands.ordered import map_ordered
from maskcodec.machine import command_line
from maskcodec.refine import read_method
from maskcodec.writing import check_output

from . import document as documents
from .refinement_measure import ERRORS, Task, Trial, has_codes, in_half, measure, summarize

BENCH = "refinement"
INTERRUPTED = 130
SHOWN = 5
"""Problems printed on stderr."""

SPECS = (
    *("text4seg:grid=16", "text4seg:grid=32", "text4seg:grid=64"),
    *("boxgrid:rows=12", "boxgrid:rows=24", "polygon:tolerance=.02"),
    *("shapetokens:tokens=4", "shapetokens:tokens=8"),
)
METHODS = ("guided", "walker", "grabcut")
FIGURES = ("iou", "boundary_iou")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog=f"python -m maskcodec.benchmarks.{BENCH}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--images", type=Path, metavar="DIR", help="photographs; needs --masks")
    add("--masks", type=Path, metavar="FILE", help="their masks: COCO json, JSONL of run lengths")
    add("--half", choices=("tune", "test", "all"), default="all", help="default: %(default)s")
    add("--count", type=count, metavar="N", help="take the first N images")
    add("--specs", nargs="+", default=SPECS, metavar="SPEC", help="codecs (default: eight)")
    add(
        "--methods", nargs="+", default=METHODS, metavar="METHOD",
        help=f"e.g. guided:radius=8,epsilon=1e-4 (default: {' '.join(METHODS)})",
    )  # fmt: skip
    add("--errors", nargs="+", choices=ERRORS, default=ERRORS, help="default: all")
    add("--seed", type=int, default=0, help="of the jitter (default: %(default)s)")
    add("--json", type=Path, metavar="FILE", help="write all figures there as they come")
    add("--html", type=Path, metavar="FILE", help="write a page with plots and tables")
    add("--resume", action="store_true", help="keep what --json has of the same run")
    add("--jobs", type=jobs, default=os.cpu_count() or 1, help="processes (default: one a core)")
    add("--quiet", action="store_true", help="no progress bar")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; 130 if interrupted, 2 if nothing could be done."""
    arguments = make_parser().parse_args(argv)
    try:
        return run(arguments, command_line(f"python -m maskcodec.benchmarks.{BENCH}", argv))
    except (MaskCodecError, OSError) as error:
        print(f"{BENCH}: {error}", file=sys.stderr)
        return 2


def run(arguments: argparse.Namespace, command: str) -> int:
    """Measure what is missing, and write all that was asked for."""
    for path in filter(None, (arguments.json, arguments.html)):
        check_output(path, may_exist=True)
    if arguments.resume and arguments.json is None:
        raise MaskCodecError("--resume needs --json FILE, which holds what was finished")
    sources = read_sources(arguments)
    document = documents.start(BENCH, (), arguments.seed, settings(arguments, sources))
    document["command"] = command
    if arguments.resume and arguments.json.exists():
        documents.keep_finished(document, arguments.json)
    todo = list(settings_left(arguments, document))
    print(heading())
    for result in document["results"]:
        print_row(result)
    try:
        measure_all(todo, sources, arguments, document)
    except KeyboardInterrupt:
        document["interrupted"] = True
        print(f"{BENCH}: interrupted; what was finished is kept", file=sys.stderr)
    if arguments.json is not None:
        documents.write(arguments.json, document)
    if arguments.html is not None:
        from .refinement_page import write

        write(arguments.html, document)
    return INTERRUPTED if document["interrupted"] else 0


def read_sources(arguments: argparse.Namespace) -> list[Source]:
    """The images, of the half that is asked for.

    Raises:
        MaskCodecError: there are none, or only one of --images and --masks is given.
    """
    if (arguments.images is None) != (arguments.masks is None):
        raise MaskCodecError("--images and --masks go together: photographs, and their masks")
    found = (
        built_in() if arguments.images is None else from_folder(arguments.images, arguments.masks)
    )
    for problem in found.problems[:SHOWN]:
        print(f"{BENCH}: {problem}", file=sys.stderr)
    sources = [source for source in found.items if in_half(source.name, arguments.half)]
    if not sources:
        raise MaskCodecError(f"no image belongs to --half {arguments.half}")
    return sources[: arguments.count]


def settings(arguments: argparse.Namespace, sources: Sequence[Source]) -> dict[str, Any]:
    """What a resumed run must have in common with the one that it continues."""
    return {
        "images": "built in" if arguments.images is None else str(arguments.images),
        "masks": "built in" if arguments.masks is None else str(arguments.masks),
        "half": arguments.half,
        "count": len(sources),
    }


def settings_left(
    arguments: argparse.Namespace, document: documents.Document
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Codec, kind of error and methods, where a method was not measured yet.

    Raises:
        MaskCodecError: no such codec or method.
    """
    done = {
        (result["name"]["codec"], result["name"]["errors"], result["name"]["method"])
        for result in document["results"]
    }
    for method in arguments.methods:
        read_method(method, get_codec(arguments.specs[0]))
    for errors in arguments.errors:
        for spec in arguments.specs:
            if errors == "dropped" and not has_codes(get_codec(spec)):
                continue
            methods = tuple(m for m in arguments.methods if (spec, errors, m) not in done)
            if methods:
                yield spec, errors, methods


def measure_all(
    todo: Sequence[tuple[str, str, tuple[str, ...]]],
    sources: Sequence[Source],
    arguments: argparse.Namespace,
    document: documents.Document,
) -> None:
    """Measure setting by setting; each is in the document, and in its file, when it is finished."""
    # Processes share the work already: threads inside each would only get in the way.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    tasks = (
        Task(source, spec, errors, methods, arguments.seed)
        for spec, errors, methods in todo
        for source in sources
    )
    outcomes = map_ordered(measure, tasks, arguments.jobs)
    total = len(todo) * len(sources)
    with tqdm(total=total, unit=" images", disable=arguments.quiet or None) as bar:
        for spec, errors, methods in todo:
            trials: dict[str, list[Trial]] = {method: [] for method in methods}
            problems: list[str] = []
            for _ in sources:
                outcome = next(outcomes)
                for method, some in outcome.trials.items():
                    trials[method] += some
                problems += outcome.problems
                bar.update()
            for problem in problems[:SHOWN]:
                tqdm.write(f"{BENCH}: {spec}: {problem}", file=sys.stderr)
            for method, some in trials.items():
                for group, figures in summarize(some).items():
                    name = {"codec": spec, "errors": errors, "method": method, "objects": group}
                    row = documents.add(document, name, figures)
                    print_row(row)
            if arguments.json is not None:
                documents.write(arguments.json, document)


def heading() -> str:
    """The first lines of the table in markdown."""
    columns = ["codec", "errors", "method", "objects", "masks", "IoU", "boundary IoU"]
    columns += ["better / worse", "ms"]
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"


def print_row(result: documents.Result) -> None:
    """One line of the table in markdown."""
    name, figures = result["name"], result["figures"]
    cells = [f"`{name['codec']}`", name["errors"], f"`{name['method']}`", name["objects"]]
    cells.append(f"{figures['masks']:,}")
    cells += [f"{figures[f'{key}_before']:.3f} → {figures[key]:.3f}" for key in FIGURES]
    cells.append(f"{100 * figures['better']:.0f} / {100 * figures['worse']:.0f} %")
    cells.append(f"{1000 * figures['seconds']:.0f}")
    tqdm.write(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(main())

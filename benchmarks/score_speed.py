r"""How long `maskcodec score` takes on many made-up predictions.

    python -m maskcodec.benchmarks.score_speed --count 42000 --output score_speed.json

Truth and predictions are made first: images of 480x640 with one object each, whose outline is that
of one of 512 made-up shapes, and predictions that are the same shape moved by a few pixels, as text
of a codec or as COCO run lengths. Then the command is timed as a user would run it, with intervals,
ceiling and boundary IoU, and a page; the processor's time of all its processes stands beside the
clock's, since others may be at work on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskcodec import Mask, get_codec
from maskcodec.commands.arguments import count, jobs, size
from maskcodec.examples import Example, TruthMask, Turn
from maskcodec.records import dump_line

from . import document
from .mask_sets import shapes

SHAPES = 512
FORMS = ("text", "masks")


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.benchmarks.score_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--count", type=count, default=42_000, help="predictions (default: %(default)s)")
    add("--size", type=size, default=(480, 640), metavar="HxW", help="of images (480x640)")
    add("--spec", default="boxgrid", help="codec of texts (default: %(default)s)")
    add("--forms", nargs="+", choices=FORMS, default=FORMS, help="of predictions (default: both)")
    add("--jobs", type=jobs, default=2, help="processes (default: %(default)s)")
    add("--keep", type=Path, metavar="DIR", help="keep the made-up files here")
    add("--output", "-o", type=Path, metavar="FILE", help="where the JSON goes")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Make the files, time the command, and write the figures."""
    arguments = make_parser().parse_args(argv)
    settings = {name: getattr(arguments, name) for name in ("count", "size", "spec", "jobs")}
    found = document.start("score", argv, 0, settings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        write_files(folder, arguments.count, arguments.size, arguments.spec)
        for form in arguments.forms:
            figures = measure(folder, form, arguments)
            print(f"{form}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
            name = {"predictions": form, "count": arguments.count}
            found["results"].append({"name": name, "figures": figures})
    if arguments.output is not None:
        document.write(arguments.output, found)
    return 0


def write_files(folder: Path, many: int, image: tuple[int, int], spec: str) -> None:
    """Write `truth.jsonl`, `text.jsonl` and `masks.json`."""
    codec = get_codec(spec)
    drawn = list(_drawn(image, min(many, SHAPES)))
    spelt = [tuple(codec.encode([Mask(one, "thing")], image) for one in pair) for pair in drawn]
    counts = [tuple(TruthMask.of(Mask(one, "thing")) for one in pair) for pair in drawn]
    results: list[dict[str, Any]] = []
    with (folder / "truth.jsonl").open("wb") as truth, (folder / "text.jsonl").open("wb") as text:
        for number in range(many):
            place = number % len(drawn)
            right, printed = spelt[place]
            target, predicted = counts[place]
            name = f"{number // 3}#{number % 3}"
            turn = Turn(f"Segment thing {number}.", right, (target,))
            truth.write(
                Example(name, (f"{name}.jpg",), image, codec.spec, "referring", (turn,)).to_line()
            )
            fields = {"id": name, "size": list(image), "spec": codec.spec, "text": printed}
            text.write(dump_line(fields))
            segmentation = {"size": list(image), "counts": predicted.counts}
            results.append({"id": name, "segmentation": segmentation, "score": 0.9})
    (folder / "masks.json").write_text(json.dumps(results))


def _drawn(image: tuple[int, int], many: int) -> Iterator[tuple[Any, Any]]:
    """True shapes, and the same moved by a few pixels."""
    for seed in range(many):
        true = shapes(image, seed)
        down, right = np.random.default_rng(seed).integers(-12, 13, 2)
        yield true, np.roll(true, (int(down), int(right)), (0, 1))


def measure(folder: Path, form: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Run the command once; seconds by the clock, and of the processor in all processes."""
    predictions = folder / ("text.jsonl" if form == "text" else "masks.json")
    command = [
        sys.executable, "-m", "maskcodec", "score", str(predictions),
        "--truth", str(folder / "truth.jsonl"), "--output", str(folder / f"scores-{form}"),
        "--jobs", str(arguments.jobs), "--overwrite", "--quiet",
    ]  # fmt: skip
    if form == "masks":
        command += ["--ceiling", arguments.spec]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    scores = json.loads((folder / f"scores-{form}" / "scores.json").read_bytes())
    values = {one["name"]: one["value"] for one in scores["scores"]}
    return {
        "seconds": clock,
        "processor_seconds": used,
        "memory_mb": after.ru_maxrss / 1024,
        "samples": scores["counts"]["scored"],
        "gIoU": values["gIoU"],
        "boundary_IoU": values["boundary_IoU"],
    }


if __name__ == "__main__":
    sys.exit(main())

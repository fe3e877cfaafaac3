r"""Train a codebook for codec `shapetokens` from masks: COCO json, JSONL of RLE, folders of PNG.

    python -m maskcodec.training.shape_codebook coco.jsonl.gz lvis.jsonl.gz taco.jsonl.gz \
        --weights 6 1.2 2.8 --name shapes1 --output shapes1.npz --work work

One image in eight is held out (`maskcodec.datasets.image_split`) and measures the result, at native
resolution, by the number of codes; the figures go into the codebook's card, a Markdown file beside
it. The steps are kept in the work folder, so that the same command goes on where it was stopped:
the masks as fields, shapes composed of them, a first codebook by principal components and k-means
(`shape_kmeans`), and rounds that refine it in the metric of the search (`shape_refine`). About
twenty minutes on two cores.

`get_codec("shapetokens:codebook=NAME")` finds a codebook of one's own as NAME.npz in the folder
that the environment variable MASKCODEC_CODEBOOKS names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from maskcodec import MaskCodecError
from maskcodec.geometry.shape_codebook import (
    CELLS,
    CODES,
    MAX_DIMENSIONS,
    MAX_STAGES,
    whole_numbers,
)
from maskcodec.geometry.shape_tables import SearchTables
from maskcodec.geometry.tokens import CODEBOOK_NAME
from maskcodec.writing import atomic

from . import shape_card
from .shape_augment import augment
from .shape_fields import Fields, Halves, draw, read_fields, turned
from .shape_kmeans import components, project, residual_codes
from .shape_refine import refine

Arrays = dict[str, npt.NDArray[Any]]

_PIECE = 2_000
_COMPONENT_FIELDS = 16_000


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.training.shape_codebook",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("masks", nargs="+", type=Path, help="COCO json, JSONL of RLE (.gz too), folders of PNG")
    add("--weights", nargs="+", type=float, metavar="W", help="one a file; default: all equal")
    add("--name", required=True, help="of the codebook, for ever: a to z, 0 to 9, _ . -")
    add("--output", required=True, type=Path, metavar="FILE", help="the codebook, .npz")
    add("--work", required=True, type=Path, metavar="DIR", help="folder for finished steps")
    numbers = {
        "dimensions": (80, 1, MAX_DIMENSIONS, "of the space of fields"),
        "stages": (MAX_STAGES, 1, MAX_STAGES, "the most codes of an object"),
        "composed": (120_000, 1, 10_000_000, "shapes composed of others"),
        "drawn": (60_000, 1, 10_000_000, "shapes as they are, turned"),
        "iterations": (8, 1, 1_000, "of k-means, a stage"),
        "rounds": (5, 0, 1_000, "of refinement"),
        "sample": (32_000, 2, 10_000_000, "shapes a round"),
        "seed": (0, 0, 2**31, "of all that is drawn"),
        "processes": (2, 1, 256, "that compose shapes"),
    }
    for name, (default, least, most, text) in numbers.items():
        kind = _whole(least, most)
        add(f"--{name}", type=kind, default=default, metavar="N", help=f"{text}; {default:,}")
    add("--data", default="", help="for the card: what the masks are")
    add("--licence", default="", help="for the card: of masks and codebook")
    return parser


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number of a range."""

    def read(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() else least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not {least:,} to {most:,}")
        return value

    return read


class Work:
    """A folder of finished steps, so that a stopped run goes on.

    Raises:
        MaskCodecError: the folder belongs to a run with other settings.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(settings, indent=1, sort_keys=True)
        path = folder / "settings.json"
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise MaskCodecError(f"{folder} holds a run with other settings: choose another folder")
        with atomic(path) as file:
            file.write(text.encode())

    def step(self, name: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays of a step, read where it was finished before, else made and kept."""
        path = self.folder / f"{name}.npz"
        if not path.exists():
            arrays = make()
            with atomic(path) as file:
                np.savez(file, allow_pickle=False, **arrays)
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}


def main(argv: Sequence[str] | None = None) -> int:
    """Train; returns the exit status."""
    args = make_parser().parse_args(argv)
    weights = args.weights or [1.0] * len(args.masks)
    try:
        if len(weights) != len(args.masks) or min(weights) < 0 or not sum(weights):
            raise MaskCodecError(f"--weights needs a number for each of {len(args.masks)} files")
        if not CODEBOOK_NAME.fullmatch(args.name):
            raise MaskCodecError(f"--name {args.name!r} is no name: a to z, 0 to 9, _ . -")
        if args.output.suffix != ".npz" or not args.output.absolute().parent.is_dir():
            raise MaskCodecError(f"--output {args.output}: a .npz file in a folder that exists")
        run(args, weights)
    except (MaskCodecError, OSError) as error:
        print(f"shape_codebook: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {args.work}", file=sys.stderr)
        return 130
    return 0


def run(args: argparse.Namespace, weights: list[float]) -> None:
    """All steps, from masks to the codebook and its card."""
    work = Work(args.work, _settings(args, weights))
    fields = Fields(**work.step("fields", lambda: _read(args.masks)))
    _check_weights(fields, weights, args.masks)
    composed = _composed(work, fields, weights, args)

    def some(count: int, seed: int) -> npt.NDArray[np.floating]:
        """Half composed, half as they are, in a random order: float16 (count, cells)."""
        rng = np.random.default_rng([args.seed, seed])
        mine = composed[rng.integers(len(composed), size=count // 2)]
        theirs = turned(fields.values[draw(fields, weights, count - len(mine), rng)], rng)
        both: npt.NDArray[np.floating] = np.concatenate([mine, theirs]).reshape(count, -1)
        return both[rng.permutation(count)]

    tables = _tables(work.step("start", lambda: _start(args, fields, weights, composed)))
    for number in range(args.rounds):
        title = f"round {number + 1} of {args.rounds}"
        before = tables
        step = work.step(
            f"round-{number:02}",
            lambda: _arrays(refine(before, some(args.sample, 1 + number), title)),  # noqa: B023
        )
        tables = _tables(step)
    _finish(args, tables, len(fields.values))


def _settings(args: argparse.Namespace, weights: list[float]) -> dict[str, Any]:
    names = ("dimensions", "stages", "composed", "drawn", "iterations", "sample", "seed")
    chosen = {name: getattr(args, name) for name in names}
    files = {str(path): _digest(path) for path in args.masks}
    return {**chosen, "weights": weights, "files": files}


def _digest(path: Path) -> str:
    """Which data a path holds; of a folder, the names and sizes of its files."""
    digest = hashlib.sha256()
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            digest.update(f"{file.relative_to(path)} {file.stat().st_size}\n".encode())
    else:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _read(paths: Sequence[Path]) -> Arrays:
    fields, problems = read_fields(paths, "train")
    for problem in problems[:20]:
        print(f"left out: {problem}", file=sys.stderr)
    if len(problems) > 20:
        print(f"left out: {len(problems) - 20} more records", file=sys.stderr)
    return {"values": fields.values, "aspects": fields.aspects, "source": fields.source}


def _check_weights(fields: Fields, weights: list[float], paths: Sequence[Path]) -> None:
    for number, (weight, path) in enumerate(zip(weights, paths, strict=True)):
        if weight and not (fields.source == number).any():
            raise MaskCodecError(f"{path} has no mask to train on; give it weight 0 or leave it")


def _composed(work: Work, fields: Fields, weights: list[float], args: argparse.Namespace) -> Halves:
    """Composed shapes, in pieces that processes make."""
    pieces = -(-args.composed // _PIECE)
    missing = [i for i in range(pieces) if not (work.folder / f"composed-{i:03}.npz").exists()]
    with ProcessPoolExecutor(args.processes) as pool:
        tasks = {
            i: pool.submit(augment, fields, weights, _PIECE, args.seed * 1_000_003 + i)
            for i in missing
        }
        for i in tqdm(missing, "composes", unit=" pieces", disable=None):
            work.step(f"composed-{i:03}", lambda: {"values": tasks[i].result()})  # noqa: B023
    parts = [work.step(f"composed-{i:03}", dict)["values"] for i in range(pieces)]
    empty = np.zeros((0, CELLS, CELLS), np.float16)
    return np.concatenate([empty, *parts])[: args.composed]


def _start(
    args: argparse.Namespace, fields: Fields, weights: list[float], composed: Halves
) -> Arrays:
    rng = np.random.default_rng([args.seed, 0])
    drawn = turned(fields.values[draw(fields, weights, args.drawn, rng)], rng)
    values = np.concatenate([composed, drawn]).reshape(len(composed) + len(drawn), -1)
    chosen = rng.permutation(len(values))[:_COMPONENT_FIELDS]
    mean, basis = components(values[chosen], args.dimensions)
    points = project(values, mean, basis)
    codes = residual_codes(points, args.stages, CODES, args.iterations, rng)
    return {"mean": mean, "basis": basis, "codes": codes}


def _tables(arrays: Arrays) -> SearchTables:
    return SearchTables.of(arrays["mean"], arrays["basis"], arrays["codes"])


def _arrays(tables: SearchTables) -> Arrays:
    return {"mean": tables.mean, "basis": tables.basis, "codes": tables.codes}


def with_silent_codes(codes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Codebooks whose code 0 adds nothing, in every stage but the first.

    So a shape that needs no further code is not made worse by one. In each stage the code that
    added least gives way.
    """
    found = codes.copy()
    for table in found[1:]:
        least = np.square(table).sum(axis=1).argmin()
        table[least] = table[0]
        table[0] = 0
    return found


def _finish(args: argparse.Namespace, tables: SearchTables, objects: int) -> None:
    card = {
        "data": args.data or ", ".join(path.name for path in args.masks),
        "licence": args.licence or "not stated",
        "command": shlex.join(["python", "-m", "maskcodec.training.shape_codebook", *_shown(args)]),
        "seed": args.seed,
        "objects": objects,
        "versions": shape_card.versions(),
        "figures": {},
    }
    codes = with_silent_codes(tables.codes)
    book = whole_numbers(args.name, tables.mean, tables.basis, codes, card)
    for path in args.masks:
        card["figures"][path.name] = shape_card.measure(book, path)
    text = shape_card.write_card(book)
    with atomic(args.output) as file:
        book.save(file)
    with atomic(args.output.with_suffix(".md")) as file:
        file.write(text.encode())
    print(text)
    print(f"codebook: {args.output}, card: {args.output.with_suffix('.md')}")


def _shown(args: argparse.Namespace) -> list[str]:
    """The arguments without folders, which are a matter of the machine."""
    default = make_parser().parse_args(["x", "--name", "x", "--output", "x", "--work", "x"])
    shown = [path.name for path in args.masks]
    if args.weights:
        shown += ["--weights", *(f"{weight:g}" for weight in args.weights)]
    shown += ["--name", args.name, "--output", args.output.name, "--work", "work"]
    for name in (
        "dimensions",
        "stages",
        "composed",
        "drawn",
        "iterations",
        "rounds",
        "sample",
        "seed",
    ):
        value = getattr(args, name)
        if value != getattr(default, name):
            shown += [f"--{name}", str(value)]
    return shown


if __name__ == "__main__":
    sys.exit(main())

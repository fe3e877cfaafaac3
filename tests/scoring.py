"""Small truths and predictions for `maskcodec score`, and what it made of them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from reading import disc, read_jsonl

from maskcodec import Mask, cli, get_codec, rle
from maskcodec.examples import Example, TruthMask, Turn

SIZE = (40, 60)
SPEC = "boxgrid:rows=12"


class Scored(NamedTuple):
    """What a run did: its status, what it printed, and the document that it wrote, if any."""

    status: int
    out: str
    err: str
    document: dict[str, Any]

    def value(self, name: str) -> float:
        """A score by its name."""
        return {one["name"]: float(one["value"]) for one in self.document["scores"]}[name]

    def ceiling(self, name: str) -> float:
        """A score's ceiling."""
        found = {one["name"]: one["ceiling"] for one in self.document["scores"]}[name]
        assert isinstance(found, float), found
        return found

    @property
    def counts(self) -> dict[str, int]:
        """What was counted."""
        return dict(self.document["counts"])


def score(output: Path, *arguments: object) -> Scored:
    """Run `maskcodec score ARGUMENTS -o OUTPUT`, with few resamples and pictures for speed."""
    few = ["--resamples", "100", "--shown", "2", "-j", "1"]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(["score", *few, *map(str, arguments), "-o", str(output)])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    path = output / "scores.json"
    document = json.loads(path.read_text()) if status in (0, 1) and path.exists() else {}
    return Scored(status, out.getvalue(), err.getvalue(), document)


def picture(number: int) -> list[Mask]:
    """The right masks of a sample: one disc, every fifth time none, every seventh two."""
    if number % 5 == 4:
        return []
    first = disc(SIZE, (10 + number % 20, 14 + number % 11), 5 + number % 6)
    found = [Mask(first, "dog")]
    if number % 7 == 6:
        found.append(Mask(disc(SIZE, (22, 45), 6), "dog"))
    return found


def moved(masks: Sequence[Mask], number: int) -> list[Mask]:
    """What a system might predict: the masks a little elsewhere, sometimes nothing."""
    if number % 6 == 5:
        return []
    return [Mask(np.roll(mask.array, (number % 4, -(number % 3)), (0, 1)), "dog") for mask in masks]


def truth_file(path: Path, count: int = 20, *, task: str = "generalised") -> Path:
    """A prepared file; its images aren't there."""
    codec = get_codec(SPEC)
    lines = []
    for number in range(count):
        masks = picture(number)
        turn = Turn(
            f"Segment thing {number}.",
            codec.encode(masks, SIZE),
            tuple(TruthMask.of(mask) for mask in masks),
        )
        example = Example(name(number), (f"{number}.jpg",), SIZE, codec.spec, task, (turn,))
        lines.append(example.to_line())
    path.write_bytes(b"".join(lines))
    return path


def name(number: int) -> str:
    """The id of a sample."""
    return f"set/{number // 2}#{number % 2}"


def texts(count: int = 20) -> list[dict[str, Any]]:
    """Predictions as text."""
    codec = get_codec(SPEC)
    return [
        {"id": name(n), "spec": SPEC, "text": codec.encode(moved(picture(n), n), SIZE)}
        for n in range(count)
    ]


def predicted(count: int = 20) -> dict[str, list[Mask]]:
    """Predictions as masks, by id."""
    return {name(n): moved(picture(n), n) for n in range(count)}


def coco(mask: npt.NDArray[np.bool_], *, compressed: bool = True) -> dict[str, Any]:
    """Run lengths as COCO writes them."""
    counts = rle.encode(mask)
    said: Any = rle.to_string(counts).decode("ascii") if compressed else counts.tolist()
    return {"size": list(mask.shape), "counts": said}


def union(masks: Sequence[Mask]) -> npt.NDArray[np.bool_]:
    """All pixels of masks."""
    found = np.zeros(SIZE, np.bool_)
    for mask in masks:
        found |= mask.array
    return found


def plain_scores(preds: dict[str, npt.NDArray[np.bool_]], count: int = 20) -> tuple[float, float]:
    """gIoU and cIoU by loops; what is not predicted is nothing, both empty is 1."""
    ious, both, either = [], 0, 0
    for number in range(count):
        true = union(picture(number))
        pred = preds.get(name(number), np.zeros(SIZE, np.bool_))
        shared, joined = int((true & pred).sum()), int((true | pred).sum())
        ious.append(shared / joined if joined else 1.0)
        both, either = both + shared, either + joined
    return sum(ious) / len(ious), both / either


def unmatched(folder: Path) -> list[tuple[str, Any]]:
    """What `unmatched.jsonl` lists: why, and the id (or the line)."""
    return [
        (row["why"], row.get("id", row.get("line")))
        for row in read_jsonl(folder / "unmatched.jsonl")
    ]

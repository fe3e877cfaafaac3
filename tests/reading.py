"""Small inputs for the readers of `maskcodec.datasets`, and what those make of them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from maskcodec import Mask, RecordError, rle
from maskcodec.datasets.inputs import open_inputs
from maskcodec.datasets.sample import Entry, ReadOptions, Sample


def disc(size: tuple[int, int], centre: tuple[int, int], radius: int) -> npt.NDArray[np.bool_]:
    """A disc in an image of `size`."""
    y, x = np.mgrid[: size[0], : size[1]]
    inside: npt.NDArray[np.bool_] = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2
    return inside


def rle_fields(mask: Mask, image: str, id_: int | str) -> dict[str, Any]:
    """A record of one object, as JSONL of run lengths holds it."""
    return {
        "image": image,
        "id": id_,
        "category": mask.label,
        "size": list(mask.size),
        "counts": rle.to_string(rle.encode(mask.array)).decode("ascii"),
    }


def write_jsonl(path: Path, records: Sequence[object]) -> Path:
    """Write JSONL; an item that is a string stands as it is."""
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    data = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """All records of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


SIZE = (40, 60)
DOG = disc(SIZE, (20, 20), 9)
CAT = disc(SIZE, (15, 45), 6)
PER_IMAGE = ReadOptions()
PER_OBJECT = ReadOptions(per="object")


def read(*paths: Path, options: ReadOptions = PER_IMAGE) -> list[Sample | str]:
    """Every sample of the inputs, and in its place the message of what failed."""
    return [load(item) for item in open_inputs(paths, options).items]


def load(item: Entry | RecordError) -> Sample | str:
    if isinstance(item, RecordError):
        return str(item)
    try:
        sample = item.load()
    except RecordError as error:
        return str(error)
    assert sample.id == item.id
    return sample


def only(*paths: Path, options: ReadOptions = PER_IMAGE) -> Sample:
    """The one sample of the inputs."""
    (sample,) = read(*paths, options=options)
    assert isinstance(sample, Sample), sample
    return sample


def error(*paths: Path, options: ReadOptions = PER_IMAGE) -> str:
    """The one error of the inputs."""
    try:
        (message,) = read(*paths, options=options)
    except RecordError as raised:
        return str(raised)
    assert isinstance(message, str), message
    return message


def labels(sample: Sample) -> list[str]:
    return [mask.label for mask in sample.masks]


def same(mask: Mask, array: npt.NDArray[np.bool_]) -> bool:
    return bool(np.array_equal(mask.array.view(np.uint8), array))


def save(path: Path, values: npt.NDArray[Any], mode: str | None = None) -> Path:
    image = Image.fromarray(values)
    (image if mode is None else image.convert(mode)).save(path)
    return path


def uncompressed(array: npt.NDArray[np.bool_]) -> list[int]:
    flat = array.ravel(order="F")
    ends = np.flatnonzero(np.diff(flat, prepend=False))
    return [int(n) for n in np.diff(ends, prepend=0, append=flat.size)]


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path

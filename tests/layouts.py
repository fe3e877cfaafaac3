"""Small copies of data sets in their own layouts, for the readers of `maskcodec prepare`."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from reading import disc, rle_fields, save, write, write_jsonl

from maskcodec import Mask, RecordError
from maskcodec.datasets.annotated import Annotated, Source

SIZE = (40, 60)
SQUARE = [8.0, 6.0, 24.0, 6.0, 24.0, 22.0, 8.0, 22.0]
OTHER = [36.0, 10.0, 52.0, 10.0, 52.0, 30.0, 36.0, 30.0]
TINY = [2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
DOG, CAT = 18, 17
NAMES = {DOG: "dog", CAT: "cat", 1: "person"}


def photograph(path: Path, size: tuple[int, int] = SIZE) -> Path:
    """An image of the size (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size[1], size[0]), (90, 120, 60)).save(path)
    return path


def coco_document(images: int = 3) -> dict[str, Any]:
    """An instances json: image k has a dog, and where k is odd a second dog and a cat."""
    annotations: list[dict[str, Any]] = []
    for image in range(images):
        found = [(DOG, SQUARE)] + [(DOG, OTHER), (CAT, [1.0, 30, 9, 30, 9, 39])] * (image % 2)
        for category, polygon in found:
            annotations.append(
                {
                    "id": 100 + len(annotations),
                    "image_id": image,
                    "category_id": category,
                    "segmentation": [polygon],
                    "iscrowd": 0,
                }
            )
    return {
        "images": [
            {"id": k, "file_name": f"{k}.jpg", "height": SIZE[0], "width": SIZE[1]}
            for k in range(images)
        ],
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for number, name in NAMES.items()],
    }


def coco(folder: Path, images: int = 3) -> Path:
    """`instances.json` with its images beside it."""
    for number in range(images):
        photograph(folder / f"{number}.jpg")
    return write(folder / "instances.json", coco_document(images))


def ref(number: int, image: int, annotation: Any, *texts: str, split: str = "train") -> Any:
    """A ref as REFER's pickles hold it."""
    return {
        "ref_id": number,
        "ann_id": annotation,
        "category_id": DOG,
        "file_name": f"COCO_train2014_{image:012}_{number}.jpg",
        "image_id": image,
        "sent_ids": list(range(len(texts))),
        "sentences": [
            {"sent": text, "raw": text.upper(), "sent_id": index, "tokens": text.split()}
            for index, text in enumerate(texts)
        ],
        "split": split,
    }


def refcoco(
    folder: Path, refs: Sequence[Any], name: str = "refs(unc).p", protocol: int = 0
) -> Path:
    """A folder of RefCOCO."""
    coco(folder)
    for number in range(3):
        photograph(folder / "images" / f"{number}.jpg")
    (folder / name).write_bytes(pickle.dumps(list(refs), protocol))
    return folder


def grefcoco(folder: Path, refs: Sequence[Any]) -> Path:
    """A folder of gRefCOCO."""
    refcoco(folder, [])
    (folder / "refs(unc).p").unlink()
    write(folder / "grefs(unc).json", list(refs))
    return folder


def shape(label: str, *points: tuple[float, float]) -> dict[str, Any]:
    """A polygon of labelme."""
    return {"label": label, "points": [list(point) for point in points], "shape_type": "polygon"}


def reasonseg(path: Path, shapes: Sequence[Any], text: Any, *, is_sentence: bool = True) -> Path:
    """A pair of ReasonSeg."""
    photograph(path.with_suffix(".jpg"))
    return write(path, {"text": text, "is_sentence": is_sentence, "shapes": list(shapes)})


def panoptic(folder: Path) -> Path:
    """`panoptic_val.json`: two people and grass on one image."""
    photograph(folder / "0.jpg")
    numbers = np.zeros(SIZE, np.int64)
    numbers[20:] = 70_000
    numbers[5:30, 5:15] = 300
    numbers[5:30, 25:35] = 301
    (folder / "panoptic_val").mkdir()
    colours = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536], axis=-1)
    save(folder / "panoptic_val" / "0.png", colours.astype(np.uint8))
    segments = [
        {"id": 300, "category_id": 1, "iscrowd": 0},
        {"id": 301, "category_id": 1, "iscrowd": 0},
        {"id": 70_000, "category_id": 125, "iscrowd": 0},
    ]
    document = {
        "images": [{"id": 7, "file_name": "0.jpg", "height": SIZE[0], "width": SIZE[1]}],
        "annotations": [{"image_id": 7, "file_name": "0.png", "segments_info": segments}],
        "categories": [
            {"id": 1, "name": "person", "isthing": 1},
            {"id": 2, "name": "bicycle", "isthing": 1},
            {"id": 125, "name": "gravel", "isthing": 0},
        ],
    }
    return write(folder / "panoptic_val.json", document)


def label_map(path: Path, values: dict[int, tuple[int, int, int, int]]) -> npt.NDArray[np.uint8]:
    """A label map of boxes, (top, left, bottom, right) by value, as a palette-free PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.zeros(SIZE, np.uint8)
    for value, (top, left, bottom, right) in values.items():
        array[top:bottom, left:right] = value
    save(path, array)
    return array


def objects(path: Path, images: int = 4, *, said: bool = False) -> Path:
    """JSONL of run lengths: two objects in each image, the images beside it."""
    records = []
    for number in range(images):
        photograph(path.parent / f"{number}.jpg")
        for label, place in (("dog", (15, 15)), ("cat", (20, 45))):
            mask = Mask(disc(SIZE, place, 6 + number % 4), label)
            record = rle_fields(mask, f"{number}.jpg", f"{number}-{label}")
            records.append(record | ({"expression": f"the {label} there"} if said else {}))
    return write_jsonl(path, records)


def loaded(source: Source) -> list[Annotated | str]:
    """Every image of a source, and in its place the message of what failed."""
    found: list[Annotated | str] = []
    for item in source.entries:
        try:
            if isinstance(item, RecordError):
                raise item
            found.append(item.load())
        except RecordError as error:
            found.append(str(error))
    return found


def single(source: Source) -> Annotated:
    """The only image of a source."""
    (found,) = loaded(source)
    assert isinstance(found, Annotated), found
    return found


def lines(path: Path) -> list[Any]:
    """The lines of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def palette_map(path: Path, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A label map as a palette PNG, as DAVIS has them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values.astype(np.uint8), "P")
    image.putpalette([channel for value in range(256) for channel in (value, 255 - value, 7)])
    image.save(path)
    return values


def moving(frame: int, *, size: tuple[int, int] = SIZE) -> npt.NDArray[np.uint8]:
    """A frame in which object 1 moves to the right, and object 3 stands; a strip is ignored."""
    values = np.zeros(size, np.uint8)
    values[5:15, 2 + 3 * frame : 12 + 3 * frame] = 1
    values[22:32, 30:44] = 3
    values[36:, :] = 255
    return values


def davis(folder: Path, frames: int = 4) -> Path:
    """DAVIS with two videos: `bear`, listed in val, and `goat`, in train."""
    for video in ("bear", "goat"):
        for frame in range(frames):
            palette_map(folder / "Annotations" / "480p" / video / f"{frame:05}.png", moving(frame))
            photograph(folder / "JPEGImages" / "480p" / video / f"{frame:05}.jpg")
    lists = folder / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("bear\n")
    (lists / "train.txt").write_text("goat\n\n")
    return folder


def referring_videos(folder: Path, frames: int = 3) -> Path:
    """Refer-YouTube-VOS' train part with one video of three expressions."""
    names = [f"{5 * frame:05}" for frame in range(frames)]
    for at, name in enumerate(names):
        palette_map(folder / "train" / "Annotations" / "0f3a" / f"{name}.png", moving(at))
        photograph(folder / "train" / "JPEGImages" / "0f3a" / f"{name}.jpg")
    expressions = {
        "0": {"exp": "a thing moving right", "obj_id": "1"},
        "1": {"exp": "the one below", "obj_id": "3"},
        "2": {"exp": "both", "obj_id": ["1", "3"]},
    }
    path = folder / "meta_expressions" / "train" / "meta_expressions.json"
    path.parent.mkdir(parents=True)
    return write(path, {"videos": {"0f3a": {"expressions": expressions, "frames": names}}})

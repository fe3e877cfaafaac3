"""Which reader takes a source of `maskcodec prepare`."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

from ..errors import MaskCodecError, RecordError
from ..records import check_file
from .annotated import Source, SourceOptions

FORMATS = {
    "scenes": "scene_source",
    "coco": "coco_source",
    "jsonl": "object_lines",
    "refcoco": "refcoco",
    "grefcoco": "grefcoco",
    "reasonseg": "reasonseg",
    "panoptic": "panoptic",
    "labels": "label_folder",
    "ade20k": "label_folder",
    "cityscapes": "label_folder",
    "voc": "label_folder",
    "pascal-context": "label_folder",
    "coco-stuff": "label_folder",
}
"""Each format and its module here, which has `read(path, options)`."""

SCENES = re.compile(r"scenes:([1-9][0-9]{0,6})")


def open_source(source: str, kind: str, options: SourceOptions) -> Source:
    """Open a source.

    Args:
        source: a file, a folder, or `scenes:N`.
        kind: one of `FORMATS`, or "auto".
        options: how it is read.

    Raises:
        RecordError: it is missing, or no reader takes it.
    """
    if kind == "auto":
        kind = find_format(source)
    if kind not in FORMATS:
        raise MaskCodecError(f"--format {kind!r} is unknown, expected {', '.join(FORMATS)}")
    if (kind == "scenes") != bool(SCENES.fullmatch(source)):
        raise MaskCodecError(
            f"{source!r} is no number of scenes, expected scenes:N with N from 1 to 9,999,999"
            if kind == "scenes"
            else f"{source!r} makes scenes, which --format {kind} does not read"
        )
    module = importlib.import_module(f".{FORMATS[kind]}", __package__)
    given = source if kind == "scenes" else Path(source)
    found: Source = (
        module.read(given, options, kind)
        if FORMATS[kind] == "label_folder"
        else module.read(given, options)
    )
    return found


def find_format(source: str) -> str:
    """The format of a source, by its name and by the names of the files in a folder.

    Raises:
        RecordError: none fits.
    """
    if source.startswith("scenes:"):
        return "scenes"
    path = Path(source)
    if path.is_dir():
        return _of_folder(path)
    name = check_file(path).name.lower().removesuffix(".gz")
    if name.endswith(".jsonl"):
        return "jsonl"
    if name.endswith(".p"):
        return "refcoco"
    if name.endswith(".json"):
        if name.startswith("grefs"):
            return "grefcoco"
        return "panoptic" if "panoptic" in name else "coco"
    raise RecordError(
        "has no suffix that is known: .jsonl is run lengths, .p referring expressions, .json COCO "
        "(named grefs… gRefCOCO, …panoptic… panoptic); say --format",
        file=source,
    )


def _of_folder(path: Path) -> str:
    if any(path.glob("grefs*.json")):
        return "grefcoco"
    if any(path.glob("refs*.p")):
        return "refcoco"
    if (path / "SegmentationClass").is_dir():
        return "voc"
    if (path / "SegmentationClassContext").is_dir():
        return "pascal-context"
    if (path / "stuffthingmaps").is_dir() or (path / "annotations" / "val2017").is_dir():
        return "coco-stuff"
    if (path / "gtFine").is_dir():
        return "cityscapes"
    if (path / "annotations" / "training").is_dir():
        return "ade20k"
    if any(path.glob("*.json")) or any(path.glob("*/*.json")):
        return "reasonseg"
    if any(path.rglob("*.png")):
        return "labels"
    raise RecordError(
        "is a folder of no known layout: refs(…).p, grefs(…).json, SegmentationClass/, "
        "SegmentationClassContext/, stuffthingmaps/, gtFine/, annotations/training/, pairs of "
        ".json and .jpg, or label maps as .png; say --format",
        file=str(path),
    )

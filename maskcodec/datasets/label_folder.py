"""Folders of label maps: ADE20K's, Cityscapes', PASCAL VOC's layouts, and any pair of folders.

- voc: `SegmentationClass/NAME.png` and `JPEGImages/NAME.jpg`; splits in `ImageSets/Segmentation`.
- cityscapes: `gtFine/SPLIT/CITY/NAME_gtFine_labelTrainIds.png`, or `…_labelIds.png` where there are
  none of these, and `leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png`.
- ade20k: `annotations/training/NAME.png`, `…/validation/`, `images/…`; the names of the classes are
  those of `objectInfo150.txt`, where it is there.
- pascal-context: `SegmentationClassContext/NAME.png` of the 59 classes, as mmsegmentation converts
  them, and `JPEGImages/NAME.jpg`; splits in `ImageSets/SegmentationContext`.
- coco-stuff: `annotations/val2017/NAME.png` (or `stuffthingmaps/`), or where there are such
  `…/NAME_labelTrainIds.png` as mmsegmentation converts them, and `images/val2017/NAME.jpg`.
- labels: any folder, and images of the same names in another.

Values without a name are not annotated where the layout says so (255; in ADE20K and PASCAL Context
0 too, in Cityscapes all that the benchmark leaves out), and an error elsewhere. In VOC and in any
other folder 0 is annotated as nothing that has a name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from ..mask import Mask
from ..records import Record, check_file, parse_json
from .annotated import Annotated, AnnotatedEntry, Source, SourceOptions
from .images import check_image, find_image, read_png
from .label_map import BACKGROUND, label_masks
from .names import read_names
from .sample import check_area

NAMES = Path(__file__).with_name("label_names.json")


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a data set keeps what.

    Attributes:
        maps: the folder of label maps.
        images: the folder of images.
        names: of the values.
        ending: what the names of label maps end in, and images lack.
        image_ending: what the names of images have instead.
        listed: names of the split's files; None takes all.
        passed_over: whether values without a name are not annotated.
        background: whether 0 is annotated where it has no name: as nothing that has one.
    """

    maps: Path
    images: Path
    names: dict[int, str]
    ending: str = ".png"
    image_ending: str = ""
    listed: frozenset[str] | None = None
    passed_over: bool = True
    background: bool = False


def read(path: Path, options: SourceOptions, kind: str) -> Source:
    """Read a folder of label maps; one entry a map.

    Raises:
        RecordError: the layout is not there, or nobody names the values.
    """
    layout = _LAYOUTS[kind](path, options)
    files = [
        Path(where) / name
        for where, _, names in os.walk(layout.maps)
        for name in names
        if name.endswith(layout.ending) and not name.startswith(".")
    ]
    if layout.listed is not None:
        files = [file for file in files if file.stem in layout.listed]
    if not files:
        raise RecordError(f"holds no label map (*{layout.ending})", file=str(layout.maps))
    entries = [
        AnnotatedEntry(
            name := _name(file, layout),
            str(file),
            None,
            partial(_load, file, layout, options),
            (f"{name}{layout.image_ending}",),
        )
        for file in sorted(files, key=Path.as_posix)
    ]
    names = {value: name for value, name in layout.names.items() if value not in options.ignore}
    return Source(kind, entries, ("semantic",), names=names)


def _name(file: Path, layout: _Layout) -> str:
    return file.relative_to(layout.maps).as_posix().removesuffix(layout.ending)


def _load(file: Path, layout: _Layout, options: SourceOptions) -> Annotated:
    name = _name(file, layout)
    folder, image = _image(f"{name}{layout.image_ending}.png", file, layout, options)
    values = read_png(file)
    masks = _class_masks(values, layout, options.ignore, str(file))
    size = (int(values.shape[0]), int(values.shape[1]))
    if problem := check_area(len(masks), size):
        raise RecordError(problem, file=str(file))
    check_image(folder, image, size)
    labels = [label for value, label in layout.names.items() if value not in options.ignore]
    shown = {mask.label for mask in masks}
    return Annotated(
        image,
        size,
        tuple(masks),
        path=layout.images / image,
        stuff=frozenset(labels),
        absent=tuple(label for label in labels if label not in shown),
        is_exhaustive=True,
        ignore=_ignored(values, layout, options.ignore),
    )


def _image(
    name: str, file: Path, layout: _Layout, options: SourceOptions
) -> tuple[Path | None, str]:
    """The folder of a map's image and its name there; scores need no image, and none is None."""
    folder = layout.images if layout.images.is_dir() or not options.scoring else None
    try:
        return folder, find_image(folder, name, file)
    except RecordError:
        if not options.scoring:
            raise
        return None, name


def _ignored(
    values: npt.NDArray[Any], layout: _Layout, ignore: tuple[int, ...]
) -> npt.NDArray[np.bool_] | None:
    """The pixels that nobody annotated; None where all are."""
    known = [value for value in layout.names if value not in ignore]
    if layout.background and BACKGROUND not in ignore:
        known.append(BACKGROUND)
    ignored: npt.NDArray[np.bool_] = ~np.isin(values, known)
    return ignored if ignored.any() else None


def _class_masks(
    values: npt.NDArray[Any], layout: _Layout, ignore: tuple[int, ...], file: str
) -> list[Mask]:
    """The mask of each class that occurs; values that mean "not annotated" give none.

    Raises:
        RecordError: a value that nobody names.
    """
    names = {value: label for value, label in layout.names.items() if value not in ignore}
    unnamed = np.unique(values).tolist() if layout.passed_over else ignore
    masks = label_masks(values, dict.fromkeys(unnamed, "") | names, file)
    return [mask for value, mask in masks.items() if value in names]


def _shipped(kind: str) -> dict[int, str]:
    """The names that the package has of a data set's values."""
    sets = Record(str(NAMES), None, parse_json(NAMES.read_bytes(), str(NAMES)))
    return {int(value): label for value, label in sets.get(kind).items()}


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise RecordError("no such folder", file=str(path))
    return path


def _listed(folder: Path, options: SourceOptions) -> frozenset[str] | None:
    """The names that a split's list holds; None where every map is wanted."""
    if options.split in (None, "all"):
        return None
    file = check_file(folder / f"{options.split}.txt")
    return frozenset(file.read_text("utf-8", "replace").split())


def _voc(path: Path, options: SourceOptions) -> _Layout:
    return _Layout(
        _folder(path / "SegmentationClass"),
        options.image_folder(path / "JPEGImages"),
        options.names or _shipped("voc"),
        listed=_listed(path / "ImageSets" / "Segmentation", options),
        background=True,
    )


def _pascal_context(path: Path, options: SourceOptions) -> _Layout:
    return _Layout(
        _folder(path / "SegmentationClassContext"),
        options.image_folder(path / "JPEGImages"),
        options.names or _shipped("pascal_context"),
        listed=_listed(path / "ImageSets" / "SegmentationContext", options),
    )


def _coco_stuff(path: Path, options: SourceOptions) -> _Layout:
    split = {"train": "train2017", "val": "val2017"}.get(str(options.split), options.split)
    part = str(split) if split not in (None, "all") else ""
    roots = [path / name for name in ("annotations", "stuffthingmaps") if (path / name).is_dir()]
    maps = _folder((roots[0] if roots else path) / part)
    trained = any(maps.rglob("*_labelTrainIds.png"))
    images = path / "images" if (path / "images").is_dir() else path
    return _Layout(
        maps,
        options.image_folder(images) / part,
        options.names or _shipped("coco_stuff_labelTrainIds" if trained else "coco_stuff"),
        "_labelTrainIds.png" if trained else ".png",
    )


def _cityscapes(path: Path, options: SourceOptions) -> _Layout:
    split = options.split if options.split not in (None, "all") else ""
    maps = _folder(path / "gtFine" / str(split))
    images = options.image_folder(path / "leftImg8bit") / str(split)
    trained = any(maps.rglob("*_gtFine_labelTrainIds.png"))
    kind = "labelTrainIds" if trained else "labelIds"
    names = options.names or _shipped(f"cityscapes_{kind}")
    return _Layout(maps, images, names, f"_gtFine_{kind}.png", "_leftImg8bit")


def _ade20k(path: Path, options: SourceOptions) -> _Layout:
    split = {"train": "training", "val": "validation"}.get(str(options.split), options.split)
    part = split if split not in (None, "all") else ""
    names = options.names
    if names is None:
        info = path / "objectInfo150.txt"
        names = read_object_info(info) if info.is_file() else _shipped("ade20k")
    maps = _folder(path / "annotations" / str(part))
    return _Layout(maps, options.image_folder(path / "images") / str(part), names)


def _labels(path: Path, options: SourceOptions) -> _Layout:
    if options.names is None:
        raise RecordError(
            "holds label maps, whose values nobody names; give --names FILE", file=str(path)
        )
    maps = _folder(path / options.split if options.split else path)
    return _Layout(
        maps, options.image_folder(path), options.names, passed_over=False, background=True
    )


_LAYOUTS = {
    "voc": _voc,
    "cityscapes": _cityscapes,
    "ade20k": _ade20k,
    "pascal-context": _pascal_context,
    "coco-stuff": _coco_stuff,
    "labels": _labels,
}


def read_object_info(path: Path) -> dict[int, str]:
    """Read ADE20K's `objectInfo150.txt`: columns by tabs, `Idx` and `Name`, of which the first of
    several synonyms is taken.

    Raises:
        RecordError: a column is missing, or a line has no number.
    """
    lines = path.read_text("utf-8", "replace").splitlines()
    head = lines[0].split("\t") if lines else []
    if "Idx" not in head or "Name" not in head:
        return read_names(path)
    names: dict[int, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        try:
            value = int(cells[head.index("Idx")])
            names[value] = cells[head.index("Name")].split(",")[0].strip()
        except (IndexError, ValueError):
            raise RecordError("has no index and name", file=str(path), line=number) from None
    return names

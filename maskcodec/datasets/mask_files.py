"""Mask images and arrays: one file an image, given one by one or as a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError, RecordError
from ..mask import Mask, check_size
from ..records import check_file
from .images import check_image, find_image, read_png
from .label_map import binary_mask, label_masks
from .sample import Entries, Entry, ReadOptions, Sample, check_area

SUFFIXES = (".png", ".npy")
NPY_MAGIC = b"\x93NUMPY"


def read(paths: Sequence[Path], root: Path, options: ReadOptions) -> Entries:
    """Read mask files: PNGs, and arrays in `.npy`.

    With `options.names` a file is a label map, one mask a value; otherwise it is a binary mask, or
    for a `.npy` of shape (masks, height, width) several.

    Args:
        paths: the files.
        root: ids and image names are the paths relative to here.
        options: see `ReadOptions`.
    """
    if options.per == "image":
        items = [_entry(path, root, options) for path in paths]
        return Entries(items, len(items))
    return Entries(_objects(paths, root, options))


def find(folder: Path) -> list[Path]:
    """All mask files in a folder and below, sorted by path; links to folders are not followed.

    Raises:
        RecordError: there is none.
    """
    paths = [
        Path(where) / name
        for where, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(SUFFIXES) and not name.startswith(".")
    ]
    if not paths:
        raise RecordError("holds no .png and no .npy", file=str(folder))
    return sorted(paths, key=Path.as_posix)


def _entry(path: Path, root: Path, options: ReadOptions) -> Entry:
    name = _id(path, root)
    return Entry(name, str(path), None, partial(_load, path, root, options))


def _id(path: Path, root: Path) -> str:
    return _relative(path, root).with_suffix("").as_posix()


def _relative(path: Path, root: Path) -> Path:
    return Path(os.path.relpath(path, root))


def _load(path: Path, root: Path, options: ReadOptions) -> Sample:
    image, size, masks = _read(path, root, options)
    return Sample(_id(path, root), image, size, tuple(masks.values()))


def _objects(
    paths: Sequence[Path], root: Path, options: ReadOptions
) -> Iterator[Entry | RecordError]:
    """One entry a mask; the file is read here, since its ids follow from what it holds."""
    for path in paths:
        try:
            image, size, masks = _read(path, root, options)
        except RecordError as error:
            yield error
            continue
        for number, mask in masks.items():
            name = f"{_id(path, root)}#{number}"
            sample = Sample(name, image, size, (mask,))
            yield Entry(name, str(path), None, partial(_loaded, sample))


def _loaded(sample: Sample) -> Sample:
    return sample


def _read(
    path: Path, root: Path, options: ReadOptions
) -> tuple[str, tuple[int, int], dict[int, Mask]]:
    """The image's name, its size, and its masks by their values (or running numbers)."""
    file = str(path)
    values = read_npy(path) if path.suffix.lower() == ".npy" else read_png(path)
    label = path.stem if options.label is None else options.label
    if values.ndim == 3:
        if options.names is not None:
            raise RecordError(
                f"has shape {values.shape}, but names go with a label map (height, width)",
                file=file,
            )
        masks = {n: binary_mask(plane, label, file) for n, plane in enumerate(values, start=1)}
    elif options.names is not None:
        masks = label_masks(values, options.names, file)
    else:
        masks = {1: binary_mask(values, label, file)}
    size = (int(values.shape[-2]), int(values.shape[-1]))
    if problem := check_area(len(masks), size):
        raise RecordError(problem, file=file)
    image = find_image(options.image_dir, _relative(path, root).as_posix(), path)
    check_image(options.image_dir, image, size)
    return image, size, masks


def read_npy(path: str | Path) -> npt.NDArray[Any]:
    """Read an array of masks: no pickles, and nothing beyond the header before it is checked.

    Returns:
        bool or whole numbers, (height, width) or (masks, height, width), mapped from the file.

    Raises:
        RecordError: no such file, no array, cut off, or of another shape or type.
    """
    file = str(path)
    path = check_file(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(len(NPY_MAGIC))
        if head != NPY_MAGIC:
            raise RecordError("is not a .npy file (numpy.save writes one)", file=file)
        values: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except RecordError:
        raise
    except Exception as error:  # the header is parsed as Python: it can fail in any way
        again = "write it again: numpy.save(file, masks), of bool or whole numbers"
        raise RecordError(f"can't be read: {error}; {again}", file=file) from None
    if values.ndim not in (2, 3):
        raise RecordError(
            f"has shape {values.shape}, expected (height, width) or (masks, height, width)",
            file=file,
        )
    if values.dtype.kind not in "biu":
        raise RecordError(
            f"is {values.dtype}, expected bool or whole numbers; compare first, e.g. "
            "probability > 0.5 (NaN counts as outside)",
            file=file,
        )
    try:
        check_size(values.shape[-2:])
    except MaskCodecError as error:
        raise RecordError(f"has shape {values.shape}: {error}", file=file) from None
    return values

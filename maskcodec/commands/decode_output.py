"""Where `maskcodec decode` writes to, and the numbers that labels and images get there."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..datasets import writers
from ..datasets.coco_writer import CocoWriter
from ..datasets.known_images import KnownImages
from ..datasets.names import NamesFile, read_names_file
from ..datasets.writers import Numbering, Writer
from ..errors import RecordError
from ..writing import check_output
from .image_ids import ImageIds
from .terminal import say
from .texts import is_jsonl

SUFFIXES = {"png": ".png", "labels": ".png", "npz": ".npz"}

FILE_SUFFIXES = {
    *(".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"),
    *(".json", ".jsonl", ".npy", ".npz", ".txt"),
}
"""What the names of files end in; a folder of such a name is a slip."""

SHOWN = 5
"""Names that a warning lists."""


def read_names_option(arguments: argparse.Namespace) -> NamesFile | None:
    """The file of `--names`, if it is given; names that stand twice in it are said.

    Raises:
        RecordError: the form has no numbers, or the file is unusable.
    """
    if arguments.names is None:
        return None
    form = arguments.format
    if form in ("png", "npz"):
        reason = f"goes with label maps and COCO json; --format {form} writes names, not numbers"
        raise RecordError(reason, field="--names")
    names = read_names_file(arguments.names)
    shared = [f"{name!r} ({', '.join(map(str, found))})" for name, found in names.shared.items()]
    if shared:  # a text has the name alone, and no mask gets the other numbers
        shown = ", ".join(shared[:SHOWN]) + (", ..." if len(shared) > SHOWN else "")
        reason = f"has one name for several numbers: {shown}; its masks get the lowest of them"
        say("decode", f"warning: {arguments.names} {reason}")
    return names


def find_image_ids(form: str, names: NamesFile | None) -> ImageIds | None:
    """How image ids are found; None where the form has none."""
    if form not in ("coco", "coco-results"):
        return None
    known = None if names is None or names.coco is None else KnownImages(names.coco)
    return ImageIds(known, needed=form == "coco-results")


def numbered(writer: Writer) -> str:
    """How many images of a COCO json got new ids, for the summary; an empty string if none did."""
    if not isinstance(writer, CocoWriter) or not writer.numbered:
        return ""
    images = "1 image" if writer.numbered == 1 else f"{writer.numbered} images"
    return f"; {images} without an id numbered anew"


def warn_of_numbers(arguments: argparse.Namespace, writer: Writer) -> None:
    """Say which labels got numbers that no names file gives them, where somebody reads them."""
    numbering: Numbering | None = getattr(writer, "numbering", None)
    if numbering is None:
        return
    if arguments.names is None:
        if arguments.format == "coco-results" and numbering.numbers:
            given = "category ids are 1, 2, ... in order of appearance"
            say("decode", f"warning: {given}; for the truth's give its COCO json as --names")
    elif numbering.unnamed:
        lacking = [f"{one!r} ({numbering.numbers[one]})" for one in numbering.unnamed]
        shown = ", ".join(lacking[:SHOWN]) + (", ..." if len(lacking) > SHOWN else "")
        say("decode", f"warning: {arguments.names} lacks names, which got new numbers: {shown}")


def open_writer(
    arguments: argparse.Namespace, names_file: NamesFile | None, ids: ImageIds | None
) -> Writer:
    """Make the writer of `--format` and `--output`.

    Raises:
        MaskCodecError: something is there already, or the form needs another kind of path.
    """
    path, form = arguments.output, arguments.format
    names = None if names_file is None else names_file.names
    if form in ("coco", "coco-results"):
        check_output(path, may_exist=arguments.overwrite)
        largest = 0 if ids is None or ids.known is None else ids.known.largest
        return CocoWriter(path, names, results=form == "coco-results", largest=largest)
    if path.suffix.lower() == SUFFIXES[form] and not path.is_dir():
        _check_plain(arguments)
        check_output(path, may_exist=arguments.overwrite)
        return writers.OneFile(path, form, names)
    if path.suffix.lower() in FILE_SUFFIXES and not path.is_dir():
        takes = f"a folder or a name that ends in {SUFFIXES[form]}"
        raise RecordError(
            f"is no folder by its name: --format {form} takes {takes}", file=str(path)
        )
    _make_folder(path, may_hold_files=arguments.overwrite)
    if form == "labels":
        return writers.LabelMapWriter(path, names)
    return writers.NpzWriter(path) if form == "npz" else writers.PngWriter(path)


def _check_plain(arguments: argparse.Namespace) -> None:
    if is_jsonl(arguments.input, arguments.spec):
        raise RecordError(
            "is one file, but the input holds records: give a folder", file=str(arguments.output)
        )


def _make_folder(path: Path, *, may_hold_files: bool) -> None:
    if path.exists() and not path.is_dir():
        raise RecordError("is a file, expected a folder", file=str(path))
    path.mkdir(parents=True, exist_ok=True)
    if not may_hold_files and any(path.iterdir()):
        raise RecordError("holds files already; give a new folder, or --overwrite", file=str(path))

"""ReasonSeg: a labelme json beside each photograph (LISA, arXiv 2308.00692).

`text` holds the queries, `is_sentence` says whether they are whole questions, and `shapes` are
polygons. As LISA draws them: the largest first, each filled and outlined by OpenCV, so that smaller
ones lie on top; "flag" is skipped, and "ignore" is not annotated, and so no part of the mask. All
queries are read; LISA's own evaluation asks the first of each photograph only.
"""

from __future__ import annotations

import importlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError, RecordError
from ..mask import MAX_SIDE, Mask
from ..records import Record, brief, check_file, numbers, parse_json
from .annotated import Annotated, AnnotatedEntry, Expression, Source, SourceOptions
from .images import IMAGE_SUFFIXES, image_size, is_turned

IGNORE = 255
TARGET = 1

MAX_SHAPES = 10_000
MAX_BYTES = 2**26


def read(path: Path, options: SourceOptions) -> Source:
    """Read a folder of pairs `NAME.json` and `NAME.jpg`, or of folders `train`, `val`, ... of them.

    Raises:
        RecordError: it is no folder, or holds no pair.
        MaskCodecError: OpenCV is not installed.
    """
    if not path.is_dir():
        raise RecordError("is no folder, expected one with pairs of .json and .jpg", file=str(path))
    _opencv()
    root = path
    if options.split not in (None, "all") and (path / str(options.split)).is_dir():
        path = path / str(options.split)
    files = [
        Path(where) / name
        for where, _, names in os.walk(path)
        for name in names
        if name.endswith(".json") and not name.startswith(".")
    ]
    if not files:
        raise RecordError("holds no .json", file=str(path))
    entries = []
    for file in sorted(files, key=Path.as_posix):
        name = file.relative_to(root).with_suffix("").as_posix()
        loading = partial(_load, file, root, options.images, options.scoring)
        entries.append(AnnotatedEntry(name, str(file), None, loading))
    return Source("reasonseg", entries, ("reasoning",))


def _opencv() -> Any:
    try:
        return importlib.import_module("cv2")
    except ImportError:
        raise MaskCodecError(
            "ReasonSeg's polygons are drawn by OpenCV, as LISA draws them: "
            "pip install opencv-python-headless"
        ) from None


def _load(file: Path, root: Path, images: Path | None, scoring: bool) -> Annotated:
    record = _document(file)
    path = _image(file, root, images)
    size = _upright_size(path, scoring)
    values = draw(record, size)
    problems: list[RecordError] = []
    expressions: list[Expression] = []
    is_sentence = record.get("is_sentence", False)
    if not isinstance(is_sentence, bool):
        raise record.error(f"is {brief(is_sentence)}, expected true or false", "is_sentence")
    for index, text in enumerate(_texts(record)):
        place = f"text[{index}]"
        if isinstance(text, str):
            expression = Expression(text, (0,), "reasoning", "", is_sentence, place=place)
            expressions.append(expression)
        else:
            problems.append(record.error(f"is {brief(text)}, expected a string", place))
    return Annotated(
        path.name,
        size,
        (Mask(values == TARGET, ""),),
        tuple(expressions),
        path,
        problems=tuple(problems),
        ignore=values == IGNORE,
    )


def _upright_size(path: Path, scoring: bool) -> tuple[int, int]:
    """The photograph's (height, width) as OpenCV reads it: upright, as its polygons are drawn.

    Raises:
        RecordError: what reads it in training would see it lie on its side.
    """
    size = image_size(path)
    turned, sideways = is_turned(path)
    if turned and not scoring:
        raise RecordError(
            "is turned by its EXIF orientation, and its polygons are of the upright image: "
            "save it upright",
            file=str(path),
        )
    return size[::-1] if sideways else size


def _document(file: Path) -> Record:
    """The json; files that are not UTF-8 are Windows-1252, as some of the data set are."""
    with check_file(file).open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise RecordError(f"is larger than {MAX_BYTES:,} bytes", file=str(file))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    value = parse_json(text, str(file))
    if not isinstance(value, dict):
        raise RecordError(f"is {brief(value)}, expected an object", file=str(file))
    return Record(str(file), None, value)


def _image(file: Path, root: Path, images: Path | None) -> Path:
    """The photograph of a json: beside it, or in its place below `images`."""
    base = file if images is None else images / file.relative_to(root)
    for suffix in IMAGE_SUFFIXES:
        for path in (base.with_suffix(suffix), base.with_suffix(suffix.upper())):
            if path.is_file():
                return path
    raise RecordError(f"there is no image {base.stem} beside it", file=str(file))


def _texts(record: Record) -> list[Any]:
    value = record.get("text")
    texts = value if isinstance(value, list) else [value]
    if not texts:
        raise record.error("is empty, expected a query", "text")
    return texts


def draw(record: Record, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Draw the shapes of a labelme json as LISA does.

    Returns:
        uint8 (height, width): 0, 1 for the target, 255 where nothing is annotated.

    Raises:
        RecordError: a shape that is no polygon.
        MaskCodecError: OpenCV is not installed.
    """
    cv2 = _opencv()
    shapes = record.items("shapes")
    if len(shapes) > MAX_SHAPES:
        raise record.error(f"are {len(shapes)}, at most {MAX_SHAPES} are read", "shapes")
    drawn: list[tuple[int, int, npt.NDArray[np.int32]]] = []
    for index, value in enumerate(shapes):
        shape = record.child("shapes", index, value)
        label = shape.text("label").lower()
        if label == "flag":
            continue
        points = _points(shape)
        alone = np.zeros(size, np.uint8)
        _fill(cv2, alone, points, 1)
        drawn.append(
            (int(np.count_nonzero(alone)), IGNORE if "ignore" in label else TARGET, points)
        )
    values: npt.NDArray[np.uint8] = np.zeros(size, np.uint8)
    drawn.sort(key=lambda one: one[0])
    for _, value, points in reversed(drawn):  # so that of equal ones the first lies on top
        _fill(cv2, values, points, value)
    return values


def _fill(
    cv2: Any, values: npt.NDArray[np.uint8], points: npt.NDArray[np.int32], value: int
) -> None:
    cv2.polylines(values, [points], isClosed=True, color=value, thickness=1)
    cv2.fillPoly(values, [points], color=value)


def _points(shape: Record) -> npt.NDArray[np.int32]:
    """A polygon's points, (points, 1, 2): whole pixels, cut towards zero."""
    pairs = shape.items("points")
    flat: list[Any] = []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2:
            raise shape.error(f"holds {brief(pair)}, expected [x, y]", "points")
        flat += pair
    found = numbers(flat)
    if found is None or not len(found):
        raise shape.error("holds no point, or what is no finite number", "points")
    if np.abs(found).max() > 2 * MAX_SIDE:
        raise shape.error("reaches far outside of any image", "points")
    return found.astype(np.int32).reshape(-1, 1, 2)

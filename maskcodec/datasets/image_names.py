"""The names of image files: what COCO json calls them, and how else they may lie in a folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from ..records import Record

_COCO_FOLDER = re.compile(r"^(?:train|val|test|unlabeled)20[0-9]{2}/(?=[^/]+$)")


def image_name(record: Record, default: str | None = None) -> str:
    """The file name of an entry of `images`: `file_name`, or else the end of `coco_url`.

    LVIS has the URL alone: http://images.cocodataset.org/val2017/000000000001.jpg names
    `val2017/000000000001.jpg`.

    Raises:
        RecordError: it is no text, or the entry has neither and there is no `default`.
    """
    if record.fields.get("file_name") is None:
        name = _end_of_url(record.fields.get("coco_url")) or default
        if name is not None:
            return name
    return record.text("file_name")


def image_name_if_any(record: Record) -> str | None:
    """The same; None where there is none that is text."""
    name = record.fields.get("file_name")
    return name if isinstance(name, str) else _end_of_url(record.fields.get("coco_url"))


def _end_of_url(url: object) -> str | None:
    """The last folder and the name of a URL's path."""
    if not isinstance(url, str):
        return None
    try:
        path = unquote(urlsplit(url).path, errors="strict")
    except ValueError:
        return None
    return "/".join(path.strip("/").split("/")[-2:]) or None


def spellings(name: str) -> list[str]:
    """What a file may be called in a folder of images, the name itself first.

    Windows separates folders by a backslash. One of COCO's own folders (`val2017/`) often is the
    folder of images itself, and no number of COCO's stands in two of them.
    """
    plain = slashed(name)
    return list(dict.fromkeys([name, plain, _COCO_FOLDER.sub("", plain)]))


def slashed(name: str) -> str:
    """The name with `/` between folders, also where Windows wrote it."""
    return name.replace("\\", "/")


def base_name(name: str) -> str:
    """The name without its folders, of Windows too."""
    return PurePosixPath(slashed(name)).name

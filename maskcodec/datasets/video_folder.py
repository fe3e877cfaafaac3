"""Folders of videos with masks, as DAVIS and Refer-YouTube-VOS lay them out, and of predictions.

See `video_davis` and `video_expressions` for the layouts. Predictions lie in one folder:
`VIDEO/00000.png` with the values of the truth for objects, and `VIDEO/EXPRESSION/00000.png`, set
where it is not 0, for expressions; `Annotations/` may stand above.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import RecordError
from .images import read_png
from .video_davis import find_maps, read_davis
from .video_expressions import META, find_meta, read_expressions
from .videos import Bits, Video, VideoTarget, check_name, check_size

__all__ = ["Video", "VideoTarget", "find_predictions", "read", "read_prediction"]


def read(path: Path, split: str | None = None) -> list[Video | RecordError]:
    """The videos of a folder, and in its place the error of what can't be read.

    Args:
        path: DAVIS' or Refer-YouTube-VOS' folder.
        split: the part of the data set; None takes every video, or the only part.

    Raises:
        RecordError: there is no such folder or split, or it has no layout that is known.
    """
    if not path.is_dir():
        raise RecordError("no such folder", file=str(path))
    if split is not None:
        check_name(split, path, "split")
    meta = find_meta(path, split)
    if meta is not None:
        return list(read_expressions(meta, path, split))
    maps = find_maps(path / "Annotations")
    if maps is None:
        raise RecordError(
            f"holds neither Annotations/480p/VIDEO/ (DAVIS) nor {META} (Refer-YouTube-VOS)",
            file=str(path),
        )
    return list(read_davis(path, maps, split))


def find_predictions(folder: Path) -> Path:
    """The folder of videos in a folder of predictions.

    Raises:
        RecordError: there is no such folder.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such folder"
        raise RecordError(
            f"{what}: predictions of videos are a folder of theirs, VIDEO/00000.png or "
            "VIDEO/EXPRESSION/00000.png",
            file=str(folder),
        )
    return folder / "Annotations" if (folder / "Annotations").is_dir() else folder


def read_prediction(
    folder: Path, video: Video, target: VideoTarget, size: tuple[int, int]
) -> tuple[list[Bits | None], list[RecordError]]:
    """The predicted masks of one target, frame by frame.

    Args:
        folder: what `find_predictions` gave.
        video: of the truth.
        target: one of its targets.
        size: (height, width) of its frames.

    Returns:
        bool (height, width) each, None where there is no file or it can't be used; and what is
        wrong with those that can't.
    """
    place = folder / video.name / target.name if video.expressions else folder / video.name
    masks: list[Bits | None] = []
    problems: list[RecordError] = []
    for frame in video.frames:
        path = place / f"{frame}.png"
        if not path.is_file():
            masks.append(None)
            continue
        try:
            values = read_png(path)
            check_size(values, size, path)
            whole = video.expressions or video.binary
            masks.append(values != 0 if whole else np.isin(values, target.values))
        except RecordError as error:
            masks.append(None)
            problems.append(error)
    return masks, problems

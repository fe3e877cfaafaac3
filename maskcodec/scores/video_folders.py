"""A folder of predicted masks of videos, scored against a data set as it lies on disk."""

from __future__ import annotations

from pathlib import Path

from ..datasets.video_folder import Video, read_prediction
from ..errors import RecordError
from .video import VideoRow, compare
from .video_frames import RATIO


def score_video(
    video: Video, predictions: Path, *, ratio: float = RATIO
) -> tuple[list[VideoRow], list[RecordError]]:
    """One row for each object or expression of a video.

    Args:
        video: of `maskcodec.datasets.video_folder.read`.
        predictions: what `find_predictions` of the same module gave.
        ratio: see `maskcodec.scores.video.compare`.

    Returns:
        the rows: "missing" where no frame has a file, "invalid" where none can be read; and what
        is wrong with files of single frames, which count as empty masks.

    Raises:
        RecordError: the truth can't be read.
    """
    maps = video.load()
    size = (int(maps.shape[1]), int(maps.shape[2]))
    rows: list[VideoRow] = []
    problems: list[RecordError] = []
    for target in video.targets:
        masks, wrong = read_prediction(predictions, video, target, size)
        problems += wrong
        if any(mask is not None for mask in masks):
            status = "repaired" if wrong else "valid"
        else:
            status = "invalid" if wrong else "missing"
        frames = (
            (mask, true, ignore)
            for mask, (true, ignore) in zip(masks, video.truth(maps, target), strict=True)
        )
        rows.append(
            compare(target.id, frames, video=video.name, status=status, ratio=ratio)  # type: ignore[arg-type]
        )
    return rows, problems

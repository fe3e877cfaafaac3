"""Video object segmentation: region similarity J, contour accuracy F, and their mean J&F.

Of one object in one frame, with P and T the predicted and true pixels, and p and t their contours::

    J = |P & T| / |P | T|                       1 where both are empty
    F = 2 precision recall / (precision + recall)
        precision = share of p within r of t    recall = share of t within r of p

r is 0.008 of the frame's diagonal, rounded up. A pixel is of a contour where the mask changes to
the right of it, below it, or diagonally below. Where one contour is empty F is 0, where both are 1.
Of an object, over its frames: the mean; ``recall``, the share of frames above 1/2; ``decay``, the
mean of the first quarter of the frames less that of the last. Of a data set: the means over
objects. Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
Segmentation" (CVPR 2016), Pont-Tuset et al. (arXiv 1704.00675), and the program
`davis2017-evaluation`.

DAVIS leaves out the first frame, which is given, and the last (`frames=inner`); benchmarks of
referring expressions count every frame. A frame without a prediction counts as an empty mask, and
is counted in `missing`. Pixels that nobody annotated (255 in DAVIS) count nowhere.

For programs::

    row = compare("bear/1", frames, video="bear")  # frames: (pred, target, ignore) bool arrays
    columns = VideoColumns.of(rows)                # rows merge by concatenation
    summarize(columns, "davis")                    # {"J&F": ..., "J": ..., "F": ..., ...}
    summarize(columns.take(indices), "davis")      # of a draw of objects, see `redraw`
    video_table(columns, "davis")                  # one dict a video
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from .named import Named, pick
from .pair import Status
from .video_frames import RATIO, count_frame
from .video_rows import Counts, VideoRow

__all__ = [
    "CONVENTIONS",
    "VideoColumns",
    "VideoConvention",
    "VideoRow",
    "compare",
    "frame_scores",
    "summarize",
    "video_table",
]

Bits = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

Frame: TypeAlias = "tuple[Bits | None, Bits, Bits | None]"
"""What is predicted (None where nothing is), what is true, and which pixels nobody annotated."""


@dataclass(frozen=True, slots=True)
class VideoConvention(Named):
    """One way to count.

    Attributes:
        frames: all of them, or all but the first and the last ("inner").
        unit: means over objects (or expressions), or over videos of the means of their objects.
    """

    frames: Literal["all", "inner"] = "all"
    unit: Literal["object", "video"] = "object"


CONVENTIONS = {
    one.name: one
    for one in (
        VideoConvention(
            "davis",
            "Semi-supervised DAVIS: the first and the last frame of a video are left out.",
            "davis2017-evaluation, --task semi-supervised",
            frames="inner",
        ),
        VideoConvention(
            "ref-youtube-vos",
            "Every frame counts, and every expression alike.",
            "the Refer-YouTube-VOS challenge (URVOS, ECCV 2020); MeViS' eval_mevis.py",
        ),
    )
}
"""Every convention by its name."""


def compare(
    name: str,
    frames: Iterable[Frame],
    *,
    video: str,
    status: Status = "valid",
    ratio: float = RATIO,
) -> VideoRow:
    """Count the frames of one object; they are looked at one by one.

    Args:
        name: of the object, unique in a run.
        frames: bool (height, width) each, all of one size.
        video: of which the object is part.
        status: what became of the prediction.
        ratio: r in diagonals of the frame.

    Raises:
        MaskCodecError: there is no frame, or sizes differ.
    """
    found: list[Counts] = []
    size: tuple[int, ...] | None = None
    missing = ignored = 0
    for at, (pred, target, ignore) in enumerate(frames):
        size = target.shape if size is None else size
        for what, array in (("truth", target), ("prediction", pred), ("ignored part", ignore)):
            if array is not None and array.shape != size:
                raise MaskCodecError(
                    f"{name}, frame {at}: the {what} is {array.shape}, expected {size}"
                )
        missing += pred is None
        shown = np.zeros(size, np.bool_) if pred is None else pred
        if ignore is not None:
            ignored += int(np.count_nonzero(ignore))
            shown, target = shown & ~ignore, target & ~ignore
        found.append(count_frame(shown, target, ratio))
    if size is None:
        raise MaskCodecError(f"{name} has no frame")
    height, width = size
    return VideoRow(name, video, status, height, width, tuple(found), missing, ignored)


FIGURES = ("J", "J_recall", "J_decay", "F", "F_recall", "F_decay")
"""What is known of each object."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoColumns:
    """Rows as arrays.

    Attributes:
        ids: of the rows.
        videos: of the rows.
        every: float64 (rows, figures), see `FIGURES`, of all frames.
        inner: of all frames but the first and the last; NaN where there are no others.
    """

    ids: tuple[str, ...]
    videos: tuple[str, ...]
    every: Floats
    inner: Floats

    @classmethod
    def of(cls, rows: Iterable[VideoRow]) -> VideoColumns:
        """The figures of rows, in their order."""
        given = list(rows)
        every, inner = np.full((2, len(given), len(FIGURES)), np.nan)
        for at, row in enumerate(given):
            region, outline = frame_scores(row)
            every[at] = (*_figures(region), *_figures(outline))
            if len(region) > 2:
                inner[at] = (*_figures(region[1:-1]), *_figures(outline[1:-1]))
        return cls(tuple(row.id for row in given), tuple(row.video for row in given), every, inner)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: npt.NDArray[Any] | Sequence[int]) -> VideoColumns:
        """Some of the rows: their numbers, some perhaps several times, or a flag for each row."""
        chosen = np.asarray(rows)
        if chosen.dtype == np.bool_:
            chosen = np.flatnonzero(chosen)
        chosen = chosen.astype(np.int64)
        return VideoColumns(
            tuple(self.ids[at] for at in chosen.tolist()),
            tuple(self.videos[at] for at in chosen.tolist()),
            self.every[chosen],
            self.inner[chosen],
        )

    def by_video(self) -> VideoColumns:
        """One row a video, the means of its objects; what a bootstrap over videos takes from."""
        places: dict[str, list[int]] = {}
        for at, video in enumerate(self.videos):
            places.setdefault(video, []).append(at)
        names = tuple(places)
        every, inner = np.full((2, len(names), len(FIGURES)), np.nan)
        for at, rows in enumerate(places.values()):
            every[at] = [_nan_mean(column) for column in self.every[rows].T]
            inner[at] = [_nan_mean(column) for column in self.inner[rows].T]
        return VideoColumns(names, names, every, inner)


def frame_scores(row: VideoRow) -> tuple[Floats, Floats]:
    """J and F of each frame: float64 (frames,) twice."""
    both, union, right, shown, found, true = np.array(row.frames, np.float64).T
    region = np.divide(both, union, out=np.ones_like(both), where=union > 0)
    precision = np.divide(right, shown, out=np.ones_like(both), where=shown > 0)
    recall = np.divide(found, true, out=np.ones_like(both), where=true > 0)
    precision[(shown == 0) ^ (true == 0)] = 0.0
    total = precision + recall
    outline = np.divide(2 * precision * recall, total, out=np.zeros_like(both), where=total > 0)
    return region, outline


def _figures(values: Floats) -> tuple[float, float, float]:
    """Mean, recall and decay of the frames of one object."""
    edges = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(np.int64) - 1
    first, last = values[edges[0] : edges[1] + 1], values[edges[3] : edges[4] + 1]
    return (
        float(values.mean()),
        float((values > 0.5).mean()),
        float(first.mean() - last.mean()),
    )


def summarize(
    rows: VideoColumns | Iterable[VideoRow], how: str | VideoConvention = "davis"
) -> dict[str, float | None]:
    """`J&F`, `J`, `F`, 0 to 1, then `J_recall`, `J_decay`, `F_recall`, `F_decay` (-1 to 1).

    None where no object has a frame that counts.
    """
    rules = pick(how, CONVENTIONS)
    columns = rows if isinstance(rows, VideoColumns) else VideoColumns.of(rows)
    if rules.unit == "video":
        columns = columns.by_video()
    table = columns.every if rules.frames == "all" else columns.inner
    means = dict(zip(FIGURES, map(_nan_mean, table.T), strict=True))
    found: dict[str, float | None] = {"J&F": (means["J"] + means["F"]) / 2}
    found |= {name: means[name] for name in ("J", "F", *FIGURES[1:3], *FIGURES[4:])}
    return {name: None if np.isnan(value) else value for name, value in found.items()}  # type: ignore[arg-type]


def _nan_mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def video_table(
    columns: VideoColumns, how: str | VideoConvention = "davis"
) -> list[dict[str, Any]]:
    """One dict a video: `name`, `count` (objects), and the scores of `summarize`."""
    rules = pick(how, CONVENTIONS)
    table: list[dict[str, Any]] = []
    for name in dict.fromkeys(columns.videos):
        part = columns.take([at for at, video in enumerate(columns.videos) if video == name])
        table.append({"name": name, "count": len(part), **summarize(part, rules)})
    return table

"""What was counted on the frames of one object of a video."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from ..records import Record
from .pair import Status
from .row_fields import count, counts, status_of

Counts: TypeAlias = tuple[int, int, int, int, int, int]
"""Of one frame, in pixels: intersection, union, contour of the prediction that is right and all of
it, contour of the truth that is found and all of it."""

MOST_FRAMES = 1_000_000


@dataclass(frozen=True, slots=True)
class VideoRow:
    """What was counted of one object, or one expression, of a video.

    Attributes:
        id: of the object.
        video: its video.
        status: what became of the prediction as a whole.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        frames: of each frame, in their order.
        missing: frames without a prediction.
        ignored: pixels of all frames that nobody annotated.
    """

    id: str
    video: str
    status: Status
    height: int
    width: int
    frames: tuple[Counts, ...]
    missing: int = 0
    ignored: int = 0

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "id": self.id,
            "video": self.video,
            "status": self.status,
            "size": [self.height, self.width],
            "frames": [list(frame) for frame in self.frames],
            "missing": self.missing,
            "ignored": self.ignored,
        }

    @classmethod
    def from_record(cls, record: Record) -> VideoRow:
        """The row that `fields` wrote.

        Raises:
            RecordError: a field is missing, of another type, or holds counts that can't be.
        """
        height, width = record.size()
        values = record.items("frames")
        if not 1 <= len(values) <= MOST_FRAMES:
            raise record.error(f"are {len(values)}, expected 1 to {MOST_FRAMES:,}", "frames")
        frames: list[Counts] = []
        for value in values:
            a, b, c, d, e, f = counts(record, "frames", value, 6, height * width)
            if a > b or c > d or e > f:
                raise record.error("has a part that is greater than its whole", "frames")
            frames.append((a, b, c, d, e, f))
        return cls(
            record.identifier("id"),
            record.text("video"),
            status_of(record),
            height,
            width,
            tuple(frames),
            count(record, "missing", len(frames)),
            count(record, "ignored", len(frames) * height * width),
        )

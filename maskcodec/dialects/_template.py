"""A dialect to copy: `NAME.py` beside this file is found by itself, one with a `_` is not.

Say here what the text looks like, to the byte, with an example, and where the format is published::

    white horse: 4x6 5 2 2 2 13

One object a line: its label, the mask's height x width, and its run lengths in COCO's order: column
by column, zeros first. `none` where there is no object.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..codec import MAX_OBJECTS, Codec
from ..decoded import Errors, Pixels, Repair, RepairLog
from ..errors import EncodeError
from ..geometry import runs
from ..geometry.runs import Runs
from ..labels import check_label, plain_label
from ..mask import MAX_PIXELS, MAX_SIDE, Mask, check_masks
from ..registry import register

if TYPE_CHECKING:
    import torch

NONE = "none"
FORBIDDEN = (": ",)  # ends a label
HEAD = re.compile(r"(.*?): ([1-9][0-9]{0,4})x([1-9][0-9]{0,4})(?= |$)")
RUN = re.compile(r" (0|[1-9][0-9]{0,9})(?= |$)")


@register("template")
@dataclass(frozen=True)
class Template(Codec[Runs]):
    """One line that `maskcodec list` shows.

    Attributes:
        most: objects written, at most. Every field is an option of the spec string.
    """

    most: int = MAX_OBJECTS

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Runs:
        """Pixels to geometry: nearly always one call."""
        size = check_masks(masks, size)
        if len(masks) > self.most:
            raise EncodeError(f"{self.name}: {len(masks)} masks, expected at most {self.most}")
        return runs.analyze(masks, size)

    def render_batch(
        self,
        geometries: Sequence[Runs],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """Geometry to pixels: one call too, for the CPU and every device."""
        return runs.render_batch(geometries, sizes, device=device)

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """For which masks law 2 holds: here all, since run lengths lose nothing."""
        return True

    def write(self, geometry: Runs) -> str:
        """Geometry to text: the exact bytes of the format."""
        lines = []
        for label, (height, width), counts in zip(
            geometry.labels, geometry.sizes, geometry.counts, strict=True
        ):
            check_label(label, self.name, FORBIDDEN)
            lines.append(f"{label}: {height}x{width} {' '.join(map(str, counts.tolist()))}")
        return "\n".join(lines) or NONE

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Runs, list[Repair]]:
        """Text to geometry: report each departure, then go on with as little loss as possible."""
        log = RepairLog(self.name, text, errors)
        labels: list[str] = []
        sizes: list[tuple[int, int]] = []
        counts: list[runs.Counts] = []
        position = 0
        for line in [] if text == NONE else text.split("\n"):
            if len(labels) == MAX_OBJECTS:
                most = f"at most {MAX_OBJECTS} objects"
                log.note("too-many-objects", position, most, "more", "drops the rest")
                break
            head = HEAD.match(line)
            if head is None or not _in_range(int(head[2]), int(head[3])):
                log.note("object", position, "LABEL: HxW", repr(line[:40]), "skips the line")
            else:
                labels.append(self._label(head[1], position, log))
                sizes.append((int(head[2]), int(head[3])))
                counts.append(_counts(line, position, head, log))
            position += len(line) + 1
        return Runs(tuple(labels), tuple(sizes), tuple(counts)), log.repairs

    def _label(self, label: str, position: int, log: RepairLog) -> str:
        try:
            check_label(label, self.name, FORBIDDEN)
        except EncodeError:
            log.note("label", position, "a label", repr(label[:40]), "takes the end of it")
            return plain_label(label).rpartition(": ")[2]
        return label


def _counts(line: str, position: int, head: re.Match[str], log: RepairLog) -> runs.Counts:
    """The run lengths after the head of a line, made to fill the mask and no more."""
    area = int(head[2]) * int(head[3])
    found: list[int] = []
    place = head.end()
    total = 0
    while total < area and (run := RUN.match(line, place)):
        found.append(min(int(run[1]), area - total))  # so that no number asks for memory
        if found[-1] != int(run[1]):
            log.note("area", position + place, f"runs of {area} pixels", "more", "cuts them")
        total += found[-1]
        place = run.end()
    if place < len(line):
        here = repr(line[place:][:40])
        log.note("counts", position + place, "run lengths", here, "keeps those before it")
    if total < area:
        missing = f"{total}"
        log.note("area", position + place, f"runs of {area} pixels", missing, "leaves the rest 0")
        found += [area - total] if len(found) % 2 == 0 else [0, area - total]
    return np.array(found, np.uint32)


def _in_range(height: int, width: int) -> bool:
    return height <= MAX_SIDE and width <= MAX_SIDE and height * width <= MAX_PIXELS

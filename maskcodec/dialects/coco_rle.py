"""`coco_rle`: COCO's compressed run lengths as text. Loss-free, long, and the field's common coin.

One object a line, `LABEL HxW COUNTS`; a mask without pixels is a single run; `none` alone says that
there is no object::

    white horse 480x640 fo;25ic06J5K6J5K4L2N3M

COUNTS is what pycocotools calls `counts`. Its alphabet, `0` to `o`, holds a backslash, a backtick
and other characters that JSON, markdown or HTML read as their own, and stand in six of ten real
masks. `alphabet=safe` puts the unused letters `p` to `z` in their place, one for one, so that the
text is made of letters, digits, `;` and `?` alone. `alphabet=coco` keeps pycocotools' bytes.

Source: the run-length code of the COCO API (`maskApi.c`, `rleToString`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .. import rle
from ..codec import MAX_OBJECTS, Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..errors import EncodeError
from ..geometry import runs
from ..geometry.runs import Runs
from ..labels import check_label, plain_label
from ..mask import MAX_PIXELS, MAX_SIDE, Mask, check_masks
from ..registry import register
from ..spans import Kind, Span, lines

if TYPE_CHECKING:
    import torch

NONE = "none"

# The eleven letters that COCO leaves free stand for the characters that other formats claim.
_TO_SAFE = bytes.maketrans(b"\\`<>_[]^@=:", b"pqrstuvwxyz")
_FROM_SAFE = str.maketrans("pqrstuvwxyz", "\\`<>_[]^@=:")

_SIZE = re.compile(r"(?<!\S)([1-9][0-9]{0,5})x([1-9][0-9]{0,5})(?!\S)")
_LOOSE_SIZE = re.compile(
    r"(?<![^\s\[(:,])0*([1-9][0-9]{0,5})[xX×]0*([1-9][0-9]{0,5})(?![^\s\]),:])"
)
_WORD = re.compile(r"\S+")


@register("coco_rle")
@dataclass(frozen=True)
class CocoRle(Codec[Runs]):
    """COCO's compressed run lengths, byte for byte as pycocotools writes them.

    Attributes:
        alphabet: "safe" spells COUNTS in characters that survive JSON, markdown and HTML; "coco"
            keeps pycocotools' own.
    """

    alphabet: Literal["safe", "coco"] = "safe"

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Runs:
        """See `Codec.analyze`."""
        size = check_masks(masks, size)
        return runs.analyze(masks, size)

    def render_batch(
        self,
        geometries: Sequence[Runs],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """See `Codec.render_batch`."""
        return runs.render_batch(geometries, sizes, device=device)

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first runs, which lead to the object, are not told from others."""
        found = []
        for start, line in lines(text):
            label, _, rest = line.rpartition(" ")
            label = label.rpartition(" ")[0]
            if label:
                found.append(Span(start, start + len(label), "label"))
            if rest:
                kind: Kind = "where" if line == NONE else "shape"
                found.append(Span(start + len(line) - len(rest), start + len(line), kind))
        return found

    def adopts(self, geometry: Geometry) -> bool:
        """Any runs, of whatever size."""
        return isinstance(geometry, Runs)

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Always: nothing is lost."""
        return True

    def write(self, geometry: Runs) -> str:
        """Spell runs, one object a line."""
        lines = []
        for label, (height, width), counts in zip(
            geometry.labels, geometry.sizes, geometry.counts, strict=True
        ):
            check_label(label, self.name)
            if _SIZE.search(label):
                check_label(label, self.name, (_SIZE.search(label)[0],))  # type: ignore[index]
            spelt = rle.to_string(counts)
            if self.alphabet == "safe":
                spelt = spelt.translate(_TO_SAFE)
            lines.append(f"{label} {height}x{width} {spelt.decode('ascii')}")
        return "\n".join(lines) or NONE

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Runs, list[Repair]]:
        """Read objects line by line.

        Repairs: words around the objects, several objects on a line, a missing label, a size out of
        range; in COUNTS, everything from the first bad character on is dropped, runs that end early
        leave the rest of the mask (its right-hand columns) empty, and runs that go too far are cut.
        """
        log = RepairLog(self.name, text, errors)
        found: list[tuple[str, tuple[int, int], runs.Counts]] = []
        position = 0
        for line in [] if text == NONE else text.split("\n"):
            if len(found) >= MAX_OBJECTS:
                log.note(
                    "too-many-objects",
                    position,
                    f"at most {MAX_OBJECTS} objects",
                    "more",
                    "drops the rest",
                )
                break
            found.extend(self._line(line, position, log))
            position += len(line) + 1
        labels, sizes, counts = zip(*found[:MAX_OBJECTS], strict=True) if found else ((), (), ())
        return Runs(labels, sizes, counts), log.repairs

    def _line(
        self, line: str, position: int, log: RepairLog
    ) -> list[tuple[str, tuple[int, int], runs.Counts]]:
        """Read one line: one object, or under repair as many as can be found in it."""
        fields = line.rsplit(" ", 2)
        if len(fields) == 3 and _is_label(fields[0]) and _SIZE.fullmatch(fields[1]):
            height, width = map(int, fields[1].split("x"))
            if _in_range(height, width) and fields[2]:
                place = position + len(line) - len(fields[2])
                counts = self._counts(fields[2], (height, width), place, log)
                return [(fields[0], (height, width), counts)]
        log.note(
            "object", position, "LABEL HxW COUNTS", repr(line[:40]), "looks for objects in the line"
        )
        return self._search(line, position, log)

    def _search(
        self, line: str, position: int, log: RepairLog
    ) -> list[tuple[str, tuple[int, int], runs.Counts]]:
        """Find objects by their sizes: the label stands before, the runs after."""
        found = []
        label_start = 0
        for size in _LOOSE_SIZE.finditer(line):
            if size.start() < label_start:
                continue
            height, width = int(size[1]), int(size[2])
            if not _in_range(height, width):
                continue
            label = plain_label(line[label_start : size.start()]).strip(" :,([")
            word = _WORD.search(line, size.end())
            start, spelt = (word.start(), word[0]) if word else (len(line), "")
            label_start = start + len(spelt)
            counts = self._counts(spelt, (height, width), position + start, log)
            found.append((label, (height, width), counts))
            if len(found) > MAX_OBJECTS:
                break
        return found

    def _counts(
        self, spelt: str, size: tuple[int, int], position: int, log: RepairLog
    ) -> runs.Counts:
        """Read COUNTS; what can't be read is dropped, and the sum is made to fit the size."""
        if self.alphabet == "safe":
            spelt = spelt.translate(_FROM_SAFE)
        counts, stopped = rle.scan_string(spelt)
        if stopped:
            log.note(
                "counts",
                position + stopped.position,
                stopped.expected,
                stopped.found,
                "keeps the runs before it",
            )
        area = size[0] * size[1]
        total = int(counts.sum(dtype=np.int64))
        if total != area:
            log.note(
                "area",
                position,
                f"runs of {area} pixels in all",
                f"runs of {total}",
                "leaves the rest empty" if total < area else "cuts them there",
            )
            counts = _fit(counts, area)
        return counts


def _is_label(text: str) -> bool:
    try:
        check_label(text, CocoRle.name)
    except EncodeError:
        return False
    return not _SIZE.search(text)


def _in_range(height: int, width: int) -> bool:
    return height <= MAX_SIDE and width <= MAX_SIDE and height * width <= MAX_PIXELS


def _fit(counts: runs.Counts, area: int) -> runs.Counts:
    """Cut or pad runs so that they sum to `area` pixels."""
    ends = np.minimum(np.cumsum(counts, dtype=np.int64), area)
    used = int(np.searchsorted(ends, area)) + 1
    fitted = np.diff(ends[:used], prepend=0)
    rest = area - int(fitted.sum())
    if rest and len(fitted) % 2:
        fitted[-1] += rest  # the last run is of zeros already
    elif rest:
        fitted = np.append(fitted, rest)
    return fitted.astype(np.uint32)

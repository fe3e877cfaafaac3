"""Objects read from a text of shape tokens: their codes made valid, and gathered as geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..errors import EncodeError
from ..geometry.tokens import ShapeTokens
from ._code_tags import CodeTag, Found

Box = tuple[int, int, int, int]


@dataclass(slots=True)
class Item:
    """One object as it stands in the text.

    Attributes:
        codes: its codes.
        label: its label.
        box: left, top, right, bottom; zeros where there is none.
    """

    codes: list[int] = field(default_factory=list)
    label: str = ""
    box: Box = (0, 0, 0, 0)


@dataclass(frozen=True)
class Alphabet:
    """Which codes an object may have.

    Attributes:
        stages: the tokens of each place; as many as an object has codes at most.
        least: how many codes an object has at least.
    """

    stages: tuple[CodeTag, ...]
    least: int

    def write(self, codes: Sequence[int]) -> str:
        """The tokens of an object's codes."""
        return "".join(stage.write(code) for stage, code in zip(self.stages, codes, strict=False))

    @property
    def pattern(self) -> str:
        """A regular expression of the codes of an object."""
        pieces = []
        place = 0
        while place < len(self.stages):
            same = 1
            while (
                place + same < len(self.stages)
                and self.stages[place + same] == (self.stages[place])
            ):
                same += 1
            least = max(0, min(same, self.least - place))
            pieces.append(f"(?:{self.stages[place].pattern}){{{least},{same}}}")
            place += same
        return "".join(pieces)

    def check(self, geometry: ShapeTokens, codec: str) -> None:
        """Refuse geometry whose codes these tokens don't spell.

        Raises:
            EncodeError: an object with too few or too many codes, or a code out of range.
        """
        start = 0
        for index, count in enumerate(geometry.counts.tolist()):
            if not self.least <= count <= len(self.stages):
                raise EncodeError(
                    f"{codec}: object {index} has {count} codes, expected {self.number()}"
                )
            for place, code in enumerate(geometry.codes[start : start + count].tolist()):
                stage = self.stages[place]
                if not stage.low <= code <= stage.high:
                    raise EncodeError(
                        f"{codec}: object {index} has {code} as code {place + 1}, expected "
                        f"{stage.low} to {stage.high}"
                    )
            start += count

    def number(self) -> str:
        """How many codes an object has, in words."""
        most = len(self.stages)
        return f"{most}" if self.least == most else f"{self.least} to {most}"

    def settle(self, tags: Sequence[Found], count: int, end: int, log: RepairLog) -> list[int]:
        """The longest prefix of an object's tokens that is valid.

        Args:
            tags: the tokens of its codes; those beyond the most that there can be may be left out.
            count: how many there were.
            end: the place in the text after them.
            log: gets what is wrong with them.
        """
        codes: list[int] = []
        spelt = True
        for stage, tag in zip(self.stages, tags, strict=False):
            if not stage.low <= tag.number <= stage.high:
                expected = f"a code of {stage.low} to {stage.high}"
                log.note(
                    "code-range", tag.start, expected, repr(tag.text), "ends the object before it"
                )
                return codes
            if spelt and tag.text != stage.write(tag.number):
                spelt = False
                expected = stage.write(tag.number)
                log.note("spelling", tag.start, expected, repr(tag.text), "reads it as that")
            codes.append(tag.number)
        if count > len(codes):
            found, place = f"{count}", tags[len(codes)].start if len(tags) > len(codes) else end
            log.note("too-many-codes", place, f"{self.number()} codes", found, "drops the rest")
        elif count < self.least:
            act = "takes the shape of these" if count else "reads an empty mask"
            log.note("too-few-codes", end, f"{self.number()} codes", f"{count}", act)
        return codes


def gather(items: Sequence[Item], family: str, bins: int) -> ShapeTokens:
    """Objects as geometry."""
    return ShapeTokens(
        family,
        bins,
        tuple(item.label for item in items),
        np.array([item.box for item in items], np.int32).reshape(-1, 4),
        np.array([len(item.codes) for item in items], np.int32),
        np.array([code for item in items for code in item.codes], np.int32),
    )


def is_full(count: int, position: int, log: RepairLog) -> bool:
    """Whether no further object is read, which is noted."""
    if count < MAX_OBJECTS:
        return False
    log.note(
        "too-many-objects", position, f"at most {MAX_OBJECTS} objects", "more", "drops the rest"
    )
    return True

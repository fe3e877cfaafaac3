"""What decoding gives back: masks, and a list of every repair that reading the text took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import DecodeError, MaskCodecError
from .mask import Mask

if TYPE_CHECKING:
    import torch

Errors: TypeAlias = Literal["strict", "repair"]
Pixels: TypeAlias = "npt.NDArray[np.bool_] | torch.Tensor"
"""Masks of one image: bool, (masks, height, width), a NumPy array or a torch tensor."""

MAX_REPAIRS = 1_000
"""Repairs listed for one text; what lies beyond is counted in one last entry."""

SNIPPET = 24


@dataclass(frozen=True, slots=True)
class Repair:
    """One place where a text left its format, and how it was read.

    Attributes:
        kind: a short stable name to count by, e.g. `"short-row"`.
        position: the character of the text, 0-based.
        message: what was expected, what was found and what was done about it.
    """

    kind: str
    position: int
    message: str


class Geometry(Protocol):
    """What a mask becomes between pixels and text: plain arrays, one entry of `labels` a mask."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of every mask that rendering gives, in order."""
        ...

    def head(self, count: int) -> Self:
        """The same geometry with its first `count` masks only."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The masks that a text says.

    Attributes:
        pixels: bool, (masks, height, width): NumPy, or torch on the device that painted them.
        labels: the label of each mask.
        repairs: what was wrong with the text and how it was read; empty for a valid text.
        geometry: what the text says, before it was painted.
    """

    pixels: Pixels
    labels: tuple[str, ...]
    repairs: tuple[Repair, ...]
    geometry: Geometry

    @property
    def masks(self) -> list[Mask]:
        """The masks as `Mask` objects on the CPU (a copy where `pixels` lies on a device)."""
        pixels = self.pixels
        array = pixels if isinstance(pixels, np.ndarray) else pixels.cpu().numpy()
        return [Mask(plane, label) for plane, label in zip(array, self.labels, strict=True)]

    @property
    def size(self) -> tuple[int, int]:
        """The (height, width) that was asked for, in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[2])


def check_text(text: object, codec: str) -> None:
    """Check that a text is a string; raises DecodeError."""
    if not isinstance(text, str):
        raise DecodeError(f"{codec}: the text is {type(text).__name__}, expected str")


class RepairLog:
    """Where a parser reports each departure from its format.

    One parser serves both modes: `note` raises under `errors="strict"` and keeps a `Repair` under
    `errors="repair"`, so that the two can't drift apart.
    """

    def __init__(self, codec: str, text: str, errors: Errors) -> None:
        if errors not in ("strict", "repair"):
            raise MaskCodecError(f'errors is {errors!r}, expected "strict" or "repair"')
        check_text(text, codec)
        self.codec = codec
        self.text = text
        self.strict = errors == "strict"
        self._repairs: list[Repair] = []
        self._dropped = 0

    def note(self, kind: str, position: int, expected: str, found: str, action: str) -> None:
        """Report that `expected` should stand at `position` but `found` does.

        `action` says what repair does about it, in the present tense: "pads the row".

        Raises:
            DecodeError: under `errors="strict"`.
        """
        if self.strict:
            snippet = self.text[position : position + SNIPPET]
            raise DecodeError(
                f"{self.codec}: {expected} expected, found {found} "
                f'(character {position}: {snippet!r}); errors="repair" {action}',
                text=self.text,
                position=position,
                expected=expected,
                found=found,
            )
        if len(self._repairs) >= MAX_REPAIRS:
            self._dropped += 1
            return
        self._repairs.append(
            Repair(kind, position, f"{expected} expected, found {found}: {action}")
        )

    @property
    def full(self) -> bool:
        """Whether no more repairs are listed, only counted: then `skip` is quicker than `note`."""
        return len(self._repairs) >= MAX_REPAIRS

    def skip(self, count: int) -> None:
        """Count `count` more repairs that can't be listed."""
        self._dropped += count

    @property
    def repairs(self) -> list[Repair]:
        """What was noted so far, in the order of the text."""
        if not self._dropped:
            return list(self._repairs)
        last = Repair("more", len(self.text), f"{self._dropped} more repairs are not listed")
        return [*self._repairs, last]

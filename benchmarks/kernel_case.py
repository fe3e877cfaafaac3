"""What a kernel's benchmark declares about itself; `benchmarks.kernels` does the timing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .mask_sets import MaskSet

Run: TypeAlias = Callable[[int], Any]


@dataclass(frozen=True)
class KernelCase:
    """One kernel on one set of masks.

    Every process, ours and each peer's, builds the case of its own from the same masks; the peers
    get its `inputs`, by the function of that name in their file.

    Attributes:
        ours: does the job for the mask of the index given, counted from 0 within the set.
        check: proves ours equal to the NumPy twin; raises AssertionError.
        function: the peers' name of the job; empty where nobody else does it.
        inputs: what a peer is given, by the names of its parameters.
        agree: proves a peer's answer, as its `Way.read` gives it, equal to ours for an index.
        checked: the indices for which that is done.
        rivals: other ways of our own to do it, by name, e.g. on one thread.
        targets: seconds a mask, by name, where the goal is a time and not a peer.
        gates: for a peer, rival or target, how many times faster than it ours must be.
        stretch: how many times faster would be better still.
        bytes_read: bytes of input a mask, on average, for the limit set by memory.
        bytes_written: bytes of output a mask, on average.
        batch: masks that the calls with all indices do together, where one call does several.
        parts: those calls, with the indices from 0 on.
        threaded: it runs on two threads, so that only the wall clock can time it; its rivals, and
            how much faster two threads of the machine are than one, are timed part by part with it.
    """

    ours: Run
    check: Callable[[], None]
    function: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    agree: Callable[[int, Any], None] | None = None
    checked: Sequence[int] = ()
    rivals: Mapping[str, Run] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    stretch: Mapping[str, float] = field(default_factory=dict)
    bytes_read: int = 0
    bytes_written: int = 0
    batch: int = 1
    parts: int = 1
    threaded: bool = False


Builder: TypeAlias = Callable[[MaskSet], KernelCase | None]
"""Makes a kernel's case for a set; None where the set has nothing to measure in it."""

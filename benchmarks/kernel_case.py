"""What a kernel's benchmark declares about itself; `benchmarks.kernels` does the timing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KernelCase:
    """One kernel against its peers on one set of masks.

    Attributes:
        name: what is done, e.g. `"RLE encode"`.
        ours: does it for the mask of the index given, counted from 0 within the set.
        peers: the same job done by others, by the name of their package; each is given what it
            needs and may answer in its own form.
        check: proves ours equal to the NumPy twin and to every peer; raises AssertionError.
        gates: for a peer, how many times faster than it ours must be.
        stretch: for a peer, how many times faster would be better still.
        bytes_read: bytes of input a call, on average, for the limit set by memory.
        bytes_written: bytes of output a call, on average.
    """

    name: str
    ours: Callable[[int], object]
    peers: dict[str, Callable[[int], object]]
    check: Callable[[], None]
    gates: dict[str, float] = field(default_factory=dict)
    stretch: dict[str, float] = field(default_factory=dict)
    bytes_read: int = 0
    bytes_written: int = 0

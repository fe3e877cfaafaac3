"""How much memory there is, how fast it can be written, and how much of it decoding needs."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maskcodec.blocks import is_lent
from maskcodec.threads import map_threads

BLOCK = 1 << 28
"""Bytes that are written to measure how fast that goes: more than any cache holds."""

PASSES = 7


def write_speed(device: str, threads: int | None = None) -> float:
    """Bytes a second at which memory that is there already can be filled; the best of some passes.

    Args:
        device: "cpu", "torch" or "cuda".
        threads: that fill a part each; None for one a core. A GPU has no use for them.
    """
    if device == "cuda":
        return _cuda_write_speed()
    workers = threads or os.cpu_count() or 1
    parts = np.array_split(np.ones(BLOCK, np.uint8), workers)

    def fill(part: Any) -> None:
        np.copyto(part, 0)

    seconds = min(_time(lambda: map_threads(fill, parts, threads=workers)) for _ in range(PASSES))
    return BLOCK / seconds


def new_memory_speed(threads: int | None = None) -> float:
    """The same for memory that the system must hand out first, as it must for every answer."""
    workers = threads or os.cpu_count() or 1

    def fill(part: Any) -> None:
        np.copyto(part, 0)

    def ask_and_fill() -> None:
        map_threads(fill, np.array_split(np.empty(BLOCK, np.uint8), workers), threads=workers)

    return BLOCK / min(_time(ask_and_fill) for _ in range(PASSES))


def _cuda_write_speed() -> float:
    import torch

    room = torch.cuda.mem_get_info()[0] // 4
    block = torch.empty(min(1 << 32, room), dtype=torch.uint8, device="cuda")
    best = 0.0
    for _ in range(PASSES):
        event: Any = torch.cuda.Event
        start, end = event(enable_timing=True), event(enable_timing=True)
        start.record()
        block.fill_(1)
        end.record()
        end.synchronize()
        best = max(best, block.numel() / (start.elapsed_time(end) / 1e3))
    return best


def _time(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def free_memory(device: str) -> int:
    """Bytes that a batch's masks may take: a quarter of what is free."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0]) // 4
    free = [_available(), _left_in_group()]
    return min(number for number in free if number) // 4 if any(free) else 1 << 30


def _available() -> int:
    """What Linux takes to be free; 0 where that isn't known."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0]) if found and found[0].isdigit() else 0


def _left_in_group(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """What a container has left; 0 where there is no limit."""
    try:
        limit = (folder / "memory.max").read_text("ascii").strip()
        used = (folder / "memory.current").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return max(1, int(limit) - int(used)) if limit.isdigit() and used.isdigit() else 0


def peak_memory(run: Callable[[], Any], device: str) -> tuple[int, int] | None:
    """The most bytes that a call held at a time, its answer's included, and the answer's masks.

    NumPy's and Python's memory on the CPU and the masks that lie in blocks of `maskcodec.blocks`,
    which NumPy does not know of; torch's on a GPU; None for torch on the CPU, which tells nobody.
    """
    if device == "torch":
        return None
    if device == "cuda":
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        output = _bytes_of(run())
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated()) - before, output
    tracemalloc.start()
    try:
        decoded = run()
        return tracemalloc.get_traced_memory()[1] + _lent_bytes(decoded), _bytes_of(decoded)
    finally:
        tracemalloc.stop()


def _lent_bytes(decoded: Any) -> int:
    """The bytes of masks in blocks; those are taken for masks alone, and kept until the end."""
    return sum(one.pixels.nbytes for one in decoded if is_lent(one.pixels))


def _bytes_of(decoded: Any) -> int:
    return sum(int(np.prod(one.pixels.shape)) for one in decoded)

"""One thread pool for all batch calls: the kernels release the GIL, so threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")


def thread_count(threads: int | None, work: int) -> int:
    """How many threads to use for `work` items; `threads=None` means one a core."""
    wanted = os.cpu_count() or 1 if threads is None else threads
    return max(1, min(wanted, work))


@lru_cache(maxsize=4)
def pool(threads: int) -> ThreadPoolExecutor:
    """The shared pool of `threads` threads; started once, since a start costs more than a mask."""
    return ThreadPoolExecutor(threads, thread_name_prefix="maskcodec")


def map_threads(
    function: Callable[..., T], *arguments: Iterable[object], threads: int | None = None
) -> list[T]:
    """`list(map(function, *arguments))` on several threads, in order.

    Items are dealt out in contiguous runs, one a thread, so that small items stay cheap.
    """
    items = list(zip(*arguments, strict=True))
    workers = thread_count(threads, len(items))
    if workers == 1:
        return [function(*item) for item in items]
    bounds = [len(items) * worker // workers for worker in range(workers + 1)]

    def run(start: int, stop: int) -> list[T]:
        return [function(*item) for item in items[start:stop]]

    parts = pool(workers).map(run, bounds[:-1], bounds[1:])
    return [result for part in parts for result in part]

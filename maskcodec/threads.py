"""One thread pool for all batch calls: the kernels release the GIL, so threads are enough."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

_NAME = "maskcodec"


def thread_count(threads: int | None, work: int) -> int:
    """How many threads to use for `work` items; `threads=None` means one a core.

    Inside a thread of the pool it is one: a thread that waits for its own pool would wait for ever.
    """
    if work <= 1 or threading.current_thread().name.startswith(_NAME):
        return 1  # and no question for the number of cores, which takes longer than some items
    wanted = os.cpu_count() or 1 if threads is None else threads
    return max(1, min(wanted, work))


@lru_cache(maxsize=4)
def pool(threads: int) -> ThreadPoolExecutor:
    """The shared pool of `threads` threads; started once, since a start costs more than a mask."""
    return ThreadPoolExecutor(threads, thread_name_prefix=_NAME)


# A forked child has none of its parent's threads, so that it must start a pool of its own.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)


def map_threads(
    function: Callable[..., T], *arguments: Iterable[object], threads: int | None = None
) -> list[T]:
    """`list(map(function, *arguments))` on several threads, in order.

    Items are dealt out in contiguous runs, one a thread, so that small items stay cheap. The
    calling thread takes the first run itself.
    """
    items = list(zip(*arguments, strict=True))
    workers = thread_count(threads, len(items))

    def run(start: int, stop: int) -> list[T]:
        return [function(*item) for item in items[start:stop]]

    if workers == 1:
        return run(0, len(items))
    bounds = [len(items) * worker // workers for worker in range(workers + 1)]
    mine, *theirs = itertools.pairwise(bounds)
    others = [pool(workers - 1).submit(run, *part) for part in theirs]
    results = run(*mine)
    for other in others:
        results += other.result()
    return results

"""One thread pool for all batch calls: the kernels release the GIL, so threads are enough."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise, starmap
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


def map_pieces(
    function: Callable[[slice], T], work: int, most: int, *, threads: int | None = None
) -> list[T]:
    """`function` of each piece of a batch of `work` items, `most` or fewer a piece, in order.

    Each piece is to be one call of a kernel, which leaves the GIL to threads that prepare theirs.
    Whichever thread is free takes the next piece: another one takes as long to wake up as some
    masks take to paint.
    """
    workers = thread_count(threads, work)
    pieces = min(work, workers * -(-work // (workers * most)))  # as many a thread
    bounds = [work * piece // max(1, pieces) for piece in range(pieces + 1)]
    if workers == 1:
        return [function(slice(*part)) for part in pairwise(bounds)]
    left = deque(enumerate(starmap(slice, pairwise(bounds))))
    results: dict[int, T] = {}

    def run() -> None:
        while True:
            try:
                index, part = left.popleft()
            except IndexError:
                return
            results[index] = function(part)

    others = [pool(workers - 1).submit(run) for _ in range(workers - 1)]
    try:
        run()
    finally:
        left.clear()
        for other in others:
            if not other.cancel():
                other.result()
    return [results[index] for index in range(pieces)]


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
    mine, *theirs = pairwise(bounds)
    others = [pool(workers - 1).submit(run, *part) for part in theirs]
    results = run(*mine)
    for other in others:
        results += other.result()
    return results

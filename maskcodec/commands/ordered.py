"""Work on a stream of items in several processes, with the results in the stream's order.

Processes and not threads: reading and checking data is Python, which runs one thread at a time.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ..errors import MaskCodecError

S = TypeVar("S")
T = TypeVar("T")

CHUNK = 16
"""Items sent to a process at once."""

AHEAD = 3
"""Chunks in work or waiting for their turn, per process: bounds the memory."""


def map_ordered(function: Callable[[S], T], items: Iterable[S], jobs: int) -> Iterator[T]:
    """Yield `function(item)` for each item in order, a few items ahead in `jobs` processes.

    `function`, items and results must be picklable where `jobs` is not 1.

    Raises:
        MaskCodecError: a process died, as the system kills them when memory runs out.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start)
    waiting: deque[Future[list[T]]] = deque()
    try:
        for chunk in _chunks(items):
            waiting.append(executor.submit(_work, function, chunk))
            if len(waiting) >= AHEAD * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise MaskCodecError(
            "a process died, perhaps for want of memory: use fewer --jobs"
        ) from None
    finally:
        _shut_down(executor)


def _shut_down(executor: ProcessPoolExecutor) -> None:
    """Let processes finish what they are at; a second Ctrl-C ends them at once.

    Without that they would wait for work for ever, and the end of this process for them.
    """
    processes = list((executor._processes or {}).values())
    try:
        executor.shutdown(wait=True, cancel_futures=True)
    except BaseException:
        for process in processes:
            process.kill()
        raise


def _chunks(items: Iterable[S]) -> Iterator[list[S]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, CHUNK)):
        yield chunk


def _work(function: Callable[[S], T], chunk: list[S]) -> list[T]:
    return [function(item) for item in chunk]


def _start() -> None:
    """Leave Ctrl-C to the parent, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

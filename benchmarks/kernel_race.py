"""Ours and the peers side by side: who is ready for a kernel, and their turns at it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskcodec import MaskCodecError

from .kernel_worker import OURS, Worker, WorkerError

TURNS = 3
"""Turns that everyone has at least."""

TURNS_OF_THREADS = 11
"""The same, of one and two threads: enough for a median."""

FALL = 0.01
"""The share of a time by which it must fall in a turn for that turn to count as better."""

STILL = 3
"""Turns in a row of which none is better for anyone, after which the times are believed."""

LONGEST = 6
"""How many times longer than asked for turns go on at most, while some are better."""


class Times:
    """The best time of each side, and whether they go on falling.

    A machine that others share gives a side its full speed now and then, so that its best time is
    true only after a while; a ratio of two is true when both are.
    """

    def __init__(self) -> None:
        self.best: dict[str, float] = {}
        self._turns = 0
        self._still = 0

    def add(self, turn: Mapping[str, float]) -> None:
        """Take the times after a turn, each the best of its side so far."""
        fell = any(
            seconds < (1 - FALL) * self.best.get(name, math.inf) for name, seconds in turn.items()
        )
        self._turns += 1
        self._still = 0 if fell else self._still + 1
        self.best = dict(turn)

    def suffice(self, spent: float, seconds: float) -> bool:
        """Whether turns that took `spent` seconds are enough where `seconds` are asked for."""
        if self._turns < TURNS or spent < seconds:
            return False
        return self._still >= STILL or spent >= LONGEST * seconds


class Race:
    """Ours and the peers, each in its process, and what went wrong in them.

    `modules` are the peers' by name, as `PEERS` has them.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.ours = Worker(OURS)
        self.peers = {name: Worker(name, module) for name, module in modules.items()}
        self.problems: dict[str, str] = {}
        for name in self._all(self.peers, "begin"):
            if name in self.peers:
                self.peers.pop(name).stop()

    def close(self) -> None:
        """End all processes."""
        for worker in (self.ours, *self.peers.values()):
            worker.stop()

    def load(self, folder: Path) -> None:
        """Give everyone a set of masks."""
        self._ask_ours("load", folder)
        self._all(self.peers, "load", folder)

    def _ask_ours(self, *request: Any) -> Any:
        """Raises MaskCodecError where our own process fails: without it there is nothing to do."""
        try:
            return self.ours.ask(*request)
        except WorkerError as error:
            raise MaskCodecError(f"{' '.join(map(str, request))}: {error}") from None

    def _all(self, workers: dict[str, Worker], *request: Any) -> list[str]:
        """Ask several at once; who failed, which is said, and told in `problems`."""
        asked = dict(workers)
        failed: list[str] = []
        for name in list(asked):
            with self._noting(name, request, failed):
                asked[name].send(*request)
        for name in [name for name in asked if name not in failed]:
            with self._noting(name, request, failed):
                if asked[name].receive() is False:
                    failed.append(name)
        return failed

    @contextlib.contextmanager
    def _noting(self, name: str, request: Sequence[Any], failed: list[str]) -> Iterator[None]:
        try:
            yield
        except WorkerError as error:
            failed.append(name)
            self.note(name, request[2] if len(request) > 2 else "", error)

    def note(self, name: str, kernel: str, error: WorkerError) -> None:
        """Keep and say what went wrong; who died is left out from now on."""
        where = f"{name}, {kernel}" if kernel else name
        self.problems[where] = str(error)
        tqdm.write(f"{where}: {error}")
        if error.dead and name in self.peers:
            self.peers.pop(name).stop()

    def run(self, suite: str, kernel: str, seconds: float) -> dict[str, Any] | None:
        """Prove a kernel and its peers right, then let them take turns until the time is up.

        Returns:
            the case's facts, under `seconds` those of each side a mask, and under `machine` how
            many times faster two threads of it are, where ours are timed; None where there is
            nothing to measure, or ours is wrong.
        """
        try:
            facts: dict[str, Any] | None = self.ours.ask("prepare", suite, kernel)
        except WorkerError as error:
            if error.dead:
                raise MaskCodecError(f"{kernel}: our own process: {error}") from None
            self.note(OURS, kernel, error)
            return None
        if facts is None:
            return None
        if facts["threaded"]:
            found, facts["machine"] = self._turns_of_threads(seconds)
            return {**facts, "seconds": {**found, **facts["targets"]}}
        ready = dict(self.peers) if facts["function"] else {}
        for name in self._all(ready, "prepare_peer", suite, kernel, facts["function"]):
            del ready[name]
        sides = [("", self.ours, "")]
        sides += [(name, self.ours, name) for name in facts["rivals"]]
        sides += [(name, worker, "") for name, worker in ready.items()]
        return {**facts, "seconds": {**self._turns(sides, kernel, seconds), **facts["targets"]}}

    def _turns_of_threads(self, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
        turns, end = 0, time.perf_counter() + seconds
        while turns < TURNS_OF_THREADS or time.perf_counter() < end:
            found, machine = self._ask_ours("turn_threads")
            turns += 1
        return found, machine

    def _turns(
        self, sides: list[tuple[str, Worker, str]], kernel: str, seconds: float
    ) -> dict[str, float]:
        times, start = Times(), time.perf_counter()
        while not times.suffice(time.perf_counter() - start, seconds):
            turn: dict[str, float] = {}
            for name, worker, entry in list(sides):
                if worker is self.ours:
                    turn[name] = self._ask_ours("turn", entry)
                    continue
                try:
                    turn[name] = worker.ask("turn", entry)
                except WorkerError as error:
                    self.note(name, kernel, error)
                    sides.remove((name, worker, entry))
            times.add(turn)
        return times.best

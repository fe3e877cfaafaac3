"""A process for each side of the kernels' benchmark: ours, and one for every peer.

Each builds its case from the same files, proves its answers before any of them is timed, and runs
a turn when it is told to, while all others wait. A package that is missing, fails or crashes takes
down its own process alone.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property, partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .kernel_case import KernelCase, Run
from .mask_sets import MaskSet
from .peers import NO_ANSWER
from .thread_scaling import loops

OURS = "maskcodec"

INSTALL = "not installed: pip install 'maskcodec[bench]'"

LEAST = 0.005
"""Seconds a turn takes at least, so that waking up for it counts little."""

PART = 0.0005
"""Seconds that a part of the masks takes, about: less than a system lets a program run at once."""

STRETCH = 0.03
"""Seconds for which one number of threads is timed before it is another's turn, at least."""

SLOW = 0.15
"""Seconds that a turn may take, about; who needs longer is timed on some of the masks."""

FEWEST = 4
"""Masks that everyone is timed on at least."""

GATED = 100_000
"""Pixels of a mask, on average, from which there are gates; below, calls cost more than work."""

PATIENCE = 600.0
"""Seconds after which a process that does not answer is given up."""


class WorkerError(Exception):
    """What went wrong in a process; `dead` where it ended."""

    def __init__(self, message: str, *, dead: bool = False) -> None:
        super().__init__(message)
        self.dead = dead


class Worker:
    """The parent's end of such a process.

    Args:
        name: what reports call it.
        module: the peer's module, see `benchmarks.peers`; empty for ours.
    """

    def __init__(self, name: str, module: str = "") -> None:
        context = multiprocessing.get_context("spawn")
        self.name = name
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, module), daemon=True)
        with _without_interrupts():
            self._process.start()
        theirs.close()

    def send(self, *request: Any) -> None:
        """Ask for something, without waiting."""
        try:
            self._connection.send(request)
        except OSError:
            raise self._ended() from None

    def receive(self) -> Any:
        """The answer.

        Raises:
            WorkerError: the process failed at it, does not answer, or has ended.
        """
        try:
            if not self._connection.poll(PATIENCE):
                self.stop()
                raise WorkerError(f"no answer in {PATIENCE:.0f} s", dead=True)
            is_good, answer = self._connection.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if not is_good:
            raise WorkerError(answer)
        return answer

    def ask(self, *request: Any) -> Any:
        """`send` and `receive`."""
        self.send(*request)
        return self.receive()

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _ended(self) -> WorkerError:
        self._process.join(5)
        code = self._process.exitcode
        how = f"status {code}"
        if code is not None and code < 0:
            how = next((one.name for one in signal.Signals if one == -code), how)
        return WorkerError(f"its process ended ({how})", dead=True)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let what is started in here know no Ctrl-C: it is this process's business, which gets it
    afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(connection: Connection, module: str) -> None:
    """Answer the parent until it goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    threading.Thread(target=_end_with_parent, daemon=True).start()
    side = Side(module)
    while True:
        try:
            request = connection.recv()
        except (EOFError, OSError):  # the parent has gone
            return
        try:
            answer = (True, getattr(side, request[0])(*request[1:]))
        except ModuleNotFoundError:
            answer = (False, INSTALL)
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            answer = (False, f"{type(error).__name__}: {' '.join(lines)[:300]}".rstrip(": "))
        try:
            connection.send(answer)
        except OSError:
            return


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class Clock:
    """Times a function on all masks, part by part; on some, spread over all, where it is slow.

    What counts is the fastest time of each part, in processor time: other programs that run at the
    same time then disturb it little.
    """

    def __init__(self, run: Run, count: int) -> None:
        self._run = run
        start = time.process_time()
        run(0)
        run(0)
        once = max((time.process_time() - start) / 2, 1e-9)
        step = max(1, min(count, int(PART / once)))
        few = max(FEWEST, int(SLOW / once))
        self._parts = [range(first, min(first + step, count)) for first in range(0, count, step)]
        if few < count:
            places = range(few)
            self._parts = [range(count * k // few, count * k // few + 1) for k in places]
        self._best = [float("inf")] * len(self._parts)

    def turn(self) -> float:
        """Go through all parts, again if that takes little; seconds a mask up to now."""
        run, now, best = self._run, time.process_time, self._best
        end = time.perf_counter() + LEAST
        while True:
            for number, part in enumerate(self._parts):
                start = now()
                for index in part:
                    run(index)
                best[number] = min(best[number], now() - start)
            if time.perf_counter() >= end:
                return sum(best) / sum(map(len, self._parts))


class Turns:
    """Times several ways in turns, a stretch each: what disturbs the machine disturbs all alike.

    A stretch begins with a pass that is not counted: a core that idled while one thread was timed
    has gone to sleep, and takes longer to wake up than some batches take to paint. Then the fastest
    time of each part counts, by the wall clock: it is threads that are timed. Ratios are medians of
    those within each turn: from second to second a borrowed core is faster or slower, and so is
    its memory, by more than what is to be found out.
    """

    def __init__(self, runs: Mapping[str, Run], parts: int) -> None:
        self._runs = dict(runs)
        self._parts = parts
        self._turns: list[dict[str, float]] = []

    def turn(self) -> None:
        """A stretch of each way."""
        self._turns.append({name: self._stretch(run) for name, run in self._runs.items()})

    def seconds(self, name: str) -> float:
        """A pass through all parts: the median of the turns."""
        return statistics.median(turn[name] for turn in self._turns)

    def ratio(self, slow: str, fast: str) -> float:
        """How many times longer one way takes than another: the median of the turns."""
        return statistics.median(turn[slow] / turn[fast] for turn in self._turns)

    def _stretch(self, run: Run) -> float:
        best = [float("inf")] * self._parts
        for part in range(self._parts):
            run(part)
        end = time.perf_counter() + STRETCH
        while True:
            for part in range(self._parts):
                start = time.perf_counter()
                run(part)
                best[part] = min(best[part], time.perf_counter() - start)
            if time.perf_counter() >= end:
                return sum(best)


class Side:
    """One side of the benchmark; its methods are what the parent asks for."""

    def __init__(self, module: str = "") -> None:
        self._name = module
        self._module: Any = None
        self._masks: MaskSet | None = None
        self._runs: dict[str, Run] = {}
        self._clocks: dict[str, Clock] = {}
        self._turns: Turns | None = None
        self._batch, self._parts = 1, 1

    def begin(self) -> None:
        """Import the peer's package.

        Raises:
            ModuleNotFoundError: it is not there.
        """
        if self._name:
            self._module = importlib.import_module(self._name)

    def load(self, folder: Path) -> None:
        """Take a set of masks."""
        self._runs.clear()
        self._masks = MaskSet.load(folder)

    def prepare(self, suite: str, name: str) -> dict[str, Any] | None:
        """Build our case and prove it equal to its twin; what the parent must know of it.

        None where the set has nothing to measure in it.
        """
        case = self._build(suite, name)
        if case is None:
            return None
        case.check()
        self._runs = {"": case.ours, **case.rivals}
        fields = (
            "function", "targets", "gates", "stretch", "bytes_read", "bytes_written", "threaded",
        )  # fmt: skip
        facts = {field: getattr(case, field) for field in fields}
        facts["rivals"] = list(case.rivals)
        if not self._is_gated():
            facts["gates"] = {}
        return facts

    def prepare_peer(self, suite: str, name: str, function: str) -> bool:
        """Prove the peer's answers equal to ours; False where it does not do this job."""
        self._runs = {}
        job = getattr(self._module, function, None)
        case = self._build(suite, name) if job else None
        way = job(**case.inputs) if job and case else None
        if case is None or way is None:
            return False
        for index in case.checked or range(1):
            answer = way.read(way.run(index))
            if answer is not NO_ANSWER and case.agree is not None:
                case.agree(index, answer)
        self._runs = {"": way.run}
        return True

    def turn(self, entry: str) -> float:
        """Go through the masks; seconds a mask up to now, see `Clock`."""
        assert self._masks is not None
        if entry not in self._clocks:
            count = self._parts if self._batch > 1 else self._masks.count
            self._clocks[entry] = Clock(self._runs[entry], count)
        return self._clocks[entry].turn() * self._parts / self._batch

    def turn_threads(self) -> tuple[dict[str, float], dict[str, float]]:
        """A turn of all ways of a case on threads, and of two threads of the machine.

        Returns:
            seconds a mask up to now of each way, those of a rival as many times ours as it takes
            longer, and how many times faster two threads are than one at each of the loops of
            `thread_scaling`.
        """
        if self._turns is None:
            probes = {
                f"{name}, {threads}": partial(_run_loop, loop, threads)
                for name, loop in self._loops.items()
                for threads in (1, 2)
            }
            self._turns = Turns({**self._runs, **probes}, self._parts)
        turns = self._turns
        turns.turn()
        ours = turns.seconds("") / self._batch
        machine = {name: turns.ratio(f"{name}, 1", f"{name}, 2") for name in self._loops}
        return {name: ours * turns.ratio(name, "") for name in self._runs}, machine

    @cached_property
    def _loops(self) -> dict[str, Callable[[int], None]]:
        return loops()

    def _is_gated(self) -> bool:
        """Whether the masks are as large as those that the gates were set for."""
        assert self._masks is not None
        return sum(mask.size for mask in self._masks.masks) >= GATED * self._masks.count

    def _build(self, suite: str, name: str) -> KernelCase | None:
        assert self._masks is not None
        self._runs, self._clocks, self._turns = {}, {}, None
        module = importlib.import_module(f"{__package__}.kernels_{suite}")
        case: KernelCase | None = module.CASES[name](self._masks)
        if case is not None:
            self._batch, self._parts = case.batch, case.parts
        return case


def _run_loop(loop: Callable[[int], None], threads: int, _: int) -> None:
    loop(threads)

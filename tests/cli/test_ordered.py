"""Work in several processes: in order, bounded, and gone when the parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from command_line import many_objects

from maskcodec import MaskCodecError
from maskcodec.commands import ordered
from maskcodec.commands.ordered import AHEAD, CHUNK, map_ordered


def square(number: int) -> int:
    return number * number


def die(number: int) -> int:
    os._exit(3)


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order(jobs: int) -> None:
    assert list(map_ordered(square, range(200), jobs)) == [n * n for n in range(200)]
    assert list(map_ordered(square, [], jobs)) == []


def test_it_reads_only_a_little_ahead() -> None:
    taken = []

    def numbers() -> Iterator[int]:
        for number in range(10_000):
            taken.append(number)
            yield number

    results = map_ordered(square, numbers(), 2)
    assert next(results) == 0
    assert len(taken) <= 2 * AHEAD * CHUNK
    results.close()  # type: ignore[attr-defined]


def test_a_process_that_dies_is_an_error() -> None:
    with pytest.raises(MaskCodecError, match=r"a process died, .* use fewer --jobs"):
        list(map_ordered(die, range(3), 2))


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in listed.read_text().split()] if listed.exists() else []


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_no_process_outlives_a_killed_parent(tmp_path: Path) -> None:
    source = many_objects(tmp_path / "r.jsonl", 4_000)
    out = tmp_path / "out.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "maskcodec", "encode", source, "--spec", "boxgrid", "-q",
         "-o", out, "--jobs", "2"]
    )  # fmt: skip
    while process.poll() is None and not out.exists():
        time.sleep(0.01)
    workers = children(process.pid)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert len(workers) >= 2
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def test_a_second_interrupt_ends_the_processes() -> None:
    executor, process = mock.Mock(), mock.Mock()
    executor._processes = {1: process}
    executor.shutdown.side_effect = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        ordered._shut_down(executor)
    process.kill.assert_called_once_with()

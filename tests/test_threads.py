"""Batches on threads: in order, nested, after a fork, and with errors."""

from __future__ import annotations

import multiprocessing
import os
import threading

import pytest

from maskcodec.threads import map_pieces, map_threads


def double(value: int) -> int:
    return 2 * value


def nested(value: int) -> list[int]:
    return map_threads(double, range(value), threads=4)


def in_child() -> None:
    assert map_threads(double, range(9), threads=3) == list(range(0, 18, 2))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
@pytest.mark.parametrize("threads", [None, 0, 1, 2, 3, 8])
def test_results_come_in_order(count: int, threads: int | None) -> None:
    assert map_threads(double, range(count), threads=threads) == [2 * n for n in range(count)]


@pytest.mark.parametrize("work", [0, 1, 2, 5, 64, 100])
@pytest.mark.parametrize("most", [1, 7, 16])
@pytest.mark.parametrize("threads", [None, 1, 2, 3])
def test_pieces_cover_a_batch_in_order(work: int, most: int, threads: int | None) -> None:
    pieces = map_pieces(lambda part: range(work)[part], work, most, threads=threads)
    assert [n for piece in pieces for n in piece] == [*range(work)]
    lengths = {len(piece) for piece in pieces}
    assert lengths <= {*range(1, most + 1)}
    assert not lengths or max(lengths) - min(lengths) <= 1


def test_pieces_go_to_several_threads() -> None:
    meeting = threading.Barrier(3, timeout=30)
    assert sorted(map_pieces(lambda _: meeting.wait(), 3, 16, threads=3)) == [0, 1, 2]


def test_no_piece_is_begun_after_an_error() -> None:
    done: list[slice] = []

    def fail(part: slice) -> None:
        done.append(part)
        raise KeyError(part)

    with pytest.raises(KeyError):
        map_pieces(fail, 100, 1, threads=2)
    assert 1 <= len(done) <= 2, "each thread stops at its first error"


def test_several_threads_work() -> None:
    meeting = threading.Barrier(3, timeout=30)
    assert sorted(map_threads(lambda _: meeting.wait(), range(3), threads=3)) == [0, 1, 2]


def test_a_batch_within_a_batch_does_not_wait_for_itself() -> None:
    assert map_threads(nested, range(20), threads=4) == [nested(n) for n in range(20)]


def test_an_error_reaches_the_caller() -> None:
    def fail(value: int) -> None:
        raise KeyError(value)

    with pytest.raises(KeyError):
        map_threads(fail, range(4), threads=2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_threads_too() -> None:
    in_child()
    child = multiprocessing.get_context("fork").Process(target=in_child)
    child.start()
    child.join(30)
    assert child.exitcode == 0

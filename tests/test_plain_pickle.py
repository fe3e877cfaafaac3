"""Pickles of plain data load; every other one is refused, and nothing in it runs."""

from __future__ import annotations

import collections
import datetime
import os
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import RecordError
from maskcodec.datasets.plain_pickle import load, loads

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("value", [-(2**63), 2**63 - 1, -(10**18), 10**18])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_longest_numbers_are_read(value: int, protocol: int) -> None:
    assert loads(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("text", [b"I99999999999999999999\n.", b"L-9223372036854775809L\n."])
def test_longer_numbers_are_refused(text: bytes) -> None:
    with pytest.raises(RecordError, match="more than 64 bits"):
        loads(text)


@given(plain, st.sampled_from(PROTOCOLS))
def test_plain_data_load_as_pickle_loads_them(value: Any, protocol: int) -> None:
    assert loads(pickle.dumps(value, protocol)) == value


def test_strings_of_python_2() -> None:
    assert loads(b"(dp1\nS'raw'\np2\nS'it\\'s \\xe9'\np3\ns.") == {"raw": "it's é"}
    assert loads(b"\x80\x02U\x04caf\xe9.") == "café"
    assert loads(b"(lp0\nI01\naI00\naL5L\na.") == [True, False, 5]


class Hostile:
    """Pickles as a call."""

    ran = False

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("it-ran",)

    def __repr__(self) -> str:
        return "Hostile"  # a test's name, the same in every process


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        Hostile(),
        [{"a": Hostile()}],
        {1, 2},
        1j,
        bytearray(b"x"),
        datetime.date(2020, 1, 1),
        collections.OrderedDict(a=1),
        os.getcwd,
        Path(),
    ],
    ids=repr,
)
def test_nothing_else_is_built(
    value: Any, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecordError, match=r"would make a Python object.*nothing of it was run"):
        loads(pickle.dumps(value, protocol), "refs.p")
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_is_named() -> None:
    with pytest.raises(RecordError, match=r"refs\.p: .*\(GLOBAL\) .* of posix\.mkdir"):
        loads(pickle.dumps(Hostile(), 0), "refs.p")


def doubled(leaf: Any, times: int) -> Any:
    for _ in range(times):
        leaf = [leaf, leaf]
    return leaf


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (doubled([], 25), "stands for far more data than the file is long"),
        (doubled("x" * 1_000, 8), "stands for far more data than the file is long"),
        (2**64, "a number of more than 64 bits"),
        (-(2**400), "a number of more than 64 bits"),
    ],
    ids=["lists", "strings", "large", "larger"],
)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_small_files_do_not_stand_for_much(value: Any, message: str, protocol: int) -> None:
    with pytest.raises(RecordError, match=message):
        loads(pickle.dumps(value, protocol))


def test_loops_and_depth() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(RecordError, match="contains itself"):
        loads(pickle.dumps(loop))
    with pytest.raises(RecordError, match="nested deeper than 32"):
        loads(b"]" * 100_000 + b"a" * 99_999 + b".")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fab.",  # a string of 2**63 - 1 bytes
        b"\x80\x04X\xff\xff\xff\xffab.",
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\x02T\xff\xff\xff\xffa.",  # of -1 byte
        b"]r\xff\xff\xff\xffh\x00.",  # memo number 2**32 - 1, then one that is not there
        b"(((((",
        b"a.",
        b".",
        b"]](.",
        b"I9_9x\n.",
        b"S'open.",
        b"S'a' + 'b'\n.",
        b"((lI1\nd.",
        b"(]I1\nd.",
        b"\xff.",
        b"not a pickle",
    ],
)
def test_damage_is_an_error(data: bytes) -> None:
    start = time.perf_counter()
    with pytest.raises(RecordError, match=r"refs\.p: is a damaged pickle \(at byte"):
        loads(data, "refs.p")
    assert time.perf_counter() - start < 1


@given(st.binary(max_size=80))
def test_any_bytes_end_in_a_value_or_an_error(data: bytes) -> None:
    try:
        loads(data)
    except RecordError:
        return


@given(st.data())
def test_damaged_pickles_end_in_a_value_or_an_error(data: st.DataObject) -> None:
    whole = bytearray(pickle.dumps([{"raw": "a dog", "ids": (1, 2.5)}] * 3, 2))
    for _ in range(3):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads(bytes(whole))
    except RecordError:
        return


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "refs.p"
    with pytest.raises(RecordError, match="no such file"):
        load(path)
    path.write_bytes(b"")
    with pytest.raises(RecordError, match="is empty"):
        load(path)
    path.write_bytes(pickle.dumps([1]))
    assert load(path) == [1]

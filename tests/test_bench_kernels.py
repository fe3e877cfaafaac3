"""`maskcodec bench kernels` from end to end on tiny masks, and peers that are missing or fail."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import document as documents
from benchmarks import kernel_worker, kernels, kernels_shape, thread_scaling
from benchmarks.kernel_race import Race, Times
from benchmarks.kernel_worker import INSTALL, Clock, Turns
from benchmarks.mask_sets import MaskSet, synthetic
from maskcodec import MaskCodecError, rle
from maskcodec.cli import main, make_parser

TINY = ["--sizes", "24x32", "--count", "4", "--seconds", "0.001", "--quiet"]

PEERS = {
    "good": """
from benchmarks.peers import Way
from maskcodec import rle
def encode(masks):
    return Way(lambda i: rle.encode(masks[i]))
""",
    "missing": "import a_package_that_nobody_has\n",
    "dying": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n",
    "broken": "raise RuntimeError('no such library')\n",
    "wrong": """
from benchmarks.peers import Way
def encode(masks):
    return Way(lambda i: [0, masks[i].size])
""",
    "crashing": """
import os, signal
def encode(masks):
    os.kill(os.getpid(), signal.SIGKILL)
""",
    "late": """
from benchmarks.peers import Way
from maskcodec import rle
calls = []
def encode(masks):
    def run(i):
        calls.append(i)
        if len(calls) > 20:
            raise MemoryError
        return rle.encode(masks[i])
    return Way(run)
""",
}


@pytest.fixture
def race(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Race]:
    """We against peers of all kinds."""
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, content in PEERS.items():
        (tmp_path / f"{name}_stand_in.py").write_text(content)
    race = Race({name: f"{name}_stand_in" for name in PEERS})
    yield race
    race.close()


def test_who_fails_leaves_the_others_standing(
    race: Race, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    next(synthetic([(24, 32)], 4)).save(folder)
    race.load(folder)
    facts = race.run("rle", "RLE encode", 0.001)
    assert facts is not None
    assert [*facts["seconds"]] == ["", "good"]
    assert all(0 < seconds < 1 for seconds in facts["seconds"].values())
    problems = race.problems
    assert problems["missing"] == INSTALL
    assert problems["dying"] == "its process ended (SIGKILL)"
    assert problems["broken"] == "RuntimeError: no such library"
    assert problems["wrong, RLE encode"].startswith("AssertionError")
    assert problems["crashing, RLE encode"] == "its process ended (SIGKILL)"
    assert problems["late, RLE encode"] == "MemoryError"
    assert [*race.peers] == ["good", "wrong", "late"]
    assert "crashing, RLE encode: its process ended" in capsys.readouterr().out
    facts = race.run("rle", "bounding box", 0.001)
    assert facts is not None
    assert [*facts["seconds"]] == [""]


def test_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--json", str(tmp_path / "k.json"), "--html", str(tmp_path / "k.html")]
    chosen = ["--only", "rle", "--kernel", "encode", "--peers", "numpy", "pycocotools"]
    assert main(["bench", "kernels", *TINY, *chosen, *files]) == 0
    out = capsys.readouterr().out
    assert "9 measured, 0 below a gate" in out
    document = documents.read(tmp_path / "k.json", "kernels")
    assert document["memory"]["read GB/s"] > 0
    assert document["problems"] == {}
    first = document["results"][0]
    assert first["name"] == {"kernel": "RLE encode", "masks": "shapes 24x32"}
    assert [*first["figures"]] == ["microseconds", "x limit", "numpy"]
    assert all(value > 0 for value in first["figures"].values())
    threads = document["results"][2]["figures"]
    machine = ["machine, arithmetic", "machine, memory"]
    assert [*threads] == ["microseconds", "x limit", "1 thread", *machine]
    assert all(0.05 < threads[name] < 20 for name in machine)
    assert ", machine: arithmetic " in out
    page = (tmp_path / "k.html").read_text("utf-8")
    assert page.count("<figure>") == 9
    assert "RLE encode to text" in page
    assert "http" not in page.replace("http-equiv", "")


def test_what_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "kernels", *TINY, "--peers", "nobody"]) == 2
    assert "expected some of pycocotools" in capsys.readouterr().err
    assert main(["bench", "kernels", *TINY, "--kernel", "nothing"]) == 2
    assert "no kernel's name holds this" in capsys.readouterr().err
    missing = str(tmp_path / "none.jsonl")
    assert (
        main(["bench", "kernels", *TINY, "--peers", "none", "--kernel", "box", "--masks", missing])
        == 2
    )
    assert "no such file" in capsys.readouterr().err
    with pytest.raises(MaskCodecError, match="no such"):
        kernels.chosen_peers(["pycocotools", "no such"])


def test_turns_go_on_while_a_time_falls() -> None:
    times = Times()
    for ours, peer in [(9.0, 4.0), (9.0, 4.0), (8.0, 4.0), (8.0, 3.97), (8.0, 3.95)]:
        assert not times.suffice(5.0, 1.0)
        times.add({"": ours, "peer": peer})
    assert not times.suffice(5.0, 1.0), "two turns are not still enough"
    assert times.suffice(6.0, 1.0), "that is too long"
    times.add({"": 8.0})  # the peer has failed
    assert times.suffice(5.0, 1.0)
    assert not times.suffice(0.9, 1.0), "more was asked for"
    assert times.best == {"": 8.0}
    times.add({"": 7.0})
    assert not times.suffice(5.0, 1.0)


def test_ways_take_turns_of_a_stretch_each() -> None:
    calls: list[tuple[str, int]] = []

    def run(name: str, part: int) -> None:
        calls.append((name, part))
        if (name, part) == ("slow", 1) and calls.count(("slow", 1)) == 2:
            return  # once it was not slow: the fastest time counts
        time.sleep(0.02 if name == "slow" else 0.002)

    turns = Turns({name: partial(run, name) for name in ("slow", "fast")}, 2)
    turns.turn()
    assert [name for name, _ in calls] == sorted((name for name, _ in calls), reverse=True)
    assert calls.count(("slow", 0)) == calls.count(("slow", 1)) >= 2  # the first is for warmth
    assert 0.04 > turns.seconds("slow") >= 0.02
    assert 0.04 > turns.seconds("fast") >= 0.004


def test_ratios_are_medians_of_those_within_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that grows slower from turn to turn changes none of them."""
    times = iter([2.0, 1.0, 4.0, 2.0, 9.0, 3.0])
    monkeypatch.setattr(Turns, "_stretch", lambda self, run: next(times))
    turns = Turns({"slow": lambda part: None, "fast": lambda part: None}, 1)
    for _ in range(3):
        turns.turn()
    assert turns.ratio("slow", "fast") == 2
    assert turns.seconds("slow") == 4


def test_a_pass_for_warmth_is_not_counted() -> None:
    seen = [0, 0]

    def run(part: int) -> None:
        seen[part] += 1
        time.sleep(0.001 if seen[part] == 1 else 0.012)

    turns = Turns({"": run}, 2)
    turns.turn()
    assert turns.seconds("") >= 2 * 0.012


def test_loops_of_the_machine_run_on_any_number_of_threads() -> None:
    for loop in thread_scaling.loops().values():
        loop(1)
        loop(2)


@pytest.mark.parametrize("name", [name for name in kernels_shape.CASES if "code" in name])
def test_batches_go_through_the_whole_set(name: str) -> None:
    given = next(synthetic([(24, 32)], 2 * kernels_shape.BATCH + 3))
    case = kernels_shape.CASES[name](given)
    assert case is not None
    assert case.parts == 3
    assert sum(len(case.ours(part)) for part in range(case.parts)) == case.batch == given.count


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0"])
def test_seconds_must_be_a_time(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "kernels", "--sizes", "24x32", "--seconds", seconds]) == 2
    assert "--seconds must be above 0 and at most 600" in capsys.readouterr().err


def test_interrupted_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = Race.run

    def stop_after_one(self: Race, suite: str, kernel: str, seconds: float) -> object:
        if kernel != "RLE encode":
            raise KeyboardInterrupt
        return measured(self, suite, kernel, seconds)

    monkeypatch.setattr(Race, "run", stop_after_one)
    path = tmp_path / "k.json"
    chosen = ["--peers", "none", "--only", "rle", "--json", str(path)]
    assert kernels.main([*TINY, *chosen]) == 130
    document = documents.read(path)
    assert document["interrupted"]
    assert [result["name"]["kernel"] for result in document["results"]] == ["RLE encode"]
    assert "interrupted; what was measured is kept" in capsys.readouterr().err


def test_a_set_is_one_file(tmp_path: Path) -> None:
    given = next(synthetic([(24, 33)], 5))
    given.save(tmp_path)
    assert len([*tmp_path.iterdir()]) == 2
    again = MaskSet.load(tmp_path)
    assert (again.name, again.kind, again.count) == (given.name, given.kind, 5)
    for name in ("masks", "label_maps"):
        for one, other in zip(getattr(given, name), getattr(again, name), strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
            assert other.ctypes.data % 4096 == 0
    again.masks[0][:] = False
    assert np.array_equal(MaskSet.load(tmp_path).masks[0], given.masks[0])


def write_masks(path: Path, count: int) -> Path:
    masks = next(synthetic([(24, 32)], count)).masks
    lines = [
        json.dumps({"size": [24, 32], "counts": rle.to_string(rle.encode(one)).decode()})
        for one in masks
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    one, other = write_masks(tmp_path / "a" / "m.jsonl", 64), write_masks(tmp_path / "m.jsonl", 64)
    asked = ["bench", "kernels", *TINY, "--masks", str(one)]
    sets = kernels.sets(make_parser().parse_args(asked))
    assert [given.name for given in sets][-1] == "real (m)"
    sets = kernels.sets(make_parser().parse_args([*asked, str(other), str(one)]))
    assert [given.name for given in sets][3:] == [f"real ({one})", f"real ({other})"]


def test_a_wrong_file_is_found_before_anything_is_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = write_masks(tmp_path / "few.jsonl", 3)
    chosen = ["--peers", "none", "--only", "rle", "--masks", str(few)]
    assert kernels.main([*TINY, *chosen]) == 2
    said = capsys.readouterr()
    assert "holds 3 masks, expected at least 64" in said.err
    assert "RLE encode" not in said.out


def test_an_error_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Race.run

    def fail_after_one(self: Race, suite: str, kernel: str, seconds: float) -> object:
        if kernel != "RLE encode":
            raise MaskCodecError("our own process: its process ended")
        return measured(self, suite, kernel, seconds)

    monkeypatch.setattr(Race, "run", fail_after_one)
    path = tmp_path / "k.json"
    assert kernels.main([*TINY, "--peers", "none", "--only", "rle", "--json", str(path)]) == 2
    document = documents.read(path)
    assert document["interrupted"]
    assert len(document["results"]) == 1


def test_a_missed_gate_is_said() -> None:
    document = documents.start("kernels", [])
    facts = {
        "seconds": {"": 2e-6, "opencv": 3e-6, "numpy": 9e-6},
        "gates": {"opencv": 2, "torch": 3},
        "stretch": {"opencv": 4},
        "bytes_read": 1000,
        "bytes_written": 500,
    }
    result = kernels.add_result(document, "a", "b", facts, kernels.Memory(1e9, 1e9))
    assert result["figures"]["x limit"] == pytest.approx(2e-6 / 1.5e-6)
    assert result["figures"]["numpy"] == pytest.approx(4.5)
    assert kernels.missed_lines(result) == ["a on b: 1.50x opencv, the gate is 2"]
    line = kernels.row(result)
    assert "1.50x opencv (gate 2 MISSED)" in line
    assert "torch not measured (gate 3)" in line


def test_a_gate_beyond_the_machine_is_said() -> None:
    document = documents.start("kernels", [])
    facts = {
        "seconds": {"": 2e-6, "opencv": 6e-6},
        "gates": {"opencv": 5},
        "stretch": {"opencv": 8},
        "bytes_read": 1000,
        "bytes_written": 500,
    }
    memory = kernels.Memory(1e9, 1e9)
    result = kernels.add_result(document, "a", "b", facts, memory)
    assert result["gates"]["opencv"]["reach"] == pytest.approx(4)
    assert kernels.missed_lines(result) == [
        "a on b: 3.00x opencv, the gate is 5, the machine allows 4"
    ]
    assert "3.0x opencv (gate 5 MISSED, the machine allows 4)" in kernels.row(result)
    nearly = kernels.add_result(document, "a", "b", facts, kernels.Memory(7.2e8, 7.2e8))
    assert nearly["gates"]["opencv"]["reach"] == nearly["figures"]["opencv"] == pytest.approx(3)
    cached = kernels.add_result(document, "a", "b", facts, kernels.Memory(6e8, 6e8))
    assert cached["figures"]["x limit"] < 1
    assert "reach" not in cached["gates"]["opencv"]
    held = kernels.add_result(
        document,
        "a",
        "b",
        facts | {"seconds": {"": 2e-6, "opencv": 10.2e-6}},
        kernels.Memory(7e8, 7e8),
    )
    assert held["gates"] == {"opencv": {"least": 5, "stretch": 8}}
    faster = kernels.add_result(document, "a", "b", facts, kernels.Memory(2e9, 2e9))
    assert faster["gates"] == {"opencv": {"least": 5, "stretch": 8}}

    threads = {
        "seconds": {"": 1e-6, "1 thread": 1.1e-6},
        "gates": {"1 thread": 1.4},
        "stretch": {},
        "machine": {"arithmetic": 1.2, "memory": 1.1},
        "bytes_read": 1000,
        "bytes_written": 0,
    }
    result = kernels.add_result(document, "c", "b", threads, memory)
    assert result["gates"]["1 thread"]["reach"] == 1.2
    threads["machine"] = {"arithmetic": 1.2, "memory": 1.5}
    result = kernels.add_result(document, "c", "b", threads, memory)
    assert "reach" not in result["gates"]["1 thread"]
    documents.check(document, "document")


def test_defaults_are_one_size_and_all_peers() -> None:
    arguments = make_parser().parse_args(["bench", "kernels"])
    assert isinstance(arguments, argparse.Namespace)
    assert next(kernels.sets(argparse.Namespace(**vars(arguments) | {"count": 1}))).name == (
        "shapes 480x640"
    )
    assert {*kernels.chosen_peers(arguments.peers)} >= {"pycocotools", "rlemasklib", "torch"}


def busy_for(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_clock_goes_through_all_masks_or_some_of_each_part() -> None:
    called: list[int] = []
    fast = Clock(called.append, 64)
    assert 0 < fast.turn() < 1e-4
    assert {*called} == {*range(64)}
    called.clear()

    def slow(index: int) -> None:
        called.append(index)
        busy_for(0.02)

    assert 0.02 <= Clock(slow, 64).turn() < 0.03
    assert 4 <= len({*called}) <= 8
    assert called[2] == 0
    assert called[-1] > 48


def test_the_fastest_time_of_each_part_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.002, 0.002, 0.004, 0.001, 0.001, 0.004, 0.003, 0.003])
    monkeypatch.setattr(kernel_worker, "LEAST", 0.0)
    clock = Clock(lambda index: busy_for(next(seconds)), 2)
    assert clock.turn() == pytest.approx(0.0025, rel=0.2)
    assert clock.turn() == pytest.approx(0.001, rel=0.2)
    assert clock.turn() == pytest.approx(0.001, rel=0.2)


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="a system without it")
def test_a_process_that_starts_knows_no_ctrl_c() -> None:
    """It would print a traceback in the midst of the report; its parent ends it."""
    with kernel_worker._without_interrupts():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

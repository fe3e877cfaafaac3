"""A `maskcodec prepare` that was stopped goes on to the same bytes, wherever it was stopped."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import run
from layouts import objects

from maskcodec.datasets import object_lines
from maskcodec.datasets.annotated import AnnotatedEntry, Source, SourceOptions
from maskcodec.writing import LineFile

SPEC = "boxgrid:rows=6"
NAMES = ("t.jsonl", "v.jsonl", "t.rejected.jsonl", "t.report.json")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Some images, of which some are missing, some lines bad, and some expressions empty."""
    (tmp_path / "data").mkdir()
    path = objects(tmp_path / "data" / "o.jsonl", 14, said=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for index in range(0, len(rows), 5):
        rows[index]["expression"] = " "
    for index in range(3, len(rows), 9):
        rows[index]["counts"] = "~"
    for index, row in enumerate(rows):
        if index % 2:
            row["expressions"] = [row.pop("expression"), "that one", ""]
    (path.parent / "4.jpg").unlink()
    text = [json.dumps(row) for row in rows]
    text.insert(6, "oops")
    path.write_text("\n".join(text) + "\n")
    return path


def command(source: Path, out: Path, *more: str) -> list[str]:
    options = ["--val-share", "0.3", "--val-output", str(out.with_name("v.jsonl")), "-q"]
    tasks = ["--tasks", "referring,prompted,panoptic", "--turns", "2"]
    return ["prepare", str(source), "--spec", SPEC, "-o", str(out), *options, *tasks, *more]


def contents(out: Path) -> list[bytes]:
    files = [out.with_name(name) for name in NAMES]
    return [path.read_bytes() if path.exists() else b"" for path in files]


def test_wherever_a_run_stops_it_goes_on(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "t.jsonl"
    append = LineFile.append_line
    states: list[list[bytes]] = []

    def append_and_look(self: LineFile, line: bytes) -> None:
        if not states:
            states.append(contents(out))
        append(self, line)
        states.append(contents(out))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LineFile, "append_line", append_and_look)
        assert run(*command(source, out)).status == 1
    whole = contents(out)
    assert all(whole)
    assert len(states) > 40
    chance = random.Random(0)
    for before, after in itertools.pairwise(states):
        # Between two writes, the file that the second one extends may hold any part of its line.
        for name, old, new in zip(NAMES, before, after, strict=True):
            content = new[: chance.randint(len(old), len(new))]
            out.with_name(name).write_bytes(content)
        result = run(*command(source, out, "--resume"))
        assert result.status == 1, result.err
        assert contents(out) == whole


def test_killed_runs_go_on(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole, out = tmp_path / "whole" / "t.jsonl", tmp_path / "t.jsonl"
    program = [sys.executable, "-m", "maskcodec"]
    options = ["scenes:150", "--spec", SPEC, "--scene", "tiny", "--tasks", "referring,grounded",
               "--questions", "2", "--tokenizer", "none", "-q"]  # fmt: skip
    assert run("prepare", *options, "-o", whole).status == 0
    kills = 0
    for wanted in (20, 120, 250):
        process = subprocess.Popen(
            [*program, "prepare", *options, "-o", str(out), "--resume", "--processes", "2"],
            stderr=subprocess.PIPE,
        )
        while process.poll() is None and contents(out)[0].count(b"\n") < wanted:
            time.sleep(0.002)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert process.stderr is not None
        process.stderr.close()
    assert kills >= 2
    assert contents(out)[0].count(b"\n") < whole.read_bytes().count(b"\n")
    assert run("prepare", *options, "-o", out, "--resume").status == 0
    assert contents(out) == contents(whole)
    for path in (tmp_path / "whole" / "images").iterdir():
        assert path.read_bytes() == (tmp_path / "images" / path.name).read_bytes()


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "t.jsonl"
    assert run(*command(source, out)).status == 1
    whole = contents(out)
    assert run(*command(source, out, "--resume")).status == 1
    assert contents(out) == whole


def test_limits_go_on_too(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "t.jsonl"
    assert run(*command(source, out, "--limit", "9")).status == 1
    whole = contents(out)
    for count in (1, 4):
        out.write_bytes(b"".join(whole[0].splitlines(keepends=True)[:count]))
        out.with_name("v.jsonl").write_bytes(b"")
        out.with_name("t.rejected.jsonl").unlink()
        assert run(*command(source, out, "--limit", "9", "--resume")).status == 1
        assert contents(out)[0].count(b"\n") + contents(out)[1].count(b"\n") == 9


def test_what_can_not_be_continued(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "t.jsonl"
    assert run(*command(source, out)).status == 1
    whole = contents(out)
    for more, message in (
        (["--seed", "5"], "the earlier run had seed 0, this one has 5"),
        (["--labels", "constant"], "had labels 'category', this one has 'constant'"),
    ):
        other = run(*command(source, out, "--resume", *more))
        assert other.status == 2
        assert message in other.err
        assert contents(out) == whole
    codec = command(source, out, "--resume")
    codec[codec.index(SPEC)] = "polygon"
    assert "the earlier run had spec 'boxgrid:rows=6', this one has" in run(*codec).err
    (tmp_path / "t.report.json").unlink()
    gone = run(*command(source, out, "--resume"))
    assert gone.status == 2
    assert "t.report.json is gone, which said how it was made" in gone.err
    assert out.read_bytes() == whole[0]
    out.with_name("t.report.json").write_bytes(whole[3])
    out.write_bytes(b'{"id": "0#0", "images": []}\n')
    strange = run(*command(source, out, "--resume"))
    assert strange.status == 2
    assert "t.jsonl:1: is no line that `maskcodec prepare` wrote" in strange.err


def test_ids_that_stand_twice(tmp_path: Path) -> None:
    source = objects(tmp_path / "o.jsonl", 2)
    out = tmp_path / "t.jsonl"
    read = object_lines.read
    with pytest.MonkeyPatch.context() as patch:

        def twice(path: Path, options: SourceOptions) -> Source:
            found = read(path, options)
            first = found.entries[0]
            assert isinstance(first, AnnotatedEntry)
            entries = [*found.entries, dataclasses.replace(first)]
            return Source(found.format, entries, found.tasks)

        patch.setattr(object_lines, "read", twice)
        result = run("prepare", source, "--spec", SPEC, "-o", out, "-q")
    assert result.status == 1
    assert "'0.jpg' is the id of an earlier record already" in result.err

"""`--resume`: an interrupted run goes on without duplicates or gaps, wherever it was stopped."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import many_objects, run
from reading import read_jsonl

from maskcodec.writing import LineFile

SPEC = "coco_rle"
IMAGES = 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Forty images, every seventh of which can't be used, and a line that is no record."""
    path = many_objects(tmp_path / "r.jsonl", IMAGES)
    lines = path.read_text().splitlines()
    for index in range(0, len(lines), 14):
        lines[index] = lines[index].replace('"counts": "', '"counts": "~')
    lines.insert(9, "oops")
    path.write_text("\n".join(lines) + "\n")
    return path


def encode_to(out: Path, source: Path, *more: str) -> int:
    return run("encode", source, "--spec", SPEC, "-o", out, "-q", *more).status


def contents(out: Path) -> tuple[bytes, list[str]]:
    aside = out.with_name("out.rejected.jsonl")
    return out.read_bytes(), sorted(aside.read_text().splitlines())


def present(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@pytest.mark.parametrize("per", ["image", "object"])
def test_wherever_a_run_stops_it_goes_on(tmp_path: Path, source: Path, per: str) -> None:
    out = tmp_path / "out.jsonl"
    aside = tmp_path / "out.rejected.jsonl"
    states = [(b"", b"")]

    append = LineFile.append_line

    def append_and_look(self: LineFile, line: bytes) -> None:
        append(self, line)
        states.append((present(out), present(aside)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LineFile, "append_line", append_and_look)
        assert encode_to(out, source, "--per", per) == 1
    whole = contents(out)

    chance = random.Random(0)
    for before, after in itertools.pairwise(states):
        # Between two writes, the file that the second one extends may hold any part of its line.
        torn = [
            new[: chance.randint(len(old), len(new))]
            for old, new in zip(before, after, strict=True)
        ]
        for path, content in zip((out, aside), torn, strict=True):
            path.write_bytes(content)
        assert encode_to(out, source, "--per", per, "--resume") == 1
        assert contents(out) == whole


def test_killed_runs_go_on(tmp_path: Path) -> None:
    source = many_objects(tmp_path / "r.jsonl", 1_500)
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "maskcodec", "encode", str(source), "--spec", "boxgrid"]
    subprocess.run([*command, "-o", str(whole), "-q"], check=True)
    kills = 0
    for wanted in (50, 400, 1_000):
        process = subprocess.Popen(
            [*command, "-o", str(out), "-q", "--resume", "--jobs", "2"], stderr=subprocess.PIPE
        )
        while process.poll() is None and count(out) < wanted:
            time.sleep(0.005)
        process.kill()
        kills += process.wait() == -signal.SIGKILL
        assert process.stderr is not None
        process.stderr.close()
    assert kills >= 2
    assert count(out) < 1_500
    assert run("encode", source, "--spec", "boxgrid", "-o", out, "--resume").status == 0
    assert out.read_bytes() == whole.read_bytes()


def count(path: Path) -> int:
    return present(path).count(b"\n")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_what_was_written(tmp_path: Path, jobs: str) -> None:
    source = many_objects(tmp_path / "r.jsonl", 4_000)
    out = tmp_path / "out.jsonl"
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from maskcodec.cli import main; sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "encode", source, "--spec", "boxgrid", "-o", out, "-j", jobs],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while process.poll() is None and count(out) < 20:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # a terminal signals the whole group
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == b"maskcodec encode: interrupted; what was written is kept\n"
    assert out.read_bytes().endswith(b"\n")
    assert 20 <= len(read_jsonl(out)) < 4_000


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert encode_to(out, source) == 1
    whole = contents(out)
    again = run("encode", source, "--spec", SPEC, "-o", out, "--resume")
    assert again.status == 1
    assert "34 records; 7 set aside" in again.err
    assert "41 of them by an earlier run" in again.err
    assert contents(out) == whole


def test_records_set_aside_are_tried_again_once_their_list_is_gone(
    tmp_path: Path, source: Path
) -> None:
    out = tmp_path / "out.jsonl"
    assert encode_to(out, source) == 1
    source.write_text(source.read_text().replace('"counts": "~', '"counts": "').replace("oops", ""))
    assert encode_to(out, source, "--resume") == 1
    (tmp_path / "out.rejected.jsonl").unlink()
    assert encode_to(out, source, "--resume") == 0
    assert sorted(record["id"] for record in read_jsonl(out)) == [
        f"{image:04}.jpg" for image in range(IMAGES)
    ]


def test_what_can_not_be_continued(tmp_path: Path, source: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert encode_to(out, source) == 1
    whole = out.read_bytes()
    other = run("encode", source, "--spec", "boxgrid", "-o", out, "--resume")
    assert other.status == 2
    assert "out.jsonl:1, field 'spec': is 'coco_rle:alphabet=safe', but this run" in other.err
    assert out.read_bytes() == whole
    more = run("encode", source, "--spec", SPEC, "--truth", "-o", out, "--resume")
    assert more.status == 2
    assert "out.jsonl:1, field 'truth': is missing, but this run writes with --truth" in more.err
    assert out.read_bytes() == whole
    out.write_bytes(b"not a record\n" + whole)
    broken = run("encode", source, "--spec", SPEC, "-o", out, "--resume")
    assert broken.status == 2
    assert "out.jsonl:1: can't be continued: is not JSON" in broken.err
    both = run("encode", source, "--spec", SPEC, "-o", out, "--resume", "--overwrite")
    assert "not allowed with argument --resume" in both.err
    stdout = run("encode", source, "--spec", SPEC, "--resume")
    assert "--resume needs --output FILE.jsonl" in stdout.err


def test_records_of_other_inputs_are_named(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    many = many_objects(tmp_path / "many.jsonl", 9)
    few = many_objects(tmp_path / "few.jsonl", 4)
    assert encode_to(out, many) == 0
    result = run("encode", few, "--spec", SPEC, "-o", out, "--resume")
    assert f"5 records of {out} come from none of these inputs" in result.err
    assert len(read_jsonl(out)) == 9

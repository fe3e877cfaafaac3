"""What all verbs share: help, statuses, and errors that are lines and not tracebacks."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import run
from reading import DOG, save

from maskcodec import cli
from maskcodec.commands import list_codecs
from maskcodec.commands.terminal import printable

PYTHON = [sys.executable, "-m", "maskcodec"]


def test_help_of_every_verb() -> None:
    top = run("--help")
    assert top.status == 0
    for verb in cli.VERBS:
        assert f"\n    {verb} " in top.out
        result = run(verb, "--help")
        assert result.status == 0
        assert f"usage: maskcodec {verb}" in result.out
        assert f"examples:\n  maskcodec {verb}" in result.out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from maskcodec.cli import make_parser; make_parser();"
        "print([m for m in ('numpy', 'PIL', 'torch', 'tqdm', 'skimage') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (printed.stdout, printed.stderr) == ("[]\n", "")


def test_version() -> None:
    assert run("--version").out.startswith("maskcodec 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: VERB"),
        (["encod"], "invalid choice: 'encod'"),
        (["encode", "x.png"], "the following arguments are required: --spec"),
        (["encode", "x.png", "--spec", "coco_rel"], "did you mean 'coco_rle'?"),
        (["encode", "x.png", "--spec", "coco_rle:alphabet=x"], "is not one of safe, coco"),
        (["encode", "x.png", "--spec", "coco_rle"], "x.png: no such file"),
        (["encode", ".", "--spec", "coco_rle", "--image-dir", "no"], "'--image-dir': is no folder"),
        (["encode", "x.png", "--spec", "coco_rle", "--jobs", "0"], "is no number of processes"),
        (["decode", "x.jsonl", "-o", "d"], "x.jsonl: no such file"),
        (["decode", "x.txt", "-o", "d"], "plain text needs --spec"),
        (["decode", "x.txt", "-o", "d", "--spec", "coco_rle"], "plain text needs --size HxW"),
        (["decode", "x", "-o", "d", "--size", "9"], "'9' is no size, expected HEIGHTxWIDTH"),
        (["decode", "x", "-o", "d", "--size", "0x9"], "each side must be 1 to 65,536"),
        (["decode", "x", "-o", "d", "--device", "nowhere:1"], "device nowhere:1: torch says"),
        (["inspect", "some text"], "a text needs --spec"),
        (["inspect", "answer.txt", "--spec", "coco_rle"], "answer.txt: no such file"),
        (["transcode", "x.jsonl", "--to", "coco_rle"], "x.jsonl: no such file"),
        (["transcode", "x.txt", "--to", "coco_rle"], "plain text needs --from, e.g. --from text4"),
        (["list", "text5seg"], "did you mean 'text4seg'?"),
        (["encode", "", "--spec", "coco_rle"], "argument 2 is empty"),
        (["encode", "--spec", "coco_rle", "x.png", ""], "argument 5 is empty"),
        (["decode", "x.jsonl", "-o", ""], "argument 4 of --output is empty"),
        (["decode", "x.jsonl", "--output="], "argument 3 of --output is empty"),
    ],
)
def test_errors_are_one_line_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if "nowhere:1" in arguments:
        pytest.importorskip("torch")
    result = run(*arguments)
    assert result.status == 2
    assert message in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_broken_build_is_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: Any) -> int:
        raise ModuleNotFoundError("No module", name="maskcodec._ext.pool")

    monkeypatch.setattr(list_codecs, "run", fail)
    with pytest.raises(ModuleNotFoundError):
        run("list")


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, "interrupted; what was written is kept"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (MemoryError(), 2, "out of memory"),
        (ModuleNotFoundError("x", name="PIL"), 2, "needs the Python module PIL, which is not"),
    ],
)
def test_what_can_always_happen(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, message: str
) -> None:
    def fail(arguments: Any) -> int:
        raise error

    monkeypatch.setattr(list_codecs, "run", fail)
    result = run("list")
    assert (result.status, result.out) == (status, "")
    assert result.err.startswith("maskcodec list: ")
    assert message in result.err


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(list_codecs, "run", fail)
    with pytest.raises(ZeroDivisionError):
        run("list")


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    for number in range(300):
        save(tmp_path / f"{number}.png", DOG)
    process = subprocess.Popen(
        [*PYTHON, "encode", str(tmp_path), "--spec", "coco_rle"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == cli.BROKEN_PIPE
    process.stderr.close()


@pytest.mark.parametrize(
    ("closed", "verb"), [(">&-", "list"), ("<&-", "inspect - --spec boxgrid"), ("2>&-", "list")]
)
def test_streams_that_the_caller_closed(closed: str, verb: str) -> None:
    command = f"exec {shlex.join(PYTHON)} {verb} {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_while_the_verbs_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "make_parser", stop)
    result = run("list")
    assert (result.status, result.err) == (130, "maskcodec: interrupted; nothing was begun\n")


def stop() -> None:
    raise KeyboardInterrupt


def test_a_terminal_that_lacks_a_character() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(
        [*PYTHON, "inspect", "café 4x4 `", "--spec", "coco_rle:alphabet=coco"],
        capture_output=True,
        env=environment,
    )
    assert result.returncode == 0
    assert rb"caf\xe9" in result.stdout


def test_text_can_not_drive_a_terminal() -> None:
    assert printable("a\x1b[2Jb\n\u202ec\ud800é犬") == r"a\x1b[2Jb\n\u202ec\ud800é犬"
    result = run("inspect", "\x1b[2J 4x4 0@", "--spec", "coco_rle")
    assert "\x1b" not in result.out + result.err

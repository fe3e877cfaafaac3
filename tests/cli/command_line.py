"""Runs the command line in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from reading import disc, rle_fields, write_jsonl

from maskcodec import Mask
from maskcodec.cli import main


class Result(NamedTuple):
    """What a command did: its status, and what it printed."""

    status: int
    out: str
    err: str


def run(*arguments: str | Path, stdin: str | bytes = b"") -> Result:
    """Run `maskcodec ARGUMENTS` with `stdin`."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(data))),
    ):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:  # argparse ends so
            status = end.code if isinstance(end.code, int) else 1
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    return Result(status, out.buffer.getvalue().decode("utf-8"), err.getvalue())


def many_objects(path: Path, images: int) -> Path:
    """A JSONL of run lengths with two objects in each of `images` images."""
    records = []
    for image in range(images):
        for number, label in enumerate(("dog", "cat")):
            mask = Mask(disc((40, 60), (10 + image % 20, 15 + 30 * number), 5 + number), label)
            records.append(rle_fields(mask, f"{image:04}.jpg", f"{image}-{number}"))
    return write_jsonl(path, records)

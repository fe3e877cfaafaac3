"""One program at a time in a folder, and none beside what a killed one left running there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from maskcodec import MaskCodecError

try:
    import fcntl
except ModuleNotFoundError:  # Windows, which can't hand a lock on
    fcntl = None  # type: ignore[assignment]

LOCK = ".lock"


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[int]:
    """Keep others out of a folder.

    Yields:
        a file descriptor. Whichever process has it open holds the folder, so that one to which it
        was passed keeps others out even after this process was killed.

    Raises:
        MaskCodecError: another process holds it.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if fcntl is not None:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MaskCodecError(
                    f"{folder} is in use, by another run or by a training that a killed run left: "
                    "wait for its end, or end it"
                ) from None
        yield descriptor
    finally:
        os.close(descriptor)

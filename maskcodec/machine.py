"""What a report says about where and how it was made."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PACKAGES = ("maskcodec", "numpy", "pillow", "scikit-image", "tokenizers", "bpe-openai", "torch")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, system and Python."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    """The processor's name; Linux says it in /proc alone."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def describe_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """The versions of those packages that are installed."""
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def command_line(program: str, argv: Sequence[str] | None = None) -> str:
    """The command that started a program, as a shell takes it.

    Args:
        program: e.g. `"python -m maskcodec.benchmarks.kernels"`.
        argv: its arguments; None takes this process's.
    """
    arguments = sys.argv[1:] if argv is None else argv
    return shlex.join([*program.split(), *map(str, arguments)])

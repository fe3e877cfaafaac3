"""`maskcodec train` with a clock that stands still in evaluations.

    python -m maskcodec.benchmarks.learn_train --model tiny --data train.jsonl --minutes 5 -o run

`bench learn --minutes` trains with it: evaluations take longer for some codecs, and every codec
shall have the same time to learn. `maskcodec train --minutes` itself ends when the time is up,
whatever it went into.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Train; returns the exit status of `maskcodec train`."""
    program = importlib.import_module("maskcodec.training.lora")
    status: int = program.main(argv, counts_evaluations=False)
    return status


if __name__ == "__main__":
    sys.exit(main())

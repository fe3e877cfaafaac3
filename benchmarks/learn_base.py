"""The base of `bench learn`'s default run: `tiny`, neutral to the tokens that it never printed.

    python -m maskcodec.benchmarks.learn_base base

`tiny` was taught words of scenes and numbers to 100, and nothing else: it has learnt that no other
token of its vocabulary ever comes next. A model that was trained on text has no such aversion, and
codecs of plain text need those tokens. So their rows are drawn anew, with the mean and the spread
of the rows that it was taught. No weight is trained, and every codec starts from the same base.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from maskcodec import MaskCodecError
from maskcodec.commands.terminal import say
from maskcodec.shipped import TINY
from maskcodec.writing import atomic_folder

UNTAUGHT = 2.9
"""Rows of `tiny` that are longer are as they were drawn (2.93 to 3.09); training shrinks others."""


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.benchmarks.learn_base", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("output", type=Path, metavar="DIR")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Write the base as a model's folder; 2 if that is not possible."""
    try:
        write(make_parser().parse_args(argv).output)
    except (MaskCodecError, OSError) as error:
        say("bench learn", str(error))
        return 2
    return 0


def write(output: Path) -> int:
    """Write the base; how many rows were drawn anew comes back."""
    import torch

    from maskcodec import hf

    model, processor = hf.load_model(TINY)
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        untaught = table.norm(dim=1) > UNTAUGHT
        taught = table[~untaught]
        noise = torch.randn(
            (int(untaught.sum()), table.shape[1]), generator=torch.Generator().manual_seed(0)
        )
        table[untaught] = taught.mean(0) + taught.std(0) * noise
    with atomic_folder(output) as folder:
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return len(noise)


if __name__ == "__main__":
    sys.exit(main())

"""Small files of examples for tests of training: red squares on black."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from maskcodec import Mask, get_codec
from maskcodec.examples import Example, TruthMask, Turn

SIDE = 56


def square(seed: int) -> Mask:
    """A square somewhere."""
    rng = np.random.default_rng(seed)
    left, top = rng.integers(0, SIDE - 24, 2)
    width, height = rng.integers(8, 24, 2)
    array = np.zeros((SIDE, SIDE), np.bool_)
    array[top : top + height, left : left + width] = True
    return Mask(array, "square")


def write_examples(folder: Path, spec: str, count: int = 6, *, turns: int = 1) -> Path:
    """A file of examples beside their images; its path comes back."""
    folder.mkdir(parents=True, exist_ok=True)
    codec = get_codec(spec)
    lines = []
    for number in range(count):
        mask = square(number)
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[mask.array] = (255, 40, 40)
        name = f"{number}.png"
        Image.fromarray(pixels).save(folder / name)
        text = codec.encode([mask], mask.size)
        asked = [
            Turn("Segment the red square.", text, (TruthMask.of(mask),)),
            Turn("Segment the dog.", codec.encode([], mask.size), ()),
        ]
        example = Example(
            str(number), (name,), mask.size, codec.spec, "referring", tuple(asked[:turns])
        )
        lines.append(example.to_line())
    path = folder / "train.jsonl"
    path.write_bytes(b"".join(lines))
    return path

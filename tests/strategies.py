"""Hypothesis strategies: masks of every shape that breaks things, labels, and damaged texts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from maskcodec import Mask

LABELS = ("dog", "white horse", "tv", "naïve café", "犬", "a", "person 2")
KINDS = ("empty", "full", "noise", "checkerboard", "rectangle", "ellipses", "line", "dot")


def sizes(largest: int = 70) -> st.SearchStrategy[tuple[int, int]]:
    """(height, width), thin and tiny ones included."""
    side = st.integers(1, largest)
    return st.tuples(side, side)


def draw_array(kind: str, size: tuple[int, int], seed: int) -> npt.NDArray[np.bool_]:
    """A bool array of a kind, the same for the same seed."""
    height, width = size
    random = np.random.default_rng(seed)
    array = np.zeros(size, dtype=np.bool_)
    y, x = np.mgrid[:height, :width]
    if kind == "full":
        array[:] = True
    elif kind == "noise":
        array = random.random(size) < random.random()
    elif kind == "checkerboard":
        array = (y + x) % 2 == 0
    elif kind == "rectangle":
        rows = np.sort(random.integers(0, height + 1, 2))
        columns = np.sort(random.integers(0, width + 1, 2))
        array[rows[0] : rows[1], columns[0] : columns[1]] = True
    elif kind == "ellipses":
        for _ in range(random.integers(1, 4)):
            cy, cx = random.random(2) * size
            ry, rx = 0.5 + random.random(2) * (height / 2, width / 2)
            array ^= ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 <= 1
    elif kind == "line":
        array[np.arange(height), np.arange(height) * (width - 1) // max(1, height - 1)] = True
    elif kind == "dot":
        array[random.integers(height), random.integers(width)] = True
    return array


@st.composite
def arrays(draw: st.DrawFn, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """A bool array of `size`."""
    return draw_array(draw(st.sampled_from(KINDS)), size, draw(st.integers(0, 2**32 - 1)))


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """(x0, y0, x1, y1) within an image of `size`, half-open, empty ones included."""
    y0, y1 = sorted(draw(st.integers(0, size[0])) for _ in range(2))
    x0, x1 = sorted(draw(st.integers(0, size[1])) for _ in range(2))
    return x0, y0, x1, y1


@st.composite
def mask_lists(
    draw: st.DrawFn, largest: int = 70, most: int = 3
) -> tuple[list[Mask], tuple[int, int]]:
    """Masks of one image with distinct labels, and the image's size."""
    size = draw(sizes(largest))
    labels = draw(st.lists(st.sampled_from(LABELS), unique=True, max_size=most))
    return [Mask(draw(arrays(size)), label) for label in labels], size


@st.composite
def damaged(draw: st.DrawFn, text: str) -> str:
    """`text` with a few characters dropped, doubled, swapped or replaced, or its end cut off."""
    characters = list(text)
    for _ in range(draw(st.integers(1, 4))):
        if not characters:
            break
        place = draw(st.integers(0, len(characters) - 1))
        action = draw(st.sampled_from(("drop", "double", "replace", "insert", "cut", "move")))
        other = draw(st.sampled_from("0159 \n*|,;:.-xabzAZ<>/[]{}\"'\\%é犬\x00"))
        if action == "drop":
            del characters[place]
        elif action == "double":
            characters[place:place] = characters[max(0, place - 8) : place]
        elif action == "replace":
            characters[place] = other
        elif action == "insert":
            characters.insert(place, other)
        elif action == "cut":
            del characters[place:]
        else:
            characters.append(characters.pop(place))
    return "".join(characters)

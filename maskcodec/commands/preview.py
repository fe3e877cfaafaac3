"""A mask drawn in characters, two rows of cells a line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

HALF_BLOCKS = " ▀▄█"
"""By the two cells of a character: none, the upper, the lower, both."""

ASCII = ' "_#'


def draw(
    mask: npt.NDArray[np.bool_], columns: int, lines: int, *, ascii_only: bool = False
) -> list[str]:
    """Draw a mask in a frame; each character is one cell wide and two cells tall.

    A cell is drawn if half its pixels are set; where that would leave nothing of a mask that has
    pixels, if one is.

    Args:
        mask: bool, (height, width).
        columns: the width to fit, without the frame; a mask of fewer pixels keeps its own size.
        lines: the height to fit, without the frame.
        ascii_only: for terminals without block characters.
    """
    height, width = mask.shape
    scale = max(1.0, width / columns, height / (2 * lines))
    across, down = max(1, int(width / scale)), max(1, int(height / scale))
    cells = _pool(mask, down, across)
    shown = cells >= 0.5
    if not shown.any():
        shown = cells > 0
    if down % 2:
        shown = np.vstack([shown, np.zeros((1, across), dtype=np.bool_)])
    code = shown[0::2] + 2 * shown[1::2]
    alphabet = ASCII if ascii_only else HALF_BLOCKS
    side, line = ("|", "-") if ascii_only else ("│", "─")
    top, bottom = ("++", "++") if ascii_only else ("┌┐", "└┘")
    rows = ["".join(alphabet[cell] for cell in row) for row in code]
    return [
        top[0] + line * across + top[1],
        *(f"{side}{row}{side}" for row in rows),
        bottom[0] + line * across + bottom[1],
    ]


def _pool(mask: npt.NDArray[np.bool_], down: int, across: int) -> npt.NDArray[np.float64]:
    """The share of set pixels in each of `down` x `across` cells."""
    rows = np.arange(down) * mask.shape[0] // down
    columns = np.arange(across) * mask.shape[1] // across
    sums = np.add.reduceat(mask, rows, axis=0, dtype=np.int64)
    sums = np.add.reduceat(sums, columns, axis=1)
    tall = np.diff(rows, append=mask.shape[0])
    wide = np.diff(columns, append=mask.shape[1])
    share: npt.NDArray[np.float64] = sums / (tall[:, None] * wide[None, :])
    return share

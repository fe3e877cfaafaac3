"""One picture of many: rows of examples, a column for each codec, with headings and captions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .overlay import Rgb

CELL = 240
"""Width and greatest height of a cell's picture, in pixels."""

_GAP = 8
_LINE = 18
_BACK, _TEXT, _DIM = (255, 255, 255), (26, 31, 36), (87, 96, 106)


def draw_grid(
    headings: Sequence[str], rows: Sequence[tuple[str, Sequence[tuple[Rgb, str]]]]
) -> Rgb:
    """Draw a grid of pictures.

    Args:
        headings: above each column.
        rows: the row's title, and for each column a picture (see `maskcodec.overlay.fit` to make it
            small enough) with the caption below it.

    Returns:
        uint8, (height, width, 3), RGB, black on white.
    """
    from PIL import Image, ImageDraw, ImageFont

    font, small = ImageFont.load_default(14), ImageFont.load_default(12)
    tops = [_GAP + 2 * _LINE + _GAP]
    for _, cells in rows:
        highest = max((picture.shape[0] for picture, _ in cells), default=0)
        tops.append(tops[-1] + highest + 2 * _LINE + 2 * _GAP)
    width = _GAP + len(headings) * (CELL + _GAP)
    sheet = Image.new("RGB", (width, tops[-1]), _BACK)
    drawing = ImageDraw.Draw(sheet)

    def write(
        x: int, y: int, text: str, colour: tuple[int, int, int], bold: bool, room: int = CELL
    ) -> None:
        chosen = font if bold else small
        while text and drawing.textlength(text, font=chosen) > room:
            text = text[:-2] + "…"
        drawing.text((x, y), text, fill=colour, font=chosen)

    for column, heading in enumerate(headings):
        write(_GAP + column * (CELL + _GAP), _GAP, heading, _TEXT, True)
    for top, (title, cells) in zip(tops, rows, strict=False):
        write(_GAP, top - _LINE, title, _DIM, False, width - 2 * _GAP)
        for column, (picture, caption) in enumerate(cells):
            x = _GAP + column * (CELL + _GAP)
            sheet.paste(Image.fromarray(picture), (x, top))
            write(x, top + picture.shape[0] + 3, caption, _DIM, False)
    return np.array(sheet)

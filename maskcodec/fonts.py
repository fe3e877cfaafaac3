"""A font that has a label's letters: Pillow's own, or one that the machine has."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from PIL import ImageFont

    Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

SYSTEM = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "Arial Unicode.ttf",
    "Arial.ttf",
    "PingFang.ttc",
    "AppleSDGothicNeo.ttc",
    "arial.ttf",
    "msyh.ttc",
    "meiryo.ttc",
    "malgun.ttf",
    "seguiemj.ttf",
)
"""Files to look for where systems keep their fonts; the first that has all letters is taken."""

_NOWHERE = "\U0010ffff"  # no character, so that it is drawn as whatever a font lacks


def font_for(text: str, size: int) -> Font:
    """Pillow's font where it has all of a text's letters, else the font that lacks fewest of them.

    Args:
        text: of any script; right-to-left and joined ones are as well drawn as Pillow can here.
        size: in pixels.
    """
    from PIL import ImageFont

    own: Font = ImageFont.load_default(size)
    lacking = count_lacking(own, text)
    best = own
    for name in SYSTEM:
        if not lacking:
            break
        found = _load(name, size)
        missing = lacking if found is None else count_lacking(found, text)
        if found is not None and missing < lacking:
            best, lacking = found, missing
    return best


def count_lacking(font: Font, text: str) -> int:
    """How many characters of a text a font has no picture of."""
    nothing = _picture(font, _NOWHERE)
    return sum(_picture(font, one) == nothing for one in text if not one.isspace())


def _picture(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


@lru_cache(maxsize=64)
def _load(name: str, size: int) -> Font | None:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None

"""Labels of `text4seg`: how one is spelt, and what a spelling means."""

from __future__ import annotations

import re
from functools import lru_cache

from ..errors import EncodeError
from ..labels import check_label, escape_label, unescape_label

NAME = "text4seg"

FORBIDDEN = ("*", "|", "<seg>", "</seg>")

_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@lru_cache(maxsize=4096)
def spell_label(label: str, background: str, escape: bool) -> str:
    """The text of a label other than the background.

    Raises:
        EncodeError: the format can't hold the label; the message says why and what to do.
    """
    if not escape:
        hint = "rename it, or use escape=true, which spells such characters as %HEX;"
        check_label(label, NAME, FORBIDDEN, hint=hint)
        if _is(label, background):
            raise EncodeError(
                f"{NAME}: label {label!r} is the name of the background; "
                "rename it, choose another background=..., or use escape=true"
            )
        return label
    if not label:
        raise EncodeError(f"{NAME}: label {label!r} is empty; name the object")
    spelt = escape_label(label, FORBIDDEN)
    if _is(spelt, background):
        return f"%{ord(spelt[0]):02X};{spelt[1:]}"
    return spelt


@lru_cache(maxsize=4096)
def read_label(piece: bytes, background: str, escape: bool) -> tuple[str | None, str]:
    """What a piece of text means, and what should stand there instead ("" where nothing should).

    The meaning is None for the background in other letter case or with outer white space, and for
    nothing but control characters; they become spaces.
    """
    spelt = piece.decode("utf-8", "surrogatepass")
    if spelt == background:
        return background, ""
    if _is(spelt, background):
        return None, f"the background, {background!r}, in its own letters"
    if escape:
        label = unescape_label(spelt)
        proper = spell_label(label, background, True) == spelt
        return label, "" if proper else "a label with its characters escaped as the format does"
    try:
        return spell_label(spelt, background, False), ""
    except EncodeError:
        label = " ".join(_UNFIT.sub(" ", spelt).split())
        wanted = "a label without control characters or outer white space"
        return None if not label or _is(label, background) else label, wanted


def _is(label: str, background: str) -> bool:
    return label.strip().casefold() == background.casefold()

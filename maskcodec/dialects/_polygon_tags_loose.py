"""Patterns of numbered tags under repair: whole ones, and those with one character gone wrong.

A tag that is missed costs more than its own vertex: x and y of all that follow change places, and
what is left of it looks like a label. So a tag that has a character too many, too few or another
one is found too: as the number that it says, or as one that is lost.

No quantifier here is nested or open: a search takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPACE = r"\s{0,2}"
_NUMBER = rf"{_SPACE}[0-9]{{1,9}}{_SPACE}"
_STRAY = r"[!-/:;=?-~]"  # one character that is no digit and no bracket
_NO_START = rf"(?:(?<=>)\s?{_STRAY}?)?"  # `<` is missing, or another character stands for it
_NO_STOP = rf"(?:{_STRAY}(?=\s?<))?"  # so is `>`


def tag_pattern(tag: str, separator: str, shape: Sequence[str]) -> re.Pattern[str]:
    """Finds tags under repair.

    Args:
        tag: what stands before a number.
        separator: the tag between rings.
        shape: the tags before and after an object's rings, if there are any.

    Returns:
        A pattern with the groups "number" (digits), "lost" (a number that can't be read), "ring" (a
        separator), "end" (the end of an object) and "begin" (its beginning, which may be its end).
    """
    ring = [rf"<{_SPACE}/?{_SPACE}(?:m_)?sep{_SPACE}>", _damaged(separator)]
    end = rf"<(?:{_SPACE}/{_SPACE}(?:m_st|m_ed|poly)|{_SPACE}m_ed){_SPACE}>"
    begin = [rf"<{_SPACE}(?:m_st|poly){_SPACE}>", *map(_damaged, shape)]
    return re.compile(
        f"(?P<ring>{'|'.join(ring)})|(?P<end>{end})|(?P<begin>{'|'.join(begin)})"
        f"|(?P<lost>{_lost(tag)})|{_numbered(tag)}",
        re.IGNORECASE | re.DOTALL,
    )


def half_pattern(tags: Sequence[str]) -> re.Pattern[str]:
    """Finds what is left of tags: closed ones of any name, beginnings of these, ends of numbers."""
    starts = {re.escape(tag[:length]) for tag in tags for length in range(2, len(tag) + 1)}
    longest_first = "|".join(sorted(starts, key=len, reverse=True))
    begun = rf"(?:{longest_first})[0-9]{{0,9}}(?![A-Za-z0-9])"
    return re.compile(rf"</?[A-Za-z0-9_]{{0,12}}>|{begun}|\A[0-9]{{1,9}}>")


def _near(word: str) -> str:
    """A word in which one character is missing, or one or two stand in its place."""
    return "|".join(
        f"{re.escape(word[:place])}.{{0,2}}{re.escape(word[place + 1 :])}"
        for place in range(len(word))
    )


def _damaged(tag: str) -> str:
    """A tag without a number that has one fault."""
    name = re.escape(tag[1:-1])
    no_stop = rf"<{name}(?![A-Za-z0-9_]{{0,12}}>){_NO_STOP}"
    return f"<(?:{_near(tag[1:-1])})>|{no_stop}|{_NO_START}{name}>"


def _lost(tag: str) -> str:
    """A tag that has no digits, or something between them, which may be a bracket."""
    split = r"[0-9]{0,4}[<>][0-9]{1,4}>"
    closed = rf"(?!{_NUMBER}>)[^<>\n]{{0,8}}>"
    return rf"{re.escape(tag)}(?:{split}|{closed}|(?=\s?<))"


def _numbered(tag: str) -> str:
    """A number whose tag is whole, or has one fault; its last character is `_`."""
    name, head = re.escape(tag[1:]), tag[1:-1]
    # Before the digits may stand what is no digit; after `_` it may have taken the place of one.
    start = f"<(?:{name}|(?:{_near(head)})_|{re.escape(head)}[^0-9_]?_?)"
    bare = f"{_NO_START}{name}(?={_NUMBER}>)"
    # A number that ends with the text may have lost digits.
    stop = rf"(?:>|(?![0-9]|{_SPACE}\Z){_NO_STOP})"
    return f"(?:{start}|{bare}){_SPACE}(?P<number>[0-9]{{1,9}}){_SPACE}{stop}"

"""What formats of one object a line share: `LABEL: SHAPE`, `LABEL: none`, and `none` alone."""

from __future__ import annotations

from ..decoded import RepairLog
from ..errors import EncodeError
from ..labels import check_label, plain_label

NONE = "none"
"""Stands for no pixels after a label, and for no object where it is the whole text."""

FORBIDDEN = (": ",)
"""What a label may not hold: it ends at the first of these."""

_LONGEST_LABEL = 1_000  # characters of a label that is not read exactly
_AROUND = " :,;-*#`\"'([{<=|"


def is_label(label: str, codec: str) -> bool:
    """Whether `label` can stand in a line of that codec."""
    try:
        check_label(label, codec, FORBIDDEN)
    except EncodeError:
        return False
    return True


def clean_label(label: str) -> str:
    """A label without a sentence before it, and without what surrounds it in lists or markdown."""
    label = plain_label(label[-_LONGEST_LABEL:]).strip(_AROUND)
    return label.rpartition(": ")[2].strip(_AROUND)


def label_of_none(line: str) -> str:
    """The label of a line that says loosely that there are no pixels: `- Dog - none.`, say.

    Empty where the line has no label, or says something else.
    """
    tail = line[-80:]
    ending = tail.rstrip(" \t\r.!\"'`*")
    if ending[-len(NONE) :].casefold() != NONE:
        return ""
    return clean_label(line[: len(line) - len(tail) + len(ending) - len(NONE)])


def note_blank_lines(log: RepairLog) -> None:
    """Report the first empty line of the text, if there is one.

    Raises:
        DecodeError: there is one, and the log is strict.
    """
    blank = 0 if log.text[:1] in ("", "\n") else log.text.find("\n\n")
    if blank < 0 and log.text.endswith("\n"):
        blank = len(log.text) - 1
    if blank >= 0:
        log.note("blank-line", blank, f"objects or {NONE!r}", "an empty line", "skips it")

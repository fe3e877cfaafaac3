"""What a label may hold inside a text format, and how to carry what it may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from .errors import EncodeError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ESCAPE = re.compile(r"%([0-9A-F]{2,6});")


def check_label(label: str, codec: str, forbidden: tuple[str, ...] = (), *, hint: str = "") -> None:
    """Refuse a label that a format could not give back as it is.

    Args:
        label: the label of a mask.
        codec: the codec's name, for the message.
        forbidden: pieces of text that the format needs for itself.
        hint: what the user can do, e.g. an option that escapes the label.

    Raises:
        EncodeError: the label is empty, begins or ends with white space, holds a control character,
            a line break or a lone surrogate, or one of `forbidden`.
    """
    reason = ""
    if not label.strip():
        reason = "is empty"
    elif label != label.strip():
        reason = "begins or ends with white space"
    elif control := _CONTROL.search(label):
        reason = f"holds the control character {control.group()!r}"
    else:
        for piece in forbidden:
            if piece in label:
                reason = f"holds {piece!r}, which the format needs for itself"
                break
    if reason:
        raise EncodeError(f"{codec}: label {label!r} {reason}; {hint or 'rename it'}")


def plain_label(text: str) -> str:
    """A piece of a damaged text as a label that can be written again: control characters and halves
    of surrogate pairs become blanks, and white space one blank.
    """
    return " ".join(_CONTROL.sub(" ", text).split())


def list_labels(labels: Iterable[str] | None, codec: str) -> tuple[str, ...] | None:
    """The labels that a grammar is to list; None, which leaves them free, stays None.

    Raises:
        EncodeError: one string, which is a list of letters to Python, or what is no string.
    """
    if labels is None:
        return None
    if isinstance(labels, str):
        raise EncodeError(
            f"{codec}: labels is the string {labels!r}, expected a list of labels: [{labels!r}]"
        )
    found = tuple(labels)
    for index, label in enumerate(found):
        if not isinstance(label, str):
            raise EncodeError(f"{codec}: labels[{index}] is {label!r}, expected a string")
    return found


def composed_label(label: str) -> str:
    """A label with each mark composed with its letter (NFC), as many tokenizers write any text.

    Names of files on macOS have them apart: such a label does not come back from a model as it was.

    >>> len("cafe\u0301"), len(composed_label("cafe\u0301"))
    (5, 4)
    """
    return unicodedata.normalize("NFC", label)


def escape_label(label: str, forbidden: tuple[str, ...]) -> str:
    """Replace each character that `forbidden` or a line forbids by `%HEX;`, and `%` itself too.

    >>> escape_label("a|b 100%", ("|",))
    'a%7C;b 100%25;'
    """
    pieces = re.compile("|".join(map(re.escape, ("%", *forbidden))))
    escaped = pieces.sub(lambda found: "".join(map(_hex, found.group())), label)
    escaped = _CONTROL.sub(lambda found: _hex(found.group()), escaped)
    stripped = escaped.strip()
    start = len(escaped) - len(escaped.lstrip())
    head = "".join(map(_hex, escaped[:start]))
    tail = "".join(map(_hex, escaped[start + len(stripped) :]))
    return head + stripped + tail


def unescape_label(text: str) -> str:
    """Undo `escape_label`; what is no valid escape stays as it stands."""
    return _ESCAPE.sub(_character, text)


def _hex(character: str) -> str:
    return f"%{ord(character):02X};"


def _character(found: re.Match[str]) -> str:
    code = int(found.group(1), 16)
    return chr(code) if code <= 0x10FFFF else found.group()

"""File names for ids and labels that anyone may have written."""

from __future__ import annotations

import unicodedata

LONGEST = 80
"""Bytes of a name in UTF-8: with a number and a suffix it stays under every file system's 255."""

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)


def safe_name(text: str) -> str:
    """`text` as one part of a path: no separators, no dots in front, no device names.

    >>> safe_name("../../etc/passwd"), safe_name("white horse"), safe_name("")
    ('etc_passwd', 'white_horse', 'unnamed')
    """
    normal = unicodedata.normalize("NFC", text[: 4 * LONGEST])
    kept = "".join(c if c.isalnum() or c in "-_." else "_" for c in normal)
    kept = kept.encode("utf-8", "ignore")[:LONGEST].decode("utf-8", "ignore")
    kept = kept.strip("._- ") or "unnamed"
    return f"_{kept}" if kept.split(".")[0].lower() in _RESERVED else kept


class Names:
    """Gives each id a file name that no other id of the same folder has, whatever its case."""

    def __init__(self, reserved: tuple[str, ...] = ()) -> None:
        self._taken = {_fold(name) for name in reserved}
        self._next: dict[str, int] = {}

    def take(self, text: str) -> str:
        """A new name like `safe_name(text)`, with `-2`, `-3`, ... where that is taken."""
        name = base = safe_name(text)
        number = self._next.get(_fold(base), 1)
        while _fold(name) in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._next[_fold(base)] = number
        self._taken.add(_fold(name))
        return name


def _fold(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()

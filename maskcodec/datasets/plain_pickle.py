"""Reading pickles of plain data: None, booleans, numbers, strings, lists, tuples and dicts.

A pickle is a program for a machine that can call any function. RefCOCO's `refs(unc).p` needs none
of that, so this reader is a machine without those instructions: what would name a class or a
function is refused, not looked up. What is built is bounded by the length of the file: no number
in it makes an allocation, a value that is used many times may not stand for more than the file is
long (times `EXPANSION`), and nothing is nested deeper than `MAX_DEPTH`.

Opcodes are those of Python's `pickletools`; strings of Python 2 are taken as Latin-1.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..records import check_file

MAX_BYTES = 2**30
MAX_DEPTH = 32
EXPANSION = 8

_MARK = object()
_CALLS = {
    b"c": "GLOBAL",
    b"\x93": "STACK_GLOBAL",
    b"R": "REDUCE",
    b"b": "BUILD",
    b"i": "INST",
    b"o": "OBJ",
    b"\x81": "NEWOBJ",
    b"\x92": "NEWOBJ_EX",
    b"\x82": "EXT1",
    b"\x83": "EXT2",
    b"\x84": "EXT4",
    b"\x8f": "EMPTY_SET",
    b"\x91": "FROZENSET",
    b"\x96": "BYTEARRAY8",
    b"\x97": "NEXT_BUFFER",
    b"P": "PERSID",
    b"Q": "BINPERSID",
}


class _RefusedError(Exception):
    """The pickle does what plain data don't do."""


def load(path: str | Path) -> Any:
    """Read a pickle of plain data.

    Raises:
        RecordError: no such file, too large, damaged, or it would build or call anything else.
    """
    file = str(path)
    try:
        with check_file(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecordError(f"can't be read: {error}", file=file) from None
    if len(data) > MAX_BYTES:
        raise RecordError(f"is larger than {MAX_BYTES:,} bytes", file=file)
    if not data:
        raise RecordError("is empty, expected a pickle", file=file)
    return loads(data, file)


def loads(data: bytes, file: str = "") -> Any:
    """Read a pickle of plain data from memory; see `load`."""
    machine = _Machine(data)
    try:
        value = machine.run()
        _check_extent(value, EXPANSION * len(data) + 64)
    except _RefusedError as error:
        raise RecordError(f"{error}; nothing of it was run", file=file) from None
    except (struct.error, IndexError, KeyError, TypeError, ValueError, SyntaxError, MemoryError):
        raise RecordError(
            f"is a damaged pickle (at byte {machine.start} of {len(data)})", file=file
        ) from None
    return value


class _Machine:
    """Runs the instructions that build plain data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.start = 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        while True:
            self.start = self.at
            code = self.take(1)
            if code == b".":
                if len(self.stack) != 1:
                    raise ValueError
                return self._pop()
            action = _ACTIONS.get(code)
            if action is None:
                if name := _CALLS.get(code):
                    raise _RefusedError(
                        f"is no plain data: byte {self.start} ({name}) would make a Python "
                        f"object{self._named(code)}"
                    )
                raise ValueError
            action(self)

    def _named(self, code: bytes) -> str:
        if code not in b"ci":
            return ""
        words = (self.line()[:60].decode("ascii", "replace") for _ in range(2))
        return f" of {'.'.join(words)}"

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count < 0 or self.at + count > len(self.data):
            raise IndexError
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, form: str) -> Any:
        """The next number, by `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        """What stands up to the next newline."""
        end = self.data.index(b"\n", self.at)
        found = self.data[self.at : end]
        self.at = end + 1
        return found

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def _pop(self) -> Any:
        value = self.stack.pop()
        if value is _MARK:
            raise ValueError
        return value

    def marked(self) -> list[Any]:
        """What stands above the last mark, which goes too."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise IndexError
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def drop(self) -> None:
        self.stack.pop()

    def put(self, place: int) -> None:
        if self.stack[-1] is _MARK:
            raise ValueError
        self.memo[place] = self.stack[-1]

    def get(self, place: int) -> None:
        self.push(self.memo[place])

    def text(self, form: str, encoding: str, errors: str = "strict") -> None:
        self.push(self.take(self.number(form)).decode(encoding, errors))

    def octets(self, form: str) -> None:
        self.push(self.take(self.number(form)))

    def decimal(self) -> None:
        digits = self.line()
        if digits in (b"00", b"01"):  # how protocol 0 spells False and True
            self.push(digits == b"01")
            return
        digits = digits.removesuffix(b"L")
        value = int(digits) if len(digits) <= 20 else None
        self._whole(value if value is not None and -(2**63) <= value < 2**64 else None)

    def long(self, form: str) -> None:
        octets = self.take(self.number(form))
        self._whole(int.from_bytes(octets, "little", signed=True) if len(octets) <= 8 else None)

    def _whole(self, value: int | None) -> None:
        if value is None:
            raise _RefusedError(f"holds a number of more than 64 bits (byte {self.start})")
        self.push(value)

    def quoted(self) -> None:
        """A string as Python 2 wrote it, in quotes with escapes."""
        line = self.line().strip()
        if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
            raise ValueError
        value = ast.literal_eval("b" + line.decode("latin-1"))
        if not isinstance(value, bytes):
            raise ValueError
        self.push(value.decode("latin-1"))

    def tuple_of(self, count: int) -> None:
        items = [self._pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def dict_of(self, items: list[Any]) -> None:
        found: dict[Any, Any] = {}
        self._set(found, items)
        self.push(found)

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise TypeError
        self._set(target, items)

    def _set(self, target: dict[Any, Any], items: list[Any]) -> None:
        if len(items) % 2:
            raise ValueError
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | float | None):
                raise TypeError  # a tuple of tuples ... may take for ever to hash
            target[key] = value

    def pair(self) -> list[Any]:
        value = self._pop()
        return [self._pop(), value]


_ACTIONS: dict[bytes, Callable[[_Machine], Any]] = {
    b"\x80": lambda m: m.take(1),  # the protocol
    b"\x95": lambda m: m.take(8),  # a frame: its length says nothing that is needed
    b"(": lambda m: m.push(_MARK),
    b"0": lambda m: m.drop(),
    b"1": lambda m: m.marked(),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": lambda m: m.decimal(),
    b"L": lambda m: m.decimal(),
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": lambda m: m.long("<B"),
    b"\x8b": lambda m: m.long("<i"),
    b"F": lambda m: m.push(float(m.line())),
    b"G": lambda m: m.push(m.number(">d")),
    b"S": lambda m: m.quoted(),
    b"T": lambda m: m.text("<i", "latin-1"),
    b"U": lambda m: m.text("<B", "latin-1"),
    b"V": lambda m: m.push(m.line().decode("raw-unicode-escape")),
    b"X": lambda m: m.text("<I", "utf-8", "surrogatepass"),
    b"\x8c": lambda m: m.text("<B", "utf-8", "surrogatepass"),
    b"\x8d": lambda m: m.text("<Q", "utf-8", "surrogatepass"),
    b"B": lambda m: m.octets("<I"),
    b"C": lambda m: m.octets("<B"),
    b"\x8e": lambda m: m.octets("<Q"),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.push(m.marked()),
    b"a": lambda m: m.append([m._pop()]),
    b"e": lambda m: m.append(m.marked()),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.marked())),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.dict_of(m.marked()),
    b"s": lambda m: m.set_items(m.pair()),
    b"u": lambda m: m.set_items(m.marked()),
    b"p": lambda m: m.put(int(m.line()[:10])),
    b"q": lambda m: m.put(m.number("<B")),
    b"r": lambda m: m.put(m.number("<I")),
    b"\x94": lambda m: m.put(len(m.memo)),
    b"g": lambda m: m.get(int(m.line()[:10])),
    b"h": lambda m: m.get(m.number("<B")),
    b"j": lambda m: m.get(m.number("<I")),
}


def _check_extent(value: Any, most: int) -> None:
    """Refuse what is nested too deep, holds itself, or says much by naming a thing again and again.

    The extent of a value counts characters and items, those of a shared part each time; it is found
    with one visit of each part.
    """
    extents: dict[int, tuple[int, int]] = {}  # of each container: its extent and depth
    waiting: list[tuple[Any, bool]] = [(value, False)]
    open_: set[int] = set()
    while waiting:
        part, is_left = waiting.pop()
        if not isinstance(part, list | tuple | dict) or id(part) in extents:
            continue
        inner = _inner(part)
        if not is_left:
            if id(part) in open_:
                raise _RefusedError("holds a list or dict that contains itself")
            open_.add(id(part))
            waiting.append((part, True))
            waiting.extend((item, False) for item in inner if isinstance(item, list | tuple | dict))
            continue
        open_.discard(id(part))
        extent, depth = 1, 0
        for item in inner:
            own, below = extents.get(id(item), (_length(item), 0))
            extent += own
            depth = max(depth, below)
        if depth >= MAX_DEPTH:
            raise _RefusedError(f"is nested deeper than {MAX_DEPTH} lists and dicts")
        if extent > most:
            raise _RefusedError("stands for far more data than the file is long")
        extents[id(part)] = extent, depth + 1


def _inner(part: Any) -> list[Any]:
    return [*part.keys(), *part.values()] if isinstance(part, dict) else list(part)


def _length(item: Any) -> int:
    return 1 + (len(item) if isinstance(item, str | bytes) else 0)

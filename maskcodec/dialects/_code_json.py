"""Objects of shape tokens in JSON: a list of `{…, "label": "dog"}`, as SAMTok and Gemini print it.

Strict reading knows one spelling, that of Python's `json.dumps(…, ensure_ascii=False)`. Under
repair no JSON is parsed, since an answer may break off anywhere or loop for ever: keys and tokens
are looked for, and a brace or a key that comes twice begins a new object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..errors import EncodeError
from ..grammar import choice
from ..labels import check_label, plain_label
from ._code_items import is_full
from ._code_tags import LOOSE_TAG, Found, found_tag

LONGEST_LABEL = 1_000
"""Characters of a label that is not read exactly."""

STRING = r'"((?:[^"\\]|\\["\\])*)"'
"""A label as it is written: no escapes but those of the quote and the backslash."""

# A label of the grammar: what `check_label` allows, a quote and a backslash with one before them.
FREE_STRING = (
    'label ::= "\\"" (visible (blank* visible)*)? "\\""',
    r'visible ::= "\\\\" | "\\\""'
    r' | [^\x00-\x20"\\\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]',
    r"blank ::= [ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]",
)

_KEY = r'"(box_2d|label|mask_2d|mask)"\s{0,8}:\s{0,8}'
_PIECE = re.compile(rf"([{{}}])|{_KEY}|{LOOSE_TAG}", re.IGNORECASE)
_LOOSE_STRING = re.compile(rf'"((?:[^"\\]|\\.){{0,{LONGEST_LABEL}}})', re.DOTALL)
_NUMBERS = re.compile(r"[\[(]([^\])}\"]{0,200})")
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?(?![0-9])")


@dataclass(slots=True)
class Fields:
    """One object of the list.

    Attributes:
        start: its place in the text.
        end: the place after the last piece of it that was read.
        numbers: the numbers of its box.
        label: its label, None if there is none.
        tags: the tokens of its mask; not many more than there may be.
        count: how many tokens its mask has.
        keys: its keys.
    """

    start: int
    end: int = 0
    numbers: list[float] = field(default_factory=list)
    label: str | None = None
    tags: list[Found] = field(default_factory=list)
    count: int = 0
    keys: set[str] = field(default_factory=set)


def spell_label(label: str, codec: str) -> str:
    """A label as a JSON string.

    Raises:
        EncodeError: it holds a control character, or white space at an end.
    """
    if label:
        check_label(label, codec)
    return json.dumps(label, ensure_ascii=False)


def label_rules(labels: Sequence[str] | None, codec: str) -> list[str]:
    """The rule `label` of a grammar, with its quotes; `labels=None` leaves it free.

    Raises:
        EncodeError: a label that `spell_label` refuses.
    """
    if labels is None:
        return list(FREE_STRING)
    return [f"label ::= {choice(spell_label(label, codec) for label in labels)}"]


def read_label(spelt: str) -> str | None:
    """The label that a JSON string spells; None for one that `spell_label` doesn't write."""
    label = spelt.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
    try:
        return label if spell_label(label, "") == f'"{spelt}"' else None
    except EncodeError:
        return None


def exact_objects(text: str, pattern: re.Pattern[str]) -> tuple[list[re.Match[str]], int]:
    """The objects of a list to the letter, and the place where the text leaves it.

    Args:
        text: the whole text.
        pattern: one object; its last group is the label within its quotes.

    Returns:
        The objects, and the first character that is none of the list; -1 if all are.
    """
    found: list[re.Match[str]] = []
    if text == "[]":
        return found, -1
    if not text.startswith("["):
        return found, 0
    position = 1
    while len(found) < MAX_OBJECTS:
        match = pattern.match(text, position)
        if match is None or read_label(match[match.re.groups]) is None:
            return found, position
        found.append(match)
        position = match.end()
        if not text.startswith(", ", position):
            break
        position += 2
    return found, -1 if text[position:] == "]" else position


def find_objects(log: RepairLog, most: int) -> Iterator[Fields]:
    """Objects as they can be made out, each with at least a piece of what it should have.

    Args:
        log: holds the text; learns of what stands around the objects.
        most: how many tokens a mask may have.
    """
    text = log.text
    current: Fields | None = None
    count = position = 0
    while match := _PIECE.search(text, position):
        position = match.end()
        brace, key = match[1], match[2]
        name = key.lower().removesuffix("_2d") if key else ""
        tag = None if brace or key else found_tag(match, 2)
        if brace or current is None or _begins(current, name, tag):
            if current is not None and (current.keys or current.count):
                yield current
                count += 1
            if is_full(count, match.start(), log):
                return
            current = None if brace == "}" else Fields(match.start())
        if current is None or brace:
            continue
        if tag is None:
            current.keys.add(name)
            position = _value(current, name, text, position)
        else:
            _add(current, tag, most)
        current.end = position
    if current is not None and (current.keys or current.count):
        yield current


def _begins(fields: Fields, name: str, tag: Found | None) -> bool:
    """Whether a key that comes twice, or a token that stands before codes, begins an object."""
    if tag is None:
        return name in fields.keys
    return fields.count > 0 and tag.kind in ("open", "loc")


def _add(fields: Fields, tag: Found, most: int) -> None:
    if tag.kind == "code":
        fields.count += 1
        if len(fields.tags) <= most:
            fields.tags.append(tag)


def _value(fields: Fields, name: str, text: str, position: int) -> int:
    """Read the value of a key; return the place after it (of a mask: before it)."""
    if name == "label" and (string := _LOOSE_STRING.match(text, position)):
        whole = text.startswith('"', string.end())
        exact = read_label(string[1]) if whole else None
        fields.label = _clean(string[1]) if exact is None else exact
        return string.end()
    if name == "box" and (numbers := _NUMBERS.match(text, position)):
        fields.numbers = [float(number) for number in _NUMBER.findall(numbers[1])]
        return numbers.end()
    return position


def _clean(spelt: str) -> str:
    """A label as something that can be written again."""
    try:
        label = json.loads(f'"{spelt}"', strict=False)
    except ValueError:
        label = spelt.replace("\\", "")
    return plain_label(label)

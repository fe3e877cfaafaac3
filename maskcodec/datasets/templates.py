"""Wordings of questions and answers: data, from a JSON file, of which a seed picks one."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from ..records import Record, brief, parse_json, read_json

FIELDS: dict[str, frozenset[str]] = {
    "referring": frozenset({"expression"}),
    "generalised": frozenset({"expression"}),
    "reasoning": frozenset({"expression"}),
    "semantic": frozenset(),
    "panoptic": frozenset(),
    "grounded": frozenset(),
    "grounded_answers": frozenset({"things"}),
    "grounded_nothing": frozenset(),
    "prompted_box": frozenset({"box"}),
    "prompted_point": frozenset({"point"}),
    "prompted_alike": frozenset({"mask"}),
    "prompted_name": frozenset({"mask"}),
    "prompted_name_answers": frozenset({"thing"}),
}
"""Each list of wordings, and the fields that each of its wordings must name."""

FORMS: dict[str, frozenset[str]] = {
    "box": frozenset({"left", "top", "right", "bottom"}),
    "point": frozenset({"x", "y"}),
    "only": frozenset({"label"}),
    "every": frozenset({"label"}),
    "one": frozenset({"label"}),
    "one_vowel": frozenset({"label"}),
    "many": frozenset({"count", "labels"}),
    "region": frozenset({"label"}),
    "comma": frozenset(),
    "and": frozenset(),
}

_FIELD = re.compile(r"\{([a-z]+)\}")
_ES = ("s", "x", "z", "ch", "sh")


@dataclass(frozen=True)
class Templates:
    """Wordings.

    Attributes:
        wordings: the wordings of each kind, see `FIELDS`.
        forms: how boxes, points and lists of things are spelt, see `FORMS`.
        plurals: the plurals that no rule gives.
    """

    wordings: dict[str, tuple[str, ...]]
    forms: dict[str, str]
    plurals: dict[str, str]

    def pick(self, kind: str, choice: Choice, **fields: str) -> str:
        """One wording of a kind, filled in."""
        return fill(choice.one(self.wordings[kind], kind), **fields)

    def form(self, name: str, **fields: object) -> str:
        """A form, filled in."""
        return fill(self.forms[name], **{key: str(value) for key, value in fields.items()})

    def things(self, label: str, count: int, *, region: bool = False) -> str:
        """`a dog`, `3 dogs`, or for a region `grass`."""
        if region:
            return self.form("region", label=label)
        if count > 1:
            return self.form("many", count=count, labels=self.plural(label))
        vowel = label[:1].lower() in "aeiou"
        return self.form("one_vowel" if vowel else "one", label=label)

    def plural(self, label: str) -> str:
        """The plural of an English noun, of whose words the last one is inflected."""
        for word, plural in self.plurals.items():
            if label == word or label.endswith(f" {word}"):
                return label.removesuffix(word) + plural
        if label.endswith(_ES):
            return f"{label}es"
        if label.endswith("y") and label[-2:-1] not in "aeiou":
            return f"{label[:-1]}ies"
        return f"{label}s"


def fill(wording: str, **fields: str) -> str:
    """Put values where a wording names their fields; braces in the values stay as they are."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), wording)


@dataclass(frozen=True, slots=True)
class Choice:
    """Choices that follow from a seed and a name alone, the same on every machine.

    Attributes:
        key: the seed and the name.
    """

    key: str

    def number(self, purpose: str, below: int) -> int:
        """A whole number from 0, for one purpose."""
        digest = hashlib.sha256(f"{self.key}\n{purpose}".encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8], "big") % below

    def one(self, items: Sequence[Any], purpose: str) -> Any:
        """One of several items."""
        return items[self.number(purpose, len(items))]

    def some(self, items: Sequence[Any], count: int, purpose: str) -> list[Any]:
        """At most `count` different items, in an order of their own."""
        order = sorted(
            range(len(items)), key=lambda index: self.number(f"{purpose}\n{index}", 2**63)
        )
        return [items[index] for index in order[:count]]


def load_templates(path: str | Path | None = None) -> Templates:
    """Read wordings.

    Args:
        path: a JSON file whose lists replace those of the same name that the package has; None
            takes the package's.

    Raises:
        RecordError: a name is unknown, or a wording lacks a field that it must name.
    """
    if path is None:
        return _shipped()
    value = read_json(path)
    own = _read(value, str(path))
    base = _shipped()
    return Templates(
        base.wordings | own.wordings, base.forms | own.forms, base.plurals | own.plurals
    )


@functools.cache
def _shipped() -> Templates:
    file = resources.files(__package__) / "templates.json"
    return _read(parse_json(file.read_bytes(), "templates.json"), "templates.json")


def _read(value: Any, file: str) -> Templates:
    record = Record(file, None, value if isinstance(value, dict) else {})
    if not isinstance(value, dict):
        raise record.error(f"is {brief(value)}, expected an object of wordings")
    wordings = {}
    for kind in value.keys() - {"forms", "plurals"}:
        if kind not in FIELDS:
            known = ", ".join([*FIELDS, "forms", "plurals"])
            raise record.error(f"is no kind of wording; these are: {known}", kind)
        wordings[kind] = tuple(
            _wording(record, text, FIELDS[kind], f"{kind}[{index}]")
            for index, text in enumerate(record.items(kind))
        )
        if not wordings[kind]:
            raise record.error("is empty, expected at least one wording", kind)
    forms = {}
    for name, text in _object(record, "forms").items():
        if name not in FORMS:
            raise record.error(f"is unknown; forms are: {', '.join(FORMS)}", f"forms.{name}")
        forms[name] = _wording(record, text, FORMS[name], f"forms.{name}")
    plurals = _object(record, "plurals")
    return Templates(
        wordings, forms, {word: _string(record, plurals[word], "plurals") for word in plurals}
    )


def _object(record: Record, field: str) -> dict[str, Any]:
    value = record.get(field, {})
    if not isinstance(value, dict):
        raise record.error(f"is {brief(value)}, expected an object", field)
    return value


def _string(record: Record, value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise record.error(f"is {brief(value)}, expected a string", field)
    return value


def _wording(record: Record, value: Any, fields: frozenset[str], field: str) -> str:
    text = _string(record, value, field)
    found = set(_FIELD.findall(text))
    if found != fields:
        wanted = ", ".join(f"{{{name}}}" for name in sorted(fields)) or "no field"
        raise record.error(f"is {brief(text)}, expected a wording with {wanted}", field)
    return text

"""The fields of an example that say a conversation, read from an untrusted record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from .chat import Form, split_answer
from .records import Record, brief

MAX_TURNS = 1_000


def read_images(record: Record) -> tuple[str, ...]:
    """The names of the images, one at least."""
    names = record.items("images")
    if not names or not all(isinstance(name, str) and name for name in names):
        raise record.error(f"is {brief(names)}, expected at least one name of an image", "images")
    if any("\0" in name for name in names):
        raise record.error("holds a NUL character, which no name of a file has", "images")
    return tuple(names)


def read_messages(record: Record) -> tuple[str, list[tuple[str, str]]]:
    """What the system says, and each question with its answer."""
    values = record.items("messages")
    system = ""
    said: list[str] = []
    for index, value in enumerate(values):
        message = record.child("messages", index, value)
        role = message.text("role")
        content = message.raw_text("content")
        if role == "system" and not index:
            system = content
            continue
        expected = ("user", "assistant")[len(said) % 2]
        if role != expected:
            raise message.error(f"is {brief(role)}, expected {expected!r}", "role")
        if not content.strip():
            raise message.error("is empty", "content")
        said.append(content)
    if not said or len(said) % 2:
        raise record.error("must end with what the assistant says", "messages")
    if len(said) > 2 * MAX_TURNS:
        raise record.error(f"are {len(said)}, expected at most {2 * MAX_TURNS}", "messages")
    return system, list(zip(said[::2], said[1::2], strict=True))


def read_per_turn(record: Record, field: str, count: int) -> list[list[Any]]:
    """A list of lists, one for each of `count` answers."""
    values = record.items(field)
    if len(values) != count:
        raise record.error(f"has {len(values)} lists, expected {count}, one for each answer", field)
    for index, value in enumerate(values):
        if not isinstance(value, list):
            raise record.error(f"is {brief(value)}, expected a list", f"{field}[{index}]")
    return values


def read_forms(record: Record, count: int) -> Sequence[Form]:
    """Of each answer; a file that doesn't say them has answers that are tagged where a tag is."""
    if record.fields.get("forms") is None:
        contents = [message["content"] for message in record.items("messages")]
        return [split_answer(text).form for text in contents[-2 * count :][1::2]]
    forms = record.items("forms")
    if len(forms) != count or not all(form in ("bare", "tagged") for form in forms):
        raise record.error(
            f'is {brief(forms)}, expected {count} of "bare" and "tagged", one for each answer',
            "forms",
        )
    return cast(Sequence[Form], forms)

"""Reads polygons of numbered tags: exactly, or under repair whatever tags there are."""

from __future__ import annotations

import re

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..errors import EncodeError
from ..geometry.polygon import MAX_VERTICES, Polygons
from ..labels import check_label
from ._object_lines import clean_label
from ._polygon_tags import FORBIDDEN, NONE, TagForm
from ._ring_items import Collector, Item, to_polygons

_CONTROL = re.compile(r"[<>\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST_LABEL = 1_000  # characters before a tag that are looked at for a label


def read(form: TagForm, log: RepairLog) -> Polygons:
    """All objects of a text.

    Raises:
        DecodeError: the log is strict, and the text is not in the format.
    """
    items, fault = _exact(form, log.text)
    if fault >= 0:
        example = form.opening + form.blank.join([f"{form.tag}12>", f"{form.tag}34>"])
        found = repr(log.text[fault : fault + 40]) if fault < len(log.text) else "the end"
        what = f"objects of three vertices or more like {example!r}, or {NONE!r}"
        log.note("format", fault, what, found, "reads the tags that are there")
        items = _loose(form, log, items, fault)
    return to_polygons(items, form.bins, log, centre=form.centre)


def _exact(form: TagForm, text: str) -> tuple[list[Item], int]:
    """The objects to the letter, and where the text leaves the format; -1 if it never does."""
    items: list[Item] = []
    if text == NONE:
        return items, -1
    position = vertices = 0
    while len(items) < MAX_OBJECTS:
        match = form.exact.match(text, position)
        label = match["label"] or "" if match else ""
        if match is None or not _is_label(form, label, first=not items):
            return items, position
        item = Item(label, _numbers(match["shape"], form))
        vertices += sum(map(len, item.rings)) // 2
        if vertices > MAX_VERTICES or max(map(max, item.rings)) > form.largest:
            return items, position
        items.append(item)
        position = match.end()
        if position == len(text):
            return items, -1
        after = position + len(form.between)
        if not text.startswith(form.between, position) or after == len(text):
            return items, position
        position = after
    return items, position


def _is_label(form: TagForm, label: str, *, first: bool) -> bool:
    if not label:
        return first or bool(form.opening)
    try:
        check_label(label, form.codec, FORBIDDEN)
    except EncodeError:
        return False
    return True


def _numbers(shape: str, form: TagForm) -> list[list[int]]:
    width = len(form.tag)
    return [
        [int(tag[width:-1]) for tag in form.number.findall(ring)]
        for ring in shape.split(form.separator)
    ]


def _loose(form: TagForm, log: RepairLog, items: list[Item], start: int) -> list[Item]:
    """Go on from a place that is not in the format; an object without an end goes on too."""
    found = Collector(log, form.largest, items, is_open=not form.closing)
    text, place = log.text, start
    for tag in form.loose.finditer(text, start):
        at = tag.start()
        label = _label(form, text[max(place, at - _LONGEST_LABEL) : at]) if form.labels else ""
        if label and not _is_stray(form, label, tag, found):
            found.end_object(at)
            found.begin(label)
        if found.is_full(at):
            return found.items
        if tag.lastgroup == "number":
            found.take(int(tag["number"]), at)
        elif tag.lastgroup == "lost":
            found.lose(at)
        elif tag.lastgroup == "ring":
            found.end_ring(at)
        elif tag.lastgroup == "end" or found.has_begun:
            found.end_object(at)
        place = tag.end()
    found.end_object(place)
    return found.items


def _label(form: TagForm, words: str) -> str:
    """What stands before a tag, without halves of other tags."""
    return clean_label(_CONTROL.sub(" ", form.halves.sub(" ", words)))


def _is_stray(form: TagForm, label: str, tag: re.Match[str], found: Collector) -> bool:
    """Whether a single character stands where no object can begin: amid its numbers."""
    if len(label) > 1 or not label.isascii() or tag.lastgroup not in ("number", "lost"):
        return False
    return found.is_open if form.opening else found.is_partial

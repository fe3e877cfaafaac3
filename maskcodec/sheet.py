"""A sheet of examples as one HTML file: image, truth, text and decoded mask side by side.

The file loads nothing: no scripts, its style inside, its pictures as data URIs; a policy in its
head forbids the rest. Every string comes from outside (labels, file names, what a model printed),
and is escaped.
"""

from __future__ import annotations

import base64
import html
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from ._sheet_style import STYLE
from .decoded import Repair
from .mask import Mask
from .overlay import ColourBy, crop, draw_overlay, fit

THUMBNAIL = 320
"""Longer side of a picture, in pixels."""

LONG_TEXT = 280
"""Characters of a text that always stands open; a longer one can be folded."""

MAX_TEXT = 20_000
"""Characters of a text that are written; what lies beyond is counted."""

MAX_REPAIRS = 20

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One text and what it decodes to.

    Attributes:
        title: usually the codec's spec.
        text: the text; None where there is none.
        masks: what it decodes to; None where it could not be decoded.
        iou: against the truth, 0 to 1; None where there is no truth.
        tokens: of the text; None where they were not counted.
        repairs: what was wrong with the text.
        problem: why there is no text or no mask.
    """

    title: str
    text: str | None
    masks: Sequence[Mask] | None
    iou: float | None = None
    tokens: int | None = None
    repairs: Sequence[Repair] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Answers to one question about an image.

    Attributes:
        title: what was asked; may be empty.
        truth: the right masks; None where they are not known.
        answers: one or more.
        colour_by: see `maskcodec.overlay.draw_overlay`.
        window: the part of the image that its pictures show, xyxy in pixels; None shows it all.
    """

    title: str
    truth: Sequence[Mask] | None
    answers: Sequence[Answer]
    colour_by: ColourBy = "mask"
    window: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One image and the groups of answers about it.

    Attributes:
        title: the image's name.
        about: a remark on it; may be empty.
        image: see `maskcodec.overlay.as_rgb`; of the masks' size.
        groups: the answers.
    """

    title: str
    about: str
    image: npt.NDArray[np.generic]
    groups: Sequence[Group]


@dataclass(frozen=True, slots=True)
class Table:
    """A table for the head of the sheet; the first cell of a row is its heading.

    Attributes:
        columns: headings.
        rows: cells, as many as columns.
        note: what the columns mean.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def write_sheet(
    stream: IO[bytes],
    title: str,
    examples: Iterable[Example],
    *,
    lead: str = "",
    summary: Callable[[], Table] | None = None,
    style: str = "",
    figures: str = "",
) -> None:
    """Write a sheet, example by example, so that few pictures are in memory at a time.

    Args:
        stream: open for bytes.
        title: heading of the sheet.
        examples: the examples, in order.
        lead: a paragraph below the heading.
        summary: makes the table that stands before the examples, once the last one was drawn.
        style: CSS to be added.
        figures: HTML that stands after the table.
    """
    with tempfile.TemporaryFile() as body:
        for example in examples:
            body.write(_example(example).encode("utf-8"))
        head = page_head(title, lead, style) + (table(summary()) if summary else "") + figures
        stream.write(head.encode("utf-8"))
        body.seek(0)
        shutil.copyfileobj(body, stream)
    stream.write(b"</body>\n</html>\n")


def page_head(title: str, lead: str = "", style: str = "") -> str:
    """The start of a page up to its first heading and its lead; `style` is CSS to be added."""
    name = escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        + (f"<p class=lead>{escape(lead)}</p>\n" if lead else "")
    )


def escape(text: str) -> str:
    """Text for HTML: markup, control characters and marks that turn the writing are made visible.

    Half a surrogate pair, which UTF-8 can't hold, is shown as an escape.
    """
    plain = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return html.escape(_CONTROL.sub(lambda found: f"⟨{ord(found.group()):02X}⟩", plain))


def table(content: Table) -> str:
    """A table as HTML, with its note below."""
    head = "".join(f"<th scope=col>{escape(column)}</th>" for column in content.columns)
    body = "".join(
        f"<tr><th scope=row>{_breakable(row[0])}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>\n"
        for row in content.rows
    )
    note = f"<p class=note>{escape(content.note)}</p>\n" if content.note else ""
    return (
        f"<div class=scroll><table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table></div>\n{note}"
    )


def _breakable(spec: str) -> str:
    """A spec that may be broken between its options where there is little room."""
    return re.sub("([:,])", r"\1<wbr>", escape(spec))


def _example(example: Example) -> str:
    about = f" <small>{escape(example.about)}</small>" if example.about else ""
    groups = "".join(
        _group(example.image, group, shows_image=index == 0)
        for index, group in enumerate(example.groups)
    )
    return f"<section>\n<h2>{escape(example.title)}{about}</h2>\n{groups}</section>\n"


def _group(image: npt.NDArray[np.generic], group: Group, *, shows_image: bool) -> str:
    parts = []
    if shows_image:
        parts.append(_figure(_picture(image, (), Group("", None, ())), "image"))
    if group.truth is not None:
        caption = "truth" if group.window is None else "truth, enlarged"
        parts.append(_figure(_picture(image, group.truth, group), caption))
    parts.extend(_answer(image, answer, group) for answer in group.answers)
    title = f"<h3>{escape(group.title)}</h3>\n" if group.title else ""
    kind = "single" if len(group.answers) == 1 else "cards"
    return f"{title}<div class={kind}>\n{''.join(parts)}</div>\n"


def _figure(uri: str, caption: str) -> str:
    return f'<figure><img src="{uri}" alt="{caption}"><figcaption>{caption}</figcaption></figure>\n'


def _answer(image: npt.NDArray[np.generic], answer: Answer, group: Group) -> str:
    if answer.masks is None:
        shown = "<div class=missing>not decoded</div>"
    else:
        name = escape(answer.title)
        shown = f'<img src="{_picture(image, answer.masks, group)}" alt="decoded by {name}">'
    problem = f"<p class=problem>{escape(answer.problem)}</p>" if answer.problem else ""
    text = _text(answer.text, is_open=len(group.answers) == 1)
    said = f"<h4>{_breakable(answer.title)}</h4>{_numbers(answer)}{problem}{text}"
    said += _repairs(answer.repairs)
    return f"<article>{shown}<div class=answer>{said}</div></article>\n"


def _numbers(answer: Answer) -> str:
    parts = []
    if answer.iou is not None:
        parts.append(f"IoU <b>{answer.iou:.3f}</b>")
    if answer.tokens is not None:
        parts.append(f"<b>{answer.tokens:,}</b> token{'s' * (answer.tokens != 1)}")
    return f"<p class=numbers>{' · '.join(parts)}</p>" if parts else ""


def _text(text: str | None, *, is_open: bool) -> str:
    if text is None:
        return ""
    rest = len(text) - MAX_TEXT
    more = f"\n<i>… {rest:,} more characters</i>" if rest > 0 else ""
    # HTML drops a newline right after <pre>, so one is put there to be dropped.
    block = f"<pre>\n{escape(text[:MAX_TEXT])}{more}</pre>"
    if len(text) <= LONG_TEXT:
        return block
    state = " open" if is_open else ""
    return f"<details{state}><summary>text, {len(text):,} characters</summary>{block}</details>"


def _repairs(repairs: Sequence[Repair]) -> str:
    if not repairs:
        return ""
    items = "".join(
        f"<li><b>{escape(repair.kind)}</b> at character {repair.position:,}: "
        f"{escape(repair.message)}</li>"
        for repair in repairs[:MAX_REPAIRS]
    )
    rest = len(repairs) - MAX_REPAIRS
    more = f"<li>… {rest:,} more</li>" if rest > 0 else ""
    count = f"{len(repairs):,} repair{'s' * (len(repairs) != 1)}"
    return f"<details class=repairs><summary>{count}</summary><ul>{items}{more}</ul></details>"


def _picture(image: npt.NDArray[np.generic], masks: Sequence[Mask], group: Group) -> str:
    """A thumbnail with masks as a data URI."""
    from PIL import Image, features

    if group.window is not None:
        image, masks = crop(image, masks, group.window)
    small, scaled = fit(image, masks, THUMBNAIL)
    labels = [mask.label for mask in group.truth or ()]
    painted = draw_overlay(small, scaled, tags=False, colour_by=group.colour_by, labels=labels)
    picture = Image.fromarray(painted)
    data = io.BytesIO()
    kind = "webp" if features.check("webp") else "jpeg"
    picture.save(data, kind, quality=75)
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode('ascii')}"

"""How mask text stands in a conversation: alone, or inside prose between `<mask>` and `</mask>`.

An answer of form "bare" is a codec's text and nothing else. One of form "tagged" is prose in which
each part between the tags is a text of the codec, with one object or several; questions are written
so too, where they show a mask::

    A dog <mask>dog: 312,208,780,624 az az …</mask> looks at the cat <mask>cat: …</mask>.

What a model printed is untrusted: any text splits into prose and parts, in time linear in its
length, and what left the form is listed as repairs, with places counted in the whole answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .codec import MAX_OUTPUT, Codec, check_lengths
from .decoded import MAX_REPAIRS, Decoded, Errors, Repair, RepairLog
from .errors import DecodeError, EncodeError
from .mask import Mask, check_size

if TYPE_CHECKING:
    import torch

Form: TypeAlias = Literal["bare", "tagged"]

OPEN = "<mask>"
CLOSE = "</mask>"

MAX_PARTS = 1_000
"""Parts read from one answer; what lies beyond is dropped, and that is a repair."""

_TAG = re.compile(r"<\s{0,4}(/?)\s{0,4}mask\s{0,4}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of an answer that a codec reads.

    Attributes:
        text: the codec's text.
        start: where it begins, as a character of the whole answer.
        place: where it stood, as a character of `Answer.prose`.
    """

    text: str
    start: int
    place: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, split.

    Attributes:
        form: "tagged" where a tag stands in it (or it was said so), else "bare".
        prose: what stands outside of the tags, for people; empty for a bare answer.
        parts: what the codec reads, in order; of a bare answer it is the answer itself.
        repairs: tags that were missing, stray or loosely spelt.
    """

    form: Form
    prose: str
    parts: tuple[Part, ...]
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AnswerMasks:
    """The masks of an answer.

    Attributes:
        answer: the answer, split.
        decoded: what each of its parts says.
    """

    answer: Answer
    decoded: tuple[Decoded, ...]

    @property
    def masks(self) -> list[Mask]:
        """The masks of all parts, in order."""
        return [mask for one in self.decoded for mask in one.masks]

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each mask."""
        return tuple(label for one in self.decoded for label in one.labels)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What was wrong with tags and texts; places are characters of the whole answer."""
        moved = [
            Repair(repair.kind, repair.position + part.start, repair.message)
            for part, one in zip(self.answer.parts, self.decoded, strict=True)
            for repair in one.repairs
        ]
        return (*self.answer.repairs, *moved)[: MAX_REPAIRS + 1]

    @property
    def prose(self) -> str:
        """What the answer says outside of its masks."""
        return self.answer.prose


def tag(text: str) -> str:
    """A codec's text between the tags, as it stands in prose.

    Raises:
        EncodeError: a label in it holds a tag.
    """
    return f"{OPEN}{check_untagged(text)}{CLOSE}"


def check_untagged(text: str) -> str:
    """`text`, if no tag stands in it, as a bare answer and prose around masks must not have any.

    Raises:
        EncodeError: one does.
    """
    if found := _TAG.search(text):
        raise EncodeError(
            f"{found.group()!r} stands in {text[:60]!r}: it would be read as the mark of a mask; "
            "rename the label, or change the expression"
        )
    return text


def split_answer(text: str, *, form: Form | None = None, errors: Errors = "repair") -> Answer:
    """Split an answer into prose and the parts that a codec reads.

    Args:
        text: what a model printed.
        form: how it was asked to answer. None finds out: an answer without any tag is bare.
        errors: "repair" reads an unclosed tag up to the next one or the end, drops stray ones, and
            takes `< MASK >` for `<mask>`; "strict" refuses these.

    Raises:
        DecodeError: under "strict", where tags don't pair.
    """
    log = RepairLog("chat", text, errors)
    if form == "bare" or (form is None and not _TAG.search(text)):
        return Answer("bare", "", (Part(text, 0, 0),), ())
    prose: list[str] = []
    parts: list[Part] = []
    length = position = 0
    start = -1  # of the part that is open
    for found in _TAG.finditer(text):
        opens = not found[1]
        if found[0] not in (OPEN, CLOSE):
            wanted = OPEN if opens else CLOSE
            log.note("loose-tag", found.start(), wanted, repr(found[0]), f"takes it for {wanted}")
        if start < 0:
            length += _add_prose(prose, text[position : found.start()])
            if not opens:
                log.note("stray-tag", found.start(), OPEN, CLOSE, "drops it")
        else:
            if opens:
                log.note("unclosed-tag", found.start(), CLOSE, OPEN, "ends the mask there")
            if not _add_part(parts, text[start : found.start()], start, length, log):
                return Answer("tagged", _tidy(prose, parts), tuple(parts), tuple(log.repairs))
        position = found.end()
        start = position if opens else -1
    rest = _without_half_tag(text[position:], log, position)
    if start >= 0:
        log.note("unclosed-tag", len(text), CLOSE, "the end", "ends the mask there")
        _add_part(parts, rest, start, length, log)
    else:
        _add_prose(prose, rest)
    return Answer("tagged", _tidy(prose, parts), tuple(parts), tuple(log.repairs))


def _add_prose(prose: list[str], text: str) -> int:
    prose.append(text)
    return len(text)


def _add_part(parts: list[Part], text: str, start: int, place: int, log: RepairLog) -> bool:
    if len(parts) == MAX_PARTS:
        found, action = "more of them", "drops the rest"
        log.note("too-many-parts", start, f"at most {MAX_PARTS:,} masks", found, action)
        return False
    parts.append(Part(text, start, place))
    return True


def _without_half_tag(text: str, log: RepairLog, position: int) -> str:
    """The end of an answer without a tag that was cut off in the middle."""
    for half in (CLOSE, OPEN):
        for length in range(len(half) - 1, 0, -1):
            if text.endswith(half[:length]):
                place = position + len(text) - length
                log.note("half-tag", place, half, repr(half[:length]), "drops it")
                return text[:-length]
    return text


def _tidy(prose: list[str], parts: list[Part]) -> str:
    """Prose without the blanks that stood before masks; moves the parts' places with it."""
    pieces: list[str] = []
    moved: dict[int, int] = {}
    seen = length = 0
    for index, piece in enumerate(prose):
        last = index == len(prose) - 1
        follows = "" if last else prose[index + 1][:1]
        kept = piece if follows.isalnum() else piece.rstrip(" ")
        pieces.append(kept)
        seen += len(piece)
        length += len(kept)
        moved[seen] = length
    for index, part in enumerate(parts):
        parts[index] = Part(part.text, part.start, moved.get(part.place, length))
    return "".join(pieces)


def read_answer(
    text: str,
    codec: Codec[Any],
    size: tuple[int, int],
    errors: Errors = "repair",
    *,
    form: Form | None = None,
    device: str | torch.device = "cpu",
) -> AnswerMasks:
    """Read the masks of one answer; see `read_answers`."""
    return read_answers([text], codec, [size], errors, forms=[form], device=device)[0]


def read_answers(
    texts: Sequence[str],
    codec: Codec[Any],
    sizes: Sequence[tuple[int, int]],
    errors: Errors = "repair",
    *,
    forms: Sequence[Form | None] | None = None,
    device: str | torch.device = "cpu",
) -> list[AnswerMasks]:
    """Read the masks of answers, all painted together.

    Args:
        texts: what a model printed.
        codec: how the masks are spelt.
        sizes: (height, width) in pixels, one a text.
        errors: "repair" always answers; "strict" raises at the first bad text.
        forms: of each answer, see `split_answer`; None finds out.
        device: see `Codec.render_batch`.

    Raises:
        DecodeError: under "strict"; its position is a character of the whole answer.
        MaskCodecError: a size is not valid.
    """
    check_lengths("texts", len(texts), len(sizes))
    chosen = [None] * len(texts) if forms is None else list(forms)
    checked = [check_size(size) for size in sizes]
    answers: list[Answer] = []
    geometries: list[Any] = []
    canvas: list[tuple[int, int]] = []
    repairs: list[tuple[Repair, ...]] = []
    for text, size, form in zip(texts, checked, chosen, strict=True):
        answer = split_answer(text, form=form, errors=errors)
        answers.append(answer)
        room = MAX_OUTPUT // (size[0] * size[1])
        for part in answer.parts:
            geometry, found = _parse(codec, part, text, errors)
            if len(geometry.labels) > room:
                geometry, found = geometry.head(room), [*found, _no_room(room, size)]
            room -= len(geometry.labels)
            geometries.append(geometry)
            canvas.append(size)
            repairs.append(tuple(found))
    pixels = codec.render_batch(geometries, canvas, device=device)
    decoded = iter(
        Decoded(planes, geometry.labels, found, geometry)
        for planes, geometry, found in zip(pixels, geometries, repairs, strict=True)
    )
    return [AnswerMasks(answer, tuple(next(decoded) for _ in answer.parts)) for answer in answers]


def _parse(codec: Codec[Any], part: Part, text: str, errors: Errors) -> tuple[Any, list[Repair]]:
    try:
        return codec.parse(part.text, errors=errors)
    except DecodeError as error:
        if not part.start:
            raise
        raise DecodeError(
            f"mask text at character {part.start} of the answer: {error}",
            text=text,
            position=part.start + error.position,
            expected=error.expected,
            found=error.found,
        ) from None


def _no_room(room: int, size: tuple[int, int]) -> Repair:
    message = f"an answer's masks of {size[0]}x{size[1]} pixels are at most {MAX_OUTPUT:,} in all"
    return Repair("too-many-objects", 0, f"{message}: keeps the first {room} of this part")

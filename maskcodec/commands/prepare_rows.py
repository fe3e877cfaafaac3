"""The work on one image of `maskcodec prepare`: from its objects to lines of the file."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..chat import Form, check_untagged, read_answer, tag
from ..codec import Codec
from ..datasets.annotated import Annotated, AnnotatedEntry, Exchange, Piece
from ..datasets.exchanges import Asker, AskOptions
from ..datasets.images import check_size_of_image
from ..datasets.naming import safe_name
from ..datasets.templates import Choice, Templates, load_templates
from ..errors import MaskCodecError, RecordError
from ..examples import Example, TruthMask, Turn, image_name
from ..mask import Mask
from ..metrics import iou, label_iou, union_of
from ..registry import get_codec
from ..tokens import TokenCounter, load_counter
from ..writing import atomic


@dataclass(frozen=True, slots=True)
class Job:
    """What is done with every image; the same in every process.

    Attributes:
        spec: of the codec, canonical.
        ask: what is asked.
        templates: a file of wordings; None takes the package's.
        turns: questions of one task in a conversation, at most.
        tokenizer: see `load_counter`; None counts no tokens.
        seed: of wordings, chosen objects, and the held-out images.
        val_share: share of images that are held out.
        output: the file of examples.
        val_output: the file of held-out examples; None where none are held out.
        source: what the examples name as their source.
    """

    spec: str
    ask: AskOptions
    templates: Path | None
    turns: int
    tokenizer: str | None
    seed: int
    val_share: float
    output: Path
    val_output: Path | None
    source: str


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one image.

    Attributes:
        id: of its entry.
        held_out: whether its lines belong to the held-out file.
        lines: the id of each example, its line, and its fields.
        problems: what was set aside, each with an id that begins with the entry's.
    """

    id: str
    held_out: bool
    lines: tuple[tuple[str, bytes], ...]
    problems: tuple[tuple[RecordError, str], ...]


@dataclass(frozen=True, slots=True)
class _Tools:
    codec: Codec[Any]
    templates: Templates
    counter: TokenCounter | None


@functools.lru_cache(maxsize=2)
def _tools(job: Job) -> _Tools:
    codec = get_codec(job.spec)
    counter = None if job.tokenizer is None else load_counter(job.tokenizer).adding(codec.vocab())
    return _Tools(codec, load_templates(job.templates), counter)


def row_id(entry: str, number: int | str = "") -> str:
    """The id of an example, or of the image as a whole: up to its last `#` it names the entry."""
    return f"{entry}#{number}"


def entry_id(row: str) -> str:
    """The entry that an id of `row_id` names."""
    return row.rpartition("#")[0]


def is_held_out(image: str, seed: int, share: float) -> bool:
    """Whether the examples of an image belong to the held-out file; by its name without folders."""
    name = image.replace("\\", "/").rsplit("/", 1)[-1]
    digest = hashlib.sha256(f"{seed}\n{name}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def prepare_entry(item: AnnotatedEntry | RecordError, job: Job) -> Done | RecordError:
    """Load an image, ask about it, write what a model should answer, and measure that."""
    if isinstance(item, RecordError):
        return item
    try:
        about = item.load()
        held_out = job.val_output is not None and is_held_out(about.image, job.seed, job.val_share)
        folder = job.output if not held_out or job.val_output is None else job.val_output
        name = image_name(_image_file(about, item, job), folder.parent)
    except MaskCodecError as error:
        return Done(item.id, False, (), ((_placed(error, item), row_id(item.id)),))
    return _examples(about, item, job, name, held_out=held_out)


def _placed(
    error: MaskCodecError,
    item: AnnotatedEntry,
    field: str | None = None,
    line: int | None = None,
) -> RecordError:
    """An error with the place that is known."""
    if isinstance(error, RecordError) and error.file:
        return error
    reason = error.reason if isinstance(error, RecordError) else str(error)
    line = item.line if line is None else line
    return RecordError(reason, file=item.file, line=line, field=field)


def _image_file(about: Annotated, item: AnnotatedEntry, job: Job) -> Path:
    """The file of an image: checked, or written where it was made."""
    if about.pixels is not None:
        from PIL import Image

        path = job.output.parent / "images" / f"{safe_name(item.id)}.png"
        path.parent.mkdir(exist_ok=True)
        with atomic(path) as stream:
            Image.fromarray(about.pixels).save(stream, format="PNG")
        return path
    if about.path is None:
        raise RecordError("its image is not known", file=item.file, line=item.line)
    check_size_of_image(about.path, about.size)
    return about.path


def _examples(
    about: Annotated, item: AnnotatedEntry, job: Job, image: str, *, held_out: bool
) -> Done:
    tools = _tools(job)
    problems = [
        (_placed(error, item), row_id(item.id, f"left-out-{number}"))
        for number, error in enumerate(about.problems)
    ]
    problems += _without_pixels(about, item, len(problems))
    asker = Asker(about, job.ask, tools.templates, Choice(f"{job.seed}\n{item.id}"))
    good: list[tuple[int, str, Turn]] = []
    for number, exchange in enumerate(asker.exchanges()):
        try:
            if exchange.problem:
                raise MaskCodecError(exchange.problem)
            good.append((number, exchange.task, _turn(exchange, tools.codec, about.size)))
        except MaskCodecError as error:
            place = _placed(error, item, exchange.place, exchange.line)
            problems.append((place, row_id(item.id, number)))
    ignore = None
    if about.ignore is not None and about.ignore.any():
        ignore = TruthMask.of(Mask(about.ignore, ""))
    lines = []
    for pack in _packs(good, job.turns):
        turns = tuple(turn for _, _, turn in pack)
        name = row_id(item.id, pack[0][0])
        example = Example(
            name, (image,), about.size, job.spec, pack[0][1], turns, job.source,
            figures=measure(pack[0][1], turns, about.size, tools.codec, tools.counter),
            ignore=ignore,
        )  # fmt: skip
        lines.append((name, example.to_line()))
    return Done(item.id, held_out, tuple(lines), tuple(problems))


def _without_pixels(
    about: Annotated, item: AnnotatedEntry, first: int
) -> list[tuple[RecordError, str]]:
    """Objects without a pixel that no expression means; one that does is set aside itself."""
    meant = {index for expression in about.expressions for index in expression.targets}
    empty = [
        mask.label
        for index, mask in enumerate(about.objects)
        if index not in meant and not mask.area
    ]
    return [
        (
            RecordError(
                f"an object {label!r} has no pixels and is left out", file=item.file, line=item.line
            ),
            row_id(item.id, f"left-out-{number}"),
        )
        for number, label in enumerate(empty, start=first)
    ]


def _packs(turns: Sequence[tuple[int, str, Turn]], count: int) -> list[list[tuple[int, str, Turn]]]:
    """Conversations: `count` questions of one task that follow each other."""
    packs: list[list[tuple[int, str, Turn]]] = []
    for turn in turns:
        if packs and len(packs[-1]) < count and packs[-1][0][1] == turn[1]:
            packs[-1].append(turn)
        else:
            packs.append([turn])
    return packs


def _turn(exchange: Exchange, codec: Codec[Any], size: tuple[int, int]) -> Turn:
    """Spell the masks of an exchange."""
    question, _ = _spell(exchange.question, codec, size, bare=False)
    alone = len(exchange.answer) == 1 and not isinstance(exchange.answer[0], str)
    answer, masks = _spell(exchange.answer, codec, size, bare=alone)
    form: Form = "bare" if alone else "tagged"
    truth = tuple(TruthMask.of(mask) for mask in masks)
    return Turn(question, answer, truth, form, exchange.constraints)


def _spell(
    pieces: Sequence[Piece], codec: Codec[Any], size: tuple[int, int], *, bare: bool
) -> tuple[str, list[Mask]]:
    texts: list[str] = []
    shown: list[Mask] = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(check_untagged(piece))
            continue
        text = codec.encode(piece, size)
        texts.append(check_untagged(text) if bare else tag(text))
        shown.extend(piece)
    return "".join(texts), shown


def measure(
    task: str,
    turns: Sequence[Turn],
    size: tuple[int, int],
    codec: Codec[Any],
    counter: TokenCounter | None,
) -> dict[str, Any]:
    """What the codec alone loses, and how long the answers are.

    Returns:
        for each turn `ious`, one a mask of its truth; `answer_iou`, of all pixels of its masks, as
        gIoU takes it, or in tasks about the whole image the mean over labels (None where no masks
        were asked for); and where tokens are counted `tokens` of the answer, and `text_tokens` of
        all questions and answers together.
    """
    figures: dict[str, Any] = {"ious": [], "answer_iou": []}
    for turn in turns:
        truth = [Mask(_painted(one), one.label) for one in turn.truth]
        read = read_answer(turn.answer, codec, size, form=turn.form)
        figures["ious"].append([round(value, 4) for value in mask_ious(read.masks, truth)])
        asked = turn.form == "bare" or bool(truth)
        value = _answer_iou(task, read.masks, truth, size) if asked else None
        figures["answer_iou"].append(None if value is None else round(value, 4))
    if counter is not None:
        figures["tokens"] = [counter.count(turn.answer) for turn in turns]
        questions = sum(counter.count(turn.question) for turn in turns)
        figures["text_tokens"] = questions + sum(figures["tokens"])
    return figures


def _answer_iou(
    task: str, preds: Sequence[Mask], targets: Sequence[Mask], size: tuple[int, int]
) -> float:
    if task in ("semantic", "panoptic", "grounded"):
        return label_iou(preds, targets)
    return iou(union_of(preds, size), union_of(targets, size))


def _painted(truth: TruthMask) -> Any:
    from .. import rle

    return rle.decode(rle.from_string(truth.counts).astype("uint32"), truth.size)


def mask_ious(preds: Sequence[Mask], targets: Sequence[Mask]) -> list[float]:
    """The IoU of each true mask: with the one in its place, or where a format can't keep masks of
    a label apart, of all pixels of its label.
    """
    if [mask.label for mask in preds] == [mask.label for mask in targets]:
        return [iou(p.array, t.array) for p, t in zip(preds, targets, strict=True)]
    found = []
    for target in targets:
        size = target.size
        own = union_of([mask for mask in preds if mask.label == target.label], size)
        whole = union_of([mask for mask in targets if mask.label == target.label], size)
        found.append(iou(own, whole))
    return found

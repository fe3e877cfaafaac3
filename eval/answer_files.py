"""What `maskcodec segment` makes of answers: masks, overlays, a page and scores."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskcodec.answer_scores import AnswerScores, EvaluationResult
from maskcodec.chat import AnswerMasks, read_answer
from maskcodec.codec import Codec
from maskcodec.datasets.naming import Names
from maskcodec.datasets.sample import Sample
from maskcodec.datasets.writers import PngWriter
from maskcodec.errors import RecordError
from maskcodec.generation import Reply
from maskcodec.mask import Mask
from maskcodec.overlay import Rgb, draw_overlay
from maskcodec.refine import Refiner
from maskcodec.sheet import Answer, Example, Group, Table, write_sheet
from maskcodec.writing import atomic

from .asked import Asked
from .refined_answers import RefinedAnswers, asked_picture

_GREY = 96


@dataclass(frozen=True, slots=True)
class Said:
    """A question with its answer."""

    asked: Asked
    reply: Reply


class AnswerFiles:
    """Writes the files of a run from its answers; no model is needed.

    Args:
        folder: of the run.
        codec: of the answers.
        title: of the page.
        shown: answers on the page.
        overlays: whether each answer gets an overlay of its own.
        refiner: what refines the masks that are shown and written; None leaves them as decoded.
    """

    def __init__(
        self,
        folder: Path,
        codec: Codec[Any],
        title: str,
        *,
        shown: int,
        overlays: bool,
        refiner: Refiner | None = None,
    ) -> None:
        self.folder = folder
        self._codec = codec
        self._title = title
        self._shown = shown
        self._overlays = folder / "overlays" if overlays else None
        self._names = Names()
        self.scores = AnswerScores(codec)
        self.masks = 0
        self.refined = None if refiner is None else RefinedAnswers(codec, refiner)

    def write(self, said: Iterable[Said]) -> EvaluationResult:
        """Write everything; the figures come back."""
        (self.folder / "masks").mkdir(exist_ok=True)
        if self._overlays is not None:
            self._overlays.mkdir(exist_ok=True)
        writer = PngWriter(self.folder / "masks")
        with contextlib.ExitStack() as stack:
            stack.callback(writer.finish)
            stream = stack.enter_context(atomic(self.folder / "page.html"))
            examples = self._examples(said, writer)
            write_sheet(stream, self._title, examples, lead=self._codec.spec, summary=self._table)
        result = self.scores.result()
        figures = result.figures()
        if self.refined is not None:
            figures["refined"] = self.refined.figures()
        with atomic(self.folder / "scores.json") as stream:
            stream.write(json.dumps(figures, indent=1).encode("ascii") + b"\n")
        return result

    def refined_summary(self) -> str:
        """`; refined by ...: gIoU ...`, or nothing."""
        return "" if self.refined is None else self.refined.summary()

    def _examples(self, said: Iterable[Said], writer: PngWriter) -> Iterator[Example]:
        for number, one in enumerate(said):
            asked = one.asked
            decoded = read_answer(one.reply.text, self._codec, asked.size, form=asked.form)
            iou = self.scores.add(decoded, one.reply, asked.example, asked.turn)
            if self.refined is not None:
                decoded, iou = self.refined.refine(decoded, one)
            masks = decoded.masks
            writer.add(Sample(asked.id, asked.image, asked.size, tuple(masks)))
            self.masks += len(masks)
            shown = number < self._shown
            if not shown and self._overlays is None:
                continue
            image = picture_of(asked)
            if self._overlays is not None:
                name = self._names.take(asked.id)
                write_overlay(self._overlays / f"{name}.png", image, masks)
            if shown:
                yield _example(one, image, decoded, iou)

    def _table(self) -> Table:
        result = self.scores.result()
        scores = [
            ["gIoU", _number(result.giou), _number(result.ceiling_giou)],
            ["cIoU", _number(result.ciou), _number(result.ceiling_ciou)],
        ]
        if self.refined is not None:
            better = self.refined.scores.result()
            scores += [["gIoU, refined", _number(better.giou), ""]]
            scores += [["cIoU, refined", _number(better.ciou), ""]]
        if len(result.tasks) > 1:
            scores += [[f"gIoU, {task}", _number(giou), ""] for task, giou in result.tasks.items()]
        shares = [
            ["invalid", _percent(result.invalid_share), ""],
            ["invalid, and a mask after repair", _percent(result.repaired_share), ""],
            ["cut off", _percent(result.cut_share), ""],
        ]
        note = (
            f"{result.count:,} answers of {result.mean_tokens:,.1f} tokens in the mean. The "
            "ceiling is what the codec keeps of the right masks."
        )
        return Table(["", "model", "ceiling"], [*(scores if result.scored else []), *shares], note)


def picture_of(asked: Asked) -> Rgb:
    """The image of a question, grey where it can't be read any more."""
    try:
        return asked_picture(asked)
    except RecordError:
        return np.full((*asked.size, 3), _GREY, np.uint8)


def write_overlay(path: Path, image: Rgb, masks: list[Mask]) -> None:
    """Write masks over their image as a PNG."""
    with atomic(path) as stream:
        Image.fromarray(draw_overlay(image, masks)).save(stream, "png")


def summary(result: EvaluationResult, masks: int) -> str:
    """The figures in one line."""
    parts = [f"{result.count:,} answers, {masks:,} masks"]
    if result.scored:
        parts.append(
            f"gIoU {_number(result.giou)} (codec alone {_number(result.ceiling_giou)}), "
            f"cIoU {_number(result.ciou)} ({_number(result.ceiling_ciou)})"
        )
    wrong = f"invalid {_percent(result.invalid_share)}"
    if result.repairs:
        kinds = ", ".join(f"{kind} {count}" for kind, count in result.repairs.items())
        wrong += f", {_percent(result.repaired_share)} gave a mask after repair ({kinds})"
    parts.append(wrong)
    if result.cut_share:
        parts.append(
            f"{_percent(result.cut_share)} were cut off: give them room by --max-new-tokens, or "
            "the model's context is too short for them"
        )
    return "; ".join(parts)


def _example(said: Said, image: Rgb, decoded: AnswerMasks, iou: float | None) -> Example:
    asked = said.asked
    truth = None if asked.example is None else asked.example.masks(asked.turn)
    masks = decoded.masks
    matched = truth is None or [m.label for m in truth] == [m.label for m in masks]
    answer = Answer(
        "answer",
        said.reply.text,
        masks,
        iou=iou,
        tokens=said.reply.tokens,
        repairs=decoded.repairs,
        problem="cut off" if said.reply.cut else "",
    )
    group = Group(asked.text, truth, [answer], "mask" if matched else "label")
    return Example(asked.id, "", image, [group])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"

"""Answers of a model refined by their images, with scores of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from maskcodec.answer_scores import AnswerScores
from maskcodec.chat import AnswerMasks
from maskcodec.codec import Codec
from maskcodec.commands.refining import refine_decoded
from maskcodec.datasets.pictures import read_picture
from maskcodec.errors import RecordError
from maskcodec.overlay import Rgb
from maskcodec.refine import Refiner, method_spec

from .asked import Asked

if TYPE_CHECKING:
    from .answer_files import Said


class RefinedAnswers:
    """Takes answers one after the other.

    Attributes:
        scores: of the refined masks.
        left: answers that stayed as they were because their image can't be read.
    """

    def __init__(self, codec: Codec[Any], refiner: Refiner) -> None:
        self._codec = codec
        self._refiner = refiner
        self.scores = AnswerScores(codec)
        self.left = 0

    def refine(self, decoded: AnswerMasks, said: Said) -> tuple[AnswerMasks, float | None]:
        """One answer with refined masks, and its IoU where the truth is known."""
        asked = said.asked
        if decoded.labels:
            try:
                image = asked_picture(asked)
            except RecordError:
                self.left += 1
            else:
                parts = [
                    refine_decoded(part, image, self._refiner, self._codec)
                    for part in decoded.decoded
                ]
                decoded = replace(decoded, decoded=tuple(parts))
        return decoded, self.scores.add(decoded, said.reply, asked.example, asked.turn)

    def figures(self) -> dict[str, Any]:
        """What stands in scores.json beside the figures of the masks as decoded."""
        result = self.scores.result()
        return {
            "method": method_spec(self._refiner),
            "giou": result.giou,
            "ciou": result.ciou,
            "hits": result.hits,
            "tasks": dict(result.tasks),
            "left_as_decoded": self.left,
        }

    def summary(self) -> str:
        """The figures as the end of a line."""
        result = self.scores.result()
        said = f"; refined by {self._refiner.name}"
        if result.giou is not None and result.ciou is not None:
            said += f": gIoU {result.giou:.3f}, cIoU {result.ciou:.3f}"
        if self.left:
            said += f" ({self.left:,} stayed as decoded: their images can't be read)"
        return said


def asked_picture(asked: Asked) -> Rgb:
    """The image of a question.

    Raises:
        RecordError: it can't be read (any more), or has another size.
    """
    path = asked.path if asked.example is None else asked.example.image_paths()[0]
    assert path is not None
    return read_picture(path, asked.size)

"""From an image with its objects to questions and answers, by task.

Pieces of text and of masks: how a codec spells the masks comes later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ..geometry.boxes import to_bins
from ..mask import Mask
from ..metrics import union_of
from ..rle import mask_bounding_box
from .annotated import Annotated, Exchange, Expression, Piece, one_line
from .templates import Choice, Templates

Labels: TypeAlias = Literal["category", "expression", "constant"]

REGION = "region"
"""What a mask in a question is called, since its name would tell the answer."""


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What is asked.

    Attributes:
        tasks: of `maskcodec.examples.TASKS`.
        labels: what a mask is called in an answer about an expression: its category's name, the
            expression itself, or always `constant`.
        constant: see `labels`; also stands in for a category that the data don't name.
        coordinates: boxes and points in questions are whole numbers of 0 to here, of the image's
            width and height.
        prompts: questions by box, point or mask, an image.
        absent: questions for a category that the image doesn't show, an image.
    """

    tasks: tuple[str, ...]
    labels: Labels = "category"
    constant: str = "mask"
    coordinates: int = 999
    prompts: int = 3
    absent: int = 1


class Asker:
    """Asks about one image.

    Args:
        about: the image.
        options: what is asked.
        templates: how.
        choice: which wordings and objects.
    """

    def __init__(
        self, about: Annotated, options: AskOptions, templates: Templates, choice: Choice
    ) -> None:
        self.about = about
        self.options = options
        self.templates = templates
        self.choice = choice
        self.kept = [index for index, mask in enumerate(about.objects) if mask.area]
        self.by_label: dict[str, list[Mask]] = {}
        for index in self.kept:
            mask = about.objects[index]
            self.by_label.setdefault(mask.label, []).append(mask)

    def exchanges(self) -> Iterator[Exchange]:
        """All that is asked, task by task."""
        for task in self.options.tasks:
            ready = [one for one in self.about.exchanges if one.task == task]
            if ready:
                yield from map(self._relabelled, ready)
                continue
            yield from self._expressions(task)
            if task in ("referring", "generalised") and self.about.is_exhaustive:
                yield from self._categories(task)
            elif task == "semantic":
                yield from self._semantic()
            elif task == "panoptic":
                yield from self._panoptic()
            elif task == "grounded":
                yield from self._grounded()
            elif task == "prompted":
                yield from self._prompted()

    def _relabelled(self, exchange: Exchange) -> Exchange:
        """An exchange of the data set, with the one label for all masks where that is wanted."""
        alone = len(exchange.answer) == 1 and not isinstance(exchange.answer[0], str)
        if self.options.labels != "constant" or exchange.task == "semantic" or not alone:
            return exchange
        (masks,) = exchange.answer
        named = tuple(
            Mask(one.array, self.options.constant) for one in masks if isinstance(one, Mask)
        )
        return dataclasses.replace(exchange, answer=(named,))

    def _expressions(self, task: str) -> Iterator[Exchange]:
        for number, expression in enumerate(self.about.expressions):
            if expression.task != task:
                continue
            text = one_line(expression.text)
            problem = self._problem(expression, text)
            choice = Choice(f"{self.choice.key}\n{task} {number}")
            if problem:
                place, line = expression.place, expression.line
                yield Exchange(task, (), (), problem=problem, place=place, line=line)
                continue
            masks = tuple(
                Mask(self.about.objects[index].array, self._label(text, expression.label))
                for index in expression.targets
            )
            yield Exchange(
                task,
                (self._question(expression, text, choice),),
                (masks,),
                expression.constraints,
                place=expression.place,
                line=expression.line,
            )

    def _problem(self, expression: Expression, text: str) -> str:
        if not text:
            return "the expression is empty"
        empty = [i for i in expression.targets if not self.about.objects[i].area]
        if empty:
            return f"an object that {text[:60]!r} means has no pixels"
        if expression.task == "referring" and len(expression.targets) != 1:
            return f"{text[:60]!r} means {len(expression.targets)} objects, but referring is to one"
        return ""

    def _question(self, expression: Expression, text: str, choice: Choice) -> str:
        if expression.is_question:
            asked = text if text[-1] in ".?!" else f"{text}."
            if expression.task != "reasoning":
                return asked
            return self.templates.pick("reasoning", choice, expression=asked)
        kind = "referring" if expression.task == "reasoning" else expression.task
        bare = text.rstrip(".") or text
        return self.templates.pick(kind, choice, expression=bare)

    def _label(self, text: str, category: str) -> str:
        if self.options.labels == "expression":
            return text.rstrip(".") or text
        if self.options.labels == "category" and category:
            return category
        return self.options.constant

    def _categories(self, task: str) -> Iterator[Exchange]:
        """Categories by name: those of one object, or all and some that aren't there."""
        found = self.by_label
        if task == "referring":
            asked = {label: masks for label, masks in found.items() if len(masks) == 1}
        else:
            absent = self.choice.some(self.about.absent, self.options.absent, "absent")
            asked = found | {label: [] for label in absent if label not in found}
        for label, masks in asked.items():
            if label in self.about.stuff and task == "referring":
                continue
            name = self.templates.form("only" if task == "referring" else "every", label=label)
            choice = Choice(f"{self.choice.key}\n{task} {label}")
            question = self.templates.pick(task, choice, expression=name)
            answer = tuple(Mask(mask.array, self._label(name, label)) for mask in masks)
            yield Exchange(task, (question,), (answer,))

    def _semantic(self) -> Iterator[Exchange]:
        masks = tuple(
            Mask(union_of(masks, self.about.size), label)
            for label, masks in sorted(self.by_label.items())
        )
        question = self.templates.pick("semantic", self.choice)
        yield Exchange("semantic", (question,), (masks,))

    def _panoptic(self) -> Iterator[Exchange]:
        masks = tuple(self.about.objects[index] for index in self.kept)
        question = self.templates.pick("panoptic", self.choice)
        yield Exchange("panoptic", (question,), (masks,))

    def _grounded(self) -> Iterator[Exchange]:
        question = self.templates.pick("grounded", self.choice)
        if not self.by_label:
            nothing = self.templates.pick("grounded_nothing", self.choice)
            yield Exchange("grounded", (question,), (nothing,))
            return
        things: list[Piece] = []
        last = len(self.by_label) - 1
        for index, (label, masks) in enumerate(self.by_label.items()):
            if index:
                things.append(self.templates.forms["and" if index == last else "comma"])
            region = label in self.about.stuff
            name = self.templates.things(label, len(masks), region=region)
            things += [f"{name} ", tuple(masks)]
        wording = self.choice.one(self.templates.wordings["grounded_answers"], "grounded_answers")
        before, _, after = wording.partition("{things}")
        yield Exchange("grounded", (question,), (before, *things, after))

    def _prompted(self) -> Iterator[Exchange]:
        objects = [i for i in self.kept if self.about.objects[i].label not in self.about.stuff]
        kinds = ["box", "point", "name"] + ["alike"] * self.about.is_exhaustive
        for index in self.choice.some(objects, self.options.prompts, "prompts"):
            mask = self.about.objects[index]
            choice = Choice(f"{self.choice.key}\nprompted {index}")
            kind = choice.one(kinds, "kind")
            if kind == "name" and not mask.label:
                kind = "box"
            yield self._prompt(kind, mask, choice)

    def _prompt(self, kind: str, mask: Mask, choice: Choice) -> Exchange:
        shown = (Mask(mask.array, REGION),)
        alone = (Mask(mask.array, self._label(mask.label, mask.label)),)
        if kind == "box":
            question = self.templates.pick("prompted_box", choice, box=self._box(mask))
            return Exchange("prompted", (question,), (alone,))
        if kind == "point":
            question = self.templates.pick(
                "prompted_point", choice, point=self._point(mask, choice)
            )
            return Exchange("prompted", (question,), (alone,))
        wording = choice.one(self.templates.wordings[f"prompted_{kind}"], "wording")
        before, _, after = wording.partition("{mask}")
        if kind == "alike":
            others = tuple(
                Mask(other.array, self._label(other.label, other.label))
                for other in self.by_label[mask.label]
                if other is not mask
            )
            return Exchange("prompted", (before, shown, after), (others,))
        thing = self.templates.things(mask.label, 1)
        said = self.templates.pick("prompted_name_answers", choice, thing=thing)
        return Exchange("prompted", (before, shown, after), (said,))

    def _box(self, mask: Mask) -> str:
        found = mask_bounding_box(mask.array)
        assert found is not None
        edges = to_bins(found, mask.size, self.options.coordinates)
        left, top, right, bottom = edges
        return self.templates.form("box", left=left, top=top, right=right, bottom=bottom)

    def _point(self, mask: Mask, choice: Choice) -> str:
        """A point of the object: the middle of one of its pixels."""
        inside = np.flatnonzero(mask.array)
        pixel = int(inside[choice.number("point", len(inside))])
        y, x = divmod(pixel, mask.size[1])
        most = self.options.coordinates
        return self.templates.form(
            "point",
            x=(2 * x + 1) * most // (2 * mask.size[1]),
            y=(2 * y + 1) * most // (2 * mask.size[0]),
        )

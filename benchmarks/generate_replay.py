"""Steps of a model that is made to print right answers, with and without a rule, and their times.

A step computes the logits; the rule, if there is one, bars what leaves the format; then the right
id is taken. So both ways run the model equally often, on equal texts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from maskcodec import MaskCodecError
from maskcodec.codec import Codec
from maskcodec.generation import Question, Segmenter
from maskcodec.logits import ConstrainedLogits, logits_processor

from .generate_asked import Asked

Ids = list[list[int]]


class BarredError(MaskCodecError):
    """A rule does not let a right answer through."""


class Replay:
    """Leaves one id a row possible: the next one of its answer, then its last one for ever.

    Args:
        answers: ids of each row, the end among them.
        prompt_length: ids before the answer.
    """

    def __init__(self, answers: Ids, prompt_length: int) -> None:
        self._answers = answers
        self._prompt = prompt_length

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """`scores`, (rows, vocabulary), all but one of a row minus infinity.

        Raises:
            BarredError: a rule before it had barred a right id.
        """
        import torch

        place = input_ids.shape[1] - self._prompt
        right = [answer[min(place, len(answer) - 1)] for answer in self._answers]
        index = torch.tensor(right, device=scores.device)[:, None]
        lost = torch.isneginf(scores.gather(1, index)[:, 0]).tolist()
        for answer, is_lost in zip(self._answers, lost, strict=True):
            if is_lost and place < len(answer):
                raise _barred(answer, place)
        return torch.full_like(scores, -torch.inf).scatter(1, index, 0.0)


@dataclass
class Timed:
    """A rule with a watch.

    Attributes:
        rule: of one call of `generate`.
        seconds: that it took so far.
    """

    rule: ConstrainedLogits
    seconds: float = 0.0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """See the rule."""
        began = time.perf_counter()
        found = self.rule(input_ids, scores)
        self.seconds += time.perf_counter() - began
        return found


@dataclass
class Times:
    """What some answers took.

    Attributes:
        steps: of the model, the reading of the questions among them.
        seconds: of all.
        rule: seconds of the rule, which are among those.
        tokens: of all answers, their ends among them.
        masks: in them.
    """

    steps: int = 0
    seconds: float = 0.0
    rule: float = 0.0
    tokens: int = 0
    masks: int = 0


@dataclass
class Replayer:
    """Makes a model print right answers.

    Attributes:
        model: of transformers.
        processor: of the model, with the codec's tokens.
        codec: of the answers.
        labels: that the rule allows.
    """

    model: Any
    processor: Any
    codec: Codec[Any]
    labels: Sequence[str]
    segmenter: Segmenter = field(init=False)

    def __post_init__(self) -> None:
        self.segmenter = Segmenter(self.model, self.processor, self.codec, constrained=False)

    def run(self, asked: Sequence[Asked], batch: int, *, held: bool) -> Times:
        """Print the answers to all questions, `batch` at a time.

        Raises:
            BarredError: the rule bars an answer.
            MaskCodecError: a question leaves no room for its answer.
        """
        times = Times()
        for start in range(0, len(asked), batch):
            self._run(asked[start : start + batch], times, held=held)
        return times

    def _run(self, asked: Sequence[Asked], times: Times, *, held: bool) -> None:
        segmenter = self.segmenter
        answers = self.ids(asked)
        inputs = segmenter.inputs([as_question(one) for one in asked])
        start = segmenter.answer_start(inputs)
        steps = max(map(len, answers))
        options = segmenter.options(inputs, "bare")
        if options["max_new_tokens"] < steps:
            raise MaskCodecError(
                f"{self.codec}: an answer is {steps:,} tokens, and the question leaves "
                f"{options['max_new_tokens']:,} of the model's context"
            )
        options["max_new_tokens"] = steps
        replay = Replay(answers, start)
        rules = [Timed(self.rule(start))] if held else []
        began = time.perf_counter()
        self.model.generate(**inputs, **options, logits_processor=[*rules, replay]).tolist()
        times.seconds += time.perf_counter() - began
        times.rule += sum(rule.seconds for rule in rules)
        times.steps += steps
        times.tokens += sum(map(len, answers))
        times.masks += sum(len(one.masks) for one in asked)

    def ids(self, asked: Sequence[Asked]) -> Ids:
        """The ids of right answers, each with its end."""
        end = self.segmenter.ends[0]
        return [[*answer, end] for answer in answer_ids(self.processor, self.codec, asked)]

    def rule(self, start: int) -> ConstrainedLogits:
        """The rule of one call of `generate`."""
        return logits_processor(
            self.codec,
            self.processor,
            labels=self.labels,
            prompt_length=start,
            ends=self.segmenter.ends,
        )


def answer_ids(tokenizer: Any, codec: Codec[Any], asked: Sequence[Asked]) -> Ids:
    """The ids of right answers."""
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
    texts = [one.answer(codec) for one in asked]
    found: Ids = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    return found


def as_question(asked: Asked) -> Question:
    """A question as `Segmenter` takes it."""
    return Question("", [asked.image], [{"role": "user", "content": asked.question}])


def first_seconds(rule: Any, vocabulary: int, prompt_length: int) -> float:
    """How long the first step of the first answer waits: `rule` makes it, grammar and all.

    Call it before anything else that needs the grammar, which is kept afterwards.
    """
    import torch

    began = time.perf_counter()
    ids = torch.zeros((1, prompt_length), dtype=torch.long)
    rule(prompt_length)(ids, torch.zeros((1, vocabulary)))
    return time.perf_counter() - began


def rule_times(rule: Any, answers: Ids, vocabulary: int, batch: int) -> Times:
    """The rule's steps alone, without a model, `batch` answers at a time: each row is fed the right
    ids of its answer.

    Raises:
        BarredError: the rule bars one of them.
    """
    times = Times()
    for start in range(0, len(answers), batch):
        _add_rule_steps(times, rule, answers[start : start + batch], vocabulary)
    times.seconds = times.rule
    return times


def _add_rule_steps(times: Times, rule: Any, answers: Ids, vocabulary: int) -> None:
    import torch

    steps = max(map(len, answers))
    rows = torch.tensor([[*one, *[one[-1]] * (steps - len(one))] for one in answers])
    scores = torch.zeros((len(answers), vocabulary))
    held = rule(0)
    for step in range(steps):
        began = time.perf_counter()
        left = held(rows[:, :step], scores)
        times.rule += time.perf_counter() - began
        for row, answer in enumerate(answers):
            if step < len(answer) and bool(left[row, answer[step]].isneginf()):
                raise _barred(answer, step)
    times.steps += steps
    times.tokens += sum(map(len, answers))


def let_through(rule: Any, answers: Ids, vocabulary: int) -> list[int]:
    """Which answers a rule lets through: their places among `answers`."""
    found = []
    for place, answer in enumerate(answers):
        try:
            rule_times(rule, [answer], vocabulary, 1)
        except BarredError:
            continue
        found.append(place)
    return found


def _barred(answer: Sequence[int], place: int) -> BarredError:
    return BarredError(
        f"the rule bars id {answer[place]} of a right answer, after {place} of its {len(answer)}"
    )

"""Answers of a model, in batches or as they grow, and how good they are.

segmenter = Segmenter(model, processor, codec, labels=["dog"])
[reply] = segmenter.answer([Question("1", [image], [{"role": "user", "content": "..."}])])
result = evaluate(model, processor, examples, codec)
print(result.giou, result.invalid_share)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .answer_scores import AnswerScores, EvaluationResult
from .chat import Form, read_answer
from .codec import Codec
from .datasets.pictures import read_picture
from .errors import MaskCodecError
from .examples import Example
from .hf import answer_texts
from .labels import list_labels
from .logits import logits_processor
from .prompts import Message, context_length, end_ids, model_inputs

MAX_NEW_TOKENS = 1_024
"""Ids of an answer, where nothing says more."""

_GREEDY = {
    "do_sample": False,
    "num_beams": 1,
    "temperature": None,
    "top_p": None,
    "top_k": None,
    "use_cache": True,
    # What models' own settings hold against repetition would forbid equal rows of a grid.
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "forced_eos_token_id": None,
    # How long an answer is, its format says.
    "min_length": 0,
    "min_new_tokens": None,
}

_SLACK = 1.5
_SLACK_TOKENS = 16


class ContextError(MaskCodecError):
    """A question that leaves no room for an answer in the model's context."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What a model is asked.

    Attributes:
        id: for whoever asks.
        images: uint8 (height, width, 3) each, RGB; or PIL images.
        messages: the chat so far; the last one is the user's.
        form: how mask text stands in the answer, see `maskcodec.chat`.
    """

    id: str
    images: Sequence[Any]
    messages: Sequence[Message]
    form: Form = "bare"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered.

    Attributes:
        text: the answer, as it was printed.
        tokens: how many ids it is.
        cut: whether the room for it ended before the answer did.
    """

    text: str
    tokens: int
    cut: bool


class Segmenter:
    """Asks a model for masks.

    Args:
        model: of transformers, with or without an adapter.
        processor: of the model.
        codec: that the model was taught.
        labels: that answers may use; None leaves them free.
        constrained: whether answers are kept in the codec's format.
        max_new_tokens: ids of an answer at most; the model's context may leave fewer.

    Attributes:
        least_room: the fewest ids that the context left for an answer so far, where it left fewer
            than `max_new_tokens`; else None.

    Raises:
        EncodeError: `labels` is no list of strings.
        MaskCodecError: the tokenizer lacks or splits tokens of the codec.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        codec: Codec[Any],
        *,
        labels: Sequence[str] | None = None,
        constrained: bool = True,
        max_new_tokens: int = MAX_NEW_TOKENS,
    ) -> None:
        from .added_tokens import token_ids

        token_ids(processor, codec)
        self.model = model
        self.processor = processor
        self.codec = codec
        names = list_labels(labels, codec.name)
        self.labels = None if names is None else tuple(dict.fromkeys(names))
        self.constrained = constrained
        self.max_new_tokens = max_new_tokens
        self.ends = end_ids(model, processor)
        self.least_room: int | None = None
        self._is_pair = bool(getattr(model.config, "is_encoder_decoder", False))

    def answer(self, questions: Sequence[Question]) -> list[Reply]:
        """Answer questions together, the most likely id at every step.

        Raises:
            ContextError: a question leaves no room for an answer.
        """
        replies: list[Reply | None] = [None] * len(questions)
        for form in dict.fromkeys(question.form for question in questions):
            places = [k for k, question in enumerate(questions) if question.form == form]
            found = self._answer([questions[place] for place in places], form)
            for place, reply in zip(places, found, strict=True):
                replies[place] = reply
        return [reply for reply in replies if reply is not None]

    def _answer(self, questions: Sequence[Question], form: Form) -> list[Reply]:
        inputs = self.inputs(questions)
        if self._room(inputs) < self.max_new_tokens and len(questions) > 1:
            # A long question must not take the room of those beside it.
            return [reply for one in questions for reply in self._answer([one], form)]
        options = self.options(inputs, form)
        with _evaluating(self.model):
            output = self.model.generate(**inputs, **options).tolist()
        start = self.answer_start(inputs)
        texts = answer_texts(self.processor, output, prompt_length=start, ends=self.ends)
        return [self._reply(text, row[start:]) for text, row in zip(texts, output, strict=True)]

    def _reply(self, text: str, ids: list[int]) -> Reply:
        ends = [place for place, number in enumerate(ids) if number in self.ends]
        return Reply(text, min(ends, default=len(ids)), cut=not ends)

    def inputs(self, questions: Sequence[Question]) -> dict[str, Any]:
        """What `generate` takes, on the model's device."""
        import torch

        from .overlay import as_rgb

        images = [[_pil(image, as_rgb) for image in one.images] for one in questions]
        found = model_inputs(self.processor, [one.messages for one in questions], images)
        dtype = next(p.dtype for p in self.model.parameters() if p.is_floating_point())
        moved = {}
        for key, value in found.items():
            if isinstance(value, torch.Tensor):
                value = value.to(self.model.device)
                value = value.to(dtype) if value.is_floating_point() else value
            moved[key] = value
        return moved

    def options(self, inputs: dict[str, Any], form: Form) -> dict[str, Any]:
        """Further arguments of `generate`.

        Raises:
            ContextError: the question leaves no room for an answer.
        """
        tokenizer = self.processor.tokenizer
        room = self._room(inputs)
        if room < 1:
            raise ContextError(
                f"the question is {inputs['input_ids'].shape[1]:,} tokens with its image, but the "
                f"model's context is {context_length(self.model):,}: use a smaller image, or a "
                "shorter question"
            )
        if room < self.max_new_tokens:
            self.least_room = min(room, self.least_room or room)
        options: dict[str, Any] = {
            "max_new_tokens": room,
            **_GREEDY,
            "eos_token_id": self.ends,
            "pad_token_id": self.ends[0]
            if tokenizer.pad_token_id is None
            else tokenizer.pad_token_id,
        }
        if self.constrained:
            rule = logits_processor(
                self.codec,
                tokenizer,
                labels=self.labels,
                prompt_length=self.answer_start(inputs),
                ends=self.ends,
                form=form,
            )
            options["logits_processor"] = [rule]
        return options

    def _room(self, inputs: dict[str, Any]) -> int:
        """How many ids an answer may have; below 1 where there is no room."""
        context = context_length(self.model)
        if context is None:
            return self.max_new_tokens
        return min(self.max_new_tokens, context - self.answer_start(inputs))

    def answer_start(self, inputs: dict[str, Any]) -> int:
        """How many ids of what `generate` gives stand before the answer."""
        if not self._is_pair:
            return int(inputs["input_ids"].shape[1])
        # A decoder starts with an id of its own, and with a second one where that is forced.
        return 1 + (self.model.generation_config.forced_bos_token_id is not None)


def evaluate(
    model: Any,
    processor: Any,
    examples: Iterable[Example],
    codec: Codec[Any],
    *,
    labels: Sequence[str] | None = None,
    constrained: bool = True,
    batch: int = 8,
    max_new_tokens: int | None = None,
) -> EvaluationResult:
    """Let a model answer examples, and compare its masks with the right ones.

    Each answer of a conversation is asked for after the right answers before it. The model's mode
    is as before afterwards, and no random number is drawn.

    Args:
        model: see `Segmenter`.
        processor: see `Segmenter`.
        examples: of `maskcodec.examples`; they are held in memory, their images are not.
        codec: that the model was taught; examples must have its spec.
        labels: that answers may use; None takes those of the examples.
        constrained: see `Segmenter`.
        batch: questions at a time.
        max_new_tokens: see `Segmenter`; None takes half as many again as the longest right answer.

    Raises:
        MaskCodecError: no examples, or one of another spec.
        RecordError: an image is missing or of another size.
    """
    rows = list(examples)
    if not rows:
        raise MaskCodecError("there are no examples to evaluate on")
    for example in rows:
        if example.spec != codec.spec:
            raise example.error(f"is {example.spec!r}, but the model speaks {codec.spec!r}", "spec")
    answers = [turn.answer for example in rows for turn in example.turns]
    segmenter = Segmenter(
        model,
        processor,
        codec,
        labels=labels_of(rows) if labels is None else labels,
        constrained=constrained,
        max_new_tokens=max_new_tokens or longest_answer(processor, answers),
    )
    scores = AnswerScores(codec)
    turns = [(example, turn) for example in rows for turn in range(len(example.turns))]
    for start in range(0, len(turns), batch):
        some = turns[start : start + batch]
        replies = segmenter.answer([question_of(example, turn) for example, turn in some])
        for (example, turn), reply in zip(some, replies, strict=True):
            asked = example.turns[turn]
            decoded = read_answer(reply.text, codec, example.size, form=asked.form)
            scores.add(decoded, reply, example, turn)
    return scores.result()


def question_of(example: Example, turn: int) -> Question:
    """The question of one turn of an example, after all that was said before it.

    Raises:
        RecordError: an image is missing, damaged, or (the first one) of another size.
    """
    images = [
        read_picture(path, None if index else example.size)
        for index, path in enumerate(example.image_paths())
    ]
    before = 2 * turn + bool(example.system)
    return Question(
        turn_id(example, turn), images, example.messages[: before + 1], example.turns[turn].form
    )


def turn_id(example: Example, turn: int) -> str:
    """A name for one answer of an example."""
    return example.id if len(example.turns) == 1 else f"{example.id}#{turn + 1}"


def labels_of(examples: Iterable[Example]) -> list[str]:
    """The labels of all right masks, sorted."""
    return sorted({mask.label for one in examples for turn in one.turns for mask in turn.truth})


def longest_answer(processor: Any, answers: Iterable[str]) -> int:
    """Ids to allow for an answer: half as many again as the longest right one, and a few."""
    tokenizer = processor.tokenizer
    lengths = (
        len(tokenizer(answer, add_special_tokens=False, verbose=False)["input_ids"])
        for answer in answers
    )
    return int(_SLACK * max(lengths, default=0)) + _SLACK_TOKENS


@contextlib.contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """A model in eval mode, and as it was afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _pil(image: Any, as_rgb: Any) -> Any:
    from PIL import Image

    return image if isinstance(image, Image.Image) else Image.fromarray(as_rgb(image))

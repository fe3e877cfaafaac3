"""What `bench generate` measures, in order: models, adapters, and tokenizers without a model."""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from maskcodec import get_codec
from maskcodec.codec import Codec
from maskcodec.commands.terminal import say
from maskcodec.devices import check_device
from maskcodec.metrics import iou, union_of
from maskcodec.shipped import TINY, shipped_folder

from .generate_asked import Asked, labels, of_file, of_scenes
from .generate_replay import (
    BarredError,
    Ids,
    Replayer,
    Times,
    answer_ids,
    as_question,
    first_seconds,
    let_through,
    rule_times,
)
from .generate_tokenizer import add_tokens, load, named

VERB = "bench generate"

MODELS = ("tiny", "tiny-masks")
SPECS = (
    "shapetokens:tokens=4,boxes=1",
    "shapetokens:tokens=4,boxes=1,spelling=digits",
    "boxgrid:rows=6",
    "polygon:bins=1000,alphabet=decimal,points=8",
    "text4seg:grid=16",
)

RIGHT, OWN, RULE = "right", "its own", "rule alone"
"""Kinds of results: right answers replayed, a model's own answers, and a rule without a model."""

Name = dict[str, str | int | float]
Figures = dict[str, float | None]
Work = Callable[[], Mapping[str, float | None]]


class Bench:
    """What is measured, in order.

    Args:
        arguments: of the program.

    Attributes:
        left_out: how many right answers a rule barred, so that they were not measured.

    Raises:
        MaskCodecError: a codec or a file can't be used.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.models: list[str] = list(
            arguments.model
            if arguments.model is not None
            else ()
            if arguments.tokenizer
            else MODELS
        )
        self.specs = [str(spec) for spec in arguments.specs or SPECS]
        for spec in self.specs:
            get_codec(spec)
        self.tokenizers = named(arguments.tokenizer)
        if arguments.examples:
            self.asked = of_file(arguments.examples, arguments.count)
        else:
            self.asked = of_scenes(arguments.count, arguments.seed)
        self.batches = list(dict.fromkeys(min(one, len(self.asked)) for one in arguments.batch))
        if self.batches != list(dict.fromkeys(arguments.batch)):
            say(VERB, f"answers asked for: {len(self.asked)}; no batch is larger")
        self.labels = labels(self.asked)
        self.left_out = 0
        self._bare: set[str] = set()
        check_device(self.device)

    def settings(self) -> dict[str, Any]:
        """What decides the figures."""
        source = self.arguments.examples
        return {
            "examples": f"{source}, sha256 {_sha256(source)}" if source else "generated scenes",
            "tokenizers": {
                name: f"sha256 {_sha256(file)}" for name, file in self.tokenizers.items()
            },
            "answers": len(self.asked),
            "repeat": self.arguments.repeat,
            "device": self.device,
            "threads": self.arguments.threads,
        }

    @property
    def device(self) -> str:
        """Where models run."""
        if self.arguments.device != "auto":
            return str(self.arguments.device)
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    def cases(self) -> Iterator[tuple[Name, Work]]:
        """Each measurement's name, and what measures it."""
        if self.arguments.threads:
            import torch

            torch.set_num_threads(self.arguments.threads)
        start_engine()
        for model in self.models:
            yield from self._of_model(model)
        for name, file in self.tokenizers.items():
            for spec in self.specs:
                yield from self._of_tokenizer(name, file, spec)

    def _of_model(self, name: str) -> Iterator[tuple[Name, Work]]:
        from maskcodec.model_files import read_card

        card = read_card(name)
        specs = self.specs if card is None else [card.spec]
        for spec in specs:
            # A model of its own for each codec: its tokens stay in the tables.
            replayer = self._replayer(name, spec, is_taught=card is not None)
            if replayer is None:
                continue
            yield from self._of_replayer(name, spec, replayer)
            if card is None:
                continue
            for held in (False, True):
                for batch in self.batches:
                    way = "held" if held else "free"
                    title: Name = {"kind": OWN, "model": name, "codec": short(spec)}
                    yield (
                        {**title, "batch": batch, "way": way},
                        partial(self.own, replayer, batch, held=held),
                    )

    def _lacks_a_grammar(self, spec: str) -> bool:
        """Whether a codec has none, which is said once."""
        lacks = get_codec(spec).grammar(self.labels) is None
        if lacks and spec not in self._bare:
            self._bare.add(spec)
            say(VERB, f"{spec} is left out: it has no grammar")
        return lacks

    def _replayer(self, name: str, spec: str, *, is_taught: bool) -> Replayer | None:
        from maskcodec import hf

        codec = get_codec(spec)
        if self._lacks_a_grammar(spec):
            return None
        model, processor = hf.load_model(name, device=self.device)
        if not is_taught:
            hf.add_tokens(processor, model, codec)
        return Replayer(model, processor, codec, self.labels)

    def _of_replayer(self, name: str, spec: str, one: Replayer) -> Iterator[tuple[Name, Work]]:
        first: list[float] = []
        for batch in self.batches:
            yield (
                {"kind": RIGHT, "model": name, "codec": short(spec), "batch": batch},
                partial(self.replayed, one, batch, first),
            )

    def replayed(self, one: Replayer, batch: int, first: list[float]) -> Figures:
        """Right answers both ways, the fastest of some rounds that take turns."""
        rows = one.model.get_output_embeddings().weight.shape[0]
        if not first:
            first.append(first_seconds(one.rule, rows, 4))
            one.run(self.asked[:1], 1, held=False)  # what torch does once

        def measure(asked: Sequence[Asked]) -> Figures:
            rounds = [
                (one.run(asked, batch, held=False), one.run(asked, batch, held=True))
                for _ in range(self.arguments.repeat)
            ]
            free = min((pair[0] for pair in rounds), key=lambda times: times.seconds)
            held = min((pair[1] for pair in rounds), key=lambda times: times.seconds)
            return {
                "answers": len(asked),
                "vocabulary": rows,
                "tokens_mask": free.tokens / free.masks,
                "free_mask_seconds": free.seconds / free.masks,
                "held_mask_seconds": held.seconds / held.masks,
                "free_step_ms": 1e3 * free.seconds / free.steps,
                "held_step_ms": 1e3 * held.seconds / held.steps,
                **_rule(held, min(batch, len(asked)), first[0]),
            }

        return self._of_those_let_through(
            measure, self.asked, short(one.codec.spec), one.rule, one.ids(self.asked), rows
        )

    def _of_those_let_through(
        self,
        measure: Callable[[Sequence[Asked]], Figures],
        asked: Sequence[Asked],
        name: str,
        rule: Any,
        answers: Ids,
        rows: int,
    ) -> Figures:
        """What is measured on all answers, or where the rule bars some of them, on the others.

        Raises:
            BarredError: the rule bars all of them.
        """
        try:
            return measure(asked)
        except BarredError as error:
            kept = let_through(rule, answers, rows)
            if not kept:
                raise
            missing = len(asked) - len(kept)
            self.left_out += missing
            say(VERB, f"{name}: {error}; {missing} of {len(asked)} answers are left out")
            return measure([asked[place] for place in kept])

    def own(self, one: Replayer, batch: int, *, held: bool) -> dict[str, float | None]:
        """What an adapter answers by itself."""
        from maskcodec.generation import Segmenter

        longest = max(map(len, one.ids(self.asked)))
        segmenter = Segmenter(
            one.model, one.processor, one.codec, labels=self.labels, constrained=held,
            max_new_tokens=2 * longest,
        )  # fmt: skip
        seconds, texts, tokens = float("inf"), [""], 0
        for _ in range(self.arguments.repeat):
            began = time.perf_counter()
            replies = [
                reply
                for start in range(0, len(self.asked), batch)
                for reply in segmenter.answer(
                    [as_question(asked) for asked in self.asked[start : start + batch]]
                )
            ]
            seconds = min(seconds, time.perf_counter() - began)
            texts, tokens = [r.text for r in replies], sum(r.tokens for r in replies)
        return {
            "mask_seconds": seconds / sum(len(asked.masks) for asked in self.asked),
            "tokens_answer": tokens / len(self.asked),
            **_quality(one.codec, texts, self.asked),
        }

    def _of_tokenizer(self, name: str, file: Path, spec: str) -> Iterator[tuple[Name, Work]]:
        codec = get_codec(spec)
        if self._lacks_a_grammar(spec):
            return
        tokenizer = load(file)
        add_tokens(tokenizer, codec)
        first: list[float] = []
        for batch in self.batches:
            yield (
                {"kind": RULE, "model": name, "codec": short(spec), "batch": batch},
                partial(self.ruled, tokenizer, codec, batch, first),
            )

    def ruled(
        self, tokenizer: Any, codec: Codec[Any], batch: int, first: list[float]
    ) -> dict[str, float | None]:
        """The rule's steps without a model, in the vocabulary of a tokenizer."""
        from maskcodec.logits import logits_processor

        end = len(tokenizer) - 1 if tokenizer.eos_token_id is None else tokenizer.eos_token_id

        def rule(start: int) -> Any:
            return logits_processor(
                codec, tokenizer, labels=self.labels, prompt_length=start, ends=[end]
            )

        rows = len(tokenizer)
        if not first:
            first.append(first_seconds(rule, rows, 4))

        def ids(asked: Sequence[Asked]) -> Ids:
            return [[*answer, end] for answer in answer_ids(tokenizer, codec, asked)]

        def measure(asked: Sequence[Asked]) -> Figures:
            answers = ids(asked)
            rounds = [rule_times(rule, answers, rows, batch) for _ in range(self.arguments.repeat)]
            best = min(rounds, key=lambda times: times.rule)
            return {
                "answers": len(asked),
                "vocabulary": rows,
                "tokens_mask": best.tokens / sum(len(one.masks) for one in asked),
                **_rule(best, min(batch, len(answers)), first[0]),
            }

        name = short(codec.spec)
        return self._of_those_let_through(measure, self.asked, name, rule, ids(self.asked), rows)


def start_engine() -> None:
    """Let the first grammar of the process be nobody's, since it pays for what is loaded once."""
    from maskcodec.logits import logits_processor

    folder = shipped_folder(TINY)
    if folder is None:
        return
    tokenizer = load(folder / "tokenizer.json")
    codec, end = get_codec("boxgrid:rows=2"), len(tokenizer) - 1

    def rule(start: int) -> Any:
        return logits_processor(codec, tokenizer, labels=["a"], prompt_length=start, ends=[end])

    first_seconds(rule, len(tokenizer), 4)


def _rule(times: Times, batch: int, first: float) -> dict[str, float | None]:
    step = times.rule / times.steps
    return {
        "rule_ms": 1e3 * step,
        "rule_row_us": 1e6 * step / batch,
        "rule_share": times.rule / times.seconds,
        "first_ms": 1e3 * first,
    }


def _quality(
    codec: Codec[Any], texts: Sequence[str], asked: Sequence[Asked]
) -> dict[str, float | None]:
    """gIoU of a model's own answers, and the share of those that leave the format."""
    decoded = [
        codec.decode(text, one.size, errors="repair")
        for text, one in zip(texts, asked, strict=True)
    ]
    ious = [
        iou(union_of(found.masks, one.size), union_of(one.masks, one.size))
        for found, one in zip(decoded, asked, strict=True)
    ]
    invalid = sum(bool(found.repairs) for found in decoded) / len(decoded)
    return {"giou": sum(ious) / len(ious), "invalid": invalid}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def short(spec: str) -> str:
    """A spec without the options that it would have anyway."""
    codec = get_codec(spec)
    found = spec
    for option in spec.partition(":")[2].split(","):
        shorter = ",".join(part for part in found.partition(":")[2].split(",") if part != option)
        tried = f"{spec.partition(':')[0]}{':' if shorter else ''}{shorter}"
        if get_codec(tried).spec == codec.spec:
            found = tried
    return found

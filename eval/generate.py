r"""Masks from a model: images and expressions, or the examples of a prepared file.

    python -m maskcodec.eval.generate val.jsonl --model runs/dogs --output out

The same as `maskcodec segment`, whose help says all. First every question is answered and each
answer goes to predictions.jsonl at once, so that a stopped run goes on; then masks, overlays, the
page and the scores are made of that file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from maskcodec.adapter_card import AdapterCard
from maskcodec.codec import Codec
from maskcodec.commands.model_notices import quiet_models
from maskcodec.commands.record_output import RecordOutput
from maskcodec.commands.segment import DESCRIPTION, add_arguments
from maskcodec.commands.terminal import progress, say
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.generation import (
    MAX_NEW_TOKENS,
    ContextError,
    Question,
    Reply,
    Segmenter,
    longest_answer,
)
from maskcodec.model_files import load_model, read_card
from maskcodec.overlay import Rgb
from maskcodec.records import Record, dump_line, read_json, read_records
from maskcodec.refine import NONE, method_spec, read_method
from maskcodec.registry import get_codec
from maskcodec.streaming import stream_masks
from maskcodec.writing import atomic

from . import asked as questions
from .answer_files import AnswerFiles, Said, picture_of, summary, write_overlay
from .asked import Asked

VERB = "segment"
SETTINGS = "run.json"
PREDICTIONS = "predictions.jsonl"


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.eval.generate",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program."""
    try:
        return segment(make_parser().parse_args(argv))
    except MaskCodecError as error:
        say(VERB, str(error))
        return 2


def segment(arguments: argparse.Namespace) -> int:
    """Answer, then write the files; 1 if questions were set aside."""
    run = Run(arguments)
    run.prepare_folder()
    output = RecordOutput(
        arguments.output / PREDICTIONS,
        VERB,
        run.codec.spec,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
    )
    try:
        run.answer(output)
    finally:
        output.close()
    files = AnswerFiles(
        arguments.output,
        run.codec,
        f"maskcodec: {arguments.model}",
        shown=arguments.shown,
        overlays=not arguments.no_overlays,
        refiner=run.refiner,
    )
    result = files.write(run.said())
    if not arguments.quiet or output.aside.count:
        said = summary(result, files.masks) + files.refined_summary()
        say(VERB, said + output.aside.summary())
    return 1 if output.aside.count else 0


class Run:
    """One run: what is asked, of which model, in which format.

    Raises:
        MaskCodecError: the model's spec is not known, or not that of the file or of `--spec`; or
            `--refine` names no method.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.is_file = questions.is_file_of_examples(arguments.input)
        self.card = read_card(arguments.model)
        self.codec = self._codec(self.card)
        self.refiner = read_method(arguments.refine, self.codec)
        self.labels = questions.read_labels(arguments.labels)
        self.room = arguments.max_new_tokens
        self.total = 0
        self._answers: tuple[str, ...] = ()
        if self.is_file:
            facts = questions.facts(self.asked())
            self.total, self._answers = facts.count, facts.answers
            # Without a single label, "none" would be all that an answer may say.
            self.labels = list(facts.labels) or None if self.labels is None else self.labels
        else:
            self.total = sum(1 for _ in self.asked())

    def _codec(self, card: AdapterCard | None) -> Codec[Any]:
        name = self.arguments.input[0]
        given = self.arguments.spec
        if card is not None and given is not None:
            card.check_spec(given, "--spec")
        spec = card.spec if card is not None else given
        if self.is_file:
            first = questions.first_example(name)
            if card is not None:
                card.check_spec(first.spec, f"{name}:{first.line}")
            spec = spec or first.spec
        if spec is None:
            raise MaskCodecError(
                f"{self.arguments.model} has no maskcodec.json: say by --spec which codec the "
                "model was trained to print"
            )
        return get_codec(spec)

    def asked(self) -> Iterator[Asked | RecordError]:
        """All questions, in order."""
        arguments = self.arguments
        if self.is_file:
            limit = arguments.limit
            return questions.from_file(arguments.input[0], self.codec.spec, arguments.form, limit)
        form = arguments.form or (self.card.form if self.card is not None else "bare")
        found = questions.from_images(arguments.input, arguments.question, form)
        return iter(found[: arguments.limit])

    def prepare_folder(self) -> None:
        """Make the folder, and hold the run against an earlier one that it goes on with.

        Raises:
            RecordError: the folder has files that may not be replaced, or of another run.
        """
        folder = self.arguments.output
        if folder.exists() and not folder.is_dir():
            raise RecordError("is a file, expected a folder", file=str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / SETTINGS
        own = questions.settings(self.arguments, self.codec.spec, self.labels)
        own["refine"] = method_spec(self.refiner)
        if self.arguments.resume and path.exists():
            earlier = read_json(path)
            if isinstance(earlier, dict):
                earlier.setdefault("refine", NONE)  # of a run from before there was refinement
            if earlier != own:
                differs = [key for key in own if not _is(earlier, key, own[key])]
                raise RecordError(
                    f"is of a run with another {', '.join(differs)}; give the same, or another "
                    "--output",
                    file=str(path),
                )
        elif any(folder.iterdir()) and not (self.arguments.overwrite or self.arguments.resume):
            raise RecordError(
                "holds files already; give a new folder, --resume or --overwrite", file=str(folder)
            )
        with atomic(path) as stream:
            stream.write(json.dumps(own, indent=1).encode("ascii") + b"\n")

    def answer(self, output: RecordOutput) -> None:
        """Answer every question that no earlier run has answered."""
        waiting: list[Asked] = []
        bar = progress(self.total, "answers", quiet=self.arguments.quiet)
        segmenter: Segmenter | None = None
        with bar, quiet_models():
            for one in self._open(output, bar):
                segmenter = segmenter or self._load()
                if self.arguments.stream:
                    self._stream(segmenter, one, output)
                    bar.update()
                    continue
                waiting.append(one)
                if len(waiting) == self.arguments.batch:
                    self._batch(segmenter, waiting, output, bar)
                    waiting = []
            if segmenter is not None and waiting:
                self._batch(segmenter, waiting, output, bar)
        if segmenter is not None and segmenter.least_room is not None:
            say(
                VERB,
                f"warning: the model's context left room for {segmenter.least_room:,} tokens, "
                f"fewer than the {segmenter.max_new_tokens:,} that answers may need",
            )

    def _open(self, output: RecordOutput, bar: Any) -> Iterator[Asked]:
        for one in self.asked():
            if isinstance(one, RecordError):
                output.aside.add(one)
            elif output.is_done(one.file, one.id):
                bar.update()
            elif output.is_twice(one.id):
                error = RecordError(f"{one.id!r} is the id of an earlier line too", file=one.file)
                output.aside.add(error, one.id)
            else:
                yield one

    def _load(self) -> Segmenter:
        arguments = self.arguments
        model, processor = load_model(arguments.model, device=arguments.device)
        room = self.room
        if room is None:
            room = longest_answer(processor, self._answers) if self._answers else MAX_NEW_TOKENS
        return Segmenter(
            model,
            processor,
            self.codec,
            labels=self.labels,
            constrained=not arguments.free,
            max_new_tokens=room,
        )

    def _batch(
        self, segmenter: Segmenter, batch: list[Asked], output: RecordOutput, bar: Any
    ) -> None:
        able, asked = [], []
        for one in batch:
            try:
                asked.append(one.question())
                able.append(one)
            except RecordError as error:
                output.aside.add(error, one.id)
        for one, reply in zip(able, _answers(segmenter, asked), strict=True):
            if isinstance(reply, ContextError):
                output.aside.add(one.error(str(reply)), one.id)
            else:
                output.write(_line(one, reply, self.codec.spec))
        bar.update(len(batch))

    def _stream(self, segmenter: Segmenter, one: Asked, output: RecordOutput) -> None:
        """Answer one question while its overlay is written anew at every step."""
        try:
            question = one.question()
        except RecordError as error:
            output.aside.add(error, one.id)
            return
        image = picture_of(one)
        path = self.arguments.output / "now.png"
        try:
            self._steps(segmenter, one, question, image, path, output)
        except ContextError as error:
            output.aside.add(one.error(str(error)), one.id)

    def _steps(
        self,
        segmenter: Segmenter,
        one: Asked,
        question: Question,
        image: Rgb,
        path: Path,
        output: RecordOutput,
    ) -> None:
        for step in stream_masks(segmenter, question, one.size):
            write_overlay(path, image, step.answer.masks)
            if not self.arguments.quiet:
                pixels = sum(mask.area for mask in step.answer.masks)
                masks = len(step.answer.labels)
                said = f"{step.tokens} tokens: {masks} masks, {pixels:,} pixels"
                say(VERB, f"{one.id}: {said}{', done' * step.done}; {path}")
            if step.done:
                output.write(_line(one, Reply(step.text, step.tokens, step.cut), self.codec.spec))

    def said(self) -> Iterator[Said]:
        """Every question that is answered, with its answer."""
        replies = dict(_replies(self.arguments.output / PREDICTIONS))
        for one in self.asked():
            if isinstance(one, Asked) and one.id in replies:
                yield Said(one, replies.pop(one.id))


def _answers(segmenter: Segmenter, asked: Sequence[Question]) -> Sequence[Reply | ContextError]:
    """All at once; one by one where one of them has no room."""
    try:
        return segmenter.answer(asked) if asked else []
    except ContextError as error:
        if len(asked) == 1:
            return [error]
        return [reply for one in asked for reply in _answers(segmenter, [one])]


def _is(settings: Any, key: str, value: Any) -> bool:
    return isinstance(settings, dict) and settings.get(key) == value


def _line(one: Asked, reply: Reply, spec: str) -> bytes:
    return dump_line(
        {
            "id": one.id,
            "image": one.image,
            "size": list(one.size),
            "spec": spec,
            "form": one.form,
            "question": one.text,
            "text": reply.text,
            "tokens": reply.tokens,
            "cut": reply.cut,
        }
    )


def _replies(path: Path) -> Iterator[tuple[str, Reply]]:
    if not path.exists() or not path.stat().st_size:
        return
    for record in read_records(path):
        if isinstance(record, RecordError):
            raise record
        yield record.text("id"), _reply(record)


def _reply(record: Record) -> Reply:
    cut = cast(bool, record.get("cut", False)) is True
    return Reply(record.raw_text("text"), record.whole("tokens", 0), cut)


if __name__ == "__main__":
    sys.exit(main())

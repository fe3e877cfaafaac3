"""One process of a run, from reading examples to the finished adapter."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback
from trl import SFTConfig

from maskcodec import MaskCodecError, get_codec
from maskcodec.commands.set_aside import SetAside
from maskcodec.commands.terminal import say
from maskcodec.commands.train_options import TrainOptions

from . import checkpoints
from .batches import Collator
from .evaluation import Evaluator
from .lora import INTERRUPTED, VERB, is_first
from .mask_loss import MaskLoss
from .mask_trainer import Losses, MaskTrainer
from .run_log import RunLog
from .run_parts import Parts, computes_in_half, load_parts, trained
from .schedule import Schedule
from .training_set import read_all, tokenized, with_images
from .watch import Watch, resume_command

ENDLESS = 10**9
"""Steps of a run that only the clock ends."""


@dataclass
class Run:
    """One process of a run.

    Attributes:
        options: of the run.
        output: its folder.
        start: the checkpoint that it goes on from; None for none.
        quiet: no bar and no summary.
        counts_evaluations: whether --minutes counts the time of evaluations too.
    """

    options: TrainOptions
    output: Path
    start: Path | None
    quiet: bool = False
    counts_evaluations: bool = True

    def train(self) -> int:
        """All of it; returns the exit status."""
        options = self.options
        if options.threads:
            torch.set_num_threads(options.threads)
        aside = SetAside(self.output / checkpoints.REJECTED if is_first() else None, VERB)
        if not is_first():
            aside.add = lambda *_: None  # type: ignore[method-assign]
        try:
            parts = self._prepare(aside)
        finally:
            aside.close()
        memory = self._memory()
        schedule = self._schedule(len(parts.examples), memory)
        step = int(self.start.name.rpartition("-")[2]) if self.start else 0
        if is_first() and not self.start:
            checkpoints.clear(self.output)  # not before: a run that can't start costs no other
        log = RunLog(self.output, step, *self._about(parts)) if is_first() else None
        evaluator = Evaluator(options, parts) if options.val else None
        watch = Watch(options, schedule, log, evaluator, memory, quiet=self.quiet)
        trainer = self._trainer(parts, schedule, watch)
        if is_first():
            if not self.start:
                checkpoints.write_run(self.output, options, checkpoints.facts(options))
            if not self.quiet:
                self._say_start(parts, schedule)
        try:
            trainer.train(resume_from_checkpoint=str(self.start) if self.start else None)
            if log is not None:
                log.draw()
        finally:
            if log is not None:
                log.close()
        if watch.interrupted:
            if is_first():
                say(VERB, f"stopped; go on with: {resume_command(self.output)}")
            return INTERRUPTED
        if log is not None:
            self._finish(trainer, log.figures(), parts, aside)
        return 1 if aside.count else 0

    def _about(self, parts: Parts) -> tuple[str, dict[str, Any]]:
        """Title and facts of the report."""
        title = f"LoRA on {Path(self.options.model).name}: {parts.codec.spec}"
        facts: dict[str, Any] = {
            "examples": len(parts.examples),
            "tokens of an answer": round(parts.lengths.mean_answer, 1),
            "weights trained": trained(parts.model),
        }
        return title, facts | self.options.changed()

    def _memory(self) -> dict[str, Any]:
        return checkpoints.memory_of(self.start) if self.start else {}

    def _prepare(self, aside: SetAside) -> Parts:
        """Read and check everything, then make the model ready."""
        options = self.options
        found = read_all(options.data, options.spec, aside.add)
        codec = get_codec(found[0].spec)
        examples = with_images(found, aside.add)
        if not examples:
            raise MaskCodecError("no example has its images; are they where the file says?")
        parts = load_parts(options, codec)
        kept, answered, lengths = tokenized(
            examples, parts.answers, parts.images, parts.context, aside.add
        )
        if not kept:
            raise MaskCodecError(
                f"no example fits the model's context of {parts.context:,} tokens; take a shorter "
                "spec, or another model"
            )
        parts.examples, parts.answered, parts.lengths = kept, answered, lengths
        if all(turn.form == "tagged" for example in kept for turn in example.turns):
            parts.card = dataclasses.replace(parts.card, form="tagged")
        if options.val:
            held = read_all([options.val], codec.spec, aside.add, "--data")
            parts.held = with_images(held, aside.add)
        return parts

    def _schedule(self, count: int, memory: Mapping[str, Any]) -> Schedule:
        options = self.options
        world = int(os.environ.get("WORLD_SIZE", "1"))
        each = options.batch_size * options.accumulate * world
        passes = options.epochs or (0 if options.steps or options.minutes else 3)
        steps = [options.steps, int(-(-count // each) * passes)]
        return Schedule(
            options.schedule,
            options.warmup,
            min((number for number in steps if number), default=ENDLESS),
            options.minutes * 60,
            float(memory.get("spent", 0.0)),
            float(memory.get("evaluating", 0.0)),
            self.counts_evaluations,
        )

    def _trainer(self, parts: Parts, schedule: Schedule, watch: Watch) -> MaskTrainer:
        options = self.options
        masks = None
        if options.iou_weight or options.box_iou_weight:
            masks = MaskLoss(
                parts.codec,
                parts.processor.tokenizer,
                options.iou_weight,
                options.box_iou_weight,
            )
        half = computes_in_half(options)
        config = SFTConfig(
            str(self.output),
            max_steps=schedule.steps,
            per_device_train_batch_size=options.batch_size,
            gradient_accumulation_steps=options.accumulate,
            learning_rate=options.lr,
            weight_decay=options.weight_decay,
            max_grad_norm=options.clip,
            use_cpu=parts.device == "cpu",
            bf16=half,
            gradient_checkpointing=options.gradient_checkpointing,
            max_length=None,
            remove_unused_columns=False,
            dataloader_pin_memory=parts.device != "cpu",
            seed=options.seed,
            save_strategy="no",
            save_total_limit=options.keep,
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = MaskTrainer(
            model=parts.model,
            args=config,
            train_dataset=Dataset.from_dict(
                {
                    "images": [list(example.images) for example in parts.examples],
                    "row": list(range(len(parts.examples))),
                }
            ),
            data_collator=Collator(
                parts.examples,
                parts.answered,
                parts.images,
                parts.pad,
                objects=masks.objects if masks else None,
                limit=parts.context,
            ),
            processing_class=parts.processor,
            callbacks=[watch],
            losses=Losses(parts.answers.soft.tables, masks),
            schedule=schedule,
            token_rate=options.token_lr or options.lr,
            card=parts.card,
            memory=watch.memory,
        )
        trainer.remove_callback(PrinterCallback)
        watch.trainer = trainer
        return trainer

    def _say_start(self, parts: Parts, schedule: Schedule) -> None:
        whole = sum(one.numel() for one in parts.model.parameters())
        lengths = parts.lengths
        length = f"{schedule.steps:,} steps" if schedule.steps < ENDLESS else ""
        if schedule.seconds:
            length += f"{' or ' if length else ''}{schedule.seconds / 60:g} minutes"
        say(
            VERB,
            f"{len(parts.examples):,} examples of {parts.codec.spec}; answers of "
            f"{lengths.mean_answer:.0f} tokens, at most {lengths.longest:,} with the image "
            f"(context {parts.context:,}); {trained(parts.model):,} of {whole:,} weights; {length}",
        )

    def _finish(
        self, trainer: MaskTrainer, figures: dict[str, Any], parts: Parts, aside: SetAside
    ) -> None:
        trainer.card = dataclasses.replace(parts.card, figures=figures)
        trainer.save_adapter(self.output)
        if not self.quiet:
            shown = ", ".join(f"{name} {value:g}" for name, value in figures.items())
            say(VERB, f"adapter: {self.output}{f' ({shown})' if shown else ''}{aside.summary()}")

"""What watches a run: its log, its clock, evaluation by decoding, checkpoints and Ctrl-C."""

from __future__ import annotations

import math
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from maskcodec import MaskCodecError
from maskcodec.commands.terminal import progress
from maskcodec.commands.train_options import TrainOptions

from .run_log import RunLog
from .schedule import Schedule

SAVE_SECONDS = 600.0
"""From one checkpoint to the next where no number of steps is given."""

Evaluate = Callable[[], Mapping[str, float]]


class Watch(TrainerCallback):  # type: ignore[misc]
    """Follows a run from step to step.

    Args:
        options: of the run.
        schedule: its length.
        log: its log; None in a process that writes nothing.
        evaluate: answers questions and measures; None where there is no --val.
        memory: what an earlier process remembered.

    Attributes:
        trainer: the trainer that is watched; set it before training.
        interrupted: whether Ctrl-C stopped the run.
    """

    def __init__(
        self,
        options: TrainOptions,
        schedule: Schedule,
        log: RunLog | None,
        evaluate: Evaluate | None,
        memory: Mapping[str, Any],
        *,
        quiet: bool,
    ) -> None:
        self.options = options
        self.schedule = schedule
        self.run_log = log
        self.evaluate = evaluate
        self.quiet = quiet
        self.trainer: Any = None
        self.interrupted = False
        self._pending: dict[str, float] = dict(memory.get("pending", {}))
        self._steps = int(memory.get("steps", 0))
        self._saved_at = schedule.elapsed
        self._evaluated_at = -1
        self._bar: Any = None
        self._before: Any = None

    def memory(self) -> dict[str, Any]:
        """What the next process must know to go on with the log and the clock."""
        return {
            "pending": self._pending,
            "steps": self._steps,
            "spent": self.schedule.elapsed,
            "evaluating": self.schedule.evaluating,
        }

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock and the bar, and listen to Ctrl-C."""
        self.schedule.begin()
        if state.is_world_process_zero:
            total = self.options.steps or (None if self.schedule.seconds else self.schedule.steps)
            self._bar = progress(total, "steps", quiet=self.quiet)
            self._bar.update(state.global_step)
        if threading.current_thread() is threading.main_thread():
            self._before = {
                number: signal.signal(number, self._stop)
                for number in (signal.SIGINT, signal.SIGTERM)
            }

    def _stop(self, number: int, frame: Any) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        print("\nsaving a checkpoint; once more to stop without", file=sys.stderr)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log, evaluate, and say whether to save or to stop."""
        trainer = self.trainer
        for name, value in trainer.parts.items():
            self._pending[name] = self._pending.get(name, 0.0) + value
        trainer.parts.clear()
        self._steps += 1
        step = state.global_step
        if self._bar is not None:
            self._bar.update()
        last = step >= state.max_steps
        stop, save = self._agreed(
            self.interrupted or self.schedule.is_over,
            self.interrupted or (not self.options.save_steps and self._save_is_due()),
        )
        if self.options.save_steps and step % self.options.save_steps == 0:
            save = True
        if step % self.options.log_steps == 0 or last or (stop and not self.interrupted):
            self._log(step)
        due = self.options.eval_steps and step % self.options.eval_steps == 0
        if self.evaluate and not self.interrupted and (due or last or stop):
            self._evaluate(step)
        if stop:
            control.should_training_stop = True
        if save:
            control.should_save = True
            self._saved_at = self.schedule.elapsed

    def _save_is_due(self) -> bool:
        return self.schedule.elapsed - self._saved_at >= SAVE_SECONDS

    def _agreed(self, stop: bool, save: bool) -> tuple[bool, bool]:
        """The same answer in all processes: what any of them wants."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return stop, save
        import torch

        wishes = torch.tensor([stop, save], dtype=torch.float32, device=accelerator.device)
        stop, save = (accelerator.reduce(wishes, "sum") > 0).tolist()
        self.interrupted = self.interrupted or (stop and not self.schedule.is_over and save)
        return stop, save

    def _log(self, step: int) -> None:
        parts = {name: value / self._steps for name, value in sorted(self._pending.items())}
        parts = self._mean(parts)
        rate = self.trainer.lr_scheduler.get_last_lr()[0]
        self._pending.clear()
        self._steps = 0
        loss = sum(parts.values())
        if not math.isfinite(loss):
            raise MaskCodecError(
                f"the loss is {loss} at step {step}: take a lower --lr, or --precision fp32; "
                "checkpoints before it are whole"
            )
        if self.run_log is None:
            return
        self.run_log.add(
            {
                "step": step,
                "loss": loss,
                **(parts if len(parts) > 1 else {}),
                "lr": rate,
                "seconds": round(self.schedule.elapsed, 2),
            }
        )
        self._bar.set_postfix_str(f"loss {loss:.3f}{self.run_log.last_giou()}", refresh=False)

    def _mean(self, parts: dict[str, float]) -> dict[str, float]:
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1 or not parts:
            return parts
        import torch

        values = torch.tensor(list(parts.values()), device=accelerator.device)
        means = accelerator.reduce(values, "mean").tolist()
        return dict(zip(parts, means, strict=True))

    def _evaluate(self, step: int) -> None:
        if self._evaluated_at == step:
            return
        self._evaluated_at = step
        trained = self.schedule.training
        with self.schedule.evaluation():
            if self.run_log is not None and self.evaluate is not None:
                figures = self.evaluate()
                self.run_log.add(
                    {
                        "step": step,
                        **figures,
                        "seconds": round(self.schedule.elapsed, 2),
                        "training_seconds": round(trained, 2),
                    }
                )
                self.run_log.draw()
            self.trainer.accelerator.wait_for_everyone()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Give Ctrl-C back."""
        if self._bar is not None:
            self._bar.close()
        for number, handler in (self._before or {}).items():
            signal.signal(number, handler)


def resume_command(output: Path) -> str:
    """What goes on with a run."""
    import shlex

    return f"maskcodec train --resume --output {shlex.quote(str(output))}"

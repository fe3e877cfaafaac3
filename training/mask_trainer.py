"""TRL's `SFTTrainer` with a loss that weighs tokens; imports torch, transformers and TRL."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft.utils.other import TrainableTokensWrapper
from transformers import Trainer
from trl import SFTTrainer

from maskcodec.adapter_card import AdapterCard

from . import checkpoints
from .answers import IGNORED
from .batches import EXTRAS
from .mask_loss import MaskLoss
from .schedule import Schedule
from .token_loss import Neighbours, token_losses

if not hasattr(TrainableTokensWrapper, "bias"):
    # TRL's fused head asks the head for its bias, which the wrapper of trained rows doesn't have.
    TrainableTokensWrapper.bias = None


@dataclass(frozen=True, eq=False)
class Losses:
    """What the loss is made of, beside the batch's own weights.

    Attributes:
        tables: of soft targets.
        masks: the loss on masks and boxes; None for none.
    """

    tables: Sequence[Neighbours]
    masks: MaskLoss | None


class MaskTrainer(SFTTrainer):  # type: ignore[misc]
    """Trains on the batches of `Collator`; everything else is TRL's.

    Args:
        losses: see `Losses`.
        schedule: of the learning rate.
        token_rate: learning rate of the rows of added tokens.
        card: goes beside every adapter that is saved.
        memory: what a checkpoint must remember; called when one is saved.
        **kwargs: of `SFTTrainer`.
    """

    optimizer: Any
    lr_scheduler: Any

    def __init__(
        self,
        *,
        losses: Losses,
        schedule: Schedule,
        token_rate: float,
        card: AdapterCard,
        memory: Callable[[], Mapping[str, Any]],
        **kwargs: Any,
    ) -> None:
        self.losses = losses
        self.schedule = schedule
        self.token_rate = token_rate
        self.card = card
        self.memory = memory
        super().__init__(**kwargs)
        self.model_accepts_loss_kwargs = True  # so that the labels of a whole step are counted
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        self._keeps = "logits_to_keep" in inspect.signature(type(base).forward).parameters
        self._tables: list[tuple[torch.Tensor, torch.Tensor]] | None = None
        self.parts: dict[str, float] = {}

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """Weighted cross-entropy of the answers' tokens, plus the loss on masks.

        Weights have a mean of 1 in every example, so that dividing by the number of labels, as
        transformers counts them over all passes and devices of a step, gives their weighted mean.
        """
        extras = {name: inputs[name] for name in EXTRAS if name in inputs}
        model_inputs = {name: value for name, value in inputs.items() if name not in EXTRAS}
        labels = extras["labels"]
        learned = labels != IGNORED
        kept = learned.any(dim=0).nonzero().squeeze(1) - 1
        if self._keeps:
            model_inputs["logits_to_keep"] = kept
        outputs = model(**model_inputs, use_cache=False)
        logits = outputs.logits if self._keeps else outputs.logits[:, kept]
        mine = learned[:, kept + 1]
        losses = token_losses(
            logits[mine].float(),
            labels[:, kept + 1][mine],
            self._on(logits.device),
            extras["table"][:, kept + 1][mine],
            extras["row"][:, kept + 1][mine],
        )
        weighted = (losses * extras["weights"][:, kept + 1][mine]).sum()
        count = mine.sum() if num_items_in_batch is None else num_items_in_batch
        loss = weighted / count
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        self._note("token_loss", loss)
        if self.losses.masks is not None:
            column = torch.zeros(labels.shape[1] + 1, dtype=torch.long, device=logits.device)
            column[kept + 1] = torch.arange(len(kept), device=logits.device)
            extra = self.losses.masks(logits.float(), column, extras.get("objects", []))
            extra = extra / self.current_gradient_accumulation_steps
            self._note("mask_loss", extra)
            loss = loss + extra
        return (loss, outputs) if return_outputs else loss

    def _note(self, name: str, value: torch.Tensor) -> None:
        self.parts[name] = self.parts.get(name, 0.0) + float(value.detach())

    def _on(self, device: torch.device) -> list[tuple[torch.Tensor, torch.Tensor]]:
        if self._tables is None:
            self._tables = [
                (torch.from_numpy(one.ids).to(device), torch.from_numpy(one.shares).to(device))
                for one in self.losses.tables
            ]
        return self._tables

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        objects = inputs.pop("objects", None)
        prepared: dict[str, Any] = super()._prepare_inputs(inputs)
        if objects is not None:
            prepared["objects"] = objects
        return prepared

    def create_optimizer(self, *args: Any, **kwargs: Any) -> Any:
        """AdamW, with a learning rate of their own for the rows of added tokens."""
        if self.optimizer is None:
            rows: list[torch.nn.Parameter] = []
            others: list[torch.nn.Parameter] = []
            for name, parameter in self.model.named_parameters():
                if parameter.requires_grad:
                    (rows if "trainable_tokens" in name else others).append(parameter)
            groups = [{"params": others, "weight_decay": self.args.weight_decay}]
            if rows:
                groups.append({"params": rows, "lr": self.token_rate, "weight_decay": 0.0})
            fused = self.args.device.type == "cuda"
            self.optimizer = torch.optim.AdamW(groups, lr=self.args.learning_rate, fused=fused)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """The schedule, which may follow the clock."""
        if self.lr_scheduler is None:
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, self.schedule.rate
            )
        return self.lr_scheduler

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Nothing: `Watch` keeps the log, so that a run that goes on has the same one."""

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """Not counted: it would look at every parameter in every step."""
        return 0

    def save_adapter(self, folder: Path) -> None:
        """Write the adapter, what belongs to it, and its card."""
        folder.mkdir(parents=True, exist_ok=True)
        model = self.accelerator.unwrap_model(self.model)
        model.save_pretrained(folder, save_embedding_layers=False)
        _sort_config(folder / "adapter_config.json")
        with contextlib.suppress(FileNotFoundError):
            (folder / "README.md").unlink()  # a form without any content
        self.processing_class.save_pretrained(folder)
        self.card.write(folder)

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.save_adapter(Path(output_dir or self.args.output_dir))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        Trainer._save_checkpoint(self, model, trial)  # without TRL's model card
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
            checkpoints.complete(folder, self.memory())


def _sort_config(path: Path) -> None:
    """Make PEFT's file the same in every run: it writes sets in the order of their hashes."""
    config = json.loads(path.read_bytes())
    ordered = {
        key: sorted(value) if isinstance(value, list) and _are_texts(value) else value
        for key, value in sorted(config.items())
    }
    path.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


def _are_texts(values: Sequence[Any]) -> bool:
    return all(isinstance(value, str) for value in values)

"""Evaluation while training: questions answered by decoding, without a trace in the run."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from maskcodec.commands.train_options import TrainOptions

from .training_set import spread


class Evaluator:
    """Answers questions of held-out examples and measures the masks.

    Args:
        options: of the run.
        parts: what the run works with: a codec, a model, its processor, and examples `held` back.
    """

    def __init__(self, options: TrainOptions, parts: Any) -> None:
        self.options = options
        self.parts = parts
        self.examples = spread(parts.held, options.eval_examples)

    def __call__(self) -> dict[str, float]:
        """gIoU, the share of invalid answers, and how long it took in seconds."""
        from maskcodec.generation import evaluate

        began = time.monotonic()
        with as_it_was(self.parts.model):
            found = evaluate(
                self.parts.model,
                self.parts.processor,
                self.examples,
                self.parts.codec,
                batch=self.options.eval_batch,
                constrained=not self.options.free,
            )
        return {
            "giou": float(found.giou or 0.0),
            "ceiling_giou": float(found.ceiling_giou or 0.0),
            "invalid_share": float(found.invalid_share),
            "eval_seconds": round(time.monotonic() - began, 2),
        }


@contextlib.contextmanager
def as_it_was(model: torch.nn.Module) -> Iterator[None]:
    """Evaluate a model, and leave it and all random numbers as they were."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    graphics = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])
        if graphics is not None:
            torch.cuda.set_rng_state_all(graphics)

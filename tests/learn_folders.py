"""Folders of `maskcodec bench learn` with trainings that nobody ran, for its tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.learn_plan import Settings, Training
from benchmarks.learn_runs import Processes, Runs

BOXES, RUNS = "boxgrid:rows=6", "coco_rle"

SETTINGS = Settings(
    model="tiny", train="scenes:8", val="scenes:4", test="scenes:4", batch_size=10,
    rates=(0.001, 0.01), token_rate=5.0, sweep_steps=2, steps=4, minutes=0.0, eval_steps=2,
    eval_examples=4, train_options="--rank 4", as_it_is=True,
)  # fmt: skip

ANSWERS = {
    "giou": 0.5, "ciou": 0.5, "hits": 0.5, "ceiling_giou": 0.9, "invalid_share": 0.0,
    "cut_share": 0.0, "mean_tokens": 9.0,
}  # fmt: skip
FIGURES = {
    "schema": 1, "watched": 4, "parameters": 1000, "prompt_tokens": 70.0, "answer_tokens": 29.0,
    "answer_p95": 30, "answer_max": 31, "constrained": ANSWERS,
    "free": ANSWERS | {"giou": 0.4, "invalid_share": 0.25},
}  # fmt: skip


class Recorder(Processes):
    """Starts nothing, and knows what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []

    def run(self, arguments: Sequence[str], log: Path, made: Path) -> None:
        self.asked.append(list(arguments))


def runs_of(folder: Path, jobs: int = 1, **changed: Any) -> Runs:
    settings = Settings(**(SETTINGS.fields() | changed))
    return Runs(folder, settings, jobs, 1, Recorder())


def asked(runs: Runs) -> list[list[str]]:
    assert isinstance(runs.processes, Recorder)
    return runs.processes.asked


def fabricate(runs: Runs, training: Training, gious: Sequence[float], loss: float = 1.0) -> Path:
    """A training that came to its end, with a point every two steps, and no final figures."""
    folder = runs.output(training)
    folder.mkdir(parents=True)
    lines = []
    for index, giou in enumerate(gious, 1):
        lines.append({"step": 2 * index, "loss": loss / index, "lr": 0.1, "seconds": 20.0 * index})
        lines.append(
            {"step": 2 * index, "giou": giou, "ceiling_giou": 0.8, "invalid_share": 0.1,
             "eval_seconds": 10.0, "seconds": 20.0 * index + 10}
        )  # fmt: skip
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "maskcodec.json").write_text("{}")
    return folder


def write_figures(path: Path, **changed: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(FIGURES | changed))

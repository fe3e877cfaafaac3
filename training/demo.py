"""From nothing to predicted masks: prepare, train and segment with the tiny model, on the CPU.

    python -m maskcodec.training.demo --output demo/lora

Runs the commands that anyone would run, prints each, and makes one page of what came out: unseen
scenes with the right masks, those of the adapter that was trained just now, and those of the one
that ships with the package, which was trained longer; the curves; and the scores beside what the
codec alone keeps and what the untrained model prints.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError, get_codec
from maskcodec.chat import read_answer
from maskcodec.commands.terminal import say
from maskcodec.datasets.pictures import read_picture
from maskcodec.errors import RecordError
from maskcodec.examples import read_examples
from maskcodec.metrics import iou, union_of
from maskcodec.records import read_records
from maskcodec.sheet import Answer, Example, Group, Table, write_sheet
from maskcodec.shipped import TINY, TINY_MASKS, shipped_folder
from maskcodec.writing import atomic

from . import loss_curves

VERB = "demo"
NEW, SHIPPED = "new", "shipped"
TITLES = {NEW: "trained just now", SHIPPED: "shipped, trained longer"}

SPEC = "shapetokens:tokens=4,boxes=1"
PREDICTIONS = "predictions.jsonl"

RECIPE = ("--batch-size", "32", "--lr", "2e-3", "--token-lr", "1e-2", "--soft-bins", "8")
"""How to train on the tiny model; docs/learning.md says what was tried."""

TRAIN_SEED, VAL_SEED, TEST_SEED = 2, 3, 4
"""Seeds of scenes; the base model was taught with seed 0 and measured with 1."""


def make_parser() -> argparse.ArgumentParser:
    """The options of the program."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.training.demo", description=str(__doc__).split("\n")[0]
    )
    parser.add_argument("--output", "-o", type=Path, default=Path("demo/lora"), metavar="DIR")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training (default: 5)")
    parser.add_argument("--scenes", type=int, default=6000, help="to train on (default: 6000)")
    parser.add_argument("--test", type=int, default=200, help="unseen scenes (default: 200)")
    parser.add_argument("--shown", type=int, default=40, help="answers on the page (default: 40)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run everything; what an earlier run wrote into the folder is replaced, nothing else."""
    options = make_parser().parse_args(argv)
    try:
        demo = Demo(options)
        demo.prepare()
        demo.train()
        demo.segment()
        demo.score()
        demo.report()
    except MaskCodecError as error:
        say(VERB, str(error))
        return 2
    except KeyboardInterrupt:
        say(VERB, "interrupted")
        return 130
    return 0


@dataclass
class Demo:
    """The demo of one output folder."""

    options: argparse.Namespace

    def __post_init__(self) -> None:
        self.folder: Path = self.options.output
        self.codec = get_codec(SPEC)

    def prepare(self) -> None:
        """Scenes to train on, to watch, and to test with."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = self.options
        parts = (("train", options.scenes), ("val", 100), ("test", options.test))
        for (name, count), seed in zip(parts, (TRAIN_SEED, VAL_SEED, TEST_SEED), strict=True):
            path = str(self.folder / f"{name}.jsonl")
            self._run("prepare", f"scenes:{count}", "--scene", "tiny", "--tasks", "referring",
                      "--spec", SPEC, "--seed", str(seed),
                      "--tokenizer", TINY, "--overwrite", "-o", path)  # fmt: skip

    def train(self) -> None:
        """LoRA on the tiny model."""
        self._run("train", "--model", TINY, "--data", str(self.folder / "train.jsonl"),
                  "--val", str(self.folder / "val.jsonl"), "--minutes", str(self.options.minutes),
                  *RECIPE, "--eval-steps", "100",
                  "--overwrite", "-o", self._adapter(NEW))  # fmt: skip

    def segment(self) -> None:
        """Answers of both adapters, in the codec's format and free."""
        for name in TITLES:
            for free in ([], ["--free"]):
                output = self._answers(name, free=bool(free))
                self._run("segment", str(self.folder / "test.jsonl"), "--batch", "32",
                          "--model", self._adapter(name), *free, "--no-overlays",
                          "--overwrite", "-o", str(output))  # fmt: skip

    def score(self) -> None:
        """Both adapters side by side, on the same questions."""
        new, shipped = (str(self._answers(name, free=False) / PREDICTIONS) for name in TITLES)
        self._run("score", new, "--against", shipped, "--truth", str(self.folder / "test.jsonl"),
                  "--system", TITLES[NEW], "--other", TITLES[SHIPPED],
                  "--overwrite", "-o", str(self.folder / "scored"))  # fmt: skip

    def report(self) -> None:
        """The page, the figures and the curves."""
        untrained = self._untrained()
        scores = {
            (name, free): json.loads((self._answers(name, free=free) / "scores.json").read_text())
            for name in TITLES
            for free in (False, True)
        }
        figures = {f"{n}{', free' if free else ''}": found for (n, free), found in scores.items()}
        with atomic(self.folder / "scores.json") as stream:
            stream.write(json.dumps({**figures, "untrained": untrained}, indent=1).encode() + b"\n")
        page = self.folder / "page.html"
        lead = (
            f"{len(self._test()):,} scenes that neither the model nor an adapter has seen. "
            f"Codec: {self.codec.spec}."
        )
        plots = [loss_curves.plots(self._log(name), title) for name, title in TITLES.items()]
        with atomic(page) as stream:
            write_sheet(
                stream,
                "From words to masks by plain LoRA",
                self._examples(),
                lead=lead,
                summary=lambda: self._table(scores, untrained),
                style=loss_curves.STYLE,
                figures="".join(plots),
            )
        say(VERB, f"figures and pictures: {page}, {self.folder / 'scored' / 'page.html'}")

    def _untrained(self) -> dict[str, Any]:
        """What the base model prints when it knows the tokens, and nothing about masks."""
        from maskcodec import hf
        from maskcodec.generation import evaluate

        model, processor = hf.load_model(TINY)
        hf.add_tokens(processor, model, self.codec, init="numbers+codebook")
        examples = self._test()
        found = {}
        for name, constrained in (("constrained", True), ("free", False)):
            result = evaluate(model, processor, examples, self.codec, constrained=constrained,
                              batch=32)  # fmt: skip
            found[name] = result.figures()
        return found

    def _table(self, scores: dict[tuple[str, bool], Any], untrained: dict[str, Any]) -> Table:
        rows = [_row("untrained", untrained["constrained"], untrained["free"], 0)]
        for name, title in TITLES.items():
            minutes = max(line.get("seconds", 0.0) for line in self._log(name)) / 60
            rows.append(_row(title, scores[name, False], scores[name, True], minutes))
        ceiling = scores[NEW, False]["ceiling_giou"]
        note = (
            f"Answers are kept in the codec's format unless it says free. The codec alone keeps "
            f"{ceiling:.3f}: what is missing to that is the model's own loss."
        )
        columns = ["", "gIoU", "IoU ≥ .5", "invalid", "gIoU, free", "invalid, free", "minutes"]
        return Table(columns, rows, note)

    def _examples(self) -> Iterator[Example]:
        said = {name: self._texts(name) for name in TITLES}
        for example in self._test()[: self.options.shown]:
            turn = example.turns[0]
            truth = example.masks(0)
            answers = []
            for name, title in TITLES.items():
                text = said[name][example.id]
                decoded = read_answer(text, self.codec, example.size, form=turn.form)
                overlap = iou(union_of(decoded.masks, example.size), union_of(truth, example.size))
                answers.append(Answer(title, text, decoded.masks, overlap, None, decoded.repairs))
            image = read_picture(example.image_paths()[0], example.size)
            yield Example(example.id, "", image, [Group(turn.question, truth, answers)])

    def _test(self) -> list[Any]:
        found = []
        for one in read_examples(self.folder / "test.jsonl"):
            if isinstance(one, RecordError):
                raise one
            found.append(one)
        return found

    def _texts(self, name: str) -> dict[str, str]:
        path = self._answers(name, free=False) / PREDICTIONS
        found = {}
        for record in read_records(path):
            if isinstance(record, RecordError):
                raise record
            found[record.identifier("id")] = record.raw_text("text")
        return found

    def _log(self, name: str) -> list[dict[str, Any]]:
        folder = shipped_folder(self._adapter(name)) or self._run_folder
        records = read_records(folder / "log.jsonl")
        return [record.fields for record in records if not isinstance(record, RecordError)]

    @property
    def _run_folder(self) -> Path:
        return self.folder / "run"

    def _adapter(self, name: str) -> str:
        return str(self._run_folder) if name == NEW else TINY_MASKS

    def _answers(self, name: str, *, free: bool) -> Path:
        return self.folder / f"answers-{name}{'-free' if free else ''}"

    def _run(self, *arguments: str) -> None:
        """Run a command of the package, after printing it."""
        print(f"\n$ maskcodec {shlex.join(arguments)}", flush=True)
        status = subprocess.run([sys.executable, "-m", "maskcodec", *arguments], check=False)
        if status.returncode:
            raise MaskCodecError(f"maskcodec {arguments[0]} ended with {status.returncode}")


def _row(title: str, held: dict[str, Any], free: dict[str, Any], minutes: float) -> list[str]:
    return [
        title,
        f"{held['giou']:.3f}",
        f"{held['hits']:.3f}",
        f"{held['invalid_share']:.1%}",
        f"{free['giou']:.3f}",
        f"{free['invalid_share']:.1%}",
        f"{minutes:.0f}",
    ]


if __name__ == "__main__":
    raise SystemExit(main())

"""Runs `maskcodec prepare`, `maskcodec train` and `learn_measure`, as a user would, and stops them.

Each is a process of its own, in a session of its own: Ctrl-C reaches this program alone, which
passes it on once, as SIGTERM (a program started in the background may be deaf to SIGINT), so that a
training saves a checkpoint and ends.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from maskcodec import MaskCodecError
from maskcodec.errors import RecordError
from maskcodec.shipped import TINY, shipped_folder

from . import learn_log
from .learn_log import CARD, FIGURES
from .learn_plan import Settings, Training, slug, words

T = TypeVar("T")
PARTS = ("train", "val", "test")
BASE = "base"
TAIL = 600
"""Characters of what a process said that stand in an error."""


class StopError(MaskCodecError):
    """Ctrl-C came before this could begin or end."""


@dataclass
class Processes:
    """The processes that run now.

    Attributes:
        held: what `folder_lock.hold` gave, to be passed on to each of them.
    """

    held: int | None = None
    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_stopped: bool = False

    def run(self, arguments: Sequence[str], log: Path, made: Path) -> None:
        """Run `python -m ARGUMENTS` to its end.

        Args:
            arguments: of Python.
            log: where what it says goes.
            made: a file that is there afterwards, if all went well.

        Raises:
            MaskCodecError: it failed; the message ends with what it said last.
            StopError: the program is being stopped.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as stream:
            with self.lock:
                if self.is_stopped:
                    raise StopError("stopped")
                process = subprocess.Popen(
                    [sys.executable, "-m", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=() if self.held is None else (self.held,),
                )
                self.running.add(process)
            status = process.wait()
            with self.lock:
                self.running.discard(process)
        if self.is_stopped:
            raise StopError("stopped")
        # 1 may mean that some examples were set aside, or that Python stopped with an error.
        if status not in (0, 1) or not made.exists():
            said = log.read_bytes()[-TAIL:].decode("utf-8", "replace").strip()
            raise MaskCodecError(f"{' '.join(arguments[:2])} ended with {status}: {said} ({log})")

    def stop(self) -> None:
        """Pass Ctrl-C on, once, and let nothing new begin."""
        with self.lock:
            self.is_stopped = True
            for process in self.running:
                process.send_signal(signal.SIGTERM)


@dataclass
class Runs:
    """The trainings of one output folder.

    Attributes:
        folder: of the run.
        settings: of the run.
        jobs: processes at once.
        threads: of torch in each; 0 for its own choice.
        processes: those that run now.
    """

    folder: Path
    settings: Settings
    jobs: int
    threads: int
    processes: Processes = field(default_factory=Processes)

    @property
    def base(self) -> str:
        """The model that is trained."""
        is_made = self.settings.model == TINY and not self.settings.as_it_is
        return str(self.folder / BASE) if is_made else self.settings.model

    def make_base(self) -> None:
        """Make the base of the default run, unless that was done; others are there already."""
        base = self.folder / BASE
        if self.base == str(base) and not base.exists():
            command = ["maskcodec.benchmarks.learn_base", self.base]
            self.processes.run(command, self.folder / "base.log", base)

    def data(self, spec: str, part: str) -> Path:
        """The examples of a codec."""
        return self.folder / "data" / slug(spec) / f"{part}.jsonl"

    def output(self, training: Training) -> Path:
        """The folder of a training."""
        return self.folder / "runs" / training.name

    def before(self, spec: str) -> Path:
        """The figures of the base model before it is trained."""
        return self.folder / "data" / slug(spec) / "before.json"

    def prepare(self, spec: str) -> None:
        """Write the examples of a codec, and measure the base model on those that are watched."""
        for part in PARTS:
            path = self.data(spec, part)
            report = path.with_suffix(".report.json")
            if path.exists() and report.exists() and (path.parent / f".{part}-done").exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            report.unlink(missing_ok=True)
            source = words(getattr(self.settings, part), f"--{part}")
            self.processes.run(
                ["maskcodec", "prepare", *source, "--spec", spec, "--tokenizer", self._tokenizer(),
                 "--overwrite", "--quiet", "-o", str(path)],
                path.parent / "prepare.log",
                report,
            )  # fmt: skip
            (path.parent / f".{part}-done").touch()
        if not self.is_prepared(spec):
            self.before(spec).unlink(missing_ok=True)
            watched = ["--watched", str(self.settings.eval_examples)]
            self._measure(self.base, self.data(spec, "val"), self.before(spec), *watched)

    def is_prepared(self, spec: str) -> bool:
        """Whether the base model was measured on the examples that are watched."""
        try:
            found = learn_log.read_figures(self.before(spec))
        except RecordError:
            return False
        return bool(found["watched"] == self.settings.eval_examples)

    def _tokenizer(self) -> str:
        model = self.settings.model
        is_here = shipped_folder(model) is not None or (Path(model) / "tokenizer.json").is_file()
        return model if is_here else "none"

    def train(self, training: Training) -> None:
        """Train, unless that was done; a checkpoint of an interrupted training is gone on from."""
        output = self.output(training)
        if learn_log.is_trained(output):
            return
        log = output.with_name(output.name + ".log")
        if any(output.glob("checkpoint-*")):
            command = ["--resume", "--quiet", "-o", str(output)]
            self.processes.run([*_program(training), *command], log, output / CARD)
            return
        if output.exists():
            shutil.rmtree(output)
        command = [*_program(training), *self.arguments(training)]
        self.processes.run(command, log, output / CARD)

    def arguments(self, training: Training) -> list[str]:
        """Of the program that trains."""
        settings, spec = self.settings, training.spec
        length = ["--steps", str(training.steps)]
        if not training.steps:
            length = ["--minutes", f"{settings.minutes:g}"]
        return [
            *("--model", self.base, "--data", str(self.data(spec, "train"))),
            *("--val", str(self.data(spec, "val")), *length, "--seed", str(training.seed)),
            *("--batch-size", str(settings.batch_size), "--lr", f"{training.rate:g}"),
            *("--token-lr", f"{training.rate * settings.token_rate:g}"),
            *("--eval-steps", str(settings.eval_steps), "--eval-batch", "50"),
            *("--eval-examples", str(settings.eval_examples), "--threads", str(self.threads)),
            *(["--free"] if training.is_free else []),
            *words(settings.train_options, "--train-options"),
            *("--quiet", "-o", str(self.output(training))),
        ]

    def measure(self, training: Training) -> None:
        """Let a trained adapter answer the test, unless that was done."""
        output = self.output(training)
        if not learn_log.is_measured(output):
            (output / FIGURES).unlink(missing_ok=True)
            self._measure(str(output), self.data(training.spec, "test"), output / FIGURES)

    def _measure(self, model: str, data: Path, output: Path, *more: str) -> None:
        self.processes.run(
            ["maskcodec.benchmarks.learn_measure", model, str(data), "--output", str(output),
             "--threads", str(self.threads), *more],
            output.with_name("measure.log"),
            output,
        )  # fmt: skip

    def each(
        self, work: Callable[[T], None], items: Iterable[T], done: Callable[[T, str], None]
    ) -> None:
        """Work on items, `jobs` at a time.

        Args:
            work: on one item.
            items: all of them, begun in order.
            done: called here after each, with why it failed, or with nothing.

        Raises:
            KeyboardInterrupt: after what ran was told to stop, and did.
        """
        with ThreadPoolExecutor(self.jobs) as pool:
            waiting = {pool.submit(work, item): item for item in items}
            try:
                for future in as_completed(waiting):
                    error = future.exception()
                    if error is not None and not isinstance(error, MaskCodecError | OSError):
                        raise error
                    if not isinstance(error, StopError):
                        done(waiting[future], "" if error is None else str(error))
            except BaseException:
                self.processes.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _program(training: Training) -> list[str]:
    """What trains: `maskcodec train`, by the clock with one that stands still in evaluations."""
    return ["maskcodec", "train"] if training.steps else ["maskcodec.benchmarks.learn_train"]

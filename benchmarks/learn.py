"""How well a model learns each codec: the same base, data, steps and rates, seeds with spread.

    python -m maskcodec.benchmarks.learn --output learn

`maskcodec bench learn` is this program; its help says all. It runs `maskcodec prepare` and
`maskcodec train` as anyone would. The JSON is that of every bench (`benchmarks.document`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError
from maskcodec.commands.terminal import progress, say
from maskcodec.shipped import TINY
from maskcodec.writing import atomic

from . import document as documents
from . import learn_figures, learn_page, learn_picture
from .folder_lock import hold
from .learn_options import read_train_options
from .learn_plan import (
    SETTINGS,
    SPECS,
    TEST,
    TRAIN,
    VAL,
    Settings,
    Training,
    check_specs,
    finals,
    sweep,
    words,
)
from .learn_runs import Processes, Runs
from .program import busy, run_bench

VERB = "bench learn"
INTERRUPTED = 130
MOST_JOBS = 8
"""Trainings at a time where nobody said how many."""

JSON, PAGE, PICTURE = "learn.json", "learn.html", "learn.png"


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program; see `run`."""
    return run_bench("learn", run, argv)


def run(arguments: argparse.Namespace) -> int:
    """Train what is missing, and write all figures: 1 if a training failed, 130 by Ctrl-C."""
    settings = read_settings(arguments)
    folder: Path = arguments.output
    specs = check_specs(arguments.specs or SPECS)
    check_model(settings.model)
    if arguments.overwrite and (folder / SETTINGS).exists():
        with hold(folder):
            shutil.rmtree(folder)
    settings.keep(folder, resume=arguments.resume)
    jobs = arguments.jobs or jobs_of(settings.model)
    threads = arguments.threads or (1 if jobs > 1 else 0)
    given = {**settings.fields(), "jobs": jobs, "threads": threads}
    document = documents.start("learn", seed=0, settings=given)
    document["busy"] = busy("Seconds are longer by what they took; the figures are the same.")
    if document["busy"]:
        say(VERB, document["busy"])
    with hold(folder) as held:
        earlier = documents.read(folder / JSON, "learn") if (folder / JSON).exists() else None
        runs = Runs(folder, settings, jobs, threads, Processes(held))
        bench = Bench(runs, specs, arguments.seeds, document, quiet=arguments.quiet)
        if earlier is not None:
            bench.sweeps, bench.finals = learn_figures.reported(earlier, settings)
        return bench.run()


def jobs_of(model: str) -> int:
    """Trainings at a time where nobody said: `tiny` takes a core and a GB, others the machine."""
    return min(os.cpu_count() or 1, MOST_JOBS) if model == TINY else 1


def check_model(name: str) -> None:
    """Check that a base model is there, before anything is written.

    Raises:
        MaskCodecError: it is not, or it is an adapter, or it reads no images and text.
    """
    if name == TINY:
        return
    from maskcodec.model_files import is_adapter, load_processor

    try:
        if is_adapter(name):
            raise MaskCodecError(f"{name} is an adapter, expected a base model")
        load_processor(name)
    except MaskCodecError as error:
        raise MaskCodecError(f"--model: {error}") from None


def read_settings(arguments: argparse.Namespace) -> Settings:
    """The settings, checked.

    Raises:
        MaskCodecError: a string of arguments is none, or names what this program decides.
    """
    parts = {
        part: default if getattr(arguments, part) is None else getattr(arguments, part)
        for part, default in (("train", TRAIN), ("val", VAL), ("test", TEST))
    }
    taken = {"--spec", "--output", "-o", "--overwrite", "--resume"}
    for part, text in parts.items():
        given = words(text, f"--{part}")
        named = [word for word in given if word.partition("=")[0] in taken]
        if named:
            raise MaskCodecError(f"--{part} {text!r}: this program itself gives {named[0]}")
        if not given:
            raise MaskCodecError(f"--{part} is empty, expected a source for `maskcodec prepare`")
    read_train_options(arguments.train_options)
    return Settings(
        model=arguments.model,
        **parts,
        batch_size=arguments.batch_size,
        rates=tuple(dict.fromkeys(sorted(arguments.lr))),
        token_rate=arguments.token_rate,
        sweep_steps=arguments.sweep_steps,
        steps=arguments.steps,
        minutes=arguments.minutes or 0.0,
        eval_steps=arguments.eval_steps,
        eval_examples=arguments.eval_examples,
        train_options=arguments.train_options,
        as_it_is=arguments.as_it_is,
    )


class Bench:
    """One run of the program.

    Attributes:
        sweeps: the trainings with different rates that are reported, those of earlier runs first.
        finals: the same of the others.
    """

    def __init__(
        self,
        runs: Runs,
        specs: Sequence[str],
        seeds: int,
        document: documents.Document,
        *,
        quiet: bool,
    ) -> None:
        self.runs = runs
        self.specs = list(specs)
        self.seeds = seeds
        self.document = document
        self.quiet = quiet
        self.failed: list[str] = []
        self.sweeps: list[Training] = []
        self.finals: list[Training] = []

    def run(self) -> int:
        """All of it; its exit status."""
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self.work()
        except KeyboardInterrupt:
            self.document["interrupted"] = True
            say(VERB, f"interrupted; what was finished is kept in {self.runs.folder}: --resume")
        finally:
            signal.signal(signal.SIGTERM, before)
        self.write()
        if not learn_figures.of_kind(self.document, learn_figures.MEAN):
            if self.document["interrupted"]:
                say(VERB, "interrupted before a training came to its end")
                return INTERRUPTED
            say(VERB, "no training came to its end")
            return 2
        print(learn_page.text_table(self.document))
        say(VERB, f"figures and curves: {self.runs.folder / PAGE}")
        if self.document["interrupted"]:
            return INTERRUPTED
        return 1 if self.failed else 0

    def work(self) -> None:
        """Prepare, try rates, train with the best."""
        runs, settings = self.runs, self.runs.settings
        self.each("base made", lambda _: runs.make_base(), [settings.model], str)
        if self.failed:
            return
        self.each("codecs prepared", runs.prepare, self.specs, str)
        ready = [spec for spec in self.specs if runs.is_prepared(spec)]
        rates = dict.fromkeys(ready, settings.rates[0])
        if len(settings.rates) > 1:
            tries = sweep(settings, ready)
            self.sweeps = list(dict.fromkeys([*self.sweeps, *tries]))
            self.each("rates tried", runs.train, tries, _title)
            rates = learn_figures.chosen(runs, ready, tries)
        last = finals(settings, rates, self.seeds)
        # A rate that failed in an earlier run may be the best now.
        kept = [one for one in self.finals if one.rate == rates.get(one.spec, one.rate)]
        self.finals = list(dict.fromkeys([*kept, *last]))
        self.each("trainings", self.train, last, _title)

    def train(self, training: Training) -> None:
        """Train and measure."""
        self.runs.train(training)
        self.runs.measure(training)

    def each(
        self,
        what: str,
        work: Callable[[Any], None],
        items: Sequence[Any],
        title: Callable[[Any], str],
    ) -> None:
        """Work on items with a bar; what fails is said, and the rest goes on."""
        with progress(len(items), what, quiet=self.quiet) as bar:

            def done(item: Any, problem: str) -> None:
                bar.update()
                if problem:
                    self.failed.append(title(item))
                    say(VERB, f"{title(item)} failed: {problem}")
                elif bar.disable and not self.quiet:  # no terminal: a log, which likes lines
                    say(VERB, f"{what}: {title(item)}")
                self.write()

            self.runs.each(work, items, done)

    def write(self) -> None:
        """Write the figures of all that is finished."""
        folder = self.runs.folder
        learn_figures.collect(self.document, self.runs, self.sweeps, self.finals)
        documents.write(folder / JSON, self.document)
        learn_page.write(folder / PAGE, self.document)
        picture = learn_picture.draw(self.document)
        if picture is not None:
            with atomic(folder / PICTURE) as stream:
                picture.quantize(256, dither=0).save(stream, "PNG", optimize=True)


def _title(training: Training) -> str:
    return f"{training.spec}, rate {training.rate:g}, seed {training.seed}"


if __name__ == "__main__":
    sys.exit(main())

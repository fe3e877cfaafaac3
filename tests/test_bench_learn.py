"""`maskcodec bench learn`: what is trained, what is kept, and how it is stopped."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from learn_folders import (
    BOXES,
    RUNS,
    SETTINGS,
    Recorder,
    asked,
    fabricate,
    runs_of,
    write_figures,
)

from benchmarks import document as documents
from benchmarks import (
    learn,
    learn_base,
    learn_figures,
    learn_log,
    learn_measure,
    learn_runs,
    learn_train,
)
from benchmarks.folder_lock import hold
from benchmarks.learn_plan import Settings, Training, check_specs, finals, slug, sweep
from benchmarks.learn_runs import Processes, Runs, StopError
from maskcodec import MaskCodecError, cli
from maskcodec.errors import RecordError


def test_every_codec_gets_the_same_trainings() -> None:
    tried = sweep(SETTINGS, [BOXES, RUNS])
    assert {(one.spec, one.rate) for one in tried} == {
        (spec, rate) for spec in (BOXES, RUNS) for rate in SETTINGS.rates
    }
    assert {(one.seed, one.steps) for one in tried} == {(0, 2)}
    last = finals(SETTINGS, {BOXES: 0.01, RUNS: 0.001}, 3)
    assert [one.seed for one in last] == [0, 0, 1, 1, 2, 2]
    assert {one.steps for one in last} == {4}
    assert len({one.name for one in (*tried, *last)}) == 10


def test_folders_of_specs_differ() -> None:
    specs = [BOXES, "boxgrid:rows=66", "text4seg:background=x/y", "text4seg:background=x y"]
    specs += [f"text4seg:background={'y' * 200}{end}" for end in "ab"]
    names = [slug(spec) for spec in specs]
    assert len(set(names)) == len(specs)
    assert not any("/" in name or " " in name or len(name) > 100 for name in names)
    assert names[0] == "boxgrid-rows=6"


def test_a_codec_is_named_once() -> None:
    assert check_specs([BOXES, RUNS]) == [BOXES, RUNS]
    with pytest.raises(MaskCodecError, match="are the same codec"):
        check_specs(["boxgrid", "boxgrid:rows=24"])


def test_another_setting_does_not_mix_with_a_run(tmp_path: Path) -> None:
    SETTINGS.keep(tmp_path, resume=False)
    SETTINGS.keep(tmp_path, resume=True)
    with pytest.raises(MaskCodecError, match="--resume goes on"):
        SETTINGS.keep(tmp_path, resume=False)
    other = Settings(**(SETTINGS.fields() | {"batch_size": 11}))
    with pytest.raises(MaskCodecError, match=r"another --batch-size \(10, now 11\)"):
        other.keep(tmp_path, resume=True)
    other = Settings(**(SETTINGS.fields() | {"rates": (0.1,)}))
    with pytest.raises(MaskCodecError, match="another --lr "):
        other.keep(tmp_path, resume=True)
    (tmp_path / "settings.json").write_text("[1]")
    with pytest.raises(RecordError, match="holds no settings"):
        SETTINGS.keep(tmp_path, resume=True)


def test_a_folder_of_other_files_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    for flags in ([], ["--overwrite"], ["--resume"]):
        assert learn.main(["-o", str(tmp_path), *flags]) == 2
        assert "holds other files, and no run" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_without_any_training_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise MaskCodecError("no such file")

    monkeypatch.setattr(Processes, "run", fail)
    flags = ["--as-it-is", "--specs", BOXES, "--train", "none.json", "--quiet"]
    assert learn.main(["-o", str(tmp_path / "out"), *flags]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "Other programs are running" not in line] == [
        f"maskcodec bench learn: {BOXES} failed: no such file",
        "maskcodec bench learn: no training came to its end",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="no lock can be handed on there")
def test_a_folder_is_held_until_its_last_process_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    SETTINGS.keep(tmp_path, resume=False)
    with hold(tmp_path) as held:
        processes = Processes(held)
        sleep = ["timeit", "-n", "1", "-r", "1", "import time; time.sleep(60)"]
        work = threading.Thread(target=_run_till_stopped, args=(processes, sleep, tmp_path))
        work.start()
        while not processes.running:
            time.sleep(0.01)
    # The program is gone, and the training that it began is not.
    flags = ["-o", str(tmp_path), "--overwrite"]
    assert learn.main(flags) == 2
    assert "is in use" in capsys.readouterr().err
    assert (tmp_path / "settings.json").exists()
    processes.stop()
    work.join(20)
    with hold(tmp_path), pytest.raises(MaskCodecError, match="is in use"), hold(tmp_path):
        pass


def _run_till_stopped(processes: Processes, command: list[str], folder: Path) -> None:
    with pytest.raises(StopError):
        processes.run(command, folder / "log", folder / "made")


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    training = Training(BOXES, 0.01, 0, 4)
    fabricate(runs, training, [0.5])
    runs.train(training)
    assert not asked(runs)
    runs.measure(training)
    assert asked(runs)[0][:2] == ["maskcodec.benchmarks.learn_measure", str(runs.output(training))]
    write_figures(runs.output(training) / "figures.json")
    runs.measure(training)
    assert len(asked(runs)) == 1


def test_a_checkpoint_is_gone_on_from_and_half_a_training_is_replaced(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    training = Training(BOXES, 0.01, 1, 4)
    folder = fabricate(runs, training, [0.5])
    (folder / "maskcodec.json").unlink()
    (folder / "checkpoint-2").mkdir()
    runs.train(training)
    assert asked(runs).pop() == ["maskcodec", "train", "--resume", "--quiet", "-o", str(folder)]
    (folder / "checkpoint-2").rmdir()
    runs.train(training)
    assert not folder.exists()
    command = asked(runs).pop()
    assert command[:2] == ["maskcodec", "train"]
    given = dict(zip(command[2::2], command[3::2], strict=False))
    assert given["--lr"] == "0.01"
    assert given["--token-lr"] == "0.05"
    assert given["--seed"] == "1"
    assert given["--rank"] == "4"
    assert "--free" not in command


def test_a_codec_without_a_grammar_is_watched_free(tmp_path: Path) -> None:
    assert "--free" in runs_of(tmp_path).arguments(Training(RUNS, 0.01, 0, 4))


def test_a_run_by_the_clock_gives_no_steps(tmp_path: Path) -> None:
    settings = Settings(**(SETTINGS.fields() | {"minutes": 2.5}))
    [training] = finals(settings, {BOXES: 0.01}, 1)
    runs = Runs(tmp_path, settings, 1, 1, Recorder())
    runs.train(training)
    command = asked(runs).pop()
    assert command[0] == "maskcodec.benchmarks.learn_train"
    assert "--steps" not in command
    assert command[command.index("--minutes") + 1] == "2.5"
    (runs.output(training) / "checkpoint-2").mkdir(parents=True)
    runs.train(training)
    assert asked(runs).pop()[:2] == ["maskcodec.benchmarks.learn_train", "--resume"]


def test_the_clock_of_a_run_stands_still_in_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    lora = importlib.import_module("maskcodec.training.lora")
    given: list[Any] = []

    def run(arguments: argparse.Namespace, **more: Any) -> int:
        given.append((arguments.minutes, more))
        return 130

    monkeypatch.setattr(lora, "run", run)
    assert learn_train.main(["--minutes", "2.5"]) == 130
    assert lora.main(["--minutes", "2.5"]) == 130
    assert given == [(2.5, {"counts_evaluations": False}), (2.5, {"counts_evaluations": True})]


def test_prepared_data_is_kept_and_a_half_written_file_is_not(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    runs.prepare(BOXES)
    made = asked(runs)
    assert [one[1] if one[0] == "maskcodec" else "measure" for one in made] == [
        *["prepare"] * 3, "measure",
    ]  # fmt: skip
    assert all(one[one.index("--spec") + 1] == BOXES for one in made[:3])
    made.clear()
    for part in ("train", "val"):
        runs.data(BOXES, part).write_text("{}\n")
        runs.data(BOXES, part).with_suffix(".report.json").write_text("{}")
    (runs.data(BOXES, "val").parent / ".val-done").unlink()
    write_figures(runs.before(BOXES))
    runs.prepare(BOXES)
    assert [one[-1] for one in made] == [str(runs.data(BOXES, part)) for part in ("val", "test")]


def test_the_base_is_measured_on_the_examples_that_are_watched(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    runs.prepare(BOXES)
    command = asked(runs)[-1]
    assert command[command.index("--watched") + 1] == "4"
    for watched, is_prepared in ((None, False), (3, False), (4, True)):
        write_figures(runs.before(BOXES), watched=watched)
        assert runs.is_prepared(BOXES) is is_prepared


def test_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    def work(number: int) -> None:
        if number == 2:
            raise MaskCodecError("the loss is nan")

    seen: dict[int, str] = {}
    runs_of(tmp_path, jobs=2).each(work, [1, 2, 3], seen.__setitem__)
    assert seen == {1: "", 2: "the loss is nan", 3: ""}


def test_a_failed_process_says_why(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with pytest.raises(MaskCodecError, match="NameError"):
        Processes().run(["timeit", "-n", "1", "-r", "1", "no_such"], tmp_path / "a" / "log", made)
    command = ["maskcodec", "train", "-o", str(tmp_path / "x")]
    with pytest.raises(MaskCodecError, match=r"ended with 2: maskcodec train: .*--model"):
        Processes().run(command, tmp_path / "log", made)


def test_a_stop_ends_what_runs_and_begins_nothing(tmp_path: Path) -> None:
    processes = Processes()
    sleep = ["timeit", "-n", "1", "-r", "1", "import time; time.sleep(60)"]
    found: list[BaseException] = []

    def work() -> None:
        try:
            processes.run(sleep, tmp_path / "log", tmp_path / "made")
        except StopError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    began = time.monotonic()
    thread.start()
    while not processes.running:
        time.sleep(0.01)
    [child] = processes.running
    processes.stop()
    thread.join(20)
    assert len(found) == 1
    assert child.wait() == -signal.SIGTERM
    assert time.monotonic() - began < 20
    with pytest.raises(StopError):
        processes.run(sleep, tmp_path / "log", tmp_path / "made")


def test_ctrl_c_stops_the_work_and_keeps_what_is_done(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    began: list[int] = []

    def done(number: int, problem: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.each(began.append, range(100), done)
    assert runs.processes.is_stopped
    assert len(began) < 100


def test_the_base_of_the_default_run_is_made_once(tmp_path: Path) -> None:
    settings = Settings(**(SETTINGS.fields() | {"as_it_is": False}))
    runs = Runs(tmp_path, settings, 1, 1, Recorder())
    assert runs.base == str(tmp_path / "base")
    runs.make_base()
    assert asked(runs).pop() == ["maskcodec.benchmarks.learn_base", runs.base]
    (tmp_path / "base").mkdir()
    runs.make_base()
    as_it_is = runs_of(tmp_path)
    as_it_is.make_base()
    assert not asked(runs)
    assert not asked(as_it_is)
    assert as_it_is.base == "tiny"


def test_a_neutral_base_keeps_what_it_was_taught(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    hf = pytest.importorskip("maskcodec.hf")
    assert learn_base.main([str(tmp_path / "base")]) == 0
    (old, processor), (new, _) = hf.load_model("tiny"), hf.load_model(tmp_path / "base")
    rows = [one.get_input_embeddings().weight for one in (old, new)]
    tokenizer = processor.tokenizer
    taught = tokenizer(" red star: 33, a 7", add_special_tokens=False)["input_ids"]
    assert torch.equal(rows[0][taught], rows[1][taught])
    changed = (rows[0] != rows[1]).any(1)
    assert 0.4 * len(changed) < int(changed.sum()) < 0.7 * len(changed)
    strange = tokenizer("<|>#HSz", add_special_tokens=False)["input_ids"]
    assert changed[strange].all()
    assert float(rows[1][changed].detach().norm(dim=1).mean()) < 2
    before, after = old.state_dict(), new.state_dict()
    others = [name for name in before if before[name].shape[0] != len(changed)]
    assert all(torch.equal(before[name], after[name]) for name in others)
    assert learn_base.main([str(tmp_path / "base")]) == 2  # it is there already


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--train", "scenes:8 --spec boxgrid"], "this program itself gives --spec"),
        (["--val", "scenes:8 -o x"], "this program itself gives -o"),
        (["--test", "'open"], "No closing quotation"),
        (["--train", " "], "is empty"),
        (["--val", ""], "is empty"),
        (["--train-options=--lr=3"], "this program itself gives --lr; say it by its own --lr"),
        (["--train-options=--batch-size 8"], "gives --batch-size; say it by its own --batch-size"),
        (["--train-options=--batch-s 8"], "this program itself gives --batch-size"),
        (["--train-options=--seed 0"], "itself gives --seed; say it by its own --seeds"),
        (["--train-options=--token-lr 1"], "gives --token-lr; say it by its own --token-rate"),
        (
            ["--train-options=--epochs 2"],
            "this program itself gives --epochs; say it by its own --st",
        ),
        (["--train-options=--no-free"], "this program itself gives --free"),
        (["--train-options=--config a.yaml"], "name options as flags, not by --config"),
        (["--train-options=--accumulate 0"], "argument --accumulate: is 0, expected 1 to"),
        (["--train-options=--nothing"], "unrecognized arguments: --nothing"),
        (["--train-options='open"], "No closing quotation"),
        (["--model", "nosuch"], "--model: nosuch: no such folder; names on the hub are"),
        (["--model", "tiny-masks"], "--model: tiny-masks is an adapter, expected a base model"),
        (["--specs", "boxgird"], "boxgrid"),
    ],
)
def test_what_can_not_be_run_is_said_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert learn.main(["-o", str(tmp_path / "out"), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_figures_of_an_earlier_run_stay_when_codecs_are_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepare(runs: Runs, spec: str) -> None:
        write_figures(runs.before(spec))

    def train(runs: Runs, training: Training) -> None:
        if not runs.output(training).exists():
            fabricate(runs, training, [0.1, 0.2], loss=training.rate)

    def measure(runs: Runs, training: Training) -> None:
        write_figures(runs.output(training) / "figures.json")

    for one in (prepare, train, measure):
        monkeypatch.setattr(Runs, one.__name__, one)
    flags = ["-o", str(tmp_path / "out"), "--as-it-is", "--quiet", "--eval-examples", "4"]
    assert learn.main([*flags, "--specs", BOXES, "--seeds", "2"]) == 0
    first = documents.read(tmp_path / "out" / "learn.json", "learn")
    assert learn.main([*flags, "--specs", RUNS, "--seeds", "1", "--resume"]) == 0
    both = documents.read(tmp_path / "out" / "learn.json", "learn")
    for kind in ("codec", "mean", "curve", "sweep", "run"):
        found = learn_figures.of_kind(both, kind)
        kept = learn_figures.of_kind(first, kind)
        assert found[: len(kept)] == kept
        assert {one["name"]["codec"] for one in found[len(kept) :]} == {RUNS}
    assert [one["figures"]["seeds"] for one in learn_figures.of_kind(both, "mean")] == [2, 1]
    table = capsys.readouterr().out.splitlines()[-3:]
    assert {line.split()[0] for line in table} == {"codec", BOXES, RUNS}
    assert BOXES in (tmp_path / "out" / "learn.html").read_text()


def test_a_small_model_takes_every_core_and_others_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for cores, expected in ((1, 1), (2, 2), (64, 8), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert learn.jobs_of("tiny") == expected
        assert learn.jobs_of("Qwen/Qwen2.5-VL-3B-Instruct") == 1


class InProcess(Processes):
    """Runs in this process what else is started, so that torch is read once."""

    def run(self, arguments: Sequence[str], log: Path, made: Path) -> None:
        program, *rest = arguments
        assert (cli.main if program == "maskcodec" else learn_measure.main)(rest) == 0


@pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:.*pin_memory.*:UserWarning"
)
def test_from_nothing_to_figures_and_again_without_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trl")
    pytest.importorskip("xgrammar")
    scenes = "--scene tiny --tasks referring"
    flags = [
        *("--output", str(tmp_path / "out"), "--specs", "boxgrid:rows=2", "--steps", "2"),
        *("--lr", "0.01", "--seeds", "1", "--batch-size", "2", "--eval-examples", "2"),
        *("--train", f"scenes:6 {scenes} --seed 2", "--val", f"scenes:3 {scenes} --seed 3"),
        *("--test", f"scenes:3 {scenes} --seed 4", "--threads", "1", "--quiet"),
        *("--as-it-is", "--jobs", "1"),
    ]
    monkeypatch.setattr(learn_runs.Processes, "run", InProcess.run)
    assert cli.main(["bench", "learn", *flags]) == 0
    assert "boxgrid:rows=2" in capsys.readouterr().out
    document = documents.read(tmp_path / "out" / "learn.json", "learn")
    [run] = learn_figures.of_kind(document, "run")
    assert run["figures"]["steps"] == 2
    assert 0 <= run["figures"]["giou"] <= run["figures"]["ceiling"] <= 1
    [codec] = learn_figures.of_kind(document, "codec")
    assert codec["figures"]["prompt_tokens"] > 64  # the image is 64 of them
    assert codec["figures"]["parameters"] > 3e6
    # The base answered the two examples that are watched, and not all three.
    [log] = (tmp_path / "out" / "runs").glob("*/*/log.jsonl")
    assert codec["figures"]["ceiling"] == learn_log.read_points(log)[-1].ceiling
    assert (tmp_path / "out" / "learn.png").stat().st_size > 1000

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was run")

    monkeypatch.setattr(learn_runs.Processes, "run", refuse)
    assert cli.main(["bench", "learn", *flags, "--resume"]) == 0
    again = documents.read(tmp_path / "out" / "learn.json", "learn")
    assert again["results"] == document["results"]
    assert cli.main(["bench", "learn", *flags]) == 2

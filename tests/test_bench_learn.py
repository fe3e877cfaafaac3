"""`maskcodec bench learn`: what is trained, what is kept, and how seeds become figures."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import document as documents
from benchmarks import (
    learn,
    learn_base,
    learn_figures,
    learn_log,
    learn_measure,
    learn_page,
    learn_picture,
    learn_runs,
)
from benchmarks.learn_log import Point
from benchmarks.learn_plan import Settings, Training, check_specs, finals, slug, sweep
from benchmarks.learn_runs import Processes, Runs, StopError
from maskcodec import MaskCodecError, cli
from maskcodec.errors import RecordError

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
    "schema": 1, "parameters": 1000, "prompt_tokens": 70.0, "answer_tokens": 29.0,
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


def runs_of(folder: Path, jobs: int = 1) -> Runs:
    return Runs(folder, SETTINGS, jobs, 1, Recorder())


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


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ({0.1: 2.0, 0.2: 1.0, 0.3: 1.5}, 0.2),
        ({0.2: 1.0, 0.1: 1.0}, 0.1),
        ({0.1: None, 0.2: 3.0}, 0.2),
        ({0.1: None}, None),
        ({}, None),
    ],
)
def test_the_rate_with_the_lowest_loss_is_taken(
    losses: dict[float, float | None], best: float | None
) -> None:
    assert learn_figures.choose(losses) == best


def test_points_of_a_log_leave_evaluations_out_of_the_time(tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    folder = fabricate(runs, Training(BOXES, 0.01, 0, 4), [0.2, 0.6])
    assert learn_log.read_points(folder / "log.jsonl") == [
        Point(2, 0.2, 0.8, 0.1, 20.0, 1.0),
        Point(4, 0.6, 0.8, 0.1, 30.0, 0.5),
    ]


def test_a_damaged_log_costs_its_damaged_lines(tmp_path: Path) -> None:
    good = {"giou": 0.5, "ceiling_giou": 1, "invalid_share": 0, "eval_seconds": 1, "seconds": 3}
    lines = [
        json.dumps({"step": 6, **good}),
        '{"step": 2, "giou": NaN, "ceiling_giou": 1}',
        json.dumps({"step": True, **good}),
        json.dumps({"step": 3, **good, "giou": "0.9"}),
        json.dumps({"step": 5, **good, "seconds": 1e999}),
        "[1, 2]",
        "\x1b[31mnot JSON",
        json.dumps({"step": 4, "loss": [1]}),
        json.dumps({"step": 4, **good, "giou": 0.25}),
        '{"step": 8, "giou": 0.',
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(lines))
    assert [(one.step, one.giou) for one in learn_log.read_points(path)] == [(4, 0.25), (6, 0.5)]


@pytest.mark.parametrize(
    "changed",
    [{"schema": 2}, {"free": None}, {"parameters": "many"}, {"free": {"giou": 1}}, {"free": [1]}],
)
def test_figures_of_another_form_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = tmp_path / "figures.json"
    write_figures(path, **changed)
    with pytest.raises(RecordError):
        learn_log.read_figures(path)
    assert not learn_log.is_measured(tmp_path)


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
    (tmp_path / "settings.json").write_text("[1]")
    with pytest.raises(RecordError, match="holds no settings"):
        SETTINGS.keep(tmp_path, resume=True)


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
    command = Runs(tmp_path, settings, 1, 1, Recorder()).arguments(training)
    assert "--steps" not in command
    assert command[command.index("--minutes") + 1] == "2.5"


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


def fabricated(folder: Path) -> tuple[documents.Document, Runs]:
    """Two codecs, one with three seeds, one with a seed whose training did not end."""
    runs = runs_of(folder)
    document = documents.start("learn", [], settings=SETTINGS.fields())
    sweeps = sweep(SETTINGS, [BOXES, RUNS])
    for training, loss in zip(sweeps, (3.0, 2.0, 1.0, 2.5), strict=True):
        fabricate(runs, training, [0.1], loss)
    rates = learn_figures.chosen(runs, [BOXES, RUNS], sweeps)
    assert rates == {BOXES: 0.01, RUNS: 0.001}
    last = finals(SETTINGS, rates, 3)
    for spec in (BOXES, RUNS):
        write_figures(runs.before(spec), constrained=None if spec == RUNS else ANSWERS)
    for training in last:
        if training.spec == RUNS and training.seed == 2:
            continue
        gious = [0.2, 0.5 + 0.1 * training.seed]
        output = fabricate(runs, training, gious if training.seed else [*gious, 0.9])
        answers = ANSWERS | {"giou": 0.6 + 0.1 * training.seed}
        write_figures(output / "figures.json", constrained=answers)
    learn_figures.collect(document, runs, sweeps, last)
    return document, runs


def test_seeds_become_means_with_their_spread(tmp_path: Path) -> None:
    document, _ = fabricated(tmp_path)
    documents.check(document, "document")
    [mean] = learn_figures.of_kind(document, "mean", BOXES)
    figures = mean["figures"]
    assert figures["seeds"] == 3
    assert figures["lr"] == 0.01
    assert figures["giou"] == pytest.approx(0.7)
    assert figures["giou_std"] == pytest.approx(0.1)
    assert (figures["giou_low"], figures["giou_high"]) == pytest.approx((0.6, 0.8))
    assert figures["gap"] == pytest.approx(0.2)
    assert figures["free_invalid"] == 0.25
    [other] = learn_figures.of_kind(document, "mean", RUNS)
    assert other["figures"]["seeds"] == 2


def test_a_curve_begins_with_the_base_and_has_the_points_of_all_seeds(tmp_path: Path) -> None:
    document, _ = fabricated(tmp_path)
    curve = learn_figures.of_kind(document, "curve", BOXES)
    assert [one["name"]["step"] for one in curve] == [0, 2, 4]  # step 6 is of one seed alone
    assert [one["figures"]["giou"] for one in curve] == pytest.approx([0.5, 0.2, 0.6])
    assert curve[2]["figures"]["giou_low"] == pytest.approx(0.5)
    assert curve[2]["figures"]["share"] == pytest.approx(0.6 / 0.8)
    # 6 x 1000 weights x (70 + 29 + 1 tokens) x 10 examples x 4 steps
    assert curve[2]["figures"]["operations"] == pytest.approx(24e6 / 1e12)


def test_a_codec_without_a_grammar_has_its_free_answers(tmp_path: Path) -> None:
    document, runs = fabricated(tmp_path)
    training = Training(RUNS, 0.001, 0, 4)
    write_figures(runs.output(training) / "figures.json", constrained=None)
    learn_figures.collect(document, runs, [], [training])
    [run] = learn_figures.of_kind(document, "run", RUNS)
    assert run["figures"]["giou"] == run["figures"]["free_giou"] == 0.4


def test_page_and_picture_show_what_there_is(tmp_path: Path) -> None:
    document, _ = fabricated(tmp_path)
    learn_page.write(tmp_path / "learn.html", document)
    page = (tmp_path / "learn.html").read_text()
    for words in ("0.700 ± 0.100", "2.000, 0.100 ★", "gIoU against compute", "boxgrid", "0.900"):
        assert words in page
    assert "<script" not in page
    picture = learn_picture.draw(document)
    assert picture is not None
    colours = picture.getcolors(1 << 22)
    assert colours is not None
    assert {(11, 87, 208), (194, 87, 12)} <= {colour for _, colour in colours}  # both curves
    lines = learn_page.text_table(document).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("boxgrid:rows=6")


def test_a_page_without_any_training_says_little(tmp_path: Path) -> None:
    document = documents.start("learn", [], settings=SETTINGS.fields())
    learn_page.write(tmp_path / "learn.html", document)
    assert "<svg" not in (tmp_path / "learn.html").read_text()
    assert learn_picture.draw(document) is None


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
        (["--train-options=--lr=3"], "this program itself gives --lr"),
        (["--specs", "boxgird"], "boxgrid"),
    ],
)
def test_what_can_not_be_run_is_said_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    assert learn.main(["-o", str(tmp_path / "out"), *flags]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


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
        "--as-it-is",
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
    assert (tmp_path / "out" / "learn.png").stat().st_size > 1000

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("something was run")

    monkeypatch.setattr(learn_runs.Processes, "run", refuse)
    assert cli.main(["bench", "learn", *flags, "--resume"]) == 0
    again = documents.read(tmp_path / "out" / "learn.json", "learn")
    assert again["results"] == document["results"]
    assert cli.main(["bench", "learn", *flags]) == 2

"""`maskcodec train` on a tiny model: what it writes, how it goes on, and what it refuses."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tiny_models import save_tiny  # noqa: E402
from training_files import write_examples  # noqa: E402

from maskcodec import cli, get_codec, hf  # noqa: E402
from maskcodec.adapter_card import read_adapter_card  # noqa: E402
from maskcodec.commands.train_options import TrainOptions  # noqa: E402
from training import checkpoints, lora  # noqa: E402
from training.schedule import Schedule  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:.*pin_memory.*:UserWarning"
)

SPEC = "shapetokens:tokens=2"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and two files of examples; tests write runs beside them."""
    folder = tmp_path_factory.mktemp("train")
    save_tiny("llava", folder / "model")
    write_examples(folder / "tokens", SPEC, 7)
    write_examples(folder / "text", "boxgrid:rows=4", 7)
    return folder


def arguments(base: Path, output: str, *more: str, data: str = "tokens") -> list[str]:
    """A run of six steps."""
    return [
        *("--model", str(base / "model"), "--data", str(base / data / "train.jsonl")),
        *("--output", str(base / output), "--steps", "6", "--batch-size", "3", "--lr", "0.01"),
        *("--warmup", "1", "--log-steps", "1", "--quiet", "--precision", "fp32", *more),
    ]


def lines(folder: Path) -> list[dict[str, Any]]:
    """The log, without times."""
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if "seconds" not in k} for line in found]


LOSSES = (
    *("--where-weight", "4", "--prefix-decay", "0.9", "--soft-bins", "4", "--soft-codes", "0.3"),
    *("--iou-weight", "1", "--box-iou-weight", "1"),
)


def test_a_run_learns_and_leaves_an_adapter_that_loads(base: Path) -> None:
    val = str(base / "tokens" / "train.jsonl")
    more = (*LOSSES, "--val", val, "--eval-examples", "2", "--eval-steps", "3")
    assert lora.main(arguments(base, "full", *more)) == 0
    folder = base / "full"
    log = lines(folder)
    losses = [line["loss"] for line in log if "loss" in line]
    assert len(losses) == 6
    assert losses[-1] < losses[0]
    assert [line["step"] for line in log if "giou" in line] == [3, 6]
    assert all(0 <= line["invalid_share"] <= 1 for line in log if "giou" in line)
    card = read_adapter_card(folder)
    assert card.spec.startswith(SPEC.partition(",")[0].partition(":")[0])
    assert card.loss["where_weight"] == 4
    assert card.figures["step"] == 6
    assert len(card.tokens) == 2048
    assert (folder / "curves.png").stat().st_size > 1000
    assert "<script" not in (folder / "report.html").read_text()
    model, processor = hf.load_model(folder)
    assert hf.token_ids(processor, get_codec(SPEC))
    assert type(model).__name__.startswith("Peft")


@pytest.mark.parametrize("tied", [False, True])
def test_rows_of_added_tokens_move_tied_or_not(base: Path, tied: bool) -> None:
    name = f"tied-{tied}"
    if tied:
        save_tiny("llava", base / "tied-model", tied=True)
    argv = arguments(base, name, "--init", "mean", "--seed", "5")
    argv[1] = str(base / ("tied-model" if tied else "model"))
    assert lora.main(argv) == 0
    trained, processor = hf.load_model(base / name)
    fresh, _ = hf.load_model(argv[1])
    codec = get_codec(SPEC)
    hf.add_tokens(processor.tokenizer, fresh, codec, seed=5)
    row = processor.tokenizer.convert_tokens_to_ids("<|m_0000|>")
    merged = trained.merge_and_unload()
    for table in ("get_input_embeddings", "get_output_embeddings"):
        after, before = getattr(merged, table)().weight, getattr(fresh, table)().weight
        assert not torch.equal(after[row], before[row]), table
        assert torch.equal(after[:300], before[:300]), table
    same = merged.get_input_embeddings().weight is merged.get_output_embeddings().weight
    assert same == tied


def test_a_text_codec_needs_no_token(base: Path) -> None:
    assert lora.main(arguments(base, "text-run", "--soft-bins", "8", data="text")) == 0
    assert read_adapter_card(base / "text-run").tokens == ()


def _train(argv: list[str]) -> None:
    os._exit(lora.main(argv))


def killed(argv: list[str], folder: Path, step: int) -> None:
    """Run in a process of its own and kill it after a step, so that nothing is cleaned up."""
    process = multiprocessing.get_context("fork").Process(target=_train, args=(argv,))
    process.start()
    until = time.monotonic() + 60
    while process.is_alive() and time.monotonic() < until:
        log = folder / "log.jsonl"
        if log.exists() and log.read_bytes().count(b"\n") >= step:
            os.kill(process.pid or 0, signal.SIGKILL)
            break
        time.sleep(0.002)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_killed_run_goes_on_to_the_same_adapter(base: Path) -> None:
    more = (*LOSSES, "--dropout", "0.2", "--accumulate", "2", "--save-steps", "2", "--steps", "9")
    argv = arguments(base, "whole", *more)
    assert lora.main(argv) == 0
    argv[argv.index("--output") + 1] = str(base / "killed")
    killed(argv, base / "killed", 3)
    (base / "killed" / "checkpoint-8").mkdir(exist_ok=True)  # a half-written one
    (base / "killed" / "checkpoint-8" / "trainer_state.json").write_text("{")
    resume = ["--resume", "--output", str(base / "killed"), "--quiet"]
    killed(resume, base / "killed", 7)
    assert lora.main(resume) == 0
    whole, again = base / "whole", base / "killed"
    assert lines(whole) == lines(again)
    for name in ("adapter_model.safetensors", "adapter_config.json", "maskcodec.json"):
        assert (whole / name).read_bytes() == (again / name).read_bytes(), name
    assert lora.main(resume) == 0  # finished: nothing to do


def test_ctrl_c_saves_and_says_how_to_go_on(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.run_log import RunLog

    add = RunLog.add

    def press(self: RunLog, line: dict[str, Any]) -> None:
        add(self, line)
        if line["step"] == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(RunLog, "add", press)
    before = signal.getsignal(signal.SIGINT)
    assert lora.main(arguments(base, "stopped")) == 130
    assert signal.getsignal(signal.SIGINT) is before
    said = capsys.readouterr().err
    assert f"maskcodec train --resume --output {base / 'stopped'}" in said
    assert checkpoints.newest(base / "stopped") is not None
    monkeypatch.undo()
    assert cli.main(["train", "--resume", "-o", str(base / "stopped"), "-q"]) == 0
    assert [line["step"] for line in lines(base / "stopped")] == [1, 2, 3, 4, 5, 6]


def refusal(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a run that can't start says."""
    assert lora.main(argv) == 2
    return capsys.readouterr().err


def test_what_is_refused_before_anything_is_loaded(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = arguments(base, "refused")
    assert "--model is missing" in refusal(["--output", str(base / "refused")], capsys)
    assert "--output is missing" in refusal(argv[:4], capsys)
    assert "no such file" in refusal([*argv, "--data", str(base / "none.jsonl")], capsys)
    assert "boxgrid" in refusal([*argv, "--spec", "boxgird"], capsys)
    assert "field 'spec'" in refusal([*argv, "--spec", "boxgrid"], capsys)
    assert "holds no run" in refusal([*argv, "--resume"], capsys)
    both = [str(base / name / "train.jsonl") for name in ("text", "tokens")]
    assert "an adapter speaks one codec" in refusal([*argv, "--data", *both], capsys)


def test_a_run_is_not_overwritten_unasked(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = base / "taken"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    assert "is no run" in refusal(arguments(base, "taken"), capsys)
    (folder / checkpoints.RUN).write_text("{}")
    assert "--overwrite" in refusal(arguments(base, "taken"), capsys)
    assert (folder / "mine.txt").read_text() == "keep"


def test_a_run_that_can_not_start_costs_no_earlier_one(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(base / "text", base / "bad")
    (base / "bad" / "train.jsonl").write_text("{broken\n")
    folder = base / "earlier"
    argv = arguments(base, "earlier", data="bad")
    assert "no example" in refusal(argv, capsys)
    assert (folder / checkpoints.REJECTED).exists()  # which is in nobody's way:
    assert lora.main(arguments(base, "earlier", "--steps", "1")) == 0
    adapter = (folder / "adapter_model.safetensors").read_bytes()
    assert "no example" in refusal([*argv, "--overwrite"], capsys)
    assert (folder / "adapter_model.safetensors").read_bytes() == adapter
    assert lora.main(arguments(base, "earlier", "--steps", "1", "--seed", "1", "--overwrite")) == 0
    assert (folder / "adapter_model.safetensors").read_bytes() != adapter
    assert len(lines(folder)) == 1  # none of the earlier run


def test_a_run_goes_on_only_as_it_was(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = base / "other-options"
    folder.mkdir()
    checkpoints.write_run(folder, TrainOptions(model="m", lr=0.5), {})
    said = refusal(["--resume", "--output", str(folder), "--lr", "0.25"], capsys)
    assert "--lr is 0.25, but the run" in said
    assert "has 0.5" in said
    data = folder / "train.jsonl"
    data.write_text("{}")
    options = TrainOptions(model="m", data=[str(data)])
    checkpoints.write_run(folder, options, checkpoints.facts(options))
    data.write_text("{} ")
    assert "has changed since" in refusal(["--resume", "--output", str(folder)], capsys)
    (folder / checkpoints.RUN).write_text('{"options": {"rank": 0}, "facts": {}}')
    assert "damaged" in refusal(["--resume", "--output", str(folder)], capsys)


def test_missing_images_and_long_answers_are_set_aside(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(base / "text", base / "holes")
    (base / "holes" / "2.png").unlink()
    path = base / "holes" / "train.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[4]["messages"][0]["content"] = "word " * 3000
    rows[5]["size"] = [10, 10]
    rows[5]["truth"] = [[]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n")
    assert lora.main(arguments(base, "holed", data="holes")) == 1
    found = [
        json.loads(line) for line in (base / "holed" / "rejected.jsonl").read_text().splitlines()
    ]
    reasons = {one["line"]: one["reason"] for one in found}
    assert sorted(reasons) == [3, 5, 6, 8]
    assert "2.png" in reasons[3]
    assert "context is 2,048" in reasons[5]
    assert "size says 10x10" in reasons[6]
    assert "set aside" in capsys.readouterr().err


def test_a_tokenizer_that_drops_a_mask_token_is_refused(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(base / "model", base / "special")
    path = base / "special" / "tokenizer.json"
    document = json.loads(path.read_text())
    token = {**document["added_tokens"][0], "content": "<|b_0001|>", "special": True}
    token["id"] = max(one["id"] for one in document["added_tokens"]) + 1
    document["added_tokens"].append(token)
    path.write_text(json.dumps(document))
    argv = arguments(base, "split")
    argv[1] = str(base / "special")
    assert "'<|b_0001|>' is a special token" in refusal(argv, capsys)


def test_a_loss_that_is_no_number_ends_the_run(
    base: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training import mask_trainer

    monkeypatch.setattr(
        mask_trainer, "token_losses", lambda logits, *rest: logits.sum(dim=1) * float("nan")
    )
    assert "the loss is nan at step 1" in refusal(arguments(base, "broken"), capsys)


def test_the_rate_rises_falls_and_follows_the_clock() -> None:
    steps = Schedule("cosine", 2, 10)
    rates = [steps.rate(step) for step in range(11)]
    assert rates[0] == pytest.approx(1 / 3)
    assert max(rates) == rates[2] == 1
    assert rates[10] == pytest.approx(0)
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert Schedule("constant", 0, 10).rate(9) == 1
    assert Schedule("linear", 0, 10).rate(5) == pytest.approx(0.5)
    clock = Schedule("linear", 0, 10**9, seconds=100, spent=75)
    assert clock.rate(3) == pytest.approx(0.25)
    assert not clock.is_over
    assert Schedule("linear", 0, 10**9, seconds=100, spent=100).is_over


@pytest.mark.parametrize("counts", [True, False])
def test_the_clock_counts_evaluations_or_stands_still(
    monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    clock = Schedule("linear", 0, 10**9, 100, spent=30, evaluating=10, counts_evaluations=counts)
    clock.begin()
    now += 20
    with clock.evaluation():
        now += 40
    assert (clock.elapsed, clock.evaluating, clock.training) == (90, 50, 40)
    assert clock.rate(3) == pytest.approx(0.1 if counts else 0.6)
    now += 10
    assert clock.is_over is counts
    now += 50
    assert clock.is_over


@pytest.mark.parametrize("counts", [True, False])
def test_a_run_by_the_clock_says_its_time_of_training(
    base: Path, monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    from training import evaluation, schedule

    slept = 0.0

    def slow(evaluator: object) -> dict[str, float]:
        nonlocal slept
        slept += 1000.0
        return {"giou": 0.5, "ceiling_giou": 1.0, "invalid_share": 0.0, "eval_seconds": 1000.0}

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + slept)
    monkeypatch.setattr(schedule, "time", clock)
    monkeypatch.setattr(evaluation.Evaluator, "__call__", slow)
    name = f"clock-{counts}"
    flags = ["--val", str(base / "tokens" / "train.jsonl"), "--eval-steps", "1", "--minutes", "10"]
    flags += ["--steps", "4"]
    assert lora.main(arguments(base, name, *flags), counts_evaluations=counts) == 0
    log = (base / name / "log.jsonl").read_text().splitlines()
    points = [found for line in log if "giou" in (found := json.loads(line))]
    assert [one["step"] for one in points] == ([1, 2] if counts else [1, 2, 3, 4])
    for number, one in enumerate(points, 1):
        assert one["training_seconds"] - 0.1 < one["seconds"] - 1000 * number < 600


def test_half_written_checkpoints_do_not_count(tmp_path: Path) -> None:
    for number, text in ((2, "whole"), (4, "whole"), (6, "whole")):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        (folder / "weights").write_text(text)
        if number < 6:
            checkpoints.complete(folder, {"pending": {"loss": 0.1}})
    (tmp_path / "checkpoint-4" / "weights").write_text("who")  # cut off
    newest = checkpoints.newest(tmp_path)
    assert newest == tmp_path / "checkpoint-2"
    assert checkpoints.memory_of(newest) == {"pending": {"loss": 0.1}}
    checkpoints.clear_halves(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-2"]


def test_a_log_is_cut_back_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.run_log import RunLog

    log = RunLog(tmp_path, 0, "", {})
    for step in range(1, 6):
        log.add({"step": step})
    log.close()

    def refuse(*_: Any) -> None:
        raise OSError("killed")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="killed"):
        RunLog(tmp_path, 3, "", {})
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3, 4, 5]
    monkeypatch.undo()
    log = RunLog(tmp_path, 3, "", {})
    assert [line["step"] for line in lines(tmp_path)] == [1, 2, 3]
    log.add({"step": 4})
    log.close()
    log = RunLog(tmp_path, 0, "", {})
    log.add({"step": 1})
    log.close()
    assert [line["step"] for line in lines(tmp_path)] == [1]

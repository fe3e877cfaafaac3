"""`maskcodec segment`: files and images in; predictions, masks, overlays, a page and scores out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lora_adapters import QUIET, make_adapter, write_examples
from PIL import Image

from maskcodec import cli, get_codec
from maskcodec.datasets.images import read_png

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SPEC = "shapetokens:tokens=2"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter, and a file of examples beside it."""
    folder = tmp_path_factory.mktemp("made")
    make_adapter(folder, SPEC)
    write_examples(folder, SPEC, 5)
    return folder


def segment(made: Path, output: Path, *options: str, inputs: Sequence[str] = ()) -> int:
    given = inputs or [str(made / "val.jsonl")]
    room = [] if any("max-new" in option for option in options) else ["--max-new-tokens=20"]
    model = ["--model", str(made / "adapter"), "--output", str(output)]
    return cli.main(["segment", *given, *model, *room, *options])


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_file_becomes_predictions_masks_and_scores(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert segment(made, out, "--batch=2") == 0
    said = capsys.readouterr().err
    assert "5 answers" in said
    assert "gIoU" in said
    assert "codec alone" in said
    predictions = lines(out / "predictions.jsonl")
    assert [line["id"] for line in predictions] == list("01234")
    codec = get_codec(SPEC)
    assert {line["spec"] for line in predictions} == {codec.spec}
    index = lines(out / "masks" / "masks.jsonl")
    decoded = [
        codec.decode(line["text"], tuple(line["size"]), errors="repair") for line in predictions
    ]
    assert len(index) == sum(len(one.labels) for one in decoded)
    for line, one in zip(predictions, decoded, strict=True):
        files = [entry["file"] for entry in index if entry["id"] == line["id"]]
        for file, mask in zip(files, one.masks, strict=True):
            assert np.array_equal(read_png(out / "masks" / file) == 255, mask.array)
        with Image.open(out / "overlays" / f"{line['id']}.png") as overlay:
            assert overlay.size == (60, 40 + int(line["id"]))
    page = (out / "page.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 5
    assert "default-src 'none'" in page
    scores = json.loads((out / "scores.json").read_text())
    assert scores["count"] == scores["scored"] == 5
    assert scores["ceiling_giou"] > 0.9
    assert scores["invalid_share"] <= scores["cut_share"]


def test_masks_come_from_predictions_without_the_model(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert segment(made, out, "--quiet", "--no-overlays", "--shown=1") == 0
    assert not (out / "overlays").exists()
    assert (out / "page.html").read_text().count("<section>") == 1
    again = tmp_path / "again"
    assert cli.main(["decode", str(out / "predictions.jsonl"), "-q", "-o", str(again)]) == 0
    first = sorted(path.name for path in (out / "masks").iterdir())
    assert first == sorted(path.name for path in again.iterdir())


def test_a_killed_run_goes_on_to_the_same_files(made: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert segment(made, whole, "--batch=2", "--quiet") == 0
    shutil.copytree(whole, part)
    text = (part / "predictions.jsonl").read_bytes()
    (part / "predictions.jsonl").write_bytes(text[: len(text) // 2])  # torn in a line
    shutil.rmtree(part / "masks")
    (part / "page.html").unlink()
    assert segment(made, part, "--batch=2", "--quiet", "--resume") == 0
    for name in ("predictions.jsonl", "page.html", "scores.json", "masks/masks.jsonl"):
        assert (part / name).read_bytes() == (whole / name).read_bytes()


def test_a_run_with_other_options_is_not_gone_on_with(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert segment(made, out, "--limit=1", "--quiet") == 0
    assert segment(made, out, "--quiet") == 2
    assert "holds files already" in capsys.readouterr().err
    assert segment(made, out, "--free", "--resume", "--quiet") == 2
    assert "another constrained" in capsys.readouterr().err
    assert segment(made, out, "--limit=2", "--resume", "--quiet") == 0
    assert len(lines(out / "predictions.jsonl")) == 2
    assert segment(made, out, "--limit=1", "--overwrite", "--quiet") == 0
    assert len(lines(out / "predictions.jsonl")) == 1


def test_images_with_expressions(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    images = [str(made / "0.png"), str(made / "1.png")]
    asked = [*images, "the dog on the left.", "every cat"]
    options = ["--labels=dog", "--question=Find {}!", "--max-new-tokens=30"]
    assert segment(made, out, *options, inputs=asked) == 0
    predictions = lines(out / "predictions.jsonl")
    assert [line["question"] for line in predictions] == [
        "Find the dog on the left!",
        "Find every cat!",
    ] * 2
    assert len({line["id"] for line in predictions}) == 4
    assert "gIoU" not in capsys.readouterr().err
    assert json.loads((out / "scores.json").read_text())["giou"] is None


def test_streaming_gives_the_same_answers(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, streamed = tmp_path / "plain", tmp_path / "streamed"
    assert segment(made, plain, "--batch=1", "--limit=3", "--quiet") == 0
    capsys.readouterr()
    assert segment(made, streamed, "--stream", "--limit=3") == 0
    assert "done" in capsys.readouterr().err
    assert (streamed / "now.png").exists()
    assert lines(plain / "predictions.jsonl") == lines(streamed / "predictions.jsonl")


def test_free_answers_are_counted_as_what_they_are(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert segment(made, out, "--free", "--max-new-tokens=4", "--quiet") == 0
    scores = json.loads((out / "scores.json").read_text())
    assert scores["invalid_share"] == 1
    assert sum(scores["repairs"].values()) >= 5


def test_bad_lines_and_lost_images_are_set_aside(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    file = write_examples(data, SPEC, 4)
    (data / "1.png").unlink()
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(data / "2.png")
    good = file.read_bytes()
    long = json.loads(good.splitlines()[0])
    long["id"] = "long"
    long["messages"][0]["content"] = "0 1 2 3 " * 2_000
    twice = good.splitlines(keepends=True)[0]
    file.write_bytes(good + b"{broken\n" + json.dumps(long).encode() + b"\n" + twice)
    out = tmp_path / "out"
    assert segment(made, out, "--quiet", inputs=[str(file)]) == 1
    assert [line["id"] for line in lines(out / "predictions.jsonl")] == ["0", "3"]
    aside = lines(out / "predictions.rejected.jsonl")
    reasons = {(line["id"], line["line"]): line["reason"] for line in aside}
    assert "no such file" in reasons["1", None]
    assert "is 9x9" in reasons["2", None]
    assert "is not JSON" in reasons[None, 5]
    assert "model's context is" in reasons["long", 6]
    assert any("id of an earlier line" in reason for reason in reasons.values())
    assert "5 set aside" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("inputs", "options", "reason"),
    [
        ([], ["--spec=text4seg"], "was trained to print"),
        ([], ["--labels=no-such-labels.txt"], "can't be read"),
        (["photo.jpg"], [], "both are needed"),
        (["no-such.jpg", "dog"], [], "no such file"),
        (["a.jsonl", "dog"], [], "give it alone"),
        (["IMAGE", "dog"], ["--question=Find it"], "where the expression goes"),
        (["IMAGE", " "], [], "an expression is empty"),
    ],
)
def test_wrong_input_is_said_in_a_line(
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    inputs: list[str],
    options: list[str],
    reason: str,
) -> None:
    given = [str(made / "0.png") if word == "IMAGE" else word for word in inputs]
    assert segment(made, tmp_path / "out", *options, inputs=given) == 2
    assert reason in capsys.readouterr().err


def test_a_file_of_another_spec_than_the_adapters(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_examples(tmp_path, "text4seg:grid=4", 2)
    model = str(made / "adapter")
    assert cli.main(["segment", str(file), "-m", model, "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "val.jsonl:1 says text4seg" in said
    assert "speaks one codec" in said


def test_a_model_without_a_card_needs_a_spec(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, model = str(made / "0.png"), str(made / "base")
    command = ["segment", image, "dog", "--model", model, "--output", str(tmp_path / "out")]
    assert cli.main(command) == 2
    assert "say by --spec" in capsys.readouterr().err
    assert cli.main([*command, "--spec=text4seg:grid=4", "--labels", "dog", "--overwrite"]) == 0
    [line] = lines(tmp_path / "out" / "predictions.jsonl")
    get_codec("text4seg:grid=4").decode(line["text"], (40, 60), errors="strict")

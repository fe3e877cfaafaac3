"""What `maskcodec prepare` makes beside the examples: figures, warnings, sheets, exports."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from layouts import (
    SIZE,
    coco,
    lines,
    objects,
)
from prepared import SPEC, check, examples, prepare

from maskcodec.chat import read_answer
from maskcodec.commands import show
from maskcodec.commands.prepare_figures import histogram, spread


def test_the_report(tmp_path: Path) -> None:
    out = tmp_path / "train.jsonl"
    tasks = "generalised,semantic"
    assert prepare(coco(tmp_path), out, "--tokenizer", "gpt4o", "--tasks", tasks, "-q").status == 0
    report = json.loads((tmp_path / "train.report.json").read_text())
    found = examples(out)
    figures = report["train"]
    assert report["complete"]
    assert report["options"]["spec"] == SPEC
    assert figures["examples"] == len(found)
    assert figures["tasks"] == {"generalised": len(found) - 3, "semantic": 3}
    ious = [value for one in found for row in (one.figures or {})["ious"] for value in row]
    answers = [value for one in found for value in (one.figures or {})["answer_iou"]]
    tokens = [value for one in found for value in (one.figures or {})["tokens"]]
    assert figures["ceiling"]["masks"] == len(ious)
    assert figures["ceiling"]["mean_iou"] == round(float(np.mean(ious)), 4)
    assert figures["ceiling"]["giou"] == round(float(np.mean(answers)), 4)
    assert figures["ceiling"]["small"] == figures["ceiling"]["mean_iou"]
    assert figures["tokens"]["max"] == max(tokens)
    assert sum(bar["answers"] for bar in figures["tokens"]["histogram"]) == len(tokens)
    assert "limit" not in figures["tokens"]


def test_a_warning_where_answers_would_be_cut(tmp_path: Path) -> None:
    out = tmp_path / "train.jsonl"
    result = prepare(coco(tmp_path), out, "--max-tokens", "20", "--tokenizer", "gpt4o", "-q")
    assert result.status == 0
    assert "WARNING: train: " in result.err
    assert "answers longer than 20 tokens" in result.err
    report = json.loads((tmp_path / "train.report.json").read_text())
    tokens = report["train"]["tokens"]
    assert 0 < tokens["over_limit"] <= tokens["count"]
    result = prepare(coco(tmp_path), out, "--max-tokens", "2000", "--overwrite", "-q")
    assert "WARNING" not in result.err


def test_turns_pack_questions_of_one_task(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    source = coco(tmp_path)
    assert prepare(source, out, "--tasks", "generalised,prompted", "--turns", "2").status == 0
    found = examples(out)
    assert {len(one.turns) for one in found} == {1, 2}
    for one in found:
        check(one)
    single = tmp_path / "s.jsonl"
    assert prepare(source, single, "--tasks", "generalised,prompted").status == 0
    assert sum(len(one.turns) for one in found) == len(examples(single))


@pytest.mark.parametrize(
    "spec", ["text4seg:grid=16,sample=best", "polygon", "shapetokens:tokens=8"]
)
def test_other_codecs(tmp_path: Path, spec: str) -> None:
    out = tmp_path / "t.jsonl"
    tasks = ["--tasks", "referring,semantic,grounded,prompted"]
    assert prepare(coco(tmp_path), out, *tasks, spec=spec).status == 0
    for example in examples(out):
        for index, turn in enumerate(example.turns):
            read = read_answer(turn.answer, example.codec, SIZE, form=turn.form, errors="strict")
            assert len(read.masks) <= len(example.masks(index))


def test_added_tokens_count_one_each(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    more = ["--tokenizer", "gpt4o", "--tasks", "referring"]
    assert prepare(coco(tmp_path), out, *more, spec="shapetokens:tokens=8").status == 0
    for example in examples(out):
        # The label, the colon, a blank; four edges; eight codes.
        assert (example.figures or {})["tokens"][0] == 3 + 4 + 8


def test_the_same_bytes_however_many_processes(tmp_path: Path) -> None:
    source = objects(tmp_path / "o.jsonl", 40)
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    tasks = ["--tasks", "generalised,prompted", "--tokenizer", "none"]
    assert prepare(source, one, *tasks).status == 0
    assert prepare(source, two, *tasks, "--processes", "2").status == 0
    assert one.read_bytes() == two.read_bytes()
    assert prepare(source, two, *tasks, "--seed", "1", "--overwrite").status == 0
    assert one.read_bytes() != two.read_bytes()


def test_limit(tmp_path: Path) -> None:
    source = objects(tmp_path / "o.jsonl", 10)
    out = tmp_path / "t.jsonl"
    assert prepare(source, out, "--limit", "4").status == 0
    assert len(examples(out)) == 4


def test_the_sheet(tmp_path: Path) -> None:
    sheet = tmp_path / "s.html"
    out = tmp_path / "t.jsonl"
    more = ["--tasks", "grounded,referring", "--sheet", sheet, "--sheet-examples", "3"]
    assert prepare(coco(tmp_path), out, *more).status == 0
    page = sheet.read_text()
    assert page.count("<section>") == 3
    assert "&lt;mask&gt;dog: " in page
    assert "http" not in page.replace("http-equiv", "")
    assert examples(out)[0].turns[0].question in page


def test_exports(tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    names = {"llava": "l.json", "swift": "s.jsonl", "llamafactory": "f.json"}
    more = [
        part for key, name in names.items() for part in ("--export", f"{key}={tmp_path / name}")
    ]
    (tmp_path / "dataset_info.json").write_text('{"other": {}}')
    assert prepare(coco(tmp_path), out, "--turns", "2", *more).status == 0
    found = examples(out)
    llava = json.loads((tmp_path / "l.json").read_text())
    swift = lines(tmp_path / "s.jsonl")
    factory = json.loads((tmp_path / "f.json").read_text())
    assert len(llava) == len(swift) == len(factory) == len(found)
    assert swift == factory
    for example, one, other in zip(found, llava, swift, strict=True):
        image = str(example.image_paths()[0])
        assert one["image"] == image
        assert other["images"] == [image]
        first = f"<image>\n{example.turns[0].question}"
        assert one["conversations"][0] == {"from": "human", "value": first}
        assert other["messages"][0] == {"role": "user", "content": first}
        assert [said["value"] for said in one["conversations"]] == [
            said["content"] for said in other["messages"]
        ]
        assert sum("<image>" in said["content"] for said in other["messages"]) == 1
    info = json.loads((tmp_path / "dataset_info.json").read_text())
    assert set(info) == {"other", "f"}
    assert info["f"]["columns"] == {"messages": "messages", "images": "images"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--tasks", "dancing"], "'dancing' is no task, expected some of referring"),
        (["--images", "nowhere"], "nowhere, field '--images': is no folder"),
        (["--val-share", "0.1"], "--val-share and --val-output go together"),
        (["--val-output", "v.jsonl"], "--val-share and --val-output go together"),
        (["--export", "csv=a"], "is no export, expected llava=FILE.json"),
        (["--constant", " "], "--constant is empty"),
        (["--spec", "alto"], "alto: taking the codes of a mask needs ALTo's own network"),
        (["--spec", "boxgird"], "boxgird"),
        (["--format", "yolo"], "--format 'yolo' is unknown, expected scenes, coco"),
        (["--tokenizer", "missing.json"], "missing.json: no such file"),
        (["--templates", "missing.json"], "missing.json: no such file"),
    ],
)
def test_wrong_options(tmp_path: Path, more: list[str], message: str) -> None:
    result = prepare(coco(tmp_path), tmp_path / "t.jsonl", *more)
    assert result.status == 2
    assert message in result.err
    assert not (tmp_path / "t.jsonl").exists()


def test_wrong_outputs(tmp_path: Path) -> None:
    source = objects(tmp_path / "o.jsonl", 2)
    assert "must end in .jsonl" in prepare(source, tmp_path / "t.json").err
    assert "is an input too" in prepare(source, source).err
    val = ["--val-share", "0.5", "--val-output", tmp_path / "t.jsonl"]
    assert "is --output too" in prepare(source, tmp_path / "t.jsonl", *val).err
    assert prepare(source, tmp_path / "t.jsonl").status == 0
    again = prepare(source, tmp_path / "t.jsonl")
    assert again.status == 2
    assert "exists already; give another name, or --overwrite" in again.err


def test_spread_and_histogram() -> None:
    assert spread([5]) == {"count": 1, "median": 5, "mean": 5.0, "p95": 5, "max": 5}
    found = spread(list(range(1, 101)))
    assert (found["median"], found["p95"], found["max"]) == (50, 95, 100)
    bars = {(bar["above"], bar["to"]): bar["answers"] for bar in histogram([1, 16, 17, 5000])}
    assert bars[0, 16] == 2
    assert bars[16, 32] == 1
    assert bars[4096, None] == 1


class SplittingCounter:
    """A tokenizer in which added tokens don't stay whole."""

    name = "splits.json"

    def adding(self, vocab: object) -> SplittingCounter:
        return self

    def count(self, text: str) -> int:
        return 1 if text.startswith("<|b_") else 3


def test_a_tokenizer_that_splits_mask_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "load_counter", lambda name: SplittingCounter())
    out = tmp_path / "t.jsonl"
    result = prepare(coco(tmp_path), out, spec="shapetokens")
    assert result.status == 2
    assert "splits.json splits 1,024 of the 2,048 tokens of shapetokens" in result.err
    assert not out.exists()
    assert prepare(coco(tmp_path), out, "--tokenizer", "none", spec="shapetokens").status == 0
    assert "tokens" not in (examples(out)[0].figures or {})

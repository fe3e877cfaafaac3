"""`maskcodec score` in parts: shards, interrupted runs, and runs of several machines together."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from reading import read_jsonl, write_jsonl
from scoring import Scored, score, texts, truth_file, unmatched

program = importlib.import_module("maskcodec.eval.score")


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> tuple[Path, Path]:
    given = texts()
    del given[7]
    given[2]["text"] = "?"
    given.append({"id": "nobody", "text": "none", "spec": given[0]["spec"]})
    truth = truth_file(tmp_path / "val.jsonl")
    return write_jsonl(tmp_path / "p.jsonl", given), truth


def figures(found: Scored) -> dict[str, Any]:
    """What must be the same however a run was cut."""
    names = ("scores", "groups", "histogram", "counts", "repairs", "comparison", "inputs", "kind")
    return {name: found.document[name] for name in names}


@pytest.mark.parametrize("parts", [2, 3])
def test_parts_together_are_the_whole(tmp_path: Path, files: tuple[Path, Path], parts: int) -> None:
    path, truth = files
    whole = score(tmp_path / "whole", path, "--truth", truth)
    folders = []
    for part in range(parts):
        folders.append(tmp_path / f"part{part}")
        done = score(folders[-1], path, "--truth", truth, "--shard", f"{part}/{parts}")
        assert done.counts["truth"] == len(range(part, 20, parts))
    merged = score(tmp_path / "all", "--merge", *reversed(folders))
    assert merged.status == 1  # as the whole: a prediction is missing
    assert figures(merged) == figures(whole)
    rows = [(tmp_path / name / "rows.jsonl").read_bytes() for name in ("all", "whole")]
    assert rows[0] == rows[1]
    assert merged.document["system"] == whole.document["system"]


def test_names_of_systems_are_kept(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path, truth = files
    other = write_jsonl(tmp_path / "q.jsonl", texts())
    named = ("--against", other, "--truth", truth, "--system", "LISA", "--other", "GSVA")
    parts = [tmp_path / f"part{part}" for part in range(2)]
    for part, folder in enumerate(parts):
        score(folder, path, *named, "--shard", f"{part}/2")
    merged = score(tmp_path / "all", "--merge", *parts)
    assert merged.document["system"] == "LISA"
    assert merged.document["comparison"]["system"] == "GSVA"
    again = score(tmp_path / "again", "--merge", tmp_path / "all", "--system", "LISA-7B")
    assert again.document["system"] == "LISA-7B"
    # Of parts that were called differently neither name is that of the whole.
    score(parts[1], path, *named[:4], "--system", "x", "--shard", "1/2", "--overwrite")
    mixed = score(tmp_path / "mixed", "--merge", *parts)
    assert mixed.document["system"] == str(path)
    # A run may go on under another name.
    assert score(parts[0], path, *named[:4], "--shard", "0/2", "--resume").status == 0


def test_two_systems_in_parts(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path, truth = files
    other = write_jsonl(tmp_path / "q.jsonl", texts())
    arguments = (path, "--against", other, "--truth", truth)
    whole = score(tmp_path / "whole", *arguments)
    for part in range(2):
        score(tmp_path / f"part{part}", *arguments, "--shard", f"{part}/2")
    merged = score(tmp_path / "all", "--merge", tmp_path / "part0", tmp_path / "part1")
    assert figures(merged) == figures(whole)


def test_rows_can_be_added_up_in_another_way(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path, truth = files
    score(tmp_path / "out", path, "--truth", truth)
    direct = score(tmp_path / "direct", path, "--truth", truth, "--convention", "lisa:empty=drop")
    again = score(
        tmp_path / "again", "--merge", tmp_path / "out", "--convention", "lisa:empty=drop"
    )
    assert figures(again) == figures(direct)
    assert again.document["convention"] == direct.document["convention"]


def test_a_part_that_lacks_is_said(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path, truth = files
    for part in (0, 2):
        score(tmp_path / f"part{part}", path, "--truth", truth, "--shard", f"{part}/3")
    merged = score(tmp_path / "all", "--merge", tmp_path / "part0", tmp_path / "part2")
    assert merged.status == 1
    assert "1/3 are lacking" in merged.err
    assert merged.document["lacking"] == ["1/3"]
    assert merged.counts["extra"] == 0  # what is left is of the part that lacks
    assert "for no sample" not in merged.err


def test_parts_with_truths_of_their_own(tmp_path: Path) -> None:
    rows = read_jsonl(truth_file(tmp_path / "val.jsonl"))
    whole = score(
        tmp_path / "whole", write_jsonl(tmp_path / "p.jsonl", texts()), "-t", tmp_path / "val.jsonl"
    )
    for place, part in enumerate((slice(0, 11), slice(11, 20))):
        truth = write_jsonl(tmp_path / f"val{place}.jsonl", rows[part])
        given = write_jsonl(tmp_path / f"p{place}.jsonl", texts()[part])
        assert score(tmp_path / f"part{place}", given, "--truth", truth).status == 0
    merged = score(tmp_path / "all", "--merge", tmp_path / "part0", tmp_path / "part1")
    assert merged.status == 0, merged.err
    assert merged.document["scores"] == whole.document["scores"]
    assert [one["records"] for one in merged.document["inputs"]["truth"]] == [11, 9]


def test_what_can_not_be_put_together(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path, truth = files
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    score(one, path, "--truth", truth, "--shard", "0/2")
    score(two, path, "--truth", truth, "--shard", "1/2", "--no-boundary")
    score(three, path, "--truth", truth)
    assert "rules differ" in score(tmp_path / "a", "--merge", one, two).err
    assert "is in" in score(tmp_path / "b", "--merge", one, three).err
    assert "holds no run.json" in score(tmp_path / "c", "--merge", one, tmp_path).err
    assert "one of the folders" in score(one, "--merge", one, three).err
    settings = json.loads((three / "run.json").read_text())
    del settings["tally"]
    (three / "run.json").write_text(json.dumps(settings))
    assert "was interrupted" in score(tmp_path / "d", "--merge", three).err
    assert score(tmp_path / "e", path, "--merge", one).status == 2


@pytest.mark.parametrize("done", [0, 1, 9, 20])
def test_an_interrupted_run_goes_on(
    tmp_path: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    path, truth = files
    whole = score(tmp_path / "whole", path, "--truth", truth)
    work = program.score_unit

    def interrupted(unit: Any, job: Any) -> Any:
        if unit.number == done:
            raise KeyboardInterrupt
        return work(unit, job)

    monkeypatch.setattr(program, "score_unit", interrupted)
    first = score(tmp_path / "out", path, "--truth", truth)
    monkeypatch.undo()
    assert first.status == (130 if done < 20 else 1)
    rows = tmp_path / "out" / "rows.jsonl"
    assert len(rows.read_bytes().splitlines()) == done
    with rows.open("ab") as stream:
        stream.write(b'{"unit": 19, "pla')  # a line that a crash tore
    again = score(tmp_path / "out", path, "--truth", truth, "--resume")
    assert again.status == 1
    assert figures(again) == figures(whole)
    assert sorted(unmatched(tmp_path / "out")) == sorted(unmatched(tmp_path / "whole"))


def test_a_run_goes_on_with_its_own_files_alone(tmp_path: Path, files: tuple[Path, Path]) -> None:
    path, truth = files
    score(tmp_path / "out", path, "--truth", truth)
    with path.open("ab") as stream:
        stream.write(b'{"id": "more", "text": "", "spec": "boxgrid"}\n')
    changed = score(tmp_path / "out", path, "--truth", truth, "--resume")
    assert changed.status == 2
    assert "is of a run with another inputs" in changed.err
    options = score(tmp_path / "out", path, "--truth", truth, "--resume", "--rle-order", "rows")
    assert "is of a run with another --rle-order, inputs; give the same" in options.err


@pytest.mark.parametrize(
    ("field", "value"),
    [("intersection", 10**9), ("status", "fine"), ("height", -1), ("id", None)],
)
def test_rows_of_others_are_checked(
    tmp_path: Path, files: tuple[Path, Path], field: str, value: object
) -> None:
    path, truth = files
    score(tmp_path / "out", path, "--truth", truth)
    rows = read_jsonl(tmp_path / "out" / "rows.jsonl")
    rows[3]["row"][field] = value
    write_jsonl(tmp_path / "out" / "rows.jsonl", rows)
    found = score(tmp_path / "all", "--merge", tmp_path / "out")
    assert found.status == 2
    assert "rows.jsonl:4, field 'row." in found.err


def test_processes_change_nothing(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 140)
    path = write_jsonl(tmp_path / "p.jsonl", texts(140))
    one = score(tmp_path / "one", path, "--truth", truth, "--jobs", "1")
    two = score(tmp_path / "two", path, "--truth", truth, "--jobs", "2")
    assert figures(two) == figures(one)

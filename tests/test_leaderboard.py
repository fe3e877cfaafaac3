"""`maskcodec leaderboard`: order, places and averages, and which rows do not compare."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from page_reader import HOSTILE, Page

from maskcodec import cli
from maskcodec.scores.published import COLUMNS


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.main(["leaderboard", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def fail(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert cli.main(["leaderboard", *map(str, arguments)]) == 2
    return capsys.readouterr().err


def scores(tmp_path: Path, name: str = "scores.json", **changes: Any) -> Path:
    document: dict[str, Any] = {
        "schema": 1,
        "program": "maskcodec score",
        "kind": "referring",
        "dataset": "refcoco",
        "split": "val",
        "system": "ours",
        "convention": {"name": "lisa", "options": {"unit": "expression", "ignore": "drop"}},
        "counts": {"truth": 10834, "missing": 0},
        "scores": [
            {"name": "cIoU", "value": 0.7711, "low": 0.76, "high": 0.78, "ceiling": 0.93},
            {"name": "gIoU", "value": 0.7, "low": None, "high": None, "ceiling": None},
            {"name": "N-acc", "value": None, "low": None, "high": None, "ceiling": None},
        ],
    }
    path = tmp_path / name
    path.write_text(json.dumps({**document, **changes}), encoding="utf-8")
    return path


def board(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: object) -> dict[str, Any]:
    path = tmp_path / "board.json"
    run(capsys, *arguments, "--json", path)
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def rows(document: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    return [
        row for row in document["rows"] if all(row[key] == value for key, value in wanted.items())
    ]


def test_rows_are_sorted_and_ranked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = board(capsys, tmp_path)
    values = [row["values"][0] for row in found["rows"]]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[len(known) :] == [None] * (len(values) - len(known))
    for row in found["rows"]:
        better = sum(value > (row["values"][0] or 0) for value in known)
        assert row["rank"] == (None if row["values"][0] is None else better + 1)
    assert found["columns"] == [
        {"dataset": "refcoco", "split": split} for split in ("val", "testA", "testB")
    ]


def test_an_average_needs_every_column(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = board(capsys, tmp_path, "--dataset", "refcoco", "refcoco+", "--sort", "average")
    (lisa,) = rows(found, system="LISA")
    assert lisa["average"] == pytest.approx((74.9 + 79.1 + 72.3 + 65.1 + 70.8 + 58.1) / 6, abs=1e-4)
    (himtok,) = rows(found, system="HiMTok")
    assert (himtok["average"], himtok["rank"]) == (None, None)
    averages = [row["average"] for row in found["rows"] if row["average"] is not None]
    assert averages == sorted(averages, reverse=True)


def test_a_run_stands_among_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = scores(tmp_path)
    text = run(capsys, "--with", path)
    (line,) = [line for line in text.splitlines() if line.startswith(">")]
    assert [*line.split()[:1], *line.split()[2:4]] == [">", "ours", "77.1"]
    assert "its codec alone" in text
    found = board(capsys, tmp_path, "--with", path)
    (mine,) = rows(found, yours=True)
    assert f" {mine['rank']}  ours" in line
    assert mine["values"] == [77.11, None, None]
    assert mine["ceilings"][0] == 93
    place = found["rows"].index(mine)
    assert found["rows"][place - 1]["values"][0] >= 77.11 >= found["rows"][place + 1]["values"][0]


def test_runs_on_several_splits_are_one_row(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [
        scores(tmp_path, f"{split}.json", split=split, counts={})
        for split in ("val", "testA", "testB")
    ]
    (mine,) = rows(board(capsys, tmp_path, "--with", *files), yours=True)
    assert mine["average"] == 77.11
    assert len(mine["sources"]) == 3


def test_rows_counted_in_another_way_are_marked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = board(capsys, tmp_path, "--with", scores(tmp_path))
    marked = {row["system"]: row["differs"] for row in found["rows"] if row["differs"]}
    assert set(marked) == {
        *("HiMTok", "HiMTok (fine-tuned)", "ARGenSeg (fine-tuned)", "CRIS", "VisionReasoner")
    }
    assert "one prompt" in marked["HiMTok"][0]
    assert "not stated" in marked["ARGenSeg (fine-tuned)"][0]
    merged = board(capsys, tmp_path, "--with", scores(tmp_path), "--run-prompts", "merged")
    assert not rows(merged, system="HiMTok")[0]["differs"]
    assert rows(merged, system="LISA")[0]["differs"]


def test_an_option_marks_rows_only_where_it_changes_figures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    convention = {"name": "himtok", "options": {"unit": "expression", "ignore": "hit"}}
    found = board(capsys, tmp_path, "--with", scores(tmp_path, convention=convention))
    assert not rows(found, system="LISA")[0]["differs"], "RefCOCO has no pixels to be ignored"
    path = scores(tmp_path, convention=convention, dataset="reasonseg", counts={})
    (lisa,) = rows(board(capsys, tmp_path, "--with", path), system="LISA")
    assert lisa["differs"] == [
        "pixels that nobody annotated are counted differently (there drop, here hit)"
    ]
    grouped = {"name": "lisa", "options": {"unit": "group"}}
    (lisa,) = rows(
        board(capsys, tmp_path, "--with", scores(tmp_path, convention=grouped)), system="LISA"
    )
    assert "averaged first" in lisa["differs"][0]


def test_a_run_on_a_part_is_said_to_be_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = scores(tmp_path, counts={"truth": 100, "missing": 7})
    text = run(capsys, "--with", path)
    assert "100 samples were scored; the split has 10,834" in text
    assert "7 predictions are missing" in text


def test_metrics_have_other_names_elsewhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = board(capsys, tmp_path, "--with", scores(tmp_path), "--metric", "MIOU")
    (mine,) = rows(found, yours=True)
    assert mine["values"][0] == 70
    assert mine["notes"] == ["mIoU is what the run calls gIoU"]
    assert found["metric"] == "mIoU"


def test_the_figures_of_segment_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "scores.json"
    figures = {"count": 3, "scored": 3, "giou": 0.5, "ciou": 0.75, "hits": 0.5}
    path.write_text(json.dumps({**figures, "ceiling_ciou": 0.9, "ceiling_giou": None}), "utf-8")
    assert "--run-dataset" in fail(capsys, "--with", path)
    assert "--run-split" in fail(capsys, "--with", path, "--run-dataset", "refcoco")
    named = ("--run-dataset", "refcoco", "--run-split", "val", "--run-system", "tiny")
    (mine,) = rows(board(capsys, tmp_path, "--with", path, *named), yours=True)
    assert (mine["system"], mine["values"][0], mine["ceilings"][0]) == ("tiny", 75, 90)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dataset": "ade20k"}, "the table knows refcoco"),
        ({"dataset": "ade20k", "split": None}, "the table knows refcoco"),  # said first
        ({"dataset": "ref-coco"}, "did you mean 'refcoco'"),
        ({"split": "testa"}, "did you mean 'testA'"),
        ({"dataset": None}, "give --run-dataset"),
        ({"split": "test"}, "refcoco has val, testA, testB"),
        ({"scores": []}, "has no score with a value"),
        ({"scores": [{"name": "cIoU", "value": 74.1}]}, "not percent"),
        ({"scores": [{"name": "cIoU", "value": "0.7"}]}, "expected a share"),
        ({"scores": [{"value": 0.7}]}, "name"),
        ({"scores": 3}, "expected a list"),
        ({"scores": [3]}, "expected an object"),
        ({"counts": [1]}, "expected an object"),
        ({"system": 7}, "expected a string"),
        ({"scores": [{"name": "AP", "value": 0.3}]}, "has no cIoU; it has AP"),
    ],
)
def test_bad_runs_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    error = fail(capsys, "--with", scores(tmp_path, **changes))
    assert said in error
    assert "scores.json" in error


def test_other_files_are_no_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    for content, said in (("{}", "expected scores.json"), ("[]", "expected scores.json"),
                          ("{", "is not JSON"), ("", "is empty")):  # fmt: skip
        path.write_text(content, "utf-8")
        assert said in fail(capsys, "--with", path)
    assert "no such file" in fail(capsys, "--with", tmp_path / "none.json")


def test_two_files_of_one_split_must_be_told_apart(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    files = [scores(tmp_path, name) for name in ("a.json", "b.json")]
    assert "a.json" in fail(capsys, "--with", *files)
    other = scores(tmp_path, "b.json", system="theirs")
    assert len(rows(board(capsys, tmp_path, "--with", files[0], other), yours=True)) == 2


def test_a_run_outside_the_table_is_not_left_out_in_silence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = fail(capsys, "--with", scores(tmp_path), "--dataset", "reasonseg", "--metric", "cIoU")
    assert "none of the table's columns" in error


def test_rows_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "ours.csv"

    def write(system: str) -> None:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerow([system, "LLaVA-1.5", "LLM-based", "refcoco", "val", "cIoU", "99.9",
                             "single-sentence (as published)", "nowhere", "no", ""])  # fmt: skip

    write("Oracle")
    found = board(capsys, tmp_path, "--csv", path)
    assert (found["rows"][0]["system"], found["rows"][0]["rank"]) == ("Oracle", 1)
    write("LISA")
    assert "the shipped table" in fail(capsys, "--csv", path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--metric", "PQ"), "there are cIoU"),
        (("--split", "test"), "there are val, testA, testB"),
        (("--sort", "colour"), "there are val, testA, testB, average"),
        (("--metric", "N-acc"), "nobody published"),
    ],
)
def test_wrong_options_say_what_there_is(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in fail(capsys, *arguments)


def test_kinds_and_splits_are_chosen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = board(capsys, tmp_path, "--kind", "text-as-mask", "--split", "testA")
    assert {row["kind"] for row in found["rows"]} == {"text-as-mask"}
    assert [column["split"] for column in found["columns"]] == ["testA"]
    assert "average" not in run(capsys, "--split", "testA")


def test_generalised_results(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = board(capsys, tmp_path, "--dataset", "grefcoco")
    assert found["metric"] == "gIoU"
    (gsva,) = rows(found, system="GSVA-7B (fine-tuned)")
    assert gsva["values"] == [66.43, 71.06, 62.2]


def test_the_page_is_whole_and_says_why(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "board.html"
    run(capsys, "--with", scores(tmp_path), "--html", path)
    text = Page(path.read_text("utf-8")).text
    for said in (
        "cIoU on RefCOCO",
        "ours has place ",
        "all expressions of an object were put into one prompt",
        "codec 93.0",
        'survey "From Words to Pixels", Table 4',
        "single-sentence (as published)",
    ):
        assert said in text, said


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_shown_and_not_obeyed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    page = tmp_path / "board.html"
    path = scores(tmp_path, system=text.replace("\ud800", ""))
    out = run(capsys, "--with", path, "--html", page)
    assert "\x1b" not in out
    found = page.read_text("utf-8")
    Page(found)
    assert "<script" not in found


def test_outputs_need_their_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "does not exist" in fail(capsys, "--html", tmp_path / "no" / "board.html")

"""`maskcodec bench compare`: what moved, by how much, what is missing, and what else differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import document as documents
from maskcodec.cli import main

Figures = dict[str, dict[str, float | None]]


def write(path: Path, figures: Figures, **fields: Any) -> Path:
    document = documents.start("kernels", [], 0, {"sizes": "48x64"})
    for kernel, values in figures.items():
        documents.add(document, {"kernel": kernel, "masks": "<i>"}, values)
    documents.write(path, document | fields)
    return path


@pytest.fixture
def two(tmp_path: Path) -> list[str]:
    before: Figures = {"a": {"us": 10, "x": 1.0}, "b": {"us": 10, "x": 3}, "c": {"us": 1}}
    after: Figures = {"a": {"us": 10.2, "x": 2.5}, "b": {"us": 5, "x": None}, "d": {"us": 1}}
    return [
        str(write(tmp_path / "a.json", before)),
        str(write(tmp_path / "b.json", after)),
    ]


def test_the_farthest_moves_come_first(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "compare", *two]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if "<i>" in line and "  " in line.strip()]
    assert rows == [
        ["b,", "<i>", "x", "3", "not", "measured"],
        ["a,", "<i>", "x", "1", "2.5", "2.500"],
        ["b,", "<i>", "us", "10", "5", "0.500"],
    ]
    assert "3 figures moved, 1 by less than 5 % or not at all" in lines
    at = lines.index("only in A: 1")
    assert lines[at:] == ["only in A: 1", "  c, <i>", "only in B: 1", "  d, <i>"]
    assert not any(line.startswith("note:") for line in lines)


def test_thresholds_and_filters(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "compare", *two, "--min-change", "0.01", "--figures", "us"]) == 0
    assert "2 figures moved, 0 by less than 1 % or not at all" in capsys.readouterr().out
    assert main(["bench", "compare", *two, "--results", "A,"]) == 0
    assert "1 figure moved, 1 by less than 5 % or not at all" in capsys.readouterr().out
    assert main(["bench", "compare", *two, "--most", "1"]) == 0
    assert "... and 2 more" in capsys.readouterr().out


def test_the_same_file_twice_moves_nothing(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "compare", two[0], two[0], "--min-change", "0"]) == 0
    assert capsys.readouterr().out == "0 figures moved, 5 did not\n"


def test_files(two: list[str], tmp_path: Path) -> None:
    out = [str(tmp_path / "m.json"), str(tmp_path / "m.html")]
    assert main(["bench", "compare", *two, "--json", out[0], "--html", out[1]]) == 0
    found = json.loads(Path(out[0]).read_bytes())
    assert found["bench"] == "kernels"
    assert found["files"] == two
    assert found["moves"][1] == {
        "name": {"kernel": "a", "masks": "<i>"}, "figure": "x",
        "before": 1.0, "after": 2.5, "ratio": 2.5,
    }  # fmt: skip
    assert found["only_before"] == [{"kernel": "c", "masks": "<i>"}]
    page = Path(out[1]).read_text("utf-8")
    assert "2.500" in page
    assert "c, &lt;i&gt;" in page
    assert "<i>" not in page


def test_what_else_differs_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures: Figures = {"a": {"us": 1}}
    files = [
        str(write(tmp_path / "a.json", figures, machine={"cores": 2}, versions={"numpy": "1"})),
        str(write(
            tmp_path / "b.json", figures, machine={"cores": 4}, versions={"torch": "2"},
            settings={"sizes": "96x96"}, seed=None, interrupted=True,
        )),
    ]  # fmt: skip
    assert main(["bench", "compare", *files]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note:")]
    assert notes == [
        "note: the machine differs: cores was 2, is 4",
        "note: versions differ: numpy was 1, is absent; torch was absent, is 2",
        "note: settings differ: sizes was 48x64, is 96x96",
        "note: the seed was 0, is absent",
        f"note: {files[1]} was interrupted: it may lack results",
    ]


def test_files_that_cannot_be_compared(
    two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "rd.json"
    documents.write(other, documents.start("rd", []))
    assert main(["bench", "compare", two[0], str(other)]) == 2
    assert "only figures of the same bench can be compared" in capsys.readouterr().err
    other.write_text("{}")
    assert main(["bench", "compare", two[0], str(other)]) == 2
    assert "without a field 'bench'" in capsys.readouterr().err
    other.write_text('{"codec": "polygon"}\n{"codec": "boxgrid"}\n')
    assert main(["bench", "compare", two[0], str(other)]) == 2
    assert "expected the file of a bench's --json" in capsys.readouterr().err
    assert main(["bench", "compare", two[0], str(tmp_path / "none.json")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_filter_that_fits_nothing_is_an_error(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {
        ("--figures", "nosuch"): "--figures nosuch: no such figure; there are: us; x\n",
        ("--figures", "us", "nosuch"): "--figures nosuch: no such figure",
        ("--results", "nosuch"): "--results nosuch: no such result; there are: a, <i>; b, <i>; c",
        ("--results", "c,", "--figures", "x"): "--figures x: no such figure; there are: us\n",
    }
    for options, message in cases.items():
        assert main(["bench", "compare", *two, *options]) == 2
        said = capsys.readouterr()
        assert message in said.err
        assert said.out == ""
    # What one file alone has is no misspelt name.
    assert main(["bench", "compare", *two, "--results", "d,"]) == 0
    assert "only in B: 1" in capsys.readouterr().out


def test_an_error_names_some_of_many_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures: Figures = {f"k{index}": {"us": 1} for index in range(30)}
    file = str(write(tmp_path / "a.json", figures))
    assert main(["bench", "compare", file, file, "--results", "nosuch"]) == 2
    assert "k11, <i> and 18 more\n" in capsys.readouterr().err


def test_an_empty_name_is_said_to_be_empty(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(Path(two[0]).read_bytes())
    document["results"][0]["name"] = {}
    Path(two[0]).write_text(json.dumps(document))
    assert main(["bench", "compare", *two]) == 2
    assert "field 'results[0].name': is empty" in capsys.readouterr().err


def test_names_cannot_drive_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        str(write(tmp_path / "a.json", {"\x1b[2J": {"us": 1}})),
        str(write(tmp_path / "b.json", {"\x1b[2J": {"us": 2}})),
    ]
    assert main(["bench", "compare", *files]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_zero_that_moved_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        str(write(tmp_path / "a.json", {"a": {"us": 0, "x": 1}, "b": {"us": 0}})),
        str(write(tmp_path / "b.json", {"a": {"us": 2, "x": 9}, "b": {"us": 0}})),
    ]
    assert main(["bench", "compare", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines[1:3]] == ["us", "x"]
    assert lines[3] == "2 figures moved, 1 by less than 5 % or not at all"


def test_a_move_beyond_every_float_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        str(write(tmp_path / "a.json", {"a": {"us": 5e-324}, "b": {"us": 1.0}})),
        str(write(tmp_path / "b.json", {"a": {"us": 1e308}, "b": {"us": 1e300}})),
    ]
    out = tmp_path / "m.json"
    assert main(["bench", "compare", *files, "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) < 100
    assert "1.00e+300" in said
    assert [move["ratio"] for move in json.loads(out.read_bytes())["moves"]] == [None, 1e300]


def test_a_figure_that_one_file_alone_has_is_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [
        str(write(tmp_path / "a.json", {"a": {"us": 1}, "b": {"us": 1}})),
        str(write(tmp_path / "b.json", {"a": {"us": 3, "t": 9, "u": 8}, "b": {"us": 1, "t": 9}})),
    ]
    assert main(["bench", "compare", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"note: only {files[1]} has the figures t; u"
    assert lines[-1] == "1 figure moved, 1 by less than 5 % or not at all"


def test_a_hundredth_of_iou_is_a_move(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A twentieth of a time is noise; a twentieth of an IoU is a codec's rank."""
    before: Figures = {"a": {"iou": 0.90, "boundary_iou": 0.80, "us": 10}, "b": {"iou": 0.9}}
    after: Figures = {"a": {"iou": 0.89, "boundary_iou": 0.81, "us": 10.4}, "b": {"iou": 0.897}}
    files = [str(write(tmp_path / "a.json", before)), str(write(tmp_path / "b.json", after))]
    assert main(["bench", "compare", *files]) == 0
    assert "2 figures moved, 2 by less than 5 % or not at all" in capsys.readouterr().out
    assert main(["bench", "compare", *files, "--min-change", "2"]) == 0
    assert "0 figures moved, 4 by less than 200 % or not at all" in capsys.readouterr().out
    assert main(["bench", "compare", files[0], files[0], "--min-change", "0"]) == 0
    assert "0 figures moved, 4 did not" in capsys.readouterr().out


def test_gates_that_are_missed_now_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name, ratios in (("a", (3.58, 9.9)), ("b", (3.44, 10.1))):
        document = documents.start("kernels", [], 0)
        for kernel, ratio in zip("xy", ratios, strict=True):
            gate = {"opencv": {"least": 3.5, "stretch": 10}}
            documents.add(document, {"kernel": kernel}, {"opencv": ratio}, gate)
        documents.write(tmp_path / name, document)
        files.append(str(tmp_path / name))
    assert main(["bench", "compare", *files]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("note: g")] == [
        "note: gate missed: x, opencv, 3.5: 3.58 before, 3.44 now",
        "note: goal held: y, opencv, 10: 9.9 before, 10.1 now",
    ]
    assert main(["bench", "compare", files[0], files[0]]) == 0
    assert "note:" not in capsys.readouterr().out


def test_nothing_is_left_out_where_as_many_are_asked_for_as_moved(
    two: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "compare", *two, "--most", "3"]) == 0
    assert "(--most)" not in capsys.readouterr().out

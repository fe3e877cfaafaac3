"""`maskcodec bench learn`: how logs and seeds become figures, a page and a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from learn_folders import ANSWERS, BOXES, RUNS, SETTINGS, fabricate, runs_of, write_figures

from benchmarks import document as documents
from benchmarks import learn_figures, learn_log, learn_page, learn_picture
from benchmarks.learn_log import Point
from benchmarks.learn_plan import Training, finals, sweep
from benchmarks.learn_runs import Runs
from maskcodec.errors import RecordError


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


def test_a_log_that_says_the_time_of_training_is_believed(tmp_path: Path) -> None:
    point = {"step": 3, "giou": 0.5, "ceiling_giou": 1, "invalid_share": 0, "eval_seconds": 4}
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({**point, "seconds": 30, "training_seconds": 24.5}) + "\n")
    assert [one.seconds for one in learn_log.read_points(path)] == [24.5]


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


def test_where_the_clock_ends_seeds_their_ends_are_one_point(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, minutes=1.0)
    document = documents.start("learn", [], settings=runs.settings.fields())
    last = finals(runs.settings, {BOXES: 0.01}, 2)
    write_figures(runs.before(BOXES))
    fabricate(runs, last[0], [0.1, 0.3, 0.6])  # after 2, 4 and 6 steps
    fabricate(runs, last[1], [0.2, 0.4])
    learn_figures.collect(document, runs, [], last)
    curve = learn_figures.of_kind(document, "curve", BOXES)
    assert [one["name"]["step"] for one in curve] == [0, 2, 5]
    assert [one["figures"]["giou"] for one in curve] == pytest.approx([0.5, 0.15, 0.5])
    end = curve[2]["figures"]
    assert (end["giou_low"], end["giou_high"], end["seeds"]) == pytest.approx((0.4, 0.6, 2))
    assert end["seconds"] == pytest.approx(35)  # 40 and 30 without evaluations
    assert end["operations"] == pytest.approx(30e6 / 1e12)
    documents.check(document, "document")
    learn_page.write(tmp_path / "learn.html", document)
    assert "the mean of the seeds&#x27; ends" in (tmp_path / "learn.html").read_text()


def test_a_curve_of_its_beginning_alone_is_drawn(tmp_path: Path) -> None:
    document, _ = fabricated(tmp_path)
    document["results"] = [
        one
        for one in document["results"]
        if one["name"]["kind"] != "curve" or not one["name"]["step"]
    ]
    assert [one["name"]["step"] for one in learn_figures.of_kind(document, "curve")] == [0, 0]
    assert learn_picture.draw(document) is not None
    learn_page.write(tmp_path / "learn.html", document)


def test_operations_count_every_pass_of_a_step(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, train_options="--rank 4 --accumulate 4")
    document = documents.start("learn", [], settings=runs.settings.fields())
    training = Training(BOXES, 0.01, 0, 4)
    write_figures(runs.before(BOXES))
    write_figures(fabricate(runs, training, [0.1, 0.2]) / "figures.json")
    learn_figures.collect(document, runs, [], [training])
    # 6 x 1000 weights x (70 + 29 + 1 tokens) x 10 examples x 4 passes, and 4 steps of them
    [codec] = learn_figures.of_kind(document, "codec")
    assert codec["figures"]["operations"] == pytest.approx(24e6 / 1e12)
    [run] = learn_figures.of_kind(document, "run")
    assert run["figures"]["operations"] == pytest.approx(96e6 / 1e12)


def test_a_document_says_which_trainings_it_reports(tmp_path: Path) -> None:
    document, runs = fabricated(tmp_path)
    sweeps, last = learn_figures.reported(document, SETTINGS)
    assert sweeps == sweep(SETTINGS, [BOXES, RUNS])
    expected = finals(SETTINGS, {BOXES: 0.01, RUNS: 0.001}, 3)
    assert last == [one for one in expected if (one.spec, one.seed) != (RUNS, 2)]
    again = documents.start("learn", [], settings=SETTINGS.fields())
    learn_figures.collect(again, runs, sweeps, last)
    assert again["results"] == document["results"]


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


def of_ceilings(ceilings: dict[str, float]) -> documents.Document:
    """A document that knows codecs and nothing else."""
    document = documents.start("learn", [], settings=SETTINGS.fields())
    for spec, ceiling in ceilings.items():
        documents.add(document, {"kind": "codec", "codec": spec}, {"ceiling": ceiling})
    return document


def test_words_at_ceilings_do_not_overlap() -> None:
    ceilings = {"polygon": 0.89, "boxgrid": 0.92, "boxgrid:rows=6": 0.9, "coco_rle": 1.0}
    levels = learn_page._levels(of_ceilings({**ceilings, "boxgrid:rows=2": 0.6}))
    assert levels == {
        "boxgrid alone: 0.60": 0.6,
        "polygon, boxgrid alone: 0.89 to 0.92": 0.89,
        "coco_rle alone: 1.00": 1.0,
    }


def test_the_key_of_the_picture_takes_one_column_for_long_specs() -> None:
    long = "polygon:bins=1000,alphabet=decimal,points=8,tolerance=0.0005,minimum=3: 0.91 alone"
    assert learn_picture.columns_of(["boxgrid: 0.92 alone"]) == 2
    assert learn_picture.columns_of(["boxgrid: 0.92 alone", long]) == 1


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({}, "gIoU, unseen scenes"),
        ({"val": "--seed 3 scenes"}, "gIoU, unseen scenes"),
        ({"test": "refcoco --split testA"}, "gIoU, unseen examples"),
        ({"val": "mine.json", "test": "scenes.json"}, "gIoU, unseen examples"),
    ],
)
def test_a_picture_names_scenes_only_where_they_are(changed: dict[str, str], title: str) -> None:
    assert learn_picture.title(SETTINGS.fields() | changed) == title


def test_a_page_without_any_training_says_little(tmp_path: Path) -> None:
    document = documents.start("learn", [], settings=SETTINGS.fields())
    learn_page.write(tmp_path / "learn.html", document)
    assert "<svg" not in (tmp_path / "learn.html").read_text()
    assert learn_picture.draw(document) is None

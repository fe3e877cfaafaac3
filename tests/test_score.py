"""`maskcodec score` on texts: figures, what was missing, parts, and two systems."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
from reading import read_jsonl, write_jsonl
from scoring import (
    SIZE,
    SPEC,
    name,
    picture,
    plain_scores,
    score,
    texts,
    truth_file,
    union,
    unmatched,
)

from maskcodec import get_codec


def test_scores_of_texts_are_those_of_plain_loops(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = texts()
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.status == 0, found.err
    codec = get_codec(SPEC)
    decoded = {one["id"]: union(codec.decode(one["text"], SIZE).masks) for one in given}
    giou, ciou = plain_scores(decoded)
    assert found.value("gIoU") == pytest.approx(giou, abs=1e-12)
    assert found.value("cIoU") == pytest.approx(ciou, abs=1e-12)
    best = {
        name(n): union(codec.decode(codec.encode(picture(n), SIZE), SIZE).masks) for n in range(20)
    }
    ceiling = plain_scores(best)
    assert (found.ceiling("gIoU"), found.ceiling("cIoU")) == pytest.approx(ceiling, abs=1e-12)
    lost = round(100 - 100 * ceiling[0], 1)
    assert f"Of 100 points of gIoU the codec lost {lost:.1f} and the model" in found.out
    assert found.counts["truth"] == found.counts["scored"] == 20
    assert found.document["kind"] == "referring"
    assert found.document["inputs"]["predictions"][0]["specs"] == [SPEC]
    assert sum(found.document["histogram"]["counts"]) == 20
    assert {"page.html", "rows.jsonl", "run.json"} <= {p.name for p in (tmp_path / "out").iterdir()}
    for one in found.document["scores"][:2]:
        assert one["low"] <= one["value"] <= one["high"]


def test_groups_add_up(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", texts()), "-t", truth)
    sizes = {g["name"]: g for g in found.document["groups"]}
    assert sizes["no-target"]["count"] == 4
    total = sum(
        group["count"] * {s["name"]: s["value"] for s in group["scores"]}["gIoU"]
        for group in sizes.values()
    )
    assert total / 20 == pytest.approx(found.value("gIoU"))


def test_missing_extra_and_repeated_predictions_are_counted(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = texts()
    del given[3], given[9]
    given += [{"id": "nobody", "text": "none", "spec": SPEC}, dict(given[0], text="none")]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.status == 1
    assert "2 of 20 samples have no prediction" in found.err
    counts = found.counts
    assert [counts[k] for k in ("missing", "extra", "duplicate", "scored")] == [2, 1, 1, 20]
    assert sorted(unmatched(tmp_path / "out")) == sorted(
        [("missing", name(3)), ("missing", name(10)), ("extra", "nobody"), ("duplicate", name(0))]
    )
    codec = get_codec(SPEC)
    decoded = {one["id"]: union(codec.decode(one["text"], SIZE).masks) for one in given[:18]}
    assert found.value("cIoU") == pytest.approx(plain_scores(decoded)[1])


def test_a_missing_answer_is_no_right_nothing_unless_the_convention_says_so(
    tmp_path: Path,
) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 5)
    given = write_jsonl(tmp_path / "p.jsonl", texts()[:4])  # the fifth has no target
    own = score(tmp_path / "out", given, "--truth", truth)
    lisa = score(tmp_path / "lisa", given, "--truth", truth, "--convention", "lisa")
    assert lisa.value("gIoU") - own.value("gIoU") == pytest.approx(1 / 5, abs=1e-6)
    assert lisa.document["convention"]["name"] == "lisa"


def test_invalid_and_repaired_answers_are_counted_by_kind(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = texts()
    given[0]["text"] = given[0]["text"][:-4]
    given[1]["text"] = "I can't see one, sorry."
    given[2]["text"] = ""
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.counts["invalid"] == 2
    assert found.counts["repaired"] == 1
    assert sum(found.document["repairs"].values()) >= 3
    assert {("invalid", name(1)), ("invalid", name(2))} <= set(unmatched(tmp_path / "out"))
    assert "2 invalid" in found.out


def test_a_torn_file_is_counted_and_said(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b'"text"') + 9])
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 1
    assert "end in the middle of a line" in found.err
    assert found.counts["unreadable"] == 1
    assert found.counts["missing"] == 1
    assert ("missing", name(19)) in unmatched(tmp_path / "out")
    assert "cut off in the middle" in (tmp_path / "out" / "unmatched.jsonl").read_text()


def test_a_torn_gzip_is_counted_too(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl.gz", texts())
    whole = score(tmp_path / "whole", path, "--truth", truth)
    assert whole.status == 0, whole.err
    path.write_bytes(path.read_bytes()[:-200])
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 1
    assert found.counts["missing"] > 0
    assert found.counts["truth"] == 20
    assert "end in the middle of a line" in found.err


def test_a_line_that_is_no_prediction_costs_that_line(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = [*texts()[:18], "not JSON", {"id": [1]}, {"id": name(18), "text": 7, "spec": SPEC}]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.status == 1
    assert found.counts["unreadable"] == 2
    assert found.counts["missing"] == 1
    assert found.counts["invalid"] == 1
    assert found.document["repairs"]["bad-record"] == 1


def test_ids_that_match_nowhere_are_an_error_with_both_styles(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = [dict(one, id=number) for number, one in enumerate(texts())]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.status == 2
    assert "'0'" in found.err
    assert "'set/0#0'" in found.err
    assert not (tmp_path / "out" / "scores.json").exists()


def test_specs_of_their_own_may_differ_but_not_be_guessed(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    other = get_codec("polygon")
    given = texts()
    given[3] |= {"spec": "polygon", "text": other.encode(picture(3), SIZE)}
    mixed = score(tmp_path / "mixed", write_jsonl(tmp_path / "a.jsonl", given), "--truth", truth)
    assert mixed.status == 0, mixed.err
    assert mixed.counts["invalid"] == 0
    assert mixed.document["inputs"]["predictions"][0]["specs"] == [SPEC, "polygon"]
    del given[5]["spec"]
    path = write_jsonl(tmp_path / "b.jsonl", given)
    unsaid = score(tmp_path / "unsaid", path, "--truth", truth)
    assert unsaid.status == 2
    assert "1 texts name no spec, others name" in unsaid.err
    assert score(tmp_path / "said", path, "--truth", truth, "--spec", SPEC).status == 0
    given[4]["spec"] = "boxgird"
    wrong = score(tmp_path / "wrong", write_jsonl(tmp_path / "c.jsonl", given[:5]), "-t", truth)
    assert wrong.counts["unreadable"] == 1
    assert "boxgrid" in wrong.err


def test_texts_without_spec_are_read_as_the_truth_is_spelt(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = [{"id": one["id"], "text": one["text"]} for one in texts()]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 0
    assert f"read as the truth's own, {get_codec(SPEC).spec}" in found.err
    as_before = score(tmp_path / "b", write_jsonl(tmp_path / "q.jsonl", texts()), "-t", truth)
    assert found.document["scores"] == as_before.document["scores"]


def test_sizes_of_texts_that_differ_are_counted(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = [dict(one, size=[80, 120]) for one in texts()]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.counts["other_size"] == 20
    assert found.value("gIoU") > 0.5  # texts have no pixels: they are read at the truth's size


def test_conversations_have_an_id_for_each_answer(tmp_path: Path) -> None:
    row = read_jsonl(truth_file(tmp_path / "one.jsonl", 1))[0]
    row["messages"] *= 2
    row["truth"] *= 2
    row["forms"] *= 2
    truth = write_jsonl(tmp_path / "val.jsonl", [row])
    text = texts(1)[0]
    given = [dict(text, id="set/0#0#1"), dict(text, id="set/0#0#2", text="none")]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.status == 0, found.err
    assert [row["row"]["id"] for row in read_jsonl(tmp_path / "out" / "rows.jsonl")] == [
        "set/0#0#1",
        "set/0#0#2",
    ]


def test_truth_that_is_wrong_costs_its_line(tmp_path: Path) -> None:
    rows = read_jsonl(truth_file(tmp_path / "val.jsonl"))
    rows[2]["truth"][0][0]["counts"] = "zzz"
    again = dict(rows[4])
    truth = write_jsonl(tmp_path / "bad.jsonl", [*rows, "{", {"id": "x"}, again])
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", texts()), "--truth", truth)
    assert found.status == 1
    assert found.counts["rejected"] == 4
    assert found.counts["truth"] == 19
    reasons = " ".join(r["reason"] for r in read_jsonl(tmp_path / "out" / "rejected.jsonl"))
    assert "is the id of an earlier sample too" in reasons


def test_two_systems_are_compared_in_pairs(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    good = write_jsonl(
        tmp_path / "good.jsonl",
        [
            {"id": name(n), "spec": SPEC, "text": get_codec(SPEC).encode(picture(n), SIZE)}
            for n in range(20)
        ],
    )
    bad = write_jsonl(tmp_path / "bad.jsonl", texts())
    found = score(
        tmp_path / "out", good, "--against", bad, "-t", truth, "--other", "B", "--resamples", "999"
    )
    compared = found.document["comparison"]
    alone = score(tmp_path / "alone", bad, "--truth", truth)
    first = compared["scores"][0]
    assert first["name"] == "gIoU"
    assert first["other"] == pytest.approx(alone.value("gIoU"))
    assert first["difference"] == pytest.approx(found.value("gIoU") - alone.value("gIoU"))
    assert 0 < first["low"] < first["difference"] < first["high"]
    assert first["p"] < 0.01
    assert compared["better"] + compared["worse"] + compared["same"] == 20
    assert compared["better"] > compared["worse"]
    assert "Better on" in found.out
    itself = score(tmp_path / "itself", bad, "--against", bad, "--truth", truth)
    assert all(one["difference"] == 0 for one in itself.document["comparison"]["scores"])
    assert itself.document["comparison"]["same"] == 20


def test_the_other_system_has_no_silent_zero(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    few = write_jsonl(tmp_path / "few.jsonl", texts()[:15])
    found = score(tmp_path / "out", path, "--against", few, "--truth", truth)
    assert found.status == 1
    assert "5 samples have no prediction of the other system" in found.err
    strange = [dict(one, id=f"x{number}") for number, one in enumerate(texts())]
    none = write_jsonl(tmp_path / "none.jsonl", strange)
    assert score(tmp_path / "b", path, "--against", none, "--truth", truth).status == 2


def test_a_seed_gives_the_same_figures(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    one, two, other = (
        score(tmp_path / str(n), path, "-t", truth, "--seed", seed).document["scores"]
        for n, seed in enumerate((1, 1, 2))
    )
    assert one == two
    assert one != other
    none = score(tmp_path / "none", path, "--truth", truth, "--resamples", "0")
    assert all(score["low"] is None for score in none.document["scores"])


def test_options_leave_things_out(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    found = score(
        tmp_path / "out", path, "-t", truth, "--no-ceiling", "--no-boundary", "--no-page", "-q"
    )
    assert found.out == ""
    assert "boundary_IoU" not in {one["name"] for one in found.document["scores"]}
    assert all(one["ceiling"] is None for one in found.document["scores"])
    assert not (tmp_path / "out" / "page.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--convention", "liza"], "did you mean 'lisa'"),
        (["--preset", "refcocco"], "did you mean"),
        (["--kind", "semantic", "--convention", "lisa"], "semantic: no convention 'lisa'"),
        (["--tasks", "semantic"], "holds no example of semantic"),
        (["--shard", "2/2"], "is no part I/N"),
        (["--images", "nowhere"], "is no folder"),
    ],
)
def test_wrong_options_are_said(tmp_path: Path, arguments: list[str], message: str) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    found = score(tmp_path / "out", path, "--truth", truth, *arguments)
    assert found.status == 2
    assert message in found.err


@pytest.mark.parametrize("what", ["predictions", "truth"])
def test_files_that_are_not_there(tmp_path: Path, what: str) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    (path if what == "predictions" else truth).unlink()
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 2
    assert "no such file" in found.err


def test_a_folder_with_files_is_not_replaced_unasked(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    first = score(tmp_path / "out", path, "--truth", truth)
    again = score(tmp_path / "out", path, "--truth", truth)
    assert again.status == 2
    assert "--overwrite" in again.err
    over = score(tmp_path / "out", path, "--truth", truth, "--overwrite")
    assert over.document["scores"] == first.document["scores"]


def test_the_program_is_the_verb(tmp_path: Path) -> None:
    program = importlib.import_module("maskcodec.eval.score")
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    arguments = [str(path), "--truth", str(truth), "--output", str(tmp_path / "out"), "-q"]
    assert program.main(arguments) == 0
    document = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert document["command"].startswith(f"maskcodec score {path} --truth {truth}")
    assert program.main([*arguments[:3], "--output", str(tmp_path / "out")]) == 2


def test_answers_in_words_are_not_scored(tmp_path: Path) -> None:
    rows = read_jsonl(truth_file(tmp_path / "a.jsonl", 3))
    rows[1] |= {"truth": [[]], "forms": ["tagged"]}
    rows[1]["messages"][1]["content"] = "It is a dog."
    truth = write_jsonl(tmp_path / "val.jsonl", rows)
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", texts(3)), "--truth", truth)
    assert found.counts["truth"] == 2
    assert found.counts["words"] == 1


def test_ignored_pixels_of_a_prepared_file(tmp_path: Path) -> None:
    rows = read_jsonl(truth_file(tmp_path / "a.jsonl", 1))
    ignore = np.zeros(SIZE, np.bool_)
    ignore[:, 30:] = True
    from scoring import coco

    rows[0]["ignore"] = coco(ignore)
    truth = write_jsonl(tmp_path / "val.jsonl", rows)
    everything = np.ones(SIZE, np.bool_)
    given = [{"id": name(0), "segmentation": coco(everything)}]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    target = union(picture(0))
    plain = score(tmp_path / "out", path, "--truth", truth)
    assert plain.value("cIoU") == pytest.approx(target.sum() / (40 * 30))
    hit = score(tmp_path / "hit", path, "--truth", truth, "--convention", "himtok")
    assert hit.value("cIoU") == pytest.approx((target.sum() + 1200) / 2400)


PALIGEMMA = "<loc0100><loc0100><loc0800><loc0800>" + "".join(f"<seg{k:03}>" for k in range(16))
SAMTOK = "<|mt_start|><|mt_0001|><|mt_0300|><|mt_end|>"


@pytest.mark.parametrize(
    ("spec", "text", "cause"),
    [
        ("paligemma:weights=none.npz", f"{PALIGEMMA} dog", "paligemma: no weights at"),
        ("samtok", SAMTOK, "samtok: drawing a mask from its codes needs"),
    ],
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_codec_that_cannot_draw_here_gives_no_score(
    tmp_path: Path, spec: str, text: str, cause: str, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKCODEC_WEIGHTS", str(tmp_path))
    if spec.startswith("paligemma"):
        pytest.importorskip("torch")
    monkeypatch.setattr("maskcodec.eval.score.FEW", 1)
    truth = truth_file(tmp_path / "val.jsonl")
    given = [{"id": name(n), "spec": spec, "text": "none" if n < 3 else text} for n in range(20)]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", truth, "-j", jobs)
    assert found.status == 2, found.err
    assert cause in found.err
    assert list((tmp_path / "out").iterdir()) == []  # the same folder can be given again


def test_a_ceiling_that_was_asked_for_and_cannot_be_measured_is_an_error(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    path = write_jsonl(tmp_path / "p.jsonl", texts())
    found = score(tmp_path / "out", path, "--truth", truth, "--ceiling", "samtok")
    assert found.status == 2
    assert "samtok: taking the codes of a mask needs" in found.err
    assert score(tmp_path / "out", path, "--truth", truth).status == 0


def test_no_ceiling_is_said(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 4)  # something to find in each
    given = [{"id": name(n), "spec": "samtok", "text": "nothing"} for n in range(4)]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.status == 1
    assert "no ceiling: the codec of the predictions can't spell a right mask here" in found.err

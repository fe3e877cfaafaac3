"""The rate-distortion program: right figures, nothing lost when it is stopped, whole reports."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reading import disc, rle_fields, write_jsonl
from strategies import draw_array
from strip_codec import strips
from test_sheet import Page
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

from benchmarks import document as documents
from benchmarks import rate_distortion, rate_distortion_picture
from benchmarks.rate_distortion import main
from benchmarks.rate_distortion_masks import PER_PHOTOGRAPH, built_in_masks
from benchmarks.rate_distortion_measure import LABEL
from benchmarks.rate_distortion_specs import curve_of, default_specs, read_setting, short_spec
from maskcodec import Mask, MaskCodecError, get_codec, list_codecs, rle
from maskcodec.boundary import boundary_iou
from maskcodec.cli import main as cli
from maskcodec.datasets.image_split import is_held_out
from maskcodec.metrics import iou
from maskcodec.pillow_canvas import PillowCanvas

__all__ = ["strips"]

SIZE = (90, 120)
SPECS = ("boxgrid:rows=8", "text4seg:grid=16", "polygon:tolerance=0.02")
IMAGES = 24


def array_of(index: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Discs and ellipses of all size classes."""
    if index % 3 == 0:
        return disc(SIZE, (40, 30 + 2 * index), 5)
    return draw_array("ellipses", SIZE, index)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """A mask an image, and one without pixels."""
    records: list[object] = [
        rle_fields(Mask(array_of(index), "cat"), f"{index:012}.jpg", index)
        for index in range(IMAGES)
    ]
    records.append(rle_fields(Mask(np.zeros(SIZE, np.bool_), "cat"), "000000000010.jpg", "empty"))
    return write_jsonl(tmp_path / "masks.jsonl", records)


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer for which every character is a token."""
    made = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return path


def report(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def run(masks: Path, *options: str | Path, specs: Iterable[str] = SPECS) -> int:
    given = ["--specs", *specs] if specs else []
    return main([str(masks), "--quiet", "--jobs", "1", *given, *map(str, options)])


def test_figures_are_those_of_the_codec(
    masks: Path, tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rd.json"
    with masks.open("a") as stream:
        stream.write('{"image": "x.jpg", "counts": 3}\n')
    assert run(masks, "--json", out, "--tokenizer", f"letters={tokenizer}", "gpt4o") == 1
    document = report(out)
    assert [point["spec"] for point in document["points"]] == [get_codec(s).spec for s in SPECS]
    assert document["masks"]["count"] == IMAGES
    assert document["masks"]["without_pixels"] == 1
    assert document["masks"]["unreadable"] == 1
    assert document["versions"]["numpy"] == np.__version__
    printed = capsys.readouterr()
    assert "masks.jsonl:26" in printed.err
    for point in document["points"]:
        codec = get_codec(point["spec"])
        trips = []
        for index in range(IMAGES):
            truth = array_of(index)
            text = codec.encode([Mask(truth, LABEL)], SIZE)
            found = codec.decode(text, SIZE).masks
            pixels = found[0].array if found else np.zeros(SIZE, np.bool_)
            # A label is three characters, paid once at the most, and not where nothing is left.
            cost = len(text) - 3 * (LABEL in text)
            trips.append((truth.sum(), iou(pixels, truth), boundary_iou(pixels, truth), cost))
        area, overlap, boundary, length = map(np.array, zip(*trips, strict=True))
        groups = point["groups"]
        for group, chosen in {
            "all": area >= 0,
            "small": area < 32**2,
            "medium": (area >= 32**2) & (area < 96**2),
            "large": area >= 96**2,
        }.items():
            if not chosen.any():
                assert group not in groups
                continue
            assert groups[group]["count"] == chosen.sum()
            assert groups[group]["iou"] == pytest.approx(overlap[chosen].mean())
            assert groups[group]["boundary_iou"] == pytest.approx(boundary[chosen].mean())
            assert groups[group]["share_iou_0"] == pytest.approx((overlap[chosen] == 0).mean())
            costs = groups[group]["costs"]
            assert costs["characters"]["mean"] == pytest.approx(length[chosen].mean())
            assert costs["characters"]["p95"] == np.percentile(length[chosen], 95)
            assert costs["letters"] == costs["characters"]
            assert 0 < costs["gpt4o"]["median"] < costs["characters"]["median"]
        line = next(line for line in printed.out.splitlines() if f"`{point['short']}`" in line)
        assert f"{overlap.mean():.4f}" in line


@pytest.mark.parametrize("spec", ["vistallm", "simpleseg:epsilon=0.01", "florence2"])
def test_a_format_that_says_no_label_pays_for_its_whole_text(
    tmp_path: Path, tokenizer: Path, spec: str
) -> None:
    file = write_jsonl(tmp_path / "m.jsonl", [rle_fields(Mask(array_of(1), "x"), "1.jpg", 1)])
    out = tmp_path / "rd.json"
    assert run(file, "--json", out, "--tokenizer", f"t={tokenizer}", specs=[spec]) == 0
    text = get_codec(spec).encode([Mask(array_of(1), LABEL)], SIZE)
    [point] = report(out)["points"]
    costs = point["groups"]["all"]["costs"]
    assert costs["characters"]["mean"] == len(text) - (3 if text.startswith(LABEL) else 0)
    assert text.startswith(LABEL) == (spec == "florence2")
    added = sum(text.count(token) * (len(token) - 1) for token in get_codec(spec).vocab().tokens)
    assert costs["t"]["mean"] == costs["characters"]["mean"] - added


def test_label_maps_are_read_with_the_names_of_their_values(tmp_path: Path) -> None:
    values = np.zeros(SIZE, np.uint8)
    values[10:40, 10:40] = 1
    values[50:80, 60:110] = 2
    folder = tmp_path / "maps"
    folder.mkdir()
    Image.fromarray(values).save(folder / "1.png")
    names = tmp_path / "names.txt"
    names.write_text("dog\ncat\n")
    out = tmp_path / "rd.json"
    assert run(folder, "--names", names, "--json", out, specs=["coco_rle"]) == 0
    assert report(out)["masks"]["count"] == 2
    assert report(out)["points"][0]["groups"]["medium"]["count"] == 1


def test_tokens_are_counted_unless_nothing_can_count_them(
    masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "rd.json", tmp_path / "rd.html"
    assert run(masks, "--json", out, "--html", page, specs=["boxgrid:rows=8"]) == 0
    assert [*report(out)["tokenizers"]] == ["gpt4o"]
    assert "IoU against tokens" in Page(page.read_text()).texts["h1"]
    assert "characters are counted" not in capsys.readouterr().err
    monkeypatch.setattr(rate_distortion, "default_counter", lambda: None)
    assert run(masks, "--json", out, "--html", page, specs=["boxgrid:rows=8"]) == 0
    assert report(out)["tokenizers"] == {}
    assert {entry["unit"] for entry in report(out)["best"]} == {"characters"}
    assert "IoU against characters" in Page(page.read_text()).texts["h1"]
    assert "No tokenizer was given" in page.read_text()
    assert "give --tokenizer NAME=FILE" in capsys.readouterr().err


def test_what_differs_between_two_runs_is_said_by_compare(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, options in zip(files, ([], ["--count", "5"]), strict=True):
        assert run(masks, "--json", file, *options, specs=["boxgrid:rows=8"]) == 0
    capsys.readouterr()
    assert cli(["bench", "compare", *map(str, files)]) == 0
    said = capsys.readouterr().out
    assert f"masks was {IMAGES} of split all, is 5 of split all; masks sha256 was" in said


def test_splits_part_the_masks_by_image(masks: Path, tmp_path: Path) -> None:
    counts = {}
    for split in ("held-out", "train", "all"):
        out = tmp_path / f"{split}.json"
        assert run(masks, "--split", split, "--json", out, specs=["boxgrid"]) == 0
        counts[split] = report(out)["masks"]["count"]
    held_out = sum(is_held_out(f"{index:012}.jpg") for index in range(IMAGES))
    assert counts == {"held-out": held_out, "train": IMAGES - held_out, "all": IMAGES}


def test_a_draw_is_the_same_for_the_same_seed(masks: Path, tmp_path: Path) -> None:
    digests = []
    for seed in ("1", "1", "2"):
        out = tmp_path / "rd.json"
        assert run(masks, "--count", "7", "--seed", seed, "--json", out, specs=["boxgrid"]) == 0
        assert report(out)["masks"]["count"] == 7
        digests.append(report(out)["masks"]["sha256"])
    assert digests[0] == digests[1] != digests[2]


def test_several_processes_measure_the_same(masks: Path, tmp_path: Path) -> None:
    points = []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.json"
        options = ["--specs", *SPECS[:2], "--tokenizer", "gpt4o", "--json", str(out)]
        assert main([str(masks), "--quiet", "--jobs", jobs, *options]) == 0
        points.append(report(out)["points"])
    assert points[0] == points[1]


def test_ctrl_c_keeps_finished_specs_and_resume_measures_the_rest(
    masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.json", tmp_path / "rd.json"
    assert run(masks, "--json", whole) == 0
    measured: list[str] = []
    patience = IMAGES + 3

    def work(function: Callable[[Any], Any], items: Iterable[Any], jobs: int) -> Iterator[Any]:
        for item in items:
            if len(measured) == patience:
                raise KeyboardInterrupt
            measured.append(item[0])
            yield function(item)

    monkeypatch.setattr(rate_distortion, "map_ordered", work)
    page = tmp_path / "rd.html"
    assert run(masks, "--json", out, "--html", page) == 130
    assert report(out)["interrupted"]
    assert [point["short"] for point in report(out)["points"]] == ["boxgrid:rows=8"]
    assert page.exists()
    patience = 10**6
    measured.clear()
    assert run(masks, "--json", out, "--resume") == 0
    assert measured == [get_codec(spec).spec for spec in SPECS[1:] for _ in range(IMAGES)]
    assert not report(out)["interrupted"]
    assert report(out)["points"] == report(whole)["points"]
    measured.clear()
    assert run(masks, "--json", out, "--resume", "--png", tmp_path / "rd.png") == 0
    assert measured == []


def test_resume_keeps_specs_that_are_not_asked_for_again(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "rd.json", tmp_path / "rd.html"
    assert run(masks, "--json", out, specs=[*SPECS, "paligemma"]) == 0
    points, left_out = report(out)["points"], report(out)["left_out"]
    assert len(left_out) == 1
    capsys.readouterr()
    assert run(masks, "--json", out, "--html", page, "--resume", specs=["coco_rle"]) == 0
    after = report(out)
    assert after["points"][:3] == points
    assert [point["short"] for point in after["points"][3:]] == ["coco_rle"]
    assert after["left_out"] == left_out
    assert {result["name"]["spec"] for result in after["results"]} == {*SPECS, "coco_rle"}
    printed = capsys.readouterr().out
    assert all(f"| `{spec}` |" in printed for spec in (*SPECS, "coco_rle"))
    assert {*SPECS, "coco_rle"} <= {*Page(page.read_text()).texts["th"]}


def test_finished_specs_outlive_their_codec(masks: Path, tmp_path: Path) -> None:
    out, examples = tmp_path / "rd.json", tmp_path / "examples.png"
    assert run(masks, "--json", out, specs=["boxgrid:rows=8"]) == 0
    document = report(out)
    document["points"][0] |= {"spec": "gone:x=1", "short": "gone", "curve": "gone"}
    out.write_text(json.dumps(document))
    files = ("--json", out, "--examples", examples)
    assert run(masks, *files, "--resume", specs=["coco_rle"]) == 0
    assert [point["short"] for point in report(out)["points"]] == ["gone", "coco_rle"]
    assert examples.exists()


def test_resume_is_refused_where_it_would_mix(
    masks: Path, tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rd.json"
    assert run(masks, "--json", out) == 0
    before = out.read_bytes()
    for options in (["--count", "5"], ["--tokenizer", f"t={tokenizer}"]):
        assert run(masks, "--json", out, "--resume", *options) == 2
        assert "measured on other masks, or with other tokenizers" in capsys.readouterr().err
    assert out.read_bytes() == before
    for part in ("groups", "short", "curve", "failed"):
        broken = json.loads(before)
        del broken["points"][1][part]
        out.write_text(json.dumps(broken))
        assert run(masks, "--json", out, "--resume") == 2
        assert "is no report of this program" in capsys.readouterr().err
    broken = json.loads(before)
    broken["points"][0]["groups"]["all"]["costs"]["gpt4o"]["median"] = "many"
    reason = json.dumps(json.loads(before) | {"left_out": {"boxgrid@2": 3}})
    for text in (json.dumps(broken), reason, '{"schema": 1}', "[]", "null", "3"):
        out.write_text(text)
        assert run(masks, "--json", out, "--resume") == 2
        assert "is no report of this program" in capsys.readouterr().err
    out.write_text("[" * 100_000)
    assert run(masks, "--json", out, "--resume") == 2
    assert "nested too deep" in capsys.readouterr().err
    assert run(masks, "--resume") == 2
    assert "--resume needs --json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--specs", "boxgird"], "did you mean 'boxgrid'"),
        (["--specs", "boxgrid@x"], "no number of codes"),
        (["--tokenizer", "none.json"], "expected NAME=FILE"),
        (["--tokenizer", "a=none.json"], "no such file"),
        (["--tokenizer", "gpt4o", "gpt4o"], "each once"),
        (["--json", "none/rd.json"], "does not exist"),
    ],
)
def test_what_can_not_be_used_is_one_line(
    masks: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert main([str(masks), "--quiet", "--jobs", "1", *options]) == 2
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""


def test_masks_behind_the_specs_are_told_from_specs(
    masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--quiet", "--specs", "boxgrid", str(masks)]) == 2
    assert "masks stand before --specs" in capsys.readouterr().err


def test_no_mask_in_the_split_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_jsonl(tmp_path / "m.jsonl", [rle_fields(Mask(array_of(0), "x"), "1.jpg", 1)])
    split = "train" if is_held_out("1.jpg") else "held-out"
    assert run(file, "--split", split) == 2
    assert f"no mask of split '{split}'" in capsys.readouterr().err


def test_masks_without_pixels_are_said(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "rd.html"
    assert run(masks, "--html", page, specs=["boxgrid:rows=8"]) == 0
    assert "bench rd: masks without pixels, which are not measured: 1\n" in capsys.readouterr().err
    notes = Page(page.read_text()).texts["p"]
    assert "Not measured, and in no mean: 1 without pixels." in notes
    with masks.open("a") as stream:
        stream.write("{oops\n")
    assert run(masks, "--html", page, specs=["boxgrid:rows=8"]) == 1
    notes = Page(page.read_text()).texts["p"]
    assert "Not measured, and in no mean: 1 without pixels, 1 unreadable." in notes
    capsys.readouterr()
    whole = write_jsonl(tmp_path / "w.jsonl", [rle_fields(Mask(array_of(0), "x"), "1.jpg", 1)])
    assert run(whole, "--html", page, specs=["boxgrid:rows=8"]) == 0
    assert "without pixels" not in capsys.readouterr().err
    assert "Not measured" not in page.read_text()


@pytest.mark.parametrize(
    ("count", "message"),
    [(1, "the only mask in {} is without pixels"), (3, "all 3 masks in {} are without pixels")],
)
def test_masks_that_are_all_without_pixels_are_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, message: str
) -> None:
    empty = Mask(np.zeros(SIZE, np.bool_), "cat")
    records = [rle_fields(empty, "1.jpg", index) for index in range(count)]
    file = write_jsonl(tmp_path / "m.jsonl", records)
    assert run(file) == 2
    assert message.format(file) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "shown", "said"),
    [
        (5, f"; 5 of {IMAGES}, drawn by the seed", False),
        (IMAGES, f"; all {IMAGES}, as --count asks for {IMAGES}", False),
        (5000, f"; all {IMAGES}, as --count asks for 5,000", True),
    ],
)
def test_the_page_says_how_many_were_drawn(
    masks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    count: int,
    shown: str,
    said: bool,
) -> None:
    page = tmp_path / "rd.html"
    assert run(masks, "--count", str(count), "--html", page, specs=["boxgrid:rows=8"]) == 0
    assert f"{masks}; split all{shown}" in Page(page.read_text()).texts["dd"]
    line = f"--count 5,000: there are {IMAGES} masks; all are taken"
    assert (line in capsys.readouterr().err) == said


def test_the_page_says_how_it_was_measured(masks: Path, tokenizer: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "rd.json", tmp_path / "rd.html"
    given = ["--seed", "7", "--tokenizer", f"t={tokenizer}", "gpt4o"]
    assert run(masks, "--json", out, "--html", page, *given, specs=["boxgrid:rows=8"]) == 0
    found, document = Page(page.read_text()), report(out)
    facts = dict(zip(found.texts["dt"], found.texts["dd"], strict=True))
    assert facts["seed"] == "7"
    assert facts["date"] == document["date"]
    assert facts["masks sha256"] == document["masks"]["sha256"]
    assert facts["tokenizer t"] == f"{tokenizer}; sha256 {document['tokenizers']['t']['sha256']}"
    assert facts["tokenizer gpt4o"] == "of the package bpe-openai"


def test_nothing_left_to_measure_is_an_error(
    masks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(masks, specs=["boxgrid@2"]) == 2
    said = capsys.readouterr()
    assert "no spec is left to measure" in said.err
    assert "boxgrid" not in said.out


@pytest.mark.usefixtures("strips")
def test_codecs_of_shape_tokens(
    masks: Path, tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rd.json"
    specs = ["strips:tokens=16", "unusable", *(f"strips:tokens=16@{n}" for n in (0, 4, 16))]
    specs.append("boxgrid@2")
    assert run(masks, "--json", out, "--tokenizer", f"t={tokenizer}", specs=specs) == 0
    document = report(out)
    assert document["left_out"] == {
        "unusable:tokens=8": "unusable: needs weights",
        "boxgrid:rows=24@2": "boxgrid:rows=24@2: codec 'boxgrid' has no codes to leave away",
    }
    assert "left out unusable" in capsys.readouterr().err
    whole, none, four, sixteen = document["points"]
    assert whole["groups"] == sixteen["groups"]
    ious = [point["groups"]["all"]["iou"] for point in (none, four, sixteen)]
    assert ious == sorted(ious)
    assert ious[0] < ious[2] - 0.05
    # Four edges of the box and the codes: one token each, as they are added to the vocabulary.
    tokens = [point["groups"]["all"]["costs"]["t"]["mean"] for point in (none, four, sixteen)]
    assert tokens == [4, 8, 20]
    assert [point["curve"] for point in (whole, four)] == [
        "strips",
        "strips, tokens=16, its prefixes",
    ]


def test_prefixes_of_the_codec_of_this_package(masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "rd.json"
    specs = ["shapetokens:tokens=4", "shapetokens:tokens=4@1", "shapetokens:tokens=4@4"]
    assert run(masks, "--json", out, specs=specs) == 0
    document = report(out)
    assert document["left_out"] == {}
    whole, one, four = (point["groups"]["all"] for point in document["points"])
    assert whole == four
    assert one["iou"] < four["iou"]
    assert four["costs"]["characters"]["mean"] - one["costs"]["characters"]["mean"] == 30


def test_masks_that_can_not_be_written_count_as_lost(
    masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = type(get_codec("boxgrid"))
    encode = codec.analyze

    def analyze(self: Any, masks: Any, size: Any) -> Any:
        if masks[0].area % 2:
            raise MaskCodecError("odd")
        return encode(self, masks, size)

    monkeypatch.setattr(codec, "analyze", analyze)
    out = tmp_path / "rd.json"
    assert run(masks, "--json", out, "--html", tmp_path / "rd.html", specs=["boxgrid"]) == 0
    (point,) = report(out)["points"]
    odd = sum(int(array_of(index).sum()) % 2 for index in range(IMAGES))
    assert 0 < odd < IMAGES
    assert point["failed"] == odd
    assert point["failures"] == {"odd": odd}
    assert point["groups"]["all"]["count"] == IMAGES
    assert point["groups"]["all"]["share_iou_0"] == odd / IMAGES


def test_reports_are_drawn(masks: Path, tokenizer: Path, tmp_path: Path) -> None:
    page, png = tmp_path / "rd.html", tmp_path / "rd.png"
    names = ["--tokenizer", f"<b>={tokenizer}", "gpt4o"]
    specs = [*SPECS, "boxgrid:rows=16", "coco_rle"]
    assert run(masks, "--html", page, "--png", png, *names, specs=specs) == 0
    text = page.read_text()
    found = Page(text)
    assert "script" not in found.tags
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    assert "@import" not in text
    assert found.tags.count("svg") == 2 * 8 + 5  # for each tokenizer; and the legend
    assert sum("boxgrid:rows=16: IoU" in note for note in found.texts["title"]) >= 4
    assert "Tokens of <b>" in found.texts["h2"]
    with Image.open(png) as picture:
        assert picture.width == 2400
        colours = len(picture.convert("RGB").getcolors(1 << 20) or ())
    assert colours > 20


def test_long_specs_may_be_broken_in_every_column(masks: Path, tmp_path: Path) -> None:
    page = tmp_path / "rd.html"
    spec = "polygon:bins=1000,tolerance=0.0005,points=8,alphabet=decimal"
    assert run(masks, "--html", page, specs=[spec]) == 0
    text = page.read_text()
    assert f"<td>{spec}</td>" not in text
    assert spec in Page(text).texts["td"]


def test_the_last_cost_on_the_axis_is_not_cut_off(masks: Path, tmp_path: Path) -> None:
    out, page, png = (tmp_path / name for name in ("rd.json", "rd.html", "rd.png"))
    assert run(masks, "--json", out, specs=["coco_rle", "boxgrid:rows=8"]) == 0
    document = report(out)
    for point in document["points"]:
        for figures in point["groups"].values():
            figures["costs"]["gpt4o"]["mean"] = 15_500 if point["short"] == "coco_rle" else 50
    out.write_text(json.dumps(document))
    files = ("--json", out, "--html", page, "--png", png)
    assert run(masks, *files, "--resume", specs=["coco_rle"]) == 0
    places = re.findall(r' x="([\d.]+)"[^>]*>20,000<', page.read_text())
    assert places
    assert 610 < max(map(float, places)) < 640 - 20
    with Image.open(png) as picture:
        assert np.asarray(picture.convert("L"))[:, -4:].min() > 250


def test_long_names_stay_in_the_legend() -> None:
    canvas = PillowCanvas(1, 1)
    long = f"paligemma, weights=/{'folder/' * 40}weights.npz"
    shown = rate_distortion_picture._fitted(canvas, long)
    assert shown.startswith("paligemma, weights=/folder")
    assert shown.endswith("/weights.npz")
    assert rate_distortion_picture.WIDTH - 200 < canvas.width_of(shown, 14) < 1100
    assert rate_distortion_picture._fitted(canvas, "polygon") == "polygon"


def test_the_subcommand_writes_a_benchmark_document(masks: Path, tmp_path: Path) -> None:
    out, page, examples = (tmp_path / name for name in ("rd.json", "rd.html", "examples.png"))
    given = [str(masks), "--specs", *SPECS, "paligemma", "--tokenizer", "gpt4o", "--jobs", "1"]
    files = ["--json", str(out), "--html", str(page), "--examples", str(examples)]
    assert cli(["bench", "rd", *given, *files, "--budgets", "30", "9000", "--quiet"]) == 0
    document = documents.read(out, "rd")
    assert len(document["points"]) == 3
    assert {(r["name"]["spec"], r["name"]["masks"]) for r in document["results"]} == {
        (point["short"], group) for point in document["points"] for group in point["groups"]
    }
    for point in document["points"]:
        for group, expected in point["groups"].items():
            [figures] = [
                result["figures"]
                for result in document["results"]
                if result["name"] == {"spec": point["short"], "masks": group}
            ]
            assert figures["iou"] == expected["iou"]
            assert figures["gpt4o, p95"] == expected["costs"]["gpt4o"]["p95"]
            assert ("failed" in figures) == (group == "all")
    best = {
        (entry["budget"], entry["figure"]): entry
        for entry in document["best"]
        if entry["masks"] == "all"
    }
    whole = [point["groups"]["all"] for point in document["points"]]
    assert best[9000, "iou"]["value"] == max(figures["iou"] for figures in whole)
    cheap = [f["boundary_iou"] for f in whole if f["costs"]["gpt4o"]["mean"] <= 30]
    assert best[30, "boundary_iou"]["value"] == max(cheap)
    corners = [entry["spec"] for entry in document["hull"] if entry["figure"] == "iou"]
    assert best[9000, "iou"]["spec"] == corners[-1]
    found = Page(page.read_text())
    assert "Published formats that were not measured" in found.texts["h2"]
    assert "The same masks at about 60 tokens (gpt4o)" in found.texts["h2"]
    assert "The convex hull" in found.texts["h3"]
    assert "Best IoU at each budget by the size of the object" in found.texts["h3"]
    small = max(document["points"], key=lambda p: p["groups"]["small"]["iou"])
    [entry] = [
        entry
        for entry in document["best"]
        if (entry["budget"], entry["figure"], entry["masks"]) == (9000, "iou", "small")
    ]
    assert (entry["spec"], entry["value"]) == (small["short"], small["groups"]["small"]["iou"])
    cells = found.texts["td"]
    assert [small["short"], f"{small['groups']['small']['iou']:.3f}"] in [
        cells[index : index + 2] for index in range(len(cells))
    ]
    assert "9,<wbr>000" in page.read_text()
    with Image.open(examples) as picture:
        assert picture.format == "PNG"
        assert picture.height > picture.width


def test_examples_show_what_is_kept_lost_and_added(masks: Path, tmp_path: Path) -> None:
    examples = tmp_path / "examples.png"
    colours = {}
    for spec in ("coco_rle", "text4seg:grid=16"):
        assert run(masks, "--examples", examples, specs=[spec]) == 0
        with Image.open(examples) as picture:
            found = picture.convert("RGB").getcolors(1 << 20) or []
        colours[spec] = {colour for _, colour in found}
    orange, blue, grey = (217, 95, 2), (11, 87, 208), (70, 80, 92)
    assert grey in colours["coco_rle"] & colours["text4seg:grid=16"]
    assert not {orange, blue} & colours["coco_rle"]
    assert {orange, blue} <= colours["text4seg:grid=16"]


def test_the_built_in_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = built_in_masks("all", None, 0)
    assert 60 < len(found.shapes) <= 3 * PER_PHOTOGRAPH * found.about["images"]
    areas = [get_area(shape.counts) for shape in found.shapes]
    assert min(areas) < 32**2 < 96**2 < max(areas)
    out, page = tmp_path / "rd.json", tmp_path / "rd.html"
    given = ["--specs", "boxgrid:rows=8", "--count", "5", "--quiet", "--jobs", "1"]
    assert main([*given, "--json", str(out), "--html", str(page)]) == 0
    assert report(out)["masks"]["files"] == ["built-in photographs"]
    assert report(out)["masks"]["count"] == 5
    assert "give masks of your own" in page.read_text()
    assert main([*given, "--split", "held-out"]) == 2
    assert "the built-in ones have no split" in capsys.readouterr().err


def get_area(counts: str) -> int:
    return int(rle.area(rle.from_string(counts)))


def test_every_codec_is_measured_unless_told_otherwise() -> None:
    specs = default_specs()
    assert {spec.partition(":")[0] for spec in specs} == set(list_codecs())
    settings = [read_setting(spec) for spec in specs]
    assert len({setting.spec for setting in settings}) == len(specs)


@pytest.mark.parametrize(
    ("spec", "short", "curve"),
    [
        ("text4seg", "text4seg:grid=16", "text4seg"),
        (
            "text4seg:sample=best,grid=24x32",
            "text4seg:grid=24x32,sample=best",
            "text4seg, sample=best",
        ),
        ("polygon:tolerance=0.005", "polygon:tolerance=0.005", "polygon"),
        (
            "polygon:bins=1000,alphabet=decimal",
            "polygon:bins=1000,tolerance=0.005,alphabet=decimal",
            "polygon, bins=1000, alphabet=decimal",
        ),
        ("coco_rle:alphabet=coco", "coco_rle:alphabet=coco", "coco_rle"),
    ],
)
def test_names_of_specs_and_curves(spec: str, short: str, curve: str) -> None:
    setting = read_setting(spec)
    assert short_spec(setting) == short
    assert curve_of(setting) == curve
    assert get_codec(short).spec == setting.spec


def test_a_budget_that_no_spec_meets_is_said(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, page = tmp_path / "rd.json", tmp_path / "rd.html"
    assert run(masks, "--json", out, "--html", page, "--budgets", "1", "9000") == 0
    printed = capsys.readouterr().out
    document = report(out)
    least = min(p["groups"]["all"]["costs"]["gpt4o"]["mean"] for p in document["points"])
    assert f"within 1 tokens of gpt4o: none; the least is {least:.1f}\n" in printed
    assert "within 9,000 tokens of gpt4o: IoU" in printed
    assert {e["spec"] for e in document["best"] if e["budget"] == 1} == {None}
    cells = Page(page.read_text()).texts["td"]
    assert ["–"] * 6 in [cells[index : index + 6] for index in range(len(cells))]


def test_the_table_has_a_cell_for_each_column(
    masks: Path, tokenizer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(masks, "--tokenizer", f"letters={tokenizer}")
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {12}
    for line in table[2:]:
        assert re.fullmatch(r" [0-9.]+ / [0-9.]+ / [0-9.]+ ", line.split("|")[2])

"""`maskcodec show --prefixes`: objects code by code, from masks, from a text and from records."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import run
from PIL import Image
from reading import disc, rle_fields, write_jsonl
from strip_codec import Strips, strips
from test_sheet import Page

from maskcodec import Mask, rle
from maskcodec.boundary import boundary_iou
from maskcodec.commands.show_prefixes import prefix_steps
from maskcodec.metrics import iou
from maskcodec.tokens import load_counter

__all__ = ["strips"]

pytestmark = pytest.mark.usefixtures("strips")

SIZE = (80, 120)
DOG = Mask(disc(SIZE, (40, 40), 30), "dog")
CAT = Mask(disc(SIZE, (40, 95), 9), "cat")
SPEC = "strips:tokens=16"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.full((*SIZE, 3), 120, dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    records = [rle_fields(mask, "photo.png", mask.label) for mask in (DOG, CAT)]
    return write_jsonl(tmp_path / "masks.jsonl", records)


def figures(page: str) -> list[tuple[str, str]]:
    """The IoU and the tokens of each card, in order."""
    numbers = re.findall(r"<p class=numbers>(.*?)</p>", page)
    found = [re.findall(r"<b>(.*?)</b>", each) for each in numbers]
    return [(each[0], each[1]) for each in found]


def expected(mask: Mask, steps: list[int]) -> list[tuple[str, str]]:
    """What the codec itself says of a mask at each number of codes."""
    codec, counter = Strips(16), load_counter("gpt4o")
    geometry = codec.analyze([mask], SIZE)
    label = counter.count(mask.label)
    return [
        (
            f"{iou(np.asarray(codec.render(geometry.prefix(n), SIZE))[0], mask.array):.3f}",
            str(label + 4 + n),
        )
        for n in steps
    ]


@pytest.mark.parametrize(
    ("count", "steps"),
    [(0, [0]), (1, [1]), (2, [1, 2]), (5, [1, 2, 4, 5]), (16, [1, 2, 4, 8, 16])],
)
def test_steps_are_powers_of_two_and_all(count: int, steps: list[int]) -> None:
    assert prefix_steps(count) == steps


def test_masks_are_shown_code_by_code(photo: Path, masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.html"
    options: list[str | Path] = [
        "--spec",
        SPEC,
        "--prefixes",
        "--tokenizer",
        "gpt4o",
        "--sheet",
        out,
    ]
    result = run("show", photo, "--masks", masks, *options)
    assert result.status == 0, result.err
    page = out.read_text("utf-8")
    steps = [1, 2, 4, 8, 16]
    assert figures(page) == expected(DOG, steps) + expected(CAT, steps)
    qualities = [float(quality) for quality, _ in figures(page)[:5]]
    assert qualities == sorted(qualities)
    assert qualities[4] > qualities[0] + 0.05
    found = Page(page)
    assert found.texts["h3"] == ["dog", "cat"]
    assert found.texts["h4"] == ["1 code", *(f"{n} codes" for n in steps[1:])] * 2
    assert "script" not in found.tags
    pictures = [value for _, name, value in found.attributes if name == "src"]
    assert len(pictures) == 1 + 2 * 6
    sizes = [
        Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).size for uri in pictures
    ]
    assert len(set(sizes[1:7])) == 1
    # The head: means over both objects.
    row = found.texts["td"][:4]
    codec = Strips(16)
    first = [
        np.asarray(codec.render(codec.analyze([mask], SIZE).prefix(1), SIZE))[0]
        for mask in (DOG, CAT)
    ]
    pairs = [(pixels, mask.array) for pixels, mask in zip(first, (DOG, CAT), strict=True)]
    assert row[0] == "2"
    assert row[1] == f"{np.mean([iou(*pair) for pair in pairs]):.3f}"
    assert row[2] == f"{np.mean([boundary_iou(*pair) for pair in pairs]):.3f}"


def test_a_text_is_shown_beside_the_truth_or_alone(
    photo: Path, masks: Path, tmp_path: Path
) -> None:
    codec, out = Strips(16), tmp_path / "s.html"
    text = codec.write(codec.analyze([DOG, CAT], SIZE).prefix(4))
    options: list[str | Path] = [
        "--spec",
        SPEC,
        "--prefixes",
        "--tokenizer",
        "gpt4o",
        "--sheet",
        out,
    ]
    assert run("show", photo, "--text", text, "--masks", masks, *options).status == 0
    assert figures(out.read_text("utf-8"))[:3] == expected(DOG, [1, 2, 4])
    assert run("show", photo, "--text", text, *options).status == 0
    page = out.read_text("utf-8")
    assert "IoU <b>" not in page
    assert page.count("<article>") == 6
    assert page.count("<img ") == 7
    assert run("show", photo, "--text", "none", *options).status == 0
    assert "no object" in out.read_text("utf-8")


def record(name: str, said: list[Mask], truth: list[Mask], spec: str = SPEC) -> dict[str, Any]:
    return {
        "id": name,
        "image": "photo.png",
        "size": list(SIZE),
        "spec": spec,
        "text": Strips(16).encode(said, SIZE),
        "truth": [
            {
                "label": mask.label,
                "size": list(SIZE),
                "counts": rle.to_string(rle.encode(mask.array)).decode(),
            }
            for mask in truth
        ],
    }


def test_records_are_shown_code_by_code(photo: Path, tmp_path: Path) -> None:
    records = write_jsonl(
        tmp_path / "r.jsonl",
        [
            record("both", [DOG, CAT], [DOG, CAT]),
            record("other", [DOG], [CAT, DOG]),  # which mask is which is not known
            record("plain", [DOG], [DOG], "coco_rle"),
            record("nothing", [], []),
        ],
    )
    out = tmp_path / "s.html"
    result = run("show", records, "--image-dir", tmp_path, "--prefixes", "--sheet", out)
    assert result.status == 1
    assert "coco_rle has no codes to leave away" in result.err
    assert "3 records in" in result.err
    assert "1 left out" in result.err
    page = out.read_text("utf-8")
    assert page.count("<section>") == 3
    assert page.count("IoU <b>") == 10
    assert Page(page).texts["td"][0] == "3"  # objects that have a first code


def test_many_objects_are_cut(photo: Path, tmp_path: Path) -> None:
    text = " ".join(["dog<b1><b1><b9><b9><s31>"] * 130)
    out = tmp_path / "s.html"
    options: list[str | Path] = ["--spec", SPEC, "--prefixes", "--sheet", out]
    assert run("show", photo, "--text", text, *options).status == 0
    page = out.read_text("utf-8")
    assert page.count("<article>") == 100
    assert "dog (and 30 more objects)" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--masks", "masks.jsonl", "--sheet", "s.html"], "--prefixes needs --spec"),
        (["--spec", SPEC, "--sheet", "s.html"], "--prefixes needs --spec, and --masks"),
        (["--masks", "masks.jsonl", "--spec", SPEC], "give --output FILE.png for a picture"),
        (["--masks", "masks.jsonl", "--spec", SPEC, "-o", "o.png"], "--prefixes makes a sheet"),
        (
            ["--masks", "masks.jsonl", "--spec", "boxgrid", "--sheet", "s.html"],
            "boxgrid has no codes to leave away; codecs that have: ",
        ),
        (["--masks", "masks.jsonl", "--spec", "unusable", "--sheet", "s.html"], "needs weights"),
    ],
)
def test_what_can_not_be_shown_is_one_line(
    photo: Path,
    masks: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("show", "photo.png", "--prefixes", *options)
    assert result.status == 2
    assert message in result.err
    if "boxgrid" in options:
        assert "strips" in result.err
    assert not Path("s.html").exists()


@pytest.mark.parametrize("spec", ["shapetokens", "shapetokens:tokens=8,iou=1.0"])
def test_prefixes_of_the_codec_of_this_package(
    photo: Path, masks: Path, tmp_path: Path, spec: str
) -> None:
    """Its texts have a fixed number of codes; those of prefixes are what fewer `tokens` write."""
    sheet = tmp_path / "sheet.html"
    given = (photo, "--masks", masks, "--spec", spec, "--tokenizer", "gpt4o")
    result = run("show", *given, "--prefixes", "--sheet", sheet)
    assert result.status == 0, result.err
    found = figures(sheet.read_text(encoding="utf-8"))
    assert len(found) >= 4
    assert float(found[0][0]) < float(found[3][0])
    tokens = [int(count) for _, count in found[:4]]
    assert [count - tokens[0] for count in tokens] == [0, 1, 3, 7]

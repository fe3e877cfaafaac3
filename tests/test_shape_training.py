"""The program that trains codebooks of shape tokens, on a few drawn shapes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from maskcodec import Mask, MaskCodecError, get_codec, rle
from maskcodec.datasets.image_split import is_held_out
from maskcodec.geometry import shape_codebook
from maskcodec.geometry.shape_codebook import read_codebook
from training import shape_codebook as program
from training.shape_augment import augment
from training.shape_fields import Fields, draw, read_fields, turned

SMALL = [
    *("--dimensions", "12", "--stages", "2", "--composed", "120", "--drawn", "120"),
    *("--iterations", "2", "--rounds", "2", "--sample", "64", "--processes", "1"),
]


def shapes(path: Path, count: int = 60) -> Path:
    """Ellipses and bars, one a line, each in an image of its own."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:80, :100]
    lines = []
    for index in range(count):
        a, b = rng.uniform(8, 30, 2)
        angle = rng.uniform(0, np.pi)
        u = (x - 50) * np.cos(angle) + (y - 40) * np.sin(angle)
        v = (y - 40) * np.cos(angle) - (x - 50) * np.sin(angle)
        mask = (u / a) ** 2 + (v / b) ** 2 < 1 if index % 2 else (abs(u) < a) & (abs(v) < b / 2)
        record = {
            "image": f"{index:06}.jpg",
            "id": index,
            "category": "thing",
            "size": [80, 100],
            "counts": rle.to_string(rle.encode(mask)).decode(),
        }
        lines.append(json.dumps(record))
    path.write_text("\n".join(lines) + "\n")
    return path


def run(masks: Path, folder: Path, *more: str) -> int:
    """Train a small codebook called `small` in a folder."""
    return program.main(
        [
            str(masks),
            *("--name", "small", "--output", str(folder / "small.npz")),
            *("--work", str(folder / "work"), *SMALL, *more),
        ]
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The masks, and the folder of a finished training."""
    folder = tmp_path_factory.mktemp("codebook")
    masks = shapes(folder / "shapes.jsonl")
    assert run(masks, folder) == 0
    return masks, folder


def test_a_codebook_and_its_card(trained: tuple[Path, Path]) -> None:
    masks, folder = trained
    book = read_codebook(folder / "small.npz")
    assert (book.name, book.stages, book.dimensions) == ("small", 2, 12)
    assert not book.codes[1, 0].any()  # adds nothing
    assert book.codes[0, 0].any()
    figures = book.card["figures"]["shapes.jsonl"]
    held_out = sum(is_held_out(f"{index:06}.jpg") for index in range(60))
    assert figures["1"]["masks"] == held_out > 0
    assert figures["2"]["iou"] > 0.85
    card = (folder / "small.md").read_text()
    assert "python -m maskcodec.training.shape_codebook shapes.jsonl --name small" in card
    assert f"| shapes.jsonl | {held_out} | 2 | {figures['2']['iou']:.3f} |" in card
    assert str(folder) not in card
    assert masks.exists()


def test_held_out_images_are_never_trained_on(trained: tuple[Path, Path]) -> None:
    masks, folder = trained
    with np.load(folder / "work" / "fields.npz") as stored:
        trained_on = len(stored["values"])
    everything, _ = read_fields([masks], "all")
    held_out, _ = read_fields([masks], "held-out")
    assert trained_on + len(held_out.values) == len(everything.values) == 60


def test_a_stopped_run_goes_on_to_the_same_codebook(
    trained: tuple[Path, Path], tmp_path: Path
) -> None:
    masks, folder = trained
    assert run(masks, tmp_path, "--rounds", "1") == 0
    assert run(masks, tmp_path) == 0  # goes on from the first round
    first, second = (read_codebook(where / "small.npz") for where in (folder, tmp_path))
    for name in ("mean", "basis", "codes"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name


def test_other_settings_need_another_folder(
    trained: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    masks, folder = trained
    assert run(masks, folder, "--seed", "1") == 2
    assert "choose another folder" in capsys.readouterr().err


def test_bad_records_are_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    masks = shapes(tmp_path / "bad.jsonl", 40)
    masks.write_text(masks.read_text() + '{"image": "x.jpg", "size": [5, 5], "counts": "zz"}\n')
    assert run(masks, tmp_path) == 0
    assert "bad.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("weights", [["1", "2"], ["0"], ["-1"]])
def test_wrong_weights(weights: list[str], tmp_path: Path) -> None:
    assert run(shapes(tmp_path / "s.jsonl", 10), tmp_path, "--weights", *weights) == 2


@pytest.mark.parametrize(
    ("option", "place"),
    [
        (("--stages", "0"), "--stages"),
        (("--stages", "17"), "--stages"),
        (("--dimensions", "129"), "--dimensions"),
        (("--composed", "0"), "--composed"),
        (("--sample", "x"), "--sample"),
        (("--processes", "0"), "--processes"),
        (("--rounds", "-1"), "--rounds"),
    ],
)
def test_numbers_out_of_range(
    option: tuple[str, str], place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path / "shapes.jsonl", tmp_path, *option)
    assert f"argument {place}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--name", "../x"), ("--output", "no/such/x.npz"), ("--output", "x.txt")]
)
def test_what_could_not_be_written_is_refused_before_any_work(
    option: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shapes(tmp_path / "shapes.jsonl", 4), tmp_path, *option) == 2
    assert option[0] in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_codebook_under_another_name_is_refused(
    trained: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.npz").write_bytes((trained[1] / "small.npz").read_bytes())
    monkeypatch.setenv("MASKCODEC_CODEBOOKS", str(tmp_path))
    with pytest.raises(MaskCodecError, match=r"call the file small\.npz"):
        shape_codebook.get_codebook("other")


def test_no_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "missing.jsonl", tmp_path) == 2
    assert "missing.jsonl" in capsys.readouterr().err


def test_a_codebook_of_ones_own_is_found_by_name(
    trained: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = trained
    monkeypatch.setenv("MASKCODEC_CODEBOOKS", str(folder))
    shape_codebook.get_codebook.cache_clear()
    mask = np.zeros((60, 80), np.bool_)
    mask[10:40, 20:70] = True
    codec = get_codec("shapetokens:codebook=small,tokens=2")
    decoded = codec.decode(codec.encode([Mask(mask, "a")], (60, 80)), (60, 80))
    both = np.count_nonzero(decoded.masks[0].array & mask)
    assert both / np.count_nonzero(decoded.masks[0].array | mask) > 0.8
    with pytest.raises(MaskCodecError, match="there are: shapes1, small"):
        shape_codebook.get_codebook("nope")


def some_fields() -> Fields:
    """Four half planes."""
    plane = np.broadcast_to(np.linspace(-1, 1, 64), (64, 64)).astype(np.float16)
    values = np.stack([plane, plane.T, -plane, -plane.T])
    return Fields(values, np.ones(4, np.float32), np.array([0, 0, 0, 1], np.int32))


def test_files_are_drawn_by_their_weight() -> None:
    rng = np.random.default_rng(0)
    chosen = draw(some_fields(), [1, 3], 4_000, rng)
    assert 0.72 < np.mean(chosen == 3) < 0.78
    assert set(draw(some_fields(), [1, 0], 100, rng)) == {0, 1, 2}


def test_turning_keeps_values() -> None:
    values = np.random.default_rng(1).normal(size=(50, 64, 64)).astype(np.float16)
    out = turned(values, np.random.default_rng(2))
    assert not np.array_equal(out, values)
    for before, after in zip(values, out, strict=True):
        assert np.array_equal(np.sort(before, axis=None), np.sort(after, axis=None))


def test_composed_shapes_are_fields_and_follow_the_seed() -> None:
    one, again, other = (augment(some_fields(), [1, 1], 8, seed) for seed in (3, 3, 4))
    assert one.shape == (8, 64, 64)
    assert np.isfinite(one).all()
    assert abs(one).max() <= 1
    assert (one > 0).any(axis=(1, 2)).all()
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)

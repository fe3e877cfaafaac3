"""Silhouettes: which masks are whole shapes, and files that hold none."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from maskcodec import MaskCodecError, RecordError, rle
from maskcodec.datasets.scenes import SceneOptions, make_scene
from maskcodec.datasets.silhouettes import Silhouette, cut, load_silhouettes

Bits = npt.NDArray[np.bool_]


def disc(radius: int, centre: tuple[int, int] = (50, 60)) -> Bits:
    y, x = np.mgrid[:100, :120]
    inside: Bits = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2
    return inside


def line(mask: Bits, category: str, **changes: object) -> str:
    fields = {
        "image": "a.jpg",
        "id": 1,
        "category": category,
        "size": list(mask.shape),
        "counts": rle.to_string(rle.encode(mask)).decode(),
    }
    return json.dumps(fields | changes)


def test_whole_shapes_are_cut_to_their_box() -> None:
    found = cut(disc(20))
    assert found is not None
    assert found.shape == (41, 41)
    assert found.sum() == disc(20).sum()


def test_large_shapes_are_sampled_down() -> None:
    y, x = np.mgrid[:1300, :1300]
    found = cut(((y - 650) / 600) ** 2 + ((x - 640) / 300) ** 2 <= 1)
    assert found is not None
    assert found.shape == (512, 256)
    assert found.mean() == pytest.approx(np.pi / 4, abs=0.01)


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((100, 120), dtype=np.bool_),
        disc(5),
        disc(30, (20, 60)),
        disc(30, (50, 100)),
        disc(16, (30, 30)) | disc(16, (70, 80)),
        (disc(20) & (abs(np.arange(100) - 50) < 3)[:, None]),
        np.eye(100, 120, dtype=np.bool_)[:, ::-1],
    ],
    ids=["empty", "small", "above", "right", "pieces", "slim", "thin"],
)
def test_what_is_no_whole_shape_is_left_out(mask: Bits) -> None:
    assert cut(mask) is None


def test_a_file_of_silhouettes(tmp_path: Path) -> None:
    path = tmp_path / "masks.jsonl.gz"
    lines = [
        line(disc(20), "hot_dog"),
        "not JSON",
        line(disc(20), "orange"),
        line(disc(22), "cup"),
        line(disc(24), "cup"),
        line(disc(20), "cup", counts="zz"),
        line(disc(5), "cup"),
        line(disc(20), "{mask}"),
        line(disc(20), "<|b_0|>"),
        line(disc(20), "cup " * 30),
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = load_silhouettes(path)
    assert [one.noun for one in found] == ["hot dog", "cup", "cup"]
    assert [one.noun for one in load_silhouettes(path, limit=1)] == ["hot dog", "cup"]
    scene = make_scene(0, SceneOptions(silhouettes=found, backgrounds=("plain",)))
    assert {one.noun for one in scene.objects} <= {"hot dog", "cup"}


def test_a_silhouette_is_a_noun_and_a_mask() -> None:
    with pytest.raises(MaskCodecError, match=r"noun is '\{mask\}'"):
        Silhouette("{mask}", disc(20))
    with pytest.raises(MaskCodecError, match="mask of 'cup'"):
        Silhouette("cup", np.zeros((4, 4), dtype=np.bool_))
    options = SceneOptions(silhouettes=(Silhouette("cup", disc(20)),), backgrounds=("plain",))
    copied = pickle.loads(pickle.dumps(options))
    assert np.array_equal(make_scene(3, copied).image, make_scene(3, options).image)


def test_a_file_without_silhouettes_says_why(tmp_path: Path) -> None:
    path = tmp_path / "masks.jsonl"
    path.write_text(line(disc(20), "orange") + "\nnot JSON\n")
    with pytest.raises(RecordError, match=r"holds no silhouette.*1 bad lines.*not JSON"):
        load_silhouettes(path)
    with pytest.raises(RecordError, match="no such file"):
        load_silhouettes(tmp_path / "none.jsonl")

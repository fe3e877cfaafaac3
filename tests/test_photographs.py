"""The built-in photographs: there without a download, and their masks sit where the objects are."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from skimage import measure, morphology

from maskcodec import MaskCodecError, RecordError
from maskcodec.datasets import photographs
from maskcodec.datasets.photographs import Photograph, photograph_names

load = functools.cache(photographs.load_photograph)
NAMES = photograph_names()


def pieces(array: npt.NDArray[np.bool_]) -> int:
    return int(measure.label(array).max())


def holes(array: npt.NDArray[np.bool_]) -> int:
    """How many holes: pieces of the outside, less the one around the image."""
    return int(measure.label(~np.pad(array, 1), connectivity=1).max()) - 1


@pytest.mark.parametrize("name", NAMES)
def test_every_photograph_has_masks_of_its_size(name: str) -> None:
    photograph = load(name)
    assert photograph.image.dtype == np.uint8
    assert photograph.image.shape == (*photograph.size, 3)
    assert photograph.about
    for mask in photograph.masks:
        assert pieces(mask.array) <= 3
        assert mask.size == photograph.size
        assert mask.label
        assert 150 < mask.area < 0.7 * mask.array.size


def test_loads_without_downloader_and_network() -> None:
    code = (
        "import sys, socket\n"
        "sys.modules['pooch'] = None\n"
        "def refuse(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from maskcodec.datasets.photographs import load_photograph, photograph_names\n"
        "print(sum(len(load_photograph(name).masks) for name in photograph_names()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == sum(len(load(name).masks) for name in NAMES)


def test_coins_are_24_separate_whole_discs() -> None:
    coins = load("coins").masks
    assert [mask.label for mask in coins] == ["coin"] * 24
    apart = np.sum([morphology.dilation(mask.array, np.ones((3, 3))) for mask in coins], axis=0)
    assert apart.max() == 1  # no two coins touch
    for mask in coins:
        assert pieces(mask.array) == 1
        assert holes(mask.array) == 0
        (region,) = measure.regionprops(mask.array.astype(np.uint8))
        assert region.solidity > 0.95
        assert region.eccentricity < 0.6  # coins are round, more or less
        assert 1000 < mask.area < 3300


def test_kinds_that_the_examples_are_there_for() -> None:
    assert load("grass").masks == ()
    assert len(load("horse").masks) == 1
    (tissue,) = load("tissue").masks
    assert holes(tissue.array) >= 1
    assert pieces(tissue.array) == 2
    cup = load("coffee").masks[1]
    assert cup.label == "cup"
    assert holes(cup.array) == 2  # the coffee, and the handle
    tripod = load("camera").masks[1]
    assert tripod.label == "tripod"
    assert holes(tripod.array) >= 2
    assert len({mask.label for mask in load("astronaut").masks}) == 4
    galaxies = load("galaxies").masks
    assert len(galaxies) > 30
    assert np.median([mask.area for mask in galaxies]) < 32**2


def light(photograph: Photograph, array: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    mean: npt.NDArray[np.float64] = photograph.image[array].mean(axis=0)
    return mean


@pytest.mark.parametrize(
    ("name", "index", "label"),
    [
        ("coffee", 1, "cup"),
        ("coffee", 3, "coffee"),
        ("chelsea", 2, "eye"),
        ("chelsea", 3, "nose"),
        ("astronaut", 2, "astronaut"),
        ("astronaut", 3, "helmet"),
        ("rocket", 0, "rocket"),
        ("camera", 0, "man"),
    ],
)
def test_outlines_follow_the_edges(name: str, index: int, label: str) -> None:
    """The rim inside an outline must look unlike the rim outside, and moving it must hurt."""
    photograph = load(name)
    mask = photograph.masks[index]
    assert mask.label == label

    def contrast(array: npt.NDArray[np.bool_]) -> float:
        disk = np.ones((7, 7), dtype=np.bool_)
        inner = array & ~morphology.erosion(array, disk)
        outer = ~array & morphology.dilation(array, disk)
        return float(np.abs(light(photograph, inner) - light(photograph, outer)).max())

    here = contrast(mask.array)
    assert here > 30
    for shift in ((12, 0), (-12, 0), (0, 12), (0, -12)):
        assert contrast(np.roll(mask.array, shift, (0, 1))) < here


def test_parts_overlap_their_object_and_objects_do_not() -> None:
    face, *parts = load("chelsea").masks
    for part in parts:
        assert not (part.array & ~face.array).any()
    for name in ("coffee", "astronaut", "rocket", "camera"):
        assert np.sum([mask.array for mask in load(name).masks], axis=0).max() == 1


def test_an_unknown_name_is_an_error_that_lists_the_names() -> None:
    with pytest.raises(MaskCodecError, match=r"no photograph 'lena'; there are: coins, horse"):
        photographs.load_photograph("lena")


def test_a_missing_photograph_is_an_error_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photographs, "_folder", lambda: tmp_path)
    with pytest.raises(RecordError, match=r"coins\.png: can't be read.*reinstall scikit-image"):
        photographs.load_photograph("coins")

"""Photographs from files of every mode, and files that are none; and the picture of many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskcodec import RecordError
from maskcodec.datasets.pictures import read_picture
from maskcodec.picture_grid import CELL, draw_grid


def save(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


RAMP = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def test_colour_is_read_as_it_is(tmp_path: Path) -> None:
    colour = np.stack([RAMP, RAMP[::-1], RAMP.T.reshape(3, 4)], axis=-1)
    assert np.array_equal(read_picture(save(tmp_path / "c.png", Image.fromarray(colour))), colour)


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tiff" if mode == "CMYK" else "png"
    picture = read_picture(save(tmp_path / f"m.{suffix}", Image.fromarray(RAMP).convert(mode)))
    assert picture.shape == (3, 4, 3)
    assert picture.dtype == np.uint8
    if mode != "1":
        assert np.abs(picture[..., 0].astype(int) - RAMP).max() <= 1


def test_deep_images_keep_their_order(tmp_path: Path) -> None:
    deep = RAMP.astype(np.uint16) * 256
    assert np.array_equal(
        read_picture(save(tmp_path / "d.png", Image.fromarray(deep)))[..., 0], RAMP
    )
    real = Image.fromarray(RAMP.astype(np.float32) * 1000 - 5)
    spread = read_picture(save(tmp_path / "f.tiff", real))[..., 0]
    assert spread.min() == 0
    assert spread.max() == 255
    assert (np.diff(spread.ravel().astype(int)) > 0).all()


def test_orientation_is_left_alone_as_masks_have_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    path = save(tmp_path / "e.jpg", Image.fromarray(RAMP), exif=exif)
    assert read_picture(path, (3, 4)).shape == (3, 4, 3)


def test_unusable_files_are_errors_with_their_name(tmp_path: Path) -> None:
    good = save(tmp_path / "good.png", Image.effect_noise((300, 300), 90))
    with pytest.raises(RecordError, match=r"good\.png: is 300x300 .* expected 3x4"):
        read_picture(good, (3, 4))
    with pytest.raises(RecordError, match=r"none\.png: no such file"):
        read_picture(tmp_path / "none.png")
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:4000])
    with pytest.raises(RecordError, match=r"cut\.png: is a damaged"):
        read_picture(cut)
    text = tmp_path / "text.jpg"
    text.write_text("hello")
    with pytest.raises(RecordError, match=r"text\.jpg: is no image"):
        read_picture(text)


def test_an_image_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "bomb.png", Image.new("1", (200, 200)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30_000)
    with pytest.raises(RecordError, match="too large image"):
        read_picture(path)


def test_a_grid_holds_every_picture_in_its_column() -> None:
    red = np.full((50, CELL, 3), (255, 0, 0), dtype=np.uint8)
    green = np.full((80, 100, 3), (0, 255, 0), dtype=np.uint8)
    grid = draw_grid(["one", "a very long heading " * 9], [("x", [(red, ""), (green, "")])] * 2)
    for picture in (red, green):
        found = (grid == picture[0, 0]).all(axis=2)
        assert found.sum() == 2 * picture.shape[0] * picture.shape[1]
    columns = np.flatnonzero((grid == green[0, 0]).all(axis=2).any(axis=0))
    assert columns[0] > CELL
    assert draw_grid(["none"], []).shape[1] > CELL

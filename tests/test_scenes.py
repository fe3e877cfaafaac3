"""Generated scenes: exact masks, repeatable, within their options."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from maskcodec import MaskCodecError
from maskcodec.datasets.draw import Draw
from maskcodec.datasets.scene_measures import come_near, grow, measure
from maskcodec.datasets.scene_paint import COLOURS
from maskcodec.datasets.scene_shapes import SHAPES, TURNABLE, draw_shape
from maskcodec.datasets.scenes import SceneOptions, make_scene, scenes

GOLDEN = "8516f768787f8aac74c80d4dfe9d993253887b5432f4eaf2638bca0c5e785638"

seeds = st.integers(0, 2**40)
options = st.builds(
    SceneOptions,
    size=st.tuples(st.integers(24, 90), st.integers(24, 90)),
    overlap=st.booleans(),
    turns=st.sampled_from(["none", "kept"]),
    backgrounds=st.just(("plain", "noisy")),
)


@given(seeds, options)
def test_facts_of_objects_are_those_of_their_masks(seed: int, given_options: SceneOptions) -> None:
    scene = make_scene(seed, given_options)
    taken = np.zeros(scene.size, dtype=np.int64)
    for one in scene.objects:
        rows, columns = np.nonzero(one.mask)
        assert one.area == rows.size
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert one.box == box
        assert one.centre == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5))
        assert 2 * one.area >= one.whole_area
        taken += one.mask
    assert taken.max() <= 1
    assert [one.centre for one in scene.objects] == sorted(one.centre for one in scene.objects)


@given(seeds, options)
def test_a_scene_is_within_its_options(seed: int, given_options: SceneOptions) -> None:
    scene = make_scene(seed, given_options)
    assert scene.image.shape == (*given_options.size, 3)
    assert scene.image.dtype == np.uint8
    low, high = given_options.objects
    assert low <= len(scene.objects) <= high
    for one in scene.objects:
        assert one.noun in given_options.shapes
        assert one.colour in given_options.colours
        assert one.texture in given_options.textures


@given(seeds)
def test_objects_that_may_not_overlap_keep_two_pixels_apart(seed: int) -> None:
    scene = make_scene(seed, SceneOptions.tiny(objects=(2, 5)))
    for index, one in enumerate(scene.objects):
        assert one.area == one.whole_area
        for other in scene.objects[index + 1 :]:
            assert not come_near(one.mask, other.mask, 2)


@given(seeds)
def test_a_plain_object_has_its_colour_inside(seed: int) -> None:
    scene = make_scene(seed, SceneOptions.tiny(textures=("plain",)))
    for one in scene.objects:
        inside = ~grow(~one.mask, 1)
        if inside.sum() < 10:
            continue
        shown = np.median(scene.image[inside], axis=0).astype(np.int64)
        same = (abs(scene.image[inside] - shown).max(axis=1) == 0).mean()
        assert same > 0.8  # less than all: a notch may be slimmer than a pixel
        away = {name: int(abs(shown - tone).sum()) for name, tone in COLOURS.items()}
        assert min(away, key=away.__getitem__) == one.colour


def test_a_seed_gives_the_same_scene_for_ever() -> None:
    digest = hashlib.sha256()
    for seed in range(12):
        given_options = SceneOptions(turns="kept", backgrounds=("plain", "noisy"))
        scene = make_scene(seed, given_options)
        digest.update(scene.image.tobytes())
        for one in scene.objects:
            digest.update(f"{one.label} {one.texture} {one.size} {one.box}".encode())
            digest.update(np.packbits(one.mask).tobytes())
    assert digest.hexdigest() == GOLDEN


def test_scenes_go_on_from_their_first_seed() -> None:
    stream = scenes(5, SceneOptions.tiny())
    for seed in (5, 6, 7):
        scene = next(stream)
        assert scene.seed == seed
        assert np.array_equal(scene.image, make_scene(seed, SceneOptions.tiny()).image)


def test_draws_are_those_of_the_raw_stream() -> None:
    raw = np.random.PCG64([3, 1]).random_raw(64)
    draw = Draw(3, 1)
    assert draw.below(1000) == (int(raw[-1]) >> 32) * 1000 >> 32
    assert draw.share() == (int(raw[-2]) >> 11) / 2**53
    values = [draw.between(2, 5) for _ in range(300)]
    assert set(values) == {2, 3, 4, 5}
    assert sorted(draw.shuffled(range(30))) == list(range(30))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("extent", [5, 6, 15, 40])
def test_a_shape_fills_its_square_and_is_symmetric(name: str, extent: int) -> None:
    mask = draw_shape(name, extent).mask
    assert extent - 2 <= max(mask.shape) <= extent
    if name == "arrow":
        assert np.array_equal(mask, mask[::-1])
    elif name == "crescent":
        assert np.array_equal(mask, mask[::-1])
        half = mask.shape[1] // 2
        assert extent < 10 or mask[:, :half].sum() > mask[:, -half:].sum()
    else:
        assert np.array_equal(mask, mask[:, ::-1])


def test_the_areas_of_shapes_are_those_of_geometry() -> None:
    exact = {"circle": np.pi / 4, "square": 1.0, "triangle": 0.5, "ring": np.pi / 4 * 0.7}
    exact |= {"cross": 2 * 0.34 - 0.34**2, "diamond": 0.5 / 1.3}
    for name, share in exact.items():
        assert draw_shape(name, 300).mask.sum() / 300**2 == pytest.approx(share, abs=0.01)
    # A pentagram of circumradius r has the area 1.12257 r^2; its lines pass 0.3245 from its centre.
    radius = 0.3245 / np.cos(np.radians(72))
    star = draw_shape("star", 300).mask.sum() / 150**2
    assert star == pytest.approx(1.12257 * radius**2, rel=0.02)


@pytest.mark.parametrize("name", sorted(TURNABLE))
def test_a_full_turn_of_quarter_turns_keeps_area(name: str) -> None:
    whole = draw_shape(name, 80).mask
    quarter = draw_shape(name, 80, 6).mask
    assert quarter.sum() == pytest.approx(whole.sum(), rel=0.01)
    turned = np.rot90(whole, -1)  # clockwise
    assert turned.shape == quarter.shape
    assert (turned ^ quarter).sum() <= 0.02 * whole.sum()


def test_measures_of_a_mask() -> None:
    mask = np.zeros((6, 8), dtype=np.bool_)
    mask[2:4, 1:6] = True
    assert measure(mask) == ((1, 2, 6, 4), 10, (3.5, 3.0))
    other = np.zeros_like(mask)
    other[5, 7] = True
    assert come_near(mask, other, 2)
    assert not come_near(mask, other, 1)


def test_large_scenes_and_photographs(tmp_path: Path) -> None:
    scene = make_scene(1, SceneOptions(size=(512, 384), backgrounds=("photo",)))
    assert scene.image.shape == (512, 384, 3)
    Image.new("RGB", (50, 40), (250, 0, 10)).save(tmp_path / "one.png")
    (tmp_path / "notes.txt").write_text("no photograph")
    scene = make_scene(1, SceneOptions(backgrounds=("photo",), photo_dir=str(tmp_path)))
    outside = ~np.logical_or.reduce([grow(one.mask, 1) for one in scene.objects])
    red, green, blue = scene.image[outside].reshape(-1, 3).T.astype(int)
    assert red.min() > 150 > 60 > max(green.max(), blue.max())


@pytest.mark.parametrize(
    "changes",
    [
        {"size": (8, 64)},
        {"size": (64, 0)},
        {"objects": (0, 3)},
        {"objects": (4, 3)},
        {"objects": (1.0, 3)},
        {"extents": (0.5, 1.5)},
        {"extents": 0.5},
        {"colours": ("mauve",)},
        {"colours": ()},
        {"shapes": ["circle"]},
        {"textures": ("furry",)},
        {"backgrounds": ("sky",)},
        {"turns": "any"},
        {"repeat": 1.5},
        {"silhouettes": ("dog",)},
    ],
)
def test_wrong_options_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(MaskCodecError):
        SceneOptions(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(MaskCodecError, match="seed"):
        make_scene(seed)  # type: ignore[arg-type]


def test_objects_without_a_place_and_empty_folders_say_so(tmp_path: Path) -> None:
    crowded = SceneOptions.tiny(objects=(40, 40), extents=(0.5, 0.6))
    with pytest.raises(MaskCodecError, match="no place for 40 objects"):
        make_scene(0, crowded)
    with pytest.raises(MaskCodecError, match="holds no photograph"):
        make_scene(0, SceneOptions(backgrounds=("photo",), photo_dir=str(tmp_path)))
    missing = str(tmp_path / "missing")
    with pytest.raises(MaskCodecError, match="can't be listed"):
        make_scene(0, SceneOptions(backgrounds=("photo",), photo_dir=missing))

"""Arrays, folders, JSONL of run lengths, and the images that belong to masks."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from reading import (
    CAT,
    DOG,
    PER_OBJECT,
    SIZE,
    error,
    labels,
    only,
    read,
    rle_fields,
    same,
    save,
    uncompressed,
    write,
    write_jsonl,
)
from test_coco import broken, coco_file

from maskcodec import Mask, RecordError
from maskcodec.datasets import images
from maskcodec.datasets.images import image_path, image_size
from maskcodec.datasets.sample import ReadOptions, Sample


def test_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, DOG)
    assert same(only(path).masks[0], DOG)
    np.save(path, np.asfortranarray(DOG.astype(np.int32) * 255))
    assert same(only(path).masks[0], DOG)
    np.save(path, np.stack([DOG, CAT]))
    sample = only(path, options=ReadOptions(label="animal"))
    assert labels(sample) == ["animal", "animal"]
    assert same(sample.masks[1], CAT)
    assert [s.id for s in read(path, options=PER_OBJECT) if isinstance(s, Sample)] == [
        "a#1", "a#2",
    ]  # fmt: skip
    np.save(path, np.zeros((0, 40, 60), bool))
    assert (only(path).masks, only(path).size) == ((), SIZE)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(5, bool), r"has shape \(5,\), expected \(height, width\)"),
        (np.zeros((1, 2, 3, 4), bool), "expected .height, width. or .masks, height, width."),
        (np.array(True), r"has shape \(\)"),
        (np.full((4, 5), np.nan), r"is float64, expected bool .*NaN counts as outside"),
        (np.full((4, 5), "dog"), "is <U3, expected bool"),
        (np.full((4, 5), None), "can't be read: .*Python objects"),
        (np.zeros((0, 5), bool), "each side must be 1 to 65,536"),
        (np.zeros((65_537, 1), bool), "each side must be 1 to 65,536"),
        (np.array([[0, 1], [2, 3]]), "holds 4 values"),
        (np.array([[0, -1], [2, 3]]), "holds -1, expected values from 0"),
        (np.zeros((2, 2), np.complex64), "is complex64"),
        (np.zeros((2, 2), [("a", "i4")]), "expected bool"),
    ],
)
def test_arrays_that_are_no_masks(tmp_path: Path, array: Any, message: str) -> None:
    path = tmp_path / "a.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(RecordError, match=message):
        raise RecordError(error(path))


def header(text: str) -> bytes:
    data = text.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(data)) + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"PK\x03\x04 an archive",
        header("{'descr': '|b1', 'fortran_order': False, 'shape': (50000, 40000)}\n"),
        header("{'descr': '|b1', 'fortran_order': False, 'shape': (10**99, 4)}\n"),
        header("{'descr': '|b1', 'fortran_order': False, 'shape': (-4, 4)}\n"),
        header("__import__('os').system('true')\n"),
        header("(" * 60_000 + "\n"),
    ],
)
def test_damaged_arrays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    message = error(path)
    assert "is not a .npy file" in message or "can't be read" in message or "shape" in message


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    save(tmp_path / "a" / "two.png", CAT)
    save(tmp_path / "a" / "b" / "one.png", DOG)
    (tmp_path / "a" / "read.me").write_text("not a mask")
    samples = read(tmp_path / "a")
    assert [s.id for s in samples if isinstance(s, Sample)] == ["b/one", "two"]
    assert [s.image for s in samples if isinstance(s, Sample)] == ["b/one.png", "two.png"]
    (tmp_path / "a" / "two.png").write_bytes(b"")
    good, bad = read(tmp_path / "a")
    assert isinstance(good, Sample)
    assert "two.png: is empty" in str(bad)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match=r"holds no .png and no .npy"):
        read(tmp_path / "empty")


def test_files_of_several_folders_keep_their_names_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save(tmp_path / folder / "x.png", DOG)
    expected = ["a/x", "b/x"]
    paths = [tmp_path / "a" / "x.png", tmp_path / "b" / "x.png"]
    assert [s.id for s in read(*paths) if isinstance(s, Sample)] == expected
    monkeypatch.chdir(tmp_path / "a")
    paths = [Path("x.png"), Path("../b/x.png")]
    assert [s.id for s in read(*paths) if isinstance(s, Sample)] == expected


def test_paths_that_are_no_input(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", DOG)
    (tmp_path / "x.jpg").write_bytes(b"")
    for paths, message in [
        ([tmp_path / "missing.png"], "no such file"),
        ([tmp_path / "x.jpg"], "has no suffix that is known: .png and .npy are masks"),
        ([path, tmp_path / "." / "x.png"], "is given twice"),
        ([tmp_path / "no" / "folder.json"], "no such file"),
    ]:
        with pytest.raises(RecordError, match=message):
            read(*paths)


def test_run_lengths_are_grouped_by_image(tmp_path: Path) -> None:
    dog, cat = Mask(DOG, "dog"), Mask(CAT, "cat")
    lines = [
        rle_fields(dog, "a.jpg", 1),
        rle_fields(dog, "b.jpg", 2),
        {**rle_fields(cat, "a.jpg", 3), "counts": uncompressed(CAT)},
        rle_fields(cat, "b.jpg", 2),
    ]
    for name in ("r.jsonl", "r.jsonl.gz"):
        path = write_jsonl(tmp_path / name, lines)
        first, second = read(path)
        assert isinstance(first, Sample)
        assert isinstance(second, Sample)
        assert (first.id, labels(first)) == ("a.jpg", ["dog", "cat"])
        assert same(first.masks[1], CAT)
        assert (second.id, labels(second)) == ("b.jpg", ["dog", "cat"])
        objects = read(path, options=PER_OBJECT)
        assert [s.id for s in objects if isinstance(s, Sample)] == [
            "a.jpg#1", "b.jpg#2", "a.jpg#3", "b.jpg#2#2",
        ]  # fmt: skip


def test_bad_lines_of_run_lengths(tmp_path: Path) -> None:
    dog = rle_fields(Mask(DOG, "dog"), "a.jpg", 1)
    small = rle_fields(Mask(DOG[:20], "dog"), "c.jpg", 1)
    path = write_jsonl(
        tmp_path / "r.jsonl",
        [
            dog,
            "oops",
            {**dog, "image": "b.jpg", "counts": "0"},
            {**dog, "image": "c.jpg"},
            {**dog, "image": None},
            {**dog, "image": "d.jpg", "category": 5},
            small,
            {**dog, "image": "e.jpg", "size": [65_536, 65_536]},
        ],
    )
    result = read(path)
    assert [str(item).replace(str(path), "F") for item in result if isinstance(item, str)] == [
        "F:2: is not JSON: Expecting value (column 1)",
        "F:5, field 'image': is null, expected a name or a whole number",
        "F:3, field 'counts': sums to 0 pixels, expected 40*60 = 2,400",
        "F:7, field 'size': is 20x60 (height x width), but the image is 40x60",
        "F:6, field 'category': is 5, expected a string",
        "F:8, field 'size': size (height, width) is (65536, 65536): each side must be 1 to 65,536 "
        "pixels and the area at most 2,147,483,647",
    ]
    assert [item.id for item in result if isinstance(item, Sample)] == ["a.jpg"]


def test_images_are_checked(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (60, 40)).save(photos / "a.jpg")
    Image.new("RGB", (40, 60)).save(photos / "b.jpg")
    path = write(tmp_path / "coco.json", coco_file())
    options = ReadOptions(image_dir=photos)
    good, turned, missing = read(path, options=options)
    assert isinstance(good, Sample)
    assert "b.jpg: is 60x40 (height x width), but its masks are 40x60 (turned by 90" in str(turned)
    assert "there is no image 'empty.jpg' here" in str(missing)

    sizeless = broken(lambda d: [image.pop("height") for image in d["images"]])
    assert only_sizes(read(write(path, sizeless), options=options)[:1]) == [SIZE]
    escaping = broken(lambda d: d["images"][0].update(file_name="../coco.json"))
    assert "'../coco.json' is outside of --image-dir" in str(
        read(write(path, escaping), options=options)[0]
    )


def only_sizes(samples: list[Sample | str]) -> list[tuple[int, int]]:
    return [sample.size for sample in samples if isinstance(sample, Sample)]


def test_mask_files_are_joined_to_images(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "sub").mkdir(parents=True)
    Image.new("RGB", (60, 40)).save(photos / "sub" / "a.jpg")
    (tmp_path / "masks" / "sub").mkdir(parents=True)
    save(tmp_path / "masks" / "sub" / "a.png", DOG)
    options = ReadOptions(image_dir=photos)
    assert only(tmp_path / "masks", options=options).image == "sub/a.jpg"
    Image.new("RGB", (60, 40)).save(photos / "sub" / "a.webp")
    images._by_stem.cache_clear()
    assert "more than one image 'sub/a' here: sub/a.jpg, sub/a.webp" in str(
        read(tmp_path / "masks", options=options)[0]
    )
    save(tmp_path / "masks" / "b.png", DOG)
    assert "there is no image 'b'" in str(read(tmp_path / "masks", options=options)[0])


def test_a_mask_beside_its_image_is_not_its_image(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "a.jpg")
    save(tmp_path / "a.png", DOG)
    assert only(tmp_path, options=ReadOptions(image_dir=tmp_path)).image == "a.jpg"
    (tmp_path / "a.jpg").unlink()
    images._by_stem.cache_clear()
    assert "there is no image 'a'" in str(read(tmp_path, options=ReadOptions(image_dir=tmp_path)))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a\x00b", "x" * 5_000, "missing.jpg"])
def test_image_names_that_lead_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError, match=r"is outside of --image-dir|there is no image"):
        image_path(tmp_path, name)


def test_a_broken_image(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8nothing")
    with pytest.raises(RecordError, match="is no image that can be read"):
        image_size(tmp_path / "x.jpg")

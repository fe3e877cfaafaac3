"""Videos with masks as DAVIS and Refer-YouTube-VOS lay them out, in small, and predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import SIZE, davis, moving, palette_map, photograph, referring_videos

from maskcodec import RecordError
from maskcodec.datasets.video_folder import Video, find_predictions, read, read_prediction
from maskcodec.scores.video import compare, summarize
from maskcodec.scores.video_folders import score_video


def videos(path: Path, split: str | None = None) -> list[Video]:
    """All videos, none of which fails."""
    found = read(path, split)
    assert all(isinstance(video, Video) for video in found), found
    return [video for video in found if isinstance(video, Video)]


def test_davis(tmp_path: Path) -> None:
    (bear,) = videos(davis(tmp_path), "val")
    assert (bear.name, bear.frames) == ("bear", ("00000", "00001", "00002", "00003"))
    assert [(t.id, t.name, t.values) for t in bear.targets] == [
        ("bear/1", "1", (1,)),
        ("bear/3", "3", (3,)),
    ]
    assert bear.image("00001") == tmp_path / "JPEGImages" / "480p" / "bear" / "00001.jpg"
    maps = bear.load()
    assert maps.shape == (4, *SIZE)
    for frame, (true, ignore) in enumerate(bear.truth(maps, bear.targets[1])):
        assert np.array_equal(true, moving(frame) == 3)
        assert ignore is not None
        assert np.array_equal(ignore, moving(frame) == 255)
    assert [video.name for video in videos(tmp_path)] == ["bear", "goat"]
    assert [video.name for video in videos(tmp_path, "train")] == ["goat"]
    with pytest.raises(RecordError, match=r"there is no ImageSets/2017/test\.txt"):
        read(tmp_path, "test")


def test_davis_of_2016_has_one_object(tmp_path: Path) -> None:
    for frame in range(2):
        values = np.where(moving(frame) == 1, 255, 0)
        palette_map(tmp_path / "Annotations" / "480p" / "bear" / f"{frame:05}.png", values)
    lists = tmp_path / "ImageSets" / "480p"
    lists.mkdir(parents=True)
    lines = [
        f"/JPEGImages/480p/bear/{frame:05}.jpg /Annotations/480p/bear/{frame:05}.png"
        for frame in range(2)
    ]
    (lists / "val.txt").write_text("\n".join(lines))
    (bear,) = videos(tmp_path, "val")
    assert [target.id for target in bear.targets] == ["bear/1"]
    assert bear.image("00000") is None
    for frame, (true, ignore) in enumerate(bear.truth(bear.load(), bear.targets[0])):
        assert np.array_equal(true, moving(frame) == 1)
        assert ignore is None


def test_expressions(tmp_path: Path) -> None:
    referring_videos(tmp_path)
    (video,) = videos(tmp_path, "train")
    assert videos(tmp_path) == [video]  # the only split
    assert video.frames == ("00000", "00005", "00010")
    assert [(t.id, t.text, t.values) for t in video.targets] == [
        ("0f3a/0", "a thing moving right", (1,)),
        ("0f3a/1", "the one below", (3,)),
        ("0f3a/2", "both", (1, 3)),
    ]
    both = [true for true, _ in video.truth(video.load(), video.targets[2])]
    assert np.array_equal(both[1], (moving(1) == 1) | (moving(1) == 3))
    assert video.image("00005") is not None


def test_predictions_of_objects(tmp_path: Path) -> None:
    (bear,) = videos(davis(tmp_path / "davis"), "val")
    folder = tmp_path / "mine"
    for frame in (0, 1, 2):
        palette_map(folder / "bear" / f"{frame:05}.png", moving(frame))
    rows, problems = score_video(bear, find_predictions(folder))
    assert not problems
    assert [(row.id, row.video, row.status, row.missing) for row in rows] == [
        ("bear/1", "bear", "valid", 1),
        ("bear/3", "bear", "valid", 1),
    ]
    # The last frame is missing, and "davis" leaves it out.
    assert summarize(rows, "davis")["J&F"] == 1.0
    assert summarize(rows, "davis:frames=all")["J"] == pytest.approx(3 / 4)
    truth = [(moving(frame) == 1, moving(frame) == 255) for frame in range(4)]
    masks = [moving(frame) == 1 if frame < 3 else None for frame in range(4)]
    expected = compare(
        "bear/1",
        [(mask, true, ignore) for mask, (true, ignore) in zip(masks, truth, strict=True)],
        video="bear",
    )
    assert rows[0] == expected


def test_predictions_of_expressions(tmp_path: Path) -> None:
    referring_videos(tmp_path)
    (video,) = videos(tmp_path, "train")
    folder = tmp_path / "mine" / "Annotations"
    for frame, name in enumerate(video.frames):
        values = np.where(moving(frame) == 3, 255, 0)
        palette_map(folder / "0f3a" / "1" / f"{name}.png", values)
    rows, problems = score_video(video, find_predictions(tmp_path / "mine"))
    assert not problems
    assert [row.status for row in rows] == ["missing", "valid", "missing"]
    assert summarize(rows, "ref-youtube-vos")["J"] == pytest.approx(1 / 3)
    assert [row.missing for row in rows] == [3, 0, 3]


def test_files_of_predictions_that_cannot_be_used(tmp_path: Path) -> None:
    (bear,) = videos(davis(tmp_path / "davis"), "val")
    folder = tmp_path / "mine"
    palette_map(folder / "bear" / "00000.png", moving(0))
    palette_map(folder / "bear" / "00001.png", moving(0, size=(40, 61)))
    (folder / "bear" / "00002.png").write_bytes(b"\x89PNG")
    masks, problems = read_prediction(folder, bear, bear.targets[0], SIZE)
    assert [mask is None for mask in masks] == [False, True, True, True]
    assert "00001.png: is 40x61 (height x width), expected 40x60" in str(problems[0])
    assert "00002.png: is a file that starts" in str(problems[1])
    rows, problems = score_video(bear, folder)
    assert [row.status for row in rows] == ["repaired", "repaired"]
    assert len(problems) == 4
    (folder / "bear" / "00000.png").unlink()
    assert [row.status for row in score_video(bear, folder)[0]] == ["invalid", "invalid"]
    with pytest.raises(RecordError, match="there is no such folder: predictions of videos"):
        find_predictions(tmp_path / "nowhere")


def test_what_is_wrong_in_davis(tmp_path: Path) -> None:
    davis(tmp_path)
    maps = tmp_path / "Annotations" / "480p"
    (tmp_path / "ImageSets" / "2017" / "val.txt").write_text("bear\nnowhere\n")
    bear, nowhere = read(tmp_path, "val")
    assert isinstance(bear, Video)
    assert "nowhere: no such folder of label maps" in str(nowhere)
    palette_map(maps / "bear" / "00002.png", moving(0, size=(41, 60)))
    with pytest.raises(
        RecordError, match=r"00002\.png: is 41x60 \(height x width\), expected 40x60"
    ):
        bear.load()
    (maps / "bear" / "00002.png").unlink()
    with pytest.raises(RecordError, match=r"00002\.png: no such file"):
        bear.load()
    palette_map(maps / "bear" / "00000.png", np.zeros(SIZE))
    assert "shows no object" in str(read(tmp_path, "val")[0])
    with pytest.raises(RecordError, match="holds neither Annotations/480p/VIDEO/"):
        read(tmp_path / "JPEGImages")
    with pytest.raises(RecordError, match="no such folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["../../etc", "/etc/x", "..", "a\\b", "a\0b"])
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    davis(tmp_path / "davis")
    (tmp_path / "davis" / "ImageSets" / "2017" / "val.txt").write_text(f"{name}\n")
    try:
        (found,) = read(tmp_path / "davis", "val")
    except RecordError as error:
        found = error
    assert isinstance(found, RecordError)
    with pytest.raises(RecordError, match="that can't be the name of a file or folder"):
        read(tmp_path / "davis", name)


def change(tmp_path: Path, **fields: Any) -> list[Video | RecordError]:
    """Read the videos of expressions with fields of the one video changed."""
    path = referring_videos(tmp_path)
    document = json.loads(path.read_text())
    document["videos"]["0f3a"].update(fields)
    path.write_text(json.dumps(document))
    return read(tmp_path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frames": []}, "field 'videos.0f3a.frames': are no names of frames"),
        ({"frames": ["00000", "00000"]}, "are no names of frames, each once"),
        ({"frames": ["../x"]}, "frame '../x': that can't be the name of a file"),
        ({"frames": [3]}, "are no names of frames"),
        ({"expressions": []}, "field 'videos.0f3a.expressions': is a list|expected an object"),
        ({"expressions": {"0": "x"}}, "videos.0f3a.expressions.0': is 'x', expected an object"),
        ({"expressions": {"0": {"exp": "a"}}}, "videos.0f3a.expressions.0.obj_id': is missing"),
        ({"expressions": {"0": {"exp": "a", "obj_id": "x"}}}, "expected objects from 1 to 254"),
        ({"expressions": {"0": {"exp": "a", "obj_id": 255}}}, "expected objects from 1 to 254"),
        ({"expressions": {"0": {"exp": 4, "obj_id": 1}}}, "expressions.0.exp': is 4"),
        (
            {"expressions": {"../0": {"exp": "a", "obj_id": 1}}},
            "expression '../0': that can't be the name",
        ),
    ],
)
def test_what_is_wrong_in_expressions(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    (found,) = change(tmp_path, **fields)
    assert isinstance(found, RecordError)
    with pytest.raises(RecordError, match=message):
        raise found


def test_what_is_wrong_in_the_json_of_expressions(tmp_path: Path) -> None:
    path = referring_videos(tmp_path)
    with pytest.raises(RecordError, match="has these splits: train"):
        read(tmp_path, "valid")
    whole = path.read_text()
    for text, message in (("[]", 'is no object with "videos"'), ("[", "is not JSON")):
        path.write_text(text)
        with pytest.raises(RecordError, match=message):
            read(tmp_path)
    path.write_text(whole)
    (tmp_path / "train" / "Annotations").rename(tmp_path / "train" / "elsewhere")
    with pytest.raises(RecordError, match="there is no train/Annotations with the true masks"):
        read(tmp_path)


def test_pictures_are_not_needed(tmp_path: Path) -> None:
    photograph(tmp_path / "x.jpg")
    for frame in range(2):
        palette_map(tmp_path / "Annotations" / "1080p" / "cow" / f"{frame:05}.png", moving(frame))
    (cow,) = videos(tmp_path)
    assert cow.image("00000") is None
    assert len(cow.load()) == 2

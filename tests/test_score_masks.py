"""`maskcodec score` on masks of other systems: every form of file, and what can be wrong."""

from __future__ import annotations

import gzip
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reading import write_jsonl
from scoring import (
    SIZE,
    SPEC,
    coco,
    name,
    picture,
    plain_scores,
    predicted,
    score,
    truth_file,
    union,
    unmatched,
)

from eval.score_questions import Question
from eval.score_reading import Reader, read_prediction
from maskcodec import rle
from maskcodec.datasets.naming import safe_name
from maskcodec.datasets.sample import Sample
from maskcodec.datasets.writers import NpzWriter, PngWriter
from maskcodec.records import Record

COUNT = 8


def results(path: Path) -> Path:
    """A list as many systems write it, one record a mask."""
    records: list[dict[str, Any]] = []
    for id_, masks in predicted(COUNT).items():
        records += [{"id": id_, "segmentation": coco(m.array), "score": 0.5} for m in masks]
        if not masks:
            records.append({"id": id_, "segmentation": None})
    path.write_text(json.dumps(records))
    return path


def gzipped(path: Path) -> Path:
    plain = results(path.with_suffix(""))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def lines_of_masks(path: Path) -> Path:
    return write_jsonl(
        path,
        [
            {"id": id_, "masks": [coco(mask.array, compressed=False) for mask in masks]}
            for id_, masks in predicted(COUNT).items()
        ],
    )


def by_id(path: Path) -> Path:
    found = {id_: coco(union(masks)) for id_, masks in predicted(COUNT).items()}
    path.write_text(json.dumps(found))
    return path


def pngs(path: Path) -> Path:
    for id_, masks in predicted(COUNT).items():
        file = path / f"{id_}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(union(masks).astype(np.uint8) * 255).save(file)
    return path


def pngs_of_safe_names(path: Path) -> Path:
    path.mkdir()
    for id_, masks in predicted(COUNT).items():
        Image.fromarray(union(masks).astype(np.uint8)).save(path / f"{safe_name(id_)}.png")
    return path


def arrays(path: Path) -> Path:
    found: dict[str, Any] = {
        id_: np.stack([mask.array for mask in masks]) if masks else np.zeros(SIZE, np.uint8)
        for id_, masks in predicted(COUNT).items()
    }
    np.savez_compressed(path, **found)
    return path


def folder_of_npz(path: Path) -> Path:
    path.mkdir()
    writer = NpzWriter(path)
    for id_, masks in predicted(COUNT).items():
        writer.add(Sample(id_, "", SIZE, tuple(masks)))
    writer.finish()
    return path


@pytest.mark.parametrize(
    ("write", "file"),
    [
        (results, "results.json"),
        (gzipped, "results.json.gz"),
        (lines_of_masks, "masks.jsonl"),
        (by_id, "masks.json"),
        (pngs, "folder"),
        (pngs_of_safe_names, "folder"),
        (arrays, "masks.npz"),
        (folder_of_npz, "folder"),
    ],
)
def test_every_form_gives_the_same_scores(
    tmp_path: Path, write: Callable[[Path], Path], file: str
) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    found = score(tmp_path / "out", write(tmp_path / file), "--truth", truth)
    assert found.status == 0, found.err
    giou, ciou = plain_scores({k: union(v) for k, v in predicted(COUNT).items()}, COUNT)
    assert found.value("gIoU") == pytest.approx(giou, abs=1e-12)
    assert found.value("cIoU") == pytest.approx(ciou, abs=1e-12)
    assert found.document["scores"][0]["ceiling"] is None  # no codec had part in it


def test_the_masks_that_decode_writes_are_found_by_their_index(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    folder = tmp_path / "masks"
    folder.mkdir()
    writer = PngWriter(folder)
    for id_, masks in predicted(COUNT).items():
        writer.add(Sample(id_, "", SIZE, tuple(masks)))
    writer.finish()
    found = score(tmp_path / "out", folder, "--truth", truth, "--convention", "lisa")
    empty = sum(not masks for masks in predicted(COUNT).values())
    assert found.counts["missing"] == empty  # of no mask there is no file
    giou, _ = plain_scores({k: union(v) for k, v in predicted(COUNT).items()}, COUNT)
    assert found.value("gIoU") == pytest.approx(giou, abs=1e-6)


def test_polygons_and_a_ceiling_on_request(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    square = [10.0, 5.0, 30.0, 5.0, 30.0, 25.0, 10.0, 25.0]
    given = [{"id": name(n), "segmentation": [square]} for n in range(COUNT)]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", truth, "--ceiling", SPEC)
    mask = np.zeros(SIZE, np.bool_)
    mask[5:25, 10:30] = True
    giou, _ = plain_scores({name(n): mask for n in range(COUNT)}, COUNT)
    assert found.value("gIoU") == pytest.approx(giou)
    assert 0.8 < found.ceiling("gIoU") <= 1


def test_a_repeated_mask_counts_once_and_others_join(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    half = union(picture(0))
    half[:, :14] = False
    rest = union(picture(0)) & ~half
    given = [{"id": name(0), "segmentation": coco(one)} for one in (half, half, rest)]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert found.counts["duplicate"] == 1
    assert found.value("gIoU") == 1


def test_masks_of_another_size_are_invalid_or_resampled(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    double = {k: union(v).repeat(2, 0).repeat(2, 1) for k, v in predicted(COUNT).items()}
    given = [{"id": k, "segmentation": coco(v)} for k, v in double.items()]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    one = {"id": name(0), "segmentation": coco(union(predicted(COUNT)[name(0)]))}
    mixed = write_jsonl(tmp_path / "mixed.jsonl", [one, *given[1:]])
    found = score(tmp_path / "out", mixed, "--truth", truth)
    assert found.status == 1
    assert found.counts["invalid"] == COUNT - 1
    assert found.document["repairs"] == {"wrong-size": COUNT - 1}
    assert "is 80x120 (height x width), but the image is 40x60" in found.err
    assert "most of them" in found.err
    fitted = score(tmp_path / "fitted", path, "--truth", truth, "--resize")
    giou, _ = plain_scores({k: union(v) for k, v in predicted(COUNT).items()}, COUNT)
    assert fitted.status == 0, fitted.err
    assert fitted.value("gIoU") == pytest.approx(giou)


def test_a_file_of_which_nothing_can_be_used_gets_no_score(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    double = {k: union(v).repeat(2, 0).repeat(2, 1) for k, v in predicted(COUNT).items()}
    given = [{"id": k, "segmentation": coco(v)} for k, v in double.items()]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 2
    assert f"none of its {COUNT} predictions of samples can be used" in found.err
    assert "--resize would fit it" in found.err
    assert not (tmp_path / "out" / "scores.json").exists()


def test_counts_that_are_the_str_of_bytes_are_explained(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    fields = coco(union(picture(0)))
    fields["counts"] = str(fields["counts"].encode())
    path = write_jsonl(tmp_path / "p.jsonl", [{"id": name(0), "segmentation": fields}])
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.document["repairs"] == {"bad-counts": 1}
    assert "write counts.decode()" in found.err


def test_sides_that_changed_places_are_told(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    given = [{"id": name(0), "segmentation": coco(union(picture(0)).T)}]
    found = score(tmp_path / "out", write_jsonl(tmp_path / "p.jsonl", given), "--truth", truth)
    assert "height and width have changed places" in found.err


def along_rows(mask: Any) -> dict[str, Any]:
    """Run lengths along the rows, as some programs write them."""
    flat = rle.encode(np.ascontiguousarray(mask.T))
    return {"size": list(mask.shape), "counts": rle.to_string(flat).decode("ascii")}


def test_run_lengths_of_another_order_are_suspected(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl")
    given = [{"id": k, "segmentation": along_rows(union(v))} for k, v in predicted().items()]
    path = write_jsonl(tmp_path / "p.jsonl", given)
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 1
    assert "run lengths seem to go the other way" in found.err
    right = score(tmp_path / "right", path, "--truth", truth, "--rle-order", "rows")
    assert right.status == 0, right.err
    giou, _ = plain_scores({k: union(v) for k, v in predicted().items()})
    assert right.value("gIoU") == pytest.approx(giou)
    assert right.value("gIoU") > found.value("gIoU") + 0.2


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"segmentation": {"size": [40, 60], "counts": "zz~"}}, "bad-counts"),
        ({"segmentation": {"size": [40, 60], "counts": [5, 5]}}, "bad-counts"),
        ({"segmentation": {"size": [40, 60], "counts": [-1, 2401]}}, "bad-counts"),
        ({"segmentation": {"size": [40, 60], "counts": [2**40]}}, "bad-counts"),
        ({"segmentation": {"size": [40], "counts": "0"}}, "wrong-size"),
        ({"segmentation": {"size": [4e9, 4e9], "counts": "0"}}, "wrong-size"),
        ({"segmentation": {"counts": "0"}}, "wrong-size"),
        ({"segmentation": [[1, 2]]}, "bad-polygon"),
        ({"segmentation": [[1, 2, "3", 4, 5, 6]]}, "bad-polygon"),
        ({"segmentation": 7}, "bad-polygon"),
        ({"masks": [3]}, "bad-record"),
        ({"nothing": 1}, "bad-record"),
        ({"score": "high", "segmentation": None}, "bad-record"),
    ],
)
def test_masks_that_cannot_be_read_are_invalid(
    tmp_path: Path, fields: dict[str, Any], kind: str
) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    path = write_jsonl(tmp_path / "p.jsonl", [{"id": name(0)} | fields])
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 1, found.err
    assert found.document["repairs"] == {kind: 1}
    assert unmatched(tmp_path / "out") == [("invalid", name(0))]
    assert found.value("gIoU") == 0


def test_a_json_cut_in_half_is_an_error(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    path = results(tmp_path / "r.json")
    path.write_bytes(path.read_bytes()[:-300])
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 2
    assert "is the file whole?" in found.err


@pytest.mark.parametrize("damage", ["cut", "text", "colour"])
def test_a_damaged_png_is_one_invalid_sample(tmp_path: Path, damage: str) -> None:
    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    folder = pngs(tmp_path / "folder")
    file = folder / f"{name(2)}.png"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:60])
    elif damage == "text":
        file.write_text("not a picture")
    else:
        Image.new("RGB", (60, 40), (1, 2, 3)).save(file)
    found = score(tmp_path / "out", folder, "--truth", truth)
    assert found.status == 1
    assert found.counts["invalid"] == 1
    assert ("invalid", name(2)) in unmatched(tmp_path / "out")


def test_arrays_are_never_unpickled(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "exploded",)

    truth = truth_file(tmp_path / "val.jsonl", COUNT)
    path = tmp_path / "masks.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name(0)}.npy", pickle.dumps(Bomb()))
        with archive.open(f"{name(1)}.npy", "w") as stream:
            np.lib.format.write_array(stream, np.array([Bomb()], dtype=object), allow_pickle=True)
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.counts["invalid"] == 2
    assert not (tmp_path / "exploded").exists()


def test_an_array_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    path = tmp_path / "masks.npz"
    head = b"\x93NUMPY\x01\x00v\x00"
    said = b"{'descr': '|b1', 'fortran_order': False, 'shape': (60000, 60000, 900), }"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name(0)}.npy", head + said.ljust(117) + b"\n")
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.counts["invalid"] == 1
    assert "is larger than" in found.err


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut"])
def test_a_damaged_archive_is_an_error(tmp_path: Path, content: bytes) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    path = tmp_path / "masks.npz"
    path.write_bytes(content)
    found = score(tmp_path / "out", path, "--truth", truth)
    assert found.status == 2
    assert "is a damaged .npz" in found.err


def test_files_of_no_known_kind(tmp_path: Path) -> None:
    truth = truth_file(tmp_path / "val.jsonl", 1)
    path = tmp_path / "p.csv"
    path.write_text("id,mask\n")
    assert "has no suffix that is known" in score(tmp_path / "a", path, "--truth", truth).err
    (tmp_path / "empty").mkdir()
    missing = {"id": name(0), "file": str(pngs(tmp_path / "pngs") / f"{name(0)}.png")}
    found = score(tmp_path / "c", write_jsonl(tmp_path / "p.jsonl", [missing]), "--truth", truth)
    assert found.counts["invalid"] == 1  # a record names no file of this machine
    assert "holds no .png" in score(tmp_path / "b", tmp_path / "empty", "--truth", truth).err


QUESTION = Question("a", {"id": ["a"]}, SIZE, tuple(picture(0)), "referring")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["segmentation", "size", "counts", "masks", "text", "spec", "label", "id"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from(
            ["segmentation", "size", "counts", "masks", "text", "spec", "score", "tokens",
             "category_id", "label", "form", "segments_info", "file_name", "file", "array"]
        ),
        JSON,
        max_size=5,
    ),
    st.booleans(),
)  # fmt: skip
def test_any_record_is_read_or_invalid(fields: dict[str, Any], resize: bool) -> None:
    reader = Reader(SPEC, {1: "dog"}, {1: "dog"}, resize=resize)
    read = read_prediction([Record("p.jsonl", 1, fields)], QUESTION, reader)
    assert read.status in ("valid", "repaired", "invalid")
    assert all(mask.size == SIZE for mask in read.masks)
    assert bool(read.problem or read.repairs) == (read.status in ("invalid", "repaired"))

"""Published results: the shipped table is sound, and a bad one is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskcodec.errors import RecordError
from maskcodec.scores import conventions
from maskcodec.scores.published import (
    COLUMNS,
    CONVENTIONS,
    DATASETS,
    KINDS,
    METRICS,
    Published,
    read_published,
)

HEAD = ",".join(COLUMNS)
GOOD = "Ours,Qwen2-7B,text-as-mask,refcoco,val,cIoU,74.9,single-sentence,our paper,no,"


def table(tmp_path: Path, *lines: str, head: str = HEAD) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def figures(system: str, backbone: str, metric: str = "cIoU") -> list[float]:
    """A system's figures in the order of papers' tables."""
    found = {
        (one.dataset, one.split): one.value
        for one in read_published()
        if (one.system, one.backbone, one.metric) == (system, backbone, metric)
    }
    order = [
        (name, split) for name in ("refcoco", "refcoco+", "refcocog") for split in DATASETS[name]
    ]
    return [found[key] for key in order if key in found]


def test_every_shipped_row_is_sound() -> None:
    rows = read_published()
    assert len(rows) >= 437
    assert len({one.key for one in rows}) == len(rows)
    assert all(0 < one.value <= 100 for one in rows)
    assert {one.kind for one in rows} == set(KINDS)
    assert {one.dataset for one in rows} == set(DATASETS)
    assert {one.metric for one in rows} == set(METRICS)
    assert {one.convention for one in rows} == set(CONVENTIONS), "a convention that no row uses"


@pytest.mark.parametrize(
    "system",
    ["LISA", "PixelLM", "GroundHog", "GLaMM", "VISA", "CoReS", "SAM4MLLM", "OMG-LLaVA", "PSALM",
     "READ", "SegAgent", "HyperSeg", "Seg-Zero", "VisionReasoner", "POPEN", "MCN", "VLT", "LAVT",
     "CRIS", "ReLA", "X-Decoder", "SEEM", "Text4Seg (no SAM)", "Text4Seg++", "HiMTok", "ARGenSeg "
     "(fine-tuned)", "SimpleSeg", "PaliGemma-3B 896 px", "PolyFormer-L"],
)  # fmt: skip
def test_the_systems_of_the_field_are_there(system: str) -> None:
    assert any(one.system == system for one in read_published())


def test_figures_are_those_of_their_sources() -> None:
    assert figures("LISA", "LLaVA-1.5") == [74.9, 79.1, 72.3, 65.1, 70.8, 58.1, 67.9, 70.6]
    simple = figures("SimpleSeg", "Qwen2.5-VL-7B")
    assert round(sum(simple) / 8, 1) == 74.6, "the mean that its source prints"
    assert round(sum(figures("SimpleSeg", "Kimi-VL")) / 8, 1) == 74.8
    assert round(sum(figures("GSVA", "")) / 8, 1) == 71.4
    assert figures("PolyFormer-L", "Swin-L+BERT", "mIoU")[0] == 76.94
    assert figures("PaliGemma-3B 896 px", "Gemma-2B", "mIoU") == [76.94, 72.18, 72.22]


def test_conventions_rest_on_those_of_scoring() -> None:
    for name, counted in CONVENTIONS.items():
        assert counted.like is None or counted.like in conventions.CONVENTIONS, name
        assert counted.doc


def test_a_row(tmp_path: Path) -> None:
    assert read_published(table(tmp_path, GOOD, "")) == [
        Published(
            *("Ours", "Qwen2-7B", "text-as-mask", "refcoco", "val", "cIoU", 74.9),
            *("single-sentence", "our paper", False, ""),
        )
    ]


def test_columns_come_in_any_order_and_the_last_two_may_be_missing(tmp_path: Path) -> None:
    head = "source,convention,value,metric,split,dataset,kind,backbone,system"
    line = '"a, b",lisa,61.3,gIoU,test,reasonseg,LLM-based,,"LISA, again"'
    (row,) = read_published(table(tmp_path, line, head=head))
    assert (row.system, row.source, row.needs_decoder, row.line) == ("LISA, again", "a, b", None, 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("74.9", "101", "value"),
        ("74.9", "0.749%", "percentage from 0 to 100"),
        ("74.9", "nan", "value"),
        ("74.9", "0.749", "percent: as a share it would be 74.9"),
        ("refcoco,", "refcocc,", "did you mean 'refcoco'"),
        ("cIoU", "ciou", "did you mean 'cIoU'"),
        (",val,", ",vall,", "did you mean 'val'"),
        ("74.9", "-1", "value"),
        ("refcoco,", "coco,", "refcoco, refcoco+"),
        (",val,", ",testC,", "testA, testB"),
        ("cIoU", "IoU", "metric"),
        ("single-sentence", "mine", "convention"),
        ("text-as-mask", "magic", "kind"),
        ("Ours", "", "system"),
        ("our paper", "", "where the figure was read"),
        (",no,", ",perhaps,", "yes, no or nothing"),
        (",no,", ",no,a,b", "cells"),
        ("Ours", '"Ours', "is no CSV"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    other = GOOD.replace("Ours", "Other")
    path = table(tmp_path, other, GOOD.replace(old, new, 1))
    with pytest.raises(RecordError, match=r"rows\.csv:3") as error:
        read_published(path)
    assert said in str(error.value)


def test_the_same_figure_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="stands on line 2 too"):
        read_published(table(tmp_path, GOOD, GOOD.replace("74.9", "75.0")))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (HEAD.replace("system", "model"), "lacks 'system'"),
        (HEAD + ",colour", "has 'colour'"),
        (HEAD.replace("note", "value"), "has"),
        ("", "lacks"),
    ],
)
def test_a_bad_head_is_refused(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(RecordError, match=said):
        read_published(table(tmp_path, GOOD, head=head))


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        read_published(tmp_path / "none.csv")
    with pytest.raises(RecordError, match="is a folder"):
        read_published(tmp_path)
    path = tmp_path / "latin.csv"
    path.write_bytes(b"system\xff")
    with pytest.raises(RecordError, match="is not UTF-8"):
        read_published(path)

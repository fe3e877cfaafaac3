"""`coco_rle`: damaged texts, and what its pieces are."""

from __future__ import annotations

import pytest

from maskcodec import DecodeError, get_codec
from maskcodec.spans import Span

CODEC = get_codec("coco_rle")


def found(text: str) -> list[tuple[str, int]]:
    return [(one.kind, one.position) for one in CODEC.parse(text, errors="repair")[1]]


def test_too_many_objects() -> None:
    text = "\n".join(["dog 1x1 01"] * 10_001)
    with pytest.raises(DecodeError, match="at most 10000 objects"):
        CODEC.parse(text)
    assert found(text) == [("too-many-objects", 110_000)]


def test_repairs_say_where() -> None:
    assert found("dog 1x1 01\ncat 1x1 0\nx") == [("area", 19), ("object", 21)]


@pytest.mark.parametrize("size", ["65537x1", "1x65537", "65536x65536"])
def test_a_size_out_of_range_is_no_object(size: str) -> None:
    with pytest.raises(DecodeError, match="LABEL HxW COUNTS expected"):
        CODEC.parse(f"dog {size} 1")
    geometry, _ = CODEC.parse(f"dog {size} 1", errors="repair")
    assert geometry.labels == ()


@pytest.mark.parametrize("line", ["dog 2x2 ", "dog 2x2"])
def test_an_object_without_runs_is_none_of_the_format(line: str) -> None:
    with pytest.raises(DecodeError, match="LABEL HxW COUNTS expected"):
        CODEC.parse(line)


def test_spans() -> None:
    assert CODEC.spans("white horse 2x2 13") == [Span(0, 11, "label"), Span(16, 18, "shape")]
    assert CODEC.spans("none") == [Span(0, 4, "where")]

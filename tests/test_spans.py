"""What the pieces of each codec's text say: labels, where, shape."""

from __future__ import annotations

import numpy as np
import pytest
from cases import CASES, Case
from hypothesis import given
from hypothesis import strategies as st
from strategies import mask_lists

from maskcodec import Mask, get_codec

every_case = pytest.mark.parametrize("case", CASES, ids=str)

RING = Mask(np.pad(np.pad(np.zeros((4, 6), np.bool_), 6, constant_values=True), 24), "a ring")


def said(spec: str, text: str) -> list[tuple[str, str, int]]:
    """Each span as text, kind and place."""
    spans = get_codec(spec).spans(text)
    return [(text[span.start : span.stop], span.kind, span.place) for span in spans]


@every_case
@given(data=st.data())
def test_spans_are_in_order_and_apart(case: Case, data: st.DataObject) -> None:
    masks, size = data.draw(mask_lists())
    codec = case.codec
    text = data.draw(st.one_of(st.just(codec.encode(masks, size)), st.text(max_size=200)))
    end = 0
    for span in codec.spans(text):
        assert end <= span.start < span.stop <= len(text)
        assert span.place >= 0
        end = span.stop


@every_case
def test_nothing_there_says_where(case: Case) -> None:
    text = case.codec.encode([], (40, 50))
    kinds = {span.kind for span in case.codec.spans(text)}
    assert kinds == ({"where"} if text == "none" else kinds)
    assert "shape" not in kinds


@every_case
def test_an_object_says_where_and_what_shape(case: Case) -> None:
    spans = case.codec.spans(case.codec.encode([RING], RING.size))
    kinds = {span.kind for span in spans}
    assert "label" in kinds or not case.labels
    assert "where" in kinds or case.spec.startswith("coco_rle")  # runs tell nothing apart
    assert "shape" in kinds or case.spec.endswith("rle=none")  # there, every cell says where


def test_shape_tokens_count_their_edges_and_codes() -> None:
    text = "dog: <|b_0001|><|b_0002|><|b_0003|><|b_0004|><|m_0005|><|m_0006|>\ncat: none"
    assert said("shapetokens", text) == [
        ("dog:", "label", 0),
        *((f"<|b_000{edge + 1}|>", "where", edge) for edge in range(4)),
        ("<|m_0005|>", "shape", 0),
        ("<|m_0006|>", "shape", 1),
        ("cat:", "label", 0),
        ("none", "where", 0),
    ]


def test_boxgrid_and_polygon_begin_with_where() -> None:
    assert said("boxgrid:rows=2", "a: 1,20,300,999 az bf.ty") == [
        ("a:", "label", 0),
        *((number, "where", edge) for edge, number in enumerate(("1", "20", "300", "999"))),
        ("az", "shape", 0),
        ("bf.ty", "shape", 1),
    ]
    assert said("polygon", "a: dk CA mw BZ nc LQ")[1:] == [
        ("dk CA", "where", 0),
        ("mw BZ", "shape", 0),
        ("nc LQ", "shape", 1),
    ]


def test_a_grid_says_where_by_labels_that_are_not_background() -> None:
    text = "<seg>others *2\n others *1| dog *1\n</seg>"
    assert said("text4seg:grid=2", text) == [
        ("others *2", "label", 0),
        ("others *1", "label", 0),
        ("dog", "where", 0),
        ("*1", "shape", 0),
    ]


def test_codes_without_a_box_say_where_by_the_first() -> None:
    mask = "<|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>"
    codes = [("<|mt_0230|>", "where", 0), ("<|mt_0345|>", "shape", 0)]
    assert said("samtok", mask + mask) == codes * 2
    listed = f'[{{"mask_2d": "{mask}", "label": "dog"}}]'
    assert said("samtok:form=json", listed) == [*codes, ("dog", "label", 0)]
    quoted = f'[{{"mask_2d": "{mask}", "label": "a \\"b\\" \\\\"}}]'
    assert said("samtok:form=json", quoted) == [*codes, ('a \\"b\\" \\\\', "label", 0)]
    unnamed = f'[{{"mask_2d": "{mask}", "label": ""}}]'
    assert said("samtok:form=json", unnamed) == codes


def test_paligemma_says_where_by_its_box() -> None:
    box = "<loc0103><loc0250><loc0388><loc0771>"
    text = f"{box}<seg114><seg074> white horse ; {box}<seg001> dog"
    where = [
        (f"<loc{edge}>", "where", k) for k, edge in enumerate(("0103", "0250", "0388", "0771"))
    ]
    assert said("paligemma", text) == [
        *where,
        ("<seg114>", "shape", 0),
        ("<seg074>", "shape", 1),
        ("white horse", "label", 0),
        *where,
        ("<seg001>", "shape", 0),
        ("dog", "label", 0),
    ]
    json = '[{"box_2d": [1, 2, 3, 4], "mask": "<start_of_mask><seg_5>", "label": "dog"}]'
    kinds = [kind for _, kind, _ in said("paligemma:form=gemini", json)]
    assert kinds == ["where"] * 4 + ["shape", "label"]

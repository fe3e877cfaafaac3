"""`maskcodec.json`: what is written is read, and what is damaged is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import MaskCodecError, RecordError, get_codec
from maskcodec.adapter_card import FIELDS, NAME, AdapterCard, read_adapter_card

CARD = AdapterCard(
    get_codec("boxgrid:rows=8").spec,
    tokens=("<|b_0000|>", "<|m_0001|>"),
    base_model="tiny",
    versions={"torch": "2"},
    loss={"where_weight": 4.0},
    seed=3,
    figures={"giou": 0.5},
)


def test_a_card_comes_back(tmp_path: Path) -> None:
    assert CARD.write(tmp_path) == tmp_path / NAME
    assert read_adapter_card(tmp_path) == CARD
    assert read_adapter_card(tmp_path / NAME) == CARD
    assert json.loads((tmp_path / NAME).read_bytes())["schema"] == 1


def test_a_short_card_has_defaults(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"spec": "boxgrid"}')
    assert read_adapter_card(tmp_path) == AdapterCard(get_codec("boxgrid").spec)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "'spec': is missing"),
        ({"spec": "boxgird"}, "boxgrid"),
        ({"spec": 3}, "expected a string"),
        ({"spec": "boxgrid", "schema": 2}, "schema"),
        ({"spec": "boxgrid", "form": "xml"}, "bare, tagged"),
        ({"spec": "boxgrid", "tokens": [1]}, "tokens"),
        ({"spec": "boxgrid", "loss": []}, "expected an object"),
        ([], "expected an object"),
    ],
)
def test_damaged_cards_are_refused(tmp_path: Path, fields: Any, reason: str) -> None:
    (tmp_path / NAME).write_text(json.dumps(fields))
    with pytest.raises(RecordError, match=reason) as caught:
        read_adapter_card(tmp_path)
    assert NAME in str(caught.value)


def test_no_card(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no folder of an adapter"):
        read_adapter_card(tmp_path)


@given(value=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from((*FIELDS, "schema")), inner),
))  # fmt: skip
def test_any_json_is_a_card_or_refused(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    path = tmp_path_factory.mktemp("card") / NAME
    path.write_text(json.dumps(value))
    try:
        card = read_adapter_card(path)
    except RecordError:
        return
    assert get_codec(card.spec).spec == card.spec


def test_another_spec_is_refused() -> None:
    CARD.check_spec("boxgrid:rows=8", "--spec")
    with pytest.raises(MaskCodecError, match=r"boxgrid:rows=8.*--spec says boxgrid:rows=24"):
        CARD.check_spec("boxgrid", "--spec")

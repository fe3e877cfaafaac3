"""Texts and geometry of `shapetokens`, for the tests of its text and of its token ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from strategies import LABELS

from maskcodec import get_codec
from maskcodec.dialects.shapetokens import ShapeTokensCodec
from maskcodec.geometry.tokens import ShapeTokens

BOX = "<|b_0103|><|b_0250|><|b_0388|><|b_0771|>"
SHAPE = f"{BOX}<|m_0012|><|m_0993|><|m_0005|>"
TEXT = f"dog: {SHAPE}\ntwo words: none"

SPECS = (
    "shapetokens:tokens=3",
    "shapetokens:tokens=3,ids=per_stage",
    "shapetokens:tokens=3,spelling=words",
    "shapetokens:tokens=3,spelling=unused",
    "shapetokens:tokens=3,spelling=digits",
    "shapetokens:tokens=5,iou=0.9",
    "shapetokens:tokens=5,iou=0.9,ids=per_stage",
    "shapetokens:tokens=5,iou=0.9,spelling=words",
    "shapetokens:tokens=1",
    "shapetokens:tokens=16",
)
every_spec = pytest.mark.parametrize("spec", SPECS)


def codec_of(spec: str) -> ShapeTokensCodec:
    codec = get_codec(spec)
    assert isinstance(codec, ShapeTokensCodec)
    return codec


CODEC = codec_of("shapetokens:tokens=3")


def made(
    codec: ShapeTokensCodec, objects: list[tuple[str, list[int], list[int]]], bins: int = 1023
) -> ShapeTokens:
    """Geometry of objects given as label, box and codes."""
    return ShapeTokens(
        codec.family,
        bins,
        tuple(label for label, _, _ in objects),
        np.array([box for _, box, _ in objects], np.int32).reshape(-1, 4),
        np.array([len(codes) for _, _, codes in objects], np.int32),
        np.array([code for _, _, codes in objects for code in codes], np.int32),
    )


@st.composite
def geometries(draw: st.DrawFn, codec: ShapeTokensCodec) -> ShapeTokens:
    """Objects as the encoder makes them, empty ones too."""
    number = st.integers(0, 1023)
    objects: list[tuple[str, list[int], list[int]]] = []
    for label in draw(st.lists(st.sampled_from(LABELS), max_size=3)):
        if draw(st.integers(0, 5)) == 0:
            objects.append((label, [0, 0, 0, 0], []))
            continue
        count = draw(st.integers(codec.fewest, codec.tokens))
        x, y = (sorted(draw(st.tuples(number, number))) for _ in range(2))
        codes = draw(st.lists(number, min_size=count, max_size=count))
        objects.append((label, [x[0], y[0], x[1], y[1]], codes))
    return made(codec, objects)


def listed(geometry: ShapeTokens) -> list[tuple[str, list[int], list[int]]]:
    """Objects as label, box and codes."""
    boxes = geometry.boxes.tolist()
    return [
        (label, boxes[index], geometry.codes_of(index).tolist())
        for index, label in enumerate(geometry.labels)
    ]


def read(text: str, codec: ShapeTokensCodec = CODEC) -> list[tuple[str, list[int], list[int]]]:
    return listed(codec.parse(text, errors="repair")[0])


def kinds(text: str, codec: ShapeTokensCodec = CODEC) -> list[str]:
    return [repair.kind for repair in codec.parse(text, errors="repair")[1]]

"""`samtok`: two codes as tokens and in JSON; pixels are refused with what they would need."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import DecodeError, EncodeError, Mask, MaskCodecError, get_codec, transcode
from maskcodec.geometry.tokens import ShapeTokens

CODEC = get_codec("samtok")
JSON = get_codec("samtok:form=json")
BIRD = "<|mt_start|><|mt_0017|><|mt_0322|><|mt_end|>"
DOG = "<|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>"
LIST = f'[{{"mask_2d": "{BIRD}", "label": "bird"}}, {{"mask_2d": "{DOG}", "label": "a dog"}}]'

labels = st.text(max_size=12).map(
    lambda text: " ".join("".join(c if c.isprintable() else " " for c in text).split())
)


def geometry(masks: list[tuple[int, int]], names: list[str] | None = None) -> ShapeTokens:
    return ShapeTokens(
        "samtok",
        0,
        tuple(names or [""] * len(masks)),
        np.zeros((len(masks), 4), np.int32),
        np.full(len(masks), 2, np.int32),
        np.array(masks, np.int32).reshape(-1),
    )


def read(text: str, codec: object = CODEC) -> tuple[list[list[int]], list[str]]:
    found, repairs = codec.parse(text, errors="repair")  # type: ignore[attr-defined]
    codes = [found.codes_of(index).tolist() for index in range(len(found.labels))]
    return codes, [repair.kind for repair in repairs]


def test_a_published_span() -> None:
    found, repairs = CODEC.parse(BIRD)
    assert (found.codes.tolist(), repairs) == ([17, 322], [])
    assert CODEC.write(found) == BIRD


codes = st.lists(st.tuples(st.integers(0, 255), st.integers(256, 511)), max_size=5)


@given(codes)
def test_any_codes_come_back(masks: list[tuple[int, int]]) -> None:
    text = CODEC.write(geometry(masks))
    found, _ = CODEC.parse(text)
    assert found.codes.reshape(-1, 2).tolist() == [list(mask) for mask in masks]
    assert CODEC.write(found) == text


@given(st.lists(st.tuples(st.tuples(st.integers(0, 255), st.integers(256, 511)), labels)))
def test_json_comes_back_and_is_json(objects: list[tuple[tuple[int, int], str]]) -> None:
    text = JSON.write(geometry([pair for pair, _ in objects], [name for _, name in objects]))
    found, _ = JSON.parse(text)
    assert found.labels == tuple(name for _, name in objects)
    assert found.codes.reshape(-1, 2).tolist() == [list(pair) for pair, _ in objects]
    assert JSON.write(found) == text
    assert [item["label"] for item in json.loads(text)] == [name for _, name in objects]


@pytest.mark.parametrize(
    ("text", "codes", "kinds"),
    [
        ("<|mt_start|><|mt_0017|><|mt_end|>", [[17]], ["too-few-codes"]),
        ("<|mt_start|><|mt_0017|><|mt_9999|><|mt_end|>", [[17]], ["code-range"]),
        ("<|mt_start|><|mt_0017|><|mt_0066|><|mt_end|>", [[17]], ["code-range"]),
        ("<|mt_start|><|mt_0322|><|mt_0017|><|mt_end|>", [[]], ["code-range"]),
        ("<|mt_start|><|mt_17|><|mt_322|><|mt_end|>", [[17, 322]], ["spelling"]),
        (BIRD.replace("<|mt_end|>", "<|mt_0017|><|mt_end|>"), [[17, 322]], ["too-many-codes"]),
        (BIRD[:-5], [[17, 322]], ["cut-token", "missing-end"]),
        (LIST, [[17, 322], [230, 345]], ["words", "words", "words"]),
    ],
)
def test_repairs(text: str, codes: list[list[int]], kinds: list[str]) -> None:
    assert read(text) == (codes, kinds)
    with pytest.raises(DecodeError):
        CODEC.parse(text)


@pytest.mark.parametrize(
    ("text", "names", "kinds"),
    [
        (f"```json\n{LIST}\n```", ("bird", "a dog"), ["json"]),
        (json.dumps(json.loads(LIST), indent=2), ("bird", "a dog"), ["json"]),
        (json.dumps(json.loads(LIST), separators=(",", ":")), ("bird", "a dog"), ["json"]),
        (LIST[:-1], ("bird", "a dog"), ["json"]),
        (LIST[:-3], ("bird", "a dog"), ["json"]),
        (LIST[:-4], ("bird", "a do"), ["json"]),
        (LIST[:-12], ("bird", ""), ["json"]),
        (LIST.replace("a dog", "a \\u0064og"), ("bird", "a dog"), ["json"]),
        (LIST.replace("a dog", "a\\ndog"), ("bird", "a dog"), ["json"]),
        (LIST.replace("a dog", " dog"), ("bird", "dog"), ["json"]),
        (LIST.replace("}, {", ", "), ("bird", "a dog"), ["json"]),
        (LIST.replace("mask_2d", "mask"), ("bird", "a dog"), ["json"]),
        (LIST.replace(', "label": "bird"', ""), ("", "a dog"), ["json"]),
        (BIRD + DOG, ("", ""), ["json"]),
        ("", (), ["json"]),
        ("[", (), ["json"]),
        ("none", (), ["json"]),
        ("[{}]", (), ["json"]),
        ('[{"label": "bird"}]', ("bird",), ["json", "too-few-codes"]),
    ],
)
def test_json_that_is_not_to_the_letter(
    text: str, names: tuple[str, ...], kinds: list[str]
) -> None:
    found, repairs = JSON.parse(text, errors="repair")
    assert found.labels == names
    assert [repair.kind for repair in repairs] == kinds
    with pytest.raises(DecodeError):
        JSON.parse(text)


@pytest.mark.parametrize("text", ["none", "", LIST, BIRD])
def test_cuts_keep_what_was_complete(text: str) -> None:
    for codec in (CODEC, JSON):
        for cut in range(len(text)):
            masks, kinds = read(text[:cut], codec)
            ends = [text.find("|><|mt_end", at) + 2 for at in (0, text.find("}"))]
            for mask, end, code in zip(masks, ends, ([17, 322], [230, 345]), strict=False):
                if cut >= end > 1:
                    assert mask == code
            assert kinds or codec.parse(text[:cut])


@pytest.mark.parametrize("label", ["a\u3000b", "a\xa0b", "a  b", 'say "a  b"', "a\\  b"])
def test_a_whole_label_of_a_cut_text_stays_as_it_is(label: str) -> None:
    dog = f'[{{"mask_2d": "{DOG}", "label": {json.dumps(label, ensure_ascii=False)}}}'
    geometry, _ = JSON.parse(dog + ', {"mask_2d": "<|mt_st', errors="repair")
    assert geometry.labels[0] == label


def test_labels_stand_in_json_alone() -> None:
    named = geometry([(17, 322)], ["bird"])
    assert CODEC.write(named) == BIRD
    assert not CODEC.adopts(named)
    assert JSON.adopts(named)
    assert JSON.write(geometry([])) == "[]"
    assert transcode(LIST, JSON, JSON, (9, 9))[0] == LIST
    with pytest.raises(EncodeError, match="control character"):
        JSON.write(geometry([(17, 322)], ["a\nb"]))


def test_what_can_not_be_written() -> None:
    with pytest.raises(EncodeError, match="object 0 has 256 as code 1, expected 0 to 255"):
        CODEC.write(geometry([(256, 256)]))
    with pytest.raises(EncodeError, match="object 0 has 17 as code 2, expected 256 to 511"):
        CODEC.write(geometry([(17, 17)]))


def test_pixels_need_what_is_not_here() -> None:
    with pytest.raises(MaskCodecError, match=r"needs SAM 2 .* the image.*parse\(\)"):
        CODEC.decode(BIRD, (8, 8))
    with pytest.raises(MaskCodecError, match=r"needs SAM 2 .*write\(\)"):
        JSON.encode([Mask(np.eye(8, dtype=np.bool_), "a")], (8, 8))
    assert JSON.decode("[]", (8, 8)).pixels.shape == (0, 8, 8)


def test_vocabulary() -> None:
    tokens = CODEC.vocab().tokens
    assert tokens[:3] == ("<|mt_start|>", "<|mt_end|>", "<|mt_0000|>")
    assert tokens[-1] == "<|mt_0511|>"
    assert len(set(tokens)) == 514

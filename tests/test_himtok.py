"""`himtok`: the text to the letter, what repair makes of others, and pixels by a small network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import (
    DecodeError,
    EncodeError,
    Mask,
    MaskCodecError,
    SpecError,
    get_codec,
    transcode,
)
from maskcodec.dialects.himtok import HiMTokCodec
from maskcodec.geometry.tokens import ShapeTokens

CODEC = get_codec("himtok")
CODES = [(31 * place) % 1024 for place in range(32)]
BODY = "".join(f"<|mt_{code}|>" for code in CODES)
TEXT = f"<|mt_start|>{BODY}<|mt_end|>"


def geometry(masks: list[list[int]], family: str = "himtok") -> ShapeTokens:
    codes = [code for mask in masks for code in mask]
    return ShapeTokens(
        family,
        0,
        ("",) * len(masks),
        np.zeros((len(masks), 4), np.int32),
        np.array([len(mask) for mask in masks], np.int32),
        np.array(codes, np.int32),
    )


def read(text: str, codec: Any = CODEC) -> tuple[list[list[int]], list[str]]:
    """Codes and kinds of repair."""
    found, repairs = codec.parse(text, errors="repair")
    codes = [found.codes_of(index).tolist() for index in range(len(found.labels))]
    return codes, [repair.kind for repair in repairs]


def test_the_published_template() -> None:
    """The example of the authors' repository, whose codes are all 0, stands in a sentence."""
    span = "<|mt_start|>" + "<|mt_0|>" * 32 + "<|mt_end|>"
    assert CODEC.parse(span)[0].codes.tolist() == [0] * 32
    assert read(f"The mask appears at {span}.") == ([[0] * 32], ["words", "words"])
    assert CODEC.write(geometry([[0] * 32])) == span


def test_text_and_codes() -> None:
    assert CODEC.write(geometry([CODES])) == TEXT
    assert CODEC.write(geometry([])) == "none"
    found, repairs = CODEC.parse(TEXT + TEXT)
    assert repairs == []
    assert found.family == "himtok"
    assert found.bins == 0
    assert found.labels == ("", "")
    assert found.counts.tolist() == [32, 32]
    assert found.codes.tolist() == CODES * 2


@given(st.lists(st.lists(st.integers(0, 1023), min_size=32, max_size=32), max_size=4))
def test_any_codes_come_back(masks: list[list[int]]) -> None:
    text = CODEC.write(geometry(masks))
    found, _ = CODEC.parse(text)
    assert [found.codes_of(index).tolist() for index in range(len(masks))] == masks
    assert CODEC.write(found) == text


@pytest.mark.parametrize(
    ("text", "codes", "kinds"),
    [
        ("", [], ["no-object"]),
        ("I see no horse.", [], ["words"]),
        ("<|mt_start|><|mt_end|>", [[]], ["too-few-codes"]),
        ("<|mt_start|>", [[]], ["missing-end", "too-few-codes"]),
        (TEXT.replace("<|mt_end|>", ""), [CODES], ["missing-end"]),
        (TEXT.replace("<|mt_start|>", ""), [CODES], ["missing-start"]),
        (TEXT.replace("<|mt_31|>", ""), [[0, *CODES[2:]]], ["too-few-codes"]),
        (TEXT.replace("<|mt_31|>", "<|mt_31|>" * 3), [[0, 31, 31, *CODES[1:30]]],
         ["too-many-codes"]),
        (TEXT.replace("<|mt_31|>", "<|mt_1024|>"), [[0]], ["code-range"]),
        (TEXT.replace("<|mt_31|>", f"<|mt_{'9' * 30}|>"), [[0]], ["code-range"]),
        (TEXT.replace("<|mt_31|>", "<|mt_0031|>"), [CODES], ["spelling"]),
        (TEXT.replace("<|mt_31|>", "<TOK_31>"), [CODES], ["spelling"]),
        (TEXT.replace("<|mt_31|>", " <|mt_31|>"), [CODES], ["space"]),
        (TEXT.replace("<|mt_31|>", "<loc0031>"), [[0, *CODES[2:]]], ["words", "too-few-codes"]),
        (TEXT.replace("<|mt_31|>", "<|mt_-31|>"), [[0, *CODES[2:]]], ["words", "too-few-codes"]),
        (TEXT.replace("|mt_s", "|MT_s"), [CODES], ["spelling"]),
        (TEXT + "\n", [CODES], ["space"]),
        (TEXT + "<|im_end|>", [CODES], ["words"]),
        (TEXT + "<|mt_end|>", [CODES], ["stray-end"]),
        (TEXT + "<|mt_4", [CODES], ["cut-token"]),
        (TEXT + "<", [CODES], ["cut-token"]),
        ("none" + TEXT, [CODES], ["words"]),
        (TEXT[:-5] + TEXT, [CODES, CODES], ["words", "missing-end"]),
        ("<|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>", [[230, 345]],
         ["spelling", "too-few-codes"]),
        ("<ALTo_Start><TOK_5><ALTo_End>", [[5]],
         ["spelling", "spelling", "spelling", "too-few-codes"]),
    ],
)  # fmt: skip
def test_repairs(text: str, codes: list[list[int]], kinds: list[str]) -> None:
    assert read(text) == (codes, kinds)
    with pytest.raises(DecodeError):
        CODEC.parse(text)


def test_every_cut_keeps_its_codes() -> None:
    whole = TEXT + TEXT
    for cut in range(len(whole)):
        codes, kinds = read(whole[:cut])
        flat = [code for mask in codes for code in mask]
        complete = whole[:cut].count("|>") - whole[:cut].count("_start|>")
        complete -= whole[:cut].count("_end|>")
        assert flat == (CODES * 2)[:complete], cut
        assert kinds or cut == len(TEXT)


@given(st.text(alphabet="<|>mt_0159 seglocTOK", max_size=80))
def test_any_text_is_read(text: str) -> None:
    codes, kinds = read(text)
    assert all(0 <= code <= 1023 for mask in codes for code in mask)
    assert all(len(mask) <= 32 for mask in codes)
    assert kinds or text == "none"


def test_objects_are_bounded() -> None:
    found, repairs = CODEC.parse("<|mt_start|><|mt_end|>" * 10_050, errors="repair")
    assert len(found.labels) == 10_000
    assert len(repairs) == 1_001
    assert len(CODEC.parse(TEXT * 10_000)[0].labels) == 10_000
    with pytest.raises(DecodeError, match="at most 10000 objects"):
        CODEC.parse(TEXT * 10_001)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (geometry([CODES[:31]]), "object 0 has 31 codes, expected 32"),
        (
            geometry([CODES, [*CODES[:31], 1024]]),
            "object 1 has 1024 as code 32, expected 0 to 1023",
        ),
        (geometry([CODES], "samtok"), "the codes are of 'samtok', expected 'himtok'"),
    ],
)
def test_what_can_not_be_written(wrong: ShapeTokens, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        CODEC.write(wrong)


def test_what_is_spelt_as_it_is() -> None:
    assert CODEC.adopts(geometry([CODES]))
    assert not CODEC.adopts(geometry([CODES[:31]]))
    assert not CODEC.adopts(geometry([CODES], "alto"))


def test_vocabulary() -> None:
    tokens = CODEC.vocab().tokens
    assert tokens[:3] == ("<|mt_start|>", "<|mt_end|>", "<|mt_0|>")
    assert tokens[-1] == "<|mt_1023|>"
    assert len(set(tokens)) == 1_026


def test_names_of_weights() -> None:
    assert get_codec("himtok:weights=a/b.npz").spec == "himtok:weights=a/b.npz"
    with pytest.raises(SpecError, match="without white space"):
        HiMTokCodec(weights="a b")


# --- pixels ---


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small network."""
    pytest.importorskip("torch")
    from tiny_networks import write_weights

    monkeypatch.setenv("MASKCODEC_WEIGHTS", str(tmp_path))
    write_weights(tmp_path)
    return tmp_path


def masks(size: tuple[int, int]) -> list[Mask]:
    from tiny_networks import discs

    return [Mask(array, f"disc {index}") for index, array in enumerate(discs(size))]


def test_masks_become_text_and_pixels(weights: Path) -> None:
    import torch

    size = (48, 80)
    text = CODEC.encode(masks(size), size)
    decoded = CODEC.decode(text, size)
    assert decoded.labels == ("", "", "")
    assert decoded.repairs == ()
    planes: Any = decoded.pixels
    assert planes.shape == (3, 48, 80)
    assert 0 < np.count_nonzero(planes) < planes.size
    again = CODEC.decode_batch([text, "none", text], [size, size, (33, 57)])
    assert np.array_equal(again[0].pixels, planes)
    assert again[1].pixels.shape == (0, 48, 80)
    assert again[2].pixels.shape == (3, 33, 57)
    (tensor,) = CODEC.decode_batch([text], [size], device=torch.device("cpu"))
    assert isinstance(tensor.pixels, torch.Tensor)
    assert np.array_equal(tensor.pixels.numpy(), planes)
    assert transcode(text, CODEC, CODEC, size)[0] == text


def test_pixels_are_the_networks_at_the_nearest_pixel(weights: Path) -> None:
    import torch
    from tiny_networks import tiny_himtok

    from maskcodec.resample import paint_nearest

    size = (75, 41)
    drawn = tiny_himtok().decode(torch.tensor([CODES]), torch.tensor([32]))[0] > 0.5
    expected = paint_nearest(drawn.numpy(), size)
    assert np.array_equal(CODEC.decode(TEXT, size).pixels, expected[None])


def test_the_network_sees_the_whole_image(weights: Path) -> None:
    """At the network's own size no pixel is resampled."""
    import torch
    from tiny_networks import tiny_himtok

    array = masks((32, 32))[1]
    codes = tiny_himtok().encode(torch.from_numpy(array.array[None].astype(np.float32)))
    assert CODEC.analyze([array], (32, 32)).codes.tolist() == codes[0].tolist()


def test_fewer_codes_are_a_coarser_mask_and_none_is_empty(weights: Path) -> None:
    import torch
    from tiny_networks import tiny_himtok

    text = TEXT[: TEXT.index("<|mt_279|>")] + "<|mt_start|><|mt_end|>"
    decoded = CODEC.decode(text, (32, 32), errors="repair")
    assert [repair.kind for repair in decoded.repairs] == [
        "missing-end", "too-few-codes", "too-few-codes",
    ]  # fmt: skip
    padded = torch.tensor([CODES[:9] + [0] * 23])
    expected = tiny_himtok().decode(padded, torch.tensor([9]))[0] > 0.5
    assert np.array_equal(decoded.pixels[0], expected.numpy())
    assert not np.asarray(decoded.pixels[1]).any()


def test_an_empty_mask_has_codes(weights: Path) -> None:
    blank = Mask(np.zeros((20, 30), np.bool_), "nothing")
    found = CODEC.analyze([blank], (20, 30))
    assert found.counts.tolist() == [32]
    assert CODEC.parse(CODEC.write(found))[0].codes.tolist() == found.codes.tolist()


def test_equal_codes_are_drawn_once(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskcodec.networks.himtok import HiMTok

    drawn = 0
    decode = HiMTok.decode

    def counting(self: Any, codes: Any, counts: Any) -> Any:
        nonlocal drawn
        drawn += len(codes)
        return decode(self, codes, counts)

    monkeypatch.setattr(HiMTok, "decode", counting)
    CODEC.decode_batch([TEXT * 500, TEXT], [(16, 16)] * 2)
    assert drawn == 1


def test_threads_load_weights_once(weights: Path) -> None:
    size = (32, 32)
    texts = CODEC.encode_batch([masks(size)] * 4, [size] * 4, threads=4)
    assert len(set(texts)) == 1


def test_without_weights_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("MASKCODEC_WEIGHTS", str(tmp_path))
    for work in (
        lambda: CODEC.decode(TEXT, (8, 8)),
        lambda: CODEC.encode([Mask(np.eye(8, dtype=np.bool_))], (8, 8)),
    ):
        with pytest.raises(MaskCodecError, match="`maskcodec convert himtok FILE`") as caught:
            work()
        assert str(tmp_path / "himtok.npz") in str(caught.value)
    assert CODEC.decode("none", (8, 8)).pixels.shape == (0, 8, 8)
    assert CODEC.encode([], (8, 8)) == "none"


def test_without_torch_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MaskCodecError, match=r"needs torch; pip install 'maskcodec\[torch\]'"):
        CODEC.decode(TEXT, (8, 8))
    assert CODEC.parse(TEXT)[0].counts.tolist() == [32]

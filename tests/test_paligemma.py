"""`paligemma`: boxes, codes and labels, also in Gemini's JSON; pixels by a small network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LABELS

from maskcodec import DecodeError, EncodeError, Mask, MaskCodecError, SpecError, get_codec
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.tokens import ShapeTokens

CODEC = get_codec("paligemma")
GEMINI = get_codec("paligemma:form=gemini")
CODES = [7 * place for place in range(16)]
SEGS = "".join(f"<seg{code:03}>" for code in CODES)
LOCS = "<loc0103><loc0250><loc0388><loc0771>"
DOG = f"{LOCS}{SEGS} dog"
BOX = [250, 103, 771, 388]
CUP = (
    '{"box_2d": [332, 634, 396, 680], "mask": "<start_of_mask>'
    + "".join(f"<seg_{code}>" for code in CODES)
    + '", "label": "the cup"}'
)


def geometry(
    boxes: list[list[int]], codes: list[list[int]], names: list[str], bins: int = 1023
) -> ShapeTokens:
    return ShapeTokens(
        "paligemma",
        bins,
        tuple(names),
        np.array(boxes, np.int32).reshape(-1, 4),
        np.array([len(item) for item in codes], np.int32),
        np.array([code for item in codes for code in item], np.int32),
    )


def read(text: str, codec: Any = CODEC) -> tuple[list[Any], list[str]]:
    """(label, box, codes) of each object, and kinds of repair."""
    found, repairs = codec.parse(text, errors="repair")
    objects = [
        (label, found.boxes[index].tolist(), found.codes_of(index).tolist())
        for index, label in enumerate(found.labels)
    ]
    return objects, [repair.kind for repair in repairs]


def test_text_and_geometry() -> None:
    found, repairs = CODEC.parse(f"{DOG} ; {LOCS}{SEGS} a cat")
    assert repairs == []
    assert found.labels == ("dog", "a cat")
    assert found.bins == 1023
    assert found.boxes.tolist() == [BOX, BOX]
    assert found.codes.tolist() == CODES * 2
    assert CODEC.write(found) == f"{DOG} ; {LOCS}{SEGS} a cat"
    assert CODEC.write(geometry([], [], [])) == "none"


def test_published_models_print_a_space_and_the_trainer_no_label() -> None:
    printed = f"{LOCS} {SEGS} wall ; {LOCS} {SEGS} david bowie"
    assert CODEC.parse(printed)[0].labels == ("wall", "david bowie")
    trained = LOCS + SEGS
    found, _ = CODEC.parse(trained)
    assert found.labels == ("",)
    assert CODEC.write(found) == trained


objects = st.lists(
    st.tuples(
        st.lists(st.integers(0, 1000), min_size=4, max_size=4),
        st.lists(st.integers(0, 127), min_size=16, max_size=16),
        st.sampled_from(["", *LABELS]),
    ),
    max_size=4,
)


@given(objects, st.sampled_from(["paligemma", "paligemma:boxes=demo", "paligemma:form=gemini"]))
def test_any_geometry_comes_back(items: list[Any], spec: str) -> None:
    codec = get_codec(spec)
    boxes = [
        [
            *map(min, zip(box[:2], box[2:], strict=True)),
            *map(max, zip(box[:2], box[2:], strict=True)),
        ]
        for box, _, _ in items
    ]
    bins = {"paligemma": 1023, "paligemma:boxes=demo": 1024}.get(spec, 1000)
    given_ = geometry(boxes, [codes for _, codes, _ in items], [name for *_, name in items], bins)
    text = codec.write(given_)
    assert codec.adopts(given_)
    found, _ = codec.parse(text)
    assert found.labels == given_.labels
    assert found.boxes.tolist() == boxes
    assert np.array_equal(found.codes, given_.codes)
    assert codec.write(found) == text
    if bins == 1000:
        assert [item["box_2d"] for item in json.loads(text)] == [
            [top, left, bottom, right] for left, top, right, bottom in boxes
        ]


@pytest.mark.parametrize(
    ("text", "found", "kinds"),
    [
        ("", [], ["object"]),
        ("I see none.", [], ["words"]),
        (f"segment dog\n{DOG}", [("dog", BOX, CODES)], ["words"]),
        (f"{DOG} ;", [("dog", BOX, CODES)], ["object"]),
        (f"{DOG};{DOG}", [("dog", BOX, CODES)] * 2, ["label"]),
        (f"{DOG} {DOG}", [("dog", BOX, CODES)] * 2, ["label"]),
        (f"{DOG}<eos>", [("dog", BOX, CODES)], ["label"]),
        (f"{DOG} <loc01", [("dog", BOX, CODES)], ["cut-token", "label"]),
        (f"{LOCS} dog", [("dog", BOX, [])], ["too-few-codes"]),
        (f"{LOCS}{SEGS[:-8]} dog", [("dog", BOX, CODES[:15])], ["too-few-codes"]),
        (f"{LOCS}{SEGS}<seg005> dog", [("dog", BOX, CODES)], ["too-many-codes"]),
        (f"{DOG}".replace("<seg014>", "<seg128>"), [("dog", BOX, CODES[:2])], ["code-range"]),
        (f"{DOG}".replace("<seg014>", "<seg_14>"), [("dog", BOX, CODES)], ["spelling"]),
        (f"{DOG}".replace("<seg014>", "<seg014> "), [("dog", BOX, CODES)], ["words"]),
        (f"{DOG}".replace("<loc0103>", "<loc_103>"), [("dog", BOX, CODES)], ["spelling"]),
        (f"{DOG}".replace("<loc0771>", "<loc1024>"),
         [("dog", [250, 103, 1023, 388], CODES)], ["box-range"]),
        (f"{DOG}".replace("<loc0103>", ""), [("dog", [0] * 4, CODES)], ["box"]),
        (f"{SEGS} dog", [("dog", [0] * 4, CODES)], ["box"]),
        (f"<loc0388><loc0250><loc0103><loc0771>{SEGS} dog", [("dog", BOX, CODES)],
         ["box-order"]),
        (f"{LOCS}{LOCS}{SEGS} dog", [("", BOX, []), ("dog", BOX, CODES)],
         ["too-few-codes", "label"]),
        (f"{LOCS}  {SEGS} dog", [("dog", BOX, CODES)], ["words"]),
    ],
)  # fmt: skip
def test_repairs(text: str, found: list[Any], kinds: list[str]) -> None:
    assert read(text) == (found, kinds)
    with pytest.raises(DecodeError):
        CODEC.parse(text)


def test_a_published_answer_to_detect() -> None:
    answer = "detect cat <loc0222><loc0113><loc0933><loc0824> cat"
    assert read(answer) == ([("cat", [113, 222, 824, 933], [])], ["words", "too-few-codes"])


def test_every_cut_keeps_its_codes() -> None:
    whole = f"{DOG} ; {DOG}"
    for cut in range(len(whole)):
        found, kinds = read(whole[:cut])
        complete = len(re.findall("<seg[0-9]{3}>", whole[:cut]))
        assert [code for *_, codes in found for code in codes] == (CODES * 2)[:complete]
        assert kinds or CODEC.parse(whole[:cut])
        if cut >= len(DOG):
            assert found[0] == ("dog", BOX, CODES)


@given(st.text(alphabet='<>locseg_0159 ;dog{}"[],:', max_size=120))
def test_any_text_is_read(text: str) -> None:
    for codec in (CODEC, GEMINI):
        found, kinds = read(text, codec)
        for label, (left, top, right, bottom), codes in found:
            assert label == label.strip()
            assert 0 <= left <= right <= 1023
            assert 0 <= top <= bottom <= 1023
            assert len(codes) <= 16
        assert kinds or codec.parse(text)


# --- Gemini ---


def test_gemini() -> None:
    found, repairs = GEMINI.parse(f"[{CUP}, {CUP}]")
    assert repairs == []
    assert found.bins == 1000
    assert found.boxes[0].tolist() == [634, 332, 680, 396]
    assert found.labels == ("the cup",) * 2
    assert GEMINI.write(found) == f"[{CUP}, {CUP}]"
    assert GEMINI.write(geometry([], [], [], 1000)) == "[]"


@pytest.mark.parametrize(
    ("text", "box", "codes", "kinds"),
    [
        (f"```json\n[{CUP}]\n```", [634, 332, 680, 396], CODES, ["json"]),
        (f"[{CUP}", [634, 332, 680, 396], CODES, ["json"]),
        (f"[{CUP[:-40]}", [634, 332, 680, 396], CODES[:13], ["json", "too-few-codes"]),
        (f"[{CUP}]".replace("332, 634", "332,634"), [634, 332, 680, 396], CODES, ["json"]),
        (f"[{CUP}]".replace("332", "396.4").replace(" 396,", " 332,"), [634, 332, 680, 396],
         CODES, ["json", "box-order"]),
        (f"[{CUP}]".replace("332, 634, 396", "396, 634, 332"), [634, 332, 680, 396], CODES,
         ["box-order"]),
        (f"[{CUP}]".replace("680", "1001"), [634, 332, 1000, 396], CODES, ["json", "box-range"]),
        (f"[{CUP}]".replace("332, ", ""), [0] * 4, CODES, ["json", "box"]),
        (f"[{CUP}]".replace("<seg_7>", "<seg007>"), [634, 332, 680, 396], CODES,
         ["json", "spelling"]),
    ],
)  # fmt: skip
def test_repairs_of_gemini(text: str, box: list[int], codes: list[int], kinds: list[str]) -> None:
    found, noted = read(text, GEMINI)
    assert noted == kinds
    assert [item[1:] for item in found] == [(box, codes)]
    with pytest.raises(DecodeError):
        GEMINI.parse(text)


def test_endless_json_is_bounded() -> None:
    for unit in (CUP + ", ", '{"label": "a', '"label": "', '{"box_2d": [', "{", "<seg_1>"):
        found, repairs = GEMINI.parse("[" + unit * (1_000_000 // len(unit)), errors="repair")
        assert len(found.labels) <= 10_000
        assert len(repairs) <= 1_001


# --- options ---


def test_boxes_in_the_bins_of_the_trainer_and_of_the_demo() -> None:
    text = f"<loc0000><loc0512><loc1023><loc1023>{SEGS} dog"
    right_half = {}
    for boxes in ("trainer", "demo"):
        found, _ = get_codec(f"paligemma:boxes={boxes}").parse(text)
        right_half[boxes] = to_pixels(found.boxes, (2048, 2048), found.bins)[0].tolist()
    assert right_half == {"trainer": [1025, 0, 2048, 2048], "demo": [1024, 0, 2046, 2046]}
    assert not CODEC.adopts(get_codec("paligemma:boxes=demo").parse(text)[0])


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(SpecError, match="form=gemini has boxes of its own"):
        get_codec("paligemma:form=gemini,boxes=demo")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (geometry([[5, 0, 4, 9]], [CODES], ["a"]), "object 0 has the box"),
        (geometry([[0, 0, 1024, 9]], [CODES], ["a"]), "within 0..1023"),
        (geometry([BOX], [CODES[:15]], ["a"]), "object 0 has 15 codes, expected 16"),
        (geometry([BOX], [[128] * 16], ["a"]), "has 128 as code 1, expected 0 to 127"),
        (geometry([BOX], [CODES], ["a;b"]), "holds ';'"),
        (geometry([BOX], [CODES], ["a<b"]), "holds '<'"),
        (geometry([BOX], [CODES], ["a"], 1000), "boxes in 0..1000, expected 0..1023"),
    ],
)
def test_what_can_not_be_written(wrong: ShapeTokens, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        CODEC.write(wrong)


def test_vocabulary() -> None:
    tokens = CODEC.vocab().tokens
    assert (tokens[0], tokens[1023], tokens[1024]) == ("<loc0000>", "<loc1023>", "<seg000>")
    assert len(set(tokens)) == 1_152
    assert GEMINI.vocab().tokens[:2] == ("<start_of_mask>", "<seg_0>")


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


@pytest.mark.parametrize("codec", [CODEC, GEMINI, get_codec("paligemma:boxes=demo")], ids=str)
def test_masks_become_text_and_pixels(weights: Path, codec: Any) -> None:
    import torch

    size = (90, 120)
    given_ = masks(size)
    text = codec.encode(given_, size)
    decoded = codec.decode(text, size)
    assert decoded.repairs == ()
    assert decoded.labels == ("disc 0", "disc 1", "disc 2")
    for mask, plane in zip(given_, decoded.masks, strict=True):
        x0, y0, x1, y1 = codec.analyze([mask], size).boxes[0].tolist()
        assert x0 < x1
        assert y0 < y1
        rows, columns = np.flatnonzero(mask.array.any(1)), np.flatnonzero(mask.array.any(0))
        outside = plane.array.copy()
        outside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = False
        assert not outside.any()
    (tensor,) = codec.decode_batch([text], [size], device=torch.device("cpu"))
    assert isinstance(tensor.pixels, torch.Tensor)
    assert np.array_equal(tensor.pixels.numpy(), decoded.pixels)


def test_pixels_are_the_networks_stretched_to_the_box(weights: Path) -> None:
    import torch
    from PIL import Image
    from tiny_networks import tiny_paligemma

    size = (600, 800)
    field = tiny_paligemma().decode(torch.tensor([CODES]), torch.tensor([16]))[0]
    x0, y0, x1, y1 = to_pixels(np.array([BOX], np.int32), size, 1023)[0].tolist()
    grown = Image.fromarray(field.numpy()).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR)
    expected = np.zeros(size, np.bool_)
    expected[y0:y1, x0:x1] = np.asarray(grown) > 0
    drawn = np.asarray(CODEC.decode(DOG, size).pixels[0])
    assert expected.any()
    assert np.count_nonzero(drawn != expected) <= 3  # where rounding decides


def test_the_network_sees_the_box_with_antialiasing(weights: Path) -> None:
    import torch
    from PIL import Image
    from tiny_networks import tiny_paligemma

    mask = masks((300, 400))[1]
    rows, columns = np.flatnonzero(mask.array.any(1)), np.flatnonzero(mask.array.any(0))
    crop = mask.array[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    small = Image.fromarray(crop).resize((64, 64), Image.Resampling.BILINEAR)
    codes = tiny_paligemma().encode(torch.from_numpy(np.array(small))[None])[0]
    assert CODEC.analyze([mask], (300, 400)).codes.tolist() == codes.tolist()


def test_an_empty_mask_has_a_box_without_area(weights: Path) -> None:
    blank = Mask(np.zeros((20, 30), np.bool_), "nothing")
    text = CODEC.encode([blank], (20, 30))
    assert text.startswith("<loc0000>" * 4 + "<seg")
    decoded = CODEC.decode(text, (20, 30))
    assert decoded.labels == ("nothing",)
    assert not np.asarray(decoded.pixels).any()


def test_a_box_at_the_far_edge_keeps_an_area(weights: Path) -> None:
    dot = np.zeros((3000, 3000), np.bool_)
    dot[-1, -1] = True
    found = get_codec("paligemma:boxes=demo").analyze([Mask(dot, "dot")], (3000, 3000))
    assert found.boxes.tolist() == [[1022, 1022, 1023, 1023]]


def test_missing_codes_take_the_mean(weights: Path) -> None:
    import torch
    from tiny_networks import tiny_paligemma

    size = (64, 64)
    text = f"<loc0000><loc0000><loc1023><loc1023>{SEGS[: 8 * 6]} dog"
    decoded = CODEC.decode(text, size, errors="repair")
    padded = torch.tensor([CODES[:6] + [0] * 10])
    field = tiny_paligemma().decode(padded, torch.tensor([6]))[0]
    assert np.array_equal(decoded.pixels[0], field.numpy() > 0)
    assert not np.asarray(CODEC.decode(f"{LOCS} dog", size, errors="repair").pixels).any()


def test_large_boxes_are_stretched_in_parts(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = CODEC.decode(DOG, (600, 800)).pixels
    monkeypatch.setattr("maskcodec.networks.paligemma_masks.ROWS", 5_000)
    assert np.count_nonzero(np.asarray(CODEC.decode(DOG, (600, 800)).pixels != whole)) <= 3


def test_without_weights_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("MASKCODEC_WEIGHTS", str(tmp_path))
    with pytest.raises(MaskCodecError, match="`maskcodec convert paligemma FILE`"):
        CODEC.decode(DOG, (8, 8))
    assert CODEC.encode([], (8, 8)) == "none"

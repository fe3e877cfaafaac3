"""The laws of `maskcodec.codec.Codec`, held against every codec in `cases.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from hypothesis import given
from hypothesis import strategies as st
from strategies import LABELS, damaged, mask_lists

from maskcodec import Codec, DecodeError, EncodeError, Mask, get_codec, list_codecs, planes
from maskcodec.registry import codec_class

GOLDEN = Path(__file__).parent / "golden" / "contract.json"

every_case = pytest.mark.parametrize("case", CASES, ids=str)


def photo_masks(size: tuple[int, int] = (96, 128)) -> list[Mask]:
    """Three objects that do not touch, one of them in two parts with a hole."""
    y, x = np.mgrid[: size[0], : size[1]]
    ring = (abs(np.hypot(y - 30, x - 30) - 17) < 8) | (np.hypot(y - 70, x - 22) < 9)
    return [
        Mask(ring, "dog"),
        Mask(np.hypot((y - 40) / 1.6, x - 90) < 18, "white horse"),
        Mask((y > 80) & (x > 60) & (y + x < 200), "naïve café"),
    ]


def exact_masks(size: tuple[int, int]) -> list[Mask]:
    """Rectangles on a coarse lattice: every codec with a domain of law 2 holds them exactly."""
    array = np.zeros(size, dtype=np.bool_)
    array[size[0] // 4 : size[0] // 2, size[1] // 4 : 3 * size[1] // 4] = True
    other = np.zeros(size, dtype=np.bool_)
    other[size[0] // 2 :, : size[1] // 2] = True
    return [Mask(array, "dog"), Mask(other, "tv")]


def same(a: Any, b: Any) -> bool:
    """Whether two results hold the same labels and the same pixels."""
    return a.labels == b.labels and np.array_equal(np.asarray(a.pixels), np.asarray(b.pixels))


def test_every_codec_of_the_package_has_a_case() -> None:
    modules = {name: codec_class(name).__module__ for name in list_codecs()}
    own = {name for name, module in modules.items() if module.startswith("maskcodec.")}
    assert own
    assert own <= {case.codec.name for case in CASES}


# Law 1


@every_case
def test_spec_is_canonical(case: Case) -> None:
    codec = case.codec
    again = get_codec(codec.spec)
    assert again == codec
    assert again.spec == codec.spec
    assert again.spec.startswith(case.spec.partition(":")[0])


# Law 2


@every_case
@given(data=st.data())
def test_encoding_what_was_decoded_changes_nothing(case: Case, data: st.DataObject) -> None:
    codec = case.codec
    masks, size = data.draw(mask_lists())
    if codec.is_exact(masks, size):
        text = codec.encode(masks, size)
        assert codec.encode(codec.decode(text, size).masks, size) == text


@every_case
def test_the_domain_of_exactness_is_not_empty(case: Case) -> None:
    size = (96, 192)
    masks = exact_masks(size)
    assert case.codec.is_exact(masks, size) == case.exact
    if case.exact:
        text = case.codec.encode(masks, size)
        assert case.codec.encode(case.codec.decode(text, size).masks, size) == text


@every_case
def test_decoded_masks_resemble_the_encoded_ones(case: Case) -> None:
    if not case.pixels:
        pytest.skip("its network has no weights here")
    masks = photo_masks()
    decoded = case.codec.decode(case.codec.encode(masks, (96, 128)), (96, 128))
    assert decoded.repairs == ()
    assert sorted(decoded.labels) == sorted(case.label(mask.label) for mask in masks)
    by_label = {mask.label: mask.array for mask in decoded.masks}
    for mask, found in zip(masks, decoded.masks, strict=True):
        array = by_label[mask.label] if case.labels else found.array
        both = np.count_nonzero(mask.array & array)
        either = np.count_nonzero(mask.array | array)
        assert both / either > 0.6, mask.label


@every_case
def test_no_object_is_an_answer(case: Case) -> None:
    text = case.codec.encode([], (48, 64))
    assert text
    assert case.codec.decode(text, (48, 64)).masks == []


@every_case
def test_a_mask_without_pixels(case: Case) -> None:
    masks = [Mask(np.zeros((96, 128), dtype=np.bool_), "dog"), photo_masks()[1]]
    decoded = case.codec.decode(case.codec.encode(masks, (96, 128)), (96, 128))
    if case.keeps_empty:
        assert decoded.labels == (case.label("dog"), case.label("white horse"))
        assert not decoded.masks[0].array.any()
    else:
        assert decoded.labels == (case.label("white horse"),)


# Law 3: grammars are walked token by token in test_contract_grammar.py


@every_case
def test_grammar_is_there(case: Case) -> None:
    grammar = case.codec.grammar(LABELS[:2])
    assert (grammar is not None) == case.grammar
    if grammar is not None:
        assert "root ::=" in grammar


@every_case
def test_strict_refuses_damage_and_says_where(case: Case) -> None:
    text = case.codec.encode(photo_masks(), (96, 128))
    with pytest.raises(DecodeError) as caught:
        case.codec.decode(text + "\x00?", (96, 128))
    assert caught.value.text == text + "\x00?"
    assert 0 <= caught.value.position <= len(text) + 2
    assert caught.value.expected
    assert 'errors="repair"' in str(caught.value)


# Law 4


@every_case
@given(data=st.data())
def test_any_text_decodes_under_repair(case: Case, data: st.DataObject) -> None:
    codec = case.codec
    masks, size = data.draw(mask_lists(40))
    text = data.draw(st.one_of(st.text(max_size=200), damaged(codec.encode(masks, size))))
    decoded = codec.decode(text, size, errors="repair")
    assert decoded.pixels.shape == (len(decoded.labels), *size)
    assert decoded.pixels.dtype == np.bool_
    assert all(0 <= repair.position <= len(text) for repair in decoded.repairs)
    try:
        strict = codec.decode(text, size)
    except DecodeError:
        assert decoded.repairs, "strict refuses the text but repair lists nothing"
    else:
        assert decoded.repairs == ()
        assert same(strict, decoded)


@every_case
def test_a_cut_text_keeps_what_was_complete(case: Case) -> None:
    codec, masks, size = case.codec, photo_masks(), (96, 128)
    whole = codec.encode(masks, size)
    target: Any = codec.decode(whole, size).pixels
    ends = [len(codec.encode(masks[:count], size)) for count in range(1, len(masks) + 1)]
    for cut in range(len(whole)):
        decoded = codec.decode(whole[:cut], size, errors="repair")
        planes: Any = decoded.pixels
        if case.cut == "object":
            complete = sum(end <= cut for end in ends)
            assert np.array_equal(planes[:complete], target[:complete]), cut
            kept = tuple(case.label(mask.label) for mask in masks[:complete])
            assert decoded.labels[:complete] == kept
        elif case.cut == "row":
            # Where rows are interpolated, the last complete one still depends on the next.
            lines = whole[:cut].count("\n") - (not case.exact)
            rows = max(0, size[0] * lines // whole.count("\n"))
            assert np.array_equal(planes.any(axis=0)[:rows], target.any(axis=0)[:rows]), cut


@every_case
@pytest.mark.parametrize(
    "unit", ["0", "9", " ", "\n", "a", "dog ", "1 ", "none", "<", "*", "| ", "é"]
)
def test_long_nonsense_is_read_in_bounded_time(case: Case, unit: str) -> None:
    decoded = case.codec.decode(unit * (1_000_000 // len(unit)), (64, 64), errors="repair")
    assert decoded.pixels.shape[1:] == (64, 64)
    assert len(decoded.repairs) <= 1_001


@every_case
def test_many_objects_are_bounded(case: Case) -> None:
    text = case.codec.encode(photo_masks(), (96, 128))
    for joint, times in (("\n", 4_000), (" ", 500), ("", 500)):
        decoded = case.codec.decode(joint.join([text] * times), (16, 16), errors="repair")
        assert len(decoded.labels) <= 10_000


@every_case
def test_pixels_of_one_text_are_bounded(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    text = case.codec.encode(photo_masks(), (96, 128))
    monkeypatch.setattr("maskcodec.codec.MAX_OUTPUT", 2 * 480 * 640 + 1)
    decoded = case.codec.decode(text, (480, 640), errors="repair")
    assert decoded.pixels.shape == (2, 480, 640)
    assert decoded.labels == case.codec.decode(text, (96, 128)).labels[:2]
    assert decoded.repairs[-1].kind == "too-many-objects"
    with pytest.raises(DecodeError, match="at most 2 masks of 480x640"):
        case.codec.decode(text, (480, 640))


def test_as_many_pixels_as_there_may_be_are_no_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = get_codec("coco_rle")
    text = codec.encode(photo_masks(), (96, 128))
    count = len(codec.decode(text, (96, 128)).labels)
    monkeypatch.setattr("maskcodec.codec.MAX_OUTPUT", count * 96 * 128)
    assert len(codec.decode(text, (96, 128)).labels) == count


# Law 5


@every_case
def test_golden_texts_do_not_change(case: Case) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert case.codec.spec in golden, f"add {case.codec.spec} with tests/golden/record.py"
    assert case.codec.encode(photo_masks(), (96, 128)) == golden[case.codec.spec]


@every_case
@given(batch=st.lists(mask_lists(48), min_size=1, max_size=4))
def test_batch_equals_one_by_one(
    case: Case, batch: list[tuple[list[Mask], tuple[int, int]]]
) -> None:
    codec = case.codec
    lists, sizes = [masks for masks, _ in batch], [size for _, size in batch]
    texts = codec.encode_batch(lists, sizes, threads=2)
    assert texts == [codec.encode(masks, size) for masks, size in batch]
    alone = [codec.decode(text, size) for text, size in zip(texts, sizes, strict=True)]
    for most in (planes.ALONE, -1):  # a batch as small as this is painted by one thread, or by all
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(planes, "ALONE", most)
            together = codec.decode_batch(texts, sizes)
        assert all(same(one, many) for one, many in zip(alone, together, strict=True))


@every_case
@given(batch=st.lists(mask_lists(48), min_size=1, max_size=4), target=st.none() | st.just((33, 57)))
def test_torch_equals_numpy(
    case: Case,
    batch: list[tuple[list[Mask], tuple[int, int]]],
    target: tuple[int, int] | None,
) -> None:
    torch = pytest.importorskip("torch")
    codec = case.codec
    texts = [codec.encode(masks, size) for masks, size in batch]
    sizes = [target or size for _, size in batch]
    for numpy, tensor in zip(
        codec.decode_batch(texts, sizes),
        codec.decode_batch(texts, sizes, device=torch.device("cpu")),
        strict=True,
    ):
        assert isinstance(tensor.pixels, torch.Tensor)
        assert tensor.pixels.dtype == torch.bool
        assert same(numpy, tensor)


@pytest.mark.gpu
@every_case
def test_gpu_equals_numpy(case: Case) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    texts = [case.codec.encode(photo_masks(), (96, 128))] * 5
    sizes = [(96, 128), (480, 640), (97, 31), (480, 640), (1080, 1920)]
    for numpy, tensor in zip(
        case.codec.decode_batch(texts, sizes),
        case.codec.decode_batch(texts, sizes, device="cuda"),
        strict=True,
    ):
        assert isinstance(tensor.pixels, torch.Tensor)
        assert tensor.pixels.is_cuda
        assert np.array_equal(numpy.pixels, tensor.pixels.cpu().numpy())


# Arguments


@every_case
@pytest.mark.parametrize("text", [None, b"none", 3, ["none"]])
def test_a_text_is_a_string(case: Case, text: Any) -> None:
    for errors in ("strict", "repair"):
        with pytest.raises(DecodeError, match=f"the text is {type(text).__name__}, expected str"):
            case.codec.parse(text, errors=errors)


@every_case
@pytest.mark.parametrize(
    ("labels", "message"),
    [("dog", r"is the string 'dog', expected a list"), (["dog", 3], r"labels\[1\] is 3, expected")],
)
def test_labels_of_a_grammar_are_a_list_of_strings(case: Case, labels: Any, message: str) -> None:
    with pytest.raises(EncodeError, match=message):
        case.codec.grammar(labels)


@every_case
@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x85", "\u2028", "\ud800"])
def test_labels_that_were_read_can_be_written(case: Case, character: str) -> None:
    if not case.labels:
        pytest.skip("its texts hold no labels")
    codec: Codec[Any] = case.codec
    text = codec.encode(photo_masks()[1:2], (96, 128))
    text = text.replace("white horse", f"white{character}horse")
    with pytest.raises(DecodeError):
        codec.parse(text)
    for broken in (text, text + "?", text[:-1]):
        for label in filter(None, codec.parse(broken, errors="repair")[0].labels):
            codec.encode([Mask(photo_masks()[1].array, label)], (96, 128))


@every_case
def test_labels_of_a_grammar_may_come_from_a_generator(case: Case) -> None:
    listed: Any = (label for label in LABELS[:2])
    assert case.codec.grammar(listed) == case.codec.grammar(LABELS[:2])


@every_case
@pytest.mark.parametrize(
    "label", ["", " dog", "dog ", "a\nb", "a\x00b", "\ud800", "a\tb", "a\u2028b"]
)
def test_labels_that_no_line_can_hold(case: Case, label: str) -> None:
    if not case.labels:
        pytest.skip("its texts hold no labels")
    codec: Codec[Any] = case.codec
    mask = Mask(photo_masks()[0].array, label)
    refusal, text = "", ""
    try:
        text = codec.encode([mask], (96, 128))
    except EncodeError as error:
        refusal = str(error)
    # An option that escapes labels carries it instead.
    carried = bool(text) and codec.decode(text, (96, 128)).labels == (label,)
    assert carried or repr(label) in refusal

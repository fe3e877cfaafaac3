"""Constrained decoding: what a random model prints is in the format, whatever the format."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from lora_adapters import QUIET
from PIL import Image
from tiny_models import FAMILIES, tiny_model
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from maskcodec import EncodeError, Mask, MaskCodecError, get_codec, hf
from maskcodec.chat import CLOSE, OPEN, read_answer
from maskcodec.generation import Segmenter
from maskcodec.logit_rows import GrammarRows
from maskcodec.prompts import end_ids, model_inputs

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SIZE = (40, 60)
LABELS = ["dog", "white cat"]


def ask(
    family: str,
    spec: str,
    labels: list[str] | None,
    questions: tuple[str, ...] | list[str] = ("dog?", "Where is the dog now?"),
    **options: Any,
) -> tuple[list[str], Any]:
    """Answers of a random model, drawn at random, and the codec."""
    codec = get_codec(spec)
    model, processor = tiny_model(family)
    hf.add_tokens(processor, model, codec)
    image = Image.fromarray(np.zeros((*SIZE, 3), np.uint8))
    chats = [[{"role": "user", "content": text}] for text in questions]
    inputs = model_inputs(processor, chats, [[image]] * len(chats))
    pair = model.config.is_encoder_decoder
    start = 1 if pair else inputs["input_ids"].shape[1]
    ends = end_ids(model, processor)
    rule = hf.logits_processor(codec, processor, labels=labels, prompt_length=start, ends=ends)
    torch.manual_seed(0)
    options = {"do_sample": True, "max_new_tokens": 400, **options}
    ids = model.generate(**inputs, logits_processor=[rule], eos_token_id=ends, **options)
    ended = [bool(set(row[start:].tolist()) & set(ends)) for row in ids]
    texts = hf.answer_texts(processor, ids, prompt_length=start, ends=ends)
    return [text for text, has_ended in zip(texts, ended, strict=True) if has_ended], codec


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_prints_shape_tokens(family: str) -> None:
    texts, codec = ask(family, "shapetokens:tokens=2", LABELS)
    assert texts
    for text in texts:
        assert set(codec.decode(text, SIZE, errors="strict").labels) <= set(LABELS)


@pytest.mark.parametrize(
    ("spec", "labels"),
    [
        ("text4seg:grid=6", LABELS),
        ("boxgrid:rows=4", LABELS),
        ("polygon:points=4", ["dog"]),
        ("shapetokens:tokens=2,ids=per_stage", LABELS),
    ],
)
def test_every_format_is_kept(spec: str, labels: list[str]) -> None:
    texts, codec = ask("llava", spec, labels)
    assert texts
    for text in texts:
        codec.decode(text, SIZE, errors="strict")


def test_a_grammar_can_not_say_which_edge_comes_first() -> None:
    texts, codec = ask("llava", "shapetokens:tokens=2,spelling=digits", LABELS)
    assert texts
    for text in texts:
        repairs = codec.decode(text, SIZE, errors="repair").repairs
        assert {repair.kind for repair in repairs} <= {"box-order"}


def test_tokens_are_not_spelt_from_pieces() -> None:
    codec = get_codec("himtok")
    model, processor = tiny_model("llava")
    ids = set(hf.add_tokens(processor, model, codec))
    rule = hf.logits_processor(codec, processor, prompt_length=0)
    said = processor.tokenizer.encode("<|mt_start|>", add_special_tokens=False)
    scores = rule(torch.tensor([said]), torch.zeros(1, len(processor.tokenizer)))
    allowed = set(scores[0].isfinite().nonzero().flatten().tolist())
    assert allowed
    assert allowed <= ids


def test_a_tokenizer_that_puts_a_blank_first_may_do_so() -> None:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=60, special_tokens=["</s>"], show_progress=False)
    backend.train_from_iterator(["dog: 12,345 none 67890 ab cd"] * 4, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>")
    rows = GrammarRows(get_codec("polygon"), tokenizer, ["dog"], [0])
    assert rows.grammar.startswith('root ::= " "? mask_text\nmask_text ::= ')
    _, processor = tiny_model("llava")
    rows = GrammarRows(get_codec("polygon"), processor.tokenizer, ["dog"], [0])
    assert rows.grammar == get_codec("polygon").grammar(["dog"])


def test_beams_are_followed_when_they_change_places() -> None:
    texts, codec = ask(
        "llava", "shapetokens:tokens=2", LABELS, do_sample=False, num_beams=3, max_new_tokens=60
    )
    for text in texts:
        codec.decode(text, SIZE, errors="strict")


@pytest.mark.parametrize("spec", ["text4seg:grid=2", "shapetokens:tokens=2"])
def test_beams_that_are_given_up_do_no_harm(spec: str) -> None:
    # Where fewer ids may follow than beams are drawn, generate draws barred ones, too.
    texts, codec = ask("llava", spec, ["dog"], num_beams=4, num_return_sequences=2)
    assert len(texts) >= 2
    for text in texts:
        codec.decode(text, SIZE, errors="strict")


def test_a_draft_may_be_wrong() -> None:
    codec = get_codec("text4seg:grid=4")
    _, processor = tiny_model("llava")
    tokenizer = processor.tokenizer
    rule = hf.logits_processor(codec, processor, labels=["dog"], prompt_length=0)

    def allowed(ids: list[int]) -> set[int]:
        given = torch.tensor([ids], dtype=torch.long)
        scores = rule(given, torch.zeros(1, len(tokenizer)))
        return set(scores[0].isfinite().nonzero().flatten().tolist())

    right = tokenizer.encode("<seg>dog *4", add_special_tokens=False)
    wrong = tokenizer.encode("zebra", add_special_tokens=False)
    expected = [allowed(right[:length]) for length in range(len(right) + 1)]
    # A draft of several ids is looked at id by id; then its wrong part is dropped.
    assert allowed(right[:2]) == expected[2]
    assert wrong[0] not in expected[2]
    for length in range(1, len(wrong) + 1):
        assert allowed([*right[:2], *wrong[:length]]) == {tokenizer.eos_token_id}
    assert [allowed(right[:length]) for length in range(3, len(right) + 1)] == expected[3:]


def test_a_draft_from_the_prompt_changes_nothing() -> None:
    options: dict[str, Any] = {"do_sample": False, "max_new_tokens": 80}
    question = "others *2 others *1| others *1 dog *2 dog *1|"
    plain, _ = ask("llava", "text4seg:grid=2", ["dog"], questions=[question], **options)
    options["prompt_lookup_num_tokens"] = 3
    drafted, _ = ask("llava", "text4seg:grid=2", ["dog"], questions=[question], **options)
    assert plain == drafted
    assert len(plain) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"min_new_tokens": 100},
        {"no_repeat_ngram_size": 2},
        {"no_repeat_ngram_size": 2, "num_beams": 2},
    ],
)
def test_settings_that_bar_what_the_format_needs_are_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(MaskCodecError, match="barred by other settings of generate"):
        ask("llava", "text4seg:grid=6", ["dog"], do_sample=False, max_new_tokens=120, **options)


def test_prose_is_free_and_masks_between_tags_are_not() -> None:
    codec = get_codec("shapetokens:tokens=2")
    model, processor = tiny_model("llava")
    ids = hf.add_tokens(processor, model, codec)
    tokenizer = processor.tokenizer
    rule = hf.logits_processor(codec, processor, labels=["dog"], prompt_length=0, form="tagged")
    random = np.random.default_rng(0)

    def allowed(said: list[int]) -> list[int]:
        scores = rule(torch.tensor([said], dtype=torch.long), torch.zeros(1, len(tokenizer)))
        found: list[int] = scores[0].isfinite().nonzero().flatten().tolist()
        return found

    prose = tokenizer.encode(f"A dog {OPEN}", add_special_tokens=False)
    free = allowed(prose[:2])
    assert tokenizer.eos_token_id in free
    assert not set(ids) & set(free)
    said = list(prose)
    for _ in range(40):
        options = allowed(said)
        assert tokenizer.eos_token_id not in options
        said.append(int(random.choice(options)))
        text = tokenizer.decode(said)
        if text.endswith(CLOSE):
            break
    answer = read_answer(text, codec, SIZE, errors="strict")
    assert answer.prose == "A dog"
    assert set(answer.labels) <= {"dog"}
    assert tokenizer.eos_token_id in allowed(said)


def test_what_was_not_allowed_is_an_error() -> None:
    codec = get_codec("text4seg:grid=4")
    _, processor = tiny_model("llava")
    rule = hf.logits_processor(codec, processor, labels=["dog"], prompt_length=0)
    scores = torch.zeros(1, len(processor.tokenizer))
    wrong = processor.tokenizer.encode("zebra", add_special_tokens=False)
    for length in (1, len(wrong)):
        with pytest.raises(MaskCodecError, match="as number 1 of an answer"):
            rule(torch.tensor([wrong[:length]]), scores)


def test_a_prompt_that_is_shorter_than_was_said_is_an_error() -> None:
    codec = get_codec("text4seg:grid=4")
    model, processor = tiny_model("llava")
    image = Image.fromarray(np.zeros((*SIZE, 3), np.uint8))
    chat = [{"role": "user", "content": "dog?"}]
    inputs = model_inputs(processor, [chat], [[image]])
    length = inputs["input_ids"].shape[1]
    rule = hf.logits_processor(codec, processor, labels=["dog"], prompt_length=length + 5)
    with pytest.raises(MaskCodecError, match=f"began with {length} ids, .*={length + 5}"):
        model.generate(**inputs, logits_processor=[rule], max_new_tokens=20)


def test_a_processor_may_be_kept_for_prompts_of_one_length() -> None:
    codec = get_codec("text4seg:grid=4")
    _, processor = tiny_model("llava")
    size = len(processor.tokenizer)
    rule = hf.logits_processor(codec, processor, labels=["dog"], prompt_length=3)
    ids = processor.tokenizer.encode("<seg>dog *4", add_special_tokens=False)
    for _ in range(2):
        for length in range(len(ids)):
            left = rule(torch.tensor([[5, 6, 7, *ids[:length]]]), torch.zeros(1, size))
            assert left[0, ids[length]].isfinite()


def test_a_forced_first_id_is_no_part_of_the_answer() -> None:
    codec = get_codec("text4seg:grid=4")
    _, processor = tiny_model("llava")
    rule = hf.logits_processor(codec, processor, labels=["dog"], prompt_length=2)
    scores = torch.zeros(1, len(processor.tokenizer))
    assert torch.equal(rule(torch.tensor([[5]]), scores), scores)
    assert not rule(torch.tensor([[5, 6]]), scores).isfinite().all()


@pytest.mark.parametrize("spec", ["boxgrid:rows=2", "shapetokens:tokens=2,spelling=digits"])
def test_labels_may_be_given_as_no_tokenizer_spells_them(spec: str) -> None:
    codec = get_codec(spec)
    _, processor = tiny_model("llava")
    tokenizer = processor.tokenizer
    tokenizer.backend_tokenizer.normalizer = normalizers.NFC()
    apart = "cafe\u0301"
    mask = np.zeros(SIZE, np.bool_)
    mask[5:20, 10:40] = True
    ids = tokenizer.encode(codec.encode([Mask(mask, apart)], SIZE), add_special_tokens=False)
    rule = hf.logits_processor(codec, processor, labels=[apart, "caf\xe9"], prompt_length=0)
    for length in range(len(ids)):
        said = torch.tensor([ids[:length]], dtype=torch.long)
        assert rule(said, torch.zeros(1, len(tokenizer)))[0, ids[length]].isfinite()


def test_what_can_not_be_constrained_is_said_so() -> None:
    model, processor = tiny_model("llava")
    codec = get_codec("shapetokens:tokens=2")
    hf.add_tokens(processor, model, codec)
    with pytest.raises(EncodeError):
        hf.logits_processor(codec, processor, labels=["a: b"], prompt_length=0)
    with pytest.raises(EncodeError, match="expected a list of labels"):
        hf.logits_processor(codec, processor, labels="dog", prompt_length=0)
    with pytest.raises(EncodeError, match="expected a list of labels"):
        Segmenter(model, processor, codec, labels="dog")
    with pytest.raises(MaskCodecError, match=r"text4seg:grid=4.* name them"):
        hf.logits_processor(get_codec("text4seg:grid=4"), processor, prompt_length=0)
    with pytest.raises(MaskCodecError, match=r"coco_rle.* has no grammar"):
        hf.logits_processor(get_codec("coco_rle"), processor, labels=["a"], prompt_length=0)
    with pytest.raises(MaskCodecError, match="which id ends an answer"):
        hf.logits_processor(codec, processor, labels=["a"], prompt_length=0, ends=[])


def test_outputs_become_masks() -> None:
    codec = get_codec("shapetokens:tokens=2")
    model, processor = tiny_model("llava")
    hf.add_tokens(processor, model, codec)
    tokenizer = processor.tokenizer
    text = "dog: <|b_0000|><|b_0000|><|b_1023|><|b_1023|><|m_0001|><|m_0002|>"
    ids = tokenizer.encode(f"dog?{text}", add_special_tokens=False)
    start = len(tokenizer.encode("dog?", add_special_tokens=False))
    row = torch.tensor([[*ids, tokenizer.eos_token_id, 7, tokenizer.pad_token_id]])
    [decoded] = hf.decode_outputs(codec, processor, row, [SIZE], prompt_length=start)
    assert decoded.labels == ("dog",)
    assert not decoded.repairs
    assert np.array_equal(decoded.pixels, codec.decode(text, SIZE).pixels)
    with pytest.raises(MaskCodecError, match="1 answers but 2 sizes"):
        hf.decode_outputs(codec, processor, row, [SIZE, SIZE], prompt_length=start)

"""Token ids of `shapetokens`: looking them up, and what a model said about codes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shape_texts import codec_of, geometries, listed
from shape_tokenizers import END, byte_tokenizer, encode, every_spec, fitting, tokenizer_of
from strategies import LABELS
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from maskcodec import MaskCodecError
from maskcodec.token_constraint import TokenConstraint
from maskcodec.token_ids import TokenIds


@every_spec
def test_every_piece_is_one_id(spec: str) -> None:
    codec, tokenizer, _ = fitting(spec)
    ids = TokenIds.of(codec, tokenizer)
    gap = codec.pieces.code_gap
    tokens = [tokenizer.id_to_token(number) for number in ids.edges.tolist()]
    assert tokens == [gap + piece for piece in codec.pieces.edges]
    for place in range(codec.tokens):
        tokens = [tokenizer.id_to_token(number) for number in ids.code_ids(place).tolist()]
        assert tokens == [gap + piece for piece in codec.pieces.codes(place)]


def test_tokenizers_of_any_kind(tmp_path: Path) -> None:
    codec, tokenizer, _ = fitting("shapetokens:tokens=3")
    edges = TokenIds.of(codec, tokenizer).edges
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    for other in (path, str(tmp_path), SimpleNamespace(backend_tokenizer=tokenizer)):
        assert np.array_equal(TokenIds.of(codec, other).edges, edges)

    def slow(text: str, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        return encode(tokenizer, text)

    assert np.array_equal(TokenIds.of(codec, SimpleNamespace(encode=slow)).edges, edges)


def test_padding_and_truncation_of_the_tokenizer_do_not_matter() -> None:
    codec = codec_of("shapetokens:tokens=3")
    tokenizer = tokenizer_of(codec)
    edges = TokenIds.of(codec, tokenizer).edges
    tokenizer.enable_padding(length=9, pad_id=0, pad_token="<pad>")
    tokenizer.enable_truncation(5)
    assert np.array_equal(TokenIds.of(codec, tokenizer).edges, edges)
    assert tokenizer.truncation is not None
    assert tokenizer.padding is not None


def test_tokenizers_of_transformers() -> None:
    transformers = pytest.importorskip("transformers")
    codec, tokenizer, constraint = fitting("shapetokens:tokens=3")
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")
    other = TokenConstraint(codec, wrapped, LABELS)
    assert other.end == END
    assert np.array_equal(other.ids.edges, constraint.ids.edges)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("shapetokens", "2,048 of 2,048 pieces are not one token each: '<|b_0000|>', .*add codec"),
        (
            "shapetokens:spelling=words",
            "pieces are not one token each: ' aboard', .*spelling=added",
        ),
        ("shapetokens:spelling=unused", "only Gemma 3 keeps"),
        ("shapetokens:spelling=digits", "codec.grammar"),
    ],
)
def test_pieces_that_are_no_tokens(spec: str, message: str) -> None:
    with pytest.raises(MaskCodecError, match=message):
        TokenIds.of(codec_of(spec), byte_tokenizer())


def test_one_missing_piece_is_named() -> None:
    codec = codec_of("shapetokens")
    tokenizer = byte_tokenizer()
    tokenizer.add_tokens([piece for piece in codec.vocab().tokens if piece != "<|m_0777|>"])
    with pytest.raises(MaskCodecError, match=r"1 of 2,048 pieces .*: '<\|m_0777\|>'; "):
        TokenIds.of(codec, tokenizer)


def test_special_tokens_are_refused() -> None:
    codec = codec_of("shapetokens")
    tokenizer = byte_tokenizer()
    tokenizer.add_special_tokens(list(codec.vocab().tokens))
    with pytest.raises(MaskCodecError, match="2,048 pieces were added as special tokens"):
        TokenIds.of(codec, tokenizer)


def test_unknown_words_are_refused() -> None:
    tokenizer = Tokenizer(models.WordLevel({"<unk>": 0, "dog": 1, ":": 2}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r" ?[^\s:]+|:|\s"), "isolated")
    with pytest.raises(MaskCodecError, match="the same token, an unknown one perhaps"):
        TokenIds.of(codec_of("shapetokens:spelling=words"), tokenizer)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(MaskCodecError, match="no such file"):
        TokenIds.of(codec_of("shapetokens"), tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(MaskCodecError, match=r"is no Hugging Face tokenizer\.json"):
        TokenIds.of(codec_of("shapetokens"), tmp_path)


# What a model said


@every_spec
@settings(max_examples=10)
@given(data=st.data())
def test_codes_come_back_from_logits(spec: str, data: st.DataObject) -> None:
    codec, tokenizer, constraint = fitting(spec)
    geometry = data.draw(geometries(codec))
    ids = encode(tokenizer, codec.write(geometry))
    logits = np.zeros((len(ids), tokenizer.get_vocab_size()), np.float32)
    logits[np.arange(len(ids)), ids] = 20.0
    truth = [codes for _, _, codes in listed(geometry) if codes]
    found = constraint.ids.code_logits(logits, ids)
    assert [rows.argmax(axis=1).tolist() for rows in found] == truth
    likely = constraint.ids.code_probabilities(logits, ids)
    for rows in likely:
        assert rows.dtype == np.float32
        assert rows.shape[1] == 1024
        assert np.allclose(rows.sum(axis=1), 1)
        assert (rows.max(axis=1) > 0.99).all()


def test_logits_on_torch_and_of_damaged_answers() -> None:
    torch = pytest.importorskip("torch")
    codec, tokenizer, constraint = fitting("shapetokens:tokens=3")
    box = "<|b_0001|><|b_0001|><|b_0002|><|b_0002|>"
    text = f"dog: {box}<|m_0005|><|m_0006|>\ntv: {box[:30]}<|m_0007|>\na: {box}"
    ids = encode(tokenizer, text)
    logits = torch.randn(len(ids), tokenizer.get_vocab_size()).to(torch.bfloat16)
    found = constraint.ids.code_logits(logits, ids)
    assert [rows.shape for rows in found] == [(2, 1024), (0, 1024)]
    assert constraint.ids.code_probabilities(logits, ids)[1].shape == (0, 1024)
    assert len(found) == len(codec.parse(text, errors="repair")[0].labels)
    step = ids.index(int(constraint.ids.codes[0, 5]))
    expected = logits[step].float().numpy()[constraint.ids.codes[0]]
    assert np.array_equal(found[0][0], expected)
    with pytest.raises(MaskCodecError, match="rows of logits"):
        constraint.ids.code_logits(logits[1:], ids)

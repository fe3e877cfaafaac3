"""Added tokens: ordinary ones, one id each; rows where there is no room; what rows begin as."""

from __future__ import annotations

from typing import Any

import peft
import pytest
import torch
from lora_adapters import QUIET
from tiny_models import FAMILIES, tiny_model
from tokenizers import AddedToken

from maskcodec import MaskCodecError, get_codec, hf
from maskcodec.added_tokens import is_tied, token_ids
from maskcodec.row_values import code_vectors, edge_places

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SPEC = "shapetokens:tokens=2"


def tables(model: Any) -> list[torch.Tensor]:
    return [
        model.get_input_embeddings().weight.detach().clone(),
        model.get_output_embeddings().weight.detach().clone(),
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_get_ids_and_rows_and_old_rows_stay(family: str) -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model(family, tied=family != "llava")
    before = tables(model)
    ids = hf.add_tokens(processor, model, codec)
    tokenizer = processor.tokenizer
    assert tokenizer.convert_ids_to_tokens(ids) == list(codec.vocab().tokens)
    assert tokenizer.decode(ids[:3], skip_special_tokens=True) == "".join(codec.vocab().tokens[:3])
    for old, new in zip(before, tables(model), strict=True):
        assert torch.equal(new[: min(ids)], old[: min(ids)])
        fresh = new[ids]
        assert fresh.isfinite().all()
        assert len(set(map(tuple, fresh.tolist()))) == len(ids)
        spread = (fresh - old[: min(ids)].mean(0)).std() / old[: min(ids)].std()
        assert 0.05 < spread < 0.2
    assert is_tied(model) == (family != "llava")
    assert model.config.get_text_config().vocab_size == len(new) >= len(tokenizer)


def test_adding_again_changes_nothing() -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava")
    ids = hf.add_tokens(processor, model, codec, seed=1)
    before = tables(model)
    assert hf.add_tokens(processor.tokenizer, model, codec, seed=2) == ids
    assert all(torch.equal(*pair) for pair in zip(before, tables(model), strict=True))


def test_a_padded_table_is_not_resized_and_its_new_rows_begin_too() -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("qwen2_5_vl", tied=True)
    model.resize_token_embeddings(5_000)
    ids = hf.add_tokens(processor, model, codec)
    weight = model.get_input_embeddings().weight
    assert len(weight) == 5_000
    rest = weight[max(ids) + 1 :]
    assert weight[ids].std() > 1.5 * (weight[: min(ids)].std() * 0.05)
    assert not torch.isin(weight[ids][:, 0], rest[:, 0]).any()


def test_a_codec_of_plain_text_adds_nothing() -> None:
    model, processor = tiny_model("llava")
    rows = len(processor.tokenizer)
    assert hf.add_tokens(processor, model, get_codec("text4seg")) == []
    assert len(processor.tokenizer) == rows
    assert "trainable_token_indices" not in hf.lora_kwargs(model, processor, get_codec("polygon"))


def test_edges_begin_as_numbers_in_order() -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava", tied=True)
    old = model.get_input_embeddings().weight.detach().clone()
    ids = hf.add_tokens(processor, model, codec, init="numbers", noise=0.0)
    weight = model.get_input_embeddings().weight.detach()
    hundred = processor.tokenizer.encode("0 100", add_special_tokens=False)[1:]
    blank = processor.tokenizer.encode(" ", add_special_tokens=False)
    words = [number for number in hundred if number not in blank]
    assert torch.allclose(weight[ids[1023]], old[words].mean(0), atol=1e-6)
    steps = (weight[ids[1:1024]] - weight[ids[:1023]]).norm(dim=1)
    assert steps.max() < 0.2 * (weight[ids[:1024]] - weight[ids[512]]).norm(dim=1).max()
    assert torch.allclose(weight[ids[1024:]], weight[ids[1024]].expand(1024, -1), atol=1e-6)


@pytest.mark.parametrize("ids_kind", ["shared", "per_stage"])
def test_codes_begin_as_the_codebooks_vectors(ids_kind: str) -> None:
    codec = get_codec(f"{SPEC},ids={ids_kind}")
    model, processor = tiny_model("llava", tied=True)
    ids = hf.add_tokens(processor, model, codec, init="codebook", noise=0.0)
    weight = model.get_input_embeddings().weight.detach()
    for start, vectors in code_vectors(codec):
        rows = weight[ids[start : start + 1024]]
        given = torch.from_numpy(vectors)
        near = torch.cdist(given, given).flatten()
        far = torch.cdist(rows, rows).flatten()
        agreement = torch.corrcoef(torch.stack([near, far]))[0, 1]
        assert agreement > 0.6
    assert len(code_vectors(codec)) == (1 if ids_kind == "shared" else 2)


def test_edges_of_paligemma_are_places() -> None:
    places = edge_places(get_codec("paligemma"))
    assert len(places) == 1024
    assert places[0] == 0
    assert places[1023] == 1


def test_a_tokenizer_that_splits_a_token_is_an_error() -> None:
    codec = get_codec(SPEC)
    _, processor = tiny_model("llava")
    with pytest.raises(MaskCodecError, match="lacks 2,048 of its 2,048 tokens"):
        token_ids(processor, codec)
    tokens = [AddedToken(token, normalized=False) for token in codec.vocab().tokens]
    # A longer token that begins alike is found first, and the rest is spelt in bytes.
    processor.tokenizer.add_tokens([AddedToken("<|b_0007|><|b", normalized=False), *tokens])
    with pytest.raises(MaskCodecError, match="not one id each where they stand side by side"):
        token_ids(processor, codec)


def test_special_tokens_are_refused() -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava")
    processor.tokenizer.add_tokens(list(codec.vocab().tokens), special_tokens=True)
    with pytest.raises(MaskCodecError, match="is a special token"):
        hf.add_tokens(processor, model, codec)


def test_wrong_arguments_are_refused() -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava")
    with pytest.raises(MaskCodecError, match="init is 'best'"):
        hf.add_tokens(processor, model, codec, init="best")  # type: ignore[arg-type]
    with pytest.raises(MaskCodecError, match="parts holds 'sight'"):
        hf.lora_kwargs(model, processor, codec, parts=("sight",))  # type: ignore[arg-type]
    hf.add_tokens(processor, model, codec)
    small, _ = tiny_model("llava")
    with pytest.raises(MaskCodecError, match="makes room"):
        hf.lora_kwargs(small, processor, codec)
    adapted = peft.get_peft_model(model, peft.LoraConfig(**hf.lora_kwargs(model, processor, codec)))
    with pytest.raises(MaskCodecError, match="before the model gets an adapter"):
        hf.add_tokens(processor, adapted, codec)

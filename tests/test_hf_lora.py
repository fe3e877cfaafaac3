"""LoRA trains exactly the rows of the codec's tokens, and no layer that sees; files keep it all."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import peft
import pytest
import torch
from lora_adapters import QUIET, logits_of, make_adapter, train_adapter, train_steps
from tiny_models import FAMILIES, tiny_model

from maskcodec import MaskCodecError, get_codec, hf
from maskcodec.adapter_card import read_adapter_card
from maskcodec.added_tokens import is_tied
from maskcodec.lora_config import layers, pattern
from maskcodec.model_files import locate
from maskcodec.shipped import TINY
from maskcodec.tokens import load_counter

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SPEC = "shapetokens:tokens=2"
KINDS = [(family, tied) for family in FAMILIES for tied in (True, False)]
every_kind = pytest.mark.parametrize(("family", "tied"), KINDS)


@every_kind
def test_a_step_moves_the_rows_of_the_codec_alone(family: str, tied: bool) -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model(family, tied=tied)
    ids = hf.add_tokens(processor, model, codec)
    start = model.get_input_embeddings().weight.detach().clone()
    head = model.get_output_embeddings().weight.detach().clone()
    config = peft.LoraConfig(**hf.lora_kwargs(model, processor, codec, rank=2))
    adapted = train_steps(peft.get_peft_model(model, config), processor, codec)
    merged = adapted.merge_and_unload()
    assert is_tied(merged) == tied
    moved = changed(merged.get_output_embeddings().weight, head)
    assert moved == set(ids)
    seen = changed(merged.get_input_embeddings().weight, start)
    assert seen == (set(ids) if tied else {ids[0], ids[-1]})  # those that the text held


def changed(new: torch.Tensor, old: torch.Tensor) -> set[int]:
    return set((new != old).any(dim=1).nonzero().flatten().tolist())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_layer_that_sees_gets_matrices_unless_asked(family: str) -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model(family)
    hf.add_tokens(processor, model, codec)
    parts = layers(model)
    assert len(parts["language"]) in (14, 32)
    assert parts["vision"]
    assert not any(re.search("vision|visual|project|connector", n) for n in parts["language"])
    for chosen in (("language",), ("language", "projector", "vision")):
        kwargs = hf.lora_kwargs(model, processor, codec, rank=2, parts=chosen)
        adapted = peft.get_peft_model(tiny(family, codec), peft.LoraConfig(**kwargs))
        got = {
            name.partition(".lora_A")[0].removeprefix("base_model.model.")
            for name, _ in adapted.named_parameters()
            if ".lora_A." in name
        }
        assert got == {name for part in chosen for name in parts[part]}


def tiny(family: str, codec: object) -> object:
    model, processor = tiny_model(family)
    hf.add_tokens(processor, model, codec)  # type: ignore[arg-type]
    return model


def test_a_pattern_matches_its_names_alone() -> None:
    names = ["m.layers.0.q", "m.layers.1.q"]
    assert pattern(names, [*names, "v.layers.0.q"]) == r"m\.layers\.\d+\.q"
    assert pattern(names, [*names, "m.layers.2.q"]) == r"m\.layers\.0\.q|m\.layers\.1\.q"


@every_kind
def test_an_adapter_comes_back_bit_by_bit(family: str, tied: bool, tmp_path: Path) -> None:
    if (family, tied) == ("florence2", False):
        pytest.skip("transformers does not write its tables apart, and no such model exists")
    trained = train_adapter(tmp_path, SPEC, family=family, tied=tied)
    files = (tmp_path / "adapter").glob("*.safetensors")
    assert sum(path.stat().st_size for path in files) < 700_000  # no table is in it whole
    loaded, processor = hf.load_model(tmp_path / "adapter")
    ids = [*hf.token_ids(processor, get_codec(SPEC))[-4:], 5, 6]
    assert torch.equal(logits_of(loaded, ids), logits_of(trained, ids))


def test_what_is_no_model_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(MaskCodecError, match="no such folder"):
        hf.load_model("no-such-model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MaskCodecError, match="no image-text-to-text model can be loaded"):
        hf.load_model(tmp_path / "empty")
    assert locate("owner/name") == "owner/name"


def test_a_shipped_name_means_the_same_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / TINY).mkdir()
    monkeypatch.chdir(tmp_path)
    assert (Path(locate(TINY)) / "config.json").is_file()
    assert locate(f"./{TINY}") == f"./{TINY}"
    assert load_counter(TINY).count("a red star at 50 60") == 6


def test_a_base_model_that_moved_is_said_so(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path, "text4seg:grid=4")
    (tmp_path / "base").rename(folder / "moved")
    with pytest.raises(MaskCodecError, match=r"its base model .* is not there"):
        hf.load_model(folder)
    card = read_adapter_card(folder)
    dataclasses.replace(card, base_model="moved").write(folder)  # counts from the adapter's folder
    hf.load_model(folder)


def test_an_adapter_whose_tokenizer_lost_its_tokens_is_refused(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path, SPEC)
    _, plain = tiny_model("llava")
    plain.save_pretrained(folder)
    with pytest.raises(MaskCodecError, match="the tokenizer lacks 2,048"):
        hf.load_model(folder)

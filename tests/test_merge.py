"""`maskcodec merge`: a plain model that says what the adapter said, in a folder made at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lora_adapters import QUIET, logits_of, make_adapter
from transformers import AutoModelForImageTextToText, AutoTokenizer

from maskcodec import cli, get_codec, hf
from maskcodec.adapter_card import AdapterCard, read_adapter_card

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SPEC = "shapetokens:tokens=2"


@pytest.mark.parametrize(
    ("family", "tied"), [("llava", False), ("qwen2_5_vl", True), ("florence2", True)]
)
def test_a_merged_model_is_opened_by_stock_classes(
    family: str, tied: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = make_adapter(tmp_path, SPEC, family=family, tied=tied)
    output = tmp_path / "merged"
    assert cli.main(["merge", str(adapter), str(output)]) == 0
    assert "merged now" in capsys.readouterr().err
    model = AutoModelForImageTextToText.from_pretrained(output).eval()
    tokenizer = AutoTokenizer.from_pretrained(output)
    codec = get_codec(SPEC)
    ids = tokenizer.convert_tokens_to_ids(list(codec.vocab().tokens))
    assert tokenizer.encode("".join(codec.vocab().tokens[:9]), add_special_tokens=False) == ids[:9]
    adapted, _ = hf.load_model(adapter)
    given = [*ids[:3], *ids[-3:], 5, 6]
    assert torch.allclose(logits_of(model, given), logits_of(adapted, given), atol=1e-5)
    assert read_adapter_card(output) == read_adapter_card(adapter)
    loaded, processor = hf.load_model(output)
    assert torch.equal(logits_of(loaded, given), logits_of(model, given))
    assert hf.token_ids(processor, codec) == ids


def test_what_can_not_be_merged_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = make_adapter(tmp_path, "text4seg:grid=4")
    for arguments, reason in (
        ([tmp_path / "base", tmp_path / "new"], "expected an adapter's folder"),
        ([tmp_path / "none", tmp_path / "new"], "no such folder"),
        ([adapter, tmp_path / "base"], "exists already"),
        ([adapter, tmp_path / "no" / "new"], "does not exist"),
    ):
        assert cli.main(["merge", *map(str, arguments)]) == 2
        assert reason in capsys.readouterr().err
    before = sorted(tmp_path.iterdir())

    def full_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(AdapterCard, "write", full_disk)
    assert cli.main(["merge", str(adapter), str(tmp_path / "new")]) == 2
    assert "No space left" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before

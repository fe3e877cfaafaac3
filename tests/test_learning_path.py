"""The whole path in small: scenes, examples, LoRA on the shipped model, masks, a plain model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")

from maskcodec import cli, get_codec
from maskcodec.examples import Example, read_examples
from maskcodec.generation import evaluate
from maskcodec.model_files import load_model, read_card

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

SPEC = "shapetokens:tokens=4,boxes=1"


def prepare(path: Path, count: int, seed: int) -> list[Example]:
    assert cli.main(
        ["prepare", f"scenes:{count}", "--scene", "tiny", "--tasks", "referring", "--spec", SPEC,
         "--seed", str(seed), "--tokenizer", "none", "--quiet", "-o", str(path)]
    ) == 0  # fmt: skip
    return [one for one in read_examples(path) if isinstance(one, Example)]


def test_from_scenes_to_masks_and_to_a_plain_model(tmp_path: Path) -> None:
    prepare(tmp_path / "train.jsonl", 8, seed=2)
    prepare(tmp_path / "test.jsonl", 4, seed=4)
    assert cli.main(
        ["train", "--model", "tiny", "--data", str(tmp_path / "train.jsonl"), "--steps", "2",
         "--batch-size", "4", "--threads", "1", "--quiet", "-o", str(tmp_path / "run")]
    ) == 0  # fmt: skip
    card = read_card(tmp_path / "run")
    assert card is not None
    assert (card.spec, card.base_model) == (get_codec(SPEC).spec, "tiny")
    assert cli.main(["merge", str(tmp_path / "run"), str(tmp_path / "merged")]) == 0
    texts = []
    for name in ("run", "merged"):
        assert cli.main(
            ["segment", str(tmp_path / "test.jsonl"), "--model", str(tmp_path / name), "--quiet",
             "-o", str(tmp_path / f"answers-{name}")]
        ) == 0  # fmt: skip
        lines = (tmp_path / f"answers-{name}/predictions.jsonl").read_text().splitlines()
        texts.append([json.loads(line)["text"] for line in lines])
        scores = json.loads((tmp_path / f"answers-{name}/scores.json").read_text())
        assert scores["invalid_share"] == 0  # after two steps: it is the constraint that helps
        assert scores["ceiling_giou"] > 0.8
    assert texts[0] == texts[1]


def test_the_shipped_adapter_segments_scenes_that_it_never_saw(tmp_path: Path) -> None:
    examples = prepare(tmp_path / "test.jsonl", 24, seed=77)
    model, processor = load_model("tiny-masks")
    card = read_card("tiny-masks")
    assert card is not None
    result = evaluate(model, processor, examples, get_codec(card.spec), batch=24)
    assert result.giou is not None
    assert result.giou > 0.6
    base, base_processor = load_model("tiny")
    assert len(base_processor.tokenizer) + 2048 == len(processor.tokenizer)
    assert base.dtype == model.dtype

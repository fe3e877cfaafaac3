"""Examples as tokens: labels, weights and soft targets, for every family of models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from PIL import Image  # noqa: E402
from tiny_models import FAMILIES, tiny_model  # noqa: E402
from training_files import write_examples  # noqa: E402

from maskcodec import MaskCodecError, hf  # noqa: E402
from maskcodec.datasets.pictures import read_picture  # noqa: E402
from maskcodec.examples import Example, read_examples  # noqa: E402
from maskcodec.prompts import end_ids, model_inputs  # noqa: E402
from training.answers import IGNORED, Answers  # noqa: E402
from training.batches import Collator, Images, join  # noqa: E402
from training.conversation import Conversations  # noqa: E402
from training.token_loss import SoftTargets, TokenWeights  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

DECODERS = [name for name in FAMILIES if name != "florence2"]  # TRL can't train the other


def examples(path: Path) -> list[Example]:
    """All of a file."""
    return [item for item in read_examples(path) if isinstance(item, Example)]


def batch_of(
    processor: Any, rows: list[Example], weights: TokenWeights | None = None, bins: float = 0
) -> dict[str, Any]:
    """A batch of all rows."""
    codec = rows[0].codec
    soft = SoftTargets(codec, processor.tokenizer, bins, 0)
    answers = Answers(Conversations(processor), codec, weights or TokenWeights(), soft)
    made = [answers.of(row) for row in rows]
    collator = Collator(rows, made, Images(processor, 2**20), processor.tokenizer.pad_token_id)
    return collator([{"row": number} for number in range(len(rows))])


@pytest.mark.parametrize("family", DECODERS)
def test_labels_are_the_answer_and_its_end_after_the_prompt_of_generation(
    family: str, tmp_path: Path
) -> None:
    rows = examples(write_examples(tmp_path, "boxgrid:rows=4", 2))
    model, processor = tiny_model(family)
    batch = batch_of(processor, rows)
    ends = end_ids(model, processor)
    for number, row in enumerate(rows):
        image = Image.fromarray(read_picture(row.image_paths()[0]))
        prompt = model_inputs(processor, [row.messages[:1]], [[image]])
        learned = (batch["labels"][number] != IGNORED).nonzero().squeeze(1)
        first = int(learned[0])
        assert batch["input_ids"][number, :first].tolist() == prompt["input_ids"][0].tolist()
        assert learned.tolist() == list(range(first, first + len(learned)))
        ids = batch["labels"][number, learned].tolist()
        assert ids[-1] in ends
        assert hf.answer_texts(processor, [ids], ends=ends) == [row.turns[0].answer]
        assert int(batch["attention_mask"][number].sum()) <= int(learned[-1]) + 2
    assert torch.isfinite(_logits(model, batch)).all()


def _logits(model: Any, batch: dict[str, Any]) -> Any:
    names = ("labels", "weights", "table", "row")
    inputs = {name: value for name, value in batch.items() if name not in names}
    model.train()
    return model(**inputs, use_cache=False, logits_to_keep=torch.tensor([0, 3])).logits


def test_every_assistant_turn_is_learned_and_nothing_else(tmp_path: Path) -> None:
    rows = examples(write_examples(tmp_path, "boxgrid:rows=4", 1, turns=2))
    _, processor = tiny_model("llava")
    batch = batch_of(processor, rows)
    kept = batch["labels"][0]
    text = processor.tokenizer.decode(kept[kept != IGNORED])
    assert text == f"{rows[0].turns[0].answer}<|end|>none<|end|>"


def test_a_template_without_an_end_gets_one(tmp_path: Path) -> None:
    rows = examples(write_examples(tmp_path, "boxgrid:rows=4", 1))
    _, processor = tiny_model("llava")
    processor.chat_template = (
        "{% for m in messages %}{{ m.role.upper() + ': ' }}{% for c in m.content %}"
        "{{ '<image>\\n' if c.type == 'image' else c.text }}{% endfor %}{{ ' ' }}{% endfor %}"
    )
    batch = batch_of(processor, rows)
    kept = batch["labels"][0][batch["labels"][0] != IGNORED]
    assert processor.tokenizer.decode(kept).strip() == f"{rows[0].turns[0].answer}<|end|>"


def test_a_template_that_drops_messages_is_refused(tmp_path: Path) -> None:
    rows = examples(write_examples(tmp_path, "boxgrid:rows=4", 1))
    _, processor = tiny_model("llava")
    processor.chat_template = "{{ messages[0]['content'][0]['type'] }}<image>"
    with pytest.raises(MaskCodecError, match=r"train\.jsonl:1.*leaves out messages"):
        batch_of(processor, rows)


@pytest.mark.parametrize("family", ["llava", "paligemma"])
def test_weights_follow_the_spans_and_have_a_mean_of_one(family: str, tmp_path: Path) -> None:
    rows = examples(write_examples(tmp_path, "shapetokens:tokens=3", 2))
    model, processor = tiny_model(family)
    hf.add_tokens(processor, model, rows[0].codec)
    batch = batch_of(processor, rows, TokenWeights(label=2, where=8, shape=4, decay=0.5))
    for labels, weights in zip(batch["labels"], batch["weights"], strict=True):
        learned = labels != IGNORED
        mine = weights[learned].numpy()
        assert mine.mean() == pytest.approx(1)
        assert not weights[~learned].any()
        names = processor.tokenizer.convert_ids_to_tokens(labels[learned].tolist())
        codes = [name.startswith("<|m_") for name in names]
        edges = [name.startswith("<|b_") for name in names]
        np.testing.assert_allclose(mine[codes] / mine[-1], [4, 2, 1], rtol=1e-5)
        np.testing.assert_allclose(mine[edges] / mine[-1], [8] * 4, rtol=1e-5)
        assert mine[0] / mine[-1] == pytest.approx(2)  # the label; the end of the turn counts 1


def test_soft_targets_of_edges_and_of_numbers(tmp_path: Path) -> None:
    rows = examples(write_examples(tmp_path / "a", "shapetokens:tokens=2", 1))
    model, processor = tiny_model("llava")
    hf.add_tokens(processor, model, rows[0].codec)
    batch = batch_of(processor, rows, bins=4)
    tokens = processor.tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist())
    soft = [tokens[place] for place in (batch["table"][0] >= 0).nonzero().squeeze(1).tolist()]
    assert soft == [token for token in tokens if token.startswith("<|b_")]
    rows = examples(write_examples(tmp_path / "b", "boxgrid:rows=4", 1))
    batch = batch_of(processor, rows, bins=4)
    chosen = batch["input_ids"][0][batch["table"][0] >= 0]
    assert all(text.strip().isdigit() for text in processor.tokenizer.batch_decode(chosen))


def test_tensors_of_different_shapes_are_joined() -> None:
    joined = join([torch.ones(1, 2, 3), torch.ones(2, 1, 4)])
    assert joined.shape == (3, 2, 4)
    assert joined.sum() == 6 + 8
    with pytest.raises(MaskCodecError, match="shapes"):
        join([torch.ones(1, 2), torch.ones(1, 2, 3)])

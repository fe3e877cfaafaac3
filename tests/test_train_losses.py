"""Soft targets and the loss on masks: what they ask for, and that gradients lead there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from tiny_models import tiny_model  # noqa: E402
from training_files import square, write_examples  # noqa: E402

from maskcodec import MaskCodecError, get_codec, hf  # noqa: E402
from maskcodec.examples import Example, read_examples  # noqa: E402
from maskcodec.geometry.shape_codebook import CELLS, get_codebook  # noqa: E402
from maskcodec.geometry.shapetokens_torch import soft_fields  # noqa: E402
from training.answers import Answers  # noqa: E402
from training.conversation import Conversations  # noqa: E402
from training.mask_loss import MaskLoss, SoftObject, generalised_iou  # noqa: E402
from training.token_loss import (  # noqa: E402
    SoftTargets,
    TokenWeights,
    gaussian,
    near_codes,
    scaled,
    token_losses,
)

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

CODEC = get_codec("shapetokens:tokens=3")
BOOK = get_codebook("shapes1")


def test_tables_give_most_to_the_right_value_and_more_to_nearer_ones() -> None:
    for table in (
        gaussian(np.arange(40), 2.0),
        near_codes(BOOK.code_values[0][:40], 0.3),
    ):
        np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-5)
        assert (table.argmax(axis=1) == np.arange(40)).all()
    assert gaussian(np.array([1, 2, 10]), 1.0)[0, 1] == pytest.approx(np.exp(-0.5), rel=0.5)


def test_a_small_temperature_is_a_hard_target() -> None:
    table = near_codes(BOOK.code_values[2], 1e-3)
    np.testing.assert_allclose(table, np.eye(len(table)), atol=1e-6)


def test_losses_are_cross_entropy_where_no_table_is() -> None:
    torch.manual_seed(0)
    logits, targets = torch.randn(5, 12), torch.tensor([1, 2, 3, 4, 5])
    none = torch.full((5,), -1)
    found = token_losses(logits, targets, [], none, none)
    expected = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    torch.testing.assert_close(found, expected)
    ids, shares = torch.tensor([3, 4, 5]), torch.tensor([[0.5, 0.3, 0.2]] * 3)
    soft = token_losses(
        logits, targets, [(ids, shares)], torch.tensor([-1, -1, 0, -1, -1]), none * 0
    )
    logs = logits[2].log_softmax(0)
    assert soft[2] == pytest.approx(float(-(0.5 * logs[3] + 0.3 * logs[4] + 0.2 * logs[5])))
    torch.testing.assert_close(soft[[0, 1, 3, 4]], expected[[0, 1, 3, 4]])


def test_scaled_weights() -> None:
    np.testing.assert_allclose(scaled(np.array([4, 1, 1], np.float32)), [2, 0.5, 0.5])
    np.testing.assert_allclose(scaled(np.zeros(2, np.float32)), [1, 1])
    assert TokenWeights(shape=2, decay=0.5).of(CODEC.spans("a: <|m_0001|>")[0]) == 1


class Task:
    """A mask loss on one object, whose answer's logits can be chosen."""

    def __init__(self, folder: Path, masks: float, boxes: float) -> None:
        [row] = [
            item
            for item in read_examples(write_examples(folder, CODEC.spec, 1))
            if isinstance(item, Example)
        ]
        model, processor = tiny_model("llava")
        hf.add_tokens(processor, model, CODEC)
        tokenizer = processor.tokenizer
        soft = SoftTargets(CODEC, tokenizer, 0, 0)
        self.answered = Answers(Conversations(processor), CODEC, TokenWeights(), soft).of(row)
        self.loss = MaskLoss(CODEC, tokenizer, masks, boxes)
        self.objects = self.loss.objects(row, self.answered, 0)
        self.vocabulary = len(tokenizer)

    def right(self) -> Any:
        """Logits that say the answer, each token's at its own place."""
        logits = torch.zeros(1, len(self.answered.ids), self.vocabulary)
        places = torch.arange(len(self.answered.ids))
        logits[0, places, torch.from_numpy(self.answered.ids)] = 30.0
        return logits

    def __call__(self, logits: Any) -> Any:
        """The loss, where every token was predicted at its own place."""
        column = torch.arange(logits.shape[1])
        return self.loss(logits, column, [(0, one) for one in self.objects])


def test_the_object_of_an_answer_is_found(tmp_path: Path) -> None:
    task = Task(tmp_path, 1, 0)
    [one] = task.objects
    assert isinstance(one, SoftObject)
    assert len(one.edges) == 4
    assert len(one.codes) == 3
    assert one.edges[-1] + 1 == one.codes[0]
    assert np.unpackbits(one.mask).shape == (CELLS * CELLS,)
    assert np.unpackbits(one.mask).mean() > 0.95  # a square fills its box


def test_right_answers_lose_little_and_wrong_ones_much(tmp_path: Path) -> None:
    task = Task(tmp_path, 1, 1)
    right, blank = task.right(), torch.zeros_like(task.right())
    assert 0 <= float(task(right)) < 0.2
    assert float(task(blank)) > float(task(right)) + 0.3


def test_every_prefix_is_drawn_as_soft_fields_draws_it(tmp_path: Path) -> None:
    task = Task(tmp_path, 1, 0)
    [one] = task.objects
    torch.manual_seed(1)
    logits = torch.randn_like(task.right())
    losses = []
    for count in range(1, 4):
        rows = [
            logits[0, place, torch.from_numpy(task.loss.ids.code_ids(stage))].softmax(0)
            for stage, place in enumerate(one.codes[:count])
        ]
        soft = torch.sigmoid(16 * soft_fields(BOOK, [torch.stack(rows)])[0])
        truth = torch.from_numpy(np.unpackbits(one.mask)).view(CELLS, CELLS).float()
        inter = (soft * truth).sum()
        losses.append(1 - inter / (soft.sum() + truth.sum() - inter))
    torch.testing.assert_close(task(logits), torch.stack(losses).mean(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("masks", "boxes"), [(1, 0), (0, 1)])
def test_gradients_lead_to_the_answer(tmp_path: Path, masks: float, boxes: float) -> None:
    task = Task(tmp_path, masks, boxes)
    logits = (0.1 * task.right()).requires_grad_()
    before = float(task(logits.detach()))
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(60):
        optimizer.zero_grad()
        task(logits).backward()
        assert torch.isfinite(logits.grad).all()
        optimizer.step()
    assert float(task(logits.detach())) < 0.5 * before


def test_no_object_is_no_loss(tmp_path: Path) -> None:
    task = Task(tmp_path, 1, 1)
    logits = task.right().requires_grad_()
    loss = task.loss(logits, torch.arange(logits.shape[1]), [])
    loss.backward()  # type: ignore[no-untyped-call]
    assert not loss.detach().any()


def test_generalised_iou() -> None:
    boxes = torch.tensor([[0, 0, 2, 2], [0, 0, 1, 1], [2, 2, 0, 0]]).float()
    right = torch.tensor([[0, 0, 2, 2], [2, 2, 3, 3], [0, 0, 2, 2]]).float()
    torch.testing.assert_close(generalised_iou(boxes, right), torch.tensor([1, -7 / 9, 1]))


@pytest.mark.parametrize("spec", ["boxgrid", "shapetokens:spelling=digits"])
def test_codecs_without_soft_decoding_are_refused(spec: str) -> None:
    with pytest.raises(MaskCodecError, match="shapetokens"):
        MaskLoss(get_codec(spec), None, 1, 0)


def test_squares_differ() -> None:
    assert not np.array_equal(square(0).array, square(1).array)

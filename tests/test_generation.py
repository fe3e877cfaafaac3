"""Answers in batches and as they grow, and their figures."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from lora_adapters import QUIET, make_examples
from tiny_models import FAMILIES, tiny_model

from maskcodec import Mask, MaskCodecError, RecordError, get_codec, hf
from maskcodec.answer_scores import AnswerScores
from maskcodec.chat import read_answer
from maskcodec.examples import TruthMask
from maskcodec.generation import ContextError, Reply, Segmenter, evaluate, question_of
from maskcodec.streaming import stream_masks
from training.conversation import Conversations

pytestmark = [pytest.mark.filterwarnings(rule) for rule in QUIET]

SPEC = "shapetokens:tokens=2"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_evaluated(family: str, tmp_path: Path) -> None:
    codec = get_codec(SPEC)
    examples = make_examples(tmp_path, SPEC)
    model, processor = tiny_model(family)
    hf.add_tokens(processor, model, codec)
    model.train()
    before = torch.random.get_rng_state()
    result = evaluate(model, processor, examples, codec, batch=3)
    assert model.training
    assert torch.equal(before, torch.random.get_rng_state())
    assert result.count == result.scored == 5
    assert result.invalid_share <= result.cut_share
    assert result.ceiling_giou is not None
    assert result.ceiling_giou > 0.9
    assert result.no_target_share == pytest.approx(0.2)
    assert 0 <= (result.giou or 0) <= 1
    free = evaluate(model, processor, examples, codec, batch=5, constrained=False)
    assert free.invalid_share == 1  # of a random model
    assert free.repairs


def test_batches_answer_as_one_by_one(tmp_path: Path) -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava")
    hf.add_tokens(processor, model, codec)
    questions = [question_of(example, 0) for example in make_examples(tmp_path, SPEC)]
    segmenter = Segmenter(model, processor, codec, labels=["dog"], max_new_tokens=40)
    alone = [segmenter.answer([question])[0] for question in questions]
    assert segmenter.answer(questions) == alone


def test_settings_of_a_model_do_not_spoil_answers(tmp_path: Path) -> None:
    codec = get_codec("text4seg:grid=4,rle=none")
    model, processor = tiny_model("florence2")
    questions = [question_of(example, 0) for example in make_examples(tmp_path, codec.spec, 2)]
    segmenter = Segmenter(model, processor, codec, labels=["dog"], max_new_tokens=120)
    plain = segmenter.answer(questions)
    settings = model.generation_config
    settings.no_repeat_ngram_size = 2  # as Florence-2 and BART have it
    settings.repetition_penalty = 1.5
    settings.num_beams = 3
    settings.min_new_tokens = 60
    assert segmenter.answer(questions) == plain
    settings.forced_bos_token_id = processor.tokenizer.bos_token_id
    settings.forced_eos_token_id = processor.tokenizer.eos_token_id
    for reply in segmenter.answer(questions):
        codec.decode(reply.text, (40, 60), errors="strict")


def test_an_answer_without_room_is_counted_as_cut(tmp_path: Path) -> None:
    codec = get_codec("text4seg:grid=16")
    model, processor = tiny_model("llava")
    examples = make_examples(tmp_path, codec.spec, 2)
    result = evaluate(model, processor, examples, codec, max_new_tokens=5)
    assert result.cut_share == result.invalid_share == 1
    assert result.mean_tokens == 5


def test_a_long_question_takes_no_room_from_others(tmp_path: Path) -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava")
    hf.add_tokens(processor, model, codec)
    model.config.text_config.max_position_embeddings = 60
    short, long = (question_of(example, 0) for example in make_examples(tmp_path, SPEC, 2))
    long = dataclasses.replace(long, messages=[{"role": "user", "content": "0 1 2 3 " * 4}])
    segmenter = Segmenter(model, processor, codec, labels=["dog"], max_new_tokens=30)
    [alone] = segmenter.answer([short])
    rooms = [segmenter.least_room]
    assert segmenter.answer([short, long])[0] == alone
    rooms.append(segmenter.least_room)
    assert rooms[0] is None
    assert 0 < (rooms[1] or 0) < 30
    longest = dataclasses.replace(long, messages=[{"role": "user", "content": "0 1 2 3 " * 40}])
    with pytest.raises(ContextError, match="model's context is 60"):
        segmenter.answer([longest])


def test_conversations_are_asked_turn_by_turn(tmp_path: Path) -> None:
    [example] = make_examples(tmp_path, SPEC, 1, turns=3)
    question = question_of(example, 2)
    assert question.id == "0#3"
    assert [message["role"] for message in question.messages] == ["user", "assistant"] * 2 + [
        "user"
    ]
    codec = get_codec(SPEC)
    model, processor = tiny_model("qwen2_5_vl")
    hf.add_tokens(processor, model, codec)
    assert evaluate(model, processor, [example], codec).count == 3
    model, processor = tiny_model("paligemma")
    hf.add_tokens(processor, model, codec)
    with pytest.raises(MaskCodecError, match="no chat template"):
        evaluate(model, processor, [example], codec)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "florence2"])
def test_what_is_asked_is_what_stood_before_the_answer_in_training(
    family: str, tmp_path: Path
) -> None:
    [example] = make_examples(tmp_path, "text4seg:grid=4", 1)
    model, processor = tiny_model(family)
    segmenter = Segmenter(model, processor, example.codec)
    asked = segmenter.inputs([question_of(example, 0)])["input_ids"][0].tolist()
    taught = Conversations(processor).tokens(example.messages, 1)
    [answer] = taught.answers
    before = taught.ids[taught.spans[:, 1] <= answer.start].tolist()
    assert asked[-len(before) :] == before
    ending = taught.ids[taught.spans[:, 0] >= answer.stop].tolist()
    assert ending[:1] == segmenter.ends[:1]


def test_other_specs_and_lost_images_are_refused(tmp_path: Path) -> None:
    codec = get_codec(SPEC)
    model, processor = tiny_model("llava")
    examples = make_examples(tmp_path, SPEC, 2)
    with pytest.raises(MaskCodecError, match="the model speaks"):
        evaluate(model, processor, examples, get_codec("text4seg"))
    with pytest.raises(MaskCodecError, match="the tokenizer lacks"):
        evaluate(model, processor, examples, codec)
    with pytest.raises(MaskCodecError, match="no examples"):
        evaluate(model, processor, [], codec)
    hf.add_tokens(processor, model, codec)
    (tmp_path / "1.png").unlink()
    with pytest.raises(RecordError, match="no such file"):
        evaluate(model, processor, examples, codec)


def test_figures_are_what_they_say(tmp_path: Path) -> None:
    codec = get_codec("coco_rle")
    examples = make_examples(tmp_path, codec.spec, 4)
    scores = AnswerScores(codec)
    whole = [Mask(np.ones(example.size, np.bool_), "dog") for example in examples]
    answers = [
        examples[0].turns[0].answer,  # right
        codec.encode([whole[1]], examples[1].size),  # the whole image
        codec.encode([], examples[2].size),  # nothing, where something is
        codec.encode([], examples[3].size),  # nothing, and nothing is
    ]
    areas = [sum(mask.area for mask in example.masks()) for example in examples]
    ious = [
        scores.add(read_answer(text, codec, example.size), Reply(text, 3, False), example)
        for text, example in zip(answers, examples, strict=True)
    ]
    assert ious == [1, areas[1] / whole[1].area, 0, 1]
    bad = read_answer("nonsense", codec, (4, 4))
    assert scores.add(bad, Reply("nonsense", 1, True)) is None
    result = scores.result()
    assert result.giou == pytest.approx((2 + areas[1] / whole[1].area) / 4)
    unions = areas[0] + whole[1].area + areas[2]
    assert result.ciou == pytest.approx((areas[0] + areas[1]) / unions)
    assert (result.ceiling_giou, result.ceiling_ciou, result.hits) == (1, 1, 0.5)
    assert (result.count, result.scored) == (5, 4)
    assert result.tasks == {"referring": result.giou}
    words = dataclasses.replace(examples[3].turns[0], form="tagged", answer="It is a dog.")
    said = read_answer("A cat.", codec, examples[3].size, form="tagged")
    in_words = dataclasses.replace(examples[3], turns=(words,))
    assert scores.add(said, Reply("A cat.", 3, False), in_words) is None
    assert scores.result().scored == 4
    assert result.invalid_share == result.cut_share == pytest.approx(0.2)
    assert result.repaired_share == 0
    assert result.mean_tokens == pytest.approx(13 / 5)
    assert result.figures()["repairs"] == dict(result.repairs) != {}


def test_pixels_that_nobody_annotated_count_neither_way(tmp_path: Path) -> None:
    codec = get_codec("coco_rle")
    example = make_examples(tmp_path, codec.spec, 1)[0]
    (target,) = example.masks()
    unsure = np.zeros(example.size, np.bool_)
    unsure[:, : example.size[1] // 2] = True
    example = dataclasses.replace(example, ignore=TruthMask.of(Mask(unsure, "")))
    assert not target.array[unsure].all()
    text = codec.encode([Mask(target.array | unsure, target.label)], example.size)
    scores = AnswerScores(codec)
    read = read_answer(text, codec, example.size)
    assert scores.add(read, Reply(text, 3, False), example) == 1


@pytest.mark.parametrize("spec", [SPEC, "text4seg:grid=6"])
def test_masks_come_while_they_are_printed(spec: str, tmp_path: Path) -> None:
    codec = get_codec(spec)
    model, processor = tiny_model("llava", seed=3)
    hf.add_tokens(processor, model, codec)
    [example] = make_examples(tmp_path, spec, 1)
    question = question_of(example, 0)
    segmenter = Segmenter(model, processor, codec, labels=["dog"], max_new_tokens=80)
    [reply] = segmenter.answer([question])
    steps = list(stream_masks(segmenter, question, example.size))
    assert [step.done for step in steps] == [False] * (len(steps) - 1) + [True]
    assert (steps[-1].text, steps[-1].tokens, steps[-1].cut) == (
        reply.text,
        reply.tokens,
        reply.cut,
    )
    whole = read_answer(reply.text, codec, example.size)
    assert steps[-1].answer.labels == whole.labels
    for step in steps[:-1]:
        assert reply.text.startswith(step.text.rstrip("\ufffd"))


def test_a_stream_that_is_left_stops_the_model(tmp_path: Path) -> None:
    codec = get_codec("text4seg:grid=32")
    model, processor = tiny_model("llava")
    [example] = make_examples(tmp_path, codec.spec, 1)
    segmenter = Segmenter(model, processor, codec, labels=["dog"], max_new_tokens=1500)
    for step in stream_masks(segmenter, question_of(example, 0), example.size):
        assert step.tokens < 200
        break
    model.generation_config = None  # so that generate fails
    with pytest.raises(AttributeError):
        list(stream_masks(segmenter, question_of(example, 0), example.size))

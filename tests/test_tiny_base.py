"""The program that trains the tiny base model, in small; and the models that ship."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from PIL import Image  # noqa: E402

from maskcodec.datasets.scenes import SceneOptions, make_scene  # noqa: E402
from maskcodec.prompts import model_inputs  # noqa: E402
from training import tiny_base, tiny_card, tiny_lessons  # noqa: E402
from training.tiny_model import PATCHES, SIDE, make_processor  # noqa: E402
from training.tiny_tokenizer import number_ids, train_tokenizer  # noqa: E402

BOX = r"\d+ \d+ \d+ \d+"
ANSWER = re.compile(rf"[a-z ]+|\d+|\d+ \d+|([a-z]+ [a-z]+: )?{BOX}(, {BOX})*")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(tiny_lessons.scene_texts(40), 700)


def test_numbers_are_one_token_and_any_text_comes_back(tokenizer: Any) -> None:
    ids = number_ids(tokenizer)
    assert len({k for row in ids for k in row}) == 202
    text = "Größe 12 100, dog: <|b_0001|>\n\t☃ 999"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_a_lesson_is_what_the_processor_makes_of_the_same_chat(tokenizer: Any) -> None:
    scene = make_scene(5, SceneOptions.tiny())
    batch = tiny_lessons.make_batch(tokenizer, [scene])
    processor = make_processor(tokenizer)
    told = [int(k) for k in batch.ids[0]]
    first = told[: told.index(tokenizer.convert_tokens_to_ids("<|assistant|>")) + 1]
    question = tokenizer.decode(first[2 + PATCHES : -1])
    chat = [{"role": "user", "content": question}]
    inputs = model_inputs(processor, [chat], [[Image.fromarray(scene.image)]])
    assert inputs["input_ids"][0].tolist() == first
    assert torch.allclose(inputs["pixel_values"][0], batch.pixels[0], atol=1e-6)


def test_only_answers_are_taught_and_none_shows_a_mask(tokenizer: Any) -> None:
    for seed in range(30):
        scene = make_scene(seed, SceneOptions.tiny())
        batch = tiny_lessons.make_batch(tokenizer, [scene])
        taught = batch.labels[0] >= 0
        assert (batch.labels[0][taught] == batch.ids[0][taught]).all()
        text = tokenizer.decode(batch.ids[0])
        answers = [part.split("<|end|>")[0] for part in text.split("<|assistant|>")[1:]]
        assert sum(len(tokenizer.encode(a, add_special_tokens=False)) + 1 for a in answers) == int(
            taught.sum()
        )
        assert all(ANSWER.fullmatch(answer) for answer in answers), answers


def test_patches_are_asked_about_the_object_in_whose_box_they_lie(tokenizer: Any) -> None:
    scene = make_scene(3, SceneOptions.tiny())
    looks = tiny_lessons.make_batch(tokenizer, [scene]).looks[0].reshape(8, 8, 6)
    inside = np.zeros((8, 8), bool)
    for thing in scene.objects:
        left, top, right, bottom = thing.box
        for row in range(8):
            for column in range(8):
                y, x = 8 * row + 4, 8 * column + 4
                inside[row, column] |= top <= y < bottom and left <= x < right
    assert ((looks[:, :, 0] >= 0).numpy() == inside).all()
    edges = {tuple(look[2:].tolist()) for look in looks[looks[:, :, 0] >= 0]}
    boxes = {tuple(round(100 * edge / SIDE) for edge in thing.box) for thing in scene.objects}
    assert edges <= boxes


def test_training_goes_on_after_a_stop_and_gives_the_same_model(tmp_path: Path) -> None:
    common = ["--look-steps", "2", "--batch", "2", "--seed", "3"]
    for name, stops in (("once", [4]), ("twice", [1, 4])):
        for talk in stops:
            # A run that was told fewer steps stands for one that was stopped there; the rate
            # would differ with the number of steps, so that it is held.
            folder = tmp_path / name
            options = tiny_base.make_parser().parse_args(
                [*common, "--talk-steps", str(talk), "--output", str(folder / f"out{talk}"),
                 "--work", str(folder / "work")]
            )  # fmt: skip
            options.words, options.texts = 700, 40
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(tiny_base, "pace", lambda step, options: 1.0)
                patch.setattr(tiny_card, "measure", lambda model, processor: {"locate": 0.5})
                tiny_base.run(options)
    weights = [
        (tmp_path / name / "out4/model.safetensors").read_bytes() for name in ("once", "twice")
    ]
    assert weights[0] == weights[1]
    assert "0.500" in (tmp_path / "once/out4/README.md").read_text()
    config = json.loads((tmp_path / "once/out4/config.json").read_text())
    assert config["model_type"] == "llava"


def test_what_is_there_is_kept_and_damage_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep me")
    work = tmp_path / "work"
    assert tiny_base.main(["--output", str(tmp_path / "mine"), "--work", str(work)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    work.mkdir()
    (work / "checkpoint.pt").write_bytes(b"PK\x03\x04 half a checkpoint")
    argv = ["--output", str(tmp_path / "new"), "--work", str(work), "--texts", "40"]
    assert tiny_base.main(argv) == 2
    assert re.search(r"checkpoint.pt is no checkpoint .* remove it", capsys.readouterr().err)
    assert not (tmp_path / "new").exists()

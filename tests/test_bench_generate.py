"""`maskcodec bench generate`: right answers replayed, rules timed, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("xgrammar")

from training_files import write_examples  # noqa: E402

from benchmarks import document as documents  # noqa: E402
from benchmarks import generate, generate_cases, generate_page  # noqa: E402
from benchmarks.generate_asked import Asked, labels, of_scenes  # noqa: E402
from benchmarks.generate_cases import Bench, short  # noqa: E402
from benchmarks.generate_replay import (  # noqa: E402
    Replay,
    Replayer,
    answer_ids,
    first_seconds,
    rule_times,
)
from benchmarks.generate_tokenizer import load, named  # noqa: E402
from maskcodec import MaskCodecError, cli, get_codec, hf  # noqa: E402
from maskcodec.errors import RecordError  # noqa: E402
from maskcodec.shipped import shipped_folder  # noqa: E402

SPEC = "boxgrid:rows=2"
TOKENS = "shapetokens:tokens=4,boxes=1"


@pytest.fixture(scope="module")
def asked() -> list[Asked]:
    return of_scenes(3, 6)


@pytest.fixture(scope="module")
def replayer(asked: list[Asked]) -> Replayer:
    model, processor = hf.load_model("tiny")
    return Replayer(model, processor, get_codec(SPEC), labels(asked))


def tokenizer_file() -> Path:
    folder = shipped_folder("tiny")
    assert folder is not None
    return folder / "tokenizer.json"


def test_a_replay_leaves_the_right_id_alone() -> None:
    replay = Replay([[5, 7, 2], [6, 2]], prompt_length=3)
    scores = torch.zeros((2, 9))
    left = replay(torch.zeros((2, 3)), scores)
    assert (left > -torch.inf).nonzero().tolist() == [[0, 5], [1, 6]]
    scores[1] = -torch.inf  # no matter where the row has ended
    left = replay(torch.zeros((2, 5)), scores)
    assert (left > -torch.inf).nonzero().tolist() == [[0, 2], [1, 2]]
    with pytest.raises(MaskCodecError, match="bars id 2 of a right answer, after 1 of its 2"):
        replay(torch.zeros((2, 4)), scores)


def test_a_model_prints_the_right_answers_both_ways(replayer: Replayer, asked: list[Asked]) -> None:
    free, held = (replayer.run(asked, 2, held=held) for held in (False, True))
    answers = replayer.ids(asked)
    assert free.tokens == held.tokens == sum(map(len, answers))
    assert free.steps == held.steps == max(map(len, answers[:2])) + len(answers[2])
    assert free.masks == 3
    assert free.rule == 0 < held.rule < held.seconds


def test_a_rule_that_bars_right_answers_is_found_out(
    replayer: Replayer, asked: list[Asked]
) -> None:
    other = Replayer(replayer.model, replayer.processor, replayer.codec, ["grey teapot"])
    with pytest.raises(MaskCodecError, match="bars id"):
        other.run(asked[:1], 1, held=True)
    with pytest.raises(MaskCodecError, match="bars id"):
        rule_times(other.rule, other.ids(asked[:1]), len(other.processor.tokenizer), 1)


def test_a_rule_alone_takes_as_many_steps(replayer: Replayer, asked: list[Asked]) -> None:
    answers = replayer.ids(asked)
    lengths = list(map(len, answers))
    for batch, steps in (
        (len(answers), max(lengths)),
        (1, sum(lengths)),
        (2, max(lengths[:2]) + lengths[2]),
    ):
        times = rule_times(replayer.rule, answers, len(replayer.processor.tokenizer), batch)
        assert times.steps == steps
        assert times.tokens == sum(lengths)
        assert times.seconds == times.rule > 0


def test_answers_decode_to_what_was_asked(replayer: Replayer, asked: list[Asked]) -> None:
    codec = replayer.codec
    ids = answer_ids(replayer.processor, codec, asked)
    texts = [replayer.processor.tokenizer.decode(one) for one in ids]
    for text, one in zip(texts, asked, strict=True):
        [mask] = codec.decode(text, one.size).masks
        assert mask.label == one.masks[0].label


def test_all_of_it_and_again_without_measuring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = [
        *("--specs", SPEC, "--count", "2", "--batch", "3", "--repeat", "1", "--threads", "1"),
        *("--model", "tiny", "tiny-masks", "--tokenizer", f"small={tokenizer_file()}"),
        *("--json", str(tmp_path / "g.json"), "--html", str(tmp_path / "g.html"), "--quiet"),
    ]
    assert cli.main(["bench", "generate", *flags]) == 0
    document = documents.read(tmp_path / "g.json", "generate")
    found = {(one["name"]["kind"], one["name"]["model"]): one for one in document["results"]}
    assert set(found) == {
        ("right", "tiny"), ("right", "tiny-masks"), ("its own", "tiny-masks"),
        ("rule alone", "small"),
    }  # fmt: skip
    assert len(document["results"]) == 5  # its own answers twice: free and held
    right = found["right", "tiny"]["figures"]
    assert right["tokens_mask"] == found["rule alone", "small"]["figures"]["tokens_mask"]
    assert right["held_step_ms"] > right["rule_ms"] > 0
    assert right["vocabulary"] > 800
    # Two answers at a time are all that there are, whatever batch was asked for.
    assert {one["name"]["batch"] for one in document["results"]} == {2}
    assert right["rule_row_us"] == pytest.approx(500 * right["rule_ms"])
    masks = found["right", "tiny-masks"]
    assert masks["name"]["codec"] == TOKENS
    assert masks["figures"]["tokens_mask"] == 13  # label, colon, four edges, four codes, end
    own = found["its own", "tiny-masks"]["figures"]
    assert own["giou"] > 0.5
    assert own["invalid"] == 0
    page = (tmp_path / "g.html").read_text()
    assert "An adapter&#x27;s own answers" in page
    assert "<script" not in page
    out = capsys.readouterr().out
    assert out == generate_page.text_table(document) + "\n"

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(Bench, "replayed", refuse)
    monkeypatch.setattr(Bench, "own", refuse)
    monkeypatch.setattr(Bench, "ruled", refuse)
    assert cli.main(["bench", "generate", *flags, "--resume"]) == 0
    assert documents.read(tmp_path / "g.json")["results"] == document["results"]


def test_what_one_codec_can_not_costs_only_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_examples(tmp_path / "files", SPEC, 3)
    flags = [
        *("--examples", str(path), "--specs", "coco_rle", "text4seg:grid=64,rle=none", SPEC),
        *("--model", "tiny", "--batch", "1", "--count", "1", "--repeat", "1"),
        *("--json", str(tmp_path / "g.json"), "--quiet"),
    ]
    assert generate.main(flags) == 1
    said = capsys.readouterr().err
    assert "coco_rle is left out: it has no grammar" in said
    assert "leaves" in said
    assert "of the model's context" in said
    [one] = documents.read(tmp_path / "g.json")["results"]
    assert one["name"]["codec"] == SPEC


def test_an_answer_that_is_barred_costs_only_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_but_the_first(asked: list[Asked]) -> list[str]:
        return [label for label in labels(asked) if label != asked[0].masks[0].label]

    monkeypatch.setattr(generate_cases, "labels", all_but_the_first)
    flags = [
        *("--model", "tiny", "--tokenizer", f"small={tokenizer_file()}", "--specs", SPEC),
        *("--count", "3", "--batch", "3", "--repeat", "1", "--quiet"),
        *("--json", str(tmp_path / "g.json")),
    ]
    assert generate.main(flags) == 1
    said = capsys.readouterr().err
    assert said.count(f"{SPEC}: the rule bars id ") == 2
    assert said.count("; 1 of 3 answers are left out") == 2
    results = documents.read(tmp_path / "g.json")["results"]
    assert [one["figures"]["answers"] for one in results] == [2, 2]


def test_a_rule_alone_goes_through_all_answers_whatever_the_batch(tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    flags = ["--tokenizer", f"a={tokenizer_file()}", "--specs", SPEC, "--repeat", "1", "--quiet"]
    more = ["--count", "3", "--batch", "1", "2", "--json", str(path)]
    assert generate.main([*flags, *more]) == 0
    results = documents.read(path)["results"]
    assert [one["name"]["batch"] for one in results] == [1, 2]
    assert [one["figures"]["answers"] for one in results] == [3, 3]
    assert len({one["figures"]["tokens_mask"] for one in results}) == 1


def test_an_interrupted_run_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, batch: int = 1, **__: Any) -> dict[str, float]:
        if stop.calls:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        stop.calls = True  # type: ignore[attr-defined]
        return {"rule_ms": 1.0}

    stop.calls = False  # type: ignore[attr-defined]
    monkeypatch.setattr(Bench, "ruled", stop)
    path = tmp_path / "g.json"
    flags = ["--tokenizer", f"a={tokenizer_file()}", "--specs", SPEC, "--count", "2", "--quiet"]
    assert generate.main([*flags, "--json", str(path)]) == 130
    document = json.loads(path.read_text())
    assert document["interrupted"] is True
    assert len(document["results"]) == 1


def test_one_that_is_interrupted_at_once_leaves_an_older_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any, **__: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Bench, "ruled", stop)
    path = tmp_path / "g.json"
    path.write_text("what was measured before")
    flags = ["--tokenizer", f"a={tokenizer_file()}", "--specs", SPEC, "--count", "1", "--quiet"]
    assert generate.main([*flags, "--json", str(path)]) == 130
    assert path.read_text() == "what was measured before"
    assert "nothing could be measured" not in capsys.readouterr().err


def test_what_a_process_loads_once_is_no_codecs_first_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began: list[str] = []
    monkeypatch.setattr(generate_cases, "start_engine", lambda: began.append("engine"))

    def ruled(*_: Any) -> dict[str, float]:
        began.append("case")
        return {"rule_ms": 1.0}

    monkeypatch.setattr(Bench, "ruled", ruled)
    flags = ["--tokenizer", f"a={tokenizer_file()}", "--specs", SPEC, "--count", "1", "--quiet"]
    assert generate.main(flags) == 0
    assert began[0] == "engine"
    assert began.count("engine") == 1


def test_the_engine_is_started_by_a_whole_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[float] = []

    def first(*given: Any) -> float:
        taken.append(first_seconds(*given))
        return taken[-1]

    monkeypatch.setattr(generate_cases, "first_seconds", first)
    generate_cases.start_engine()
    assert len(taken) == 1
    assert "xgrammar" in sys.modules


def test_specs_are_named_shortly() -> None:
    assert short(get_codec(TOKENS).spec) == TOKENS
    assert short("boxgrid") == "boxgrid"
    assert short(get_codec("text4seg").spec) == "text4seg"


@pytest.mark.parametrize("entry", ["qwen3", "=x", "a=", "a=no/such.json"])
def test_a_tokenizer_is_a_name_and_a_file(entry: str) -> None:
    with pytest.raises(MaskCodecError, match="--tokenizer"):
        named([entry])


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": 1}')
    with pytest.raises(MaskCodecError, match="is no tokenizer"):
        load(path)


def test_a_file_without_masks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": "1"}\n')
    with pytest.raises(RecordError):
        Bench(generate.make_parser().parse_args(["--examples", str(path)]))


def test_resuming_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--resume"]) == 2
    assert "--resume needs --json" in capsys.readouterr().err


def test_another_tokenizer_of_the_same_name_is_not_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "tokenizer.json"
    other.write_bytes(tokenizer_file().read_bytes() + b"\n")
    json_file = tmp_path / "g.json"
    flags = ["--specs", SPEC, "--count", "1", "--batch", "1", "--repeat", "1", "--quiet"]
    flags += ["--json", str(json_file)]
    assert generate.main([*flags, "--tokenizer", f"q={tokenizer_file()}"]) == 0
    before = json_file.read_bytes()
    assert generate.main([*flags, "--tokenizer", f"q={other}", "--resume"]) == 2
    assert "was measured with another tokenizers" in capsys.readouterr().err
    assert json_file.read_bytes() == before


def test_a_codec_without_a_grammar_is_left_out_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--tokenizer", f"a={tokenizer_file()}", f"b={tokenizer_file()}", "--specs", "coco_rle"]
    bench = Bench(generate.make_parser().parse_args(asked))
    assert not [*bench.cases()]
    assert capsys.readouterr().err.count("coco_rle is left out: it has no grammar") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--model", "tiny", "--specs", SPEC, "--device", "cuda"]) == 2
    assert "device cuda: torch says" in capsys.readouterr().err


def test_counts_are_printed_whole() -> None:
    document = documents.start("generate", [])
    name: documents.Name = {"kind": "rule alone", "model": "q", "codec": SPEC, "batch": 1}
    documents.add(document, name, {"answers": 16, "vocabulary": 151_669, "rule_ms": 0.12345})
    assert " 151,669 " in generate_page.text_table(document)
    assert " 0.1235 " in generate_page.text_table(document)

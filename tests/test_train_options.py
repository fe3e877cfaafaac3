"""Options of `maskcodec train`: YAML, flags, and what either refuses."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from maskcodec import RecordError
from maskcodec.commands.train_options import (
    FIELDS,
    TrainOptions,
    add_options,
    checked,
    read_options,
)

pytest.importorskip("yaml")


def flags(*argv: str) -> dict[str, object]:
    """What was given on the command line."""
    parser = argparse.ArgumentParser()
    add_options(parser)
    return vars(parser.parse_args(argv))


def test_flags_win_over_yaml_and_both_over_defaults(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("lr: 2e-3\nrank: 8\ndata: a.jsonl\nvision-lora: true\nsteps: 10.0\n")
    found = read_options(flags("--rank", "4", "--where-weight", "4"), str(path))
    expected = TrainOptions(
        lr=2e-3, rank=4, data=["a.jsonl"], vision_lora=True, steps=10, where_weight=4
    )
    assert found == expected
    assert found.changed()["rank"] == 4
    assert read_options({}, None) == TrainOptions()


def test_a_flag_can_undo_a_yes(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("vision_lora: true\n")
    assert not read_options(flags("--no-vision-lora"), str(path)).vision_lora


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("# nothing\n")
    assert read_options({}, str(path)) == TrainOptions()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("lerning_rate: 1", "is no option"),
        ("rnak: 4", 'did you mean "rank"'),
        ("where-wieght: 4", 'did you mean "where_weight"'),
        ("rank: 0", "expected 1 to 1024"),
        ("rank: 1.5", "whole number"),
        ("rank: many", "expected a number"),
        ("lr: .nan", "expected a number"),
        ("vision_lora: 1", "true or false"),
        ("schedule: cosin", "cosine, linear, constant"),
        ("data: 3", "list of names"),
        ("model: [a]", "expected text"),
        ("[1, 2]", "KEY: VALUE"),
        ("a: [", "is no YAML"),
        ("lr: !!python/object/apply:os.getcwd []", "is no YAML"),
    ],
)
def test_what_yaml_can_not_say(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(RecordError, match=reason) as caught:
        read_options({}, str(path))
    assert "run.yaml" in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such file"):
        read_options({}, str(tmp_path / "run.yaml"))


@pytest.mark.parametrize("argv", [("--rank", "0"), ("--lr", "x"), ("--schedule", "no")])
def test_flags_are_checked_alike(argv: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        flags(*argv)
    assert argv[0] in capsys.readouterr().err


def test_every_default_is_valid() -> None:
    default = TrainOptions()
    for name, one in FIELDS.items():
        value = getattr(default, name)
        if value not in ("", []):
            assert checked(name, value) == value
        assert one.metadata["help"]

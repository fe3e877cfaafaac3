"""Token counts: true counts of real tokenizers, and clear errors where there is none."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from maskcodec import MaskCodecError
from maskcodec.tokens import _gpt4o, default_counter, load_counter
from maskcodec.vocab import Vocab


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """A tokenizer of words that adds an end token, and pads and cuts to five tokens."""
    words = {"[UNK]": 0, "[END]": 1, "[PAD]": 2, "dog": 3, "cat": 4}
    made = Tokenizer(WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(single="$A [END]", special_tokens=[("[END]", 1)])
    made.enable_padding(length=5, pad_id=2, pad_token="[PAD]")
    made.enable_truncation(5)
    path = tmp_path / "tokenizer.json"
    made.save(str(path))
    return path


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("dog", 1), ("dog cat zebra", 3), ("dog " * 40, 40)]
)
def test_counts_what_the_text_is_and_nothing_else(tokenizer: Path, text: str, count: int) -> None:
    assert load_counter(tokenizer).count(text) == count
    assert load_counter(tokenizer.parent).count(text) == count  # its folder will do


@pytest.mark.parametrize(
    ("text", "count"),
    # Known splits of o200k_base: digits in groups of up to three, a space joins the next word.
    [("", 0), ("hello world", 2), ("123456", 2), ("1234567", 3), ("dog *16", 3)],
)
def test_gpt4o_counts(text: str, count: int) -> None:
    assert load_counter("gpt4o").count(text) == count


def test_text_that_looks_like_a_special_token_is_text() -> None:
    assert load_counter("gpt4o").count("<|endoftext|>") > 1


def test_half_a_surrogate_pair_counts_as_a_replacement_character(tokenizer: Path) -> None:
    for counter in (load_counter("gpt4o"), load_counter(tokenizer)):
        assert counter.count("a\ud800b") == counter.count("a\ufffdb")
        assert counter.count("\U0001f600") == counter.count("\ud83d\ude00")


ADDED = Vocab(("<|m_0|>", "<|m_0|>1", "<x>"))


@pytest.mark.parametrize(
    ("text", "pieces"),
    # The longest token that fits is taken; what stands between is counted as ever.
    [
        ("<|m_0|><x><|m_0|>", ["", "", "", ""]),
        ("<|m_0|>1<x>", ["", "", ""]),
        ("dog <x> cat", ["dog ", " cat"]),
        ("", [""]),
        ("<x", ["<x"]),
    ],
)
def test_added_tokens_count_one_each(tokenizer: Path, text: str, pieces: list[str]) -> None:
    for counter in (load_counter(tokenizer), load_counter("gpt4o")):
        expected = sum(map(counter.count, pieces)) + len(pieces) - 1
        grown = counter.adding(ADDED)
        assert grown.count(text) == expected
        assert grown.name == counter.name
        assert counter.adding(Vocab()).count(text) == counter.count(text)


def test_tokens_can_be_added_twice_and_leave_the_counter_as_it_was() -> None:
    counter = load_counter("gpt4o")
    both = counter.adding(Vocab(("<a>",))).adding(ADDED)
    assert both.count("<a><|m_0|>") == 2
    assert counter.count("<a><|m_0|>") > 2


def test_name_says_what_counts(tokenizer: Path) -> None:
    assert load_counter("gpt4o").name == "gpt4o"
    assert load_counter(tokenizer).name == str(tokenizer)
    default = default_counter()
    assert default is not None
    assert default.name == "gpt4o"


def test_a_missing_file_is_an_error_that_names_the_choices(tmp_path: Path) -> None:
    with pytest.raises(MaskCodecError, match=r"no such file.*tokenizer\.json.*'gpt4o'"):
        load_counter(tmp_path / "none.json")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"model": 3}'])
def test_a_file_that_is_no_tokenizer_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(MaskCodecError, match=r"is no Hugging Face tokenizer\.json"):
        load_counter(path)


def test_missing_packages_are_errors_with_the_fix(
    tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    monkeypatch.setitem(sys.modules, "bpe_openai", None)
    _gpt4o.cache_clear()
    with pytest.raises(
        MaskCodecError, match=r"package tokenizers; pip install 'maskcodec\[tokens\]'"
    ):
        load_counter(tokenizer)
    with pytest.raises(
        MaskCodecError, match=r"package bpe-openai; pip install 'maskcodec\[tokens\]'"
    ):
        load_counter("gpt4o")


def test_there_is_no_default_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert default_counter() is None

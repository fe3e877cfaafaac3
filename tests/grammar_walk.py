"""Walks through a grammar, byte by byte, with the two engines that serve models today."""

from __future__ import annotations

import functools
import random
from typing import Any

import llguidance
import numpy as np
import numpy.typing as npt
import torch
import xgrammar
from llguidance.gbnf_to_lark import any_to_lark

END = 256
"""The id of the end-of-text token; the ids below are the bytes."""

_WORDS = 9
"""int32 words of a bit mask over 257 tokens."""


@functools.cache
def _compiler() -> xgrammar.GrammarCompiler:
    vocabulary = [bytes([byte]) for byte in range(256)] + [b"<end>"]
    info = xgrammar.TokenizerInfo(
        vocabulary, xgrammar.VocabType.RAW, vocab_size=END + 1, stop_token_ids=[END]
    )
    return xgrammar.GrammarCompiler(info, max_threads=1)


def matcher(grammar: str) -> xgrammar.GrammarMatcher:
    """An xgrammar matcher at the start of `grammar`."""
    return xgrammar.GrammarMatcher(_compiler().compile_grammar(grammar))


def allowed(state: xgrammar.GrammarMatcher) -> npt.NDArray[np.intp]:
    """The token ids that may come next."""
    mask = torch.full((1, _WORDS), -1, dtype=torch.int32)
    state.fill_next_token_bitmask(mask)
    bits = np.unpackbits(mask.numpy().view(np.uint8), bitorder="little")[: END + 1]
    return np.flatnonzero(bits)


def accepts(grammar: str, text: str) -> bool:
    """Whether xgrammar accepts `text` as a whole."""
    state = matcher(grammar)
    return all(state.accept_token(byte) for byte in text.encode()) and END in allowed(state)


def random_text(grammar: str, seed: int, longest: int = 4_000) -> str | None:
    """A text of the grammar, each byte chosen at random among the allowed ones.

    None where the walk was not over after `longest` bytes.
    """
    chance = random.Random(seed)
    state = matcher(grammar)
    text = bytearray()
    while len(text) < longest:
        choices = allowed(state).tolist()
        assert choices, f"dead end after {bytes(text)!r}"
        token = END if END in choices and chance.random() < 0.3 else chance.choice(choices)
        if token == END:
            return text.decode()
        assert state.accept_token(token)
        text.append(token)
    return None


class _Bytes:
    """A tokenizer of bytes, as llguidance wants to see one."""

    eos_token_id = END
    bos_token_id = None
    unk_token_id = None
    tokens = tuple([bytes([byte]) for byte in range(256)] + [b"<end>"])
    special_token_ids = (END,)

    def __call__(self, text: str | bytes) -> list[int]:
        return list(text.encode() if isinstance(text, str) else text)


@functools.cache
def _llguidance_tokenizer() -> Any:
    return llguidance.LLTokenizer(llguidance.TokenizerWrapper(_Bytes()))


@functools.lru_cache(maxsize=8)
def _llguidance_start(grammar: str) -> Any:
    state = llguidance.LLMatcher(
        _llguidance_tokenizer(),
        llguidance.LLMatcher.grammar_from_lark(any_to_lark(grammar)),
    )
    assert not state.is_error(), state.get_error()
    return state


def llguidance_accepts(grammar: str, text: str) -> bool:
    """Whether llguidance accepts `text` as a whole."""
    state = _llguidance_start(grammar).deep_copy()
    return bool(state.consume_tokens(list(text.encode()))) and bool(state.is_accepting())

"""xgrammar, which holds answers to a grammar, and the tokens that it forgets.

At each step the engine says for every token of a vocabulary whether it may come next. To be quick
it sorts the vocabulary, so that tokens with a common beginning stand together, and where a token
can't come next it passes over all that begin with it. Version 0.2.8 asks wrongly which those are:
it passes over neighbours that *contain* the token anywhere. Where "ple" stands just before
"purple" and can't come next, "purple" is barred, though the same engine accepts it when it is fed;
a right answer would have to be spelt in pieces that no model was taught. A vocabulary has few such
neighbours, 3 of 879 in the tiny one and 9 of 151,669 in Qwen3's. So they are found once, and where
they are barred the engine is asked again, by feeding them.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import MaskCodecError

INSTALL = "pip install 'maskcodec[grammar]'"


@dataclass(frozen=True, eq=False)
class Engine:
    """xgrammar for one vocabulary.

    Attributes:
        compiler: makes grammars ready for the vocabulary.
        texts: what each id says, in bytes, for some are parts of a letter.
        skipped: ids that it may bar although they may come next, see above.
    """

    compiler: Any
    texts: tuple[bytes, ...]
    skipped: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Any, vocabulary: int, ends: tuple[int, ...]) -> Engine:
        """The engine for a tokenizer; the latest ones are kept, for they take seconds to make.

        Args:
            tokenizer: of transformers.
            vocabulary: how many logits there are.
            ends: ids that end an answer.

        Raises:
            MaskCodecError: xgrammar is not installed.
        """
        return _engine(tokenizer, len(tokenizer), vocabulary, ends)


def load_xgrammar(why: str) -> Any:
    """The package.

    Raises:
        MaskCodecError: it is not installed, and `why` needs it.
    """
    try:
        import xgrammar
    except ImportError:
        raise MaskCodecError(
            f"{why}: constrained decoding needs the package xgrammar: {INSTALL}; "
            "or let answers be free"
        ) from None
    return xgrammar


def skipped_tokens(texts: Sequence[bytes], apart: Collection[int] = ()) -> list[int]:
    """Ids of the tokens that xgrammar passes over together with one that they don't begin with.

    Args:
        texts: what each id says.
        apart: special ids and ends, which the engine does not sort among the others.
    """
    found = []
    # Tokens that still take their neighbours with them, the last one at hand; and whether it or
    # one above it is no beginning of what it takes.
    above: list[tuple[bytes, bool]] = []
    last, is_wrong = b"", False
    for number in sorted(set(range(len(texts))).difference(apart), key=texts.__getitem__):
        text = texts[number]
        while last not in text:
            last, is_wrong = above.pop()
        above.append((last, is_wrong))
        is_wrong = is_wrong or not text.startswith(last)
        if is_wrong:
            found.append(number)
        last = text
    return found


@functools.lru_cache(maxsize=4)
def _engine(
    tokenizer: Any,
    _: int,  # tokens may be added to a tokenizer that was here before
    vocabulary: int,
    ends: tuple[int, ...],
) -> Engine:
    xgrammar = load_xgrammar(type(tokenizer).__name__)
    info = xgrammar.TokenizerInfo.from_huggingface(
        tokenizer, vocab_size=vocabulary, stop_token_ids=list(ends)
    )
    apart = {*info.special_token_ids, *ends}
    texts = tuple(info.decoded_vocab)
    skipped = skipped_tokens(texts, apart)
    compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
    return Engine(compiler, texts, tuple(skipped))

"""Counting the tokens of texts with a real vocabulary; nothing is estimated under that name.

Two sources: any Hugging Face `tokenizer.json`, read by the package `tokenizers`, and OpenAI's
`o200k_base` (GPT-4o), which the package `bpe-openai` carries in its wheel, so that a machine
without a model hub can count as well.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from .errors import MaskCodecError
from .shipped import shipped_folder
from .vocab import Vocab

Count: TypeAlias = Callable[[str], int]

GPT4O = "gpt4o"
"""The name that stands for OpenAI's o200k_base vocabulary."""

GPT4O_EASY = 40_000
"""Characters that are never too many tokens for the package's own interface."""

VOCABULARIES = 16
"""Tokenizers with the tokens of different codecs added that are kept at a time."""

INSTALL = "pip install 'maskcodec[tokens]'"


class TokenCounter:
    """Counts the tokens of texts; special tokens such as an end of text are not added.

    Attributes:
        name: `"gpt4o"`, or the path of the `tokenizer.json` as it was given.
    """

    def __init__(
        self, name: str, make: Callable[[tuple[str, ...]], Count], added: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self._make = make
        self._added = added
        self._count = make(added)

    def count(self, text: str) -> int:
        """How many tokens `text` is; half a surrogate pair counts as `U+FFFD` does."""
        return self._count(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))

    def adding(self, vocab: Vocab) -> TokenCounter:
        """A counter for a tokenizer to which the tokens of a codec were added: each counts one."""
        if not vocab:
            return self
        return TokenCounter(self.name, self._make, (*self._added, *vocab.tokens))


def load_counter(tokenizer: str | Path) -> TokenCounter:
    """Make a counter.

    Args:
        tokenizer: `"gpt4o"`, or the path of a `tokenizer.json` (or of a folder that holds one).

    Raises:
        MaskCodecError: the package that is needed is not installed, or the file is missing or no
            tokenizer.
    """
    if str(tokenizer) == GPT4O:
        return _gpt4o()
    return _hugging_face(Path(tokenizer), str(tokenizer))


def default_counter() -> TokenCounter | None:
    """The counter that needs no file, `gpt4o`; None where its package is not installed."""
    return _gpt4o() if importlib.util.find_spec("bpe_openai") else None


@functools.cache
def _gpt4o() -> TokenCounter:
    with warnings.catch_warnings():  # it reads its vocabulary by a call deprecated in 3.11 and 3.12
        warnings.simplefilter("ignore", DeprecationWarning)
        package = _import("bpe_openai", "bpe-openai", GPT4O)
        encoding = package.get_encoding("o200k_base")

    def count(text: str) -> int:
        if len(text) > GPT4O_EASY:
            return _unlimited_gpt4o(text)
        return len(encoding.encode_ordinary(text))

    @functools.lru_cache(maxsize=VOCABULARIES)
    def make(added: tuple[str, ...]) -> Count:
        if not added:
            return count
        # The longest that fits, as Hugging Face's tokenizers choose.
        longest_first = sorted(added, key=len, reverse=True)
        pattern = re.compile(f"({'|'.join(map(re.escape, longest_first))})")

        def count_with_added(text: str) -> int:
            pieces = pattern.split(text)
            return len(pieces) // 2 + sum(map(count, pieces[::2]))

        return count_with_added

    return TokenCounter(GPT4O, make)


def _unlimited_gpt4o(text: str) -> int:
    """By the package's inner tokenizer, since its wrapper refuses texts of a million characters or
    of 200,000 tokens.
    """
    package = _import("bpe_openai._bindings", "bpe-openai", GPT4O)
    count: int = package.tokenizer_for_encoding("o200k_base").count(text)
    return count


def _hugging_face(path: Path, name: str) -> TokenCounter:
    path = shipped_folder(name) or path
    if path.is_dir():
        path = path / "tokenizer.json"
    if not path.is_file():
        raise MaskCodecError(
            f"{name}: no such file; give the path of a tokenizer.json, or the name {GPT4O!r}"
        )
    package = _import("tokenizers", "tokenizers", name)
    make = functools.partial(_hugging_face_count, package, path, name)
    return TokenCounter(name, functools.lru_cache(maxsize=VOCABULARIES)(make))


def _hugging_face_count(package: Any, path: Path, name: str, added: tuple[str, ...]) -> Count:
    try:
        tokenizer = package.Tokenizer.from_file(str(path))
    except Exception as error:  # the Rust side raises bare Exception
        raise MaskCodecError(f"{name}: is no Hugging Face tokenizer.json: {error}") from None
    # A file may carry padding or truncation, which would count what is not in the text.
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.add_tokens(list(added))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


def _import(module: str, package: str, name: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise MaskCodecError(
            f"{name}: counting tokens needs the package {package}; {INSTALL}"
        ) from None

"""The tokenizer of the tiny base model: words of scenes, whole numbers to 100, all bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

START, END, PAD = "<|start|>", "<|end|>", "<|pad|>"
USER, ASSISTANT, IMAGE = "<|user|>", "<|assistant|>", "<image>"
SPECIAL = (PAD, START, END, USER, ASSISTANT, IMAGE)

NUMBERS = 101
"""Numbers 0 to 100, with and without a blank before them, are one token each."""

CHAT_TEMPLATE = """\
{{- bos_token -}}
{%- for message in messages -%}
{{- '<|' + message['role'] + '|>' -}}
{%- if message['role'] == 'assistant' -%}
{%- generation -%}{%- if message['content'] is string -%}{{- message['content'] -}}\
{%- else -%}{%- for part in message['content'] -%}{{- part['text'] -}}{%- endfor -%}{%- endif -%}\
{{- eos_token -}}{%- endgeneration -%}
{%- elif message['content'] is string -%}{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'image' -%}<image>{%- else -%}{{- part['text'] -}}{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}<|assistant|>{%- endif -%}
"""
"""`<|start|><|user|><image>QUESTION<|assistant|>ANSWER<|end|><|user|>…`."""


def train_tokenizer(texts: Iterable[str], words: int) -> Any:
    """A byte-level BPE tokenizer as transformers loads it.

    Args:
        texts: questions and answers of scenes.
        words: tokens besides the special ones, bytes and numbers included.

    Returns:
        A `PreTrainedTokenizerFast`. Any text at all is tokens and back again, byte for byte.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    parts = Regex(r" ?\p{L}+| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(parts, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(SPECIAL) + words,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    corpus = list(texts)
    # Often enough that each number is merged before any rare word is.
    corpus += [text for k in range(NUMBERS) for text in (str(k), f"a {k}")] * max(1, len(corpus))
    tokenizer.train_from_iterator(corpus, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        extra_special_tokens={
            "image_token": IMAGE,
            "user_token": USER,
            "assistant_token": ASSISTANT,
        },
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
    )


def number_ids(tokenizer: Any) -> list[list[int]]:
    """The ids of numbers 0 to 100: first as they begin a text, then after a blank.

    Raises:
        ValueError: a number is not one token.
    """
    found = []
    for blank in ("", " "):
        rows = [tokenizer.encode(f"{blank}{k}", add_special_tokens=False) for k in range(NUMBERS)]
        if any(len(row) != 1 for row in rows):
            raise ValueError("a number is not one token: give the tokenizer more words")
        found.append([row[0] for row in rows])
    return found

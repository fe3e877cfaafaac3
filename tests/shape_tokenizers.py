"""Small tokenizers that fit `shapetokens`, each with the constraint that goes with it."""

from __future__ import annotations

import functools

import pytest
from shape_texts import codec_of
from strategies import LABELS
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from maskcodec.dialects.shapetokens import ShapeTokensCodec
from maskcodec.token_constraint import TokenConstraint

END = 2
SPECS = (
    "shapetokens:tokens=3",
    "shapetokens:tokens=4,iou=0.9",
    "shapetokens:tokens=4,iou=0.9,ids=per_stage",
    "shapetokens:tokens=3,spelling=words",
    "shapetokens:tokens=4,iou=0.9,spelling=words",
    "shapetokens:tokens=3,spelling=unused",
)
every_spec = pytest.mark.parametrize("spec", SPECS)


def byte_tokenizer() -> Tokenizer:
    """A small BPE over bytes, which joins parts of labels."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["dog: none\nwhite horse: none\nperson 2: none\n"] * 9, trainer)
    return made


def word_tokenizer(codec: ShapeTokensCodec) -> Tokenizer:
    """A tokenizer that has every word of the codec as one token with the blank before it."""
    texts = ["none", *(f"{label}: none\n" for label in LABELS)]
    split = pre_tokenizers.Split(Regex(r" ?[^\s:]+|:|\s"), "isolated")
    pieces = [piece for text in texts for piece, _ in split.pre_tokenize_str(text)]
    words = (f" {word}" for word in (*codec.pieces.edges, *codec.pieces.stages[0]))
    vocabulary = dict.fromkeys(["<pad>", "<s>", "</s>", "<unk>", *pieces, *words])
    made = Tokenizer(
        models.WordLevel({word: k for k, word in enumerate(vocabulary)}, unk_token="<unk>")
    )
    made.pre_tokenizer = split
    made.decoder = decoders.Fuse()
    return made


def tokenizer_of(codec: ShapeTokensCodec) -> Tokenizer:
    """A tokenizer that fits a codec."""
    if codec.spelling == "words":
        return word_tokenizer(codec)
    made = byte_tokenizer()
    pieces = [piece for part in (codec.pieces.edges, *codec.pieces.stages) for piece in part]
    made.add_tokens([AddedToken(piece, normalized=False) for piece in pieces])
    return made


@functools.lru_cache(maxsize=16)
def fitting(spec: str) -> tuple[ShapeTokensCodec, Tokenizer, TokenConstraint]:
    codec = codec_of(spec)
    tokenizer = tokenizer_of(codec)
    return codec, tokenizer, TokenConstraint(codec, tokenizer, LABELS, end=END)


def encode(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids

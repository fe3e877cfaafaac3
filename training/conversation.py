"""Conversations as token ids, with the characters of each answer found again among the tokens.

A chat template is rendered once for each number of turns, with marks for what is said; what stands
between the marks never changes. So every answer's place is known to the character, whatever the
template, and a template without `{% generation %}` will do. An answer's labels are its tokens and
the token that ends the turn. What stands before an answer is what `maskcodec.prompts` asks with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import MaskCodecError
from maskcodec.prompts import conversation

Message = dict[str, str]

_MARK = "\ue000{}\ue001"
_MARKS = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True)
class Piece:
    """What one message said.

    Attributes:
        role: "user", "assistant" or "system".
        start: its first character in the whole text.
        stop: the character after its last one.
        end: for an answer, the character after the token that ends the turn; else `stop`.
    """

    role: str
    start: int
    stop: int
    end: int


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of a conversation after its last image.

    Attributes:
        head: the text up to and with the last image's placeholder; empty without an image.
        text: all of it.
        ids: int64 (n,), of the tokens after `head`.
        spans: int64 (n, 2), the characters of `text` that each of them stands for.
        pieces: who said what.
    """

    head: str
    text: str
    ids: npt.NDArray[np.int64]
    spans: npt.NDArray[np.int64]
    pieces: tuple[Piece, ...]

    @property
    def answers(self) -> list[Piece]:
        """What the assistant said."""
        return [piece for piece in self.pieces if piece.role == "assistant"]


class Conversations:
    """Spells conversations as one model's chat template does.

    Args:
        processor: a processor of transformers with a fast tokenizer.

    Raises:
        MaskCodecError: the tokenizer is a slow one, or the chat can't be spelt.
    """

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer
        if not getattr(self.tokenizer, "is_fast", False):
            raise MaskCodecError(
                f"{type(self.tokenizer).__name__} is no fast tokenizer: it can't say which "
                "characters a token stands for, so that answers can't be told from questions"
            )
        self._skeletons: dict[tuple[str, ...], list[str]] = {}

    @cached_property
    def image_token(self) -> str:
        """What stands for an image in a text, before the processor makes many tokens of it."""
        return str(getattr(self.processor, "image_token", "") or "")

    def tokens(self, messages: Sequence[Message], images: int) -> Tokens:
        """Tokens of a whole conversation, its answers included.

        Args:
            messages: what was said, each with "role" and "content".
            images: how many images stand before the first question.
        """
        text, pieces = self._spell(messages, images)
        found = self.tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, verbose=False
        )
        ids = np.array(found["input_ids"], np.int64)
        spans = np.array(found["offset_mapping"], np.int64).reshape(-1, 2)
        place = text.rfind(self.image_token) if images else -1
        head = text[: place + len(self.image_token)] if place >= 0 else ""
        if images and not head:
            raise MaskCodecError("the chat template leaves images out; this model can't see any")
        kept = spans[:, 0] >= len(head)
        return Tokens(head, text, ids[kept], spans[kept], pieces)

    def _spell(self, messages: Sequence[Message], images: int) -> tuple[str, tuple[Piece, ...]]:
        roles = tuple(message["role"] for message in messages)
        skeleton = self._skeleton(roles, images)
        parts = [skeleton[0]]
        length = len(skeleton[0])
        pieces = []
        for message, after in zip(messages, skeleton[1:], strict=True):
            said = message["content"].strip()
            start, stop = length, length + len(said)
            end = stop
            if message["role"] == "assistant":
                end += self._turn_end(after)
            pieces.append(Piece(message["role"], start, stop, end))
            parts += [said, after]
            length = stop + len(after)
        return "".join(parts), tuple(pieces)

    def _skeleton(self, roles: tuple[str, ...], images: int) -> list[str]:
        """What stands before the first message, and after each of them."""
        key = (*roles, str(images))
        if key not in self._skeletons:
            self._skeletons[key] = self._make_skeleton(roles, images)
        return self._skeletons[key]

    def _make_skeleton(self, roles: tuple[str, ...], images: int) -> list[str]:
        if not getattr(self.processor, "chat_template", None):
            return self._plain_skeleton(roles, images)
        said = [{"role": role, "content": _MARK.format(index)} for index, role in enumerate(roles)]
        messages = conversation(said, [None] * images)
        text = self.processor.apply_chat_template(messages, tokenize=False)
        pieces = _MARKS.split(text)
        if pieces[1::2] != [str(index) for index in range(len(roles))]:
            raise MaskCodecError(
                "the chat template changes, reorders or leaves out messages: roles "
                f"{', '.join(roles)} come back as {len(pieces) // 2} messages"
            )
        skeleton = pieces[::2]
        if roles[-1] == "assistant" and not self._turn_end(skeleton[-1]):
            # Some templates end the last turn with nothing; a model must learn to stop.
            skeleton[-1] = self.tokenizer.eos_token or ""
        return list(skeleton)

    def _plain_skeleton(self, roles: tuple[str, ...], images: int) -> list[str]:
        """PaliGemma's form, which has no template: one question and one answer."""
        if type(self.processor).__name__ != "PaliGemmaProcessor" or roles != ("user", "assistant"):
            raise MaskCodecError(
                f"{type(self.processor).__name__} has no chat template"
                + ("" if len(roles) == 2 else f" for {len(roles)} messages")
                + "; give its tokenizer one (chat_template.jinja beside tokenizer.json)"
            )
        bos, eos = self.tokenizer.bos_token, self.tokenizer.eos_token
        return [self.image_token * images + bos, "\n", eos]

    def _turn_end(self, after: str) -> int:
        """How many characters of what follows an answer end its turn: blanks, one special token."""
        match = self._special.match(after)
        return match.end() if match else 0

    @cached_property
    def _special(self) -> re.Pattern[str]:
        added = self.tokenizer.get_added_vocab()
        special = {*self.tokenizer.all_special_tokens, *added}
        longest = sorted((token for token in special if token.strip()), key=len, reverse=True)
        return re.compile(rf"[ \n]?(?:{'|'.join(map(re.escape, longest))})" if longest else r"(?!)")

"""Constrained decoding of `shapetokens` by token id: at every step, the ids that may come next.

A grammar works on characters, so under it a model may spell a token of the codec in parts that it
was never trained on. Here a box is four edge tokens, the right edge beyond the left one and the
lower beyond the upper, and a shape is code tokens. Labels are of a list, and each is spelt as the
tokenizer spells it::

    constraint = TokenConstraint(codec, tokenizer, labels=["dog", "cat"])
    model.generate(**inputs, prefix_allowed_tokens_fn=constraint.prefix_function(prompt_length))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from .codec import MAX_OBJECTS
from .dialects._object_lines import FORBIDDEN, NONE
from .dialects.shapetokens import ShapeTokensCodec
from .errors import MaskCodecError
from .labels import check_label, list_labels
from .token_ids import Ints, TokenIds, before_pieces

Then: TypeAlias = Literal["", "box", "line", "over"]
"""What may follow the words of a line: a box, a further line, or nothing at all."""

_EDGES, _CODES, _OVER = -1, -2, -3  # places of a state; words are 0 and more


class State(NamedTuple):
    """Where a text stands.

    Attributes:
        place: a node of the words, or -1 in a box, -2 in codes, -3 after the end.
        pieces: how many edges or codes there are so far.
        left: the left edge of the box, and `top` its upper one.
        top: see `left`.
        lines: how many lines are complete.
    """

    place: int
    pieces: int = 0
    left: int = 0
    top: int = 0
    lines: int = 0


@dataclass(slots=True)
class _Node:
    """Words that share a beginning: the ids that go on, and what follows where one ends here."""

    children: dict[int, int] = field(default_factory=dict)
    then: Then = ""


class TokenConstraint:
    """An automaton over token ids.

    Args:
        codec: a `shapetokens` codec of any spelling but digits.
        tokenizer: see `TokenIds.of`; with the tokens of `codec.vocab()`.
        labels: the labels that an answer may use.
        end: the id that ends an answer; left out, it is the tokenizer's `eos_token_id`.
        objects: the most lines of an answer.

    Raises:
        EncodeError: a label that no line can hold.
        MaskCodecError: pieces that are not one id each, no `end`, or a tokenizer that joins labels
            with what stands around them.
    """

    def __init__(
        self,
        codec: ShapeTokensCodec,
        tokenizer: Any,
        labels: Sequence[str],
        *,
        end: int | None = None,
        objects: int = MAX_OBJECTS,
    ) -> None:
        labels = list_labels(labels, codec.name) or ()
        for label in labels:
            check_label(label, codec.name, FORBIDDEN)
        found = getattr(tokenizer, "eos_token_id", None) if end is None else end
        if found is None:
            raise MaskCodecError(
                "the tokenizer does not say which id ends an answer: give it as end="
            )
        self.ids = TokenIds.of(codec, tokenizer)
        self.end = int(found)
        self._codec = codec
        self._objects = MAX_OBJECTS
        self._edges = {number: edge for edge, number in enumerate(self.ids.edges.tolist())}
        self._code_sets = [frozenset(stage.tolist()) for stage in self.ids.codes]
        self._nodes: list[_Node] = []
        words = _Words(self.ids)
        self._start = self._tree(words.first(labels))
        self._after_shape = self._tree(words.after(words.shape, labels))
        self._after_none = self._tree(words.after(words.none, labels))
        self._verify(words, labels)
        self._objects = objects

    @property
    def start(self) -> State:
        """The state before the first id."""
        return State(self._start)

    def allowed(self, ids: Sequence[int]) -> Ints:
        """The ids that may follow those generated so far, int64, in no particular order.

        Raises:
            MaskCodecError: one of `ids` was not allowed.
        """
        return self.next_ids(self.state(ids))

    def mask(self, ids: Sequence[int], out: npt.NDArray[np.bool_ | np.int32]) -> None:
        """Fill `out` with the ids that may follow.

        Args:
            ids: the ids generated so far.
            out: bool (vocabulary,), or int32 (vocabulary / 32, rounded up), a bit an id from the
                lowest on, as xgrammar and vLLM keep them. It may have room for more ids.

        Raises:
            MaskCodecError: one of `ids` was not allowed, or `out` is too small or of another type.
        """
        found = self.allowed(ids)
        room = out.size * (32 if out.dtype == np.int32 else 1)
        if out.dtype not in (np.bool_, np.int32) or int(found.max()) >= room:
            raise MaskCodecError(
                f"the mask is {out.dtype} with room for {room} ids, expected bool or int32 with "
                f"room for {int(found.max()) + 1} or more"
            )
        out[...] = 0
        if out.dtype == np.int32:
            bits = (np.uint32(1) << (found & 31).astype(np.uint32)).astype(np.uint32)
            np.bitwise_or.at(out.view(np.uint32), found >> 5, bits)
        else:
            out[found] = True

    def prefix_function(self, prompt: int) -> Callable[[int, Any], list[int]]:
        """The argument `prefix_allowed_tokens_fn` of `generate` in transformers.

        Args:
            prompt: how many ids stand before the answer: those of the prompt with its padding, or
                for an encoder–decoder model 1, the id that starts the decoder.
        """

        def allowed(_: int, ids: Any) -> list[int]:
            found: list[int] = self.allowed(ids[prompt:]).tolist()
            return found

        return allowed

    def accepts(self, ids: Sequence[int]) -> bool:
        """Whether `ids`, without the end, are a whole answer."""
        try:
            return self.end in self.allowed(ids)
        except MaskCodecError:
            return False

    def state(self, ids: Sequence[int]) -> State:
        """The state after `ids`.

        Raises:
            MaskCodecError: one of `ids` was not allowed.
        """
        state = self.start
        numbers = ids.tolist() if hasattr(ids, "tolist") else ids
        for step, number in enumerate(numbers):
            following = self.step(state, number)
            if following is None:
                raise MaskCodecError(f"id {number} at step {step} was not allowed")
            state = following
        return state

    def step(self, state: State, number: int) -> State | None:
        """The state after one more id; None where it is not allowed. After the end, any id is."""
        if state.place == _OVER:
            return state
        if state.place == _EDGES:
            return self._edge(state, number)
        if state.place == _CODES:
            return self._code(state, number)
        node = self._nodes[state.place]
        if number in node.children:
            return state._replace(place=node.children[number])
        if node.then == "box":
            return self._edge(State(_EDGES, lines=state.lines), number)
        if node.then == "line":
            return self._line(state, number, self._after_none)
        return State(_OVER) if node.then == "over" and number == self.end else None

    def _edge(self, state: State, number: int) -> State | None:
        edge = self._edges.get(number, -1)
        lowest, highest = self._range(state)
        if not lowest <= edge < highest:
            return None
        if state.pieces == 3:
            return State(_CODES, lines=state.lines)
        left = edge if state.pieces == 0 else state.left
        top = edge if state.pieces == 1 else state.top
        return State(_EDGES, state.pieces + 1, left, top, state.lines)

    def _range(self, state: State) -> tuple[int, int]:
        """The edges that may come next: left and top leave room for right and bottom."""
        if state.pieces < 2:
            return 0, len(self._edges) - 1
        return (state.left, state.top)[state.pieces - 2] + 1, len(self._edges)

    def _code(self, state: State, number: int) -> State | None:
        place = state.pieces
        if place < self._codec.tokens and number in self._code_sets[self._set(place)]:
            return State(_CODES, place + 1, lines=state.lines)
        if place < self._codec.fewest:
            return None
        return self._line(state, number, self._after_shape)

    def _set(self, place: int) -> int:
        return place if len(self._code_sets) > 1 else 0

    def _line(self, state: State, number: int, tree: int) -> State | None:
        """After a whole line: the end, or the first id of a further line."""
        lines = state.lines + 1
        if number == self.end:
            return State(_OVER)
        following = self._nodes[tree].children.get(number) if lines < self._objects else None
        return None if following is None else State(following, lines=lines)

    def next_ids(self, state: State) -> Ints:
        """The ids that may come next in a state, int64."""
        if state.place == _OVER:
            return np.array([self.end])
        if state.place == _EDGES:
            lowest, highest = self._range(state)
            return self.ids.edges[lowest:highest]
        if state.place == _CODES:
            parts = []
            if state.pieces < self._codec.tokens:
                parts.append(self.ids.code_ids(state.pieces))
            if state.pieces >= self._codec.fewest:
                parts.append(self._line_ids(state, self._after_shape))
            return np.concatenate(parts)
        node = self._nodes[state.place]
        parts = [np.fromiter(node.children, np.int64)]
        if node.then == "box":
            parts.append(self.ids.edges[:-1])
        elif node.then == "line":
            parts.append(self._line_ids(state, self._after_none))
        elif node.then == "over":
            parts.append(np.array([self.end]))
        return np.concatenate(parts)

    def _line_ids(self, state: State, tree: int) -> Ints:
        further = self._nodes[tree].children if state.lines + 1 < self._objects else ()
        return np.fromiter((self.end, *further), np.int64)

    def _tree(self, words: dict[tuple[int, ...], Then]) -> int:
        """Add words to the nodes; the index of their root."""
        self._nodes.append(_Node())
        root = len(self._nodes) - 1
        for ids, then in words.items():
            at = root
            for number in ids:
                children = self._nodes[at].children
                if number not in children:
                    self._nodes.append(_Node())
                    children[number] = len(self._nodes) - 1
                at = children[number]
            self._nodes[at].then = then
        return root

    def _verify(self, words: _Words, labels: Sequence[str]) -> None:
        """Run texts with every label, so that a tokenizer which joins lines is found out now."""
        for node in self._nodes:
            if node.then == "box" and not self._edges.keys().isdisjoint(node.children):
                raise MaskCodecError(f"{self._codec}: a label goes on with a piece of a box")
        wholes = [NONE]
        for label in labels:
            lines = [f"{label}: {NONE}", f"{words.head(label)}{words.pieces}"]
            wholes.append("\n".join([*lines, *lines, lines[0]]))
        for text in wholes:
            if not self.accepts(self.ids.encode(text)):
                raise MaskCodecError(
                    f"{self._codec}: the tokenizer spells a label otherwise beside other lines, "
                    f"in {text[:80]!r}"
                )


class _Words:
    """The ids of all that is not a piece: labels, colons, line breaks, `none`."""

    def __init__(self, ids: TokenIds) -> None:
        self._ids = ids
        codec = ids.codec
        table = codec.pieces
        shape = table.spell([0, 0, 1, 1], [0] * codec.fewest)
        self.pieces = table.code_gap + shape
        self.shape = self.head("dog") + self.pieces
        self.none = f"dog: {NONE}"

    def head(self, label: str) -> str:
        """What stands before the tokens of a box."""
        return before_pieces(self._ids.codec, label)

    def first(self, labels: Sequence[str]) -> dict[tuple[int, ...], Then]:
        """The words that may begin a text, and what follows them."""
        whole: dict[tuple[int, ...], Then] = {tuple(self._ids.encode(NONE)): "over"}
        return whole | self._lines("", labels)

    def after(self, line: str, labels: Sequence[str]) -> dict[tuple[int, ...], Then]:
        """The words that may follow a line, from the line break on."""
        return self._lines(f"{line}\n", labels, len(self._ids.encode(line)))

    def _lines(
        self, before: str, labels: Sequence[str], skip: int = 0
    ) -> dict[tuple[int, ...], Then]:
        pieces = 4 + self._ids.codec.fewest
        found: dict[tuple[int, ...], Then] = {}
        for label in labels:
            ids = self._ids.encode(before + self.head(label) + self.pieces)
            found[tuple(ids[skip:-pieces])] = "box"
            found[tuple(self._ids.encode(f"{before}{label}: {NONE}")[skip:])] = "line"
        return found

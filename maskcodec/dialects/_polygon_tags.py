"""Polygons of numbered tags, as published (`dog<loc_12><loc_30>…`): what the dialects share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..errors import EncodeError
from ..geometry.polygon import Polygons
from ..grammar import choice, literal, repeat
from ..labels import check_label, list_labels
from ..spans import Span, pieces
from ._polygon_tags_loose import half_pattern, tag_pattern

NONE = "none"
FORBIDDEN = ("<", ">")
"""What a label may not hold, since tags do."""

_LABEL = r"[^<>\n]+"

# A label that is not listed: what `check_label` allows, without tags.
_FREE_LABEL = (
    "label ::= visible (blank* visible)*",
    r"visible ::= [^\x00-\x20<>\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"blank ::= [ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]",
)


@dataclass(frozen=True)
class TagForm:
    """One format.

    Attributes:
        codec: its name, for messages.
        tag: what stands before a number; `>` stands after it.
        largest: the largest number; there is no padding.
        separator: the tag between the rings of an object.
        opening: the tag before an object's rings, if there is one.
        closing: the tag after them.
        blank: stands between coordinates, around separators and before `closing`.
        between: stands between objects.
        labels: whether a label stands before an object. Where there are tags around its rings it
            may be empty, and else that of the first object may.
        centre: whether a number means the middle of its bin, so that n of N bins lies at
            (n + 1/2) / N of a side, or one of N ends of bins, at n / (N - 1).
        points: exactly so many vertices a ring; 0 for three or more.
    """

    codec: str
    tag: str
    largest: int
    separator: str
    opening: str = ""
    closing: str = ""
    blank: str = ""
    between: str = ""
    labels: bool = True
    centre: bool = False
    points: int = 0

    @property
    def bins(self) -> int:
        """Bins of the geometry: with `centre`, its odd ones are the middles of bins."""
        return 2 * (self.largest + 1) + 1 if self.centre else self.largest + 1

    def place(self, xy: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.int32]:
        """Vertices in pixels of `size` (height, width) as bins of the geometry."""
        side = np.array(size[::-1])
        bins = self.largest + self.centre
        half = 0.0 if self.centre else 0.5
        number = np.floor(xy * bins / side + half).clip(0, self.largest)
        placed: npt.NDArray[np.int32] = (2 * number + 1 if self.centre else number).astype(np.int32)
        return placed

    def holds(self, geometry: Polygons) -> bool:
        """Whether these polygons can be spelt as they are."""
        if geometry.bins != self.bins:
            return False
        for rings in geometry.objects:
            lengths = np.diff(rings.starts)
            if not len(lengths) or rings.hole.any() or lengths.min() < 3:
                return False
            if rings.xy.min() < 0 or rings.xy.max() >= self.bins:
                return False
            if self.centre and not (rings.xy % 2).all():
                return False
            if self.points and (lengths != self.points).any():
                return False
        return True

    def write(self, geometry: Polygons) -> str:
        """Spell polygons.

        Raises:
            EncodeError: a label that can't be told from tags, or polygons that don't fit.
        """
        if not self.holds(geometry):
            raise EncodeError(
                f"{self.codec}: the polygons have other bins, holes, no ring, or rings of a number "
                "of vertices that the format does not allow"
            )
        return self.between.join(self._spell(geometry)) or NONE

    def _spell(self, geometry: Polygons) -> Iterator[str]:
        for index, (label, rings) in enumerate(zip(geometry.labels, geometry.objects, strict=True)):
            if not self.labels:
                label = ""
            elif label or (index and not self.opening):
                check_label(label, self.codec, FORBIDDEN)
            parts = [self._ring(ring) for ring in rings.split()]
            joint = f"{self.blank}{self.separator}{self.blank}"
            closing = f"{self.blank}{self.closing}" if self.closing else ""
            yield f"{label}{self.opening}{joint.join(parts)}{closing}"

    def _ring(self, ring: npt.NDArray[np.int32]) -> str:
        numbers = (ring // 2 if self.centre else ring).ravel().tolist()
        return self.blank.join(f"{self.tag}{number}>" for number in numbers)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens to be added to a vocabulary."""
        numbers = tuple(f"{self.tag}{number}>" for number in range(self.largest + 1))
        return (*numbers, *filter(None, (self.separator, self.opening, self.closing)))

    def spans(self, text: str) -> list[Span]:
        """The spans of labels and coordinates; an object's first two say where it is."""
        if text == NONE:
            return [Span(0, len(text), "where")]
        found: list[Span] = []
        for match in re.finditer(f"(?P<label>{_LABEL})|(?P<shape>(?:{self._tags})+)", text):
            if match["label"] is not None:
                label = match["label"].rstrip()
                if self.labels and label.strip():
                    found.append(Span(match.start(), match.start() + len(label), "label"))
            else:
                found += pieces(self.number, match["shape"], match.start(), where=2)
        return found

    # --- patterns ---

    @cached_property
    def number(self) -> re.Pattern[str]:
        return re.compile(f"{re.escape(self.tag)}[0-9]{{1,9}}>")

    @cached_property
    def _tags(self) -> str:
        """Tags with the blanks between them."""
        others = "|".join(re.escape(t) for t in (self.separator, self.opening, self.closing) if t)
        return f"(?:{self.number.pattern}|{others}){re.escape(self.blank)}?"

    @cached_property
    def loose(self) -> re.Pattern[str]:
        """A tag under repair: see `tag_pattern`."""
        return tag_pattern(self.tag, self.separator, [t for t in (self.closing, self.opening) if t])

    @cached_property
    def halves(self) -> re.Pattern[str]:
        """What may be left of tags where a label stands."""
        return half_pattern([self.tag, self.separator, *filter(None, (self.opening, self.closing))])

    @cached_property
    def exact(self) -> re.Pattern[str]:
        """One object to the letter; numbers may still be too large."""
        blank = re.escape(self.blank)
        number = f"{re.escape(self.tag)}(?:0|[1-9][0-9]{{0,3}})>"
        vertex = f"{number}{blank}{number}"
        more = f"{{{self.points - 1}}}" if self.points else "{2,}"
        ring = f"{vertex}(?:{blank}{vertex}){more}"
        # No "*+": until Python 3.11.5 it went on from a group that had failed half-way.
        shape = f"{ring}(?:{blank}{re.escape(self.separator)}{blank}{ring})*"
        closing = f"{blank}{re.escape(self.closing)}" if self.closing else ""
        label = f"(?P<label>{_LABEL})?" if self.labels else "(?P<label>(?!))?"
        return re.compile(f"{label}{re.escape(self.opening)}(?P<shape>{shape}){closing}")

    def grammar(self, labels: Sequence[str] | None) -> str:
        """EBNF of the texts; `labels=None` leaves the labels free.

        Raises:
            EncodeError: a label that can't be told from tags.
        """
        labels = list_labels(labels, self.codec)
        named = [label for label in labels or () if label]
        for label in named:
            check_label(label, self.codec, FORBIDDEN)
        if labels is not None and not labels:
            return f'root ::= "{NONE}"\n'
        blank = f"{literal(self.blank)} " if self.blank else ""
        opening = f"{literal(self.opening)} " if self.opening else ""
        closing = f" {blank}{literal(self.closing)}" if self.closing else ""
        more = f"({blank}vertex)+"
        if self.points:
            more = repeat(f"{blank}vertex", self.points - 1)
        rules = [
            self._root(labels is None or bool(named), labels is None or "" in labels),
            f"shape ::= {opening}ring (separator ring)*{closing}",
            f"separator ::= {blank}{literal(self.separator)} {blank}".rstrip(),
            f"ring ::= vertex {more}" if self.points else f"ring ::= vertex {blank}vertex {more}",
            f"vertex ::= number {blank}number",
            f"number ::= {literal(self.tag)} ({_up_to(self.largest)}) {literal('>')}",
        ]
        if self.labels and (named or labels is None):
            rules += ["object ::= label shape"]
            rules += _FREE_LABEL if labels is None else [f"label ::= {choice(named)}"]
        return "\n".join(rules) + "\n"

    def _root(self, is_named: bool, unnamed: bool) -> str:
        """The rule `root`: which objects may come first, and which after another one."""
        between = f"{literal(self.between)} " if self.between else ""
        if not self.labels:
            return f'root ::= "{NONE}" | shape ({between}shape)*'
        kinds = ["object"] * is_named + ["shape"] * unnamed
        first = f'root ::= "{NONE}" | ({" | ".join(kinds)})'
        later = kinds if self.opening else ["object"] * is_named
        return f"{first} ({between}({' | '.join(later)}))*" if later else first


def _up_to(largest: int) -> str:
    """The numbers 0 to 999 or 1000 in EBNF."""
    more = ' | "1000"' if largest == 1000 else ""
    return f"[0-9] | [1-9] [0-9] | [1-9] [0-9] [0-9]{more}"

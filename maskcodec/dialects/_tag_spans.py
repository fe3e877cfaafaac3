"""What the tokens of `himtok`, `alto`, `samtok` and `paligemma` say, for `Codec.spans`."""

from __future__ import annotations

import re

from ..spans import Kind, Span

_PIECE = re.compile(
    r"(?P<edge><loc[0-9]+>|(?<=[\[ ])[0-9]+(?=[,\]]))"
    r"|(?P<start><\|mt_start\|>|<ALTo_Start>|<start_of_mask>)"
    r"|(?P<code><\|mt_[0-9]+\|>|<TOK_[0-9]+>|<seg_?[0-9]+>)"
    r'|(?P<label>(?<="label": ")(?:[^"\\]|\\.)+(?=")|(?<=> )[^<>;\n][^<>\n]*?(?= ; |\Z))'
    r"|(?P<none>\Anone\Z)"
)


def tag_spans(text: str) -> list[Span]:
    """Spans of boxes, codes and labels.

    Where an object has no box, its first code says where it is, since the codes that follow make
    it finer.
    """
    found = []
    edges = codes = 0
    for match in _PIECE.finditer(text):
        kind: Kind = "label"
        place = 0
        if match["start"]:
            codes = 0
            continue
        if match["edge"]:
            edges, codes = (0, 0) if codes else (edges, 0)
            kind, place, edges = "where", edges, edges + 1
        elif match["code"]:
            boxed = edges > 0
            kind = "shape" if codes or boxed else "where"
            place = codes if boxed else max(0, codes - 1)
            codes += 1
        elif match["label"]:
            edges = codes = 0
        else:
            kind = "where"
        found.append(Span(match.start(), match.end(), kind, place))
    return found

"""What moved between two documents of the same bench.

maskcodec bench compare before.json after.json
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError
from maskcodec.commands.terminal import printable
from maskcodec.plot_axis import short
from maskcodec.sheet import Table, escape, page_head, table
from maskcodec.writing import atomic

from .document import Document, Key, Result, key_of, read
from .page import STYLE, section
from .program import check_reports

SCHEMA = 1

LISTED = 12
"""Names that a message says of those that there are."""


@dataclass(frozen=True)
class Move:
    """One figure in both documents.

    Attributes:
        name: the result's name.
        figure: which figure of it.
        before: in A; None where it was not measured.
        after: in B; None where it was not measured.
    """

    name: dict[str, Any]
    figure: str
    before: float | None
    after: float | None

    @property
    def ratio(self) -> float | None:
        """after / before; None where there is none, or no float can hold it."""
        if self.before is None or self.after is None or not self.before:
            return None
        ratio = self.after / self.before
        return ratio if math.isfinite(ratio) else None

    @property
    def size(self) -> float:
        """How far it moved, for sorting: a double and a half are alike, infinity for a None."""
        if self.before == self.after:
            return 0.0
        if self.ratio is None or self.ratio <= 0:
            return math.inf
        return abs(math.log(self.ratio))

    @property
    def change(self) -> float:
        """By what share of A it moved, in either direction; infinity where A is 0 or None."""
        if self.before == self.after:
            return 0.0
        return math.inf if self.ratio is None else abs(self.ratio - 1)


@dataclass(frozen=True)
class Comparison:
    """Two documents side by side.

    Attributes:
        bench: which bench they are of.
        files: A and B.
        moves: the figures in both that moved enough, the farthest first. A figure that no result
            of the other has is none: a warning names it.
        still: how many figures moved less.
        least: by what share of A a figure had to move.
        only_before: names of results that stand in A alone.
        only_after: names of results that stand in B alone.
        warnings: what else differs, each a sentence.
    """

    bench: str
    files: tuple[str, str]
    moves: list[Move]
    still: int
    least: float
    only_before: list[dict[str, Any]]
    only_after: list[dict[str, Any]]
    warnings: list[str]


def compare(
    before: Document, after: Document, files: tuple[str, str], arguments: argparse.Namespace
) -> Comparison:
    """Match the results of two documents by name.

    Raises:
        MaskCodecError: they are of different benches, or have no such result or figure.
    """
    if before["bench"] != after["bench"]:
        raise MaskCodecError(
            f"{files[0]} is of bench {before['bench']} and {files[1]} of bench {after['bench']}; "
            "only figures of the same bench can be compared"
        )
    old, new = ({key_of(r): r for r in _chosen(d, arguments.results)} for d in (before, after))
    if arguments.results and not (old or new):
        names = (name_of(r["name"]) for document in (before, after) for r in document["results"])
        raise MaskCodecError(f"--results {arguments.results}: no such result; {_listed(names)}")
    known = _figures(old) | _figures(new)
    for figure in arguments.figures or ():
        if figure not in known:
            raise MaskCodecError(f"--figures {figure}: no such figure; {_listed(sorted(known))}")
    both = _figures(old) & _figures(new)
    moves = [
        move
        for move in _moves(old, new)
        if move.figure in both and move.figure in (arguments.figures or (move.figure,))
    ]
    kept = [move for move in moves if _is_enough(move, arguments.min_change)]
    kept.sort(key=lambda move: -move.size)
    return Comparison(
        before["bench"],
        files,
        kept,
        len(moves) - len(kept),
        arguments.min_change,
        [old[key]["name"] for key in old if key not in new],
        [new[key]["name"] for key in new if key not in old],
        [
            *_differences(before, after),
            *_alone((old, new), files),
            *_unfinished((before, after), files),
            *_gates(old, new),
        ],
    )


def _gates(old: dict[Key, Result], new: dict[Key, Result]) -> list[str]:
    """Sentences on the gates and goals that one of two results reaches, and the other does not."""
    found = []
    for key in old.keys() & new.keys():
        before, after = old[key], new[key]
        for figure, gate in before.get("gates", {}).items():
            values = before["figures"].get(figure), after["figures"].get(figure)
            other = after.get("gates", {}).get(figure, {})
            for kind, what in (("least", "gate"), ("stretch", "goal")):
                if None in values or not (kind in gate and kind in other):
                    continue
                held = values[0] >= gate[kind], values[1] >= other[kind]
                if held[0] != held[1]:
                    now = "held" if held[1] else "missed"
                    moved = f"{values[0]:.4g} before, {values[1]:.4g} now"
                    found.append(
                        f"{what} {now}: {name_of(before['name'])}, {figure}, "
                        f"{short(other[kind])}: {moved}"
                    )
    return sorted(found)


def _chosen(document: Document, words: str) -> list[Result]:
    return [r for r in document["results"] if words.lower() in name_of(r["name"]).lower()]


def _listed(names: Iterable[str]) -> str:
    """What there is, in a few words."""
    unlike = list(dict.fromkeys(names))
    rest = f" and {len(unlike) - LISTED:,} more" if len(unlike) > LISTED else ""
    return f"there are: {'; '.join(unlike[:LISTED])}{rest}" if unlike else "there is none"


def _is_enough(move: Move, least: float) -> bool:
    """Whether a figure moved by a share `least` of itself, or an IoU by a tenth of that in points:
    by .005 as a rule, since there a hundredth is much.
    """
    if "iou" in move.figure and move.before is not None and move.after is not None:
        return move.before != move.after and abs(move.after - move.before) >= least / 10
    return bool(move.change) and move.change >= least


def _moves(old: dict[Key, Result], new: dict[Key, Result]) -> Iterator[Move]:
    for key, result in old.items():
        if key not in new:
            continue
        figures, others = result["figures"], new[key]["figures"]
        for figure in dict.fromkeys([*figures, *others]):
            yield Move(result["name"], figure, figures.get(figure), others.get(figure))


def _figures(results: dict[Key, Result]) -> set[str]:
    return {figure for result in results.values() for figure in result["figures"]}


def _alone(results: tuple[dict[Key, Result], ...], files: tuple[str, str]) -> list[str]:
    """Sentences on the figures that no result of the other document has."""
    old, new = map(_figures, results)
    return [
        f"only {file} has the figure{'s' * (len(some) > 1)} {'; '.join(sorted(some))}"
        for file, some in zip(files, (old - new, new - old), strict=True)
        if some and old and new
    ]


def name_of(name: dict[str, Any]) -> str:
    """A result's name in one line."""
    return ", ".join(
        value if isinstance(value, str) else f"{key} {value:,}" for key, value in name.items()
    )


def _differences(before: Document, after: Document) -> list[str]:
    """Sentences on the machine, the versions, the settings and the seed, where they differ."""
    found = []
    fields = {
        "machine": "the machine differs",
        "versions": "versions differ",
        "settings": "settings differ",
    }
    for field, what in fields.items():
        old, new = before[field], after[field]
        parts = [
            f"{key} was {_shown(old.get(key))}, is {_shown(new.get(key))}"
            for key in dict.fromkeys([*old, *new])
            if old.get(key) != new.get(key)
        ]
        if parts:
            found.append(f"{what}: {'; '.join(parts)}")
    if before["seed"] != after["seed"]:
        found.append(f"the seed was {_shown(before['seed'])}, is {_shown(after['seed'])}")
    return found


def _shown(value: Any) -> str:
    text = "absent" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unfinished(documents: tuple[Document, Document], files: tuple[str, str]) -> list[str]:
    return [
        f"{file} was interrupted: it may lack results"
        for document, file in zip(documents, files, strict=True)
        if document["interrupted"]
    ] + [
        f"{file}: {document['busy']}"
        for document, file in zip(documents, files, strict=True)
        if isinstance(document.get("busy"), str) and document["busy"]
    ]


COLUMNS = ("result", "figure", "A", "B", "B / A")


def rows(moves: list[Move]) -> list[tuple[str, str, str, str, str]]:
    """The cells of `COLUMNS`."""
    return [
        (name_of(move.name), move.figure, _number(move.before), _number(move.after), _moved(move))
        for move in moves
    ]


def _number(value: float | None) -> str:
    return "not measured" if value is None else short(value)


def _moved(move: Move) -> str:
    if move.ratio is None:
        return ""
    is_plain = not move.ratio or 0.0005 <= abs(move.ratio) < 1e6
    return f"{move.ratio:.3f}" if is_plain else f"{move.ratio:.2e}"


def say(comparison: Comparison, most: int) -> None:
    """Print it."""
    for warning in comparison.warnings:
        print(f"note: {printable(warning)}")
    moved = [COLUMNS, *rows(comparison.moves[:most])]
    widths = [max(len(row[column]) for row in moved) for column in range(len(COLUMNS))]
    if comparison.moves:
        for row in moved:
            cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
            cells += [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
            print(printable("  ".join(cells)).rstrip())
    rest = len(comparison.moves) - most
    if rest > 0:
        print(f"... and {rest:,} more (--most)")
    print(_counted(comparison))
    for where, names in (("A", comparison.only_before), ("B", comparison.only_after)):
        if names:
            print(f"only in {where}: {len(names):,}")
            for name in names[:most]:
                print(f"  {printable(name_of(name))}")


def _counted(comparison: Comparison) -> str:
    less = f"by less than {short(100 * comparison.least)} % or not at all"
    rest = less if comparison.least else "did not"
    moved = len(comparison.moves)
    return f"{moved:,} figure{'s' * (moved != 1)} moved, {comparison.still:,} {rest}"


def write_json(path: Path, comparison: Comparison) -> None:
    """Write it as JSON."""
    document = {"schema": SCHEMA, **asdict(comparison)}
    for entry, move in zip(document["moves"], comparison.moves, strict=True):
        entry["ratio"] = move.ratio
    content = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic(path) as stream:
        stream.write(content.encode("utf-8", "backslashreplace") + b"\n")


def page(comparison: Comparison) -> str:
    """It as a page that loads nothing."""
    lead = f"A: {comparison.files[0]}. B: {comparison.files[1]}."
    parts = [page_head(f"What moved: bench {comparison.bench}", lead, STYLE)]
    parts += [f"<p class=problem>{escape(warning)}</p>\n" for warning in comparison.warnings]
    content = table(Table(COLUMNS, rows(comparison.moves), f"{_counted(comparison)}."))
    parts.append(section("Figures", content))
    for where, names in (("A", comparison.only_before), ("B", comparison.only_after)):
        if names:
            items = "".join(f"<li>{escape(name_of(name))}</li>" for name in names)
            parts.append(section(f"Only in {where}", f"<ul>{items}</ul>\n"))
    return "".join(parts) + "</body>\n</html>\n"


def run(arguments: argparse.Namespace) -> int:
    """Compare as the arguments say; 0."""
    check_reports((arguments.json, arguments.html), (arguments.before, arguments.after))
    documents = [read(path) for path in (arguments.before, arguments.after)]
    files = (str(arguments.before), str(arguments.after))
    comparison = compare(documents[0], documents[1], files, arguments)
    say(comparison, arguments.most)
    if arguments.json:
        write_json(arguments.json, comparison)
    if arguments.html:
        with atomic(arguments.html) as stream:
            stream.write(page(comparison).encode("utf-8"))
    return 0

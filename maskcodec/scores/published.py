"""Published results as data: a figure a row, with where it was read and how it was counted.

`published_results.csv` beside this file holds them; its columns are the fields of `Published`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

from ..errors import RecordError
from ..records import brief, check_file
from ..spec import nearest

FILE = Path(__file__).with_name("published_results.csv")
"""The results that are shipped."""

MAX_BYTES = 16 * 2**20
"""Largest table that is read."""

Prompts = Literal["single", "merged", "one", "unstated"]
"""How expressions were put to a system: each alone; all of an object in one prompt; one of each
object only; nobody says."""

KINDS = {
    "text-as-mask": "a language model that prints masks, or tokens for them",
    "LLM-based": "a language model with a mask decoder or a segmenter behind it",
    "pre-LLM": "a network without a large language model",
}
"""Kinds of systems."""

DATASETS = {
    "refcoco": ("val", "testA", "testB"),
    "refcoco+": ("val", "testA", "testB"),
    "refcocog": ("val", "test"),
    "grefcoco": ("val", "testA", "testB"),
    "reasonseg": ("val", "test"),
}
"""Splits of each data set, in the order of papers; those of RefCOCOg are the umd ones."""

METRICS = ("cIoU", "gIoU", "mIoU", "P@0.5", "P@0.6", "P@0.7", "P@0.8", "P@0.9", "N-acc", "T-acc")
"""Names of metrics; all are shares, in percent."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How published figures were counted.

    Attributes:
        doc: in words, as a part of a sentence.
        prompts: see `Prompts`.
        like: the name of the convention of `maskcodec.scores.conventions` that they follow; None
            where that is not stated.
        other_metric: why the figure is another metric than the column that it stands in; empty
            where it is the same.
    """

    doc: str
    prompts: Prompts
    like: str | None
    other_metric: str = ""


CONVENTIONS = {
    "single-sentence": Counted("each expression is a sample of its own", "single", "lisa"),
    "single-sentence (as published)": Counted(
        "each expression is a sample of its own, as far as the papers say", "single", "lisa"
    ),
    "all expressions of an object merged": Counted(
        "all expressions of an object were put into one prompt", "merged", "himtok"
    ),
    "one expression an object": Counted(
        "one expression of each object was asked, not all of them", "one", "lisa"
    ),
    "mean of IoU, printed as cIoU": Counted(
        "the IoU of samples is averaged, and stands among cIoU in the source",
        "single", "lisa", "a mean of IoU, not a cIoU",
    ),
    "lisa": Counted("as LISA's evaluation counts", "single", "lisa"),
    "gsva": Counted("as GRES defines and GSVA counts generalised expressions", "single", "gsva"),
    "big_vision": Counted(
        "as big_vision's evaluator of PaliGemma counts: an answer that can't be read is wrong",
        "single", "maskcodec",
    ),
    "unstated": Counted("how it was counted is not stated", "unstated", None),
}  # fmt: skip
"""Every convention that a row may name."""


@dataclass(frozen=True, slots=True)
class Published:
    """One figure.

    Attributes:
        system: its name, with what tells its variants apart.
        backbone: the model it is built on; may be empty.
        kind: one of `KINDS`.
        dataset: one of `DATASETS`.
        split: one of that data set's.
        metric: one of `METRICS`.
        value: in percent, 0 to 100.
        convention: one of `CONVENTIONS`.
        source: where it was read; "(secondary)" where that is somebody else's table.
        needs_decoder: whether a network that sees the image makes the pixels; None: not known.
        note: a remark; may be empty.
        line: of the file, 1-based.
    """

    system: str
    backbone: str
    kind: str
    dataset: str
    split: str
    metric: str
    value: float
    convention: str
    source: str
    needs_decoder: bool | None = None
    note: str = ""
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What no two rows of a table have in common."""
        return (self.system, self.backbone, self.dataset, self.split, self.metric, self.convention)


COLUMNS = tuple(one.name for one in fields(Published) if one.name != "line")
"""Columns of the table; the last two may be missing."""

_OPTIONAL = ("needs_decoder", "note")
_DECODER = {"yes": True, "no": False, "": None}
_VALUE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


def read_published(path: str | Path = FILE) -> list[Published]:
    """Read a table of results.

    Args:
        path: a CSV file, UTF-8, with the columns `COLUMNS` in any order.

    Raises:
        RecordError: there is no such file, or a row is not as it should be; the message names the
            line, the column and what is allowed.
    """
    file = str(path)
    try:
        with check_file(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise RecordError(f"can't be read: {error}", file=file) from None
    except UnicodeDecodeError as error:
        raise RecordError(
            f"is not UTF-8 (byte {error.start}); save it as UTF-8", file=file
        ) from None
    if len(data) > MAX_BYTES:
        raise RecordError(f"is larger than {MAX_BYTES:,} bytes", file=file)
    found: dict[tuple[str, ...], Published] = {}
    for line, cells in _lines(text, file):
        row = _row(cells, file, line)
        if row.key in found:
            first = found[row.key].line
            raise RecordError(
                f"{', '.join(row.key)}: stands on line {first} too", file=file, line=line
            )
        found[row.key] = row
    return list(found.values())


def _lines(text: str, file: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Every row with the line it ends on, as text by column."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in head and name not in _OPTIONAL]
        unknown = [name for name in head if name not in COLUMNS]
        if missing or unknown or len(set(head)) < len(head):
            fault = f"lacks {missing[0]!r}" if missing else f"has {(unknown or head)[0]!r}"
            raise RecordError(f"the head {fault}, expected {','.join(COLUMNS)}", file=file, line=1)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                raise RecordError(
                    f"has {len(cells)} cells, expected {len(head)}: put cells with a comma into "
                    "double quotes",
                    file=file,
                    line=reader.line_num,
                )
            row = {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
            yield reader.line_num, row
    except csv.Error as error:
        raise RecordError(f"is no CSV: {error}", file=file, line=reader.line_num) from None


def _row(cells: Mapping[str, str], file: str, line: int) -> Published:
    def fail(column: str, expected: str) -> RecordError:
        message = f"is {brief(cells.get(column, ''))}, expected {expected}"
        return RecordError(message, file=file, line=line, field=column)

    for column in ("system", "source"):
        if not cells[column]:
            raise fail(column, "a name" if column == "system" else "where the figure was read")
    known: dict[str, Collection[str]] = {
        "kind": KINDS,
        "dataset": DATASETS,
        "convention": CONVENTIONS,
        "metric": METRICS,
    }
    for column, allowed in known.items():
        if cells[column] not in allowed:
            near = nearest(cells[column], allowed)
            raise fail(column, f"one of {', '.join(allowed)}{near}")
    splits = DATASETS[cells["dataset"]]
    if cells["split"] not in splits:
        raise fail("split", f"one of {', '.join(splits)}{nearest(cells['split'], splits)}")
    if not _VALUE.fullmatch(cells["value"]) or float(cells["value"]) > 100:
        raise fail("value", "a percentage from 0 to 100, e.g. 74.9")
    if 0 < float(cells["value"]) < 1 and cells["metric"] in ("cIoU", "gIoU", "mIoU"):
        raise fail("value", f"percent: as a share it would be {100 * float(cells['value']):g}")
    if cells.get("needs_decoder", "") not in _DECODER:
        raise fail("needs_decoder", "yes, no or nothing")
    text = {name: cells.get(name, "") for name in COLUMNS if name not in ("value", "needs_decoder")}
    return Published(
        **text,
        value=float(cells["value"]),
        needs_decoder=_DECODER[cells.get("needs_decoder", "")],
        line=line,
    )

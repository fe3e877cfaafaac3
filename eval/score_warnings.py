"""What a person must know beside the scores: what was missing, unreadable, or looks wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .score_inputs import Inputs
from .score_rows import Stored, Tally

FLIP_GAIN = 0.2
"""How much better the other order of run lengths must agree to be suspected."""

FEW = 5
"""Fewer samples with run lengths say nothing about their order."""

MANY = 0.5
"""A share of samples with the same fault that must have a cause in the file."""

OF_FILES = ("wrong-size", "bad-counts", "bad-polygon", "bad-record", "damaged-file", "bad-box",
            "unknown-category")  # fmt: skip
"""Kinds of faults that no model makes but a program that wrote a file."""


def warnings(
    rows: Sequence[Stored],
    document: Mapping[str, Any],
    tally: Tally,
    inputs: Inputs | None,
    turned: tuple[float, float, int],
) -> list[str]:
    """All of it, a sentence each; nothing where all is well."""
    counts = document["counts"]
    found: list[str] = []
    if document.get("lacking"):
        parts = ", ".join(document["lacking"])
        found.append(f"these are the scores of a part alone: {parts} are lacking")
    if tally.torn:
        found.append(
            "the predictions end in the middle of a line: the file is cut off, or is still being "
            "written; what it lacks counts as missing"
        )
    if tally.unreadable:
        first = f" ({inputs.predictions[0].errors[0]})" if inputs is not None else ""
        found.append(f"unreadable predictions, which count as missing: {tally.unreadable:,}{first}")
    if counts["missing"]:
        example = next(one.row.id for one in rows if one.row.status == "missing")
        found.append(
            f"{counts['missing']:,} of {counts['truth']:,} samples have no prediction, and count "
            f"as nothing found (the first is {example!r})"
        )
    others = sum(one.other is not None and one.other.status == "missing" for one in rows)
    if others:
        found.append(f"{others:,} samples have no prediction of the other system")
    if counts["extra"]:
        example = _first_extra(rows, inputs)
        found.append(f"predictions for no sample of the truth: {counts['extra']:,}{example}")
    found += _used_twice(rows)
    if counts["duplicate"]:
        found.append(
            f"predictions of a sample that has one already: {counts['duplicate']:,}; the first "
            "of each was taken"
        )
    if tally.rejected:
        found.append(f"{tally.rejected:,} samples of the truth can't be used, see rejected.jsonl")
    known = sum(has_ceiling(one) for one in rows)
    if rows and not known and document["kind"] != "video" and _has_codec(inputs):
        found.append(
            "no ceiling: the codec of the predictions can't spell a right mask here, so that "
            "nothing says what it loses alone"
        )
    if known and known < len(rows):
        found.append(
            f"the ceiling is of {known:,} samples: of the others nothing says the codec, or it "
            "can't spell their right masks"
        )
    found += _faults(rows)
    own, flipped, count = turned
    if count >= FEW and flipped - own > FLIP_GAIN * count:
        found.append(
            "the run lengths seem to go the other way: of the first "
            f"{count:,} the mean IoU is {own / count:.3f}, and {flipped / count:.3f} if they are "
            "read along the other side; see --rle-order"
        )
    return found


def _first_extra(rows: Sequence[Stored], inputs: Inputs | None) -> str:
    """An example of a prediction of no sample, in brackets; "" where the file is not at hand."""
    if inputs is None:
        return ""
    used = {one.by for one in rows}
    names = (name for name in inputs.predictions[0].places if name not in used)
    name = next(names, None)
    return "" if name is None else f" (the first is {name!r})"


def _used_twice(rows: Sequence[Stored]) -> list[str]:
    """Predictions that were taken for several samples, whose files have the same name."""
    takers: dict[str, list[str]] = {}
    for one in rows:
        if one.by:
            takers.setdefault(one.by, []).append(one.row.id)
    several = {name: ids for name, ids in takers.items() if len(ids) > 1}
    if not several:
        return []
    name, ids = next(iter(several.items()))
    return [
        f"{len(several):,} predictions were taken for more than one sample each, e.g. {name!r} for "
        f"{ids[0]!r} and {ids[1]!r}: name predictions by their whole path"
    ]


def _has_codec(inputs: Inputs | None) -> bool:
    """Whether a ceiling was wanted, and a codec is known that it would be of."""
    if inputs is None or not inputs.job.ceiling:
        return False
    return any(inputs.predictions[0].specs) or bool(inputs.job.systems[0].reader.spec)


def has_ceiling(one: Stored) -> bool:
    """Whether the ceiling of a sample was measured."""
    return one.ceiling is not None or getattr(one.row, "ceiling", None) is not None


def _faults(rows: Sequence[Stored]) -> list[str]:
    """Predictions that can't be used, by kind, with an example."""
    wrong = [one for one in rows if one.row.status == "invalid" and one.problem]
    found = []
    for kind, count in Counter(one.repairs[0] for one in wrong if one.repairs).most_common():
        if kind not in OF_FILES:
            continue
        example = next(one for one in wrong if one.repairs[:1] == (kind,))
        most = ", most of them" if count > MANY * len(rows) else ""
        found.append(f"{count:,} predictions{most} are invalid ({kind}), e.g. {example.problem}")
    return found

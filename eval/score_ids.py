"""Whether predictions can be for the samples of a truth at all: found out before any is scored.

Masks are not read for it: a run of an hour must not end with the news that no id matched. A sample
that might match is let through; the run itself then tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from maskcodec.datasets.annotated import AnnotatedEntry
from maskcodec.datasets.images import IMAGE_SUFFIXES
from maskcodec.datasets.naming import LONGEST, safe_name
from maskcodec.datasets.videos import Video
from maskcodec.errors import RecordError

from .score_predictions import Predictions, same_letters
from .score_truth import PREPARED, WHOLE_IMAGES, Truth

SHOWN = 3
"""Ids of each side that a message shows."""


def check_ids(predictions: Predictions, truth: Truth) -> None:
    """Stop where no id can match.

    Raises:
        RecordError: none does.
    """
    if truth.videos is not None or truth.format == "scenes":
        return
    if truth.format == PREPARED:
        if predictions.file.field != "sent_id" and not _match_prepared(predictions, truth):
            raise no_match(predictions, truth, sorted(truth.ids)[:SHOWN])
        return
    if not _match(predictions, truth):
        raise no_match(predictions, truth, _examples(truth))


def _match_prepared(predictions: Predictions, truth: Truth) -> bool:
    ids = {same_letters(name) for name in truth.ids}
    known = ids | {safe_name(name) for name in ids}
    for name in predictions.places:
        if name in known or name.rpartition("#")[0] in ids:
            return True
    turns = {safe_name(f"{name}#") for name in ids}
    return any(name.rpartition("_")[0] in turns for name in predictions.places)


def _match(predictions: Predictions, truth: Truth) -> bool:
    if predictions.file.field == "sent_id":
        sentences = {one for entry in _entries(truth) for one in entry.sentences or ()}
        return any(name in sentences for name in predictions.places)
    counts = _counts(truth)
    numbered = predictions.file.field == "id"
    return any(_may_be(name, counts, numbered=numbered) for name in predictions.places)


def _entries(truth: Truth) -> list[AnnotatedEntry]:
    entries = () if truth.source is None else truth.source.entries
    return [entry for entry in entries if isinstance(entry, AnnotatedEntry)]


def _counts(truth: Truth) -> dict[str, int | None]:
    """How many samples each image has, by all names of the image; None where nobody knows yet."""
    found: dict[str, int | None] = {}
    whole = truth.kind in WHOLE_IMAGES
    for entry in _entries(truth):
        own = None if entry.sentences is None else len(entry.sentences)
        for name in (entry.id, *entry.names):
            for form in _forms(same_letters(name)):
                found[form] = 1 if whole else own
                found[safe_name(form)] = 1 if whole else own
    return found


def _forms(name: str) -> set[str]:
    """A name as it is, without the suffix of an image, and without the folders before it."""
    path = PurePosixPath(name)
    forms = {name, path.name}
    if path.suffix.lower() in IMAGE_SUFFIXES:
        forms |= {path.with_suffix("").as_posix(), path.stem}
    return forms


def _may_be(name: str, counts: dict[str, int | None], *, numbered: bool) -> bool:
    """Whether a prediction of this name may be for a sample; `numbered` if numbers are of it."""
    if len(name.encode("utf-8", "ignore")) >= LONGEST:
        return True  # it may have been cut
    for form in _forms(name):
        if form in counts and counts[form] in (None, 1):
            return True
        for mark in "#_":
            image, _, number = form.rpartition(mark)
            if image in counts and number.isdecimal():
                count = counts[image]
                if count is None or (int(number) < count and (numbered or count == 1)):
                    return True
    return False


def _examples(truth: Truth) -> list[str]:
    """The ids of the first samples, as `prepare` gives them; nothing is loaded."""
    return list(_first_ids(truth))[:SHOWN]


def _first_ids(truth: Truth) -> Iterator[str]:
    for entry in _entries(truth)[:SHOWN]:
        if truth.kind in WHOLE_IMAGES:
            yield entry.id
            continue
        for number in range(1 if entry.sentences is None else len(entry.sentences)):
            yield f"{entry.id}#{number}"


def no_match(predictions: Predictions, truth: Truth, ids: Sequence[str]) -> RecordError:
    """The error that no id of the predictions is one of the truth."""
    theirs = ", ".join(map(repr, ids)) or "none"
    others = _other_names(truth)
    field = predictions.file.field
    reason = (
        f"no prediction is for a sample of the truth: predictions have {field} "
        f"{predictions.sample_ids(SHOWN)}; the truth has {theirs}{others}. Name samples as the "
        "truth does, or say by --key which field names them; is it the right split?"
    )
    return RecordError(reason, file=predictions.file.path)


def _other_names(truth: Truth) -> str:
    """What else samples may be called: by the ids of sentences, or by the files of images."""
    entries = _entries(truth)[:SHOWN]
    sentences = [one for entry in entries for one in entry.sentences or () if one]
    if sentences:
        return f", or in a field sent_id {', '.join(map(repr, sentences[:SHOWN]))}"
    files = [name for entry in entries for name in entry.names if name != entry.id]
    return f", whose images are {', '.join(map(repr, files[:SHOWN]))}" if files else ""


def check_videos(folder: Path, videos: Sequence[Video | RecordError]) -> None:
    """Stop where a folder has no video of the truth.

    Raises:
        RecordError: it has none.
    """
    known = [video for video in videos if isinstance(video, Video)]
    if not known or any((folder / video.name).is_dir() for video in known):
        return
    there = [one.name for one in sorted(folder.iterdir()) if not one.name.startswith(".")]
    shown = ", ".join(map(repr, there[:SHOWN])) or "nothing"
    example = known[0]
    parts = [target.name for target in example.targets[:1] if example.expressions]
    where = "/".join([example.name, *parts])
    names = ", ".join(repr(video.name) for video in known[:SHOWN])
    raise RecordError(
        f"holds no video of the truth: here are {shown}, the truth has {names}. Frames are "
        f"expected like {where}/{example.frames[0]}.png",
        file=str(folder),
    )

"""From the arguments of `maskcodec score` to everything that scoring needs."""

from __future__ import annotations

import dataclasses
import hashlib
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskcodec.datasets.annotated import SourceOptions
from maskcodec.datasets.names import read_names
from maskcodec.datasets.video_folder import find_predictions
from maskcodec.datasets.videos import Video
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.registry import get_codec
from maskcodec.scores.label_map import label_key
from maskcodec.scores.presets import Preset, preset

from .score_arrays import value_names
from .score_boxes import BoxReader
from .score_figures import Asked
from .score_ids import check_ids, check_videos
from .score_kinds import DEFAULTS, Rules, describe_convention
from .score_predictions import FIELDS, PredictionFile, Predictions, open_predictions
from .score_reading import Reader
from .score_rows import NAMES, SCHEMA
from .score_truth import PREPARED, WHOLE_IMAGES, Truth, open_truth
from .score_work import OWN, Job, System


@dataclass(slots=True)
class Inputs:
    """What a run works on.

    Attributes:
        truth: what is right.
        predictions: of the system, and of the other one where two are compared.
        job: what processes do.
        rules: see `Preset`; None where none was asked for.
        remarks: what was assumed, for people.
    """

    truth: Truth
    predictions: list[Predictions]
    job: Job
    rules: Preset | None
    remarks: list[str]


KEPT = (
    "predictions", "truth", "against", "tasks", "ceiling", "no_ceiling", "no_boundary", "spec",
    "format", "split", "images", "masks", "names", "prediction_names", "ignore", "key",
    "rle_order", "resize", "boxes", "kind", "preset",
)  # fmt: skip
"""Arguments that decide what rows hold, kept in `run.json`."""


def open_inputs(arguments: Namespace, folder: Path) -> Inputs:
    """Open truth and predictions.

    Args:
        arguments: of the command line.
        folder: for indices, removed after the run.

    Raises:
        MaskCodecError: something is missing, unreadable, or doesn't go together.
    """
    rules = None if arguments.preset is None else preset(arguments.preset)
    truth = _open_truth(arguments, rules)
    measured = _rules(arguments, truth, rules)
    given = [arguments.predictions, *([arguments.against] if arguments.against else [])]
    order = ("image_id", "id") if _is_whole(truth) else FIELDS
    if truth.videos is not None:
        predictions = [_video_predictions(Path(one), truth.videos) for one in given]
    else:
        predictions = [open_predictions(Path(one), folder, arguments.key, order) for one in given]
    remarks: list[str] = []
    systems = []
    for one in predictions:
        check_ids(one, truth)
        systems.append(_system(arguments, one, truth, remarks))
    job = Job(tuple(systems), measured, truth.tasks, _ceiling(arguments, systems[0]))
    return Inputs(truth, predictions, job, rules, remarks)


def _video_predictions(path: Path, videos: Sequence[Video | RecordError]) -> Predictions:
    found = find_predictions(path)
    check_videos(found, videos)
    return Predictions(PredictionFile(str(found), "", "", False, "id"))


def asked(arguments: Namespace, rules: Rules, chosen: Preset | None) -> Asked:
    """Which figures are wanted.

    Raises:
        MaskCodecError: there is no such convention.
    """
    convention = arguments.convention or (
        chosen.convention
        if chosen is not None and chosen.kind == rules.kind
        else DEFAULTS[rules.kind]
    )
    describe_convention(rules.kind, convention)
    first = chosen.first if chosen is not None else ()
    return Asked(rules, convention, first, arguments.resamples, arguments.seed)


def _open_truth(arguments: Namespace, rules: Preset | None) -> Truth:
    form = arguments.format
    if form == "auto" and rules is not None and not arguments.truth.lower().endswith(".jsonl"):
        form = rules.format
    options = SourceOptions(
        images=arguments.images,
        split=arguments.split,
        names=None if arguments.names is None else read_names(arguments.names),
        masks=arguments.masks,
        ignore=(*arguments.ignore, *(() if rules is None else rules.ignore)),
        scoring=True,
    )
    kind = arguments.kind or (None if rules is None else rules.kind)
    return open_truth(arguments.truth, kind, form, options, tuple(arguments.tasks or ()))


def _is_whole(truth: Truth) -> bool:
    return truth.format != PREPARED and truth.kind in WHOLE_IMAGES


def _rules(arguments: Namespace, truth: Truth, chosen: Preset | None) -> Rules:
    background = None if chosen is None else chosen.background
    if truth.format == "voc" and truth.kind == "semantic":
        background = "background"
    names = truth.source.names if truth.source is not None else None
    labels: tuple[str, ...] | None = None
    if names is not None:
        known = {label_key(name): name for name in reversed([*names.values()])}
        if background is not None:
            known.setdefault(label_key(background), background)
        labels = tuple(reversed([*known.values()]))
    stuff = tuple(sorted(truth.source.stuff)) if truth.source is not None else ()
    return Rules(truth.kind, not arguments.no_boundary, labels, stuff, background)


def _system(
    arguments: Namespace, predictions: Predictions, truth: Truth, remarks: list[str]
) -> System:
    names = truth.source.names if truth.source is not None else None
    values = None
    if truth.kind == "semantic":
        values = names
        if (own := value_names(Path(predictions.file.path))) is not None:
            values = own
        if arguments.prediction_names is not None:
            values = read_names(arguments.prediction_names)
    reader = Reader(
        _spec(arguments, predictions, truth, remarks),
        names,
        values,
        arguments.rle_order == "rows",
        arguments.resize,
        predictions.file.arrays,
    )
    boxes = None
    if truth.kind == "boxes":
        boxes = BoxReader.of(arguments.boxes)
    specs = {get_codec(spec).spec if spec else reader.spec for spec in predictions.specs}
    spec = specs.pop() if len(specs) == 1 else ""
    return System(predictions.file, reader, boxes, predictions.has_text, spec)


def _spec(arguments: Namespace, predictions: Predictions, truth: Truth, remarks: list[str]) -> str:
    """The codec of texts that name none; "" where there are no such texts.

    Raises:
        MaskCodecError: nothing says it.
    """
    if arguments.spec is not None:
        return get_codec(arguments.spec).spec
    without = predictions.specs[""]
    if not without or truth.kind == "boxes":
        return ""
    named = [spec for spec in predictions.specs if spec]
    if named:
        raise RecordError(
            f"{without:,} texts name no spec, others name {', '.join(named[:3])}: give the spec of "
            "those by --spec",
            file=predictions.file.path,
        )
    if len(truth.specs) == 1:
        (spec,) = truth.specs
        remarks.append(f"texts name no spec: they are read as the truth's own, {spec}")
        return get_codec(spec).spec
    raise RecordError(
        "texts name no spec, so that nothing says how to read them: give --spec",
        file=predictions.file.path,
    )


def _ceiling(arguments: Namespace, system: System) -> str:
    if arguments.no_ceiling:
        return ""
    if arguments.ceiling is not None:
        return get_codec(arguments.ceiling).spec
    return OWN if system.has_text else ""


def settings(arguments: Namespace, inputs: Inputs) -> dict[str, Any]:
    """What a run that goes on, or a part, must have in common with the others."""
    names = ("predictions", "against")
    listed = {
        name: [_predictions_entry(one)]
        for name, one in zip(names, inputs.predictions, strict=False)
    }
    records = sum(inputs.truth.found.values()) or inputs.truth.units
    truth = {"file": inputs.truth.path, "sha256": digest(Path(inputs.truth.path)),
             "records": records, "format": inputs.truth.format}  # fmt: skip
    return {
        "schema": SCHEMA,
        "kind": inputs.job.rules.kind,
        "rules": _plain(dataclasses.asdict(inputs.job.rules)),
        "tasks": list(inputs.job.tasks),
        "ceiling": inputs.job.ceiling,
        "compared": len(inputs.predictions) > 1,
        "shard": list(arguments.shard) if arguments.shard else None,
        "inputs": listed | {"truth": [truth]},
        "arguments": {name: _plain(getattr(arguments, name)) for name in KEPT},
        NAMES: {name: getattr(arguments, name) for name in ("system", "other")},
    }


def _predictions_entry(predictions: Predictions) -> dict[str, Any]:
    path = predictions.file.path
    return {
        "file": path,
        "sha256": digest(Path(path)),
        "records": predictions.records,
        "specs": sorted(spec for spec in predictions.specs if spec),
    }


def _plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return value


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder, of its files' names and sizes; "" of what is neither."""
    found = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as stream:
            while block := stream.read(2**20):
                found.update(block)
        return found.hexdigest()
    if not path.is_dir():
        return ""
    for one in sorted(path.rglob("*")):
        if one.is_file():
            found.update(f"{one.relative_to(path).as_posix()}\0{one.stat().st_size}\n".encode())
    return found.hexdigest()


def check_arguments(arguments: Namespace) -> None:
    """Check arguments before anything is read.

    Raises:
        MaskCodecError: one is missing, or two don't go together.
    """
    if arguments.merge is not None:
        if arguments.predictions is not None or arguments.truth is not None:
            raise MaskCodecError("--merge takes the folders of runs alone, no predictions")
        return
    if arguments.predictions is None or arguments.truth is None:
        raise MaskCodecError("give PREDICTIONS and --truth; `maskcodec score --help` has examples")
    BoxReader.of(arguments.boxes)
    if arguments.resume and arguments.output.resolve() == Path(arguments.predictions).resolve():
        raise MaskCodecError("--output is the folder of the predictions; give another")
    for name in ("images", "masks"):
        folder = getattr(arguments, name)
        if folder is not None and not folder.is_dir():
            raise RecordError("is no folder", file=str(folder), field=f"--{name}")

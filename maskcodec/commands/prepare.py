"""`maskcodec prepare`: a data set to the file of questions and answers that training reads."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import arguments as args
from .prepare_arguments import add_arguments

if TYPE_CHECKING:
    from ..codec import Codec
    from ..datasets.annotated import AnnotatedEntry, Source
    from ..errors import RecordError
    from ..tokens import TokenCounter
    from .prepare_output import ExampleOutput
    from .prepare_rows import Done, Job

DESCRIPTION = """\
Write the examples that a model is trained on: questions about images, and answers with masks.

SOURCE is one of
  instances.json          COCO instances: every object of its categories
  panoptic.json           COCO panoptic, its PNGs in the folder of the same name
  objects.jsonl           run lengths, one object a line, with "expression" if there is one
  refs(unc).p             RefCOCO, RefCOCO+, RefCOCOg; instances.json beside it. Or their folder
  grefs(unc).json         gRefCOCO; instances.json beside it. Or their folder
  reasonseg/train         ReasonSeg: pairs of .json and .jpg
  VOC2012, cityscapes, ADEChallengeData2016, or any folder of label maps with --names
  scenes:2000             so many generated images; they are written to images/ beside the output

One example a line, as TRL's SFTTrainer reads it: {"images", "messages", ...}; docs/prepare.md says
all. What can't be used is set aside in FILE.rejected.jsonl with its place and the reason. Before
anyone trains, the end says what the codec alone loses, and how long the answers are."""

EXAMPLES = """\
  maskcodec prepare scenes:2000 --spec boxgrid -o train.jsonl
  maskcodec prepare refcoco --split train --images train2014 --spec shapetokens -o train.jsonl \\
      --tokenizer qwen3/tokenizer.json --max-tokens 256 --processes 8 --sheet train.html
  maskcodec prepare instances_train2017.json --images train2017 --spec polygon -o train.jsonl \\
      --tasks generalised,grounded,prompted --turns 4 --val-share 0.02 --val-output val.jsonl
  maskcodec prepare VOC2012 --split train --spec text4seg -o train.jsonl --resume"""

TRUNCATED = "answers longer than {limit:,} tokens ({share:.1f} %), the longest {longest:,}"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "prepare", "a data set to a file to train on", DESCRIPTION, EXAMPLES
    )
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prepare; 1 if records were set aside."""
    from ..datasets.annotated_sources import open_source
    from ..registry import get_codec
    from .prepare_output import ExampleOutput
    from .show import load_counter
    from .terminal import say
    from .trial import try_both_ways

    codec = get_codec(arguments.spec)
    _check(arguments)
    try_both_ways(codec)
    counter = None if arguments.tokenizer == "none" else load_counter(arguments.tokenizer)
    _check_tokenizer(codec, counter)
    source = open_source(arguments.source, arguments.format, _source_options(arguments))
    job = _job(arguments, codec, source, counter)
    report = arguments.report or arguments.output.with_name(f"{arguments.output.stem}.report.json")
    output = ExampleOutput(
        arguments.output,
        job.val_output,
        report,
        _options(arguments, job, source),
        resume=arguments.resume,
        overwrite=arguments.overwrite,
    )
    try:
        _work(arguments, job, source, output)
    finally:
        output.close()
    figures = [one.fields(arguments.max_tokens) for one in output.figures]
    named = dict(zip(("train", "val"), figures, strict=False))
    output.finish(named | {"set_aside": output.aside.count})
    if not arguments.quiet:
        _print(arguments, named, "not counted" if counter is None else counter.name)
        say("prepare", _said(output))
    _warn(arguments, named)
    _after(arguments, counter)
    return 1 if output.aside.count else 0


def _check(arguments: argparse.Namespace) -> None:
    """Check options before anything is read.

    Raises:
        MaskCodecError: some don't go together, or name what is not there.
    """
    from ..datasets.templates import load_templates
    from ..errors import MaskCodecError, RecordError
    from ..writing import check_apart
    from .set_aside import rejected_path

    outputs = [arguments.output, arguments.val_output]
    for path in filter(None, outputs):
        if path.suffix != ".jsonl":
            raise RecordError("must end in .jsonl, since it takes records", file=str(path))
    check_apart([*outputs, arguments.report, rejected_path(arguments.output)], [arguments.source])
    if (arguments.val_output is None) != (arguments.val_share == 0):
        raise MaskCodecError("--val-share and --val-output go together: how many, and where to")
    if arguments.val_output and arguments.val_output.resolve() == arguments.output.resolve():
        raise RecordError("is --output too; give another file", file=str(arguments.val_output))
    for name in ("images", "masks"):
        folder = getattr(arguments, name)
        if folder is not None and not folder.is_dir():
            raise RecordError("is no folder", file=str(folder), field=f"--{name}")
    if not arguments.constant.strip():
        raise MaskCodecError("--constant is empty, expected the name of a mask")
    load_templates(arguments.templates)


def _check_tokenizer(codec: Codec[Any], counter: TokenCounter | None) -> None:
    """Check that each token that the codec adds stays one.

    Raises:
        MaskCodecError: the tokenizer splits some.
    """
    from ..errors import MaskCodecError

    if counter is None or not codec.vocab():
        return
    adding = counter.adding(codec.vocab())
    split = [token for token in codec.vocab().tokens if adding.count(token) != 1]
    if split:
        shown = ", ".join(map(repr, split[:3]))
        raise MaskCodecError(
            f"{counter.name} splits {len(split):,} of the {len(codec.vocab().tokens):,} tokens of "
            f"{codec.spec} even when they are added ({shown}, …): choose another tokenizer, or a "
            "codec of plain text"
        )


def _source_options(arguments: argparse.Namespace) -> Any:
    from ..datasets.annotated import SourceOptions
    from ..datasets.names import read_names

    return SourceOptions(
        images=arguments.images,
        split=arguments.split,
        names=None if arguments.names is None else read_names(arguments.names),
        masks=arguments.masks,
        ignore=tuple(arguments.ignore),
        seed=arguments.seed,
        shapes=arguments.shapes,
        scene=arguments.scene,
        tasks=arguments.tasks or (),
        questions=arguments.questions,
    )


def _job(
    arguments: argparse.Namespace, codec: Codec[Any], source: Source, counter: TokenCounter | None
) -> Job:
    from ..datasets.exchanges import AskOptions
    from .prepare_rows import Job

    return Job(
        codec.spec,
        AskOptions(
            arguments.tasks or source.tasks,
            arguments.labels,
            arguments.constant,
            arguments.coordinates,
            arguments.prompts,
            arguments.absent,
        ),
        arguments.templates,
        arguments.turns,
        None if counter is None else counter.name,
        arguments.seed,
        arguments.val_share,
        arguments.output,
        arguments.val_output,
        source.name or Path(arguments.source).name,
    )


def _options(arguments: argparse.Namespace, job: Job, source: Source) -> dict[str, Any]:
    """What a run that goes on must have the same, and what the report says of it."""
    plain = ("source", "split", "labels", "constant", "turns", "coordinates", "prompts", "absent",
             "seed", "val_share", "limit", "ignore", "scene", "questions")  # fmt: skip
    paths = ("images", "masks", "names", "templates", "shapes", "val_output")
    return (
        {"spec": job.spec, "format": source.format, "tasks": list(job.ask.tasks)}
        | {name: getattr(arguments, name) for name in plain}
        | {name: str(path) if (path := getattr(arguments, name)) else None for name in paths}
        | {"tokenizer": job.tokenizer}
    )


def _work(arguments: argparse.Namespace, job: Job, source: Source, output: ExampleOutput) -> None:
    from .ordered import map_ordered
    from .prepare_rows import prepare_entry
    from .terminal import progress

    done, items = output.to_do(source.entries)
    bar = progress(len(source.entries), "images", quiet=arguments.quiet)
    bar.update(done)
    work = functools.partial(_prepare, prepare_entry, job=job)
    results = map_ordered(work, _marked(source, items), arguments.processes)
    try:
        for result in results:
            if not output.take(result, arguments.limit):
                break
            bar.update()
    finally:
        results.close()  # type: ignore[attr-defined]
        bar.close()


def _marked(source: Source, items: list[AnnotatedEntry | RecordError]) -> Any:
    """Each item, and whether an earlier one has its id."""
    from ..errors import RecordError

    first: dict[str, object] = {}
    for item in source.entries:
        if not isinstance(item, RecordError):
            first.setdefault(item.id, item)
    for item in items:
        yield item, not isinstance(item, RecordError) and first[item.id] is not item


def _prepare(work: Any, marked: tuple[Any, bool], job: Job) -> Done | RecordError:
    from .prepare_output import twice

    item, is_twice = marked
    result: Done | RecordError = twice(item) if is_twice else work(item, job)
    return result


def _print(arguments: argparse.Namespace, named: dict[str, Any], counter: str) -> None:
    from .prepare_figures import summary

    paths = {"train": arguments.output, "val": arguments.val_output}
    for name, figures in named.items():
        print("\n".join(summary(str(paths[name]), figures, counter)))


def _said(output: ExampleOutput) -> str:
    text = f"{output.written:,} examples{output.aside.summary()}; figures in {output.report}"
    return text + (f"; {output.earlier:,} of them by an earlier run" if output.earlier else "")


def _warn(arguments: argparse.Namespace, named: dict[str, Any]) -> None:
    """Say loudly where the training would cut answers."""
    from .terminal import say

    for name, figures in named.items():
        tokens = figures["tokens"]
        if tokens and tokens.get("over_limit"):
            over = TRUNCATED.format(
                limit=tokens["limit"],
                share=100 * tokens["over_limit"] / tokens["count"],
                longest=tokens["max"],
            )
            say(
                "prepare",
                f"WARNING: {name}: {tokens['over_limit']:,} {over}: they would be cut; raise "
                "--max-tokens, or choose a shorter codec (`maskcodec list`)",
            )


def _after(arguments: argparse.Namespace, counter: TokenCounter | None) -> None:
    """The sheet and the exports, from the finished file."""
    if arguments.sheet is not None:
        from .prepare_sheet import write_example_sheet

        write_example_sheet(arguments.sheet, arguments.output, arguments.sheet_examples)
    for schema, path in arguments.export:
        from .prepare_export import export

        export(schema, arguments.output, path)

"""`maskcodec encode`: masks of any common file to text, or to JSONL with one text a line."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import arguments as args

if TYPE_CHECKING:
    from ..codec import Codec
    from ..datasets.sample import Entry, ReadOptions, Sample
    from ..errors import RecordError
    from .record_output import RecordOutput

DESCRIPTION = """\
Write masks as text.

INPUT is any number of
  mask.png     a binary mask (two values, 0 and another), or with --names a label map
  array.npy    bool (height, width) or (masks, height, width), or a label map of whole numbers
  coco.json    COCO instances: polygons, compressed and uncompressed run lengths
  rle.jsonl    one object a line: {"image", "id", "category", "size": [h, w], "counts"}
  folder/      of .png and .npy, subfolders too
where .json and .jsonl may be gzipped (.gz).

One mask file without --output prints its text. Everything else gives JSONL, one record an image:
  {"id", "image", "size": [h, w], "spec", "text"}
A record that can't be used is set aside in FILE.rejected.jsonl with its place and the reason; the
rest is written, and the exit status is 1."""

EXAMPLES = """\
  maskcodec encode dog.png --spec text4seg:grid=32
  maskcodec encode classes.png --names names.txt --spec text4seg:grid=16
  maskcodec encode instances_val2017.json --spec boxgrid -o val.jsonl --truth --jobs 4
  maskcodec encode instances_val2017.json --spec boxgrid -o val.jsonl --truth --resume
  maskcodec encode masks/ --image-dir photos/ --label nucleus --spec polygon -o cells.jsonl"""

_HINT = " (0 is background and 255 not annotated, unless the names say otherwise)"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(subparsers, "encode", "masks to text", DESCRIPTION, EXAMPLES)
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="see above")
    parser.add_argument("--spec", required=True, help=args.SPEC_HELP)
    args.add_output_file(
        parser,
        "the JSONL to write, - for stdout; FILE.txt takes the text of one mask file "
        "(default: text on stdout for one mask file, JSONL on stdout otherwise)",
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help='names of a label map\'s values: one a line (line 1 names value 1), JSON {"1": "dog"}'
        ", or a COCO json with categories. 0 is background and 255 not annotated, so that a mask "
        "of 0 and 255 is no label map. Also names a COCO json's category ids, in place of its own",
    )
    parser.add_argument("--label", help="label of binary masks (default: the file's name)")
    parser.add_argument(
        "--per",
        choices=("image", "object"),
        default="image",
        help="one record an image or one an object (default: %(default)s)",
    )
    parser.add_argument(
        "--image-dir",
        type=Path,
        metavar="DIR",
        help="where the images lie: each must exist and be of its masks' size; sizes that a COCO "
        "json lacks are read there, and mask files are joined to images by name",
    )
    parser.add_argument(
        "--crowd",
        choices=("keep", "skip"),
        help="what to do with the crowd regions of a COCO json (default: keep)",
    )
    parser.add_argument(
        "--truth",
        action="store_true",
        help='add "truth" to each record: the masks as [{"label", "size", "counts"}], loss-free',
    )
    parser.add_argument(
        "--jobs",
        "-j",
        type=args.jobs,
        default=1,
        metavar="N",
        help="processes (default: %(default)s); the output is the same",
    )
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Encode; 1 if records were set aside."""
    from ..datasets.inputs import is_single
    from ..datasets.names import read_names
    from ..datasets.sample import ReadOptions
    from ..errors import RecordError
    from ..registry import get_codec

    codec = get_codec(arguments.spec)
    if arguments.image_dir is not None and not arguments.image_dir.is_dir():
        raise RecordError("is no folder", file=str(arguments.image_dir), field="--image-dir")
    _check_used(arguments)
    options = ReadOptions(
        names=None if arguments.names is None else read_names(arguments.names),
        label=arguments.label,
        per=arguments.per,
        image_dir=arguments.image_dir,
        crowd=arguments.crowd != "skip",
    )
    as_text = arguments.output is None or arguments.output.endswith(".txt")
    if as_text and is_single(arguments.inputs) and arguments.per == "image":
        return _text(arguments, codec, options)
    return _records(arguments, codec, options)


def _check_used(arguments: argparse.Namespace) -> None:
    """Check that the inputs leave it to `--names` and `--label` what objects are called, and have
    crowd regions for `--crowd`.

    Raises:
        RecordError: an option would change nothing.
    """
    from ..datasets.inputs import kind_of
    from ..errors import RecordError

    kinds = {kind_of(path) for path in arguments.inputs}
    if arguments.names is not None and kinds == {"rle"}:
        reason = "goes with label maps and COCO json; a .jsonl names its objects itself"
        raise RecordError(reason, field="--names")
    if arguments.crowd is not None and "coco" not in kinds:
        raise RecordError("goes with COCO json: nothing else has crowds", field="--crowd")
    if arguments.label is None:
        return
    if arguments.names is not None:
        reason = "names binary masks, but with --names every mask file is a label map"
        raise RecordError(f"{reason}; give one of them", field="--label")
    if not kinds & {"mask", "folder"}:
        reason = "names binary masks; a COCO json or .jsonl names its objects itself"
        raise RecordError(f"{reason}; leave it out", field="--label")


def _text(arguments: argparse.Namespace, codec: Codec[Any], options: ReadOptions) -> int:
    """One mask file to its text."""
    from ..datasets.inputs import open_inputs
    from ..errors import MaskCodecError, RecordError
    from ..writing import atomic, check_apart, check_output
    from .terminal import say

    if arguments.truth or arguments.resume:
        raise MaskCodecError("--truth and --resume go with JSONL: give --output FILE.jsonl")
    for entry in open_inputs(arguments.inputs, options).items:
        if isinstance(entry, RecordError):
            raise entry
        sample = entry.load()
        if not sample.masks and not arguments.quiet:
            say("encode", f"{entry.file} shows no object{_HINT if arguments.names else ''}")
        data = codec.encode(sample.masks, sample.size).encode("utf-8") + b"\n"
        if arguments.output is None:
            sys.stdout.buffer.write(data)
            continue
        path = Path(arguments.output)
        check_apart([path], [*arguments.inputs, arguments.names])
        check_output(path, may_exist=arguments.overwrite)
        with atomic(path) as stream:
            stream.write(data)
    return 0


def _records(arguments: argparse.Namespace, codec: Codec[Any], options: ReadOptions) -> int:
    """Any inputs to JSONL."""
    from ..datasets.inputs import is_single, open_inputs
    from ..errors import EncodeError, RecordError
    from .ordered import map_ordered
    from .record_output import RecordOutput, check_jsonl_output
    from .terminal import progress, say
    from .trial import try_encoding

    path = args.output_path(arguments)
    if path is not None and path.suffix != ".jsonl" and is_single(arguments.inputs):
        reason = "must end in .txt, for the text of one mask file, or in .jsonl, for records"
        raise RecordError(reason, file=str(path))
    check_jsonl_output(path, [*arguments.inputs, arguments.names], resume=arguments.resume)
    entries = open_inputs(arguments.inputs, options)
    with contextlib.suppress(EncodeError):  # that mask or its label is nothing for the format
        try_encoding(codec)
    output = RecordOutput(
        path,
        "encode",
        codec.spec,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
        truth=arguments.truth,
    )
    bar = progress(entries.total, "records", quiet=arguments.quiet)
    work = functools.partial(_encode, spec=codec.spec, truth=arguments.truth)
    empty = 0
    try:
        for id_, result, masks in map_ordered(
            work, _to_do(entries.items, output, bar), arguments.jobs
        ):
            if isinstance(result, RecordError):
                output.aside.add(result, id_)
            else:
                output.write(result)
                empty += not masks
            bar.update()
    finally:
        bar.close()
        output.close()
    if not arguments.quiet or output.aside.count:
        hint = _HINT if arguments.names else ""
        none = f"; {empty} without an object{hint}" if empty else ""
        say("encode", output.summary() + none)
    return 1 if output.aside.count else 0


def _to_do(
    items: Iterable[Entry | RecordError], output: RecordOutput, bar: Any
) -> Iterator[Entry | RecordError]:
    """What neither an earlier run nor an earlier input has done."""
    from ..errors import RecordError

    for item in items:
        if isinstance(item, RecordError):
            yield item
        elif output.is_done(item.file, item.id):
            bar.update()
        elif output.is_twice(item.id):
            reason = f"{item.id!r} is the id of an earlier input already; ids must differ"
            error = RecordError(reason, file=item.file, line=item.line, field="id")
            yield dataclasses.replace(item, load=functools.partial(_refuse, error))
        else:
            yield item


def _refuse(error: RecordError) -> Sample:
    raise error


def _encode(
    item: Entry | RecordError, spec: str, *, truth: bool
) -> tuple[str | None, bytes | RecordError, int]:
    """The work on one item: its id, the line to write or the error, and the number of masks."""
    from ..errors import MaskCodecError, RecordError
    from ..records import dump_line

    if isinstance(item, RecordError):
        return None, item, 0
    try:
        sample = item.load()
        text = _codec(spec).encode(sample.masks, sample.size)
        line = dump_line(_fields(sample, spec, text, truth=truth))
        return item.id, line, len(sample.masks)
    except RecordError as error:
        return item.id, error, 0
    except MaskCodecError as error:
        reason = RecordError(str(error), file=item.file, line=item.line, field=item.place)
        return item.id, reason, 0


@functools.cache
def _codec(spec: str) -> Codec[Any]:
    from ..registry import get_codec

    return get_codec(spec)


def _fields(sample: Sample, spec: str, text: str, *, truth: bool) -> dict[str, Any]:
    """The record of a sample."""
    fields: dict[str, Any] = {"id": sample.id, "image": sample.image}
    if sample.image_id is not None:
        fields["image_id"] = sample.image_id
    fields |= {"size": list(sample.size), "spec": spec, "text": text}
    if truth:
        from .. import rle

        fields["truth"] = [
            {
                "label": mask.label,
                "size": list(sample.size),
                "counts": rle.to_string(rle.encode(mask.array)).decode("ascii"),
            }
            for mask in sample.masks
        ]
    return fields

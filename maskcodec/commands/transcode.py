"""`maskcodec transcode`: texts of one codec to texts of another."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import arguments as args

if TYPE_CHECKING:
    from ..codec import Codec
    from ..decoded import Repair
    from ..errors import RecordError
    from .texts import Text

DESCRIPTION = """\
Rewrite texts of one codec as texts of another. Where both share a geometry of equal layout (two
spellings of one grid, say) only the spelling changes and nothing is lost; otherwise the masks are
painted at the image's size and analysed again.

INPUT is JSONL with {"text", "spec", "size"}, whose other fields are kept; or any other file with
one plain text; or - for stdin: JSONL, and with --from plain text. --from and --size are for plain
text, and for records that name none.

JSONL gives JSONL; plain text gives plain text. A record that can't be used is set aside in
FILE.rejected.jsonl with its place and the reason; the exit status is then 1."""

EXAMPLES = """\
  maskcodec transcode train.jsonl --to coco_rle -o train_rle.jsonl
  maskcodec transcode answer.txt --from text4seg:grid=32 --to polygon --size 480x640
  maskcodec transcode simpleseg.jsonl --to boxgrid --label object -o named.jsonl
  maskcodec transcode predictions.jsonl --to coco_rle --errors repair -o predictions_rle.jsonl"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "transcode", "text of one codec to text of another", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("input", metavar="INPUT", help="see above")
    parser.add_argument("--to", required=True, metavar="SPEC", help=args.SPEC_HELP)
    parser.add_argument("--from", dest="source", metavar="SPEC", help="what the texts are")
    parser.add_argument(
        "--label",
        default="",
        help="label of objects that have none: some formats hold no labels, and most need them",
    )
    args.add_size(parser, "the image's height x width in pixels, e.g. 480x640")
    args.add_output_file(parser, "the file to write (default, and -: stdout)")
    args.add_errors(parser, "strict")
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Transcode; 1 if records were set aside."""
    from ..registry import get_codec
    from .texts import is_jsonl, read_texts

    target = get_codec(arguments.to)
    texts = read_texts(
        arguments.input, arguments.source, arguments.size, need_size=False, option="--from"
    )
    if is_jsonl(arguments.input, arguments.source):
        return _records(arguments, texts, target)
    return _plain(arguments, texts, target)


def _plain(
    arguments: argparse.Namespace, texts: Iterable[Text | RecordError], target: Codec[Any]
) -> int:
    from ..errors import MaskCodecError, RecordError
    from ..writing import atomic, check_apart, check_output
    from .repair_report import RepairReport
    from .terminal import say

    if arguments.resume:
        raise MaskCodecError("--resume goes with JSONL")
    for text in texts:
        if isinstance(text, RecordError):
            raise text
        written, repairs = _transcode(text, target, arguments)
        data = written.encode("utf-8") + b"\n"
        path = args.output_path(arguments)
        if path is None:
            sys.stdout.buffer.write(data)
        else:
            check_apart([path], [arguments.input])
            check_output(path, may_exist=arguments.overwrite)
            with atomic(path) as stream:
                stream.write(data)
        report = RepairReport(None)
        report.add(text, repairs)
        if report.texts:
            say("transcode", report.summary().removeprefix("; "))
    return 0


def _records(
    arguments: argparse.Namespace, texts: Iterable[Text | RecordError], target: Codec[Any]
) -> int:
    from ..errors import MaskCodecError, RecordError
    from ..records import dump_line
    from .record_output import RecordOutput, check_jsonl_output
    from .repair_report import RepairReport
    from .terminal import progress, say
    from .texts import place

    path = args.output_path(arguments)
    check_jsonl_output(path, [arguments.input], resume=arguments.resume)
    output = RecordOutput(
        path, "transcode", target.spec, resume=arguments.resume, overwrite=arguments.overwrite
    )
    report = RepairReport(None)
    spec = target.spec
    bar = progress(None, "records", quiet=arguments.quiet)
    try:
        for text in texts:
            bar.update()
            if isinstance(text, RecordError):
                output.aside.add(text)
                continue
            if output.is_done(arguments.input, text.id):
                continue
            try:
                if output.is_twice(text.id):
                    raise place(text, f"{text.id!r} is the id of an earlier record already", "id")
                written, repairs = _transcode(text, target, arguments)
            except RecordError as error:
                output.aside.add(error, text.id)
            except MaskCodecError as error:
                output.aside.add(place(text, str(error)), text.id)
            else:
                report.add(text, repairs)
                output.write(dump_line(_fields(text, spec, written)))
    finally:
        bar.close()
        output.close()
    if not arguments.quiet or output.aside.count:
        say("transcode", output.summary() + report.summary())
    return 1 if output.aside.count else 0


def _transcode(
    text: Text, target: Codec[Any], arguments: argparse.Namespace
) -> tuple[str, tuple[Repair, ...]]:
    from ..transcoding import respell, transcode
    from .texts import place

    errors, label = arguments.errors, arguments.label
    if text.size is not None:
        return transcode(text.text, text.codec, target, text.size, errors=errors, label=label)
    geometry, repairs = text.codec.parse(text.text, errors=errors)
    written = respell(geometry, target, label)
    if written is None:
        raise place(text, "the masks must be painted, so the size is needed: give --size", "size")
    return written, tuple(repairs)


def _fields(text: Text, spec: str, written: str) -> dict[str, Any]:
    """The record with its new text; its other fields stay as they are."""
    fields = {} if text.record is None else text.record.fields
    size = {} if text.size is None else {"size": list(text.size)}
    return {"id": text.id} | fields | size | {"id": text.id, "spec": spec, "text": written}

"""`maskcodec decode`: texts to mask PNGs, label maps, COCO json or npz."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from . import arguments as args
from .refining import add_refine

if TYPE_CHECKING:
    from ..datasets.sample import Sample
    from ..datasets.writers import Writer
    from ..decoded import Decoded
    from ..errors import RecordError
    from .image_ids import ImageIds
    from .refining import RecordRefiner
    from .repair_report import RepairReport
    from .set_aside import SetAside
    from .texts import Text

DESCRIPTION = """\
Read texts, as a model printed them or as `maskcodec encode` wrote them, and paint their masks.

INPUT is JSONL (.jsonl, .jsonl.gz) with one record a line, {"id", "image", "size": [h, w], "spec",
"text"}; or any other file with one plain text, for which --spec and --size must be given; or - for
stdin: JSONL, and with --spec plain text. --spec and --size also serve records that name none.

--format says what is written to --output:
  png           a folder: NAME.N.LABEL.png for each mask (0 and 255), and masks.jsonl
  labels        a folder: NAME.png, a label map for each image, and names.json
  npz           a folder: NAME.npz with masks (N, height, width) and labels, for each image
  coco          one json: images, categories and annotations with compressed run lengths
  coco-results  one json: the list of results that COCO's evaluation reads, each with score 1
Results belong to their images by the records' "image_id". Where records lack it, --names takes the
truth's COCO json, and an image's id is that of its file name there; a result without one is set
aside. coco writes a list of images of its own, in which such images get new ids.

NAME is the record's id made safe as a file name. For one plain text, png (if it says one mask),
labels and npz also take a file name. A folder must be new or empty.

--refine moves contours to the edges of the images, which --image-dir leads to."""

EXAMPLES = """\
  maskcodec decode answer.txt --spec text4seg:grid=32 --size 480x640 --output mask.png
  maskcodec decode predictions.jsonl --output masks/
  maskcodec decode predictions.jsonl --format labels --names names.txt --output maps/
  maskcodec decode predictions.jsonl --format coco-results --names val.json -o results.json
  maskcodec decode predictions.jsonl --errors strict --report repairs.json -o masks/
  maskcodec decode predictions.jsonl --refine walker --image-dir photos/ -o masks/"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(subparsers, "decode", "text to masks", DESCRIPTION, EXAMPLES)
    parser.add_argument("input", metavar="INPUT", help="see above")
    parser.add_argument("--spec", help=args.SPEC_HELP)
    args.add_size(parser, "the image's height x width in pixels, e.g. 480x640")
    parser.add_argument(
        "--format",
        choices=("png", "labels", "npz", "coco", "coco-results"),
        default="png",
        help="see above (default: %(default)s)",
    )
    parser.add_argument(
        "--output", "-o", required=True, type=Path, metavar="PATH", help="see above"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="write over a file, or into a folder with files"
    )
    parser.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="the number of each label in label maps and COCO json: one name a line (line 1 is 1), "
        'JSON {"1": "dog"}, or a COCO json; other labels get the numbers after them. With coco and '
        "coco-results a COCO json also gives the image ids that records lack, by file name",
    )
    args.add_errors(parser, "repair")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE.json",
        help="write every repair: a list of {id, line, repairs: [{kind, position, message}]}",
    )
    parser.add_argument(
        "--device",
        default="cpu",
        help='where masks are painted: "cpu", or a device of torch such as "cuda" '
        "(default: %(default)s)",
    )
    add_refine(parser)
    parser.add_argument(
        "--image-dir",
        type=Path,
        metavar="DIR",
        help="where the images of records lie, for --refine; of one plain text, the image itself",
    )
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Decode; 1 if records were set aside."""
    from ..devices import check_device
    from ..writing import atomic, check_output
    from .decode_output import (
        find_image_ids,
        numbered,
        open_writer,
        read_names_option,
        warn_of_numbers,
    )
    from .refining import RecordRefiner
    from .repair_report import RepairReport, check_report
    from .set_aside import SetAside, rejected_path
    from .terminal import say
    from .texts import read_texts

    check_device(arguments.device)
    _check_apart(arguments, arguments.output, arguments.report)
    lists = [arguments.output / name for name in ("rejected.jsonl", "masks.jsonl", "names.json")]
    check_report(arguments.report, [arguments.output, rejected_path(arguments.output), *lists])
    refiner = RecordRefiner(arguments.refine, arguments.image_dir)
    texts = read_texts(arguments.input, arguments.spec, arguments.size)
    names = read_names_option(arguments)
    ids = find_image_ids(arguments.format, names)
    writer = open_writer(arguments, names, ids)
    rejected = rejected_path(arguments.output)  # not before the folder is there, if it is one
    _check_apart(arguments, rejected)
    check_output(rejected, may_exist=arguments.overwrite)
    with contextlib.ExitStack() as stack:
        stream = None if arguments.report is None else stack.enter_context(atomic(arguments.report))
        report = RepairReport(stream)
        aside = SetAside(rejected, "decode")
        stack.callback(aside.close)
        try:
            count, masks = _decode(texts, arguments, writer, ids, refiner, report, aside)
        except BaseException as error:
            writer.finish(complete=False)
            if isinstance(error, KeyboardInterrupt) and arguments.format.startswith("coco"):
                reason = "a COCO json is written when all is decoded; nothing was"
                raise KeyboardInterrupt(reason) from None
            raise
        writer.finish()
        report.close()
    warn_of_numbers(arguments, writer)
    if not arguments.quiet or aside.count:
        done = f"{count} texts, {masks} masks"
        say("decode", done + numbered(writer) + report.summary() + aside.summary())
    return 1 if aside.count else 0


def _check_apart(arguments: argparse.Namespace, *outputs: Path | None) -> None:
    """Check that none of `outputs` is an input.

    Raises:
        MaskCodecError: one is, or --output is `-`.
    """
    from ..errors import MaskCodecError
    from ..writing import check_apart

    if str(arguments.output) == "-":
        raise MaskCodecError("--output -: masks go to files; give a file or a folder")
    check_apart(outputs, [arguments.input, arguments.names, arguments.image_dir])


def _decode(
    texts: Iterable[Text | RecordError],
    arguments: argparse.Namespace,
    writer: Writer,
    ids: ImageIds | None,
    refiner: RecordRefiner,
    report: RepairReport,
    aside: SetAside,
) -> tuple[int, int]:
    """Decode and write all texts; return how many texts and masks were written."""
    from ..errors import MaskCodecError, RecordError
    from .batching import batches
    from .terminal import progress
    from .texts import place

    count = masks = 0
    with progress(None, "texts", quiet=arguments.quiet) as bar:
        for batch in batches(texts, arguments.errors, aside.add):
            for text, decoded in _decode_batch(batch, arguments, aside):
                try:
                    sample = _sample(text, refiner.refine(text, decoded), ids)
                except RecordError as error:
                    aside.add(error, text.id)
                    continue
                try:
                    writer.add(sample)
                except MaskCodecError as error:
                    aside.add(place(text, str(error)), text.id)
                    continue
                report.add(text, decoded.repairs)
                count += 1
                masks += len(sample.masks)
            bar.update(len(batch))
    return count, masks


def _decode_batch(
    batch: list[Text], arguments: argparse.Namespace, aside: SetAside
) -> Iterable[tuple[Text, Decoded]]:
    from ..errors import MaskCodecError
    from .texts import place

    sizes = [text.size for text in batch if text.size is not None]
    try:
        decoded = batch[0].codec.decode_batch(
            [text.text for text in batch], sizes, device=arguments.device, errors=arguments.errors
        )
    except MaskCodecError as error:
        if len(batch) > 1:  # each alone tells which
            return [pair for text in batch for pair in _decode_batch([text], arguments, aside)]
        aside.add(place(batch[0], str(error)), batch[0].id)
        return []
    return zip(batch, decoded, strict=True)


def _sample(text: Text, decoded: Decoded, ids: ImageIds | None) -> Sample:
    """What is written of a text; `ids` finds its image id, where the form has such ids."""
    from ..datasets.sample import Sample

    number = None if ids is None else ids.of(text, decoded.size)
    return Sample(text.id, text.image, decoded.size, tuple(decoded.masks), number)

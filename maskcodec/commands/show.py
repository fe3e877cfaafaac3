"""`maskcodec show`: masks, or what a text says, as a picture or as a sheet of examples."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import arguments as args

if TYPE_CHECKING:
    from ..codec import Codec
    from ..mask import Mask
    from ..overlay import Rgb
    from ..sheet import Answer, Group
    from ..tokens import TokenCounter

DESCRIPTION = """\
Show masks to a person.

INPUT is one of
  photo.jpg      an image, shown with the masks of --masks, with what --text says, or with what
                 the codec of --spec makes of the masks
  records.jsonl  what `maskcodec encode` wrote, or a model's answers in the same form:
                 {"image", "size": [h, w], "spec", "text"}, and "truth" if it is known

--output writes a PNG of one image with its masks in colours. --sheet writes one HTML file that
needs nothing else: image, truth, text and decoded mask side by side, with IoU and token count.

--prefixes shows each object of a codec of shape tokens at its first 1, 2, 4, 8, ... codes: those
that --spec writes for --masks, or those of a text or of records."""

EXAMPLES = """\
  maskcodec show dog.jpg --masks dog.png --output overlay.png
  maskcodec show street.jpg --masks instances_val2017.json --output overlay.png
  maskcodec show dog.jpg --masks dog.png --spec boxgrid --sheet dog.html
  maskcodec show dog.jpg --text answer.txt --spec boxgrid --output overlay.png
  maskcodec show dog.jpg --text answer.txt --spec boxgrid --masks dog.png --sheet dog.html
  maskcodec show val.jsonl --image-dir val2017 --sheet val.html --limit 50
  maskcodec show dog.jpg --masks dog.png --spec shapetokens:tokens=16 --prefixes --sheet dog.html"""

RECORDS = (".jsonl", ".jsonl.gz")

SHOWN = 5
"""Repairs printed on stderr."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "show", "masks as a picture, or a sheet of examples", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="see above")
    parser.add_argument(
        "--masks",
        type=Path,
        metavar="FILE",
        help="the image's masks: .png, .npy, COCO .json or .jsonl of run lengths; of files with "
        "many images, the one named like INPUT",
    )
    parser.add_argument("--names", type=Path, metavar="FILE", help="names of a label map's values")
    parser.add_argument("--label", help="label of binary masks (default: the file's name)")
    parser.add_argument(
        "--text", metavar="FILE|TEXT", help="a file that holds a model's text, or the text itself"
    )
    parser.add_argument("--spec", help=args.SPEC_HELP)
    parser.add_argument(
        "--image-dir", type=Path, metavar="DIR", help="where the images of records lie"
    )
    parser.add_argument("--output", "-o", type=Path, metavar="PNG", help="the picture to write")
    parser.add_argument("--sheet", type=Path, metavar="HTML", help="the sheet to write")
    parser.add_argument(
        "--prefixes", action="store_true",
        help="in --sheet: each object at its first 1, 2, 4, 8, ... codes",
    )  # fmt: skip
    args.add_tokenizer(parser)
    parser.add_argument(
        "--limit", type=args.count, metavar="N", help="show the first N records only"
    )
    parser.add_argument(
        "--opacity", type=args.share, default=0.45, metavar="0..1",
        help="of the colours in --output (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--colour-by", choices=("mask", "label"), default="mask",
        help="a colour for each mask or for each label, in --output (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--no-tags", action="store_true", help="no labels in --output")
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show; 1 if records were left out."""
    from ..errors import MaskCodecError

    if arguments.output is None and arguments.sheet is None:
        raise MaskCodecError("give --output FILE.png for a picture, or --sheet FILE.html")
    _check_outputs(arguments)
    _check_used(arguments)
    if arguments.prefixes:
        from .show_prefixes import show_prefixes

        return show_prefixes(arguments)
    if arguments.input.name.lower().endswith(RECORDS):
        if arguments.sheet is None or arguments.output is not None:
            raise MaskCodecError(f"{arguments.input} holds records: give --sheet FILE.html")
        from .show_records import show_records

        return show_records(arguments)
    return _show_image(arguments)


def _check_used(arguments: argparse.Namespace) -> None:
    """Check that no option is given that changes nothing.

    Raises:
        RecordError: one is.
    """
    from ..errors import RecordError

    unused: tuple[str, ...] = ("image_dir", "limit")
    reason = "goes with records, not with one image"
    if arguments.input.name.lower().endswith(RECORDS):
        unused, reason = (
            ("masks", "text", "names", "label"),
            "goes with an image; records hold theirs",
        )
    for name in unused:
        if getattr(arguments, name) is not None:
            raise RecordError(reason, field=f"--{name.replace('_', '-')}")


def _check_outputs(arguments: argparse.Namespace) -> None:
    from ..errors import RecordError
    from ..writing import check_apart, check_output

    inputs = [arguments.input, arguments.masks, arguments.names, arguments.tokenizer]
    if _is_file(arguments.text):
        inputs.append(arguments.text)
    check_apart([arguments.output, arguments.sheet], inputs)
    for path, suffixes in ((arguments.output, (".png",)), (arguments.sheet, (".html", ".htm"))):
        if path is None:
            continue
        if path.suffix.lower() not in suffixes:
            reason = f"must end in {suffixes[0]}, which is what is written"
            raise RecordError(reason, file=str(path))
        check_output(path, may_exist=True)


def _show_image(arguments: argparse.Namespace) -> int:
    """One image with its masks, with what a text says of them, or with both."""
    from ..datasets.pictures import read_picture
    from ..errors import MaskCodecError
    from ..registry import get_codec
    from .image_masks import read_image_masks

    if arguments.masks is None and arguments.text is None:
        raise MaskCodecError("nothing to show: give --masks FILE, or --text with --spec")
    if arguments.text is not None and arguments.spec is None:
        raise MaskCodecError("--text needs --spec, the format that it is in")
    codec = None if arguments.spec is None else get_codec(arguments.spec)
    counter = load_counter(arguments.tokenizer)
    image = read_picture(arguments.input)
    size = image.shape[0], image.shape[1]
    truth = None
    if arguments.masks is not None:
        truth = read_image_masks(
            arguments.masks, arguments.input, size, arguments.names, arguments.label
        )
    answer = None
    if codec is not None:
        given = arguments.text
        text = codec.encode(truth or (), size) if given is None else read_text(given)
        answer = make_answer(codec, text, size, truth, counter)
        _say_repairs(answer)
    if arguments.output is not None:
        masks = truth if answer is None else answer.masks
        _write_picture(arguments, image, masks or ())
    if arguments.sheet is not None:
        _write_sheet(arguments, image, truth, answer)
    return 0


def load_counter(tokenizer: str | None) -> TokenCounter | None:
    """The counter that `--tokenizer` names, or the default one."""
    from .. import tokens

    return tokens.default_counter() if tokenizer is None else tokens.load_counter(tokenizer)


def make_answer(
    codec: Codec[Any],
    text: str,
    size: tuple[int, int],
    truth: Sequence[Mask] | None,
    counter: TokenCounter | None,
) -> Answer:
    """Decode one text, compare it with the truth, and count its tokens."""
    from ..metrics import answer_iou
    from ..sheet import Answer

    decoded = codec.decode(text, size, errors="repair")
    masks = decoded.masks
    return Answer(
        codec.spec,
        text,
        masks,
        iou=None if truth is None else answer_iou(masks, truth, size),
        tokens=None if counter is None else counter.adding(codec.vocab()).count(text),
        repairs=decoded.repairs,
    )


def make_group(truth: Sequence[Mask] | None, answer: Answer | None) -> Group:
    """One answer beside its truth; colours say which mask is which, or at least which label."""
    from ..sheet import Group

    answers = [] if answer is None else [answer]
    labels = [
        [mask.label for mask in masks or ()] for masks in (truth, *(a.masks for a in answers))
    ]
    matched = truth is None or labels[0] == labels[-1]
    return Group("", truth, answers, "mask" if matched else "label")


def read_text(given: str) -> str:
    """The text in a file, or `given` itself where there is no such file."""
    from .texts import read_plain

    return read_plain(given) if given == "-" or _is_file(given) else given


def _is_file(given: str | None) -> bool:
    try:
        return given is not None and Path(given).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL byte
        return False


def _say_repairs(answer: Answer) -> None:
    from .terminal import say

    for repair in answer.repairs[:SHOWN]:
        say("show", f"repaired at character {repair.position}: {repair.message}")
    if len(answer.repairs) > SHOWN:
        say("show", f"... and {len(answer.repairs) - SHOWN} more repairs")


def _write_picture(arguments: argparse.Namespace, image: Rgb, masks: Sequence[Mask]) -> None:
    from PIL import Image

    from ..overlay import draw_overlay
    from ..writing import atomic

    picture = draw_overlay(
        image,
        masks,
        opacity=arguments.opacity,
        tags=not arguments.no_tags,
        colour_by=arguments.colour_by,
    )
    with atomic(arguments.output) as stream:
        Image.fromarray(picture).save(stream, "png")


def _write_sheet(
    arguments: argparse.Namespace, image: Rgb, truth: Sequence[Mask] | None, answer: Answer | None
) -> None:
    from ..sheet import Example, write_sheet
    from ..writing import atomic

    example = Example(arguments.input.name, "", image, [make_group(truth, answer)])
    with atomic(arguments.sheet) as stream:
        write_sheet(stream, f"maskcodec: {arguments.input.name}", [example])

"""`maskcodec inspect`: what a text says, and what is wrong with it."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import arguments as args

if TYPE_CHECKING:
    from ..errors import RecordError
    from .inspection import Inspection
    from .texts import Text

DESCRIPTION = """\
Say what a text says: whether it is valid, each repair with a caret under the place, the objects
with label, geometry, box and area, and the length in characters and tokens.

INPUT is a text itself; a file that holds one; JSONL with {"text", "spec", "size"}; or - for stdin:
JSONL, and with --spec plain text. --spec and --size are for plain text, and for records that name
none. Without a size there are no boxes and areas in pixels."""

EXAMPLES = """\
  maskcodec inspect answer.txt --spec text4seg:grid=32 --size 480x640
  maskcodec inspect none --spec coco_rle
  maskcodec inspect predictions.jsonl --limit 3 --draw
  maskcodec inspect predictions.jsonl --id 000000397133.jpg --tokenizer qwen3/tokenizer.json
  maskcodec inspect predictions.jsonl --json | jq 'select(.valid | not) | .id'"""

FILE_SUFFIXES = (".txt", ".json", ".jsonl", ".gz", ".png", ".npy")

DRAWN = 8
"""Masks of a text that `--draw` draws."""

LINES = 20
"""Height of a drawing."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "inspect", "what a text says, and what is wrong with it", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("input", metavar="INPUT", help="see above")
    parser.add_argument("--spec", help=args.SPEC_HELP)
    args.add_size(parser, "the image's height x width in pixels, e.g. 480x640")
    args.add_tokenizer(parser)
    parser.add_argument("--id", help="only the record of this id")
    parser.add_argument("--limit", type=args.count, metavar="N", help="only the first N records")
    parser.add_argument(
        "--draw", action="store_true", help="draw the masks in characters; needs a size"
    )
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a text, on a line each"
    )


def run(arguments: argparse.Namespace) -> int:
    """Inspect; 1 if records could not be read."""
    from ..errors import MaskCodecError, RecordError
    from .inspection import as_json, as_lines, inspect
    from .show import load_counter
    from .terminal import say
    from .texts import place

    counter = load_counter(arguments.tokenizer)
    unread = shown = 0
    for text in itertools.islice(_texts(arguments), arguments.limit):
        if isinstance(text, RecordError):
            say("inspect", str(text))
            unread += 1
            continue
        try:
            found = inspect(text, counter)
        except MaskCodecError as error:
            say("inspect", str(place(text, str(error))))
            unread += 1
            continue
        if arguments.json:
            print(json.dumps(as_json(found)))
        else:
            lines = as_lines(found, counter)
            lines += _drawing(found) if arguments.draw else []
            print("\n" * bool(shown) + "\n".join(lines))
        shown += 1
        if arguments.draw and not arguments.json and text.size is None:
            say("inspect", str(place(text, "--draw needs the image's size: give --size", "size")))
            unread += 1
    if arguments.id is not None and not shown and not unread:
        raise MaskCodecError(f"{arguments.input}: no record has the id {arguments.id!r}")
    return 1 if unread else 0


def _texts(arguments: argparse.Namespace) -> Iterator[Text | RecordError]:
    """The texts that are asked for."""
    from ..errors import MaskCodecError
    from ..registry import get_codec
    from .texts import plain, read_texts

    if arguments.input == "-" or _is_file(arguments.input):
        texts = read_texts(arguments.input, arguments.spec, arguments.size, need_size=False)
    elif arguments.spec is None:
        raise MaskCodecError("a text needs --spec, e.g. --spec text4seg:grid=32")
    else:
        codec = get_codec(arguments.spec)
        texts = iter([plain(arguments.input, codec, arguments.size, name="text")])
    for text in texts:
        if arguments.id is None or text.id == arguments.id:
            yield text


def _is_file(text: str) -> bool:
    """Whether INPUT is a path: something is there, or it looks like nothing but a file's name."""
    try:
        exists = Path(text).exists()
    except (OSError, ValueError):  # too long for a path, or a NUL byte
        return False
    return exists or (text.endswith(FILE_SUFFIXES) and not any(c.isspace() for c in text))


def _drawing(found: Inspection) -> list[str]:
    from .preview import HALF_BLOCKS, draw
    from .terminal import printable

    if found.decoded is None:
        return []
    columns = max(1, min(shutil.get_terminal_size().columns, 80) - 6)
    ascii_only = not _can_print(HALF_BLOCKS + "│─┌┐└┘")
    lines = []
    masks = found.decoded.masks
    for number, mask in enumerate(masks[:DRAWN], start=1):
        lines.append(f"  {number}. {printable(mask.label)}")
        rows = draw(mask.array, columns, LINES, ascii_only=ascii_only)
        lines += [f"    {row}" for row in rows]
    if len(masks) > DRAWN:
        lines.append(f"  ... and {len(masks) - DRAWN} more")
    return lines


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

"""`maskcodec list`: every codec, with its options."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from . import arguments as args

if TYPE_CHECKING:
    from ..codec import Codec

DESCRIPTION = """\
List every codec: what it is, its options with type and default, whether it needs tokens added to a
tokenizer, and whether it gives a grammar for constrained decoding. A spec is a codec's name and the
options that differ from their defaults: name:option=value,option=value"""

EXAMPLES = """\
  maskcodec list
  maskcodec list text4seg
  maskcodec list --json"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "list", "every codec, with its options", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="codecs to list (default: all)")
    parser.add_argument("--json", action="store_true", help="as JSON: a list of objects")


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    from ..registry import list_codecs, unusable_codecs
    from .terminal import say

    codecs = [_describe(name) for name in arguments.names or list_codecs()]
    if arguments.json:
        print(json.dumps(codecs, indent=1))
    else:
        print("\n\n".join(map(_lines, codecs)))
    for name, reason in unusable_codecs().items():
        if name in (arguments.names or [name]):
            say("list", f"codec {name!r} can't be loaded: {reason}")
    return 0


def _describe(name: str) -> dict[str, Any]:
    from ..errors import MaskCodecError
    from ..registry import codec_class
    from ..spec import options

    cls = codec_class(name)
    described: dict[str, Any] = {
        "name": name,
        "about": (cls.__doc__ or "").strip().partition("\n")[0],
        "options": [option._asdict() for option in options(cls)],
    }
    try:
        codec = cls()
    except (TypeError, MaskCodecError):  # an option without a default: it depends on that
        return {**described, "spec": None, "tokens": None, "grammar": None}
    return {
        **described,
        "spec": codec.spec,
        "tokens": len(codec.vocab().tokens),
        "grammar": _grammar(codec),
    }


def _grammar(codec: Codec[Any]) -> str | None:
    """For which labels a codec gives a grammar."""
    if codec.grammar() is not None:
        return "any labels"
    return "given labels" if codec.grammar(["dog"]) is not None else None


def _lines(codec: dict[str, Any]) -> str:
    lines = [f"{codec['name']}  {codec['about']}"]
    width = max((len(option["name"]) for option in codec["options"]), default=0)
    for option in codec["options"]:
        default = "no default" if option["default"] is None else f"default {option['default']}"
        lines.append(f"  {option['name']:{width}}  {option['type']} ({default})")
    if codec["tokens"] is None:
        needs = "vocab and grammar: depend on the options"
    else:
        tokens = f"{codec['tokens']} added tokens" if codec["tokens"] else "plain text"
        grammar = f"yes, for {codec['grammar']}" if codec["grammar"] else "no"
        needs = f"vocab: {tokens}; grammar: {grammar}"
    return "\n".join([*lines, f"  {needs}"])

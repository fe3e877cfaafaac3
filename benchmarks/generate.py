"""What constrained decoding costs a model, and what a mask costs: steps, tokens and seconds.

    python -m maskcodec.benchmarks.generate --json generate.json --html generate.html

`maskcodec bench generate` is this program; its help says all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from maskcodec import MaskCodecError
from maskcodec.commands import bench_generate
from maskcodec.commands.model_notices import quiet_models
from maskcodec.commands.terminal import progress, say

from . import document as documents
from . import generate_page
from .generate_cases import VERB, Bench
from .program import busy, check_reports

INTERRUPTED = 130


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.benchmarks.generate",
        description=bench_generate.DESCRIPTION,
        epilog=f"examples:\n{bench_generate.EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    bench_generate.add_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program; 2 if nothing could be done."""
    try:
        return run(make_parser().parse_args(argv), argv)
    except (MaskCodecError, OSError) as error:
        say(VERB, str(error))
        return 2


def run(arguments: argparse.Namespace, argv: Sequence[str] | None = None) -> int:
    """Measure what is missing, and write it: 1 if something was left out, 130 by Ctrl-C.

    Raises:
        MaskCodecError: a model, a codec, a file or a tokenizer can't be used.
    """
    if arguments.resume and arguments.json is None:
        raise MaskCodecError("--resume needs --json FILE, which holds what was measured")
    bench = Bench(arguments)
    inputs = (arguments.examples, *bench.tokenizers.values())
    check_reports((arguments.json, arguments.html), inputs)
    document = documents.start("generate", argv, arguments.seed, bench.settings())
    document["busy"] = busy("Times are longer by what they took: measure again when they end.")
    if document["busy"]:
        say(VERB, document["busy"])
    kept = set()
    if arguments.resume and arguments.json.exists():
        kept = documents.keep_finished(document, arguments.json)
    failed = 0
    try:
        with quiet_models(), progress(None, "measurements", quiet=arguments.quiet) as bar:
            for name, work in bench.cases():
                if documents.key_of({"name": name}) not in kept:
                    try:
                        documents.add(document, name, work())
                    except MaskCodecError as error:
                        failed += 1
                        say(VERB, f"{', '.join(map(str, name.values()))}: {error}")
                    _write(arguments, document)
                bar.update()
    except KeyboardInterrupt:
        document["interrupted"] = True
        rest = "what was measured is kept" if document["results"] else "nothing was measured yet"
        say(VERB, f"interrupted; {rest}")
    if document["results"]:
        _write(arguments, document)
        print(generate_page.text_table(document))
    if document["interrupted"]:
        return INTERRUPTED
    if not document["results"]:
        if not (bench.models or bench.tokenizers):
            raise MaskCodecError("nothing to measure: give --model NAME or --tokenizer NAME=FILE")
        raise MaskCodecError("nothing could be measured; see above why")
    return min(failed + bench.left_out, 1)


def _write(arguments: argparse.Namespace, document: documents.Document) -> None:
    if arguments.json:
        documents.write(arguments.json, document)
    if arguments.html:
        generate_page.write(arguments.html, document)


if __name__ == "__main__":
    sys.exit(main())

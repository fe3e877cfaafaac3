"""What a run leaves: the document, the page, the table, and what was wrong."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from maskcodec.commands.score import add_arguments
from maskcodec.commands.terminal import say
from maskcodec.sheet import Example
from maskcodec.writing import atomic

from .score_document import About, make_document
from .score_figures import Asked
from .score_inputs import Inputs
from .score_page import write_page
from .score_pictures import cases, pictures
from .score_rows import ROWS, Stored, Tally
from .score_table import table
from .score_warnings import warnings

VERB = "score"


def report(
    arguments: argparse.Namespace,
    rows: Sequence[Stored],
    wanted: Asked,
    made: dict[str, Any],
    tally: Tally,
    about: About,
    inputs: Inputs | None,
    turned: tuple[float, float, int] = (0.0, 0.0, 0),
) -> int:
    """Write the document and the page, print the table, and say what was wrong."""
    document = make_document(rows, wanted, made, tally, about)
    if arguments.shard or document["lacking"]:
        document["counts"]["extra"] = 0  # of the other parts, as far as this one can tell
    found = warnings(rows, document, tally, inputs, turned)
    document["warnings"] = found
    with atomic(arguments.output / "scores.json") as stream:
        stream.write(json.dumps(document, indent=1).encode("ascii") + b"\n")
    if not arguments.no_page:
        with atomic(arguments.output / "page.html") as stream:
            write_page(stream, document, _cases(arguments, rows, wanted, inputs, about))
    if not arguments.quiet:
        print(table(document))
    for warning in found:
        say(VERB, f"warning: {warning}")
    if not arguments.quiet:
        page = "" if arguments.no_page else "page.html, "
        say(VERB, f"{len(rows):,} samples; {arguments.output}/scores.json, {page}{ROWS}")
    return 1 if found else 0


def _cases(
    arguments: argparse.Namespace,
    rows: Sequence[Stored],
    wanted: Asked,
    inputs: Inputs | None,
    about: About,
) -> Iterator[Example]:
    if inputs is None or wanted.rules.kind == "video":
        return
    chosen = cases(rows, wanted.rules.kind, arguments.shown, wanted.seed)
    if chosen:
        systems = (about.system, about.other) if about.other else ()
        yield from pictures(chosen, rows, inputs.truth, inputs.job, systems)


def about_run(arguments: argparse.Namespace, inputs: Inputs | None) -> About:
    chosen = None if inputs is None else inputs.rules
    dataset = None if chosen is None else chosen.dataset
    if dataset is None and inputs is not None:
        dataset = inputs.truth.name or Path(inputs.truth.path).name
    other = arguments.against or ""
    return About(
        command(arguments),
        arguments.system or str(arguments.predictions or arguments.output),
        (arguments.other or str(other)) if other else "",
        None if chosen is None else chosen.name,
        dataset,
        arguments.split,
    )


def command(arguments: argparse.Namespace) -> str:
    """The command of these arguments, as a shell takes it; what is as usual is left out."""
    words = ["maskcodec", VERB]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for action in parser._actions:
        value = getattr(arguments, action.dest, None)
        if action.dest == "help" or value is None or value == action.default:
            continue
        if action.option_strings:
            words.append(max(action.option_strings, key=len))
        if value is True:
            continue
        if action.dest == "shard":
            words.append(f"{value[0]}/{value[1]}")
        elif action.dest == "tasks":
            words.append(",".join(value))
        else:
            words += [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
    return shlex.join(words)

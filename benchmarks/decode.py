r"""Whole-path decoding of texts: alone, in batches, threaded, on a GPU; how soon a mask comes.

    maskcodec bench decode --html decode.html --json decode.json

Texts, masks and gigabytes of masks a second, beside the speed at which the device can write memory,
measured in the same run. Masks are bool, a byte a pixel. On a GPU the gate is the share of that
speed that painting reaches while the GPU is busy: text is parsed on the CPU, which takes longer.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maskcodec import Codec, MaskCodecError, get_codec
from maskcodec.commands.terminal import progress, say
from maskcodec.tokens import TokenCounter, default_counter, load_counter

from . import document as documents
from .decode_latency import measure_latency
from .decode_memory import free_memory, new_memory_speed, write_speed
from .decode_texts import Texts, write_texts
from .decode_ways import Way, check, gates, measure, ways_of
from .document import Document
from .program import busy, check_reports, run_bench

INTERRUPTED = 130
MISSED = 1

WAITED = "What takes long may have waited for them: measure again when they end."

COLUMNS = ("texts_per_s", "masks_per_s", "GB_per_s", "share", "paint_share")


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program; see `run`."""
    return run_bench("decode", run, argv)


def run(arguments: argparse.Namespace) -> int:
    """Measure all that was asked for, and write it; 1 if a gate is missed, 130 if interrupted."""
    check_reports((arguments.json, arguments.html), (*(arguments.masks or ()), arguments.tokenizer))
    if not 0 < arguments.seconds <= 600 or not 0 < arguments.rate < math.inf:
        raise MaskCodecError("--seconds must be above 0 and at most 600, --rate above 0 and finite")
    codecs = list({(codec := get_codec(spec)).spec: codec for spec in arguments.specs}.values())
    ways = ways_of(arguments.devices)
    counter = load_counter(arguments.tokenizer) if arguments.tokenizer else default_counter()
    document = documents.start("decode", None, arguments.seed, _settings(arguments, counter))
    document["busy"] = busy(WAITED)
    if document["busy"]:
        say("bench decode", document["busy"])
    try:
        sizes = [
            _write(document, codecs, size, arguments) for size in dict.fromkeys(arguments.sizes)
        ]
        speeds = _write_speeds(document, ways)
        print(_heading())
        for written in sizes:
            _measure_size(document, written, ways, speeds, arguments)
            _measure_latencies(document, written, counter, arguments.rate)
            _save(document, arguments)
    except KeyboardInterrupt:
        document["interrupted"] = True
        kept = "what was measured is kept" if document["results"] else "nothing was measured yet"
        say("bench decode", f"interrupted; {kept}")
    _save(document, arguments)
    _draw(document, arguments)
    if document["interrupted"]:
        return INTERRUPTED
    if not any("batch" in result["name"] for result in document["results"]):
        raise MaskCodecError("no batch was decoded, since none has room: give smaller --batches")
    return MISSED if _say_missed(document) else 0


def _write(
    document: Document,
    codecs: Sequence[Codec[Any]],
    size: tuple[int, int],
    arguments: argparse.Namespace,
) -> list[Texts]:
    """The texts of one size, by each codec that can write any."""
    label = f"{size[0]}x{size[1]}"
    written = write_texts(codecs, size, arguments.objects, arguments.seed, arguments.masks or ())
    for texts in written:
        document["settings"]["texts"][f"{texts.name} {label}"] = texts.sha256
        _note_refused(document, texts, label)
    return [texts for texts in written if texts.texts]


def _settings(arguments: argparse.Namespace, counter: TokenCounter | None) -> dict[str, Any]:
    return {
        "specs": [get_codec(spec).spec for spec in arguments.specs],
        "sizes": ["x".join(map(str, size)) for size in arguments.sizes],
        "batches": arguments.batches,
        "objects": arguments.objects,
        "masks": [str(path) for path in arguments.masks or ()] or "built-in photographs",
        "seconds": arguments.seconds,
        "rate": arguments.rate,
        "counted by": counter.name if counter else "characters",
        "left out": {},
        "texts": {},
    }


def _write_speeds(document: Document, ways: Sequence[Way]) -> dict[Way, float]:
    """Measure how fast each device writes; the limit that masks are held against."""
    speeds = {}
    for way in ways:
        speeds[way] = write_speed(way.device, way.threads or None)
        figures = {"GB_per_s": speeds[way] / 1e9}
        said = f"{way.name}: {figures['GB_per_s']:.1f} GB/s of memory can be written"
        if way.device != "cuda":
            figures["new_GB_per_s"] = new_memory_speed(way.threads or None) / 1e9
            said += f", {figures['new_GB_per_s']:.1f} where the system must hand it out first"
        documents.add(document, {"what": "memory written", "by": way.name}, figures)
        print(said)
    return speeds


def _measure_size(
    document: Document,
    written: Sequence[Texts],
    ways: Sequence[Way],
    speeds: dict[Way, float],
    arguments: argparse.Namespace,
) -> None:
    """Time every codec at one size by every way in every batch."""
    size = written[0].size
    label = f"{size[0]}x{size[1]}"
    for texts in written:
        check(texts, ways)
    runs = list(_runs(document, size, ways, arguments))
    with progress(len(written) * len(runs), "batches", quiet=arguments.quiet) as bar:
        for texts in written:
            for way, count in runs:
                figures = measure(texts, way, count, arguments.seconds, speeds[way])
                name = {
                    "codec": texts.name,
                    "by": way.name,
                    "size": label,
                    "batch": count,
                    "objects": arguments.objects,
                }
                result = documents.add(document, name, figures, gates(texts, way, count))
                bar.clear()
                print(_row(result), flush=True)
                bar.update()
                _save(document, arguments)


def _note_refused(document: Document, texts: Texts, label: str) -> None:
    """Say and note how many images a codec could not write; its texts are those of the others."""
    if texts.refused:
        asked = len(texts.refused) + len(texts.texts)
        what = f"{len(texts.refused)} of {asked} images at {label} for {texts.name}"
        document["settings"]["left out"][what] = texts.refused[0]
        say("bench decode", f"left out {what}: {texts.refused[0]}")


def _runs(
    document: Document, size: tuple[int, int], ways: Sequence[Way], arguments: argparse.Namespace
) -> Iterator[tuple[Way, int]]:
    """The ways and batches whose masks have room; what is left out is noted and said."""
    for way in ways:
        room = arguments.memory << 20 if arguments.memory else free_memory(way.device)
        for count in sorted(set(arguments.batches)):
            needed = count * arguments.objects * size[0] * size[1]
            if needed > room:
                what = f"{way.name}, {size[0]}x{size[1]}, batch {count}"
                why = f"{needed >> 20:,} MiB of masks, with room for {room >> 20:,}"
                document["settings"]["left out"][what] = why
                say("bench decode", f"left out {what}: {why}")
            elif count > 1 or way.threads <= 1:  # one text gives several threads nothing to share
                yield way, count


def _measure_latencies(
    document: Document, written: Sequence[Texts], counter: TokenCounter | None, rate: float
) -> None:
    for texts in written:
        name = {
            "what": "first mask",
            "codec": texts.name,
            "size": f"{texts.size[0]}x{texts.size[1]}",
        }
        figures = measure_latency(texts, counter, rate)
        documents.add(document, name, figures)
        print(_latency_line(texts.name, figures))


def _latency_line(name: str, figures: Mapping[str, float | None]) -> str:
    lost = f"; {figures['lost']:g} of {figures['texts']:g} texts give none" * bool(figures["lost"])
    if figures["useful_tokens"] is None:
        return f"`{name}`: no text gives a mask"
    return (
        f"`{name}`: of {figures['tokens']:g} tokens {figures['first_tokens']:g} "
        f"give a first mask, {figures['useful_tokens']:g} a useful one, after "
        f"{figures['useful_seconds']:.2f} s{lost}"
    )


def _heading() -> str:
    columns = ("codec", "by", "size", "batch", *COLUMNS)
    return f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|"


def _row(result: documents.Result) -> str:
    name, figures = result["name"], result["figures"]
    cells = [f"`{name['codec']}`", name["by"], name["size"], f"{name['batch']:,}"]
    cells += [f"{figures['texts_per_s']:,.0f}", f"{figures['masks_per_s']:,.0f}"]
    cells += [f"{figures['GB_per_s']:.2f}", *(f"{figures[key]:.0%}" for key in COLUMNS[3:])]
    return f"| {' | '.join(cells)} |"


def _say_missed(document: Document) -> bool:
    """Say which gates were not reached."""
    missed = [result for result in document["results"] if documents.missed(result)]
    for result in missed:
        name, gate = result["name"], result["gates"]["busy_share"]["least"]
        say(
            "bench decode",
            f"{name['codec']}, batch {name['batch']}: the GPU writes "
            f"{result['figures']['busy_share']:.0%} of what it could, expected {gate:.0%}",
        )
    return bool(missed)


def _save(document: Document, arguments: argparse.Namespace) -> None:
    if arguments.json is not None and document["results"]:
        documents.write(arguments.json, document)


def _draw(document: Document, arguments: argparse.Namespace) -> None:
    if arguments.html is not None and document["results"]:
        from .decode_page import write_decode_page

        write_decode_page(arguments.html, document)


if __name__ == "__main__":
    sys.exit(main())

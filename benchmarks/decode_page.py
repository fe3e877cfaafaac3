"""The page of `bench decode`: speed against the size of batches, the limit, and first masks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .document import Document, Result
from .page import plots, results_table, section, write_page
from .plots import legend, line_plot, series

TITLE = "Decoding: text to masks"
LEAD = (
    "Texts were parsed and their masks painted, a byte a pixel, in batches of several sizes. The "
    "level lines are the speeds at which memory can be written, measured in the same run: memory "
    "that is there already, and memory that the system must hand out first, as for a new mask."
)
SPEED_NOTE = (
    "share: gigabytes of masks a second, as a part of what can be written to memory that is there "
    "(more than 1 where a batch's masks stay in the processor's caches); paint share: the same for "
    "painting alone, without parsing, in turns with the whole; busy share: the same while the GPU "
    "works, which is what the gates are for. peak: memory at its highest, the masks included."
)
LATENCY_NOTE = (
    "The answer is cut short and decoded as if it ended there. A first mask has a pixel; a useful "
    "one has an IoU of 0.5 or more with the mask of the whole answer. Seconds are those of a model "
    "that prints at the rate given below, and of decoding once. Medians over the texts that have a "
    "mask in the end."
)
FIGURES = {
    "texts_per_s": "texts a second",
    "masks_per_s": "masks a second",
    "GB_per_s": "GB/s",
    "share": "share",
    "parse_seconds": "parsing, s",
    "paint_seconds": "painting, s",
    "paint_share": "paint share",
    "busy_share": "busy share",
    "output_bytes": "masks, bytes",
    "peak_bytes": "peak, bytes",
}
LEVELS = {
    "GB_per_s": "memory that is there can be written",
    "new_GB_per_s": "new memory can be written",
}
LATENCIES = {
    "tokens": "tokens",
    "first_tokens": "tokens to a first mask",
    "useful_tokens": "tokens to a useful one",
    "seconds": "seconds",
    "first_seconds": "s to a first mask",
    "useful_seconds": "s to a useful one",
    "decode_ms": "decoding, ms",
    "lost": "texts without a mask",
}


def write_decode_page(path: Path, document: Document) -> None:
    """Write the page, whole or not at all."""
    write_page(path, document, TITLE, LEAD, _sections(document))


def _sections(document: Document) -> Iterator[str]:
    timed = [result for result in document["results"] if "batch" in result["name"]]
    first = [r for r in document["results"] if r["name"].get("what") == "first mask"]
    limits = {
        result["name"]["by"]: {
            said: result["figures"][key] for key, said in LEVELS.items() if key in result["figures"]
        }
        for result in document["results"]
        if result["name"].get("what") == "memory written"
    }
    names = list(dict.fromkeys(map(_codec, timed)))
    for size in dict.fromkeys(result["name"]["size"] for result in timed):
        here = [result for result in timed if result["name"]["size"] == size]
        yield section(f"Masks of {size}", legend(names), plots(_plots(here, names, limits)))
    if timed:
        figures = {key: name for key, name in FIGURES.items() if _is_known(timed, key)}
        keys = ["codec", "by", "size", "batch"]
        yield section("All speeds", results_table(timed, keys, figures, SPEED_NOTE))
    if first:
        heading = "How soon a mask comes"
        yield section(heading, results_table(first, ["codec", "size"], LATENCIES, LATENCY_NOTE))


def _plots(
    results: list[Result], names: list[str], limits: dict[str, dict[str, float]]
) -> Iterator[str]:
    for by in dict.fromkeys(result["name"]["by"] for result in results):
        yield line_plot(
            by,
            series(results, "batch", _codec, "GB_per_s", where={"by": by}),
            "texts a batch",
            "GB of masks a second",
            log_x=True,
            log_y=True,
            levels=limits.get(by),
            inks=names,
        )
    yield line_plot(
        "memory at its highest, by the masks' own",
        series(_with_excess(results), "batch", _codec, "excess", where={"is_first": 1}),
        "texts a batch",
        "times the masks",
        log_x=True,
        inks=names,
    )


def _with_excess(results: list[Result]) -> list[Result]:
    """Peak memory over the masks' own, of the first way that tells it."""
    known = [r for r in results if r["figures"]["peak_bytes"] and r["figures"]["output_bytes"]]
    by = known[0]["name"]["by"] if known else ""
    return [
        {
            "name": {**r["name"], "is_first": int(r["name"]["by"] == by)},
            "figures": {"excess": r["figures"]["peak_bytes"] / r["figures"]["output_bytes"]},
        }
        for r in known
    ]


def _codec(result: Result) -> str:
    return str(result["name"]["codec"])


def _is_known(results: list[Result], figure: str) -> bool:
    return any(result["figures"].get(figure) is not None for result in results)

"""`maskcodec demo`: real photographs through every codec and back, in figures and in pictures."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import arguments as args

if TYPE_CHECKING:
    from ..datasets.photographs import Photograph
    from ..metrics import SizeClass
    from ..roundtrip import Totals
    from ..tokens import TokenCounter
    from .demo_inputs import Source, Sources

DESCRIPTION = """\
Send the masks of real photographs through codecs and back, and measure what each one costs and
what it keeps: tokens, IoU by object size, microseconds.

Without --images the photographs are those that scikit-image ships, so nothing is downloaded. Prints
a table, and writes into --output
  sheet.html     examples: image, truth, text and decoded mask of each codec side by side
  overview.png   the same photographs with all their objects, a column for each codec
  results.json   all figures"""

EXAMPLES = """\
  maskcodec demo
  maskcodec demo --specs text4seg:grid=32 boxgrid --tokenizer gpt4o
  maskcodec demo --images val2017 --masks instances_val2017.json --limit 100
  maskcodec demo --json > figures.json"""

SPECS = (
    "text4seg:grid=16",
    "text4seg:grid=32",
    "text4seg:grid=64",
    "text4seg:grid=32,sample=best",
    "boxgrid:rows=12",
    "boxgrid",
    "boxgrid:rows=48",
    "polygon:tolerance=0.02",
    "polygon",
    "shapetokens:tokens=4",
    "shapetokens",
    "shapetokens:tokens=16",
    "coco_rle",
)
"""What is compared unless `--specs` says otherwise."""

REPEATS = 3
"""Runs of each mask through each codec; the fastest counts."""

INTERRUPTED = 130


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = args.add_verb(
        subparsers, "demo", "real photographs through every codec", DESCRIPTION, EXAMPLES
    )
    parser.add_argument(
        "--output", "-o", type=Path, default=Path("demo"), metavar="DIR",
        help="folder for the results; made if missing (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--specs", nargs="+", default=SPECS, metavar="SPEC",
        help=f"codecs to compare (default: {' '.join(SPECS)})",
    )  # fmt: skip
    args.add_tokenizer(parser)
    parser.add_argument("--images", type=Path, metavar="DIR", help="a folder of photographs")
    parser.add_argument(
        "--masks", type=Path, metavar="FILE",
        help="their masks: COCO .json, .jsonl of run lengths (.gz too), or a folder of mask files",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=args.count, metavar="N", help="take N photographs, evenly spread"
    )
    parser.add_argument(
        "--shown", type=args.count, default=12, metavar="N",
        help="photographs in the sheet and in the overview (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--json", action="store_true", help="print all figures as JSON instead of the table"
    )
    args.add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure, then draw; 1 if photographs were left out, 130 if interrupted."""
    from ..errors import MaskCodecError
    from ..registry import get_codec
    from ..roundtrip import Totals
    from .demo_inputs import built_in, from_folder
    from .show import load_counter
    from .terminal import say

    if (arguments.images is None) != (arguments.masks is None):
        raise MaskCodecError("--images and --masks go together: a folder, and its masks")
    totals = [Totals(spec, get_codec(spec)) for spec in dict.fromkeys(arguments.specs)]
    counter = load_counter(arguments.tokenizer)
    _make_folder(arguments.output)
    if arguments.images is None:
        sources = built_in()
    else:
        sources = from_folder(arguments.images, arguments.masks)
    for problem in sources.problems:
        say("demo", problem)
    items = spread(sources.items, arguments.limit or len(sources.items))
    demo = _Demo(arguments, totals, counter, sources)
    demo.measure(items)
    if not sum(demo.counted.values()):
        raise MaskCodecError("no mask was measured")
    demo.report()
    demo.draw(spread(items, arguments.shown))
    if demo.interrupted:
        return INTERRUPTED
    return 1 if demo.left_out else 0


def spread(items: list[Any], count: int) -> list[Any]:
    """`count` of the items, evenly spread, in order."""
    if count >= len(items):
        return items
    return [items[(2 * index + 1) * len(items) // (2 * count)] for index in range(count)]


def _make_folder(path: Path) -> None:
    from ..errors import RecordError

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(
            f"can't be made a folder: {error.strerror}", file=str(path), field="--output"
        ) from None


class _Demo:
    """One run: what was measured, what was left out, whether it was interrupted."""

    def __init__(
        self,
        arguments: argparse.Namespace,
        totals: list[Totals],
        counter: TokenCounter | None,
        sources: Sources,
    ) -> None:
        self.arguments = arguments
        self.totals = totals
        self.counter = counter
        self.problems = list(sources.problems)
        self.photographs = 0
        self.counted: dict[SizeClass, int] = {"small": 0, "medium": 0, "large": 0}
        self.empty = 0
        self.left_out: set[str] = set()
        self.interrupted = False

    def measure(self, items: list[Source]) -> None:
        """Send every mask through every codec; Ctrl-C ends it early and keeps what is done."""
        from .terminal import progress, say

        bar = progress(len(items), "photographs", quiet=self.arguments.quiet)
        try:
            for photograph in self._load(items):
                for mask in photograph.masks:
                    if mask.area:
                        self._measure(mask)
                    else:
                        self.empty += 1
                self.photographs += 1
                bar.update()
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            bar.close()
        if self.empty:
            self.problems.append(f"{self.empty:,} masks without pixels are not measured")
            say("demo", self.problems[-1])

    def _measure(self, mask: Any) -> None:
        from ..errors import EncodeError
        from ..metrics import size_class
        from ..roundtrip import round_trip

        # All codecs of a mask are added at once: an interrupted run then compares like with like.
        trips: list[Any] = []
        for total in self.totals:
            if not total.tally.count:
                _warm_up(total, mask)
            try:
                trips.append(round_trip(total.codec, mask, repeats=REPEATS))
            except EncodeError as error:
                trips.append(str(error))
        area = mask.area
        self.counted[size_class(area)] += 1
        for total, trip in zip(self.totals, trips, strict=True):
            if isinstance(trip, str):
                total.fail(trip)
            else:
                total.add(trip, area, self.counter)

    def _load(self, items: Iterable[Source]) -> Iterator[Photograph]:
        from ..errors import MaskCodecError
        from .terminal import say

        for item in items:
            if item.name in self.left_out:
                continue
            try:
                yield item.load()
            except MaskCodecError as error:
                self.left_out.add(item.name)
                self.problems.append(str(error))
                say("demo", f"left out: {error}")

    def report(self) -> None:
        """Print the table or the JSON, and write `results.json`."""
        from ..writing import atomic
        from . import demo_table

        result = demo_table.as_json(
            self.totals,
            self.photographs,
            self.counted,
            self.counter,
            REPEATS,
            self.problems,
            interrupted=self.interrupted,
        )
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        with atomic(self.arguments.output / "results.json") as stream:
            stream.write(text.encode("utf-8", "backslashreplace"))
        if self.arguments.json:
            print(text, end="", flush=True)
            return
        head = demo_table.columns(self.counter)
        print(demo_table.as_text(head, demo_table.rows(self.totals, self.counter)))
        print(f"\n{demo_table.note(self.photographs, self.counted, self.counter)}\n", flush=True)

    def draw(self, items: list[Source]) -> None:
        """Write the sheet and the overview, and say where they are."""
        from PIL import Image

        from ..sheet import Table, write_sheet
        from ..writing import atomic
        from . import demo_pictures, demo_table
        from .terminal import progress, say

        folder = self.arguments.output
        table = Table(
            demo_table.columns(self.counter),
            demo_table.rows(self.totals, self.counter),
            demo_table.note(self.photographs, self.counted, self.counter),
        )
        lead = "Masks as text and back: what each codec costs in tokens, and what it keeps."
        bar = progress(2 * len(items), "pictures", quiet=self.arguments.quiet)

        def load() -> Iterator[Photograph]:
            for photograph in self._load(items):
                yield photograph
                bar.update()

        try:
            with atomic(folder / "sheet.html") as stream:
                shown = demo_pictures.examples(load(), self.totals, self.counter)
                write_sheet(stream, "maskcodec demo", shown, lead=lead, summary=lambda: table)
            with atomic(folder / "overview.png") as stream:
                picture = demo_pictures.overview(load(), self.totals)
                Image.fromarray(picture).save(stream, "png")
        finally:
            bar.close()
        if self.arguments.quiet:
            return
        where = folder.resolve()
        say("demo", f"pictures: {where / 'sheet.html'} (open it in a browser)")
        say("demo", f"          {where / 'overview.png'}")
        say("demo", f"figures:  {where / 'results.json'}")


def _warm_up(total: Totals, mask: Any) -> None:
    """Let a codec import what it needs before it is timed."""
    from ..errors import EncodeError
    from ..roundtrip import round_trip

    try:
        round_trip(total.codec, mask)
    except EncodeError:
        return

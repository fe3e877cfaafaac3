"""Time every kernel against its peers and against the speed of memory, in one run.

    python -m maskcodec.benchmarks.kernels
    python -m maskcodec.benchmarks.kernels --masks coco.jsonl.gz --json kernels.json --only rle

Each kernel is first proved equal to its NumPy twin and to every peer on masks of the set. Then ours
and theirs take turns, each going through at least 64 masks a turn, and the fastest turn of each
counts. "x limit" is our time over the time that this machine takes just to read the kernel's input
and to write its output, measured in the same run.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from maskcodec.writing import atomic

from .kernel_case import KernelCase
from .mask_sets import COUNT, SIZES, MaskSet, real, synthetic

SUITES = ("rle", "grid", "text", "polygon", "shape")
PEERS = ("pycocotools", "rlemasklib", "opencv-python-headless", "numpy", "scikit-image")


@dataclass(frozen=True)
class Result:
    """One kernel on one set; times are seconds a mask."""

    kernel: str
    masks: str
    ours: float
    peers: dict[str, float]
    gates: dict[str, float]
    stretch: dict[str, float]
    limit: float

    @property
    def ratios(self) -> dict[str, float]:
        """How many times faster than each peer."""
        return {peer: seconds / self.ours for peer, seconds in self.peers.items()}

    @property
    def missed(self) -> list[str]:
        """The peers whose gate was missed."""
        return [peer for peer, gate in self.gates.items() if self.ratios[peer] < gate]


@dataclass(frozen=True)
class Memory:
    """Bytes a second that this machine reads and writes, beyond its caches."""

    read: float
    write: float

    def seconds(self, bytes_read: float, bytes_written: float) -> float:
        """The least time to read and write so much."""
        return bytes_read / self.read + bytes_written / self.write


def measure_memory(megabytes: int = 256) -> Memory:
    """One pass of the C library over a buffer larger than any cache: memchr and memset."""
    data = np.ones(megabytes * 2**20, np.uint8)
    view = bytearray(data)
    read = fastest(lambda: view.find(b"\x02"), 5)
    write = fastest(lambda: data.fill(1), 5)
    return Memory(len(view) / read, data.nbytes / write)


def fastest(function: Callable[[], object], repeats: int) -> float:
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def time_case(case: KernelCase, name: str, count: int, memory: Memory, seconds: float) -> Result:
    """Let ours and every peer take turns until the time is up, three turns at least."""
    entries = {"": case.ours, **case.peers}
    best = dict.fromkeys(entries, float("inf"))
    turns, end = 0, time.perf_counter() + seconds
    while turns < 3 or time.perf_counter() < end:
        for key, function in entries.items():
            start = time.perf_counter()
            for index in range(count):
                function(index)
            best[key] = min(best[key], (time.perf_counter() - start) / count)
        turns += 1
    ours = best.pop("")
    limit = memory.seconds(case.bytes_read, case.bytes_written)
    return Result(case.name, name, ours, best, case.gates, case.stretch, limit)


def sets(arguments: argparse.Namespace) -> Iterator[MaskSet]:
    """The sets that were asked for."""
    yield from synthetic(SIZES[: arguments.sizes])
    for path in arguments.masks:
        yield real(path)


def row(result: Result) -> str:
    """One line of the table."""
    marks = []
    for peer, ratio in result.ratios.items():
        gate, stretch = result.gates.get(peer), result.stretch.get(peer)
        mark = ""
        if gate is not None:
            mark = f" (gate {gate:g} {'MISSED' if ratio < gate else 'ok'}"
            mark += ", stretch ok)" if stretch is not None and ratio >= stretch else ")"
        marks.append(f"{ratio:.1f}x {peer}{mark}")
    limit = f"{result.ours / result.limit:6.1f}x limit" if result.limit else " " * 13
    return f"{result.kernel:34} {result.masks:22} {result.ours * 1e6:10.1f} us {limit}  " + (
        ", ".join(marks)
    )


def report(results: list[Result], memory: Memory, path: Path) -> None:
    """Write everything as JSON."""
    document = {
        "command": " ".join(["python -m maskcodec.benchmarks.kernels", *sys.argv[1:]]),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {peer: importlib.metadata.version(peer) for peer in PEERS},
        "memory_bytes_per_second": asdict(memory),
        "unit": "seconds a mask; ratios are peer / ours",
        "results": [{**asdict(r), "ratios": r.ratios, "missed": r.missed} for r in results],
    }
    with atomic(path) as stream:
        stream.write(json.dumps(document, indent=1).encode())


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m maskcodec.benchmarks.kernels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--masks", type=Path, nargs="*", default=[], help="JSONL files of COCO RLE, also gzipped"
    )
    parser.add_argument("--only", choices=SUITES, nargs="*", default=SUITES, help="which suites")
    parser.add_argument("--kernel", default="", help="only kernels whose name holds this")
    parser.add_argument(
        "--sizes", type=int, choices=(1, 2, 3), default=3, help="480x640, also 1024x1024, also 4K"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each kernel and set")
    parser.add_argument("--json", type=Path, help="write the results here")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run; the exit status is 1 where a gate was missed."""
    arguments = make_parser().parse_args(argv)
    suites = [importlib.import_module(f"{__package__}.kernels_{name}") for name in arguments.only]
    memory = measure_memory()
    print(f"memory: reads {memory.read / 1e9:.1f} GB/s, writes {memory.write / 1e9:.1f} GB/s")
    results: list[Result] = []
    try:
        for masks in sets(arguments):
            cases = [
                case
                for suite in suites
                for case in suite.cases(masks.masks, masks.label_maps)
                if arguments.kernel in case.name
            ]
            count = min(COUNT, len(masks.masks)) if masks.kind != "real" else len(masks.masks)
            for case in tqdm(cases, desc=masks.name, leave=False, disable=None):
                case.check()
                results.append(time_case(case, masks.name, count, memory, arguments.seconds))
                tqdm.write(row(results[-1]))
    except KeyboardInterrupt:
        print("stopped; what was measured is kept", file=sys.stderr)
    if arguments.json:
        report(results, memory, arguments.json)
    missed = [result for result in results if result.missed]
    print(f"{len(results)} measured, {len(missed)} below a gate")
    for result in missed:
        print(row(result))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

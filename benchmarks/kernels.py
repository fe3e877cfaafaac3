"""Time every kernel against its peers and against the speed of memory, in one run.

    maskcodec bench kernels
    python -m maskcodec.benchmarks.kernels --masks coco.jsonl.gz --json kernels.json --only rle

`maskcodec bench kernels --help` says what is measured, and how.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maskcodec import MaskCodecError
from maskcodec.commands.bench_kernels import SIZES
from maskcodec.commands.terminal import say
from maskcodec.records import check_file

from . import document as documents
from .document import Document, Result
from .kernel_race import Race
from .kernel_worker import OURS
from .kernels_page import write_kernels_page
from .mask_sets import MaskSet, real, synthetic
from .peers import PEERS
from .program import busy, check_reports, run_bench

VERB = "bench kernels"
INTERRUPTED = 130
MICROSECONDS, LIMIT = "microseconds", "x limit"
MACHINE = "machine, "
"""What the figures begin with that say how much faster two threads of the machine are than one."""
NEARLY = 1.1
"""How much faster than memory one can be that was measured at another moment."""

MEANS_LITTLE = "Ratios of two threads to one mean nothing then, and those to memory little."


@dataclass
class Memory:
    """Bytes a second that this machine reads and writes, beyond its caches: the best so far."""

    read: float = 0.0
    write: float = 0.0

    def measure(self, megabytes: int = 256) -> None:
        """Passes of the C library over a buffer larger than any cache: memchr and memset."""
        data = np.ones(megabytes * 2**20, np.uint8)
        view = bytearray(data)
        for _ in range(5):
            start = time.process_time()
            view.find(b"\x02")
            middle = time.process_time()
            data.fill(1)
            end = time.process_time()
            self.read = max(self.read, len(view) / (middle - start))
            self.write = max(self.write, len(view) / (end - middle))

    def seconds(self, bytes_read: float, bytes_written: float) -> float:
        """The least time to read and write so much."""
        return bytes_read / self.read + bytes_written / self.write


def add_result(
    document: Document, kernel: str, masks: str, facts: dict[str, Any], memory: Memory
) -> Result:
    """Add a kernel's figures on a set: microseconds, times the limit, and ratios to the others."""
    best = dict(facts["seconds"])
    ours = best.pop("")
    limit = memory.seconds(facts["bytes_read"], facts["bytes_written"])
    figures: dict[str, float | None] = {MICROSECONDS: ours * 1e6}
    figures[LIMIT] = ours / limit if limit else None
    figures |= {name: seconds / ours for name, seconds in best.items()}
    figures |= {MACHINE + name: ratio for name, ratio in facts.get("machine", {}).items()}
    gates = {}
    for name, least in facts["gates"].items():
        figures.setdefault(name, None)
        gates[name] = {"least": least}
        if name in facts["stretch"]:
            gates[name]["stretch"] = facts["stretch"][name]
        reach = _reach(best.get(name), limit, facts.get("machine", {}))
        ratio = figures[name]
        if reach is None or ratio is None or max(reach, ratio) >= least:
            continue
        if ratio <= NEARLY * reach:
            gates[name]["reach"] = max(reach, ratio)
    return documents.add(document, {"kernel": kernel, "masks": masks}, figures, gates)


def _reach(peer: float | None, limit: float, gains: Mapping[str, float]) -> float | None:
    """The ratio to a peer at the speed of memory, or what two threads of this machine gain.

    Caches can be faster than memory: it says nothing of who is beyond it by more than `NEARLY`.
    """
    if gains:
        return max(gains.values())
    return peer / limit if peer is not None and limit else None


def row(result: Result) -> str:
    """One line of the table."""
    figures, gates = result["figures"], result.get("gates", {})
    marks, gains = [], []
    for name, ratio in figures.items():
        if name in (MICROSECONDS, LIMIT):
            continue
        if name.startswith(MACHINE):
            gains.append(f"{name.removeprefix(MACHINE)} {ratio:.2f}x")
            continue
        gate = gates.get(name, {})
        if ratio is None:
            marks.append(f"{name} not measured (gate {gate['least']:.3g})")
            continue
        mark = ""
        if gate:
            held = "MISSED" if ratio < gate["least"] else "ok"
            beyond = ""
            if "stretch" in gate and ratio >= gate["least"]:
                goal = "ok" if ratio >= gate["stretch"] else f"{gate['stretch']:.3g} not"
                beyond = f", stretch {goal}"
            reach = f", {_allows(gate)}" if "reach" in gate else ""
            mark = f" (gate {gate['least']:.3g} {held}{reach}{beyond})"
        marks.append(f"{ratio:.2f}x {name}{mark}" if ratio < 2 else f"{ratio:.1f}x {name}{mark}")
    if gains:
        marks.append(f"machine: {', '.join(gains)}")
    limit = figures[LIMIT]
    bound = f"{limit:6.1f}x limit" if limit else " " * 13
    name = result["name"]
    return (
        f"{name['kernel']:34} {name['masks']:20} {figures[MICROSECONDS]:10.1f} us {bound}  "
        + ", ".join(marks)
    )


def _allows(gate: Mapping[str, float]) -> str:
    return f"the machine allows {math.floor(gate['reach'] * 100) / 100:.3g}"


def missed_lines(result: Result) -> list[str]:
    """A line for each gate that was missed; where the machine allows no more, that is said."""
    name, figures = result["name"], result["figures"]
    lines = []
    for peer in documents.missed(result):
        gate = result["gates"][peer]
        why = f", {_allows(gate)}" if "reach" in gate else ""
        lines.append(
            f"{name['kernel']} on {name['masks']}: {figures[peer]:.2f}x {peer}, the gate is "
            f"{gate['least']:.3g}{why}"
        )
    return lines


def sets(arguments: argparse.Namespace) -> Iterator[MaskSet]:
    """The sets that were asked for.

    Raises:
        MaskCodecError: a file can't be used; before any other set is made.
    """
    paths = list(dict.fromkeys(arguments.masks))
    names = [path.name.partition(".")[0] for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    own = [real(path, name) for path, name in zip(paths, names, strict=True)]
    sizes = SIZES if arguments.full else arguments.sizes or SIZES[:1]
    return chain(synthetic(sizes, arguments.count, arguments.seed), own)


def chosen_peers(names: Sequence[str] | None) -> dict[str, str]:
    """The modules of the peers of these names; of all for None.

    Raises:
        MaskCodecError: a name that is none.
    """
    if names == ["none"]:
        return {}
    for name in names or ():
        if name not in PEERS:
            raise MaskCodecError(f"--peers {name}: expected some of {', '.join(PEERS)}; or none")
    return {name: PEERS[name] for name in names or PEERS}


def chosen_kernels(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """The kernels, each as its suite and its name.

    Raises:
        MaskCodecError: there is none of this name.
    """
    found = [
        (suite, name)
        for suite in dict.fromkeys(arguments.only)
        for name in importlib.import_module(f"{__package__}.kernels_{suite}").CASES
        if arguments.kernel.lower() in name.lower()
    ]
    if not found:
        raise MaskCodecError(f"--kernel {arguments.kernel}: no kernel's name holds this")
    return found


def start_document(arguments: argparse.Namespace) -> Document:
    """The document, and what decides what is measured."""
    keys = ("only", "kernel", "peers", "sizes", "full", "count", "seconds", "masks")
    settings = {key: getattr(arguments, key) for key in keys}
    settings["sizes"] = [f"{height}x{width}" for height, width in settings["sizes"] or ()]
    settings["masks"] = [str(path) for path in settings["masks"]]
    return documents.start("kernels", None, arguments.seed, settings)


def measure(arguments: argparse.Namespace, document: Document) -> None:
    """Measure everything; what is measured stands in the document at any time."""
    kernels, memory = chosen_kernels(arguments), Memory()
    # One thread each: the threads that count are those of the kernels on batches.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    document["busy"] = busy(MEANS_LITTLE)
    if document["busy"]:
        tqdm.write(document["busy"])
    chosen = sets(arguments)
    race = Race(chosen_peers(arguments.peers))
    document["problems"] = race.problems
    try:
        for masks in chosen:
            if not memory.read:
                memory.measure()
            document["memory"] = {"read GB/s": memory.read / 1e9, "write GB/s": memory.write / 1e9}
            speeds = ", ".join(f"{key.split()[0]} {v:.1f}" for key, v in document["memory"].items())
            tqdm.write(f"{masks.name}: {masks.count} masks; memory, GB/s: {speeds}")
            with tempfile.TemporaryDirectory(prefix="maskcodec-bench-") as folder:
                masks.save(Path(folder))
                race.load(Path(folder))
                bar = tqdm(kernels, desc=masks.name, leave=False, disable=arguments.quiet or None)
                for suite, kernel in bar:
                    facts = race.run(suite, kernel, arguments.seconds)
                    if facts is not None:
                        tqdm.write(row(add_result(document, kernel, masks.name, facts, memory)))
    finally:
        race.close()


def run(arguments: argparse.Namespace) -> int:
    """Measure as the arguments say; 1 if a gate was missed or an answer wrong, 130 by Ctrl-C."""
    check_reports((arguments.json, arguments.html), arguments.masks)
    if not 0 < arguments.seconds <= 600:
        raise MaskCodecError("--seconds must be above 0 and at most 600")
    for path in arguments.masks:
        check_file(path)
    document = start_document(arguments)
    try:
        measure(arguments, document)
    except KeyboardInterrupt:
        document["interrupted"] = True
        kept = "what was measured is kept" if document["results"] else "nothing was measured yet"
        say(VERB, f"interrupted; {kept}")
    except MaskCodecError:
        document["interrupted"] = True
        raise
    finally:
        if document["results"] and arguments.json:
            documents.write(arguments.json, document)
        if document["results"] and arguments.html:
            write_kernels_page(arguments.html, document)
    results = document["results"]
    missed = [result for result in results if documents.missed(result)]
    beyond = sum(
        all("reach" in result["gates"][peer] for peer in documents.missed(result))
        for result in missed
    )
    allowed = f", {beyond} of them where this machine allows no more" if beyond else ""
    print(f"{len(results)} measured, {len(missed)} below a gate{allowed}")
    for result in missed:
        print("\n".join(missed_lines(result)))
    for where, problem in document.get("problems", {}).items():
        print(f"not measured: {where}: {problem}")
    if document["interrupted"]:
        return INTERRUPTED
    wrong = [
        where
        for where, problem in document.get("problems", {}).items()
        if where.startswith(f"{OURS},") or problem.startswith("AssertionError")
    ]
    return 1 if missed or wrong else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run as a program; see `run`."""
    return run_bench("kernels", run, argv)


if __name__ == "__main__":
    sys.exit(main())

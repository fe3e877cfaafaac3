"""The ways to decode a batch, the proof that they agree, and their times."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from maskcodec import Codec, Decoded, MaskCodecError, triton
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.threads import pool

from .decode_memory import peak_memory
from .decode_texts import Texts

T = TypeVar("T")

CHECKED = 32
"""Texts of each codec for which the ways must agree."""

AT_ONCE = 64
"""Texts that a pass decodes at least, in several calls where batches are smaller."""

LEAST_PASSES = 3

GATES = {"shape tokens": 0.3, "other": 0.5}
"""The part of a GPU's write speed that painting must reach there, at `GATED_BATCH` or more."""

GATED_BATCH = 256


@dataclass(frozen=True)
class Way:
    """One way to decode.

    Attributes:
        device: "cpu" (the compiled kernels), "torch" (torch on the CPU) or "cuda".
        threads: of the kernels; 0 where they are torch's or a GPU's business.
        plain: by torch alone on a GPU that has kernels too, to hold these against.
    """

    device: str
    threads: int = 0
    plain: bool = False

    @property
    def name(self) -> str:
        """How a person calls it."""
        if self.device == "cpu":
            return f"cpu, {self.threads} thread{'s' * (self.threads > 1)}"
        if self.plain:
            return "cuda, torch only"
        return {"torch": "torch on the cpu", "cuda": "cuda"}[self.device]

    def inside(self, work: Callable[[], T]) -> T:
        """Do something as this way does it; `decode` and `paint` are to be called from there."""
        if self.device == "cpu" and self.threads == 1:
            # Within a thread of the pool, kernels use no other ones.
            return pool(1).submit(work).result()
        if self.plain:
            with _without_kernels():
                return work()
        return work()

    def decode(self, codec: Codec[Any], texts: Sequence[str], size: tuple[int, int]) -> Any:
        """Decode a batch; it is painted when this returns."""
        return self._done(codec.decode_batch(texts, [size] * len(texts), device=self._torch))

    def paint(self, codec: Codec[Any], geometries: Sequence[Any], size: tuple[int, int]) -> Any:
        """The second half of it: geometry to pixels."""
        sizes = [size] * len(geometries)
        return self._done(codec.render_batch(geometries, sizes, device=self._torch))

    @property
    def _torch(self) -> Any:
        if self.device == "torch":
            import torch

            return torch.device("cpu")
        return self.device

    def _done(self, done: Any) -> Any:
        if self.device == "cuda":
            import torch

            torch.cuda.synchronize()
        return done


@contextmanager
def _without_kernels() -> Iterator[None]:
    before = os.environ.get(triton.SWITCH)
    os.environ[triton.SWITCH] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[triton.SWITCH]
        else:
            os.environ[triton.SWITCH] = before


def ways_of(devices: Sequence[str] | None) -> list[Way]:
    """The ways to be measured; None takes the CPU, and a GPU where there is one.

    A GPU with kernels is measured with them, and without.

    Raises:
        MaskCodecError: a device that is not there.
    """
    found = []
    for device in devices or ("cpu", *(["cuda"] if has_cuda() else [])):
        if device == "cpu":
            found += [Way("cpu", threads) for threads in sorted({1, os.cpu_count() or 1})]
            continue
        if device == "cuda" and not has_cuda():
            raise MaskCodecError("--devices cuda: torch sees no GPU here")
        found.append(Way(device))
        if device == "cuda" and triton.has_kernels(device):
            found.append(Way(device, plain=True))
    return found


def has_cuda() -> bool:
    """Whether torch is installed and sees a GPU."""
    try:
        import torch
    except ModuleNotFoundError:
        return False
    return torch.cuda.is_available()


def check(texts: Texts, ways: Sequence[Way]) -> None:
    """Prove that every way gives the masks, labels and repairs of texts decoded one by one.

    Raises:
        MaskCodecError: one does not, or the kernels of a GPU failed.
    """
    batch = texts.batch(min(CHECKED, len(texts.texts)))
    alone = [texts.codec.decode(text, texts.size, errors="repair") for text in batch]
    for way in ways:
        together = way.inside(partial(way.decode, texts.codec, batch, texts.size))
        for index, (one, other) in enumerate(zip(alone, together, strict=True)):
            if not same(one, other):
                raise MaskCodecError(
                    f"{texts.codec.spec}: text {index} decodes to other masks by {way.name} than "
                    "alone; nothing was timed"
                )
    if any(way.plain for way in ways) and not triton.has_kernels("cuda"):
        raise MaskCodecError(
            f"{texts.codec.spec}: kernels failed on the GPU, as the warning says; nothing was "
            f"timed. {triton.SWITCH}=0 measures torch alone"
        )


def same(one: Decoded, other: Decoded) -> bool:
    """Whether two answers hold the same masks, labels and repairs, bit for bit."""
    pixels = []
    for decoded in (one, other):
        planes: Any = decoded.pixels
        pixels.append(planes if isinstance(planes, np.ndarray) else planes.cpu().numpy())
    return (
        one.labels == other.labels
        and one.repairs == other.repairs
        and np.array_equal(pixels[0], pixels[1])
    )


def measure(texts: Texts, way: Way, count: int, seconds: float, speed: float) -> dict[str, Any]:
    """Time batches of `count` texts.

    Args:
        texts: what is decoded.
        way: how.
        count: texts a batch.
        seconds: how long is measured, about; three passes of everything at least.
        speed: bytes a second that the device can write.

    Returns:
        figures: `seconds` a batch (median) and the fastest; a second's texts, masks and gigabytes
        of masks, and the part of `speed` that these are; the seconds of parsing and of painting
        alone, and painting's part of `speed`; on a GPU the seconds in which it was busy painting,
        and their part; `output_bytes`, and `peak_bytes` with the output.
    """
    codec, size = texts.codec, texts.size
    calls = max(1, AT_ONCE // count)
    batches = [texts.batch(count, index * count) for index in range(calls)]
    geometries = [_parse(codec, batch) for batch in batches]
    masks = sum(len(item.labels) for batch in geometries for item in batch) / calls
    output = masks * size[0] * size[1]
    whole, parse, paint = _in_turns(
        way,
        [
            lambda index: way.decode(codec, batches[index], size),
            lambda index: _parse(codec, batches[index]),
            lambda index: way.paint(codec, geometries[index], size),
        ],
        calls,
        seconds,
    )
    middle = statistics.median(whole)
    painted = statistics.median(paint)
    figures: dict[str, Any] = {
        "seconds": middle,
        "fastest": min(whole),
        "texts_per_s": count / middle,
        "masks_per_s": masks / middle,
        "GB_per_s": output / middle / 1e9,
        "share": output / middle / speed,
        "parse_seconds": statistics.median(parse),
        "paint_seconds": painted,
        "paint_share": output / painted / speed,
    }
    if way.device == "cuda":
        busy = way.inside(lambda: busy_seconds(lambda: way.paint(codec, geometries[0], size)))
        figures["busy_seconds"] = busy
        figures["busy_share"] = output / busy / speed if busy else None
    decode = partial(way.decode, codec, batches[0], size)
    memory = peak_memory(lambda: way.inside(decode), way.device)
    figures["output_bytes"] = int(output) if memory is None else memory[1]
    figures["peak_bytes"] = None if memory is None else memory[0]
    return figures


def _parse(codec: Codec[Any], batch: Sequence[str]) -> list[Any]:
    return [codec.parse(text, errors="repair")[0] for text in batch]


def _in_turns(
    way: Way, runs: Sequence[Callable[[int], object]], calls: int, seconds: float
) -> list[list[float]]:
    """The time of a call of each run, in each of several passes through all calls.

    The runs take turns, so that what slows the machine down slows all of them. A first pass is for
    warmth. What it takes to start a pass is not in it.
    """

    def one_pass(run: Callable[[int], object]) -> float:
        start = time.perf_counter()
        for index in range(calls):
            run(index)
        return (time.perf_counter() - start) / calls

    for run in runs:
        way.inside(partial(one_pass, run))
    times: list[list[float]] = [[] for _ in runs]
    end = time.perf_counter() + 2 * seconds
    while len(times[0]) < LEAST_PASSES or time.perf_counter() < end:
        for run, found in zip(runs, times, strict=True):
            found.append(way.inside(partial(one_pass, run)))
    return times


def busy_seconds(run: Callable[[], object], passes: int = 5) -> float:
    """How long a GPU worked for a call, copies to it included and waiting for the host not."""
    from torch.profiler import ProfilerActivity, profile

    run()
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        for _ in range(passes):
            run()
    return sum(map(_device_time, profiler.key_averages())) / passes / 1e6


def _device_time(event: Any) -> float:
    """Microseconds on the device; torch has called it by two names.

    What is the host's has a share of it too, which would count twice.
    """
    if event.device_type.name != "CUDA" or getattr(event, "is_user_annotation", False):
        return 0.0
    found = getattr(event, "self_device_time_total", None)
    return float(event.self_cuda_time_total if found is None else found)


def gates(texts: Texts, way: Way, count: int) -> dict[str, dict[str, float]]:
    """What painting must reach on a GPU, as a document holds it."""
    if way.device != "cuda" or way.plain or count < GATED_BATCH:
        return {}
    geometry = texts.codec.parse(texts.texts[0], errors="repair")[0]
    kind = "shape tokens" if isinstance(geometry, ShapeTokens) else "other"
    return {"busy_share": {"least": GATES[kind]}}

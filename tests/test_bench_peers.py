"""Every peer's answers are proved equal to ours before they are timed, and the proofs can fail."""

from __future__ import annotations

import contextlib
import importlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.kernel_case import KernelCase
from benchmarks.kernel_worker import Side
from benchmarks.mask_sets import MaskSet, real, synthetic
from benchmarks.peers import NO_ANSWER, PEERS
from maskcodec import MaskCodecError, rle
from maskcodec.commands.bench_kernels import SUITES

CASES = [
    (suite, name)
    for suite in SUITES
    for name in importlib.import_module(f"benchmarks.kernels_{suite}").CASES
]
# pycocotools' answers predate NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SETS = {masks.kind: masks for masks in synthetic([(24, 32)], 6)}


def case_of(suite: str, name: str, masks: MaskSet) -> KernelCase | None:
    cases = importlib.import_module(f"benchmarks.kernels_{suite}").CASES
    case: KernelCase | None = cases[name](masks)
    return case


@cache
def functions() -> dict[tuple[str, str], str]:
    """What peers call each kernel's job."""
    cases = {key: case_of(*key, SETS["shapes"]) for key in CASES}
    return {key: case.function for key, case in cases.items() if case and case.function}


def peer(name: str) -> Any:
    """Its module; the test is skipped where its package is missing."""
    try:
        return importlib.import_module(PEERS[name])
    except ModuleNotFoundError as error:
        pytest.skip(f"no {error.name}")


@pytest.fixture(scope="module", params=[*SETS])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved set."""
    path = tmp_path_factory.mktemp(request.param)
    SETS[request.param].save(path)
    return path


def test_a_saved_set_is_the_same_and_is_not_written_to(folder: Path) -> None:
    masks = MaskSet.load(folder)
    again = SETS[masks.kind]
    assert (masks.name, masks.count) == (again.name, 6)
    found, wanted = ((*each.masks, *each.label_maps) for each in (masks, again))
    for one, two in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, two)
    masks.masks[0][:] = True
    np.testing.assert_array_equal(MaskSet.load(folder).masks[0], again.masks[0])


@pytest.mark.parametrize("suite", SUITES)
def test_ours_equals_its_twins(suite: str, folder: Path) -> None:
    side = Side()
    side.load(folder)
    for of, name in CASES:
        facts = side.prepare(suite, name) if of == suite else None
        if facts is not None:
            assert facts["gates"] == {}  # these masks are smaller than those that gates are for
            assert side.turn("") > 0


@pytest.mark.parametrize("name", PEERS)
def test_peers_answer_as_we_do(name: str, folder: Path) -> None:
    peer(name)
    side = Side(PEERS[name])
    side.begin()
    side.load(folder)
    done = []
    for (suite, kernel), function in functions().items():
        if side.prepare_peer(suite, kernel, function):
            assert side.turn("") > 0
            done.append(kernel)
    assert done, f"{name} does no job at all"


def test_every_job_of_a_peer_is_asked_for() -> None:
    """A function that no case names would never be proved, nor timed."""
    asked = {*functions().values()}
    for name in PEERS:
        module = peer(name)
        jobs = {job for job in vars(module) if not job.startswith("_") and job.islower()}
        jobs = {
            job
            for job in jobs
            if getattr(getattr(module, job), "__module__", "").startswith("benchmarks.peers")
        }
        assert jobs
        assert jobs <= asked, f"{name}: {jobs - asked}"


def wrong(answer: Any) -> Any:
    """An answer that differs in one place."""
    if isinstance(answer, dict):
        key = next(iter(answer))
        return answer | {key: wrong(answer[key])}
    if isinstance(answer, tuple):
        return (*answer[:-1], wrong(answer[-1]))
    if isinstance(answer, bytes | str):
        return answer[:-1]
    if isinstance(answer, int):
        return answer + 1
    array = np.array(answer, order="C")
    if array.ndim == 2 and array.shape[1] == 2 and array.dtype.kind == "f":
        return array[:-1]  # points of contours
    flat = array.reshape(-1)
    if array.dtype.kind == "b" or (array.dtype == np.uint8 and array.max(initial=0) <= 1):
        flat[:] = flat == 0
    else:
        flat[:] = -flat - 3
    return array


@pytest.mark.parametrize("name", [name for name in PEERS if name != "memset"])
def test_a_wrong_answer_is_found(name: str) -> None:
    """On masks that all grids divide: elsewhere pixels along a boundary may differ."""
    module = peer(name)
    masks = next(synthetic([(192, 256)], 6))
    taken = []
    for suite, kernel in CASES:
        case = case_of(suite, kernel, masks)
        job = getattr(module, case.function, None) if case and case.function else None
        way = job(**case.inputs) if case and job else None
        if case is None or way is None:
            continue
        index = next(i for i in case.checked if masks.masks[i].any())
        answer = way.read(way.run(index))
        assert case.agree is not None
        assert answer is not NO_ANSWER
        taken.append(kernel)
        with contextlib.suppress(AssertionError):
            case.agree(index, wrong(answer))
            continue
        taken.pop()
    assert not taken


def test_masks_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "coco.jsonl"
    mask = SETS["shapes"].masks[0]
    line = f'{{"size": [24, 32], "counts": "{rle.to_string(rle.encode(mask)).decode()}"}}\n'
    path.write_text(line.replace("\\", "\\\\") * 64)
    masks = real(path)
    assert (masks.name, masks.count) == ("real (coco)", 64)
    np.testing.assert_array_equal(masks.masks[63], mask)
    path.write_text(line.replace("\\", "\\\\") * 63)
    with pytest.raises(MaskCodecError, match="holds 63 masks, expected at least 64"):
        real(path)
    path.write_text('{"size": [24, 32], "counts": "1"}\n')
    with pytest.raises(MaskCodecError, match=r"coco.jsonl:1"):
        real(path)

"""Painting by Triton's kernels: interpreted, compiled without a GPU, and where it can't be had."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from strategies import draw_array

from maskcodec import Mask, MaskCodecError, get_codec, resample

torch = pytest.importorskip("torch")
from maskcodec import torch_paint, triton  # noqa: E402

TESTS = Path(__file__).parent
GRID = np.eye(5, dtype=np.bool_)
SIZE = (20, 30)


def needs_triton() -> Any:
    return pytest.importorskip("triton", minversion="3.0")


def test_interpreted_kernels_equal_those_for_the_cpu() -> None:
    needs_triton()
    options = ["-q", "-x", "-rs", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(TESTS / "interpreted_triton.py")],
        capture_output=True,
        text=True,
        env=os.environ | {"TRITON_INTERPRET": "1", "PYTEST_ADDOPTS": ""},
        cwd=TESTS.parent,
        check=False,
    )
    if "interpreter fails by itself" in done.stdout:
        pytest.skip(done.stdout[-400:])
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout


def line_kernel(name: str, unit: int, wide: bool) -> tuple[Any, list[str], dict[str, Any]]:
    """A kernel that paints line by line: its types, and what is known before it is compiled."""
    from maskcodec.triton import cells, launch, spans

    known: dict[str, Any] = {"WIDE": wide, "UNIT": unit, "num_warps": 1}
    known |= {"LINES": launch.LINES, "GROUPS": launch.GROUPS}
    planes = "*i8" if unit == 1 else "*i32"
    if name == "spans":
        types = [planes, "*i32", "*i32", "i32", "i32", "i32", "i32"]
        return spans.paint_spans, types, known | {"PLACES": 25}
    source = {"maps": cells.BYTES, "fields": cells.FIELDS}.get(name, cells.BITS)
    types = [planes, "*i32", "*u8" if name == "maps" else "*i32", "i32", "i32", "i32"]
    known |= {"LONG_SUMS": wide or name == "fields", "BILINEAR": name != "nearest"}
    return cells.paint_cells, types, known | {"SOURCE": source}


def column_kernel(name: str, unit: int) -> tuple[Any, list[str], dict[str, Any]]:
    """The same for one that paints down the columns."""
    from maskcodec.triton import launch, rings, runs

    words, columns = launch.RUNS_TILE if name == "runs" else launch.RINGS_TILE
    known = {"UNIT": unit, "WORDS": words, "COLUMNS": columns, "num_warps": columns // 32}
    if name == "runs":
        return runs.paint_runs, ["*i8", "*i16", "*i32", "*i32", *["i32"] * 4], known
    return rings.paint_rings, ["*i8", "*i32", "*i32", "*i32", *["i32"] * 3], known


# What the interpreter lets pass may not compile: each kernel, and all of its variants.
@pytest.mark.parametrize(
    ("name", "unit", "wide", "capability"),
    [
        *((name, 16, False, 90) for name in ("nearest", "bilinear", "maps", "fields", "spans")),
        ("nearest", 4, True, 80),
        ("bilinear", 1, True, 80),
        ("maps", 4, True, 80),
        ("fields", 4, True, 80),
        ("spans", 1, True, 80),
        *((name, 16, False, 90) for name in ("runs", "rings")),
        *((name, 1, False, 80) for name in ("runs", "rings")),
    ],
)
@pytest.mark.filterwarnings("ignore:AnnAssign:DeprecationWarning")  # Triton 3.7 on Python 3.13
def test_kernels_compile_without_a_gpu(
    name: str, unit: int, wide: bool, capability: int, tmp_path: Path
) -> None:
    """16 bytes are stored at a time where they can; products and sums of doubles aren't fused."""
    needs_triton()
    if name in ("runs", "rings"):
        kernel, types, known = column_kernel(name, unit)
    else:
        kernel, types, known = line_kernel(name, unit, wide)
    text = compiled(kernel, types, known, capability, tmp_path)
    stores = re.findall(r"st\.global[\w.]*", text)
    assert stores
    assert (set(stores) == {"st.global.v4.b32"}) == (unit == 16)
    assert "fma.rn.f64" not in text
    assert "mul.f64" not in text


def compiled(
    kernel: Any, types: list[str], known: dict[str, Any], capability: int, cache: Path
) -> str:
    """PTX of a kernel, which became machine code too."""
    language: Any = pytest.importorskip("triton")
    compiler: Any = pytest.importorskip("triton.compiler")
    backends: Any = pytest.importorskip("triton.backends.compiler")
    from maskcodec.triton import launch

    options = launch.PLAIN | {"num_warps": known.pop("num_warps")}
    names = kernel.arg_names
    given = iter(types)
    signature = {arg: "constexpr" if arg in known else next(given) for arg in names}
    pointers = [place for place, arg in enumerate(names) if signature[arg].startswith("*")]
    try:
        source = compiler.ASTSource(
            kernel,
            signature,
            constexprs={(names.index(arg),): value for arg, value in known.items()},
            attrs={(place,): [["tt.divisibility", 16]] for place in pointers},
        )
    except TypeError:
        pytest.skip(f"triton {language.__version__} compiles by another interface")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_CACHE_DIR", str(cache))
        target = backends.GPUTarget("cuda", capability, 32)
        built = language.compile(source, target=target, options=options)
    assert built.asm["cubin"]
    return str(built.asm["ptx"])


def paint(device: Any = "cpu") -> Any:
    boxes = [[(0, 0, SIZE[1], SIZE[0])]]
    return torch_paint.paint_boxes([[GRID]], boxes, [SIZE], device=device)[0]


def test_where_there_are_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "_failures", [])
    monkeypatch.setattr(triton, "_is_installed", lambda: True)
    monkeypatch.setattr(torch.version, "hip", None)
    assert triton.has_kernels("cuda")
    assert triton.has_kernels(torch.device("cuda:1"))
    assert not triton.has_kernels("cpu")
    assert not triton.has_kernels("mps")
    monkeypatch.setattr(torch.version, "hip", "6.0")
    assert not triton.has_kernels("cuda")
    monkeypatch.setattr(torch.version, "hip", None)
    monkeypatch.setenv(triton.SWITCH, "0")
    assert not triton.has_kernels("cuda")
    monkeypatch.delenv(triton.SWITCH)
    monkeypatch.setattr(triton, "_is_installed", lambda: False)
    assert not triton.has_kernels("cuda")


def test_kernels_that_fail_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "_failures", [])
    monkeypatch.setattr(triton, "has_kernels", lambda device: not triton._failures)

    def fail() -> None:
        raise RuntimeError("Failed to find C compiler.\nMore")

    said = r"RuntimeError: Failed to find C compiler\. Triton needs .*gcc.*MASKCODEC_TRITON=0"
    with pytest.warns(RuntimeWarning, match=said):
        assert triton.by_kernels("cuda", fail, lambda: 5) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert triton.by_kernels("cuda", fail, lambda: 6) == 6


def test_what_is_no_fault_of_the_kernels_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "_failures", [])
    monkeypatch.setattr(triton, "has_kernels", lambda device: True)
    for error in (MaskCodecError("no"), torch.cuda.OutOfMemoryError("no")):

        def fail(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            triton.by_kernels("cuda", fail, lambda: None)
    assert triton._failures == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_paints_by_kernels() -> None:
    """No warning, so no kernel failed; and what torch alone paints there is the same."""
    needs_triton()
    assert triton.has_kernels("cuda")
    expected = resample.paint_nearest(GRID, SIZE)
    assert np.array_equal(paint("cuda")[0].cpu().numpy(), expected)
    for spec in (
        "boxgrid",
        "text4seg:grid=32,upsample=bilinear",
        "polygon",
        "coco_rle",
        "shapetokens",
    ):
        codec = get_codec(spec)
        texts = [
            codec.encode([Mask(draw_array("ellipses", (480, 640), seed), "a")], (480, 640))
            for seed in range(8)
        ]
        for size in ((480, 640), (427, 333), (500, 500)):
            fast = codec.decode_batch(texts, [size] * 8, device="cuda")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv(triton.SWITCH, "0")
                plain = codec.decode_batch(texts, [size] * 8, device="cuda")
            for one, other in zip(fast, plain, strict=True):
                assert torch.equal(one.pixels, other.pixels)

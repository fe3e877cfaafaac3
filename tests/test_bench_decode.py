"""`bench decode`: proof before timing, whole figures, bounds that are said, and first masks."""

from __future__ import annotations

import json
import os
import threading
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from reading import rle_fields, write_jsonl
from strategies import draw_array
from test_sheet import Page

from benchmarks import decode_memory, decode_ways, document
from benchmarks.decode import main
from benchmarks.decode_latency import LOOKED_AT, PLACES, measure_latency
from benchmarks.decode_texts import DISTINCT, Texts, images, write_texts
from benchmarks.decode_ways import Way, check, gates, measure, same, ways_of
from maskcodec import Codec, Mask, MaskCodecError, get_codec, triton
from maskcodec.cli import main as cli
from maskcodec.tokens import default_counter

SIZE = (60, 80)
FAST = ("--sizes", "60x80", "--seconds", "0.001", "--quiet")


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring how fast memory is written is no part of what is tested."""
    monkeypatch.setattr(decode_memory, "BLOCK", 1 << 20)


def texts_of(spec: str, count: int = 12, objects: int = 1) -> Texts:
    return write_texts([get_codec(spec)], SIZE, objects, 0, count=count)[0]


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """A few masks of one size."""
    arrays = [draw_array("ellipses", (90, 120), seed) for seed in range(6)]
    records: list[object] = [
        rle_fields(Mask(array, "cat"), f"{index}.jpg", index) for index, array in enumerate(arrays)
    ]
    return write_jsonl(tmp_path / "masks.jsonl", records)


def test_the_command(masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, page = tmp_path / "decode.json", tmp_path / "decode.html"
    given = ["--specs", "boxgrid", "polygon", "--batches", "1", "5", "--masks", str(masks)]
    devices = ["--devices", "cpu", "torch", "--objects", "2"]
    status = cli(
        ["bench", "decode", *given, *devices, *FAST, "--json", str(out), "--html", str(page)]
    )
    assert status == 0
    found = document.read(out, "decode")
    assert found["settings"]["sizes"] == ["60x80"]
    timed = [result for result in found["results"] if "batch" in result["name"]]
    ways = {(way.name, count) for way in ways_of(["cpu", "torch"]) for count in (1, 5)}
    ways = {(name, count) for name, count in ways if count > 1 or "threads" not in name}
    for spec in ("boxgrid:rows=24", "polygon:tolerance=0.005"):
        here = [result for result in timed if result["name"]["codec"] == spec]
        assert {(r["name"]["by"], r["name"]["batch"]) for r in here} == ways
        for result in here:
            count, figures = result["name"]["batch"], result["figures"]
            assert figures["texts_per_s"] == pytest.approx(count / figures["seconds"])
            assert figures["masks_per_s"] == pytest.approx(2 * figures["texts_per_s"])
            written = 2 * count * 60 * 80
            assert figures["output_bytes"] == written
            assert figures["GB_per_s"] == pytest.approx(written / figures["seconds"] / 1e9)
            [speed] = [
                r["figures"]["GB_per_s"]
                for r in found["results"]
                if r["name"] == {"what": "memory written", "by": result["name"]["by"]}
            ]
            assert figures["share"] == pytest.approx(figures["GB_per_s"] / speed)
            if "torch" not in result["name"]["by"]:
                assert figures["peak_bytes"] >= written
        assert f"`{spec}`" in capsys.readouterr().out or spec != "boxgrid:rows=24"
    read = Page(page.read_text())
    assert "script" not in read.tags
    assert read.tags.count("svg") == 2 + 3 + 1 + (len(ways_of(["cpu"])) - 2)
    assert "How soon a mask comes" in read.texts["h2"]


def test_what_has_no_room_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "decode.json"
    given = ["--specs", "boxgrid", "--batches", "2", "400", "--memory", "1", "--json", str(out)]
    assert main([*given, *FAST]) == 0
    assert "batch 400: 1 MiB of masks, with room for 1" in capsys.readouterr().err
    found = json.loads(out.read_text())
    assert {r["name"].get("batch") for r in found["results"]} == {None, 2}
    assert any("batch 400" in what for what in found["settings"]["left out"])


def test_ctrl_c_keeps_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import decode

    calls: list[int] = []

    def measured(*arguments: Any) -> dict[str, Any]:
        calls.append(arguments[2])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(decode, "measure", measured)
    out = tmp_path / "decode.json"
    assert main(["--specs", "boxgrid", "--batches", "1", "2", "--json", str(out), *FAST]) == 130
    found = document.read(out)
    assert found["interrupted"]
    assert [r["name"]["batch"] for r in found["results"] if "batch" in r["name"]] == [1]


def test_ctrl_c_at_once_leaves_older_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import decode

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decode, "_write_speeds", stop)
    reports = [tmp_path / "decode.json", tmp_path / "decode.html"]
    for path in reports:
        path.write_text("what was measured before")
    given = ["--specs", "boxgrid", "--json", str(reports[0]), "--html", str(reports[1])]
    assert main([*given, *FAST]) == 130
    assert {path.read_text() for path in reports} == {"what was measured before"}


@pytest.mark.parametrize("load", [0.0, 64.0])
def test_a_busy_machine_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    load: float,
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    page = tmp_path / "decode.html"
    assert main(["--specs", "boxgrid", "--batches", "1", "--html", str(page), *FAST]) == 0
    said = "a load of 64.0 on 4 cores"
    assert (said in capsys.readouterr().err) == (said in page.read_text()) == (load > 1)


def test_a_batch_that_differs_is_not_timed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codec: Any = type(get_codec("boxgrid"))
    plain = codec.render_batch

    def render_batch(self: Codec[Any], geometries: Any, sizes: Any, *, device: Any = "cpu") -> Any:
        found = plain(self, geometries, sizes, device=device)
        if len(found) > 3:
            found[3] = ~found[3]
        return found

    monkeypatch.setattr(codec, "render_batch", render_batch)
    assert main(["--specs", "boxgrid", "--batches", "2", *FAST]) == 2
    said = capsys.readouterr()
    assert "text 3 decodes to other masks" in said.err
    assert "| `" not in said.out


@pytest.mark.parametrize("spec", ["boxgrid", "text4seg:grid=16", "polygon", "coco_rle", "gemini"])
def test_every_way_agrees(spec: str) -> None:
    check(texts_of(spec), ways_of(["cpu", "torch"]))


def test_what_differs_is_seen() -> None:
    codec = get_codec("boxgrid")
    one, other = (codec.decode(text, SIZE) for text in texts_of("boxgrid").texts[:2])
    assert same(one, one)
    assert not same(one, other)


def test_images_differ_and_hold_their_masks() -> None:
    found = list(images(SIZE, 2, seed=3, count=20))
    assert all(len(masks) == 2 and all(mask.area for mask in masks) for masks in found)
    arrays = {mask.array.tobytes() for masks in found for mask in masks}
    assert len(arrays) > 30
    again = list(images(SIZE, 2, seed=3, count=20))
    assert np.array_equal(found[7][1].array, again[7][1].array)
    assert DISTINCT >= 64


def test_a_codec_that_writes_nothing_is_an_error() -> None:
    with pytest.raises(MaskCodecError, match="can write no image: samtok"):
        texts_of("samtok", 2)


def test_figures_of_a_batch() -> None:
    figures = measure(texts_of("boxgrid"), Way("cpu", 1), 4, 0.001, 1e9)
    assert figures["fastest"] <= figures["seconds"]
    assert figures["parse_seconds"] + figures["paint_seconds"] < 20 * figures["seconds"]
    assert figures["paint_share"] > 0
    assert "busy_seconds" not in figures


def test_gates_are_for_gpus_and_large_batches() -> None:
    texts = texts_of("boxgrid", 1)
    assert gates(texts, Way("cpu", 1), 4096) == {}
    assert gates(texts, Way("torch"), 4096) == {}
    assert gates(texts, Way("cuda"), 255) == {}
    assert gates(texts, Way("cuda"), 256) == {"busy_share": {"least": 0.5}}
    assert gates(texts, Way("cuda", plain=True), 256) == {}
    tokens = texts_of("shapetokens", 1)
    assert gates(tokens, Way("cuda"), 256) == {"busy_share": {"least": 0.3}}


def test_first_masks() -> None:
    counter = default_counter()
    for spec in ("shapetokens", "boxgrid"):
        texts = texts_of(spec)
        figures = measure_latency(texts, counter, 50)
        first, useful, whole = (figures[key] for key in ("first_tokens", "useful_tokens", "tokens"))
        assert first is not None
        assert useful is not None
        assert whole is not None
        assert 0 < first <= useful <= whole
        for key in ("", "first_", "useful_"):
            seconds, tokens = figures[f"{key}seconds"], figures[f"{key}tokens"]
            assert seconds is not None
            assert tokens is not None
            assert tokens / 50 < seconds < tokens / 50 + 1
    # Without codes there is a box; with the first code it is a shape.
    assert PLACES > 20


def test_a_text_without_pixels_has_no_first_mask() -> None:
    codec = get_codec("boxgrid")
    figures = measure_latency(Texts(codec, SIZE, 0, ["none"]), None, 10)
    assert figures["first_tokens"] is None
    assert figures["tokens"] is None
    assert figures["texts"] == figures["lost"] == LOOKED_AT


def test_texts_without_pixels_are_not_useful_at_once(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A part of such an answer equals the whole, which would make it useful from the start."""
    codec, whole = get_codec("boxgrid"), texts_of("boxgrid", 1).texts[0]
    figures = measure_latency(Texts(codec, SIZE, 1, [whole, "none"]), None, 10)
    alone = measure_latency(Texts(codec, SIZE, 1, [whole]), None, 10)
    assert figures["useful_tokens"] == alone["useful_tokens"]
    assert figures["lost"] == 12
    page = tmp_path / "page.html"
    small = write_jsonl(
        tmp_path / "small.jsonl",
        [rle_fields(Mask(np.pad(np.ones((9, 9), np.bool_), 120), "cat"), "a.jpg", 0)],
    )
    given = ["--specs", "text4seg:grid=2", "--batches", "1", "--masks", str(small)]
    assert main([*given, "--seconds", ".001", "--sizes", "249x249", "--html", str(page)]) == 0
    assert "no text gives a mask" in capsys.readouterr().out
    assert page.exists()


def test_images_that_a_codec_can_not_write_are_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codec = type(get_codec("boxgrid"))
    encode, calls = codec.encode, []

    def sometimes(self: Any, *given: Any) -> str:
        calls.append(given)
        if len(calls) % 4 == 0:
            raise MaskCodecError("not this one")
        return str(encode(self, *given))

    monkeypatch.setattr(codec, "encode", sometimes)
    out = tmp_path / "decode.json"
    assert main(["--specs", "boxgrid", "--batches", "1", "--json", str(out), *FAST]) == 0
    left_out = document.read(out)["settings"]["left out"]
    what = f"{DISTINCT // 4} of {DISTINCT} images at 60x80 for boxgrid:rows=24"
    assert left_out == {what: "not this one"}
    assert what in capsys.readouterr().err


def test_memory_of_a_call() -> None:
    codec, text = get_codec("boxgrid"), texts_of("boxgrid", 1).texts[0]
    peak = decode_memory.peak_memory(
        lambda: codec.decode_batch([text] * 3, [(600, 800)] * 3), "cpu"
    )
    assert peak is not None
    assert peak[1] == 3 * 600 * 800
    assert peak[1] <= peak[0] < 3 * peak[1]
    assert decode_memory.peak_memory(list, "torch") is None


def test_memory_of_masks_in_blocks_is_counted() -> None:
    """From 2 MiB on masks lie where tracemalloc does not look."""
    codec, text = get_codec("boxgrid"), texts_of("boxgrid", 1).texts[0]
    for count in (4, 8, 40):
        run = partial(codec.decode_batch, [text] * count, [(600, 800)] * count)
        peak = decode_memory.peak_memory(run, "cpu")
        assert peak is not None
        assert peak[1] == count * 600 * 800
        assert peak[1] < peak[0] < 1.5 * peak[1]


def test_memory_that_is_left(tmp_path: Path) -> None:
    assert decode_memory.free_memory("cpu") > 0
    assert decode_memory._left_in_group(tmp_path) == 0
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert decode_memory._left_in_group(tmp_path) == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert decode_memory._left_in_group(tmp_path) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--specs", "boxgird"], "did you mean 'boxgrid'"),
        (["--seconds", "0"], "--seconds must be above 0"),
        (["--rate", "0"], "--rate above 0"),
        (["--rate", "inf"], "--rate above 0"),
        (["--tokenizer", "none.json"], "no such file"),
        (["--json", "none/x.json"], "does not exist"),
    ],
)
def test_what_can_not_be_used_is_one_line(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    assert message in capsys.readouterr().err


def test_a_device_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decode_ways, "has_cuda", lambda: False)
    assert main(["--devices", "cuda", *FAST]) == 2
    assert "torch sees no GPU here" in capsys.readouterr().err


def test_a_gpu_with_kernels_is_measured_without_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_ways, "has_cuda", lambda: True)
    monkeypatch.setattr(triton, "has_kernels", lambda device: False)
    assert ways_of(["cuda"]) == [Way("cuda")]
    monkeypatch.setattr(triton, "has_kernels", lambda device: True)
    ways = ways_of(["cuda"])
    assert [way.name for way in ways] == ["cuda", "cuda, torch only"]
    seen: list[str | None] = []
    monkeypatch.setenv(triton.SWITCH, "1")
    plain = Way("torch", plain=True)  # the CPU stands in for a GPU
    plain.inside(lambda: seen.append(os.environ.get(triton.SWITCH)))
    assert seen == ["0"]
    assert os.environ[triton.SWITCH] == "1"
    monkeypatch.delenv(triton.SWITCH)
    plain.inside(lambda: seen.append(os.environ.get(triton.SWITCH)))
    assert seen == ["0", "0"]
    assert triton.SWITCH not in os.environ
    monkeypatch.setattr(triton, "has_kernels", lambda device: False)
    with pytest.raises(MaskCodecError, match="kernels failed on the GPU"):
        check(texts_of("boxgrid", 2), [plain])


def test_time_of_a_gpu_counts_once() -> None:
    """Of what a profiler lists, the host's events carry the time of what they started."""
    event = SimpleNamespace
    kernel = event(device_type=event(name="CUDA"), self_device_time_total=5.0)
    older = event(device_type=event(name="CUDA"), self_cuda_time_total=3.0)
    host = event(device_type=event(name="CPU"), self_device_time_total=5.0)
    note = event(
        device_type=event(name="CUDA"), self_device_time_total=5.0, is_user_annotation=True
    )
    assert [decode_ways._device_time(one) for one in (kernel, older, host, note)] == [5, 3, 0, 0]


@pytest.mark.gpu
def test_on_a_gpu(tmp_path: Path) -> None:
    if not decode_ways.has_cuda():
        pytest.skip("no CUDA device")
    out = tmp_path / "decode.json"
    given = ["--devices", "cuda", "--batches", "1", "256", "--json", str(out), "--quiet"]
    assert main([*given, "--seconds", "0.1"]) in (0, 1)
    timed = [r for r in document.read(out)["results"] if "batch" in r["name"]]
    assert all(r["figures"]["busy_seconds"] > 0 for r in timed)
    gated = [r for r in timed if r["name"]["by"] == "cuda" and r["name"]["batch"] == 256]
    assert [r for r in timed if "gates" in r] == gated


def test_a_codec_that_can_write_nothing_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "decode.json"
    given = ["--specs", "samtok", "boxgrid:rows=4", "--batches", "2", "--json", str(out)]
    assert main([*given, *FAST]) == 0
    assert "left out 256 of 256 images at 60x80 for samtok" in capsys.readouterr().err
    found = document.read(out)
    assert {r["name"]["codec"] for r in found["results"] if "codec" in r["name"]} == {
        "boxgrid:rows=4"
    }
    assert any("for samtok" in what for what in found["settings"]["left out"])


def test_without_room_for_any_batch_nothing_was_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--specs", "boxgrid:rows=4", "--batches", "4000", "--memory", "1"]
    assert main([*given, *FAST]) == 2
    assert "no batch was decoded, since none has room" in capsys.readouterr().err


def test_passes_run_where_their_way_runs_and_take_turns() -> None:
    """A way of one thread has a thread of its own; getting there is no part of a pass."""
    seen: list[tuple[str, int]] = []

    def run(name: str, index: int) -> None:
        assert index in range(3)
        seen.append((name, threading.get_ident()))

    for way in (Way("cpu", 1), Way("cpu", 2)):
        seen.clear()
        runs = [partial(run, "whole"), partial(run, "part")]
        times = decode_ways._in_turns(way, runs, 3, 0.0)
        assert [len(found) for found in times] == [decode_ways.LEAST_PASSES] * 2
        assert [name for name, _ in seen] == (["whole"] * 3 + ["part"] * 3) * 4
        own = {ident for _, ident in seen} == {threading.get_ident()}
        assert own == (way.threads == 2)

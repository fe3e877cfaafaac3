"""`maskcodec convert`: published checkpoints of every kind, good, odd and hostile."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch")

import torch
from command_line import run
from tiny_networks import HIMTOK, PALIGEMMA, arrays_of, tiny_himtok, tiny_paligemma

from maskcodec.networks import conversion
from maskcodec.networks.himtok import HiMTokConfig
from maskcodec.networks.loading import load

Arrays = dict[str, npt.NDArray[Any]]


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Published sizes are small here, and the folder of weights is `tmp_path/weights`."""
    monkeypatch.setenv("MASKCODEC_WEIGHTS", str(tmp_path / "weights"))

    def himtok(parts: str = "both") -> HiMTokConfig:
        return HiMTokConfig(**{**vars(HIMTOK), "parts": parts})

    monkeypatch.setattr("maskcodec.networks.himtok.HiMTokConfig", himtok)
    monkeypatch.setattr(conversion, "HiMTokConfig", himtok)
    monkeypatch.setattr(conversion, "PaliGemmaConfig", lambda: PALIGEMMA)
    return tmp_path


def himtok_arrays(prefix: str = "") -> Arrays:
    return {prefix + name: array for name, array in arrays_of(tiny_himtok()).items()}


def paligemma_arrays() -> Arrays:
    arrays = arrays_of(tiny_paligemma())
    arrays["_vq_vae._ema_w"] = np.zeros((128, 12), np.float32)
    arrays["_vq_vae._ema_cluster_size"] = np.zeros(128, np.float32)
    return arrays


def write_pth(path: Path, arrays: Arrays, wrapper: str = "") -> Path:
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    torch.save({wrapper: tensors} if wrapper else tensors, path)
    return path


def write_safetensors(path: Path, arrays: Arrays, kind: str = "") -> Path:
    kinds = {"float32": "F32", "float16": "F16", "bool": "BOOL", "uint16": "BF16"}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, array in arrays.items():
        start = len(data)
        data += array.tobytes()
        header[name] = {
            "dtype": kind or kinds[array.dtype.name],
            "shape": array.shape,
            "data_offsets": [start, len(data)],
        }
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def same_as(network: Any, arrays: Arrays, tolerance: float = 0.0) -> bool:
    return all(
        np.allclose(tensor.numpy(), arrays[name], atol=tolerance)
        for name, tensor in network.state_dict().items()
    )


@pytest.mark.parametrize("wrapper", ["", "model", "state_dict"])
@pytest.mark.parametrize("prefix", ["", "module.", "mask_decoder.", "module.mask_decoder."])
def test_himtok_pth(small: Path, wrapper: str, prefix: str) -> None:
    path = write_pth(small / "himtok.pth", himtok_arrays(prefix), wrapper)
    result = run("convert", "himtok", path)
    weights = sum(array.size for array in himtok_arrays().values() if array.dtype != np.bool_)
    output = small / "weights/himtok.npz"
    assert result == (0, "", f"maskcodec convert: {output}: {weights:,} weights\n")
    assert same_as(load("himtok.npz", "himtok", "cpu"), himtok_arrays())


def test_parts_of_a_model_in_safetensors(small: Path) -> None:
    arrays = himtok_arrays("mask_decoder.")
    names = list(arrays)
    first = {name: arrays[name] for name in names[::2]}
    first["language_model.weight"] = np.zeros(3, np.float32)
    second = {name: arrays[name] for name in names[1::2]}
    files = [
        write_safetensors(small / "model-1.safetensors", first),
        write_safetensors(small / "model-2.safetensors", second),
    ]
    assert run("convert", "himtok", *files, "-q") == (0, "", "")
    assert same_as(load("himtok.npz", "himtok", "cpu"), himtok_arrays())


def test_bfloat16_is_widened(small: Path) -> None:
    arrays = himtok_arrays()
    upper = {
        name: array if array.dtype == np.bool_ else (array.view(np.uint32) >> 16).astype(np.uint16)
        for name, array in arrays.items()
    }
    path = write_safetensors(small / "h.safetensors", upper)
    assert run("convert", "himtok", path, "-o", small / "mine.npz", "-q").status == 0
    assert same_as(load(str(small / "mine.npz"), "himtok", "cpu"), arrays, 0.03)


def test_the_decoder_alone(small: Path) -> None:
    arrays = {
        name: array
        for name, array in himtok_arrays().items()
        if not name.startswith(("encoder.", "latent_tokens"))
    }
    path = write_pth(small / "decoder.pth", arrays)
    result = run("convert", "himtok", path)
    assert result.status == 2
    assert "missing: latent_tokens, encoder.class_embedding" in result.err
    assert run("convert", "himtok", path, "--decoder-only", "-q").status == 0
    network = load("himtok.npz", "himtok", "cpu")
    assert network.config.parts == "decoder"
    assert same_as(network, arrays)


def test_paligemma(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small / "vae-oid.npz"
    np.savez(path, **paligemma_arrays())  # type: ignore[arg-type]
    result = run("convert", "paligemma", path)
    assert result.status == 0
    assert "warning: " in result.err
    assert "not its bytes: sha256 " in result.err
    assert conversion.SHA256["paligemma"][1] in result.err
    assert same_as(load("paligemma.npz", "paligemma", "cpu"), paligemma_arrays())
    digest = result.err.partition("sha256 ")[2][:64]
    monkeypatch.setitem(conversion.SHA256, "paligemma", ("vae-oid.npz", digest))
    result = run("convert", "paligemma", path, "--overwrite")
    assert (result.status, "warning" in result.err) == (0, False)


def test_kernels_in_the_order_of_jax(small: Path) -> None:
    turned = {
        name: array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
        for name, array in paligemma_arrays().items()
    }
    np.savez_compressed(small / "flax.npz", **turned)  # type: ignore[arg-type]
    assert run("convert", "paligemma", small / "flax.npz", "-q").status == 0
    assert same_as(load("paligemma.npz", "paligemma", "cpu"), paligemma_arrays())


def test_every_difference_stands_in_one_error(small: Path) -> None:
    arrays = paligemma_arrays()
    del arrays["decoder.0.bias"], arrays["decoder.12.weight"]
    arrays["encoder.10.bias"] = np.zeros(3, np.float32)
    arrays["surprise"] = np.zeros(3, np.float32)
    np.savez(small / "odd.npz", **arrays)  # type: ignore[arg-type]
    result = run("convert", "paligemma", small / "odd.npz")
    assert result.status == 2
    assert result.err == (
        f"maskcodec convert: {small / 'odd.npz'}: is no checkpoint of paligemma: 2 missing: "
        "decoder.0.bias, decoder.12.weight; 1 unexpected: surprise; 1 wrong shape: "
        "encoder.10.bias (3,) (expected (12,))\n"
    )
    assert not (small / "weights/paligemma.npz").exists()


def test_many_differences_are_not_all_listed(small: Path) -> None:
    path = small / "other.npz"
    arrays = {f"layer{n}": np.zeros(1, np.float32) for n in range(50)}
    np.savez(path, **arrays)  # type: ignore[arg-type]
    result = run("convert", "paligemma", path)
    assert "50 unexpected: layer0, " in result.err
    assert "layer19, and 30 more;" in result.err or result.err.count("and 30 more") == 1


def test_names_can_be_left_out(small: Path) -> None:
    arrays = himtok_arrays() | {"sam.weight": np.zeros(3, np.float32)}
    path = write_pth(small / "h.pth", arrays)
    assert "1 unexpected: sam.weight" in run("convert", "himtok", path).err
    assert run("convert", "himtok", path, "--skip", "sam.", "-q").status == 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.full(12, np.nan, np.float32), "field 'encoder.10.bias': holds NaN"),
        (np.full(12, 3, np.int64), "field 'encoder.10.bias': is int64, expected floats"),
    ],
)
def test_weights_that_are_no_numbers(small: Path, value: npt.NDArray[Any], message: str) -> None:
    np.savez(small / "v.npz", **{**paligemma_arrays(), "encoder.10.bias": value})  # type: ignore[arg-type]
    result = run("convert", "paligemma", small / "v.npz")
    assert result.status == 2
    assert message in result.err
    assert list((small / "weights").iterdir()) == []


def test_outputs_are_not_replaced_unasked(small: Path) -> None:
    path = write_pth(small / "h.pth", himtok_arrays())
    assert run("convert", "himtok", path, "-q").status == 0
    assert "exists already" in run("convert", "himtok", path).err
    assert run("convert", "himtok", path, "-q", "--overwrite").status == 0
    assert "ends in .npz" in run("convert", "himtok", path, "-o", small / "x.bin").err
    assert "goes with himtok" in run("convert", "paligemma", path, "--decoder-only",
                                     "-o", small / "y.npz").err  # fmt: skip


class Dangerous:
    """A pickle that would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must not run",)


def test_pickles_run_nothing(small: Path) -> None:
    torch.save({"latent_tokens": Dangerous()}, small / "bad.pth")
    result = run("convert", "himtok", small / "bad.pth")
    assert result.status == 2
    assert result.out == ""
    assert "bad.pth: torch can't read it as weights" in result.err
    np.savez(small / "bad.npz", a=np.array([Dangerous()], object))
    result = run("convert", "paligemma", small / "bad.npz")
    assert (result.status, result.out) == (2, "")
    assert "field 'a': is object" in result.err


def safetensors_bytes(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.safetensors", b"", "has a header of 0 bytes in 0"),
        ("a.safetensors", (2**60).to_bytes(8, "little") + b"{}", "has a header of"),
        ("a.safetensors", safetensors_bytes(b"{]"), "no JSON"),
        ("a.safetensors", safetensors_bytes(b"[" * 100_000), "no JSON"),
        ("a.safetensors", safetensors_bytes([]), "no JSON object"),
        ("a.safetensors", safetensors_bytes({"w": {"dtype": "F32"}}), "field 'w': has no type"),
        (
            "a.safetensors",
            safetensors_bytes(
                {"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
            ),
            "field 'w': lies outside the file",
        ),
        (
            "a.safetensors",
            safetensors_bytes({"w": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 0]}}),
            "field 'w': lies outside the file",
        ),
        ("a.pth", b"", "is no zip archive"),
        ("a.pth", b"\x80\x02}q\x00.", "is no zip archive"),
        ("a.npz", b"PK\x05\x06", "is no npz"),
        ("a.gguf", b"GGUF", "is a .gguf file, expected .npz, .safetensors, .pth"),
        ("a", b"", "is a nameless file"),
    ],
)
def test_hostile_files(small: Path, name: str, data: bytes, message: str) -> None:
    (small / name).write_bytes(data)
    result = run("convert", "himtok", small / name)
    assert result.status == 2
    assert result.err.startswith(f"maskcodec convert: {small / name}")
    assert message in result.err


def test_a_tensor_that_does_not_fill_its_bytes(small: Path) -> None:
    path = write_safetensors(small / "h.safetensors", himtok_arrays())
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["latent_tokens"]["data_offsets"][1] -= 4
    path.write_bytes(safetensors_bytes(header, data[8 + length :]))
    assert "field 'latent_tokens': does not fill its bytes" in run("convert", "himtok", path).err


def test_a_compressed_pth_is_refused(small: Path) -> None:
    path = write_pth(small / "h.pth", himtok_arrays())
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entry in entries.items():
            archive.writestr(name, entry)
    assert "is compressed" in run("convert", "himtok", path).err


def test_a_name_that_stands_twice(small: Path) -> None:
    arrays = himtok_arrays()
    arrays["module.latent_tokens"] = arrays["latent_tokens"]
    result = run("convert", "himtok", write_pth(small / "h.pth", arrays))
    assert "field 'latent_tokens': stands twice" in result.err
    one, two = small / "1.safetensors", small / "2.safetensors"
    write_safetensors(one, himtok_arrays())
    write_safetensors(two, {"latent_tokens": arrays["latent_tokens"]})
    result = run("convert", "himtok", one, two)
    assert "2.safetensors, field 'latent_tokens': stands in another file already" in result.err


def test_a_missing_file(small: Path) -> None:
    assert "no.pth: no such file" in run("convert", "himtok", small / "no.pth").err

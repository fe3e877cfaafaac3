"""Files of weights: written whole, read without trust."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("torch")

import torch
from tiny_networks import HIMTOK, arrays_of, tiny_himtok, tiny_paligemma

from maskcodec import MaskCodecError, RecordError
from maskcodec.networks import weights
from maskcodec.networks.loading import load
from maskcodec.networks.weights import ArrayFile, save


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good file of weights, alone in its folder."""
    monkeypatch.setenv(weights.FOLDER, str(tmp_path))
    network = tiny_himtok()
    save(tmp_path / "himtok.npz", "himtok", vars(HIMTOK), arrays_of(network).items())
    return tmp_path / "himtok.npz"


def rewrite(path: Path, change: dict[str, npt.NDArray[Any] | bytes | None]) -> None:
    """Replace entries: by an array, by raw bytes, or by nothing."""
    with zipfile.ZipFile(path) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    for name, value in change.items():
        if value is None:
            del entries[f"{name}.npy"]
        elif isinstance(value, bytes):
            entries[f"{name}.npy"] = value
        else:
            stream = io.BytesIO()
            np.save(stream, value)
            entries[f"{name}.npy"] = stream.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def header(**change: Any) -> npt.NDArray[np.uint8]:
    fields = {"network": "himtok", "version": 1, "config": vars(HIMTOK), **change}
    return np.frombuffer(json.dumps(fields).encode(), np.uint8)


def test_what_is_written_is_read(path: Path) -> None:
    network = load("himtok.npz", "himtok", "cpu")
    assert network.config == HIMTOK
    expected = arrays_of(tiny_himtok())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, torch.from_numpy(expected[name])), name
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert load(str(path), "himtok", "cpu") is load(str(path), "himtok", "cpu")


def test_equal_weights_give_equal_bytes(path: Path) -> None:
    first = path.read_bytes()
    save(path, "himtok", vars(HIMTOK), arrays_of(tiny_himtok()).items())
    assert path.read_bytes() == first
    assert [entry.name for entry in path.parent.iterdir()] == ["himtok.npz"]


def test_a_new_file_is_read_anew(path: Path) -> None:
    before = load("himtok.npz", "himtok", "cpu")
    arrays = arrays_of(tiny_himtok())
    arrays["latent_tokens"] = arrays["latent_tokens"] + 1
    arrays["extra"] = np.zeros(0, np.float32)
    del arrays["extra"]
    save(path, "himtok", {**vars(HIMTOK), "channels": list(HIMTOK.channels)}, arrays.items())
    stamp = path.stat()
    import os

    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + 1_000_000_000))
    after = load("himtok.npz", "himtok", "cpu")
    assert torch.equal(after.latent_tokens, before.latent_tokens + 1)


def test_halves_are_widened(path: Path) -> None:
    arrays = {
        name: array if array.dtype == np.bool_ else array.astype(np.float16)
        for name, array in arrays_of(tiny_himtok()).items()
    }
    save(path.with_name("half.npz"), "himtok", vars(HIMTOK), arrays.items())
    network = load("half.npz", "himtok", "cpu")
    assert {tensor.dtype for tensor in network.state_dict().values()} == {
        torch.float32,
        torch.bool,
    }


def test_an_interrupted_write_leaves_nothing(path: Path) -> None:
    def broken() -> Any:
        yield "a", np.zeros(3, np.float32)
        raise RuntimeError

    before = path.read_bytes()
    with pytest.raises(RuntimeError):
        save(path, "himtok", {}, broken())
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == ["himtok.npz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent_tokens": None}, "1 missing: latent_tokens"),
        ({"other": np.zeros(2)}, "1 unexpected: other"),
        ({"latent_tokens": np.zeros((2, 3))}, r"latent_tokens \(2, 3\) \(expected \(32, 16\)\)"),
        ({"latent_tokens": np.zeros((32, 16), "U3")}, "field 'latent_tokens': is <U3, expected"),
        ({"latent_tokens": np.zeros((32, 16), ">f4")}, "field 'latent_tokens': is >f4"),
        ({"latent_tokens": b"nonsense"}, "field 'latent_tokens': is no array"),
        ({weights.HEADER: None}, "run `maskcodec convert himtok"),
        ({weights.HEADER: np.frombuffer(b"{", np.uint8)}, "no JSON object as expected"),
        ({weights.HEADER: header(version=2)}, "'himtok' of version 2, expected 'himtok'"),
        ({weights.HEADER: header(network="paligemma")}, "holds 'paligemma'"),
        ({weights.HEADER: header(config=[])}, "holds 'himtok'"),
        ({weights.HEADER: header(config={"width": 10**9})}, "sizes that no himtok has"),
        ({weights.HEADER: header(config={"depth": 3})}, "sizes that no himtok has"),
        ({weights.HEADER: np.zeros(10**6, np.uint8)}, "run `maskcodec convert himtok"),
    ],
)
def test_files_that_are_not_as_written(path: Path, change: dict[str, Any], message: str) -> None:
    rewrite(path, change)
    with pytest.raises(RecordError, match=message) as caught:
        load("himtok.npz", "himtok", "cpu")
    assert str(path) in str(caught.value)


def test_an_array_that_claims_more_than_it_holds(path: Path) -> None:
    """A shape of 2 TB in 128 bytes is refused by its header."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f4", "fortran_order": False, "shape": (2**20, 2**19)}
    )
    rewrite(path, {"latent_tokens": stream.getvalue()})
    with pytest.raises(RecordError, match=r"shape \(1048576, 524288\) does not fill its"):
        ArrayFile(path)


def test_pickles_are_not_read(path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([{}], object), allow_pickle=True)
    rewrite(path, {"latent_tokens": stream.getvalue()})
    with pytest.raises(RecordError, match="field 'latent_tokens': is object"):
        ArrayFile(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"\x93NUMPY", b"x" * 1000])
def test_no_npz_at_all(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(RecordError, match="is no npz"):
        load("himtok.npz", "himtok", "cpu")


def test_damaged_bytes_are_noticed(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(bytes(data))
    with pytest.raises(RecordError):
        load("himtok.npz", "himtok", "cpu")


def test_weights_of_another_network_are_refused(path: Path) -> None:
    network = tiny_paligemma()
    save(path, "paligemma", vars(network.config), arrays_of(network).items())
    with pytest.raises(RecordError, match="holds 'paligemma' of version 1, expected 'himtok'"):
        load("himtok.npz", "himtok", "cpu")
    assert load(str(path), "paligemma", "cpu").config == network.config


def test_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(weights.FOLDER, str(tmp_path))
    assert weights.folder() == tmp_path
    monkeypatch.delenv(weights.FOLDER)
    assert weights.folder() == Path.home() / ".cache/maskcodec/weights"
    with pytest.raises(MaskCodecError, match="no weights at "):
        weights.locate("nothing-of-that-name.npz", "himtok")

"""What is installed: the build, the import, the wheel and the sdist."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import maskcodec

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = PROJECT["tool"]["setuptools"]["ext-modules"]

NO_SOURCES = [".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "*.so"]

needs_checkout = pytest.mark.skipif(
    not Path(maskcodec.__file__).is_relative_to(ROOT), reason="not an editable install"
)


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    return done.stdout


@needs_checkout
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module["name"])
def test_no_kernel_is_older_than_its_source(module: dict[str, list[str]]) -> None:
    name = str(module["name"]).rpartition(".")[2]
    built = ROOT / "maskcodec" / "_ext" / f"{name}.abi3.so"
    if not built.exists():
        built = next((ROOT / "maskcodec" / "_ext").glob(f"{name}.*.so"), built)
    assert built.exists(), f"{name} is not built: make test builds it"
    sources = [ROOT / source for source in module["sources"]]
    for source in [*sources, *(ROOT / "_ext").glob("*.pxd")]:
        assert source.stat().st_mtime <= built.stat().st_mtime, (
            f"{source.name} is newer than {built.name}: run `pip install -e .` again"
        )


def test_every_kernel_source_is_built_and_has_a_stub_and_a_twin() -> None:
    sources = {path.stem for path in (ROOT / "_ext").glob("*.pyx")}
    assert sources == {module["name"].rpartition(".")[2] for module in MODULES}
    assert sources == {path.stem for path in (ROOT / "maskcodec" / "_ext").glob("*.pyi")}
    twins = {path.stem for path in (ROOT / "maskcodec" / "_reference").glob("*.py")}
    # The parts of one kernel that is split share a twin, and a box is measured on runs.
    parents = {name: name.partition("_")[0] for name in sources} | {"bounding_box": "rle"}
    assert all(name in twins or parents[name] in twins for name in sources)


def test_import_is_light_and_lazy() -> None:
    listed = run(
        "-c",
        "import sys, maskcodec; maskcodec.get_codec('coco_rle'); print(*sys.modules, sep='\\n')",
    ).split()
    heavy = {"torch", "scipy", "skimage", "pycocotools", "PIL", "transformers", "tqdm"}
    assert heavy.isdisjoint(listed)
    bare = run("-c", "import sys, maskcodec; print(*sys.modules, sep='\\n')").split()
    assert "numpy" not in bare


def test_import_takes_under_150_ms() -> None:
    code = "import time; t = time.perf_counter(); import maskcodec; print(time.perf_counter() - t)"
    assert min(float(run("-c", code)) for _ in range(5)) < 0.15


def test_no_module_has_a_public_name() -> None:
    # To import it would put the module in the place of what the name stands for.
    modules = {path.stem for path in Path(maskcodec.__file__).parent.iterdir()}
    assert not modules & set(maskcodec.__all__)


def test_every_public_name_is_there() -> None:
    for name in maskcodec.__all__:
        assert getattr(maskcodec, name).__doc__
    assert set(maskcodec.__all__) <= set(dir(maskcodec))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        maskcodec.nothing  # noqa: B018


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel built from that sdist.

    From a copy: a build writes into its sources, where another worker may be building too.
    """
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "maskcodec"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NO_SOURCES))
    run("-m", "build", "--no-isolation", "--outdir", str(folder), str(source))
    return folder


def test_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    assert "cp311-abi3" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    for module in MODULES:
        stem = module["name"].replace(".", "/")
        assert any(name.startswith(stem) and name.endswith((".so", ".pyd")) for name in names)
    assert "maskcodec/py.typed" in names
    assert "maskcodec/benchmarks/__init__.py" in names
    assert "maskcodec/dialects/shapetokens_words.txt" in names
    assert "maskcodec/geometry/codebooks/shapes1.npz" in names
    assert "maskcodec/tiny/model.safetensors" in names
    assert "maskcodec/tiny_masks/adapter_model.safetensors" in names
    assert "maskcodec/datasets/scene_templates.json" in names
    tops = {name.split("/")[0] for name in names}
    assert tops == {"maskcodec", f"maskcodec-{maskcodec.__version__}.dist-info"}
    assert wheel.stat().st_size < 16 * 2**20


def test_sdist_holds_the_kernel_sources(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"_ext/{path.name}" for path in (ROOT / "_ext").glob("*.p[yx]*")} <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/test_contract.py"} <= names
    assert "maskcodec/geometry/codebooks/shapes1.npz" in names


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed in, without what it depends on."""
    (wheel,) = built.glob("*.whl")
    target = tmp_path_factory.mktemp("site")
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel))
    return target


def test_wheel_works_when_installed(installed: Path) -> None:
    code = (
        "import numpy as np, maskcodec as mc; print(mc.__file__);"
        "array = np.eye(9, dtype=bool);"
        "[print(mc.get_codec(name).encode([mc.Mask(array, 'a')], (9, 9)))"
        " for name in mc.list_codecs() if name not in ('himtok', 'paligemma', 'samtok', 'alto')]"
    )
    printed = run("-P", "-c", code, PYTHONPATH=str(installed))
    assert printed.startswith(str(installed))
    assert "a 9x9 " in printed
    listed = run("-P", "-m", "maskcodec", "list", PYTHONPATH=str(installed))
    assert "text4seg" in listed


def test_shape_tokens_need_numpy_alone(installed: Path) -> None:
    """Both ways, from the wheel, with the codebook that is in it."""
    others = ["torch", "PIL", "pycocotools", "skimage", "scipy", "tqdm", "tokenizers"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({others}));"  # importing them fails now
        "import numpy as np, maskcodec as mc;"
        "y, x = np.mgrid[:90, :120];"
        "array = np.hypot(y - 40, x - 60) < 30;"
        "codec = mc.get_codec('shapetokens');"
        "text = codec.encode([mc.Mask(array, 'a')], (90, 120));"
        "(mask,) = codec.decode(text, (90, 120)).masks;"
        "print(mc.__file__);"
        "print((mask.array & array).sum() / (mask.array | array).sum())"
    )
    file, iou = run("-P", "-c", code, PYTHONPATH=str(installed)).split()
    assert file.startswith(str(installed))
    assert float(iou) > 0.9

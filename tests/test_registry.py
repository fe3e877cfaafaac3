"""Spec strings, the registry, and codecs of other packages."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from maskcodec import Codec, GridSize, SpecError, get_codec, list_codecs, register
from maskcodec.spec import build, split_spec, write_spec


@dataclass(frozen=True)
class Options:
    """Stands for a codec: one field of each type."""

    name = "options"
    grid: GridSize = GridSize(16, 16)
    kind: Literal["row", "none"] = "row"
    bins: int = 1000
    tolerance: float = 1.0
    flag: bool = False
    text: str = "others"


def read(spec: str) -> Options:
    options: Options = build(Options, split_spec(spec)[1], spec)
    return options


def test_every_option_is_spelt() -> None:
    assert write_spec(read("options")) == (
        "options:grid=16,kind=row,bins=1000,tolerance=1.0,flag=false,text=others"
    )
    spec = "options:grid=8x24,kind=none,bins=-3,tolerance=0.25,flag=true,text=rest"
    assert write_spec(read(spec)) == spec
    for spelt in ("-0.0", "0", "-0", ".0", "0e5"):
        assert ",tolerance=0.0," in write_spec(read(f"options:tolerance={spelt}"))


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("options:gird=3", r"no option 'gird' \(did you mean 'grid'\?\); options are: grid, kind"),
        ("options:grid=a", "grid=a is not a grid like 16 or 16x24"),
        ("options:grid=1x2x3", "is not a grid"),
        ("options:kind=rows", "is not one of row, none"),
        ("options:bins=1.5", "is not a whole number"),
        ("options:bins=1_0", "is not a whole number"),
        ("options:bins=" + "9" * 5_000, "is not a whole number"),
        ("options:tolerance=nan", "is not a finite number"),
        ("options:tolerance=inf", "is not a finite number"),
        ("options:tolerance=1e400", "is not a finite number"),
        ("options:tolerance=1_0", "is not a finite number"),
        ("options:tolerance=\uff11", "is not a finite number"),
        ("options:flag=yes", "is not true or false"),
        ("options:flag", "not of the form option=value"),
        ("options:flag=", "not of the form option=value"),
        ("options:,", "not of the form option=value"),
        ("options:bins=1,bins=2", "'bins' stands twice"),
    ],
)
def test_wrong_options(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read(spec)


@pytest.mark.parametrize(
    ("options", "spec"),
    [
        ({"tolerance": 1}, "tolerance=1.0"),
        ({"tolerance": np.float32(0.25)}, "tolerance=0.25"),
        ({"bins": np.int64(7)}, "bins=7"),
    ],
)
def test_a_spec_is_read_back_whatever_python_type_a_number_has(
    options: dict[str, Any], spec: str
) -> None:
    written = write_spec(Options(**options))
    assert spec in written
    assert write_spec(read(written)) == written


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tolerance": "1"}, "tolerance='1' is not a finite number"),
        ({"tolerance": float("nan")}, "tolerance=nan is not a finite number"),
        ({"tolerance": True}, "tolerance=True is not a finite number"),
        ({"bins": 24.0}, "bins=24.0 is not a whole number"),
        ({"bins": True}, "bins=True is not a whole number"),
        ({"flag": "false"}, "flag='false' is not true or false"),
        ({"flag": 1}, "flag=1 is not true or false"),
        ({"kind": "rows"}, "kind='rows' is not one of row, none"),
        ({"text": None}, "text=None is not text"),
        ({"grid": 16}, "grid=16 is not a grid like"),
    ],
)
def test_a_value_of_another_type_has_no_spec(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        write_spec(Options(**options))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("boxgrid", {"rows": "24"}, "boxgrid: rows='24' is not a whole number"),
        ("boxgrid", {"rows": None}, "boxgrid: rows=None is not a whole number"),
        ("text4seg", {"grid": 32}, "text4seg: grid=32 is not a grid like 16"),
        ("polygon", {"tolerance": "0"}, "polygon: tolerance='0' is not a finite number"),
        ("coco_rle", {"alphabet": "cocoo"}, "is not one of safe, coco"),
    ],
)
def test_a_codec_made_in_python_checks_the_types_of_its_options(
    name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError, match=re.escape(message)):
        type(get_codec(name))(**options)


@pytest.mark.parametrize("text", ["a b", "a,b", "a=b", "a:b", "", "a\n", '"'])
def test_a_value_that_no_spec_can_hold(text: str) -> None:
    with pytest.raises(SpecError, match="can't stand in a spec"):
        write_spec(Options(text=text))


def test_unknown_codecs() -> None:
    with pytest.raises(SpecError, match=r"did you mean 'coco_rle'\?\); codecs are: .*coco_rle"):
        get_codec("coco_rel")
    with pytest.raises(SpecError, match="a codec spec is a string"):
        get_codec(None)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match="no codec ''"):
        get_codec("")


def test_a_name_is_registered_once() -> None:
    cls = type(get_codec("coco_rle"))
    assert register("coco_rle")(cls) is cls
    other: Any = dataclass(frozen=True)(type("Other", (cls,), {}))
    with pytest.raises(SpecError, match="'coco_rle' is registered twice"):
        register("coco_rle")(other)
    with pytest.raises(SpecError, match="use a-z"):
        register("My Codec")(other)
    with pytest.raises(SpecError, match="frozen"):
        register("loose")(dataclass(type("Loose", (Codec,), {})))
    with pytest.raises(SpecError, match="not a subclass"):
        register("no-codec")(Options)  # type: ignore[type-var]
    assert "no-codec" not in list_codecs()


def package(folder: Path, name: str, source: str, *entries: str) -> None:
    """Lay a package with these codecs into a folder, as pip would."""
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("\n".join(["[maskcodec.codecs]", *entries, ""]))


def run_python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python where the packages of a folder are installed."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )


THEIRS = """
from dataclasses import dataclass
from maskcodec.dialects.coco_rle import CocoRle
@dataclass(frozen=True)
class Theirs(CocoRle):
    '''A codec of another package.'''
"""


def test_another_package_brings_a_codec(tmp_path: Path) -> None:
    package(tmp_path, "their_codec", THEIRS, "theirs = their_codec:Theirs")
    code = (
        "import maskcodec as mc; assert 'theirs' in mc.list_codecs();"
        "print(mc.get_codec('theirs').spec, mc.get_codec('coco_rle').spec)"
    )
    printed = run_python(tmp_path, "-c", code).stdout
    assert printed.split() == ["theirs:alphabet=safe", "coco_rle:alphabet=safe"]


BROKEN = {
    "raises": ("raise RuntimeError('no licence')", "RuntimeError('no licence')"),
    "unreadable": ("class", "SyntaxError"),
    "exits": ("import sys; sys.exit(3)", "SystemExit(3)"),
    "needs": ("import a_package_that_nobody_has", "a_package_that_nobody_has"),
    "lacks": ("", "AttributeError"),
    "abstract": (
        "from dataclasses import dataclass\nfrom maskcodec import Codec\n"
        "@dataclass(frozen=True)\nclass Codec(Codec): pass\n",
        "Codec lacks analyze, ",
    ),
    "union": (
        THEIRS.replace("Theirs", "Codec") + "    most: int | None = None\n",
        "option 'most' is of type int | None, expected bool, int, ",
    ),
}
"""Modules that can't be used, and what is said of them."""


def test_a_package_that_is_broken_costs_its_own_codecs_alone(tmp_path: Path) -> None:
    for name, (source, _) in BROKEN.items():
        package(tmp_path, f"pkg_{name}", source, f"{name} = pkg_{name}:Codec")
    package(tmp_path, "pkg_twice", THEIRS, "boxgrid = pkg_twice:Theirs")
    asks = "import maskcodec\nmaskcodec.get_codec('boxgrid')\n" + THEIRS
    package(tmp_path, "pkg_asks", asks, "asks = pkg_asks:Theirs")
    package(tmp_path, "their_codec", THEIRS, "theirs = their_codec:Theirs")
    code = (
        "import json, maskcodec as mc, maskcodec.registry as r\n"
        "def ask(name):\n"
        "    try: mc.get_codec(name)\n"
        "    except mc.SpecError as error: return str(error)\n"
        "names = mc.list_codecs()\n"
        "assert mc.get_codec('boxgrid').spec.startswith('boxgrid:')\n"
        "print(json.dumps([names, {name: ask(name) for name in r.unusable_codecs()}]))\n"
    )
    names, said = json.loads(run_python(tmp_path, "-c", code).stdout)
    assert {"theirs", "asks", "boxgrid"} <= {*names}
    assert not {*BROKEN} & {*names}
    assert {*said} == {*BROKEN, "boxgrid"}
    assert said["boxgrid"] is None, "ours stays"
    for name, (_, reason) in BROKEN.items():
        start = f"codec {name!r} can't be loaded: entry point 'pkg_{name}:Codec' of the package "
        assert said[name].startswith(start)
        assert reason in said[name]
    listed = run_python(tmp_path, "-m", "maskcodec", "list", "theirs", "boxgrid")
    assert "theirs  A codec of another package." in listed.stdout
    assert "'boxgrid' is registered twice" in listed.stderr
    assert "no licence" not in listed.stderr
    assert "no licence" in run_python(tmp_path, "-m", "maskcodec", "list").stderr


def test_a_value_that_no_spec_can_hold_is_refused_on_the_way_in() -> None:
    for spec in ("text4seg:background=the rest", "text4seg:background=a:b", "polygon:bins=1 0"):
        with pytest.raises(SpecError, match="can't stand in a spec"):
            get_codec(spec)


def test_a_class_has_one_name() -> None:
    cls = type(get_codec("coco_rle"))
    with pytest.raises(SpecError, match="CocoRle is registered already, as codec 'coco_rle'"):
        register("another")(cls)
    assert cls.name == "coco_rle"
    assert "another" not in list_codecs()


def test_a_class_that_is_no_dataclass_is_no_codec() -> None:
    with pytest.raises(SpecError, match="frozen"):
        register("plain")(type("Plain", (Codec,), {}))


def test_unusable_codecs_are_known_before_any_other_is_asked_for(tmp_path: Path) -> None:
    package(tmp_path, "pkg_raises", "raise RuntimeError('no licence')", "raises = pkg_raises:Codec")
    code = "import maskcodec.registry as r; print(*r.unusable_codecs())"
    assert run_python(tmp_path, "-c", code).stdout.split() == ["raises"]

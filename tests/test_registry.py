"""Spec strings, the registry, and codecs of other packages."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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


def test_another_package_brings_a_codec(tmp_path: Path) -> None:
    (tmp_path / "their_codec.py").write_text(
        "from dataclasses import dataclass\n"
        "from maskcodec.dialects.coco_rle import CocoRle\n"
        "@dataclass(frozen=True)\n"
        "class Theirs(CocoRle):\n"
        "    '''A codec of another package.'''\n",
        encoding="utf-8",
    )
    info = tmp_path / "their_codec-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-codec\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[maskcodec.codecs]\ntheirs = their_codec:Theirs\n")
    code = (
        "import maskcodec as mc; assert 'theirs' in mc.list_codecs();"
        "print(mc.get_codec('theirs').spec, mc.get_codec('coco_rle').spec)"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    printed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.split() == ["theirs:alphabet=safe", "coco_rle:alphabet=safe"]

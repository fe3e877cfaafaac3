"""A new codec is one file and one line: the template, copied, obeys the contract."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import maskcodec
from maskcodec import Codec, DecodeError, Mask, get_codec, list_codecs
from maskcodec.dialects import coco_rle
from maskcodec.spans import Span

PACKAGE = Path(maskcodec.__file__).parent
TESTS = Path(__file__).parent

# What CONTRIBUTING.md says, in a process of its own: the copy lies in a folder that is added to
# the package's path, and its golden texts in that folder.
FOLLOWED = """
import runpy, sys
from pathlib import Path

tests, folder = sys.argv[1:]
sys.path.insert(0, tests)

import pytest
import maskcodec.dialects

maskcodec.dialects.__path__.append(folder)
import cases, test_contract

cases.CASES[:] = [cases.Case("bits", grammar=False)]
test_contract.GOLDEN = Path(folder, "golden.json")
runpy.run_path(tests + "/golden/record.py", run_name="__main__")
rewritten = "ignore::pytest.PytestAssertRewriteWarning"  # what was imported before is not
options = ["-k", "bits", "-q", "-W", rewritten, "-p", "no:cacheprovider", "-p", "no:xdist"]
sys.exit(pytest.main([tests + "/test_contract.py", *options]))
"""


def copy_template(folder: Path) -> Path:
    source = (PACKAGE / "dialects" / "_template.py").read_text(encoding="utf-8")
    path = folder / "bits.py"
    path.write_text(source.replace('"template"', '"bits"'), encoding="utf-8")
    return path


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_template_is_not_a_codec_of_the_package() -> None:
    assert "template" not in list_codecs()
    assert importlib.util.find_spec("maskcodec.dialects._template") is not None


def test_a_copy_of_the_template_obeys_the_contract(tmp_path: Path) -> None:
    copy_template(tmp_path)
    out = run(FOLLOWED, str(TESTS), str(tmp_path))
    assert int(out.rpartition("\n")[0].rpartition("\n")[2].split()[0]) > 40, out


def test_the_template_loses_little(tmp_path: Path) -> None:
    copy_template(tmp_path)
    run(f"""
import numpy as np, maskcodec as mc, maskcodec.dialects as dialects
dialects.__path__.append({str(tmp_path)!r})
codec = mc.get_codec("bits:most=2")
array = np.zeros((4, 6), bool)
array[1:3, 1:3] = True
masks = [mc.Mask(array, "white horse"), mc.Mask(~array, "sky")]
text = codec.encode(masks, (4, 6))
assert text == "white horse: 4x6 5 2 2 2 13\\nsky: 4x6 0 5 2 2 2 13", text
try:
    codec.encode(masks * 2, (4, 6))
except mc.EncodeError as error:
    assert "4 masks, expected at most 2" in str(error)
else:
    raise AssertionError
# wrong text, labels, pixels of the first object
for wrong, labels, count in [
    ("Sure: white horse: 4x6 5 2 2 2 13", ("white horse",), 4),
    ("white horse: 4x6 5 2 2", ("white horse",), 2),
    ("white horse: 4x6 5 2 x 2", ("white horse",), 2),
    ("white horse: 4x6 5 2 2 9999999999", ("white horse",), 17),
    ("white horse: 4x6 5 2 2 2 13 1", ("white horse",), 4),
    ("white horse: 4x6", ("white horse",), 0),
    ("white horse: 4x66", ("white horse",), 0),
    ("\\x00: 4x6 5 2 17\\n\\nsky", ("",), 2),
    ("white horse: 4x6666666 5 2 2 2 13", (), 0),
    ("white horse 4x6 5 2 2 2 13", (), 0),
]:
    out = codec.decode(wrong, (4, 6), errors="repair")
    assert out.labels == labels and out.repairs, (wrong, out)
    assert int(out.pixels[:1].sum()) == count, (wrong, out.pixels)
    try:
        codec.decode(wrong, (4, 6))
    except mc.DecodeError as error:
        assert 0 <= error.position <= len(wrong)
    else:
        raise AssertionError(wrong)
""")


def test_the_codec_of_runs_is_a_second_model() -> None:
    codec = coco_rle.CocoRle()
    text = codec.encode([Mask(np.eye(3, dtype=np.bool_), "a")], (3, 3))
    assert text == "a 3x3 013000"
    assert get_codec("coco_rle").decode(text, (3, 3)).labels == ("a",)
    with pytest.raises(DecodeError, match="character 0"):
        codec.decode("a 3x3", (3, 3))


def test_the_spans_of_a_codec_that_says_nothing_of_them() -> None:
    assert Codec.spans(get_codec("coco_rle"), "") == []
    assert Codec.spans(get_codec("coco_rle"), "ab") == [Span(0, 2, "shape")]

"""A new codec is one file and one line: the template, copied, obeys the contract."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import maskcodec
from maskcodec import DecodeError, Mask, get_codec, list_codecs
from maskcodec.dialects import coco_rle

PACKAGE = Path(maskcodec.__file__).parent


def test_the_template_is_not_a_codec_of_the_package() -> None:
    assert "template" not in list_codecs()
    assert importlib.util.find_spec("maskcodec.dialects._template") is not None


def test_a_copy_of_the_template_is_found_and_works(tmp_path: Path) -> None:
    """In a process of its own, with a folder added to the package's path."""
    source = (PACKAGE / "dialects" / "_template.py").read_text(encoding="utf-8")
    (tmp_path / "bits.py").write_text(source.replace('"template"', '"bits"'), encoding="utf-8")
    code = f"""
import numpy as np, maskcodec as mc, maskcodec.dialects as dialects
dialects.__path__.append({str(tmp_path)!r})
codec = mc.get_codec("bits:side=4")
array = np.zeros((8, 8), bool)
array[2:6, 2:6] = True
text = codec.encode([mc.Mask(array, "dog")], (8, 8))
assert text == "dog 0000 0110 0110 0000", text
assert np.array_equal(codec.decode(text, (8, 8)).pixels, array[None])
assert codec.decode("none", (8, 8)).masks == []
cut = codec.decode(text[:12], (8, 8), errors="repair")
assert cut.pixels[0, 2:4, 2:6].all() and cut.repairs
for wrong in ("", "dog", text + " 1", text[:-1], text.replace("1", "2"), "a" * 10**6):
    assert codec.decode(wrong, (8, 8), errors="repair").repairs, wrong
    try:
        codec.decode(wrong, (8, 8))
    except mc.DecodeError as error:
        assert 0 <= error.position <= len(wrong)
    else:
        raise AssertionError(wrong)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_codec_of_runs_is_a_second_model() -> None:
    codec = coco_rle.CocoRle()
    text = codec.encode([Mask(np.eye(3, dtype=np.bool_), "a")], (3, 3))
    assert text == "a 3x3 013000"
    assert get_codec("coco_rle").decode(text, (3, 3)).labels == ("a",)
    with pytest.raises(DecodeError, match="character 0"):
        codec.decode("a 3x3", (3, 3))

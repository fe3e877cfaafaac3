"""`maskcodec list`."""

from __future__ import annotations

import json

from command_line import run

from maskcodec import get_codec, list_codecs


def test_every_codec_is_listed_with_its_options() -> None:
    printed = run("list")
    assert printed.status == 0
    codecs = json.loads(run("list", "--json").out)
    assert [codec["name"] for codec in codecs] == list(list_codecs())
    for codec in codecs:
        made = get_codec(codec["name"])
        assert codec["spec"] == made.spec
        assert codec["about"] == (type(made).__doc__ or "").splitlines()[0]
        assert codec["tokens"] == len(made.vocab().tokens)
        assert f"{codec['name']}  {codec['about']}" in printed.out
        spelt = ",".join(f"{o['name']}={o['default']}" for o in codec["options"])
        assert made.spec == f"{codec['name']}:{spelt}".removesuffix(":")


def test_one_codec() -> None:
    assert run("list", "coco_rle").out == (
        "coco_rle  COCO's compressed run lengths, byte for byte as pycocotools writes them.\n"
        "  alphabet  one of safe, coco (default safe)\n"
        "  vocab: plain text; grammar: no\n"
    )


def test_what_grammars_need() -> None:
    grammars = {codec["name"]: codec["grammar"] for codec in json.loads(run("list", "--json").out)}
    assert grammars["coco_rle"] is None
    assert grammars["boxgrid"] == "any labels"
    assert grammars["text4seg"] == "given labels"

"""The JSON of benchmarks: there and back, results by name, and files that are none."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import document as documents
from maskcodec import MaskCodecError
from maskcodec.errors import RecordError

NAME: documents.Name = {"codec": "text4seg", "batch": 16}


def small() -> documents.Document:
    document = documents.start("decode", ["--html", "a b.html"], 3, {"sizes": ["48x64"]})
    documents.add(document, NAME, {"texts/s": 12.5, "memory": None}, {"texts/s": {"least": 10}})
    return document


@pytest.mark.parametrize(
    ("bench", "module"), [("decode", "decode"), ("rd", "rate_distortion"), ("learn", "learn")]
)
def test_the_command_of_a_module_can_be_run(
    bench: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["x.py", "--seed", "5"])
    said = f"python -m maskcodec.benchmarks.{module} --seed 5"
    assert documents.start(bench)["command"] == said
    assert importlib.util.find_spec(f"benchmarks.{module}") is not None
    monkeypatch.setattr(sys, "argv", ["maskcodec", "bench", bench, "--seed", "5"])
    assert documents.start(bench)["command"] == f"maskcodec bench {bench} --seed 5"


def test_there_and_back(tmp_path: Path) -> None:
    document = small()
    documents.write(tmp_path / "a.json", document)
    assert documents.read(tmp_path / "a.json", "decode") == document
    assert document["command"] == "maskcodec bench decode --html 'a b.html'"
    assert document["machine"]["cores"] >= 1
    assert document["versions"]["numpy"]
    assert document["date"].endswith("+00:00")


def test_a_result_of_the_same_name_takes_the_place_of_the_old_one() -> None:
    document = small()
    documents.add(document, {"batch": 16, "codec": "text4seg"}, {"texts/s": 99})
    documents.add(document, {"batch": 1, "codec": "text4seg"}, {"texts/s": 1})
    assert [result["figures"]["texts/s"] for result in document["results"]] == [99, 1]
    assert "gates" not in document["results"][0]


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    document = small()
    documents.add(document, {"codec": "x"}, {"a": math.nan, "b": -math.inf, "c": 2})
    documents.write(tmp_path / "a.json", document)
    found = documents.read(tmp_path / "a.json")["results"][1]["figures"]
    assert found == {"a": None, "b": None, "c": 2}


def test_missed_gates() -> None:
    gates = {"a": {"least": 2}, "b": {"least": 2}, "c": {"least": 2}}
    result = documents.add(small(), {"k": 1}, {"a": 1.99, "b": 2, "c": None}, gates)
    assert documents.missed(result) == ["a"]


def test_an_unknown_bench_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of kernels"):
        documents.start("speed", [])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("schema", 2, "field 'schema': is 2, expected 1"),
        ("bench", "speed", "field 'bench': is 'speed', expected one of kernels"),
        ("bench", ["kernels"], "field 'bench'"),
        ("command", 5, "field 'command': is 5, expected a string"),
        ("machine", [], "field 'machine': is .*, expected an object"),
        ("seed", "0", "field 'seed': is '0', expected a whole number"),
        ("interrupted", 0, "field 'interrupted': is 0, expected true or false"),
        ("results", {}, "field 'results': is an object, expected a list"),
        ("results", [1], r"field 'results\[0\]': is 1, expected an object"),
        ("results", [{"figures": {}}], r"results\[0\].name': is missing"),
        ("results", [{"name": {}, "figures": {}}], r"results\[0\].name'"),
        ("results", [{"name": {"a": [1]}, "figures": {}}], r"results\[0\].name.a'"),
        ("results", [{"name": {"a": 1}, "figures": {"b": "1"}}], r"results\[0\].figures.b'"),
        ("results", [{"name": {"a": 1}, "figures": {"b": True}}], r"results\[0\].figures.b'"),
        ("results", [{"name": {"a": 1}, "figures": {"b": 10**400}}], r"results\[0\].figures.b'"),
        ("results", [{"name": {"a": 1}, "figures": {}}] * 2, r"is the name of results\[0\] too"),
        (
            "results",
            [{"name": {"a": 1}, "figures": {}, "gates": {"b": {"least": 1}}}],
            "the gate of a figure that is not there",
        ),
        (
            "results",
            [{"name": {"a": 1}, "figures": {"b": 1}, "gates": {"b": 3}}],
            r"results\[0\].gates.b'",
        ),
        (
            "results",
            [{"name": {"a": 1}, "figures": {"b": 1}, "gates": {"b": {"least": 1, "stretch": ""}}}],
            r"results\[0\].gates.b'",
        ),
        (
            "results",
            [{"name": {"a": 1}, "figures": {"b": 1}, "gates": {"b": {"least": 1, "reach": ""}}}],
            r"results\[0\].gates.b'",
        ),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(small() | {field: value}))
    with pytest.raises(RecordError, match=message) as caught:
        documents.read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("field", [*small()])
def test_a_missing_field_is_named(field: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({key: value for key, value in small().items() if key != field}))
    with pytest.raises(RecordError, match=field):
        documents.read(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "5", "{}", '{"bench": "kernels"', '{"schema": 1}', "\0"]
)
def test_what_is_no_document_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(RecordError):
        documents.read(path)
    with pytest.raises(RecordError, match="no such file"):
        documents.read(tmp_path / "b.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


SMALL = json.dumps(small())


@given(st.sampled_from([*small()]), JSON, st.sampled_from(["", "name", "figures", "gates"]))
def test_any_value_anywhere_is_taken_or_refused_by_name(field: str, value: Any, inner: str) -> None:
    document = json.loads(SMALL)
    if inner:
        document["results"][0][inner] = value
    else:
        document[field] = value
    try:
        documents.check(document, "file")
    except RecordError:
        return
    documents.key_of(document["results"][0] if document["results"] else {"name": {}})


def test_a_run_of_another_bench_or_with_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    documents.write(path, small())
    with pytest.raises(RecordError, match="is 'decode', expected 'kernels'"):
        documents.read(path, "kernels")
    again = documents.start("decode", [], 3, {"sizes": ("48x64",)})
    assert documents.keep_finished(again, path) == {(("batch", 16), ("codec", "text4seg"))}
    assert again["results"] == small()["results"]
    with pytest.raises(MaskCodecError, match="with another seed"):
        documents.keep_finished(documents.start("decode", [], 4, {"sizes": ["48x64"]}), path)
    with pytest.raises(MaskCodecError, match=r"with another sizes \['48x64'\]"):
        documents.keep_finished(documents.start("decode", [], 3, {"sizes": []}), path)


def test_a_wrong_document_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(MaskCodecError):
        documents.write(path, small() | {"results": [{"name": {"a": None}, "figures": {}}]})
    assert not path.exists()

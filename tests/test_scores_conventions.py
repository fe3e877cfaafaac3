"""Conventions: names, single options, and what is said about them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import MaskCodecError
from maskcodec.scores.conventions import CONVENTIONS, Convention, convention

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")


def tables() -> dict[str, list[dict[str, str]]]:
    """The rows of the page's tables by their first cell."""
    found: dict[str, list[dict[str, str]]] = {}
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        lines = [
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()
        ]
        for line in lines[2:]:
            found.setdefault(line[0].strip("`"), []).append(dict(zip(lines[0], line, strict=True)))
    return found


def test_the_page_says_what_each_convention_is() -> None:
    rows = tables()
    for name, one in CONVENTIONS.items():
        said = next(row for row in rows[name] if "epsilon" in row)
        for option in ("empty", "ignore", "failed", "among", "reach"):
            assert said[option] == getattr(one, option), (name, option)
        assert float(said["epsilon"]) == one.epsilon
        assert (one.missed, one.reject, one.unit) == ("add", 1, "expression")


def test_the_page_prints_what_its_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    code = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code, names)
    printed = capsys.readouterr().out
    assert printed.count("\n") == len(CONVENTIONS) + 1
    assert printed in PAGE


def test_there_is_one_for_each_program() -> None:
    assert {"maskcodec", "lisa", "gsva", "himtok", "pycocotools", "torchmetrics"} <= set(
        CONVENTIONS
    )
    assert all(name == one.name for name, one in CONVENTIONS.items())
    assert all(one.doc.endswith(".") and one.source for one in CONVENTIONS.values())


def test_an_option_is_replaced() -> None:
    changed = convention("lisa:ignore=hit, unit=group,epsilon=0,small=100")
    assert (changed.ignore, changed.unit, changed.epsilon, changed.small) == (
        "hit",
        "group",
        0,
        100,
    )
    assert changed.empty == "one"
    assert changed.name == "lisa"
    assert convention(changed) is changed


@given(st.sampled_from(sorted(CONVENTIONS)), st.data())
def test_a_spec_reads_back_to_the_same(name: str, data: st.DataObject) -> None:
    choices = {
        "empty": ["one", "zero", "drop"],
        "ignore": ["drop", "hit", "background"],
        "failed": ["wrong", "empty"],
        "unit": ["expression", "group"],
        "epsilon": ["0", "1e-05", "0.5"],
        "reject": ["1", "50"],
    }
    chosen = data.draw(st.lists(st.sampled_from(sorted(choices)), unique=True))
    parts = [f"{option}={data.draw(st.sampled_from(choices[option]))}" for option in chosen]
    made = convention(":".join(filter(None, [name, ",".join(parts)])))
    assert convention(made.spec) == made


def test_it_describes_itself_as_json_and_in_words() -> None:
    described = convention("gsva:reject=50").describe()
    assert json.loads(json.dumps(described)) == described
    assert described["name"] == "gsva"
    assert described["spec"] == "gsva:reject=50"
    assert described["options"]["reject"] == 50
    assert described["sentence"].startswith('A right "nothing there" is 1; ')
    assert 'fewer than 50 predicted pixels are "nothing there"' in described["sentence"]
    sentences = [one.sentence for one in CONVENTIONS.values()]
    assert all(text.endswith(".") and ".." not in text for text in sentences)
    assert "enlarged" not in convention("maskcodec").sentence


def test_every_option_changes_the_sentence() -> None:
    usual = convention("maskcodec")
    changes = (
        "empty=zero", "ignore=hit", "epsilon=0.1", "failed=empty", "missed=leave",
        "among=targets", "reach=above", "reject=2", "unit=group", "small=9", "large=99999",
    )  # fmt: skip
    assert {change.partition("=")[0] for change in changes} == set(usual.options)
    for change in changes:
        assert convention(f"maskcodec:{change}").sentence != usual.sentence


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("LISA", r"no convention 'LISA'.*; there are: maskcodec, lisa"),
        ("", "no convention ''"),
        ("lisa:", "no option ''"),
        (
            "lisa:ignored=hit",
            r"no option 'ignored' \(did you mean 'ignore'\?\); options are: empty",
        ),
        ("lisa:name=x", "no option 'name'"),
        ("lisa:ignore=hits", "ignore=hits is not one of drop, hit, background"),
        ("lisa:ignore", "ignore= is not one of"),
        ("lisa:ignore=hit,ignore=drop", "option 'ignore' stands twice"),
        ("lisa:reject=some", "reject=some is not a whole number"),
        ("lisa:reject=0", "reject is 0, expected at least 1 pixel"),
        ("lisa:reject=99999999999999999999999", "reject is 9999"),
        ("lisa:epsilon=nan", "epsilon is nan, expected 0 to 1 pixel"),
        ("lisa:epsilon=-1", "epsilon is -1"),
        ("lisa:small=10000", "small is 10000 and large 9216"),
    ],
)
def test_what_is_wrong_is_named(spec: str, message: str) -> None:
    with pytest.raises(MaskCodecError, match=message):
        convention(spec)


def test_no_string_is_no_convention() -> None:
    with pytest.raises(MaskCodecError, match="a convention is a name such as"):
        convention(7)  # type: ignore[arg-type]
    with pytest.raises(MaskCodecError, match="epsilon is 2"):
        Convention("x", "y.", "z", epsilon=2)

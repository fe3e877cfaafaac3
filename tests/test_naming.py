"""File names for ids that anyone may have written."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from maskcodec.datasets.naming import Names, safe_name

HOSTILE = [
    "../../x",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "a\x00b",
    "A_B",
    "a_b",
    "a_b-2",
    "con",
    "NUL.png",
    "x" * 5_000,
    "x" * 5_001,
    "é",
    "e\u0301",
    "\uff45\u0301",
    "a b",
    "犬" * 200,
    "-rf",
    "~",
    "masks.jsonl",
    "\u202egnp.exe",
    "a_b",
]


@given(st.lists(st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=12), max_size=12))
def test_names_are_safe_and_differ(ids: list[str]) -> None:
    taken = Names()
    found = [taken.take(id_) for id_ in ids]
    assert len({unicodedata.normalize("NFKC", name).casefold() for name in found}) == len(ids)
    for name in found:
        assert name
        assert not set(name) & set('/\\:*?"<>| \n\x00')
        assert not name.startswith((".", "-"))
        assert len(name.encode()) <= 100


def test_safe_names_read_like_the_id() -> None:
    assert safe_name("000000397133.jpg") == "000000397133.jpg"
    assert safe_name("white horse") == "white_horse"
    assert safe_name("naïve/犬") == "naïve_犬"

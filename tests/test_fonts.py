"""Labels are drawn in a font that has their letters, where the machine has one."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import ImageFont

from maskcodec import fonts


class Only:
    """A font that has some letters, and squares for the others."""

    def __init__(self, letters: str) -> None:
        self.letters = letters

    def getmask(self, character: str) -> Any:
        known = character if character in self.letters else "?"
        return type("Mask", (), {"size": (1, 1), "__bytes__": lambda _: known.encode()})()


def test_missing_letters_are_counted() -> None:
    own = ImageFont.load_default(20)
    assert fonts.count_lacking(own, "white horse") == 0
    assert fonts.count_lacking(own, "a 猫, and 犬") == 2


def test_the_font_that_lacks_fewest_letters_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {"latin": Only("abc"), "greek": Only("abcω"), "all": Only("abcω猫")}
    monkeypatch.setattr(ImageFont, "load_default", lambda size: known["latin"])
    monkeypatch.setattr(fonts, "_load", lambda name, size: known.get(name))
    monkeypatch.setattr(fonts, "SYSTEM", ("lost", "greek", "all"))
    for text, name in (("abc", "latin"), ("a ω", "greek"), ("猫 ω", "all"), ("犬", "latin")):
        assert fonts.font_for(text, 12) is known[name], text
    monkeypatch.setattr(fonts, "SYSTEM", ("lost", "greek"))
    assert fonts.font_for("猫ω", 12) is known["greek"]


def test_fonts_that_are_not_there_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "SYSTEM", ("no such font.ttf",))
    assert fonts.font_for("猫", 12).getmask("a").size[0] > 0

"""The HTML sheet: whole, self-contained, and deaf to whatever labels and texts say."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from maskcodec import Mask, Repair
from maskcodec.sheet import (
    MAX_REPAIRS,
    MAX_TEXT,
    THUMBNAIL,
    Answer,
    Example,
    Group,
    Table,
    escape,
    write_sheet,
)

VOID = {"meta", "img", "wbr"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "p", "small", "b"),
    *("div", "table", "thead", "tbody", "tr", "th", "td", "section", "figure", "figcaption", "img"),
    *("article", "pre", "i", "details", "summary", "ul", "li", "wbr"),
}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    "</pre></style></title><!--",
    "]]><svg/onload=1>",
    "&lt;b&gt; &amp; &#60;",
    "javascript:alert(1)",
    "\x00\x1b[31m\u202e\ud800\ufffe",
    "line\r\nline\n\n",
)


class Page(HTMLParser):
    """Reads a page: its tags, attributes, and the text of each element kind."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert self.open == [], "an element was left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


def sheet(*examples: Example, **options: object) -> str:
    stream = io.BytesIO()
    write_sheet(stream, "title", examples, **options)  # type: ignore[arg-type]
    return stream.getvalue().decode("utf-8")


def example(
    answer: Answer, *, label: str = "dog", title: str = "image", about: str = ""
) -> Example:
    array = np.zeros((40, 60), dtype=np.bool_)
    array[10:30, 10:30] = True
    image = np.full((40, 60), 90, dtype=np.uint8)
    return Example(title, about, image, [Group(f"find {label}", [Mask(array, label)], [answer])])


def answer(text: str | None = "dog *3", **fields: object) -> Answer:
    mask = Mask(np.ones((40, 60), dtype=np.bool_), "dog")
    return Answer("text4seg:grid=16", text, [mask], **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_string_becomes_markup(hostile: str) -> None:
    one = Answer(hostile, hostile * 40, None, 0.5, 7, [Repair(hostile, 3, hostile)], hostile)
    table = Table([hostile, "b"], [[hostile, hostile]], hostile)
    page = sheet(
        example(one, label=hostile, title=hostile, about=hostile),
        lead=hostile,
        summary=lambda: table,
    )
    found = Page(page)
    assert set(found.tags) <= TAGS
    assert "script" not in found.tags
    for tag, name, value in found.attributes:
        assert not name.startswith("on")
        assert name in {
            *("lang", "charset", "http-equiv", "content", "name", "scope"),
            *("class", "src", "alt", "open"),
        }
        if name == "src":
            assert tag == "img"
            assert value.startswith("data:image/")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page)


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = sheet(example(answer()))
    assert "default-src 'none'" in page
    without_pictures = re.sub(r"data:[^\"]*", "", page)
    assert "http:" not in without_pictures
    assert "https:" not in without_pictures
    assert "url(" not in without_pictures
    assert "@import" not in without_pictures


def test_a_text_is_shown_as_it_is() -> None:
    text = "\n<seg>dog *3| others *13\n  others *16 & more\n</seg>"
    (shown,) = Page(sheet(example(answer(text)))).texts["pre"]
    assert shown == "\n" + text  # a browser drops the first newline of <pre>


def test_figures_and_repairs_are_shown() -> None:
    repairs = [Repair("short-row", n, "padded") for n in range(MAX_REPAIRS + 5)]
    found = Page(sheet(example(answer(iou=0.98765, tokens=1234, repairs=repairs))))
    assert "0.988" in found.texts["b"]
    assert "1,234" in found.texts["b"]
    assert found.texts["summary"] == [f"{MAX_REPAIRS + 5} repairs"]
    assert len(found.texts["li"]) == MAX_REPAIRS + 1
    assert "5 more" in found.texts["li"][-1]


def test_a_long_text_can_be_folded_and_a_huge_one_is_cut() -> None:
    assert "details" not in Page(sheet(example(answer("x" * 200)))).tags
    found = Page(sheet(example(answer("x" * (MAX_TEXT + 77)))))
    assert found.texts["summary"] == [f"text, {MAX_TEXT + 77:,} characters"]
    assert found.texts["pre"][0].count("x") == MAX_TEXT
    assert found.texts["i"] == ["… 77 more characters"]


def test_what_was_not_decoded_is_said() -> None:
    failed = Answer("polygon", None, None, problem="label '|' can't be held")
    found = Page(sheet(example(failed)))
    assert "not decoded" in found.texts["div"]
    assert "label '|' can't be held" in found.texts["p"]
    assert "pre" not in found.tags


def pictures(page: str) -> list[Image.Image]:
    uris = [value for tag, name, value in Page(page).attributes if name == "src"]
    return [Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))) for uri in uris]


def test_pictures_are_the_image_the_truth_and_the_answer() -> None:
    image, truth, decoded = pictures(sheet(example(answer())))
    assert image.size == truth.size == decoded.size == (300, 200)
    values = [np.asarray(p.convert("RGB"), dtype=np.int64) for p in (image, truth, decoded)]
    assert np.abs(values[0] - 90).max() < 8  # lossy
    assert np.abs(values[1][:40] - 90).max() < 60  # outside the mask, up to a blurred edge
    assert values[1][100, 100, 2] > values[1][100, 100, 0] + 40  # inside: blue
    assert values[2][5, 150, 2] > values[2][5, 150, 0] + 40


def test_large_images_become_thumbnails() -> None:
    image = np.zeros((1000, 3000, 3), dtype=np.uint8)
    group = Group("", None, [Answer("a", "b", []), Answer("c", "d", None)])
    (photo, decoded) = pictures(sheet(Example("big", "", image, [group])))
    assert photo.size == decoded.size == (THUMBNAIL, round(THUMBNAIL / 3))


def test_a_window_enlarges_all_but_the_image() -> None:
    one = example(answer())
    group = Group("", one.groups[0].truth, [answer()], window=(10, 10, 30, 30))
    page = sheet(Example("t", "", one.image, [group]))
    image, truth, decoded = pictures(page)
    assert image.size == (300, 200)
    assert truth.size == decoded.size == (320, 320)
    assert "truth, enlarged" in Page(page).texts["figcaption"]


def test_the_summary_is_made_after_the_last_example_and_stands_before_the_first() -> None:
    seen = []

    def examples() -> Iterator[Example]:
        for name in "ab":
            yield example(answer(), title=name)
            seen.append(name)

    stream = io.BytesIO()
    write_sheet(stream, "t", examples(), summary=lambda: Table(["codec"], [[f"{len(seen)} shown"]]))
    page = stream.getvalue().decode()
    assert page.index("2 shown") < page.index("<section>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("<&>\"'", "&lt;&amp;&gt;&quot;&#x27;"), ("a\x00b\r", "a⟨00⟩b⟨0D⟩"), ("\ud800", "\\ud800")],
)
def test_escape(text: str, shown: str) -> None:
    assert escape(text) == shown

"""Pages and plots of benchmarks: they load nothing, escape everything, and keep to their frame."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from benchmarks import document as documents
from benchmarks import page, plots
from benchmarks.kernels_page import write_kernels_page
from benchmarks.plots import Bar, Point
from maskcodec.plot_axis import Axis, short

NUMBERS = st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-9)
POSITIVE = st.floats(1e-9, 1e12)


@given(st.lists(NUMBERS, max_size=9), st.booleans())
@example([], False)
@example([5.0], True)
@example([1e12, 1e12], False)
def test_an_axis_holds_its_values(values: list[float], zero: bool) -> None:
    axis = Axis.around(values, zero=zero)
    assert all(0 <= axis.place(value) <= 1 for value in values)
    if zero and min(values, default=0) >= 0:
        assert axis.place(0) == 0


@given(st.lists(POSITIVE, max_size=9))
def test_a_logarithm_holds_its_values(values: list[float]) -> None:
    axis = Axis.around([*values, 0.0, -1.0], log=True)
    assert all(0 <= axis.place(value) <= 1 for value in values)


@given(NUMBERS, NUMBERS, st.integers(3, 12), st.booleans())
def test_ticks_are_few_and_within(one: float, two: float, most: int, log: bool) -> None:
    low, high = sorted((one, two))
    assume(high - low > 1e-6 * max(abs(low), abs(high)) and high - low > 1e-9)
    if log:
        low, high = 1e-3, 1e-3 + (high - low)
        assume(high > 1.01 * low)
    ticks = Axis(low, high, log).ticks(most)
    assert len(ticks) <= most + 1
    slack = 1e-6 * (high - low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    assert all(a < b for a, b in pairwise(ticks))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (1, "1"), (12.345, "12.3"), (1234.5, "1,234"), (12345, "12.3k"),
        (2.5e6, "2.5M"), (-3e9, "-3G"), (0.004567, "0.00457"), (2e-5, "20µ"), (3e-9, "3n"),
        (999_999, "1M"), (999.96, "1,000"), (9_999.7, "10k"), (999_600_000, "1G"),
        (0.9999e-3, "0.001"),
    ],
)  # fmt: skip
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


def places(svg: str) -> list[tuple[float, float]]:
    """Every place that an element stands at."""
    found = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", svg)
    found += re.findall(r'x="(-?[\d.]+)" y="(-?[\d.]+)"', svg)
    return [(float(x), float(y)) for x, y in found]


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=5),
        max_size=3,
    ),
    st.booleans(),
    st.booleans(),
)
def test_lines_keep_to_their_frame(
    lines: dict[str, list[tuple[float, float]]], log_x: bool, log_y: bool
) -> None:
    given = {name: [Point(x, y, y * 0.9, y * 1.1) for x, y in at] for name, at in lines.items()}
    svg = plots.line_plot("t", given, "x", "y", log_x=log_x, log_y=log_y, levels={"limit": 3})
    assert all(0 <= x <= plots.SIZE[0] and 0 <= y <= plots.SIZE[1] for x, y in places(svg))
    assert svg.count('class="marker') == sum(map(len, lines.values()))


@given(st.lists(st.none() | POSITIVE, max_size=6), st.booleans())
def test_bars_begin_at_their_base(values: list[float | None], log: bool) -> None:
    bars = [Bar(str(index), value, index, 2, 3) for index, value in enumerate(values)]
    svg = plots.bar_plot("t", bars, "x", log=log, base=1 if log else 0)
    assert svg.count("not measured") == values.count(None)
    found = re.findall(r'class="f\d" d="M([\d.]+) [\d.]+h([\d.]+)', svg)
    shown = [value for value in values if value is not None]
    assert len(found) == len(shown)
    for (left, width), value in zip(found, shown, strict=True):
        assert 0 <= float(left) <= float(left) + float(width) <= plots.BAR_WIDTH
        for (other, wide), more in zip(found, shown, strict=True):
            if value > more > 1:
                assert (other, float(wide)) <= (left, float(width) + 1e-6)


def a_document() -> documents.Document:
    document = documents.start("kernels", ["--kernel", "<script>"], 0, {"sizes": [], "full": True})
    gates = {"opencv": {"least": 2, "stretch": 3}}
    for kernel, ratio in (("a", 1.5), ("b", 2.5), ("<b>", 3.5), ("d", None)):
        figures = {"microseconds": 9.5, "x limit": 1.1, "opencv": ratio, "torch": 0.5}
        documents.add(document, {"kernel": kernel, "masks": "shapes"}, figures, gates)
    return document


class Checker(HTMLParser):
    """Collects what a page could load, and that its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.loads += [value for name, value in attrs if name in ("src", "href")]
        assert tag not in ("script", "link", "iframe")
        if tag not in ("meta", "img", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(html: str) -> str:
    checker = Checker()
    checker.feed(html)
    assert not checker.open
    assert not checker.loads
    return html


def test_the_page_of_kernels(tmp_path: Path) -> None:
    document = a_document() | {"problems": {"torch": "not <installed>"}}
    write_kernels_page(tmp_path / "k.html", document)
    html = checked((tmp_path / "k.html").read_text("utf-8"))
    assert "2 of 3 gates hold." in html
    assert "not &lt;installed&gt;" in html
    assert "1.5 ✗ 2" in html
    assert "2.5 ✓ 2" in html
    assert "3.5 ★ 2" in html
    assert "&lt;script&gt;" in html
    assert "interrupted" not in html
    assert html.count("<figure>") == 4
    assert "<td>–</td>" in html
    document["results"][0]["gates"]["opencv"]["reach"] = 1.75
    write_kernels_page(tmp_path / "k.html", document)
    assert "<td>1.75</td>" in checked((tmp_path / "k.html").read_text("utf-8"))


def test_an_empty_and_interrupted_run_has_a_page() -> None:
    document = documents.start("decode", []) | {"interrupted": True}
    html = checked(page.page(document, "Title & more", "Lead.", [page.section("A", note="<n>")]))
    assert "The run was interrupted" in html
    assert "Title &amp; more" in html
    assert "&lt;n&gt;" in html


def test_series_of_results() -> None:
    document = documents.start("decode", [])
    for codec in ("a", "b"):
        for batch in (16, 1):
            name: documents.Name = {"codec": codec, "batch": batch, "device": "cpu"}
            documents.add(document, name, {"rate": batch * 2.0, "low": batch, "tokens": 5})
    documents.add(document, {"codec": "a", "batch": 4, "device": "cpu"}, {"rate": None})
    documents.add(document, {"codec": "a", "batch": 4, "device": "gpu"}, {"rate": 1})
    results = document["results"]
    lines = plots.series(results, "batch", "codec", "rate", where={"device": "cpu"}, low="low")
    assert [*lines] == ["a", "b"]
    assert lines["a"] == [Point(1, 2.0, 1), Point(16, 32.0, 16)]
    by_name = plots.series(results, "tokens", lambda result: result["name"]["device"], "rate")
    assert [*by_name] == ["cpu"]
    assert all(math.isclose(point.x, 5) for point in by_name["cpu"])


def test_settings_are_spelt_by_type() -> None:
    settings = {"on": True, "off": False, "one": 1, "none": 0, "rate": 0.0, "list": [1, True, None]}
    document = documents.start("decode", [], 1, settings)
    facts = page.about(document)
    for key, value in {"on": "yes", "off": "no", "one": "1", "none": "0", "rate": "0.0"}.items():
        assert f"<dt>{key}</dt><dd>{value}</dd>" in facts
    assert "<dt>list</dt><dd>1, yes, </dd>" in facts

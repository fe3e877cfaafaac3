"""The documents are true: their links lead somewhere, their Python runs, their commands exist."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from maskcodec import cli

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda path: path.as_posix()
)
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@every_page
def test_python_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(code, str(page), "exec"), names)


def options(parser: argparse.ArgumentParser, words: list[str]) -> set[str]:
    """The options of a verb, and of what it is told to do, e.g. of `bench kernels`."""
    found = {*parser._option_string_actions}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            assert words, f"{parser.prog}: of what?"
            assert words[0] in action.choices, f"{parser.prog} {words[0]}"
            found |= options(action.choices[words[0]], words[1:])
    return found


@every_page
def test_commands_exist(page: Path) -> None:
    parser = cli.make_parser()
    verbs = next(action.choices for action in parser._actions if action.dest == "verb")
    assert verbs is not None
    for _, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        joined = code.replace("\\\n", " ")
        for verb, rest in re.findall(r"^\s*\$?\s*maskcodec ([a-z]+)(.*)$", joined, re.MULTILINE):
            assert verb in verbs, verb
            known = options(verbs[verb], rest.split())  # type: ignore[index]
            for option in re.findall(r"(?<=\s)--[a-z-]+", rest):
                assert option in known, f"maskcodec {verb} {option}"


@every_page
def test_paths_in_the_file_map_exist(page: Path) -> None:
    for _, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        for name in re.findall(
            r"^((?:maskcodec|_ext|tests|docs|benchmarks)/[\w./]*)  ", code, re.M
        ):
            assert (ROOT / name).exists(), name

"""README and docs: short where it must be, and every link leads somewhere."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import pytest

from pipeline.errors import P2cError
from tests.scenes.pages import PAGES, README, list_anchors, list_blocks, list_links, strip_blocks
from tests.scenes.places import ROOT

LARGEST_README = 10_000
PROMISE = (
    "each planned row ends in SCM exactly as planned, once, or is named with a reason; whatever "
    "happens on the way, run the same command again."
)
DOCS = {name: text for name, text in PAGES.items() if name != "README.md"}


def test_the_readme_is_short_and_makes_the_promise() -> None:
    assert len(README.encode()) <= LARGEST_README
    assert PROMISE in README


def find_dead_links(name: str, text: str, pages: dict[str, str]) -> Iterator[str]:
    """Links of a page that lead nowhere, or out of the site."""
    for link in list_links(text):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = _resolve(name, file)
        if name != "README.md" and not target.startswith("docs/"):
            yield f"{link} leads out of docs"
        elif target not in pages and not (ROOT / target).is_file():
            yield f"{link} leads nowhere"
        elif anchor and anchor not in list_anchors(pages.get(target, "")):
            yield f"{link} has no such heading"


def _resolve(name: str, file: str) -> str:
    if not file:
        return name
    parts: list[str] = []
    for part in (*PurePosixPath(name).parent.parts, *PurePosixPath(file).parts):
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    assert list(find_dead_links(name, PAGES[name], PAGES)) == []


def test_dead_links_are_found() -> None:
    pages = {"docs/a.md": "# A b\n\n```sh\n# no heading\n```\n", "docs/x/c.md": ""}
    text = "[1](../a.md#a-b) [2](../b.md) [3](../a.md#no-heading) [4](../../LICENSE) [5](c.md)"
    assert list(find_dead_links("docs/x/c.md", text, pages)) == [
        "../b.md leads nowhere",
        "../a.md#no-heading has no such heading",
        "../../LICENSE leads out of docs",
    ]


@pytest.mark.parametrize("name", PAGES)
def test_no_two_headings_of_a_page_share_an_anchor(name: str) -> None:
    found = Counter(list_anchors(PAGES[name]))
    assert {one for one, times in found.items() if times > 1} == set()


def list_places(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for below in entry.values():
            yield from [below] if isinstance(below, str) else list_places(below)


def test_the_site_and_the_index_list_every_page_once() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    names = sorted(name.removeprefix("docs/") for name in DOCS)
    assert sorted(list_places(site["project"]["nav"])) == names
    index = {link.partition("#")[0] for link in list_links(DOCS["docs/index.md"])}
    assert {one for one in names if one not in index} <= {"index.md"} | {
        name for name in names if name.startswith("how-to/export/")
    }


def _list_exit_codes(kind: type[P2cError]) -> set[int]:
    below = [_list_exit_codes(one) for one in kind.__subclasses__()]
    return {kind.exit_code}.union(*below)


@pytest.mark.parametrize("code", sorted({0, 1} | _list_exit_codes(P2cError)))
def test_the_readme_explains_every_exit_code(code: int) -> None:
    assert f"\n| {code} | " in README


@pytest.mark.parametrize("name", PAGES)
def test_modules_targets_and_files_that_a_page_names_exist(name: str) -> None:
    text = PAGES[name]
    for module in re.findall(r"python -m ((?:tests|pipeline)(?:\.\w+)*)", text):
        assert importlib.util.find_spec(module) is not None, module
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    shown = "\n".join(block.text for block in list_blocks(text) if block.language == "console")
    for target in (*re.findall(r"`make (\w+)", text), *re.findall(r"\$ make (\w+)", shown)):
        assert f"\n{target}:" in targets, target
    for file in re.findall(r"`((?:tests|pipeline|schemas)/[\w./]+)`", strip_blocks(text)):
        assert (ROOT / file).exists(), file

"""The reference pages are what the code declares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.errors import P2cError
from pipeline.manual.exits import MEANINGS
from pipeline.manual.pages import PAGES, write_manual
from pipeline.manual.tables import SCHEMAS
from schemas.codes import load_codes
from schemas.tables import load_table_texts
from tests.scenes.places import ROOT


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_is_what_the_command_writes(path: Path, request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-goldens"):
        write_manual(ROOT)
    text = (ROOT / path).read_text(encoding="utf-8")
    assert text == PAGES[path](), "python -m pipeline.manual writes it"


def test_the_command_writes_all_pages_and_the_schema(tmp_path: Path) -> None:
    written = write_manual(tmp_path)
    assert {path.relative_to(tmp_path) for path in written} > set(PAGES)
    assert all(path.stat().st_size for path in written)


@pytest.mark.parametrize("name", sorted(SCHEMAS.keys() | load_table_texts().keys()))
def test_every_column_says_what_it_holds_in_sentences(name: str) -> None:
    text = load_table_texts()[name]
    assert list(text.columns) == list(SCHEMAS[name]), "schemas/run.toml describes them"
    said = {"row": text.row, **text.columns}
    assert {one for one, words in said.items() if not re.fullmatch(r"\S.*\S\.", words)} == set()


def list_exit_codes(kind: type[P2cError]) -> set[int]:
    below = [list_exit_codes(one) for one in kind.__subclasses__()]
    return {kind.exit_code}.union(*below)


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANINGS) == {0, 1} | list_exit_codes(P2cError)


def test_every_code_has_a_heading_of_its_own() -> None:
    page = (ROOT / "docs" / "reference" / "codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", page, re.MULTILINE).count("too_long") == 1
    assert sorted(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == sorted(load_codes())

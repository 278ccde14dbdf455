"""TOML, SQL and Python on the pages: checked, run or compiled as they stand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from jsonschema import Draft202012Validator

import p2c
from pipeline.project.schema import build_schema
from pipeline.project.settings import Settings
from tests.scenes.pages import PAGES, list_blocks
from tests.scenes.sessions import applied_samples, lay_out

__all__ = ["applied_samples"]

SCHEMA = Draft202012Validator(build_schema())
NOTEBOOKS = ("docs/how-to/databricks.md", "docs/how-to/fabric.md")
HOME = re.compile(r'HOME = ".*"')


def list_texts(language: str) -> Iterator[tuple[str, str]]:
    for name, text in PAGES.items():
        for block in list_blocks(text):
            if block.language == language:
                yield name, block.text


def find_mistakes(text: str) -> list[str]:
    """What editors would underline in settings that a page shows."""
    return [f"{one.json_path}: {one.message}" for one in SCHEMA.iter_errors(tomllib.loads(text))]


SETTINGS = [
    (name, text)
    for name, text in list_texts("toml")
    if tomllib.loads(text).keys() & Settings.model_fields.keys()
]


@pytest.mark.parametrize(("name", "text"), SETTINGS)
def test_settings_that_a_page_shows_are_allowed(name: str, text: str) -> None:
    assert find_mistakes(text) == [], name


def test_a_mistake_in_settings_is_found() -> None:
    assert find_mistakes('[source]\nkind = "file"\n')
    assert find_mistakes("[source]\nkinds = 1\n")


def test_queries_that_pages_show_run(
    applied_samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(applied_samples)
    [run] = [path.name for path in Path("runs").iterdir() if path.name[0].isdigit()]
    answered = 0
    for name, text in list_texts("sql"):
        for query in filter(str.strip, re.split(r";\n", text)):
            table = query.replace("<run>", run)
            if "changes.parquet" in table:  # A first load changes nothing.
                continue
            assert duckdb.execute(table).fetchall(), (name, query)
            answered += 1
    assert answered


def read_notebook(name: str) -> str:
    """The cells of a page, whose folder is ``HOME``."""
    return "\n".join(block.text for block in list_blocks(PAGES[name]) if block.language == "python")


def test_notebooks_run_as_they_stand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = lay_out(tmp_path / "home", project=True).as_posix()
    [code] = {HOME.sub(f'HOME = "{home}"', read_notebook(name)) for name in NOTEBOOKS}
    shown: list[object] = []
    space: dict[str, object] = {"display": shown.append}
    exec(compile(code, "notebook", "exec"), space)  # noqa: S102 - the pages' own lines
    run = space["run"]
    assert isinstance(run, p2c.Run)
    assert run.summary.applied
    assert (run.path / "report.html").is_file()
    assert len(shown) == 1
    assert "attention" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "text"), list(list_texts("python")))
def test_python_that_pages_show_can_be_read(name: str, text: str) -> None:
    assert compile(text, name, "exec")

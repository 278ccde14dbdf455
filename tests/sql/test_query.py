"""Query files: what each says of itself is true, each is asked, and only names and values vary."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest

from sql.query import SelectColumn, identifier, list_queries, literal, query, with_literals

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("sql", "pipeline.samples")
FILES: Final = [(package, name) for package in PACKAGES for name in list_queries(package)]
MACROS: Final = {"deletion", "macros", "text"}
"""Files that define what every query may use."""
WIDTH: Final = 100


def text_of(package: str, name: str) -> str:
    return files(package).joinpath(f"{name}.sql").read_text(encoding="utf-8")


def header_of(package: str, name: str) -> str:
    lines = text_of(package, name).splitlines()
    end = next(place for place, line in enumerate(lines) if not line.startswith("--"))
    return "\n".join(line.removeprefix("--").strip() for line in lines[:end])


def named(header: str, kind: str) -> set[str]:
    """The words that a header lists after ``names:`` or ``params:``."""
    found = re.search(rf"\b{kind}: (.*?)(\s{{4}}|\n(?!\$)|\Z)", header, re.DOTALL)
    bare = re.sub(r"\([^)]*\)", "", found.group(1)) if found else ""
    return set(re.findall(r"\w+", bare))


def asked() -> Iterator[str]:
    """Every query that the code asks by a whole name."""
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="query"), args=[ast.Constant(value=str(name)), *_]):
                    yield name
                case _:
                    pass


@pytest.mark.parametrize(("package", "name"), FILES)
def test_a_file_begins_with_what_a_row_is(package: str, name: str) -> None:
    header = header_of(package, name)
    assert header, f"{name}.sql does not say what it is"
    if Path(name).name in MACROS:
        return
    assert re.search(r"\bin: ", header), f"{name}.sql does not say what it reads"
    assert not re.search(r"[{}]", header), "names stand without braces in a header"


@pytest.mark.parametrize(("package", "name"), FILES)
def test_a_header_lists_the_parameters_and_the_names_of_its_query(package: str, name: str) -> None:
    header = header_of(package, name)
    body = text_of(package, name).split("\n", header.count("\n") + 1)[-1]
    assert named(header, "params") == set(re.findall(r"\$([a-z]\w*)", body))
    assert named(header, "names") == set(re.findall(r"\{\{(\w+)\}\}", body))


def test_lines_of_queries_fit() -> None:
    wide = [
        f"{name}.sql:{number}"
        for package, name in FILES
        for number, line in enumerate(text_of(package, name).splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert wide == []


def constants() -> set[str]:
    """Every text in the code, also within f-strings."""
    return {
        node.value
        for folder in ("pipeline", "sql")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_query_is_asked() -> None:
    """By its name or, where the code chooses one of several, by the last part of it."""
    said = constants()
    last = {name: name.rpartition("/")[2] for _, name in FILES}
    assert [one for one in last if not {one, last[one], f"/{last[one]}"} & said] == []


def test_every_query_that_is_asked_is_there() -> None:
    there = {name for _, name in FILES}
    assert [name for name in asked() if name not in there] == []


def test_names_are_quoted_wherever_they_come_from() -> None:
    columns: list[str | SelectColumn] = [
        "contactid",
        'a" FROM x; --',
        SelectColumn(name="id", of="Id", macro="as_text"),
    ]
    text = query("extract/landed", files="contacts_files", columns=columns)
    assert '"contactid", "a"" FROM x; --", as_text("Id") AS "id"' in text
    assert text.endswith('FROM "contacts_files"')


@pytest.mark.parametrize("given", [{}, {"files": "x"}, {"files": "x", "columns": [], "more": "y"}])
def test_a_name_too_few_or_too_many_is_refused(given: dict[str, str | list[str]]) -> None:
    with pytest.raises(TypeError, match=r"takes the names \['columns', 'files'\]"):
        query("extract/landed", **given)


def test_comments_stay_in_the_file() -> None:
    assert "--" not in query("plan/route")
    assert query("plan/md5") == "SELECT md5(text) AS h\nFROM texts"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (True, "true"),
        (7, "7"),
        (1.5, "1.5"),
        ("O'Brien $name", "'O''Brien $name'"),
        (["a", "b'c"], "['a', 'b''c']"),
        ([1, 2], "[1, 2]"),
        ([], "[]"),
    ],
)
def test_a_value_stands_as_a_literal(value: str | None, expected: str) -> None:
    assert literal(value) == expected
    assert with_literals("SELECT $name, $other", name=value) == f"SELECT {expected}, $other"


def test_an_identifier_is_quoted() -> None:
    assert identifier('say:"x"') == '"say:""x"""'

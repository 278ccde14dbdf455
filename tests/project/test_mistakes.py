"""What is said of a project file that is not TOML: where, and what to write instead."""

from __future__ import annotations

import tomllib

import pytest

from pipeline.project.mistakes import explain_toml_error

BACKSLASH = "Write the path with / (as in"
QUOTES = "Text needs quotes"
CLOSED = "is not closed"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('[source]\npath = "C:\\Users\\me"\n', 2, BACKSLASH),
        ('path = "C:\\data\\new"', 1, BACKSLASH),
        ("currency = EUR", 1, QUOTES),
        ("currency = EUR # euro", 1, QUOTES),
        ("path = C:\\Users", 1, QUOTES),
        ("keep = 12h", 1, QUOTES),
        ("a = [EUR]", 1, "text needs quotes"),
        ("a = { DE = 2, AT = x }", 1, "text needs quotes"),
        ("currency = \u201cEUR\u201d", 1, "typographic quotes"),
        ('currency = "EUR', 1, CLOSED),
        ("currency = 'EUR\nb = 1", 1, CLOSED),
        ('currency: "EUR"', 1, "is written with ="),
        ("a = True", 1, "in small letters"),
        ("a = None", 1, "in small letters"),
        ("a =", 1, "no value behind the ="),
        ("a", 1, "a KEY = VALUE"),
        ('[organizations]\nContoso Germany = "demf"', 2, "name with spaces needs quotes"),
        ("a = 1\na = 2", 2, "stands there twice"),
        ("[s]\n[s]\n", 2, "stands there twice"),
        ('a = ["x"', 1, "list ends with ]"),
        ('a = "x" "y"', 1, "behind the value"),
        ("[source", 1, "section ends with ]"),
        ('a = "\x01"', 1, "does not allow"),
    ],
)
def test_each_mistake_has_its_cure(text: str, line: int, words: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    said = explain_toml_error(caught.value, text)
    assert said.startswith(f"is not valid TOML at line {line}")
    assert words in said


@pytest.mark.parametrize("line", ['secret = hunter2"x', 'secret_env = "hunter2', "a = hunter2"])
def test_no_value_is_repeated(line: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(line)
    assert "hunter2" not in explain_toml_error(caught.value, line)

"""A sentence of ours is for people: no code looks into one to find out what happened."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PIPELINE = Path(__file__).parents[1] / "pipeline"
PATTERNS = {"match", "fullmatch", "search", "findall", "finditer", "sub", "split"}


def is_sentence(node: ast.AST) -> bool:
    """``error.message`` or ``error.args``, read and not called."""
    return isinstance(node, ast.Attribute) and node.attr in {"message", "args"}


def looks(text: str) -> Iterator[str]:
    """Places where a sentence is searched, compared, cut or matched."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Attribute(value=inner) if is_sentence(inner):
                yield ast.unparse(node)
            case ast.Subscript(value=inner) if is_sentence(inner):
                yield ast.unparse(node)
            case ast.Compare(left=left, comparators=others):
                yield from (ast.unparse(node) for one in (left, *others) if is_sentence(one))
            case ast.Call(func=ast.Attribute(attr=name), args=given) if name in PATTERNS:
                yield from (ast.unparse(node) for one in given if is_sentence(one))
            case _:
                pass


@pytest.mark.parametrize(
    "text",
    [
        "'gone' in error.message",
        "error.message == 'gone'",
        "error.message.lower()",
        "error.message[:4]",
        "error.args[0]",
        "WORDS.match(error.message)",
        "re.split(':', error.message)",
    ],
)
def test_each_way_to_look_into_a_sentence_is_seen(text: str) -> None:
    assert list(looks(text))


def test_handing_a_sentence_on_is_no_look() -> None:
    assert not list(looks("raise Stopped(error.message, where=f'{error.where}') from error"))
    assert not list(looks("code(name).message(detail=text).lower()"))


@pytest.mark.parametrize(
    "path",
    [one for one in sorted(PIPELINE.rglob("*.py")) if "sandbox" not in one.parts],
    ids=lambda path: path.relative_to(PIPELINE).as_posix(),
)
def test_no_code_looks_into_a_sentence_of_ours(path: Path) -> None:
    assert not list(looks(path.read_text(encoding="utf-8")))

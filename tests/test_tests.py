"""Tests that cannot fail are found: they are read, as code is, and a new one is refused.

An empty list of parameters stops pytest itself (``empty_parameter_set_mark`` in
``pyproject.toml``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parent
FILES: Final = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
TESTS: Final = [name for name in FILES if name.rpartition("/")[2].startswith("test_")]

Function = ast.FunctionDef | ast.AsyncFunctionDef

BROAD: Final = {
    "AssertionError", "BaseException", "ConfigurationError", "Exception", "InvariantBroken",
    "KeyError", "OSError", "P2cError", "PlanRefused", "Refused", "RuntimeError", "SourceError",
    "Stopped", "TypeError", "UsageError", "ValueError",
}  # fmt: skip
"""Errors that many things raise: a test of one says which, by ``match`` or by a look at it."""

PATCHING: Final = {
    "journeys/apply/test_separate.py",
    "journeys/apply/test_undo.py",
    "journeys/plan/test_live_plan.py",
    "journeys/stopped/test_plan.py",
}
"""Tests that still replace attributes of our own. The list only gets shorter."""


def parse(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


def list_functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def name_of(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def is_checking(node: ast.AST, helpers: set[str]) -> bool:
    """Whether something below can fail: an assertion, a golden, or a helper that asserts."""
    return any(
        isinstance(one, ast.Assert) or (isinstance(one, ast.Call) and name_of(one) in helpers)
        for one in ast.walk(node)
    )


def names_at(name: str) -> set[str]:
    """What a file of tests can call: its own functions, what it imports of other tests, fixtures.

    A method of a scene goes by its name alone.
    """
    tree = TREES[name]
    imported = {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests.")
        for one in node.names
    }
    above = [parent / "conftest.py" for parent in FILES[name].parents]
    fixtures = {
        one.name
        for path in above
        if path.is_relative_to(ROOT) and path.is_file()
        for one in list_functions(TREES[path.relative_to(ROOT).as_posix()])
    }
    return {one.name for one in list_functions(tree)} | imported | fixtures | METHODS


def list_helpers() -> set[str]:
    """Functions of the tests that assert, and those that call one of them."""
    functions = [
        one for tree in TREES.values() for one in list_functions(tree) if one.name[:5] != "test_"
    ]
    found = set(PYTESTS)
    while True:
        more = {one.name for one in functions if is_checking(one, found)} - found
        if not more:
            return found
        found |= more


TREES: Final = {name: parse(name) for name in FILES}
PYTESTS: Final = {"raises", "fail", "golden"}
METHODS: Final = {
    one.name
    for tree in TREES.values()
    for owner in ast.walk(tree)
    if isinstance(owner, ast.ClassDef)
    for one in list_functions(owner)
}
HELPERS: Final = list_helpers()


def find_idle(tree: ast.AST, helpers: set[str]) -> Iterator[str]:
    for one in list_functions(tree):
        if one.name.startswith("test_") and not is_checking(one, helpers):
            yield f"{one.name} asserts nothing"


def find_alternatives(tree: ast.AST) -> Iterator[str]:
    """An answer that may be one thing or another: the test does not know what is right."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(ops=[ast.In()], comparators=[ast.Tuple() | ast.Set() | ast.List()]):
                (few,) = node.comparators
                if all(isinstance(one, ast.Constant) for one in getattr(few, "elts", ())):
                    yield ast.unparse(node)
            case _:
                pass


def find_tolerant(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            for text in find_alternatives(node.test):
                if not any(isinstance(one, ast.comprehension) for one in ast.walk(node)):
                    yield f"{text} accepts several answers"
            match node.test:
                case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]) if isinstance(
                    left, ast.Name | ast.Attribute
                ) and ast.unparse(left) == ast.unparse(right):
                    yield f"{ast.unparse(node.test)} compares a thing with itself"
                case ast.Constant() | ast.Tuple() | ast.JoinedStr():
                    yield f"{ast.unparse(node.test)} is always true"
                case _:
                    pass


def find_broad(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.With):
            continue
        for item in node.items:
            call = item.context_expr
            if (
                isinstance(call, ast.Call)
                and name_of(call) == "raises"
                and not call.keywords
                and item.optional_vars is None
                and any(isinstance(one, ast.Name) and one.id in BROAD for one in ast.walk(call))
            ):
                yield f"{ast.unparse(call)} does not say which"


def find_patches(tree: ast.Module) -> Iterator[str]:
    """Replaced attributes of our own modules and classes."""
    ours = {"pipeline", "schemas", "sql"}
    known = {
        one.asname or one.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ours
        for one in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node) == "setattr" and node.args:
            place = ast.unparse(node.args[0]).strip("'").partition(".")[0]
            if place in known | ours:
                yield f"{ast.unparse(node)} replaces what is ours: hand it in"


def find_weak(tree: ast.Module, names: set[str]) -> list[str]:
    """What makes a test unable to fail, a phrase each; ``names`` are what it can call."""
    helpers = PYTESTS | (HELPERS & names)
    return [*find_idle(tree, helpers), *find_tolerant(tree), *find_broad(tree)]


@pytest.mark.parametrize("name", TESTS)
def test_every_test_can_fail(name: str) -> None:
    assert find_weak(TREES[name], names_at(name)) == []


@pytest.mark.parametrize("name", [name for name in FILES if name not in PATCHING])
def test_nothing_of_ours_is_replaced(name: str) -> None:
    assert list(find_patches(TREES[name])) == []


@pytest.mark.parametrize("name", sorted(PATCHING))
def test_a_file_that_replaces_nothing_is_no_longer_excused(name: str) -> None:
    assert list(find_patches(TREES[name])) != []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def test_x():\n    main()", "test_x asserts nothing"),
        ("def test_x():\n    assert code in (0, 1)", "code in (0, 1) accepts several answers"),
        ("def test_x():\n    assert a.b == a.b", "a.b == a.b compares a thing with itself"),
        ("def test_x():\n    assert (one, 'two')", "(one, 'two') is always true"),
        ("def test_x():\n    with pytest.raises(Stopped):\n        f()", "does not say which"),
        (
            "def test_x():\n    with pytest.raises((A, KeyError)):\n        f()",
            "does not say which",
        ),
    ],
)
def test_a_weak_test_is_found(text: str, words: str) -> None:
    assert any(words in one for one in find_weak(ast.parse(text), set()))


@pytest.mark.parametrize(
    "text",
    [
        "def test_x():\n    assert main() == 0",
        "def test_x(golden):\n    golden('plan.txt', text())",
        "def test_x():\n    with pytest.raises(Stopped, match='disk'):\n        f()",
        "def test_x():\n    with pytest.raises(Halt):\n        f()",
        "def test_x():\n    assert {one for one in found if one in {3, 4}} == {3}",
    ],
)
def test_a_sound_test_is_not_complained_of(text: str) -> None:
    assert find_weak(ast.parse(text), set()) == []


@pytest.mark.parametrize(
    "text",
    [
        "from pipeline.plan import make\nmonkeypatch.setattr(make, 'x', 1)",
        "from pipeline.run.journal import Journal\npatch.setattr(Journal, 'append', f)",
        "monkeypatch.setattr('pipeline.plan.make.x', 1)",
    ],
)
def test_a_replaced_attribute_is_found(text: str) -> None:
    assert len(list(find_patches(ast.parse(text)))) == 1


def test_what_is_not_ours_may_be_replaced() -> None:
    text = "import os\nmonkeypatch.setattr(os, 'fsync', f)\nmonkeypatch.setenv('A', '1')"
    assert list(find_patches(ast.parse(text))) == []

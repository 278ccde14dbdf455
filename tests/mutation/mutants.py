"""Mutants: a module with one small change, which would be a defect in most places."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.scenes.places import ROOT

ROOMS: Final = ("transform", "mapping", "load", "run")
"""Of ``pipeline``: what decides which rows are sent, and what is remembered of them."""

_ELSEWHERE: Final = {"transform": "tests/hazards"}
"""Where else a room is tested, row by row."""
_LARGEST: Final = 100
"""Larger numbers are sizes of pieces: one more of them changes nothing."""
_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_SUMS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A module of ``pipeline`` in which the node of a ``number`` has another meaning."""

    path: str
    number: int
    line: int
    change: str

    @property
    def module(self) -> str:
        """Its name, as in ``pipeline.run.chain``."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def room(self) -> str:
        """The folder of ``pipeline`` that it is in."""
        return self.path.split("/")[1]

    @property
    def place(self) -> str:
        """File, line and change, for people."""
        return f"{self.path}:{self.line}  {self.change}"

    def render(self, source: str) -> str:
        """The module's source with the change."""
        tree = ast.parse(source)
        change_node(_list_nodes(tree)[self.number])
        return ast.unparse(tree)

    def list_tests(self, root: Path = ROOT) -> list[str]:
        """Where its tests are: first those of its module, then all of its room, then others."""
        inside = Path(self.path).relative_to("pipeline")
        near = Path("tests") / inside.parent / f"test_{inside.name}"
        own = [near.as_posix()] if (root / near).is_file() else []
        others = [_ELSEWHERE[self.room]] if self.room in _ELSEWHERE else []
        return [*own, f"tests/{self.room}", *others]


def list_mutants(room: str) -> Iterator[Mutant]:
    """All mutants of a room, in the order of its files."""
    for path in sorted((ROOT / "pipeline" / room).rglob("*.py")):
        yield from mutate(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def mutate(path: str, source: str) -> Iterator[Mutant]:
    """All mutants of a module."""
    for number, node in enumerate(_list_nodes(ast.parse(source))):
        changed = copy.copy(node)
        if change_node(changed):
            change = f"{ast.unparse(node)}  →  {ast.unparse(changed)}"
            yield Mutant(path=path, number=number, line=node.lineno, change=change)


def _list_nodes(tree: ast.Module) -> list[ast.expr]:
    """Expressions that mean something when the module runs.

    Annotations do not, and decorators such as ``@dataclass(slots=True)`` rarely.
    """
    silent = {
        id(inner)
        for node in ast.walk(tree)
        for part in _list_silent(node)
        for inner in ast.walk(part)
    }
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.expr))
    return [node for node in nodes if id(node) not in silent]


def _list_silent(node: ast.AST) -> Iterator[ast.expr]:
    yield from getattr(node, "decorator_list", ())
    for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        if part is not None:
            yield part


def change_node(node: ast.expr) -> bool:
    """Give a node another meaning, in place; whether it has one."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            node.ops = [_COMPARISONS[type(op)]()]
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):  # Twice is none.
            node.operand = ast.UnaryOp(op=node.op, operand=node.operand)
        case ast.BinOp(op=op) if type(op) in _SUMS:
            node.op = _SUMS[type(op)]()
        case ast.Constant(value=bool() as value):
            node.value = not value
        case ast.Constant(value=int() as value) if value <= _LARGEST:
            node.value = value + 1
        case _:
            return False
    return True

"""Conditions over rows in memory: what a few hundred definitions need, no more."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pipeline.sandbox.odata.tree import (
    Comparison,
    Constant,
    FunctionCall,
    Junction,
    Membership,
    Negation,
    Node,
    ODataError,
    Path,
    Quantifier,
)

_COMPARING: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_LIKE: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}


def holds(
    node: Node, row: Mapping[str, Any], operators: Collection[str] = tuple(_COMPARING)
) -> bool:
    """Whether a row fulfils a condition.

    Texts compare with regard to case, null is equal to null alone. ``operators``: the comparisons
    that the service knows. Raises ``ODataError``.
    """
    match node:
        case Junction(operator="and"):
            return holds(node.left, row, operators) and holds(node.right, row, operators)
        case Junction():
            return holds(node.left, row, operators) or holds(node.right, row, operators)
        case Negation():
            return not holds(node.operand, row, operators)
        case Quantifier():
            return _quantify(node, row, operators)
        case Comparison():
            if node.operator not in operators:
                raise ODataError(f"The operator '{node.operator}' is not supported here.")
            return _compare(node.operator, _value(node.left, row), _value(node.right, row))
        case _:
            return _judge(node, row)


def _judge(node: Node, row: Mapping[str, Any]) -> bool:
    match node:
        case Membership():
            return _value(node.left, row) in [_value(item, row) for item in node.items]
        case FunctionCall(arguments=(first, second)) if node.name in _LIKE:
            text, part = _value(first, row), _value(second, row)
            return text is not None and _LIKE[node.name](str(text), str(part))
        case _:
            return _value(node, row) is True


def _compare(name: str, left: Any, right: Any) -> bool:
    if name in {"eq", "ne"}:
        return _COMPARING[name](left, right)
    if left is None or right is None:
        return False
    try:
        return _COMPARING[name](left, right)
    except TypeError as error:
        raise ODataError("A binary operator with incompatible types was detected.") from error


def _quantify(node: Quantifier, row: Mapping[str, Any], operators: Collection[str]) -> bool:
    items = _value(node.path, row) or []
    body = node.body
    if body is None:
        return bool(items)
    held = (holds(body, {**row, node.variable: item}, operators) for item in items)
    return any(held) if node.kind == "any" else all(held)


def _value(node: Node, row: Mapping[str, Any]) -> Any:
    match node:
        case Constant(value=UUID() | datetime() | date()):
            return str(node.value)
        case Constant():
            return node.value
        case Path():
            return _reach(node, row)
        case FunctionCall(name="tolower"):
            return str(_value(node.arguments[0], row)).lower()
        case _:
            raise ODataError(
                "Only comparisons, contains, startswith, endswith and in are supported here."
            )


def _reach(path: Path, row: Mapping[str, Any]) -> Any:
    found: Any = row
    for name in path.names:
        if found is None:
            return None
        if not isinstance(found, Mapping) or name not in found:
            raise ODataError(f"Could not find a property named '{name}'.")
        found = found[name]
    return found

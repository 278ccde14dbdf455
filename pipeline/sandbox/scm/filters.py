"""``$filter`` and ``$orderby`` as SCM understands them: trees to SQL.

Operators only, no functions; enums take ``eq`` and ``ne`` and are written as
``Microsoft.Dynamics.DataEntities.NoYes'Yes'``; a text with ``*`` is a pattern. Text compares
without regard to case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, assert_never

from pipeline.sandbox.odata import tree
from pipeline.sandbox.odata.tree import Node, ODataError, Order
from pipeline.sandbox.scm.entities import NAMESPACE, Entity, Kind, Property
from pipeline.sandbox.scm.payload import edm_type

_SQL: Final = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_CALCULATE: Final = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}
_NAMES: Final = {
    "eq": "Equal",
    "ne": "NotEqual",
    "gt": "GreaterThan",
    "ge": "GreaterThanOrEqual",
    "lt": "LessThan",
    "le": "LessThanOrEqual",
}
_FITTING: Final = {
    Kind.STRING: {tree.Kind.TEXT},
    Kind.INT: {tree.Kind.INTEGER, tree.Kind.DECIMAL},
    Kind.INT64: {tree.Kind.INTEGER, tree.Kind.DECIMAL},
    Kind.DECIMAL: {tree.Kind.INTEGER, tree.Kind.DECIMAL},
    Kind.DATETIME: {tree.Kind.TIMESTAMP, tree.Kind.DATE},
    Kind.ENUM: {tree.Kind.ENUM},
}


@dataclass(kw_only=True, slots=True)
class Condition:
    """A WHERE clause being put together: text and parameters."""

    parts: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, text: str, *parameters: Any) -> None:
        """One more clause that must hold."""
        self.parts.append(f"({text})")
        self.parameters.extend(parameters)

    @property
    def sql(self) -> str:
        """The whole clause, empty when everything goes."""
        return f"WHERE {' AND '.join(self.parts)}" if self.parts else ""


def add_filter(condition: Condition, entity: Entity, node: Node) -> None:
    """What ``$filter`` asks for. Raises ``ODataError``."""
    parameters: list[Any] = []
    condition.add(_boolean(entity, node, parameters), *parameters)


def order(entity: Entity, terms: Iterable[Order]) -> list[str]:
    """The terms of ``$orderby`` in SQL. Raises ``ODataError``."""
    return [
        f"{_column(_property(entity, term.path))}{' DESC' if term.descending else ''}"
        for term in terms
    ]


def find_property(entity: Entity, name: str) -> Property:
    """A property by its name. Raises ``ODataError``."""
    found = entity.by_name.get(name)
    if found is None:
        raise ODataError(
            f"Could not find a property named '{name}' on type '{NAMESPACE}.{entity.type}'."
        )
    return found


def _property(entity: Entity, path: tree.Path) -> Property:
    return find_property(entity, str(path) if len(path.names) > 1 else path.names[0])


def _column(one: Property) -> str:
    return f'"{one.name}"'


def _boolean(entity: Entity, node: Node, parameters: list[Any]) -> str:
    match node:
        case tree.Junction(operator=operator, left=left, right=right):
            first = _boolean(entity, left, parameters)
            return f"({first} {operator.upper()} {_boolean(entity, right, parameters)})"
        case tree.Negation(operand=operand):
            return f"NOT {_boolean(entity, operand, parameters)}"
        case tree.Comparison():
            return _comparison(entity, node, parameters)
        case tree.Constant(value=bool() as value):
            return "1" if value else "0"
        case tree.Membership():
            raise ODataError("The operator 'in' is not supported.")
        case tree.Call(name=name) | tree.QueryFunction(name=name):
            raise ODataError(f"An unknown function with name '{name}' was found.")
        case tree.Constant() | tree.Path() | tree.Calculation() | tree.Quantifier():
            raise ODataError("The $filter expression must evaluate to a single boolean value.")
        case _:
            assert_never(node)


def _comparison(entity: Entity, node: tree.Comparison, parameters: list[Any]) -> str:
    if isinstance(node.left, tree.Path) and isinstance(node.right, tree.Constant):
        return _against(_property(entity, node.left), node, node.right, parameters)
    left = _number(entity, node.left, parameters)
    return f"{left} {_SQL[node.operator]} {_number(entity, node.right, parameters)}"


def _against(
    one: Property, node: tree.Comparison, constant: tree.Constant, parameters: list[Any]
) -> str:
    if constant.kind is tree.Kind.NULL:
        return "0" if node.operator == "eq" else "1"  # no field of F&O is null
    if constant.kind not in _FITTING[one.kind] or (
        one.kind is Kind.ENUM and node.operator not in ("eq", "ne")
    ):
        raise _unfit(one, node, constant)
    if one.kind is Kind.ENUM:
        parameters.append(_member(one, constant))
    elif (
        isinstance(constant.value, str) and "*" in constant.value and node.operator in ("eq", "ne")
    ):
        parameters.append(_pattern(constant.value))
        return f"{_column(one)} {'LIKE' if node.operator == 'eq' else 'NOT LIKE'} ? ESCAPE '\\'"
    else:
        parameters.append(_plain(constant.value))
    return f"{_column(one)} {_SQL[node.operator]} ?"


def _unfit(one: Property, node: tree.Comparison, constant: tree.Constant) -> ODataError:
    found = constant.enum or constant.kind.value
    return ODataError(
        "A binary operator with incompatible types was detected. Found operand types "
        f"'{edm_type(one)}' and '{found}' for operator kind '{_NAMES[node.operator]}'."
    )


def _member(one: Property, constant: tree.Constant) -> str:
    if constant.enum != f"{NAMESPACE}.{one.enum}" or constant.value not in one.members:
        raise ODataError(
            f"The string '{constant.enum}'{constant.value}'' is not a valid enumeration type "
            "constant."
        )
    return str(constant.value)


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%")


def _plain(value: tree.Scalar) -> Any:
    match value:
        case Decimal():
            return float(value)
        case dt.datetime():
            return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case dt.date():
            return value.strftime("%Y-%m-%dT00:00:00Z")
        case _:
            return value


def _number(entity: Entity, node: Node, parameters: list[Any]) -> str:
    """An operand that is calculated, or two properties compared."""
    match node:
        case tree.Path():
            return _column(_property(entity, node))
        case tree.Constant():
            parameters.append(_plain(node.value))
            return "?"
        case tree.Calculation(operator=operator, left=left, right=right):
            first = _number(entity, left, parameters)
            return f"({first} {_CALCULATE[operator]} {_number(entity, right, parameters)})"
        case _:
            raise ODataError(
                "The operand of a comparison must be a property, a constant or a calculation."
            )

"""Conditions and orders as SQL for SQLite, for both twins.

What a path means, which functions there are, and whether ``in`` is one of the operators is the
service's business: it passes a :class:`Scope`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from pipeline.sandbox.odata.columns import (
    Scope,
    Sql,
    SqlColumn,
    SqlValue,
    bind_constant,
    compose,
    make_sort_key,
)
from pipeline.sandbox.odata.comparing import compare, compare_columns, match_pattern
from pipeline.sandbox.odata.tree import (
    Calculation,
    Comparing,
    Comparison,
    Constant,
    FunctionCall,
    Junction,
    Membership,
    Negation,
    Node,
    ODataError,
    OrderTerm,
    Path,
    Quantifier,
    QueryFunction,
    ValueKind,
)

_CALCULATING: Final = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}
_TURNED: Final[Mapping[Comparing, Comparing]] = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_LIKE: Final = {"contains": "%{}%", "startswith": "{}%", "endswith": "%{}"}
_TEXT: Final = {"tolower": "lower", "toupper": "upper", "trim": "trim", "length": "length"}
_PARTS: Final = {
    "year": (1, 4),
    "month": (6, 2),
    "day": (9, 2),
    "hour": (12, 2),
    "minute": (15, 2),
    "second": (18, 2),
}


def compile_condition(node: Node, scope: Scope) -> Sql:
    """A condition for ``WHERE``.

    Raises ``ODataError`` for what cannot be compared or is not supported.
    """
    if isinstance(node, Junction):
        left, right = compile_condition(node.left, scope), compile_condition(node.right, scope)
        return compose(f"({{}} {node.operator.upper()} {{}})", left, right)
    if isinstance(node, Negation):
        return compose("(NOT {})", compile_condition(node.operand, scope))
    return (
        _judge(node, scope)
        if isinstance(node, Comparison | Membership | Quantifier | QueryFunction)
        else _truth(node, scope)
    )


def _judge(node: Comparison | Membership | Quantifier | QueryFunction, scope: Scope) -> Sql:
    match node:
        case Comparison():
            return _comparison(node, scope)
        case Membership():
            return _membership(node, scope)
        case Quantifier():
            return _quantifier(node, scope)
        case QueryFunction():
            return scope.query_function(node.name, node.parameters)
        case _:
            assert_never(node)


def _truth(node: Constant | Path | FunctionCall | Calculation, scope: Scope) -> Sql:
    """A condition without an operator."""
    if isinstance(node, FunctionCall) and node.name in _LIKE:
        return _match_text(node, scope)
    if isinstance(node, Constant) and node.kind is ValueKind.BOOLEAN:
        return Sql(text="1" if node.value else "0")
    if isinstance(node, Path):
        return _flag(node, scope)
    raise ODataError("The $filter expression must evaluate to a single boolean value.")


def compile_ordering(terms: Sequence[OrderTerm], scope: Scope) -> list[Sql]:
    """The terms for ``ORDER BY``, in order, each with its direction.

    Blanks come first, as in SQL Server.
    """
    columns = [
        (scope.column(term.path.names), "DESC" if term.descending else "ASC") for term in terms
    ]
    return [
        Sql(text=f"{make_sort_key(column)} {direction}", values=column.values)
        for column, direction in columns
    ]


def _flag(path: Path, scope: Scope) -> Sql:
    column = scope.column(path.names)
    if column.kind is not ValueKind.BOOLEAN:
        raise ODataError("The $filter expression must evaluate to a single boolean value.")
    return Sql(text=f"({column.sql} = 1)", values=column.values)


def _comparison(node: Comparison, scope: Scope) -> Sql:
    left, right = _operand(node.left, scope), _operand(node.right, scope)
    match left, right:
        case SqlColumn(), Constant():
            return compare(node.operator, left, right)
        case Constant(), SqlColumn():
            return compare(_TURNED.get(node.operator, node.operator), right, left)
        case SqlColumn(), SqlColumn():
            return compare_columns(node.operator, left, right)
        case _:
            raise ODataError("A comparison needs a property on one side at least.")


def _operand(node: Node, scope: Scope) -> SqlColumn | Constant:
    match node:
        case Constant():
            return node
        case Path():
            return scope.column(node.names)
        case FunctionCall():
            return _call(node, scope)
        case Calculation():
            return _calculate(node, scope)
        case _:
            raise ODataError(
                "The operands of a comparison must be properties, functions or values."
            )


def _membership(node: Membership, scope: Scope) -> Sql:
    if not scope.lists:
        raise ODataError("The operator 'in' is not supported.")
    parts = [
        compile_condition(Comparison(operator="eq", left=node.left, right=item), scope)
        for item in node.items
    ]
    return (
        Sql(text="0")
        if not parts
        else compose("(" + " OR ".join(["{}"] * len(parts)) + ")", *parts)
    )


def _quantifier(node: Quantifier, scope: Scope) -> Sql:
    members = scope.members(node.path.names, node.variable)
    inner = Sql(text="1") if node.body is None else compile_condition(node.body, members.scope)
    if node.kind == "any":
        return compose(f"EXISTS (SELECT 1 {members.source} AND {{}})", inner)
    return compose(f"NOT EXISTS (SELECT 1 {members.source} AND NOT coalesce({{}}, 0))", inner)


def _match_text(node: FunctionCall, scope: Scope) -> Sql:
    column, text = _arguments(node, 2, scope)
    if (
        not isinstance(column, SqlColumn)
        or not isinstance(text, Constant)
        or text.kind is not ValueKind.TEXT
    ):
        raise ODataError(f"The function '{node.name}' takes a property and a text.")
    pattern = _LIKE[node.name].format(str(text.value).replace("\\", "\\\\"))
    return match_pattern(column, pattern)


def _arguments(node: FunctionCall, count: int, scope: Scope) -> list[SqlColumn | Constant]:
    if node.name not in scope.functions:
        raise ODataError(
            f"An unknown function with name '{node.name}' was found. "
            "This may also be a function import or a key lookup on a navigation property, which is "
            "not allowed."
        )
    if len(node.arguments) != count:
        raise ODataError(
            f"No function signature for the function with name '{node.name}' matches the specified "
            "arguments."
        )
    return [_operand(argument, scope) for argument in node.arguments]


def _call(node: FunctionCall, scope: Scope) -> SqlColumn:
    (column,) = _arguments(node, 1, scope)
    if not isinstance(column, SqlColumn):
        raise ODataError(f"The function '{node.name}' takes a property.")
    if node.name in _TEXT:
        kind = ValueKind.INTEGER if node.name == "length" else ValueKind.TEXT
        return SqlColumn(sql=f"{_TEXT[node.name]}({column.sql})", kind=kind, values=column.values)
    if node.name in _PARTS:
        start, length = _PARTS[node.name]
        return SqlColumn(
            sql=f"CAST(substr({column.sql},{start},{length}) AS INTEGER)",
            kind=ValueKind.INTEGER,
            values=column.values,
        )
    raise ODataError(f"The function '{node.name}' is not supported.")


def _calculate(node: Calculation, scope: Scope) -> SqlColumn:
    left, right = _operand(node.left, scope), _operand(node.right, scope)
    column = left if isinstance(left, SqlColumn) else right
    if not isinstance(column, SqlColumn):
        raise ODataError("A calculation needs a property on one side at least.")
    texts: list[str] = []
    values: list[SqlValue] = []
    for side in (left, right):
        texts.append("?" if isinstance(side, Constant) else side.sql)
        values += [bind_constant(side, column)] if isinstance(side, Constant) else side.values
    text = f"({texts[0]} {_CALCULATING[node.operator]} {texts[1]})"
    return SqlColumn(sql=text, kind=column.kind, scale=column.scale, values=tuple(values))

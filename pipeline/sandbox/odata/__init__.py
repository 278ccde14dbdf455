"""OData for both twins: URLs and query options → trees.

Conditions → SQL for SQLite, or a judgement of rows in memory. ::

    segments = parse_address("contacts(5f…)/fullname")     # Segment(name, keys), …; ODataError:
    answer 400 with its text query = parse_query(scope["query_string"].decode())     # Query(select,
    filter, orderby, expand, count, top, others, …) where = condition(query.filter, scope)
    # Sql(text, values); names are looked up in your Scope terms = ordering(query.orderby, scope)
    # [Sql, …] for ORDER BY kept = [row for row in rows if holds(query.filter, row)]

A connection must know ``casefold`` (``connection.create_function("casefold", 1, casefold,
deterministic=True)``).
"""

from pipeline.sandbox.odata.address import UNNAMED, Segment, parse_address
from pipeline.sandbox.odata.columns import (
    Column,
    Members,
    Scope,
    Sql,
    SqlValue,
    bound,
    casefold,
    compose,
    guid_key,
    guid_text_key,
    sort_key,
    timestamp_text,
)
from pipeline.sandbox.odata.conditions import parse_constant, parse_filter, parse_orderby
from pipeline.sandbox.odata.constants import timestamp
from pipeline.sandbox.odata.evaluate import holds
from pipeline.sandbox.odata.options import pairs, parse_expand, parse_query, query_of, split
from pipeline.sandbox.odata.sql import condition, ordering
from pipeline.sandbox.odata.tree import (
    Constant,
    Expand,
    Kind,
    Node,
    ODataError,
    Order,
    Path,
    Query,
    Scalar,
)

__all__ = [
    "UNNAMED", "Column", "Constant", "Expand", "Kind", "Members", "Node", "ODataError", "Order", "Path", "Query", "Scalar",
    "Scope", "Segment", "Sql", "SqlValue", "bound", "casefold", "compose", "condition", "guid_key", "guid_text_key", "holds",
    "ordering", "pairs", "parse_address", "parse_constant", "parse_expand", "parse_filter", "parse_orderby", "parse_query",
    "query_of", "sort_key", "split", "timestamp", "timestamp_text",
]  # fmt: skip

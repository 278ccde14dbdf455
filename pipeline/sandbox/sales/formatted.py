"""``FormattedValue``: what an en-us user in UTC sees, as SQL that gives JSON text.

Null where the column is null.
"""

from __future__ import annotations

from pipeline.sandbox.sales.schema import TABLES, ColumnType, SalesColumn, SalesTable


def compile_formatted(table: SalesTable, column: SalesColumn, alias: str) -> str | None:
    """The formatted value of a column, none for columns that have none."""
    name = f"{alias}.{column.name}"
    match column.type:
        case ColumnType.FLAG | ColumnType.CHOICE | ColumnType.STATE | ColumnType.STATUS:
            return _label(column, name)
        case ColumnType.LOOKUP:
            return _target_name(column, alias)
        case ColumnType.MONEY | ColumnType.DECIMAL:
            return _amount(table, column, alias)
        case ColumnType.INTEGER | ColumnType.BIGINT:
            return f"CASE WHEN {name} IS NOT NULL THEN '\"'||printf('%,d',{name})||'\"' END"
        case ColumnType.DATE | ColumnType.TIME:
            return _moment(name, with_time=column.type is ColumnType.TIME)
        case _:
            return None


def _label(column: SalesColumn, name: str) -> str:
    cases = " ".join(
        f"WHEN {value} THEN '\"{option.label.replace(chr(39), chr(39) * 2)}\"'"
        for value, option in column.options.items()
    )
    return f"CASE {name} {cases} END"


def _target_name(column: SalesColumn, alias: str) -> str:
    found = []
    for target in column.targets:
        other = TABLES[target]
        query = (
            f"(SELECT json_quote(n.{other.primary_name}) FROM {target} AS n WHERE n.{other.id} = "
            f"{alias}.{column.name})"
        )
        found.append(
            f"WHEN {alias}.{column.type_name} = '{target}' THEN {query}"
            if column.polymorphic
            else query
        )
    return f"CASE {' '.join(found)} END" if column.polymorphic else found[0]


def _amount(table: SalesTable, column: SalesColumn, alias: str) -> str:
    """Thousands parted by commas; money has two decimals and the row's currency before it."""
    name, unit = f"{alias}.{column.name}", 10**column.digits
    shown = 2 if column.type is ColumnType.MONEY else column.digits
    fraction = f"printf('.%0{shown}d', abs({name}) % {unit} / {10 ** (column.digits - shown)})"
    symbol = "''"
    if column.type is ColumnType.MONEY and "transactioncurrencyid" in table.columns:
        where = f"c.transactioncurrencyid = {alias}.transactioncurrencyid"
        symbol = (
            f"coalesce((SELECT c.currencysymbol FROM transactioncurrency AS c WHERE {where}), '$')"
        )
    sign = f"CASE WHEN {name} < 0 THEN '-' ELSE '' END"
    text = f"{sign}||{symbol}||printf('%,d', abs({name}) / {unit})||{fraction}"
    return f"CASE WHEN {name} IS NOT NULL THEN json_quote({text}) END"


def _moment(name: str, *, with_time: bool) -> str:
    parts = [
        f"ltrim(substr({name},6,2),'0')",
        f"ltrim(substr({name},9,2),'0')",
        f"substr({name},1,4)",
    ]
    text = "||'/'||".join(parts)
    if with_time:
        hour = f"CAST(substr({name},12,2) AS INTEGER)"
        text += (
            f"||' '||(({hour}+11)%12+1)||':'||substr({name},15,2)||CASE WHEN {hour}<12 THEN ' AM' "
            "ELSE ' PM' END"
        )
    return f"'\"'||{text}||'\"'"

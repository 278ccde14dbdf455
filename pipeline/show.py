"""Templates and codes as readable tables: a mapping looks as it does on the mapping page of Data Integrator."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.mapping.template import FieldRow, OnUnknown, Template
from schemas.catalogue import OnTooLong
from schemas.codes import catalogue
from schemas.sales import TABLES
from schemas.scm import ENTITIES

_KEYS_SHOWN = 6


def symbol(row: FieldRow) -> str:
    """``=`` where the value is copied, ``Fn`` where a transform stands between."""
    rule = row.row
    has_default = rule.default is not None or rule.default_setting is not None
    return "Fn" if rule.country or rule.state or rule.value_map is not None or has_default else "="


def transform_text(row: FieldRow) -> str:
    """What a row does to its value, in words."""
    rule = row.row
    parts: list[str] = []
    if rule.country:
        parts.append("country → ISO-2")
    if rule.state:
        parts.append("state → ISO 3166-2")
    if rule.value_map is not None:
        pairs = [f"{key or 'blank'} → {value or 'blank'}" for key, value in rule.value_map.items()]
        more = f", and {len(pairs) - _KEYS_SHOWN} more" if len(pairs) > _KEYS_SHOWN else ""
        parts.append(", ".join(pairs[:_KEYS_SHOWN]) + more)
    if rule.on_unknown is not OnUnknown.REJECT:
        parts.append(f"unknown: {rule.on_unknown.value}")
    if rule.default is not None:
        parts.append(f"default {rule.default}")
    if rule.default_setting is not None:
        parts.append(f"default from {rule.default_setting}")
    if rule.max_length is not None:
        parts.append(f"at most {rule.max_length}")
    if rule.on_too_long is not None and rule.on_too_long is not OnTooLong.REJECT:
        parts.append(f"too long: {rule.on_too_long.value}")
    return "; ".join(parts)


def _source(template: Template, row: FieldRow) -> str:
    name = row.row.source
    if name is None:
        return "None"
    field = TABLES[template.source].field(name)
    return f"{name} ({field.label})" if field is not None and field.label else name


def template_items(template: Template) -> list[dict[str, Any]]:
    """The rows of a template for ``--json``."""
    return [
        {
            "number": number,
            "source": row.row.source,
            "label": _source(template, row),
            "map": symbol(row),
            "destination": row.destination,
            "transform": transform_text(row),
            "changed": sorted(row.changed),
            "added": row.added,
        }
        for number, row in enumerate(template.rows, start=1)
    ]


def templates_table(template: Template, console: Console) -> None:
    """One template as a table; rows that the project changed carry ``*``, rows that it added ``+``."""
    entity = ENTITIES[template.entity]
    console.print(Text(template.name, style="bold"))
    console.print(Text(f"task {template.task}: Sales.{template.source} → {entity.name} ({entity.odata_set})"))
    table = Table(show_lines=False, pad_edge=False, box=None, padding=(0, 1), header_style="bold")
    for heading, right in (
        ("#", True),
        ("Source", False),
        ("Map", False),
        ("Destination", False),
        ("Transform", False),
    ):
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for number, row in enumerate(template.rows, start=1):
        mark = "+" if row.added else "*" if row.changed else ""
        cells = (f"{number}{mark}", _source(template, row), symbol(row), row.destination, transform_text(row))
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    if any(row.changed or row.added for row in template.rows):
        console.print(Text("* changed by the project, + added by the project"))
    if template.removed:
        console.print(Text(f"left unmapped by the project: {', '.join(template.removed)}"))


def code_items() -> list[dict[str, Any]]:
    """The catalogue of codes for ``--json``."""
    return [
        {
            "code": one.code,
            "gate": one.gate,
            "decision": one.decision,
            "severity": one.severity,
            "sentence": one.sentence,
            "advice": one.advice,
        }
        for one in catalogue().values()
    ]


def codes_table(console: Console) -> None:
    """The catalogue of codes as a table."""
    table = Table(show_lines=False, pad_edge=False, box=None, padding=(0, 1), header_style="bold")
    for heading in ("Gate", "Code", "Makes", "Meaning, and what to do"):
        table.add_column(heading, overflow="fold")
    for one in catalogue().values():
        makes = one.decision or one.severity or ""
        cells = (str(one.gate or ""), one.code, makes, f"{one.sentence} {one.advice}")
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)

"""Templates and codes as tables; a mapping looks like the mapping page of Data Integrator."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.mapping.template import (
    SHIPPED,
    FieldRow,
    MappingRow,
    OnBlank,
    OnUnknown,
    Template,
    load_shipped,
)
from pipeline.show.run_text import fit_terminal, plain_sentence
from schemas.catalogue import OnTooLong
from schemas.codes import load_codes
from schemas.sales import TABLES
from schemas.scm import ENTITIES

_PAIRS_SHOWN: Final = 6


def choose_symbol(row: FieldRow) -> str:
    """``=`` where the value is copied, ``Fn`` where a transform stands between."""
    rule = row.row
    has_default = rule.default is not None or rule.default_setting is not None
    return "Fn" if rule.country or rule.state or rule.value_map is not None or has_default else "="


def describe_transform(row: FieldRow) -> str:
    """What a row does to its value, in words and in order."""
    rule = row.row
    parts: list[str] = []
    if rule.country:
        parts.append("country → ISO-2")
    if rule.state:
        parts.append("state → ISO 3166-2")
    if rule.value_map is not None:
        parts.append(_render_pairs(rule))
    if rule.on_unknown is not OnUnknown.REJECT:
        parts.append(f"unknown: {rule.on_unknown.value}")
    if rule.default is not None:
        parts.append(f"default {rule.default or 'blank'}")
    if rule.default_setting is not None:
        parts.append(f"default from {rule.default_setting}")
    if rule.max_length is not None:
        parts.append(f"at most {rule.max_length}")
    if rule.on_too_long is not None and rule.on_too_long is not OnTooLong.REJECT:
        parts.append(f"too long: {rule.on_too_long.value}")
    if rule.on_blank is OnBlank.KEEP:
        parts.append("blank: keep")
    return "; ".join(parts)


def _render_pairs(rule: MappingRow) -> str:
    pairs = [
        f"{fit_terminal(key) or 'blank'} → {fit_terminal(value) or 'blank'}"
        for key, value in (rule.value_map or {}).items()
    ]
    more = f", and {len(pairs) - _PAIRS_SHOWN:,} more" if len(pairs) > _PAIRS_SHOWN else ""
    file = f" (with {rule.value_map_file})" if rule.value_map_file else ""
    return ", ".join(pairs[:_PAIRS_SHOWN]) + more + file


def _name_source(template: Template, row: FieldRow) -> str:
    name = row.row.source
    if name is None:
        return "None"
    field = TABLES[template.source].field(name)
    return f"{name} ({field.label})" if field is not None and field.label else name


def list_template_rows(template: Template) -> list[Mapping[str, object]]:
    """The rows of a template for ``--json``."""
    return [
        {
            "number": number,
            "source": row.row.source,
            "label": _name_source(template, row),
            "map": choose_symbol(row),
            "destination": row.destination,
            "transform": describe_transform(row),
            "changed": sorted(row.changed),
            "added": row.added,
        }
        for number, row in enumerate(template.rows, start=1)
    ]


def render_templates(templates: Iterable[Template]) -> str:
    """All templates, two lines each."""
    lines = []
    for one in templates:
        touched = sum(bool(row.changed or row.added) for row in one.rows) + len(one.removed)
        marked = f", {touched} of them changed by the project" if touched else ""
        lines.append(
            f"{one.task:<18} {len(one.rows)} rows{marked}  Sales.{one.source} → {one.entity}\n  "
            f"{one.name}"
        )
    return "\n".join(lines)


def render_template(template: Template, width: int) -> str:
    """One template as a table.

    Rows that the project changed carry ``*``, rows that it added ``+``.
    """
    entity = ENTITIES[template.entity]
    rows = [
        (
            f"{number}",
            "+" if row.added else "*" if row.changed else "",
            _name_source(template, row),
            choose_symbol(row),
            row.destination,
            describe_transform(row),
        )
        for number, row in enumerate(template.rows, start=1)
    ]
    lines = [
        template.name,
        f"task {template.task}: Sales.{template.source} → {entity.name} ({entity.odata_set})",
        "",
        _render_table(("#", "", "Source", "Map", "Destination", "Transform"), rows, width, right=0),
    ]
    lines += _render_changes(template)
    lines += ["+ added by the project"] if any(row.added for row in template.rows) else []
    lines += (
        [f"- left unmapped by the project: {', '.join(template.removed)}"]
        if template.removed
        else []
    )
    return "\n".join(lines)


def _render_changes(template: Template) -> list[str]:
    """What the project changed in shipped rows, and what they are without it."""
    before = next(one for one in map(load_shipped, SHIPPED) if one.task == template.task)
    lines = []
    for row in template.rows:
        was = before.row(row.destination)
        if row.changed and was is not None:
            parts = (was.row.source or "None", choose_symbol(was), describe_transform(was))
            ships = " ".join(parts).rstrip()
            lines.append(
                f"* {row.destination}: the project sets {', '.join(sorted(row.changed))}; "
                f"without it: {ships}"
            )
    return lines


def list_code_items() -> list[Mapping[str, object]]:
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
        for one in load_codes().values()
    ]


def render_codes(width: int) -> str:
    """The catalogue of codes as a table."""
    rows = [
        (
            str(one.gate or ""),
            one.code,
            str(one.decision or one.severity or ""),
            f"{plain_sentence(one.sentence)} {one.advice}",
        )
        for one in load_codes().values()
    ]
    return _render_table(("Gate", "Code", "Makes", "Meaning, and what to do"), rows, width)


def _render_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], width: int, *, right: int | None = None
) -> str:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place == right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    drawn = io.StringIO()
    Console(width=width, file=drawn, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines())

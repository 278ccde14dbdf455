"""The page of mappings: the shipped templates, row by row, as the Data Integrator shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipeline.mapping.template import SHIPPED, Template, load_shipped
from pipeline.show.markdown import mark_code, render_markdown_table
from pipeline.show.templates import list_template_rows
from schemas.scm import ENTITIES

_HEAD: Final = """\
# Shipped mappings

<!-- Written by `python -m pipeline.manual`. Change pipeline/templates. -->

The two templates, row by row and in the order in which the Data Integrator shows them.
[p2c and the Data Integrator](../explanation/data-integrator.md) compares the two.
`p2c templates ContactToCustomer` prints one with what your project changed;
[templates](../how-to/templates.md) says how to change a row.

`=` copies the value, `Fn` changes it. *Length* is what a standard SCM takes. Microsoft publishes
the columns, and of the values only the customer group and the language. The other values are ours:
gender, marital status, direct mail, inactive, party type, and whether SCM may change the record.
Compare them with your own project of the Data Integrator.
"""


def render_mappings_page() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *(_render_template(load_shipped(name)) for name in SHIPPED)])


def _render_template(template: Template) -> str:
    entity = ENTITIES[template.entity]
    table = render_markdown_table(
        ("#", "Source", "Map", "Destination", "Length", "Transform"), _list_lines(template)
    )
    return (
        f"## {template.task}\n\n{template.name}: Sales.{template.source} → {entity.name}\n\n{table}"
    )


def _list_lines(template: Template) -> Iterator[tuple[str, ...]]:
    entity = ENTITIES[template.entity]
    for row in list_template_rows(template):
        destination = str(row["destination"])
        column = entity.column(destination)
        yield (
            str(row["number"]),
            str(row["label"]),
            str(row["map"]),
            mark_code(destination),
            str(column.length or "") if column is not None else "",
            str(row["transform"]),
        )

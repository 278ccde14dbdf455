"""Facts → one HTML page: without scripts, loads nothing, escaped throughout, never over 2 MB."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

import jinja2
from markupsafe import Markup

from pipeline.report import flow, throughput
from pipeline.report.facts import PageFacts
from pipeline.report.tables import Batch
from pipeline.show.visible import make_visible

LIMIT: Final = 2_000_000
"""Bytes that a page may have."""

_ROWS: Final = (500, 100, 25, 5)
"""How many rows of a long list are shown; the next number is tried when the page is too long."""

_TEXT: Final = (400, 120)


def render_report(facts: PageFacts) -> str:
    """The page as text. Equal facts give equal pages: it reads no clock."""
    for rows, longest in zip(_ROWS, (*_TEXT, *_TEXT[1:] * (len(_ROWS) - len(_TEXT))), strict=True):
        page = _render_page(facts, rows, longest)
        if len(page.encode()) <= LIMIT:
            return page
    raise ValueError("the page is over its limit with every list cut short")


def _render_page(facts: PageFacts, rows: int, longest: int) -> str:
    found = throughput.bin_spans(facts.spans)
    style = files("pipeline.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        _build_environment(longest)
        .get_template("page.html")
        .render(
            facts=facts,
            limit=rows,
            style=Markup(style),  # noqa: S704 - our own file
            flow=_draw_flow(facts),
            throughput=None
            if found is None
            else throughput.draw_throughput(found, title="Rows per second over time"),
            throughput_text="" if found is None else throughput.describe_throughput(found),
        )
    )


def _draw_flow(facts: PageFacts) -> Markup | None:
    if not facts.columns:
        return None
    described = "; ".join(
        f"{column.heading}: " + ", ".join(f"{node.rows:,} {node.name}" for node in column.nodes)
        for column in facts.columns
    )
    return flow.draw_flow(
        facts.columns, facts.links, title="Where every row went", description=f"{described}."
    )


@cache
def _build_environment(longest: int) -> jinja2.Environment:
    """An environment that escapes, shows control and direction characters, and cuts long text."""

    def safe(value: object) -> object:
        if value is None:
            return ""
        if isinstance(value, Markup) or not isinstance(value, str):
            return value
        text = make_visible(value[: longest + 1])
        return text if len(text) <= longest else f"{text[:longest]}…"

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _format_figure
    environment.filters["moment"] = _format_moment
    environment.filters["seconds"] = _format_seconds
    return environment


def _format_figure(value: float | None) -> str:
    """A number with thousands separators; blank for null."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _format_moment(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def _format_seconds(batch: Batch) -> str:
    """How long a batch took, where both ends are known."""
    if batch["sent_at"] is None or batch["finished_at"] is None:
        return ""
    return throughput.format_duration((batch["finished_at"] - batch["sent_at"]).total_seconds())

"""Facts → one HTML page: without scripts, loads nothing, escaped throughout, never over 2 MB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from pipeline.report import flow
from pipeline.report.annex import list_sections
from pipeline.report.blocks import count_things
from pipeline.report.causes import Cause
from pipeline.report.environment import build_environment, read_style
from pipeline.report.facts import PageFacts

LIMIT: Final = 2_000_000
"""Bytes that a page may have."""

_ROWS: Final = (500, 100, 25, 5)
"""How many rows of a long list are shown; the next number is tried when the page is too long."""

_TEXT: Final = (400, 120)
_SHOWN: Final = 5
"""How many causes are shown before the others fold away."""


def render_report(facts: PageFacts) -> str:
    """The page as text. Equal facts give equal pages: it reads no clock."""
    for rows, longest in zip(_ROWS, (*_TEXT, *_TEXT[1:] * (len(_ROWS) - len(_TEXT))), strict=True):
        page = _render_page(facts, rows, longest)
        if len(page.encode()) <= LIMIT:
            return page
    raise ValueError("the page is over its limit with every list cut short")


def _render_page(facts: PageFacts, rows: int, longest: int) -> str:
    urgent = [one for one in facts.causes if one.place in ("first", "fix")]
    return (
        build_environment(longest)
        .get_template("page.html")
        .render(
            facts=facts,
            limit=rows,
            style=read_style(),
            urgent=urgent,
            urgent_more=_name_rest(urgent[_SHOWN:]),
            shown=_SHOWN,
            flow=_draw_flow(facts),
            most=max((one.rows for column in facts.columns for one in column.nodes), default=0)
            or 1,
            sections=list_sections(facts),
        )
    )


def _name_rest(others: Sequence[Cause]) -> str:
    """What folds away below the first causes."""
    contacts = sum(one.rows for one in others if one.place == "fix")
    return f"{count_things(len(others), 'further cause')}, {count_things(contacts, 'contact')}"


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

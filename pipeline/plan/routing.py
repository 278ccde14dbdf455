"""What routing goes by: the settings, what was asked for, and what is known from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.extract.landing import LandedTable
from pipeline.mapping.compile import CompiledTemplate
from pipeline.mapping.paths import CURRENCY, PATHS, name_text_column
from pipeline.plan.only import read_only_ids
from pipeline.plan.prepare import Routing
from pipeline.plan.request import Planning
from pipeline.run.memory import list_whole_memories
from pipeline.transform.identify import RAW
from schemas.catalogue import ColumnKind, Type
from schemas.sales import CONTACTS

_SMALL: Final = 10_000
"""Rows of a small table."""


def make_routing(planning: Planning) -> Routing:
    """What the plan was asked for and knows from elsewhere, as far as routing needs it."""
    settings, request = planning.project.settings, planning.request
    contacts = planning.source.landed[CONTACTS.name]
    has_numbers = any(one.columns is None for one in contacts.sources)
    is_text = contacts.lookups_are_names or not has_numbers
    own = _list_own(planning.mappings.values(), has_amounts=is_text)
    return Routing(
        legal_entity=settings.destination.legal_entity,
        organizations=settings.organizations,
        filter=settings.source.filter,
        hold_blank_flags=settings.source.flag_blank == "hold",
        number_pattern=settings.source.contact_number_pattern,
        take_over=request.take_over,
        lookups_are_names=contacts.lookups_are_names,
        only=None if request.only is None else read_only_ids(request.only),
        known_customers=planning.destination.customers,
        known_persons=planning.destination.persons,
        known_prospects=planning.destination.prospects,
        loaded=list_whole_memories(planning.runs, settings.destination.name),
        said=_list_said(planning.mappings),
        direct=(*list_direct(planning.mappings.values()), *own),
        own=own,
        with_currency=[name for name, one in planning.mappings.items() if CURRENCY in one.sources],
        labels=settings.labels,
        month_first=list_month_first(planning.source.landed),
    )


def list_month_first(landed: Mapping[str, LandedTable]) -> tuple[str, ...]:
    """Tables that were written by what is known to put the month before the day."""
    return tuple(name for name, table in landed.items() if table.month_first)


def list_small(landed: Mapping[str, LandedTable], rows: int) -> set[str]:
    """Tables that one morsel of ``rows`` has room for, and that are small at all."""
    return {name for name, table in landed.items() if table.rows <= min(rows, _SMALL)}


def list_direct(mappings: Iterable[CompiledTemplate]) -> tuple[str, ...]:
    """Typed columns of contacts that some task takes as they are read; ids are taken as written."""
    typed = {one.name for one in CONTACTS.fields if one.type not in (Type.TEXT, Type.GUID)}
    sources = {one.direct_source for mapping in mappings for one in mapping.targets}
    return tuple(sorted(name for name in sources if name in typed))


def _list_own(mappings: Iterable[CompiledTemplate], *, has_amounts: bool) -> dict[str, Type]:
    """The project's own columns of contacts that become amounts, or times, and nothing else.

    ``has_amounts``: amounts need a proof. In JSON they are numbers, whose point needs none.
    """
    known = {one.name for one in CONTACTS.fields}
    kinds: dict[str, set[ColumnKind]] = {}
    for one in (target for mapping in mappings for target in mapping.targets):
        source = one.row.row.source
        if source is not None and source not in known and "." not in source:
            kind = one.column.kind if one.direct_source else ColumnKind.TEXT
            kinds.setdefault(source, set()).add(kind)
    proved = {ColumnKind.TIMESTAMP: Type.TIMESTAMP}
    proved |= {ColumnKind.DECIMAL: Type.DECIMAL} if has_amounts else {}
    return {
        name: proved[kind]
        for name, found in sorted(kinds.items())
        for kind in found
        if found == {kind} and kind in proved
    }


def _list_said(mappings: Mapping[str, CompiledTemplate]) -> tuple[str, ...]:
    """What mapping and decisions need of contacts as text."""
    sources = {name for one in mappings.values() for name in one.sources if name not in PATHS}
    return (*RAW, *(name_text_column(name) for name in sorted(sources)))

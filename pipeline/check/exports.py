"""What ``check`` says of a folder of exports: what a plan of it would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pipeline.extract.landing import LandedTable
from pipeline.plan.counted_values import list_named
from pipeline.plan.rehearse import Rehearsal
from pipeline.project.resolve import Project
from pipeline.run.findings import RunFinding
from pipeline.run.summary import NamedValues
from pipeline.scm.look import Item
from pipeline.show.named import explain_repair, list_values, merge_columns
from pipeline.show.run_text import plain_sentence
from pipeline.show.visible import make_visible
from pipeline.transform.named import name_units
from schemas.codes import find_code

_NOTES: Final = (
    "column_missing",
    "default_used",
    "flag_null",
    "site_missing",
    "warehouse_missing",
    "language_missing",
    "packages_split",
    "known_customers_empty",
)
"""Warnings of a plan that leave a choice open."""

_ELSEWHERE: Final = ("row_unreadable", "accounts_assumed", "reference_unread")
"""Findings that other lines of ``check`` are about."""

_OF_THE_RUN: Final = ("legal_entity_unmapped", "currency_not_found")
"""Reasons that a setting or a missing table is behind, however few contacts have them."""

_LARGE: Final = 10
"""A reason that stops one contact in so many is no matter of single contacts."""

_MOST: Final = 20
"""So many business units are listed, and findings of the run that are about one kind of thing."""


def describe_exports(project: Project, rehearsal: Rehearsal) -> Iterator[Item]:
    """Tables, filter, findings of the run, business units, and where contacts would go."""
    landed = rehearsal.counted.landed
    yield from map(_describe_table, landed.values())
    yield from _list_missing(project, landed)
    if project.settings.source.filter is not None:
        yield "source.filter", "ok", "is a valid condition on the columns of contacts"
    doubts = {one.code for one in rehearsal.destination.findings}
    told = [
        _describe_finding(one)
        for one in rehearsal.counted.findings
        if one.code not in doubts and one.code not in _ELSEWHERE
    ]
    yield from _tell_once(told)
    if rehearsal.room is not None:
        yield "room", "ok", rehearsal.room.sentence
    yield from _list_units(project, rehearsal)
    yield from _list_decisions(rehearsal)


def _tell_once(items: Iterable[Item]) -> Iterator[Item]:
    """Each item once, with how often it came, and the first few of many that are alike."""
    shown = Counter[str]()
    more = Counter[tuple[str, str]]()
    for (what, level, text), times in Counter(items).items():
        shown[what] += 1
        if shown[what] > _MOST:
            more[what, level] += times
        else:
            yield what, level, f"{text} ({times:,} times)" if times > 1 else text
    for (what, level), times in more.items():
        yield what, level, f"{times:,} more like it"


def _describe_table(table: LandedTable) -> Item:
    rows = "1 row" if table.rows == 1 else f"{table.rows:,} rows"
    text = f"{rows}, {len(table.columns)} known columns"
    if not table.unreadable:
        return f"table {table.table}", "ok", text
    first, lost = table.unreadable[0], len(table.unreadable)
    place = f"{first.source_file} line {first.source_line}"
    return (
        f"table {table.table}",
        "warning",
        f"{text}; {lost:,} cannot be read, the first in {place}: {first.detail}",
    )


def _list_missing(project: Project, landed: Mapping[str, LandedTable]) -> Iterator[Item]:
    if "accounts" not in landed:
        yield "table accounts", "warning", "is missing; contacts with a company need it"
    if project.settings.organizations and "businessunits" not in landed:
        text = "is missing; the names in [organizations] cannot be checked without it"
        yield "table businessunits", "warning", text


def _describe_finding(one: RunFinding) -> Item:
    """A finding of the run: about a file, words for null, or the plan as a whole."""
    code = find_code(one.code)
    message = code.message(column=one.column, detail=one.detail)
    of_file = one.source_file is not None or one.code in ("column_missing", "file_ignored")
    what = (
        f"source {one.source_file or 'folder'}"
        if of_file
        else "words for null"
        if one.code == "null_word_read"
        else one.code
    )
    is_note = one.code in _NOTES or code.severity is None
    advice = "" if of_file or what == "words for null" else f" {code.advice}"
    return what, "note" if is_note else "warning", f"{message}{advice}"


def _list_units(project: Project, rehearsal: Rehearsal) -> Iterator[Item]:
    """The business units of contacts, most contacts first, and where each goes."""
    organizations = project.settings.organizations
    names = rehearsal.counted.units
    entities = {
        unit: entity
        for key, entity in organizations.items()
        for unit in name_units({key: 1}, names)
    }
    default = project.settings.destination.legal_entity
    if set(rehearsal.units) <= {""} and not organizations:
        return
    for unit, contacts in list(rehearsal.units.items())[:_MOST]:
        what = f"business unit {make_visible(unit)}" if unit else "no business unit"
        count = f"{contacts:,} contact{'' if contacts == 1 else 's'}"
        entity = entities.get(unit, default)
        if entity is None:
            yield what, "warning", f"{count}; it has no legal entity in [organizations]"
        else:
            yield what, "ok", f"{count}, legal entity {entity}"
    if len(rehearsal.units) > _MOST:
        more = len(rehearsal.units) - _MOST
        yield "business units", "note", f"{more:,} more, each with fewer contacts"


def _list_decisions(rehearsal: Rehearsal) -> Iterator[Item]:
    tally = rehearsal.counted.tally
    contacts = sum(tally.decisions.values())
    counts = {name: tally.decisions[name] for name in ("customer", "contact", "skipped")}
    told = (
        f"a plan makes {counts['customer']:,} of them customers and {counts['contact']:,} contact "
        f"persons, skips {counts['skipped']:,}, holds {tally.decisions['held']:,} and rejects "
        f"{tally.decisions['rejected']:,}"
    )
    yield "contacts", "ok", f"{contacts:,}; {told}"
    stopped = [
        (rows, decision, reason)
        for (decision, reason), rows in tally.reasons.items()
        if decision in ("held", "rejected")
    ]
    for rows, decision, reason in sorted(stopped, reverse=True):
        is_large = reason in _OF_THE_RUN or rows * _LARGE >= contacts
        named = [
            one
            for one in list_named(rehearsal.counted.tally, rehearsal.counted.units)
            if one.code == reason
        ]
        yield (
            f"{decision} {reason}",
            "warning" if is_large else "note",
            _explain_reason(reason, rows, named),
        )


def _explain_reason(reason: str, rows: int, named: list[NamedValues]) -> str:
    code = find_code(reason)
    count = f"{rows:,} contact{'' if rows == 1 else 's'}"
    values = [
        f"{one.column}: {', '.join(list_values(one))}. {explain_repair(one)}".strip()
        for one in merge_columns(named)
        if one.values
    ]
    return " ".join([f"{count}. {plain_sentence(code.sentence)}", *values, code.advice])

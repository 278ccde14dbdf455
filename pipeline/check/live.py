"""``check`` against live systems: does the login work, and is everything there that a plan needs?

One error lists all problems.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pipeline.check.destination import check_scm
from pipeline.errors import (
    ConfigurationError,
    P2cError,
    RequestRefused,
    Stopped,
    count_of,
    list_problems,
)
from pipeline.extract.dataverse.columns import choose_columns
from pipeline.plan.source import ROUTING_TABLES, list_mapped_columns
from pipeline.project.resolve import Project
from pipeline.project.systems import connect_sales
from pipeline.scm.look import Item
from pipeline.suggest import suggest_nearest
from pipeline.wire.dataverse import Sales
from schemas.catalogue import Table
from schemas.sales import ACCOUNTS, CONTACTS, TABLES

_NOT_THERE: Final = 404


def check_live(project: Project) -> list[Item]:
    """What was looked at in Sales and SCM, as far as the project has them.

    Raises:
        ConfigurationError: something is missing or wrong in one of them or in both.
        Stopped: one of them cannot be reached or fails. What is wrong with the other one is in the
            error, too.
    """
    found: list[Item] = []
    failed: list[P2cError] = []
    looks: list[Callable[[Project], list[Item]]] = []
    if project.sales is not None:
        looks.append(_check_sales)
    if project.scm is not None:
        looks.append(check_scm)
    for one in looks:
        try:
            found += one(project)
        except P2cError as error:
            failed.append(error)
    if failed:
        raise _join_failures(failed)
    return found


def _join_failures(failed: Sequence[P2cError]) -> P2cError:
    """The failures of both systems as one.

    A system that failed outranks a mistake in the project.
    """
    if len(failed) == 1:
        return failed[0]
    text = list_problems([str(one) for one in failed])
    return (
        Stopped(text)
        if any(one.exit_code == Stopped.exit_code for one in failed)
        else ConfigurationError(text)
    )


def _check_sales(project: Project) -> list[Item]:
    with connect_sales(project) as sales:
        organization = sales.organization()
        found: list[Item] = [
            ("Sales", "ok", f"{sales.system.label}, organization {organization.name_and_id}")
        ]
        wrong: list[str] = []
        for name in ROUTING_TABLES:
            table = TABLES[name]
            there = _read_columns(sales, table)
            if there is None:
                found.append((f"table {name}", *_describe_absent(table)))
                continue
            lacking = list(_list_lacking(table, there, project))
            wrong += lacking
            sales.try_read(table.name, table.key)
            found.append(
                (f"table {name}", "ok", f"{count_of(len(there), 'column')}, rows can be read")
            )
    if wrong:
        raise ConfigurationError(list_problems(wrong), where=sales.system.label)
    return found


def _read_columns(sales: Sales, table: Table) -> dict[str, str] | None:
    """The table's columns; null if this Sales has no such table."""
    try:
        return sales.columns(table.singular)
    except RequestRefused as refused:
        if refused.status != _NOT_THERE or table is CONTACTS:
            raise
        return None


def _describe_absent(table: Table) -> tuple[str, str]:
    if table is ACCOUNTS:
        return "warning", "is missing; contacts with a company need it"
    return "note", "is not there; the plan works without it"


def _list_lacking(table: Table, there: dict[str, str], project: Project) -> Iterator[str]:
    """A sentence for each column that a plan asks for and that is missing."""
    mapped = sorted(list_mapped_columns(project)) if table is CONTACTS else []
    for wire in choose_columns(table, mapped, spelled=there).wire_names:
        name = wire.partition("@")[0]
        plain = name.removeprefix("_").removesuffix("_value") if name.startswith("_") else name
        if plain not in there:
            hint = suggest_nearest(plain, there)
            if plain.startswith("msdynce_") and not hint:
                hint = " Is the solution Prospect to Cash installed there?"
            yield (
                f"table {table.name} has no column "
                f"'{plain}'.{hint or ' Check the name in the project and its templates.'}"
            )

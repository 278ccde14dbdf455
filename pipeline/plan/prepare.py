"""Before the contacts stream by once: everything that needs a look at the whole table, kept small.

Landed tables come in as views ``<table>_landed``; out come the relations that
``sql/plan/route.sql`` reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import duckdb
import polars as pl
from pandera.errors import SchemaErrors

from pipeline.errors import (
    ConfigurationError,
    InvariantBroken,
    SourceError,
    count_of,
    list_problems,
)
from pipeline.plan.declare import (
    READING,
    ColumnUse,
    DeclaredTable,
    add_unread_customers,
    declare_table,
    list_words,
    refuse_doubtful,
    report_doubts,
)
from pipeline.plan.lookups import find_numbered, resolve_names, take_lookups_by_id
from pipeline.plan.marking import (
    collect_marks,
    count_hashes,
    find_misplaced,
    hash_contacts,
    store_suspects,
)
from pipeline.plan.states import (
    DOCUMENTS,
    add_unreadable_states,
    choose_rows,
    count_documents,
    leave_out,
    name_declared,
)
from pipeline.run.findings import RunFinding
from pipeline.suggest import suggest_nearest
from schemas import sales
from schemas.catalogue import Table, Type
from schemas.labels import Labels, name_members
from sql.query import query
from sql.session import Session

_NO_ROWS: Final = pl.Series("source_row", [], pl.Int64)
_CUSTOMERS: Final = ("CustomerAccount", "PartyNumber", "dataAreaId")
_PERSONS: Final = ("dataAreaId", "ContactPersonPartyNumber", "AssociatedPartyNumber")
_LOADED: Final = pl.Schema({"destination_key": pl.String, "row_hash": pl.String})
_SIDE_TABLES: Final = (
    (sales.ACCOUNTS, "account_rows_left_out"),
    (sales.TRANSACTIONCURRENCIES, "currency_rows_left_out"),
    (sales.BUSINESSUNITS, "unit_rows_left_out"),
    (sales.P2CAUTONUMBERS, "counter_rows_left_out"),
)
"""Table → the relation of its rows that do not count."""
_ONLY: Final = pl.Schema({"contactid": pl.String, "number": pl.String, "line": pl.Int64})
_REPEATS: Final = {
    "contacts": "contact_states",
    **{table.name: left_out for table, left_out in _SIDE_TABLES},
    **{table.name: f"{table.name}_left_out" for table in DOCUMENTS},
}
"""Table → a relation that has rows if one of its ids has several rows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Routing:
    """What the plan was asked for, as far as routing needs it."""

    legal_entity: str | None
    organizations: Mapping[str, str]
    filter: str | None
    hold_blank_flags: bool
    number_pattern: str
    take_over: bool = False
    lookups_are_names: bool = False
    """Whether contacts come from a form that writes names in lookups: a name that gives no account
    holds the contact then, and rejects it otherwise."""
    is_routed: bool = True
    """Whether contacts will be routed: who shares a number, and who has documents, is looked for.
    """
    only: pl.DataFrame | None = None
    """``contactid`` and ``line`` of the contacts that were asked for."""
    known_customers: Path | None = None
    """Parquet: CustomerAccount, PartyNumber, dataAreaId as text; null when SCM was not read."""
    known_persons: Path | None = None
    """Parquet: dataAreaId, ContactPersonPartyNumber, AssociatedPartyNumber as text; null when SCM's
    contact persons were not read."""
    known_prospects: pl.DataFrame | None = None
    """SCM's: dataAreaId, ProspectId, PartyNumber as text; null when they were not read."""
    loaded: Sequence[Path] = ()
    """The memory of each task at this destination; none when nothing was loaded there yet."""
    said: Collection[str] = ()
    """What mapping and decisions need of contacts as text: ``text:…`` and ``raw:…`` (see
    ``reading``)."""
    direct: Collection[str] = ()
    """Typed columns of contacts that mapping takes as they are read."""
    own: Mapping[str, Type] = field(default_factory=lambda: MappingProxyType({}))
    """Those of the project's own columns that become amounts or times."""
    with_currency: Collection[str] = ()
    """Tasks whose mapping takes the contact's currency."""
    labels: Labels = field(default_factory=dict)
    month_first: Collection[str] = ()
    """Tables that were written by what is known to put the month before the day."""
    by_state: bool = False
    """Whether documents count by their ``statecode``."""


@dataclass(kw_only=True, slots=True)
class Prepared:
    """Findings of preparation, the parameters of ``route.sql``, and the number of contact rows.

    ``marks`` has one row per contact row, by its number (``source_row``):
    contactid_invalid, has_activity (null where the source has no table of documents).
    ``unread_customers``: see ``list_unread_customers``.
    """

    parameters: dict[str, str | bool | None]
    findings: list[RunFinding] = field(default_factory=list)
    rows: int = 0
    marks: pl.DataFrame = field(default_factory=pl.DataFrame)
    unread_customers: list[tuple[str, int, int]] = field(default_factory=list)
    units: Mapping[str, str] = field(default_factory=dict)
    """Id or name of a business unit → its name."""

    def list_reading_findings(self) -> list[RunFinding]:
        """Findings of how the source was read, which count whatever is done with it."""
        reading = (*READING, "row_unreadable", "only_not_found")
        return [one for one in self.findings if one.code in reading]


def prepare(
    session: Session,
    landed: Collection[str],
    routing: Routing,
    small: Collection[str] = (),
    hash_elsewhere: Callable[[Session], None] | None = None,
) -> Prepared:
    """Declare all tables and compute what routing joins with.

    Args:
        session: has a view ``<table>_landed`` for every table in ``landed``.
        landed: the tables that the source has.
        routing: what the plan was asked for.
        small: those of ``landed`` that are small enough to be kept as they are read.
        hash_elsewhere: stores ``hashes`` (``sql/plan/hashes.sql``) in another way than by a query
            over all contacts; their marks are not collected then.

    Raises:
        SourceError: a table that is needed is not there.
        ConfigurationError: the filter or ``[organizations]`` is wrong.
    """
    choose_rows(session, _NO_ROWS)
    read = {
        name: _declare(session, table, routing, is_there=name in landed, is_small=name in small)
        for name, table in sales.TABLES.items()
    }
    _refuse_doubtful(read, routing)
    hold_tables({name: one.empty for name, one in read.items()})
    prepared = _prepare(session, landed, read, routing, hash_elsewhere)
    for name, count, first in prepared.unread_customers:
        read[name] = add_unread_customers(session, read[name], count, first)
    repeated = {name for name, rows in _REPEATS.items() if _has_rows(session, rows)}
    choose_rows(session, session.frame(query("plan/contact_state_rows"))["source_row"])
    if routing.is_routed:
        session.drop("contact_states")
    views = {name_declared(one.table): one for one in read.values()}
    prepared.findings += report_doubts(session, views, repeated, routing.direct)
    return prepared


def refuse_filter(session: Session, condition: str, labels: Labels, *, month_first: bool) -> None:
    """Check a source filter before anything is planned.

    The session has a view ``contacts_landed``; for ``month_first`` see ``LandedTable``.

    Raises:
        ConfigurationError: it is not a condition on columns that contacts have, or names one that
            cannot be read.
    """
    choose_rows(session, _NO_ROWS)
    words = list_words(condition)
    contacts = name_members(sales.CONTACTS, labels)
    use = ColumnUse(named=words, month_first=month_first)
    read = declare_table(session, contacts, contacts.name, use)
    refuse_doubtful(read.list_named(words), "source.filter")
    _filter_contacts(session, condition)


def _refuse_doubtful(read: Mapping[str, DeclaredTable], routing: Routing) -> None:
    refuse_doubtful(read["contacts"].list_named(list_words(routing.filter)), "source.filter")
    if routing.by_state:
        states = [one for table in DOCUMENTS for one in read[table.name].list_named(["statecode"])]
        refuse_doubtful(states, "backfill.statuses")


def _has_rows(session: Session, rows: str) -> bool:
    return bool(session.frame(query("plan/count_rows", rows=rows)).item())


def _prepare(
    session: Session,
    landed: Collection[str],
    read: Mapping[str, DeclaredTable],
    routing: Routing,
    hash_elsewhere: Callable[[Session], None] | None,
) -> Prepared:
    findings: list[RunFinding] = []
    _filter_contacts(session, routing.filter)
    _register_known_customers(session, routing)
    for table, left_out in _SIDE_TABLES:
        findings += leave_out(session, table, left_out)
    findings += count_documents(session, landed)
    session.store("accounts", query("plan/accounts"))
    session.drop("known_customers")
    session.run(query("plan/drop_accounts_without_id"))
    room = "plan" if routing.is_routed else "backfill"
    findings += find_misplaced(session, read, landed, is_routed=routing.is_routed)
    unread = hash_contacts(session, room, landed, hash_elsewhere)
    counts = count_hashes(session)
    resolve_names(session, counts)
    store_suspects(session, counts, room)
    findings += add_unreadable_states(session)
    with_company = counts.with_company + counts.with_name
    if with_company and "accounts" not in landed:
        have = "has" if with_company == 1 else "have"
        raise SourceError(
            f"{count_of(with_company, 'contact')} {have} a company, but the source has no accounts "
            "table. Export accounts (accountid, accountnumber) together with contacts.",
            where="accounts",
        )
    findings += _find_shared_account_numbers(session)
    is_marked = routing.is_routed and hash_elsewhere is None
    marks = collect_marks(session, counts, landed) if is_marked else pl.DataFrame()
    session.drop("hashes")
    for name in ("numbers", "companies", "marks", "currencies"):
        session.store(name, query(f"plan/{name}"))
    for name in ("suspects", "numbers"):
        session.drop(name)
    _register_units(session, routing, has_table="businessunits" in landed)
    _register_others(session, routing)
    return Prepared(
        findings=findings,
        rows=counts.rows,
        marks=marks,
        unread_customers=unread,
        units=dict(session.frame(query("plan/unit_spellings")).iter_rows()),
        parameters=_list_parameters(landed, routing),
    )


def _list_parameters(landed: Collection[str], routing: Routing) -> dict[str, str | bool | None]:
    """The parameters of ``route.sql``."""
    return {
        "legal_entity": routing.legal_entity,
        "has_units": bool(routing.organizations),
        "has_currencies": "transactioncurrencies" in landed,
        "has_only": routing.only is not None,
        "scm_read": routing.known_customers is not None,
        "hold_blank_flags": routing.hold_blank_flags,
        "take_over": routing.take_over,
        "number_pattern": routing.number_pattern,
        "usual_is_valid": routing.number_pattern == sales.USUAL_NUMBER,
        "has_keys": routing.known_customers is not None or routing.known_persons is not None,
        "has_loaded": bool(routing.loaded),
        "lookups_are_names": routing.lookups_are_names,
        "customers_have_currency": "ContactToCustomer" in routing.with_currency,
        "persons_have_currency": "Contacts" in routing.with_currency,
    }


def hold_tables(read: Mapping[str, pl.DataFrame]) -> None:
    """Hold tables, as they are read, against their contracts.

    Pandera, which takes its time, only has to say what is wrong.

    Raises:
        InvariantBroken: a column is missing, or is of another type.
    """
    for name, frame in read.items():
        table = sales.TABLES[name]
        if sales.list_read_types(table).items() <= frame.schema.items():
            continue
        try:
            sales.make_sales_contract(table).validate(frame.lazy(), lazy=True)
        except SchemaErrors as errors:
            raise InvariantBroken(
                f"{name} is not read as declared: {errors.failure_cases['check'].to_list()}"
            ) from errors


def _declare(
    session: Session, table: Table, routing: Routing, *, is_there: bool, is_small: bool
) -> DeclaredTable:
    """Name the table's views."""
    if not is_there:
        session.view(f"{table.name}_landed", query("plan/no_rows"))
    of_contacts = table.name == "contacts"
    named = list_words(routing.filter) if of_contacts else {"statecode"} if routing.by_state else ()
    use = ColumnUse(
        said=routing.said if of_contacts else (),
        direct=routing.direct if of_contacts else (),
        own=routing.own if of_contacts else {},
        named=named,
        is_dated=not routing.is_routed,
        month_first=table.name in routing.month_first,
        is_small=is_small or not is_there,
        customers_later=routing.is_routed,
    )
    return declare_table(session, name_members(table, routing.labels), name_declared(table), use)


def _filter_contacts(session: Session, condition: str | None) -> None:
    """The source filter becomes a column; null means left out."""
    take_lookups_by_id(session)
    if condition is None:
        session.view("contacts_filtered", query("plan/unfiltered"))
        return
    # The condition is SQL already: the one text of a query that does not come out of a file.
    passes = f"coalesce(CAST(({condition}\n) AS BOOLEAN), false)"
    text = f"SELECT *, {passes} AS passes_filter FROM contacts_resolved"
    try:
        if not session.is_expression(condition):
            raise ConfigurationError(
                "must be one SQL condition, as in statecode = 0.", where="source.filter"
            )
        session.fence()
        session.view("contacts_filtered", text)
        session.columns("contacts_filtered")
    except duckdb.PermissionException as error:
        raise ConfigurationError(
            "reads files or other places outside. Use only the columns of contacts.",
            where="source.filter",
        ) from error
    except duckdb.Error as error:
        first = str(error).splitlines()[0].removeprefix("Binder Error: ").rstrip("!.")
        raise ConfigurationError(
            f"is not a condition on contacts: {first}. Write it in SQL, with columns as they are "
            "called in Sales and text between single quotes, as in statecode = 0 AND "
            "address1_country = 'DE'.",
            where="source.filter",
        ) from error


def _find_shared_account_numbers(session: Session) -> list[RunFinding]:
    shared = session.frame(query("plan/shared_account_numbers"))
    return [
        RunFinding(
            code="account_number_repeated",
            detail=f"{count:,}",
            column="accountnumber",
            value=number,
        )
        for number, count in shared.iter_rows()
    ]


def _register_known_customers(session: Session, routing: Routing) -> None:
    """SCM's customers by legal entity.

    Rows that name no legal entity count for every one of the project's.
    """
    text = pl.String()
    _name_file(session, "known_customers_given", routing.known_customers, _CUSTOMERS)
    entities = dict.fromkeys(
        [*([routing.legal_entity] if routing.legal_entity else []), *routing.organizations.values()]
    )
    session.register(
        "own_entities",
        pl.DataFrame({"legal_entity": list(entities)}, schema={"legal_entity": text}),
    )
    session.store("known_customers", query("plan/known_customers"))
    _name_file(session, "known_persons", routing.known_persons, _PERSONS)
    session.store("known_keys", query("plan/known_keys"))
    prospects = routing.known_prospects
    session.register(
        "known_prospects",
        pl.DataFrame(schema=dict.fromkeys(("dataAreaId", "ProspectId", "PartyNumber"), text))
        if prospects is None
        else prospects,
    )
    for name in ("organization_numbers", "prospect_numbers"):
        session.store(name, query(f"plan/{name}"))


def _name_file(session: Session, name: str, path: Path | None, columns: Sequence[str]) -> None:
    """Name a Parquet file, or a table of its columns without rows."""
    schema = pl.Schema(dict.fromkeys(columns, pl.String()))
    session.parquet(name, [] if path is None else [path], schema=schema)


def _register_units(session: Session, routing: Routing, *, has_table: bool) -> None:
    """Business unit → legal entity, by the name or id that a contact row may carry."""
    session.register(
        "organizations",
        pl.DataFrame(
            {
                "unit": list(routing.organizations),
                "legal_entity": list(routing.organizations.values()),
            },
            schema={"unit": pl.String, "legal_entity": pl.String},
        ),
    )
    session.store("spellings", query("plan/spellings"))
    doubled = session.frame(query("plan/units_doubled"))
    if not doubled.is_empty():
        raise ConfigurationError(
            (
                f"the business unit {doubled['unit'][0]} has two legal entities, once by name and "
                "once by id."
            ),
            where="organizations",
        )
    session.store("units", query("plan/units"))
    if not has_table or not routing.organizations:
        return
    unknown = session.frame(query("plan/units_unknown"))["unit"].to_list()
    if unknown:
        known = session.frame(query("plan/unit_names"))["name"].to_list()
        unknown_units = [
            f"'{name}' is not a business unit of the source.{suggest_nearest(name, known)}"
            for name in unknown
        ]
        raise ConfigurationError(list_problems(unknown_units), where="organizations")


def _register_others(session: Session, routing: Routing) -> None:
    only = pl.DataFrame(schema=_ONLY)
    if routing.only is not None:
        only = find_numbered(session, routing.only)
    session.register("only_given", only)
    session.store("only_ids", query("plan/only_ids"))
    store_loaded(session, routing.loaded)
    session.store("loaded_numbers", query("plan/loaded_numbers"))


def store_loaded(session: Session, memory: Sequence[Path]) -> None:
    """Store what earlier loads left at a destination as ``loaded``.

    Args:
        session: where.
        memory: its files (``pipeline.run.memory.list_memories``); none when nothing was loaded.
    """
    if not memory:
        session.register("loaded_files", _LOADED.to_frame())
    else:
        session.parquet("loaded_files", memory, places=True)
    is_mixed = session.frame(query("plan/loaded_is_mixed")).item()
    session.store("loaded", query("plan/loaded_mixed" if is_mixed else "plan/loaded"))


def find_unused_units(
    session: Session, routing: Routing, seen: Collection[str]
) -> list[RunFinding]:
    """``[organizations]`` entries that no contact has.

    ``seen``: business units as contacts spell them.
    """
    if not routing.organizations:
        return []
    session.register("seen_units", pl.DataFrame({"unit": list(seen)}, schema={"unit": pl.String}))
    unused = session.frame(query("plan/units_unused"))["organization"].to_list()
    return [
        RunFinding(code="organization_unused", detail=name, column="owningbusinessunit")
        for name in unused
    ]

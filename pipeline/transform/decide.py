"""One morsel of routed contacts → decisions, findings and planned rows.

Every contact gets exactly one decision here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import polars as pl

from pipeline.mapping.closed import Usage
from pipeline.mapping.compile import CompiledTemplate, MappedMorsel
from pipeline.mapping.paths import name_text_column
from pipeline.mapping.references import References
from pipeline.transform import problems
from pipeline.transform.batch import Batcher, Hasher, build_row_texts, choose_actions, name_shapes
from pipeline.transform.identify import identify
from pipeline.transform.screen import Contract, Guard, build_contract, screen
from pipeline.transform.tally import Tally
from schemas.run import DECISIONS, FINDINGS, PLANNED

CUSTOMERS = "ContactToCustomer"

NO_CONTACT: Final = ("superseded", "deleted", "unreadable")
"""Row states of rows that stand for no contact."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DecidedMorsel:
    """What a morsel became.

    ``rows`` are planned rows by task, destination columns first; ``read`` is how many rows went in.
    """

    read: int
    decisions: pl.DataFrame
    findings: pl.DataFrame
    rows: Mapping[str, pl.DataFrame]


@dataclass(kw_only=True, slots=True)
class PlanTask:
    """One task's compiled mapping with its contract, and who guards the contract."""

    mapping: CompiledTemplate
    contract: Contract
    guard: Guard


def make_task(mapping: CompiledTemplate) -> PlanTask:
    """A task ready to run."""
    held_against = build_contract(mapping)
    return PlanTask(mapping=mapping, contract=held_against, guard=Guard(held_against.keep))


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskShare:
    """What one task makes of a morsel, before anything is decided.

    Planning columns, destination columns, problems.
    """

    rows: pl.DataFrame
    mapped: MappedMorsel
    doubtful: pl.Series
    problems: pl.DataFrame


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRows:
    """One task's rows that passed all gates.

    ``frame`` are their destination columns, ``keys`` the columns of ``PLANNED`` but for the batch,
    and ``shape`` where rows of one package must have the same.
    ``doubtful`` are those of them that the contract is held against: the others cannot break it.
    ``lost`` is how many were loaded earlier, and SCM does not have them.
    """

    frame: pl.DataFrame
    keys: pl.DataFrame
    doubtful: pl.DataFrame
    lost: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WeighedMorsel:
    """A morsel of which everything is known but what depends on the morsels before it.

    Batches, and the counts of the run.
    """

    rows: int
    states: Mapping[str, int]
    units: Mapping[str, int]
    decided: pl.DataFrame
    findings: pl.DataFrame
    usage: Mapping[str, tuple[Usage, ...]]
    defaulted: Mapping[str, Mapping[str, int]]
    planned: Mapping[str, PlannedRows]


@dataclass(kw_only=True, slots=True)
class Decider:
    """Decides morsel after morsel.

    The result does not depend on where one ends and the next begins.

    ``select`` and ``settle`` take morsels in source order; ``weigh`` knows no order and may
    run for several at once.
    """

    tasks: Mapping[str, PlanTask]
    hasher: Hasher
    batcher: Batcher
    scm_read: bool = False
    persons_read: bool = False
    references: References | None = None
    full: bool = False
    limit: int | None = None
    packages: bool = False
    """Whether rows may go in packages, each of which has the same columns for all its rows."""
    tally: Tally = field(default_factory=Tally)
    taken: int = 0
    """How many contacts before these could count for the limit."""

    def select(self, routed: pl.DataFrame) -> pl.DataFrame:
        """Apply ``--limit``: the first contacts, in source order, that the filter lets through."""
        if self.limit is None:
            return routed
        counted = mark_selectable(routed)
        over = counted & (counted.cum_sum() + self.taken > self.limit)
        self.taken += int(counted.sum())
        return routed.with_columns(
            not_selected=pl.col("not_selected").fill_null(value=False) | over
        )

    def weigh(self, routed: pl.DataFrame) -> WeighedMorsel:
        """Everything that a morsel decides by itself."""
        gone = routed["row_state"].is_in(NO_CONTACT)
        contacts = _number_rows(identify(routed.filter(~gone) if gone.any() else routed))
        shares = {name: self._map_task(contacts, name, one) for name, one in self.tasks.items()}
        first, worth = problems.weigh_problems(
            pl.concat(
                [
                    problems.find_routing_problems(contacts),
                    *(share.problems for share in shares.values()),
                ]
            )
        )
        decided = _decide(contacts, first)
        passed = {name: decided["passed"][share.rows["row"]] for name, share in shares.items()}
        frames = {name: share.mapped.frame.filter(passed[name]) for name, share in shares.items()}
        hashes = self._hash_rows(frames)
        return WeighedMorsel(
            rows=routed.height,
            states=dict(routed["row_state"].value_counts().iter_rows()),
            units=_count_units(contacts["raw:owningbusinessunit"]),
            decided=decided,
            findings=_write_findings(decided, worth),
            usage={name: share.mapped.usage for name, share in shares.items()},
            defaulted={
                name: {
                    column: int((rows & passed[name]).sum())
                    for column, rows in share.mapped.defaulted.items()
                }
                for name, share in shares.items()
            },
            planned={
                name: self._plan(name, share, passed[name], frames[name], hashes[name])
                for name, share in shares.items()
            },
        )

    def settle(self, weighed: WeighedMorsel) -> DecidedMorsel:
        """Number batches, and count."""
        planned = {name: self._number_batches(name, one) for name, one in weighed.planned.items()}
        tally = self.tally
        tally.rows += weighed.rows
        tally.states.update(weighed.states)
        tally.units.update(weighed.units)
        tally.count(weighed.decided, weighed.findings)
        tally.count_mapping(weighed.usage, weighed.defaulted)
        for name, one in weighed.planned.items():
            self.tasks[name].guard.look(one.doubtful)
            tally.lost[name] += one.lost
        return DecidedMorsel(
            read=weighed.rows,
            decisions=weighed.decided[DECISIONS.names()],
            findings=weighed.findings,
            rows=planned,
        )

    def finish(self) -> Tally:
        """Hold the last planned rows against their contracts.

        Raises:
            InvariantBroken: a planned row breaks its contract.
        """
        for one in self.tasks.values():
            one.guard.finish()
        return self.tally

    def _map_task(self, contacts: pl.DataFrame, name: str, one: PlanTask) -> TaskShare:
        texts = [name_text_column(source) for source in one.mapping.sources]
        wanted = (pl.col("route") == name) & ~pl.any_horizontal(_UNWANTED)
        unread = [name for name in contacts.columns if name.startswith("unread:")]
        rows = contacts.lazy().filter(wanted).select(*_PLANNING, *texts, *unread).collect()
        mapped = one.mapping.apply(rows)
        checked = screen(mapped.frame, one.contract)
        wrong = [
            mapped.problems, checked.problems, problems.find_unread_values(rows, one.mapping),
        ]  # fmt: skip
        if self.references is not None:
            wrong.append(self.references.absent(mapped.frame, rows["legal_entity"]))
        return TaskShare(
            rows=rows[list(_PLANNING)],
            mapped=mapped,
            doubtful=checked.doubtful,
            problems=problems.place_mapping_problems(pl.concat(wrong), rows["row"], one.mapping),
        )

    def _hash_rows(self, frames: Mapping[str, pl.DataFrame]) -> Mapping[str, pl.Series]:
        """The row hashes of each task's rows, asked for at once."""
        texts = [
            build_row_texts(frame, self.tasks[name].mapping.columns, self.tasks[name].mapping.kept)
            for name, frame in frames.items()
        ]
        hashes = self.hasher(pl.concat(texts))
        ends = accumulate(text.len() for text in texts)
        return {
            name: hashes.slice(end - text.len(), text.len())
            for name, text, end in zip(frames, texts, ends, strict=True)
        }

    def _plan(
        self, name: str, share: TaskShare, passed: pl.Series, frame: pl.DataFrame, hashes: pl.Series
    ) -> PlannedRows:
        """The rows that passed all gates, with key, hash and action."""
        keys_read = self.scm_read if name == CUSTOMERS else self.persons_read
        doubtful = share.doubtful.filter(passed[share.doubtful])
        kept = self.tasks[name].mapping.kept if self.packages else ()
        shape = [name_shapes(frame, kept)] if kept else []
        rows = share.rows.filter(passed)
        keys = (
            rows.lazy()
            .with_columns(hashes.alias("row_hash"))
            .with_columns(action=choose_actions(scm_read=keys_read, full=self.full))
            .select(*_KEYS, *shape)
            .collect()
        )
        lost = rows["loaded_hash"].is_not_null() & ~rows["key_in_scm"]
        return PlannedRows(
            frame=frame,
            keys=keys,
            doubtful=share.mapped.frame[doubtful],
            lost=int(lost.sum()) if keys_read else 0,
        )

    def _number_batches(self, name: str, planned: PlannedRows) -> pl.DataFrame:
        frame = planned.frame
        keys = self.batcher.number_rows(name, planned.keys)[PLANNED.names()]
        for entity, action, count in keys.group_by("legal_entity", "action").len().iter_rows():
            self.tally.actions[name, entity, action] += count
        for column in ("SiteId", "WarehouseId", "LanguageId"):
            if name == CUSTOMERS:
                missing = frame[column].null_count() if column in frame.columns else frame.height
                self.tally.blanks[name, column] += missing
        return pl.concat([frame, keys], how="horizontal")


def mark_selectable(routed: pl.DataFrame) -> pl.Series:
    """Which rows are contacts that count for ``--limit``."""
    stopped = pl.any_horizontal(
        pl.col("row_state").is_in(NO_CONTACT), pl.col("filtered_out", "not_selected")
    )
    return routed.select(~stopped.fill_null(value=False)).to_series()


_UNWANTED: Final = ("archived", "filtered_out", "not_selected")
"""Flags of contacts that are not looked at any closer."""
_OPEN = frozenset({"is_active_customer", "has_activity"})
"""What SQL says of a contact that may be unknown; values of the source have a colon in their names.
"""
_KEYS = tuple(name for name in PLANNED.names() if name != "batch")
_PLANNING = ("row", "contactid", "legal_entity", "destination_key", "key_in_scm", "loaded_hash")
_DECIDING = (
    "row", "route", "contactid", "contact_number", "legal_entity", "company_type",
    "company_type_from", "company_id",
    "company_key", "is_active_customer", "destination_key", "source_file", "source_line",
    "unreadable_flag",
)  # fmt: skip


def _number_rows(contacts: pl.DataFrame) -> pl.DataFrame:
    """Number the rows; a flag that SQL left open counts as false."""
    flags = [
        name
        for name, dtype in contacts.schema.items()
        if dtype == pl.Boolean and name not in _OPEN and ":" not in name
    ]
    return contacts.with_row_index("row").with_columns_seq(pl.col(flags).fill_null(value=False))


def _count_units(written: pl.Series) -> dict[str, int]:
    """Contact rows by business unit, as it is written; a blank counts as a blank text."""
    counts: Counter[str] = Counter()
    for unit, rows in written.value_counts().iter_rows():
        counts[unit or ""] += rows
    return counts


def _decide(contacts: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Every contact with its decision and reason; what a decision leaves open is null.

    ``passed`` is who passed all gates.
    """
    customer = pl.col("route") == CUSTOMERS
    open_ = contacts.select_seq(
        decision=pl.when(customer).then(pl.lit("customer")).otherwise(pl.lit("contact")),
        reason=pl.when(customer)
        .then(pl.lit("active_customer"))
        .otherwise(pl.lit("company_is_account")),
        passed=pl.lit(value=True),
        kept=pl.lit(value=True),
    )
    early = first.filter((pl.col("gate") == 1) | (pl.col("decision") == "skipped"))["row"]
    kept = open_["kept"].scatter(early, False)
    return contacts[list(_DECIDING)].with_columns_seq(
        open_["decision"].scatter(first["row"], first["decision"]),
        open_["reason"].scatter(first["row"], first["reason"]),
        open_["passed"].scatter(first["row"], False),
        task=pl.when(kept).then(pl.col("route")),
        legal_entity=pl.when(kept).then(pl.col("legal_entity")),
        destination_key=pl.when(kept).then(pl.col("destination_key")),
    )


def _write_findings(decided: pl.DataFrame, worth: pl.DataFrame) -> pl.DataFrame:
    if worth.is_empty():
        return FINDINGS.to_frame()
    where = decided.lazy().select("row", "contactid", "task", "source_file", "source_line")
    told = problems.write_messages(worth)
    return (
        told.lazy()
        .join(where, on="row", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col(name) != "").then(pl.col(name)).alias(name)
            for name in ("column", "destination")
        )
        .select(FINDINGS.names())
        .collect()
    )

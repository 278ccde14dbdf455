"""One morsel of routed contacts → decisions, findings and planned rows. Every contact gets exactly one decision here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.mapping.compile import Compiled, Mapped
from pipeline.mapping.paths import column_of
from pipeline.mapping.references import References
from pipeline.transform import problems
from pipeline.transform.batch import Batcher, Hasher, actions, row_texts
from pipeline.transform.identify import identified
from pipeline.transform.screen import Contract, contract, screened
from schemas.run import DECISIONS, FINDINGS
from schemas.text import WHITE_SPACE

CUSTOMERS = "ContactToCustomer"

_BLANK = f"^[{WHITE_SPACE}]*$"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What a morsel became. ``rows`` are planned rows by task, destination columns first."""

    decisions: pl.DataFrame
    findings: pl.DataFrame
    rows: Mapping[str, pl.DataFrame]


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts over all morsels; what the summary is made of."""

    rows: int = 0
    states: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    actions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    defaulted: Counter[tuple[str, str]] = field(default_factory=Counter)
    blanks: Counter[tuple[str, str]] = field(default_factory=Counter)
    key_uses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    units: set[str] = field(default_factory=set)
    customers_with_currency_id: int = 0


@dataclass(kw_only=True, slots=True)
class Task:
    """One task's compiled mapping with its contract."""

    mapping: Compiled
    contract: Contract


def task(mapping: Compiled) -> Task:
    """A task ready to run."""
    return Task(mapping=mapping, contract=contract(mapping))


@dataclass(kw_only=True, slots=True)
class Decider:
    """Decides morsel after morsel; the result does not depend on where one ends and the next begins."""

    tasks: Mapping[str, Task]
    hasher: Hasher
    batcher: Batcher
    scm_read: bool = False
    persons_read: bool = False
    references: References | None = None
    full: bool = False
    limit: int | None = None
    tally: Tally = field(default_factory=Tally)
    _taken: int = 0

    def decide(self, routed: pl.DataFrame) -> Decided:
        """Decide the next rows of ``sql/route.sql``'s answer, in source order: batches depend on it."""
        self.tally.rows += routed.height
        self.tally.units.update(routed["raw:owningbusinessunit"].unique().drop_nulls())
        self.tally.states.update(dict(routed["row_state"].value_counts().iter_rows()))
        gone = routed["row_state"].is_in(["superseded", "deleted"])
        current = routed.filter(~gone) if gone.any() else routed
        contacts = self._selected(identified(current))
        found = [problems.of_routing(contacts)]
        mapped: dict[str, tuple[pl.DataFrame, Mapped]] = {}
        wanted = ~(pl.col("filtered_out") | pl.col("not_selected"))
        for name, one in self.tasks.items():
            texts = [column_of(source) for source in one.mapping.sources]
            rows = contacts.lazy().filter((pl.col("route") == name) & wanted).select(*_PLANNING, *texts).collect()
            result = one.mapping.apply(rows)
            mapped[name] = (rows, result)
            checked = screened(result.frame, one.contract)
            wrong = [result.problems, checked]
            if self.references is not None:
                wrong.append(self.references.absent(result.frame, rows["legal_entity"]))
            found.append(problems.of_mapping(pl.concat(wrong), rows["row"], one.mapping))
        first, told = problems.weighed(pl.concat(found))
        decided = _decided(contacts, first)
        planned = {name: self._planned(name, decided, *pair) for name, pair in mapped.items()}
        findings = _findings(decided, told)
        self._count(decided, findings, mapped)
        return Decided(decisions=decided.select(DECISIONS.names()), findings=findings, rows=planned)

    def _selected(self, contacts: pl.DataFrame) -> pl.DataFrame:
        """Number the rows and apply ``--limit``: the first contacts, in source order, that the filter lets through."""
        numbered = contacts.with_row_index("row").with_columns(_false_for_null(contacts))
        left_out = pl.col("left_out")
        if self.limit is not None:
            turn = (~pl.col("filtered_out") & ~left_out).cum_sum() + self._taken
            left_out = left_out | (turn > self.limit)
            self._taken += int(contacts.select((~pl.col("filtered_out") & ~pl.col("left_out")).sum()).item() or 0)
        return numbered.with_columns(not_selected=left_out & ~pl.col("filtered_out") | pl.col("left_out"))

    def _planned(self, name: str, decided: pl.DataFrame, rows: pl.DataFrame, result: Mapped) -> pl.DataFrame:
        """The rows that passed all gates, with key, hash, action and batch."""
        taken = decided["first_reason"].is_null().gather(rows["row"])
        frame = result.frame.filter(taken)
        columns = self.tasks[name].mapping.columns
        keyed = rows.select(_PLANNING).filter(taken).select(
            "contactid", "legal_entity", "destination_key", "key_in_scm",
            loaded_hash=pl.col("loaded_hash"),
            row_hash=self.hasher(row_texts(frame, columns)),
        )  # fmt: skip
        keys_read = self.scm_read if name == CUSTOMERS else self.persons_read
        acted = keyed.with_columns(action=actions(scm_read=keys_read, full=self.full))
        numbered = self.batcher.numbered(name, acted)
        beside = numbered.select("contactid", "legal_entity", "destination_key", "batch", "action", "row_hash")
        for entity, action, count in beside.group_by("legal_entity", "action").len().iter_rows():
            self.tally.actions[name, entity, action] += count
        for column in ("SiteId", "WarehouseId", "LanguageId"):
            if name == CUSTOMERS:
                missing = frame[column].null_count() if column in frame.columns else frame.height
                self.tally.blanks[name, column] += missing
        return pl.concat([frame, beside], how="horizontal")

    def _count(self, decided: pl.DataFrame, findings: pl.DataFrame, mapped: Mapping[str, tuple[pl.DataFrame, Mapped]]) -> None:
        tally = self.tally
        for decision, reason, count in decided.group_by("decision", "reason").len().iter_rows():
            tally.decisions[decision] += count
            tally.reasons[decision, reason] += count
        tally.findings.update(dict(findings["code"].value_counts().iter_rows()))
        flag = pl.col("is_active_customer")
        counts = decided.select(
            yes=flag.sum(), blank=(flag.is_null() & pl.col("unreadable_flag").is_null()).sum()
        ).row(0, named=True)  # fmt: skip
        tally.flags.update({name: int(count or 0) for name, count in counts.items()})
        currency = pl.col("raw:transactioncurrencyid")
        wanted = (pl.col("decision") == "customer") & currency.is_not_null() & ~currency.str.contains(_BLANK)
        tally.customers_with_currency_id += int(decided.lazy().select(wanted.sum()).collect().item() or 0)
        for name, (_, result) in mapped.items():
            for column, count in result.defaulted.items():
                tally.defaulted[name, column] += count
            for usage in result.usage:
                for value, count, problem, key in usage.values.select("value", "rows", "problem", "key").iter_rows():
                    if key is not None:
                        tally.key_uses[name, usage.destination, key] += count
                    if problem is not None:
                        tally.unmapped[name, usage.destination, value] += count


_PLANNING = ("row", "contactid", "legal_entity", "destination_key", "key_in_scm", "loaded_hash")
_DECIDING = (
    "row", "route", "contactid", "contact_number", "legal_entity", "company_type", "company_type_from", "company_id",
    "company_key", "is_active_customer", "destination_key", "source_file", "source_line", "unreadable_flag",
    "raw:transactioncurrencyid",
)  # fmt: skip


def _false_for_null(contacts: pl.DataFrame) -> list[pl.Expr]:
    flags = [name for name, dtype in contacts.schema.items() if dtype == pl.Boolean and name != "is_active_customer"]
    return [pl.col(flags).fill_null(value=False)]


def _decided(contacts: pl.DataFrame, first: pl.DataFrame) -> pl.DataFrame:
    """Every contact with its decision and reason; what a decision leaves open is null."""
    joined = contacts.select(_DECIDING).join(
        first.select("row", first_reason="reason", first_decision="decision", gate="gate"),
        on="row", how="left", maintain_order="left",
    )  # fmt: skip
    customer = pl.col("route") == CUSTOMERS
    stopped_early = (pl.col("gate") == 1) | (pl.col("first_decision") == "skipped")
    kept = ~stopped_early.fill_null(value=False)
    return joined.with_columns(
        decision=pl.coalesce("first_decision", pl.when(customer).then(pl.lit("customer")).otherwise(pl.lit("contact"))),
        reason=pl.coalesce(
            "first_reason", pl.when(customer).then(pl.lit("active_customer")).otherwise(pl.lit("company_is_account"))
        ),
        task=pl.when(kept).then(pl.col("route")),
        legal_entity=pl.when(kept).then(pl.col("legal_entity")),
        destination_key=pl.when(kept).then(pl.col("destination_key")),
    )


def _findings(decided: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    if told.is_empty():
        return FINDINGS.to_frame()
    where = decided.select("row", "contactid", "task", "source_file", "source_line")
    placed = told.join(where, on="row", how="left", maintain_order="left")
    written = problems.messages(placed).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in ("column", "destination")
    )
    return written.select(FINDINGS.names())

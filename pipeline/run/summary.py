"""``summary.json``: the result of a run. Counts, equations, outcomes, verdict.

One form for every kind of run; what does not apply to a kind is empty. The terminal, ``--json``
and the page are renderings of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from pipeline.errors import InvariantBroken
from pipeline.run.facts import Kind, Numbers
from pipeline.run.record import RunRecord
from schemas.run import OUTCOME_NAMES

PLANNED: Final = "planned = created + updated + unchanged + written + failed + unknown + pending"

Verdict = Literal["clean", "attention", "stopped", "broken"]

ALARMS: Final = (
    "row_unreadable",
    "deletion_unreadable",
    "no_contacts",
    "nothing_selected",
    "only_not_found",
    "counts_disagree",
    "changed_by_scm",
    "text_masked",
    "column_secured",
    "sign_for_blank",
    "key_hidden",
    "key_rewritten",
)
"""Findings of the run for which a person must look, whatever became of contacts."""

_EXIT_CODES: Final[Mapping[Verdict, int]] = {
    "clean": 0,
    "attention": 1,
    "stopped": 3,
    "broken": 4,
}


class Equation(RunRecord):
    """One equation: its two sides, the terms of the right one, and whether they are equal."""

    equation: str
    left: int
    right: int = 0
    terms: Mapping[str, int]
    balanced: bool


class PlannedRowCount(RunRecord):
    """Planned rows of one task, legal entity and action."""

    task: str
    legal_entity: str
    action: str
    rows: int


class CountedFinding(RunRecord):
    """A finding of the run as a whole that is about many rows, or tells a number.

    It is one row of ``findings.parquet``, and counts as ``rows`` in ``Summary.findings``.
    """

    code: str
    detail: str
    column: str = ""
    rows: int = 1


class ValueMap(RunRecord):
    """How often a closed list was used, key by key, and which source values it did not know.

    ``unmapped`` are the most frequent of those, ``unmapped_values`` is how many there are.
    """

    task: str
    destination: str
    source: str | None = None
    keys: Mapping[str, int] = {}
    never_used: tuple[str, ...] = ()
    unmapped: Mapping[str, int] = {}
    unmapped_values: int = 0


class NamedValues(RunRecord):
    """The values that findings of one code and column are about, where they may be named.

    ``rows`` are all findings there and ``distinct`` all their values; ``values`` are those that may
    be shown, with their rows. What is blank has a blank name.
    """

    code: str
    column: str = ""
    destination: str = ""
    rows: int
    distinct: int
    values: Mapping[str, int] = {}


class FieldChange(RunRecord):
    """What updates do to one column: how many rows it changes in, and in how many it is cleared.

    ``examples`` are destination keys.
    """

    column: str
    rows: int
    cleared: int
    examples: tuple[str, ...] = ()


class TaskChanges(RunRecord):
    """What the updates of one task change.

    ``against`` says what planned rows were compared with: ``scm``, what SCM had, or ``last load``,
    what p2c sent last. Of ``updates`` rows ``compared`` could be, because the other side is known.
    """

    task: str
    against: Literal["scm", "last load"]
    updates: int
    compared: int
    changed: int
    fields: tuple[FieldChange, ...] = ()


class AcceptedContacts(RunRecord):
    """Held and rejected contacts that the project accepts, as its file stood when it was planned.

    ``reasons`` counts them by decision and reason. ``until`` is the first day that one of their
    entries ends with, ``until_last`` the last; blank without any. ``notes`` say which entries are
    wrong, over, or no longer needed.
    """

    contacts: int = 0
    reasons: Mapping[str, int] = {}
    until: str = ""
    until_last: str = ""
    notes: tuple[str, ...] = ()

    def count(self, decision: str) -> int:
        """How many contacts of a decision are accepted."""
        return sum(rows for name, rows in self.reasons.items() if name.startswith(f"{decision}/"))


class NeedChange(RunRecord):
    """Contacts that began or ceased to be held or rejected, by decision and reason.

    ``change`` is ``new`` or ``over``; ``contact`` is the contact number or contactid of one, blank
    where neither has the form of a key.
    """

    change: Literal["new", "over"]
    reason: str
    contacts: int
    contact: str


class SincePrevious(RunRecord):
    """What is new since the last run of the project; ``run`` is blank where none was compared.

    ``note`` says why an earlier run could not be compared.
    """

    run: str = ""
    changes: tuple[NeedChange, ...] = ()
    note: str = ""


class Forecast(RunRecord):
    """What applying will cost. ``rate`` is in rows per second; 0 where nothing is sent."""

    requests: int = 0
    bytes: int = 0
    minutes: float = 0.0
    rate: float = 0.0
    rate_from: str = ""


class Summary(RunRecord):
    """The facts of a run, planned or applied."""

    run: str
    kind: Kind
    retry_of: str | None = None
    undo_of: str | None = None
    applied: bool
    verdict: Verdict
    balanced: bool
    equations: tuple[Equation, ...]
    counts: Mapping[str, int]
    """Contacts by decision; of a backfill and of an undo, rows by action."""
    reasons: Mapping[str, int] = {}
    """Contacts by decision and reason, as in ``held/contact_number_missing``."""
    findings: Mapping[str, int] = {}
    """Rows that findings are about, by code: those of ``findings.parquet``, and ``counted``."""
    outcomes: Mapping[str, int]
    """Planned rows by outcome."""
    actions: tuple[PlannedRowCount, ...] = ()
    counted: tuple[CountedFinding, ...] = ()
    value_maps: tuple[ValueMap, ...] = ()
    named: tuple[NamedValues, ...] = ()
    """What findings of lists are about: business units, states, countries, currencies, labels."""
    changes: tuple[TaskChanges, ...] = ()
    """What updates change; empty where neither SCM nor an earlier load says what is there."""
    accepted: AcceptedContacts = AcceptedContacts()
    """Contacts that may stay held or rejected; they are also in ``counts`` and ``reasons``."""
    since: SincePrevious = SincePrevious()
    forecast: Forecast = Forecast()
    systems: tuple[str, ...] = ()
    """Lines about the live systems that a plan asked, for people."""
    numbers: Numbers | None = None
    """Null except for a backfill."""
    throttling: Mapping[str, int | float] = {}
    """What a load over the wire cost: requests, bytes, retries, refusals, seconds waited."""
    traffic: Mapping[str, int] = {}
    """What writing into Sales cost, at the last start."""
    purged: bool = False
    """Whether values of contacts were removed."""
    journal: str | None = None
    """The hash of the journal line that the summary ends with."""

    @property
    def exit_code(self) -> int:
        """0 clean, 1 something needs a person, 3 stopped, 4 broken."""
        return _EXIT_CODES[self.verdict]

    def digest(self) -> str:
        """What the journal vouches for it with."""
        return digest_facts(self.as_json())

    def ending_with(self, line: str) -> Summary:
        """The same, with the hash of the journal line that it ends with."""
        return self.replace(journal=line)

    def without_values(self) -> Summary:
        """The same without source values: which ones had no map is removed, how many is kept."""
        maps = tuple(one.replace(unmapped={}) for one in self.value_maps)
        named = tuple(one.replace(values={}) for one in self.named)
        return self.replace(value_maps=maps, named=named, purged=True)


def digest_facts(facts: Mapping[str, object]) -> str:
    """The SHA-256 of ``summary.json``'s facts, but for the journal's hash in it.

    The journal vouches for it.
    """
    counted = {name: value for name, value in facts.items() if name != "journal"}
    return hashlib.sha256(
        json.dumps(counted, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def summarize_apply(
    before: Summary, outcomes: Mapping[str, int], added: Mapping[str, int] | None = None
) -> Summary:
    """The facts of a plan once it was applied.

    Args:
        before: those of the plan.
        outcomes: rows by outcome.
        added: findings that applying added, by code.
    """
    findings = {**before.findings, **(added or {})}
    whole = dict.fromkeys(OUTCOME_NAMES, 0) | dict(outcomes)
    planned = next(one.left for one in before.equations if one.equation == PLANNED)
    whole["pending"] = planned - sum(whole[name] for name in OUTCOME_NAMES if name != "pending")
    counted = make_equation(PLANNED, planned, whole)
    equations = tuple(counted if one.equation == PLANNED else one for one in before.equations)
    balanced = is_balanced(equations) and whole["pending"] == 0
    reached: Verdict = (
        reach_verdict(before.counts, whole, findings, before.accepted.contacts)
        if balanced
        else "broken"
    )
    if reached == "clean" and not before.kind.is_load and before.verdict == "attention":
        # Its findings are of contacts, or rows to take back by hand, that no outcome speaks of.
        reached = "attention"
    return before.replace(
        applied=True,
        findings=findings,
        outcomes=whole,
        equations=equations,
        balanced=balanced,
        verdict=reached,
    )


def make_equation(text: str, left: int, right: Mapping[str, int]) -> Equation:
    """An equation: its terms, and whether they add up."""
    total = sum(right.values())
    return Equation(
        equation=text, left=left, right=total, terms=dict(right), balanced=left == total
    )


def is_balanced(equations: Iterable[Equation]) -> bool:
    """Whether all of them hold."""
    return all(one.balanced for one in equations)


def refuse_unbalanced(equations: Iterable[Equation]) -> None:
    """Look at the equations of a plan.

    Raises:
        InvariantBroken: one of them does not hold.
    """
    for one in equations:
        if not one.balanced:
            raise InvariantBroken(
                f"{one.equation} does not balance: {one.left} against {one.right}."
            )


def reach_verdict(
    counts: Mapping[str, int],
    outcomes: Mapping[str, int],
    findings: Mapping[str, int],
    accepted: int = 0,
) -> Literal["clean", "attention"]:
    """``attention`` where something waits for a person.

    ``accepted`` of the held and rejected contacts wait for nobody.
    """
    people = (
        counts.get("held", 0)
        + counts.get("rejected", 0)
        + outcomes["failed"]
        + outcomes["unknown"]
        + sum(findings.get(code, 0) for code in ALARMS)
        - accepted
    )
    return "attention" if people else "clean"


def make_blank_summary(run: str) -> Summary:
    """What stands for a summary that cannot be read."""
    return Summary(
        run=run,
        kind=Kind.MAIN,
        applied=False,
        verdict="broken",
        balanced=False,
        equations=(),
        counts={},
        outcomes={},
    )

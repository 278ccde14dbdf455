"""What must become of every row of a sample block.

The oracle of ``data/samples`` run with its ``p2c.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pipeline.samples import block
from pipeline.samples.cases import NO_CONTACT, Case, Role, read_cases
from pipeline.samples.generate import Form, make_contact_rows, prepare_session

if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_FINDINGS: Final = frozenset({"flag_null", "default_used", "account_number_repeated"})
"""The findings of the whole run: blank flags, a customer without currency, and two accounts that
share a number."""

_PREFIX: Final = "ordinary-"
_ORDINARY: Final = {
    ("customer", None): ("customer", "active_customer"),
    ("customer", "pick"): ("customer", "active_customer"),
    ("contact", "pick"): ("contact", "company_is_account"),
    ("contact", "contact"): ("skipped", "company_is_contact"),
    ("no_company", None): ("skipped", "no_company"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What must become of one row.

    ``row`` counts from 1; ``case`` of an ordinary row begins with ``ordinary-``; ``contactid`` is
    in its one form, or as written where it is not a GUID; ``decision`` may also be ``superseded``
    or ``deleted``: then the row is not a contact. ``findings`` are the codes besides the reason
    (``RUN_FINDINGS`` apart), ``may`` those that the rules leave open.
    """

    row: int
    case: str
    contactid: str | None
    contact_number: str | None
    decision: str
    reason: str
    findings: frozenset[str]
    may: frozenset[str]
    live: str | None
    """``decision/reason`` between live systems; null where the row cannot be there."""
    refused: bool
    """Whether a live SCM refuses the row."""

    @property
    def is_ordinary(self) -> bool:
        """Whether the row is none of the hand-written ones."""
        return self.case.startswith(_PREFIX)

    @property
    def is_contact(self) -> bool:
        """Whether the row has a decision."""
        return self.decision not in NO_CONTACT


def expect_cases(*, seed: int = 1, form: Form = "csv") -> tuple[Expected, ...]:
    """The cases of the first block, in the order of its rows.

    In Parquet without those that only text can hold.
    """
    return tuple(one for one in expect_rows(seed=seed, form=form) if not one.is_ordinary)


@cache
def expect_rows(*, seed: int = 1, form: Form = "csv") -> tuple[Expected, ...]:
    """All rows of the first block, cases and ordinary ones."""
    positions = block.place_cases()
    by_position = {positions[case.name]: case for case in read_cases()}
    slots = block.make_contact_slots().select("role", "company_kind").rows()
    with prepare_session(seed) as source:
        made = make_contact_rows(
            source, seed=seed, first=0, last=1, rows=block.CONTACTS, form="csv"
        ).to_pylist()
    found = []
    for position, (row, (role, company)) in enumerate(zip(made, slots, strict=True)):
        case = by_position.get(position) or _make_ordinary(position, role, company)
        if form == "csv" or not case.text_only:
            found.append(_expect(row, case))
    return tuple(found)


def _make_ordinary(position: int, role: Role, company: str | None) -> Case:
    decision, reason = _ORDINARY[role, company]
    return Case(name=f"{_PREFIX}{position}", role=role, decision=decision, reason=reason)


def _expect(row: Mapping[str, Any], case: Case) -> Expected:
    written: str | None = row["contactid"]
    return Expected(
        row=row["row"] + 1,
        case=case.name,
        contactid=written
        if case.id is not None or written is None
        else written.strip("{}").lower(),
        contact_number=(row["msdynce_contactnumber"] or "").strip() or None,
        decision=case.decision,
        reason=case.reason,
        findings=case.findings,
        may=case.may,
        live=_find_live(case),
        refused=case.refused,
    )


def _find_live(case: Case) -> str | None:
    if case.live == "absent" or case.decision in NO_CONTACT:
        return None
    return case.live or f"{case.decision}/{case.reason}"

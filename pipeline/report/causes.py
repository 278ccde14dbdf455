"""What needs work and what was noticed, one entry per code, with contacts that people can open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Literal, TypedDict

import duckdb
import polars as pl

from pipeline.audit.findings import FindingGroup, generalize, group_findings
from pipeline.audit.record_links import make_link_base
from pipeline.report import tables
from pipeline.report.blocks import count_things
from pipeline.run.evidence import Evidence
from pipeline.run.summary import Summary
from schemas.codes import TOP, load_codes
from schemas.text import parse_guid
from sql.query import query
from sql.session import session

Place = Literal["first", "fix", "warning", "also"]
"""Where the page shows a cause: about the run as a whole, to fix, to know, or stopped anyway."""

_FIRST: Final = frozenset({*TOP, "counts_disagree", "changed_by_scm"} - {"row_unreadable"})
_PLACES: Final[Mapping[str, Place]] = {"error": "fix", "hold": "fix", "also": "also"}
_ORDER: Final[tuple[Place, ...]] = ("first", "fix", "warning", "also")
_WORDS: Final = {"error": "rejected", "hold": "held", "failed": "refused", "unknown": "not known"}
_EXAMPLES: Final = 3
_KEY: Final = re.compile(r"(?=.*[0-9])[A-Za-z0-9._-]{1,20}")
"""What a contact number looks like. Anything else in its place could be a name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedContact:
    """A contact: its number, or its id where it has none, and where Sales shows it."""

    contact: str
    href: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Findings of one code, or rows that SCM did not take for one reason.

    ``rows`` are contacts for what stopped them, else the rows that findings are about; 0 where
    they are about the run alone. ``columns`` are those that findings are about, most first.
    ``word`` says what happened to the contacts.
    """

    code: str
    place: Place
    word: str
    rows: int
    sentence: str
    advice: str
    columns: tuple[tuple[str, int], ...] = ()
    examples: tuple[NamedContact, ...] = ()
    values: tuple[str, ...] = ()


class Reason(TypedDict):
    """Contacts of one decision and reason, in plain words."""

    decision: str
    reason: str
    rows: int
    sentence: str
    advice: str


@dataclass(kw_only=True, slots=True)
class _Ids:
    """The first contacts of each cause, by its word and code."""

    held: dict[str, Sequence[str]]
    refused: dict[tuple[str, str | None], Sequence[str]]


def list_causes(evidence: Evidence, *, values: bool) -> list[Cause]:
    """All causes by place: what concerns the run first, then what stops most contacts."""
    ids = _read_first_ids(evidence)
    samples = tables.read_samples(evidence) if values else {}
    groups = []
    if evidence.folder.findings.is_file() or evidence.kind.is_load:
        groups = group_findings(evidence) or []
    found = [
        *_list_refused(evidence, ids, values=values),
        *_list_found(evidence.summary, groups, ids, samples),
    ]
    named = _Names(evidence, [one.contact for cause in found for one in cause.examples])
    return [
        replace(one, examples=tuple(named.show(one.examples)))
        for one in sorted(found, key=lambda one: (_ORDER.index(one.place), -one.rows, one.code))
    ]


def _list_refused(evidence: Evidence, ids: _Ids, *, values: bool) -> Iterator[Cause]:
    """Rows that SCM refused, or of which nobody knows what became, by outcome and code."""

    def get_key(one: tables.FailureCause) -> tuple[str, str]:
        return one["outcome"], one["code"] or ""

    failures = sorted(tables.list_failures(evidence, values=values), key=get_key)
    for (outcome, code), group in groupby(failures, key=get_key):
        few = list(group)
        yield Cause(
            code=code or outcome,
            place="fix",
            word=_WORDS[outcome],
            rows=sum(one["rows"] for one in few),
            sentence=few[0]["sentence"] or _explain_outcome(outcome),
            advice=few[0]["advice"],
            columns=tuple((one["task"], one["rows"]) for one in few),
            examples=_make_examples(ids.refused.get((outcome, code or None), ())),
            values=tuple(one["message"] for one in few if one["message"]),
        )


def _explain_outcome(outcome: str) -> str:
    return (
        "SCM did not accept the row."
        if outcome == "failed"
        else "Nobody knows whether the row arrived."
    )


def _list_found(
    summary: Summary,
    groups: Iterable[FindingGroup],
    ids: _Ids,
    samples: Mapping[tuple[str, str | None, str | None], Sequence[str]],
) -> Iterator[Cause]:
    """Findings by place and code."""

    def get_key(one: FindingGroup) -> tuple[Place, str]:
        return _find_place(one, summary), one["code"]

    for (place, code), group in groupby(sorted(groups, key=get_key), key=get_key):
        few = list(group)
        keys = [(one["code"], one["column"], one["destination"]) for one in few]
        accepted = _count_stopped(summary.accepted.reasons, code)
        stopped = _count_stopped(summary.reasons, code) if place == "fix" or accepted else 0
        needing = stopped - accepted if place == "fix" else stopped
        others = 0 if place == "first" else sum(one["rows"] for one in few)
        contacts = ids.held.get(code) if place == "fix" else None
        fallback = [one["example"] for one in few if one["example"]]
        yield Cause(
            code=code,
            place=place,
            word="accepted" if accepted and place != "fix" else _find_word(few[0]["severity"]),
            rows=needing or _count_in_details(summary, code) or others,
            sentence=" ".join([_join_sentences(few), *_list_named(few)]).strip(),
            advice=few[0]["advice"] + _explain_rest(accepted if place == "fix" else 0),
            columns=tuple(_list_columns(few)),
            examples=_make_examples(contacts or fallback[:1]),
            values=tuple(text for key in keys for text in samples.get(key, ())),
        )


def _list_named(groups: Iterable[FindingGroup]) -> list[str]:
    """The values that findings are about, where they are no personal data."""
    return list(dict.fromkeys(one["named"] for one in groups if one["named"]))


def _find_word(severity: str) -> str:
    return _WORDS.get(severity, severity)


def _explain_rest(accepted: int) -> str:
    """That some contacts of a cause are accepted, behind what to do about the others."""
    return f" {count_things(accepted, 'more contact')} accepted for now." if accepted else ""


def _find_place(one: FindingGroup, summary: Summary) -> Place:
    """Where a finding stands; what is accepted of all its contacts needs no fixing."""
    if one["code"] in _FIRST:
        return "first"
    place = _PLACES.get(one["severity"], "warning")
    accepted = _count_stopped(summary.accepted.reasons, one["code"])
    if place == "fix" and accepted and accepted == _count_stopped(summary.reasons, one["code"]):
        return "warning"
    return place


def _count_stopped(reasons: Mapping[str, int], code: str) -> int:
    """Contacts that are held or rejected for this reason."""
    return sum(reasons.get(f"{decision}/{code}", 0) for decision in ("held", "rejected"))


def _count_in_details(summary: Summary, code: str) -> int:
    """How many rows a finding of the run as a whole is about: its detail says it."""
    counted = [one.detail.replace(",", "") for one in summary.counted if one.code == code]
    return sum(int(text) for text in counted if text.isascii() and text.isdigit())


def _join_sentences(few: Sequence[FindingGroup]) -> str:
    """The one sentence of a cause: its own if there is one column, else the catalogue's."""
    texts = dict.fromkeys(one["message"] or "" for one in few)
    if len(texts) == 1:
        return next(iter(texts))
    known = load_codes().get(few[0]["code"])
    if known is None or (few[0]["code"] in _FIRST and len(texts) <= _EXAMPLES):
        return " ".join(texts)
    return generalize(known.sentence)


def _list_columns(few: Sequence[FindingGroup]) -> Iterator[tuple[str, int]]:
    for one in few:
        name = " ← ".join(name for name in (one["destination"], one["column"]) if name)
        if name:
            yield name, one["rows"]


def _make_examples(contacts: Iterable[str]) -> tuple[NamedContact, ...]:
    """Contacts with a valid id. What stands in its place could be anything, even a name."""
    valid = (parse_guid(one) for one in contacts)
    return tuple(NamedContact(contact=one) for one in valid if one is not None)


def list_reasons(summary: Summary) -> Iterator[Reason]:
    """Every decision and its reason, most contacts first."""
    for name, rows in sorted(summary.reasons.items(), key=lambda one: (-one[1], one[0])):
        decision, _, reason = name.partition("/")
        known = load_codes().get(reason)
        yield {
            "decision": decision,
            "reason": reason,
            "rows": rows,
            "sentence": generalize(known.sentence)
            if known
            else "Another version of p2c wrote this reason.",
            "advice": known.advice if known else "",
        }


def _read_first_ids(evidence: Evidence) -> _Ids:
    folder = evidence.folder
    ids = _Ids(held={}, refused={})
    try:
        with session(memory="400MB") as here:
            if folder.decisions.is_file():
                here.parquet("decisions", folder.decisions)
                ids.held = dict(here.frame(query("report/first_held"), count=_EXAMPLES).iter_rows())
            if folder.outcomes.is_file():
                here.parquet("outcomes", folder.outcomes)
                rows = here.frame(query("report/first_refused"), count=_EXAMPLES).iter_rows()
                ids.refused = {(outcome, code): contacts for outcome, code, contacts in rows}
    except duckdb.Error:
        return ids
    return ids


class _Names:
    """The numbers of a few contacts, and links to them."""

    def __init__(self, evidence: Evidence, contacts: Sequence[str]) -> None:
        self._base = make_link_base(evidence.run.text("source.url"))
        self._numbers: dict[str, str] = {}
        if contacts and evidence.folder.decisions.is_file():
            frame = evidence.frame(
                evidence.folder.decisions,
                lambda rows: rows.filter(
                    pl.col("contactid").is_in(contacts), pl.col("contact_number").is_not_null()
                ).select("contactid", "contact_number"),
            )
            if frame is not None:
                self._numbers = dict(frame.iter_rows())

    def show(self, examples: Iterable[NamedContact]) -> Iterator[NamedContact]:
        for one in examples:
            number = self._numbers.get(one.contact, "")
            yield NamedContact(
                contact=number if _KEY.fullmatch(number) else one.contact,
                href=f"{self._base}{one.contact}" if self._base else "",
            )

"""What an import that ended means for the rows of its package. Pure: all that SCM said is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from pipeline.load.outcome import count_outcomes
from pipeline.load.packages.error_rows import ImportMessages, MatchedErrors, place_messages
from pipeline.load.packages.jobdetails import ImportCounts
from pipeline.run.ledger import REFUSED, Unit
from pipeline.scm.messages import explain_messages, explain_refusal
from schemas.catalogue import Column, Entity
from schemas.codes import find_code

_ROW: Final = "import_failed"
_DISAGREE: Final = "counts_disagree"
_BROKEN: Final = frozenset({"Failed", "Canceled"})
_WHOLLY: Final = "Succeeded"
_FEW: Final = 20
"""Rows that are looked up to see whether an import brought any in: one request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """What a package holds and where it goes.

    ``rows`` gives legal_entity, destination_key, action and the key columns; ``content`` has the
    destination ``columns`` as well.
    """

    unit: Unit
    entity: Entity
    entity_label: str
    rows: Callable[[], pl.DataFrame]
    content: Callable[[], pl.DataFrame]
    columns: Mapping[str, Column]
    known: frozenset[str]
    """Keys of rows planned as ``upsert`` that were loaded before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The outcome of a package.

    ``counts``: rows by outcome. ``refused``: ``REFUSED``, the rows whose outcome was not foreseen.
    ``findings``: code and detail of what concerns the run as a whole. ``scm``: SCM's own counts.
    """

    counts: Mapping[str, int]
    refused: pl.DataFrame
    findings: tuple[tuple[str, str], ...] = ()
    scm: Mapping[str, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrivals:
    """Under which keys of some rows SCM has a record, and under which it has what was sent."""

    there: frozenset[str]
    equal: frozenset[str]


Look = Callable[[pl.DataFrame], Arrivals | None]
"""Looks rows of a package up in SCM; null if SCM does not let us look."""


def judge_import(
    parcel: Parcel, status: str, counts: ImportCounts | None, said: ImportMessages, look: Look
) -> Verdict:
    """The outcomes of a package.

    Where SCM counts otherwise than its messages say, its rows decide as far as they can: a gateway
    may have delivered the import twice, or rows were dropped without a word.

    Args:
        parcel: the package.
        status: the summary status in which its import ended.
        counts: what SCM counted; null when it keeps no record.
        said: what SCM said about rows.
        look: asked if the counts disagree, or if there are none and SCM does not say that all is
            well.
    """
    found = place_messages(parcel.rows(), parcel.entity, said)
    rest = _find_rest(parcel.rows(), found)
    if counts is None:
        others = _judge_uncounted(status, found, rest, look)
        return _sum_up(parcel, None, found, others)
    whole = _judge_rest(status, counts, rest.height, found.unplaced)
    if whole is not None and whole[0] == "failed":
        return _sum_up(parcel, counts, found, _repeat_for(rest, *whole))
    if whole is not None:
        return _sum_up(parcel, counts, found, _judge_arrivals(rest, look(rest), *whole[1:]))
    plain = _sum_up(parcel, counts, found, None)
    if any(code == _DISAGREE for code, _ in plain.findings):
        arrived = look(rest)
        return plain if arrived is None else _settle(parcel, counts, found, plain, arrived)
    if found.unplaced and not rest.is_empty():
        others = _judge_arrivals(rest, look(rest), *_describe_doubt(found.unplaced))
        return _sum_up(parcel, counts, found, others)
    return plain


def _judge_uncounted(
    status: str, found: MatchedErrors, rest: pl.DataFrame, look: Look
) -> pl.DataFrame | None:
    """The rows, of those about which SCM said nothing, that did not arrive; it counts none.

    Of an import that succeeded without a message, a few rows show whether it brought any in.
    """
    if rest.is_empty():
        return None
    if status == _WHOLLY and not found.unplaced:
        few = rest.head(_FEW)
        seen = look(few)
        if seen is None or seen.there >= set(few["destination_key"]):
            return None
    return _judge_arrivals(rest, look(rest), *_describe_stop(status, found.unplaced))


def _judge_arrivals(
    rest: pl.DataFrame, arrived: Arrivals | None, code: str, message: str
) -> pl.DataFrame:
    """``REFUSED``, of rows that may not have arrived, after a look at what SCM has.

    Those that it does not have failed; of those that it has otherwise, nobody knows. Without a look
    nobody knows of any.
    """
    if arrived is None:
        return _repeat_for(rest, "unknown", code, message)
    missing = _leave_out(rest, arrived.there)
    there = rest.join(missing, on="destination_key", how="anti", maintain_order="left")
    others = _leave_out(there, arrived.equal)
    return pl.concat(
        [
            _repeat_for(missing, "failed", code, f"{message} SCM does not have the row."),
            _repeat_for(others, "unknown", code, f"{message} SCM has the row with other values."),
        ]
    )


def _settle(
    parcel: Parcel, counts: ImportCounts, found: MatchedErrors, plain: Verdict, arrived: Arrivals
) -> Verdict:
    """The outcomes of a package whose counts disagree, after its rows were looked up.

    An import that came twice finds its own rows: it counts updates for creates, or every row once
    more. Rows that SCM does not have, as many as it does not count, did not arrive.
    """
    rest = _find_rest(parcel.rows(), found)
    missing = _leave_out(rest, arrived.there)
    own = plain.counts["created"] + plain.counts["updated"]
    if 0 < missing.height == own - counts.arrived:
        text = find_code(_ROW).message(detail="it gave no reason, and does not have the row")
        return _sum_up(parcel, counts, found, _repeat_for(missing, "failed", _ROW, text))
    is_twice = counts.arrived in {own, 2 * own} and counts.created <= plain.counts["created"]
    if is_twice and len(arrived.equal) == rest.height:
        others = tuple(one for one in plain.findings if one[0] != _DISAGREE)
        return replace(plain, findings=others)
    return plain


def may_pass(end: str, counts: ImportCounts | None, said: ImportMessages) -> bool:
    """Whether an import brought nothing in, for reasons that pass by themselves.

    Args:
        end: the summary status in which it ended.
        counts: what SCM counted; null when it keeps no record, and so nobody knows.
        said: what SCM said.
    """
    if end != "Failed" or counts is None or counts.arrived or not said.messages:
        return False
    return all(explain_messages([one.text]).later for one in said.messages)


def judge_without_record(
    parcel: Parcel,
    status: str | None,
    counts: ImportCounts | None,
    said: ImportMessages,
    find_arrived: Callable[[pl.DataFrame], frozenset[str]],
) -> Verdict:
    """The outcomes of a package of whose import SCM keeps no record any more.

    What it does not say about a row is no proof that the row arrived: unless its counts say so of
    all, SCM's rows are looked at. Of those that it does not have as they were sent, the outcome is
    unknown.

    Args:
        parcel: the package.
        status: the summary status that its job details stand for; null if they are gone, or stand
            still on the way.
        counts: what they count.
        said: what SCM said about rows.
        find_arrived: the keys, of some of its rows, under which SCM has what was sent.
    """
    rows = parcel.rows()
    found = place_messages(rows, parcel.entity, said)
    rest = _find_rest(rows, found)
    if rest.is_empty() or (counts is not None and counts.arrived == rest.height):
        return _sum_up(parcel, counts, found, None)
    if status in _BROKEN and counts is not None and not counts.arrived:
        refused = _repeat_for(rest, "failed", *_explain_whole(found.unplaced))
        return _sum_up(parcel, counts, found, refused)
    unknown = _leave_out(rest, find_arrived(rest))
    code = "import_record_gone"
    return _sum_up(
        parcel, None, found, _repeat_for(unknown, "unknown", code, find_code(code).message())
    )


def _find_rest(rows: pl.DataFrame, found: MatchedErrors) -> pl.DataFrame:
    """The rows about which SCM said nothing."""
    return rows.join(found.refused, on="destination_key", how="anti", maintain_order="left")


def _sum_up(
    parcel: Parcel, counts: ImportCounts | None, found: MatchedErrors, others: pl.DataFrame | None
) -> Verdict:
    """What was said of rows, and what holds for ``others`` (``REFUSED``), as one outcome."""
    rows = parcel.rows()
    refused = found.refused if others is None else pl.concat([found.refused, others])
    outcome = count_outcomes(rows, refused, parcel.known)
    is_refused = others is not None and (others["outcome"] == "failed").any()
    findings = [] if is_refused else _count_unplaced(parcel.unit, found.unplaced)
    return Verdict(
        counts=outcome,
        refused=refused,
        findings=(*_compare_counts(parcel.unit, rows, outcome, counts), *findings),
        scm=None
        if counts is None
        else {"read": counts.read, "created": counts.created, "updated": counts.updated},
    )


def refuse_package(parcel: Parcel, text: str) -> Verdict:
    """The outcome of a package that SCM did not take at all."""
    rows = parcel.rows()
    meant = explain_refusal([text])
    refused = _repeat_for(rows, "failed", meant.code, meant.text)
    return Verdict(counts=count_outcomes(rows, refused, parcel.known), refused=refused)


def _judge_rest(
    status: str, counts: ImportCounts | None, rest: int, unplaced: tuple[str, ...]
) -> tuple[str, str, str] | None:
    """Outcome, code and message of all rows about which nothing was said.

    Null if each has the outcome that was foreseen. If an import counts no row at all, or broke off
    on the way, nobody can say of any row that it arrived.
    """
    if not rest or (counts is not None and counts.arrived == rest):
        return None
    if status in _BROKEN:
        if counts is not None and not counts.arrived:
            return ("failed", *_explain_whole(unplaced))
        return "unknown", *_describe_stop(status, unplaced)
    if counts is not None and not counts.arrived:
        return (
            "unknown",
            "import_empty",
            (
                f"The import ended as {status}, with no row created or updated. "
                f"{explain_messages(unplaced).text}"
            ),
        )
    return None


def _describe_stop(status: str, unplaced: tuple[str, ...]) -> tuple[str, str]:
    """Code and message of rows of which SCM does not say whether they arrived."""
    return "import_stopped", f"The import ended as {status}. {explain_messages(unplaced).text}"


def _describe_doubt(unplaced: tuple[str, ...]) -> tuple[str, str]:
    """Code and message of rows that SCM counts as arrived, next to messages that name no row."""
    code = "import_doubted"
    return code, f"{find_code(code).message()} {explain_messages(unplaced).text}"


def _leave_out(rows: pl.DataFrame, keys: frozenset[str]) -> pl.DataFrame:
    return rows.filter(~pl.col("destination_key").is_in(list(keys)))


def _explain_whole(texts: tuple[str, ...]) -> tuple[str, str]:
    """Code and text for every row of a package, out of messages that name no row."""
    meant = explain_refusal(texts)
    return meant.code, meant.text


def _repeat_for(rows: pl.DataFrame, outcome: str, code: str, message: str) -> pl.DataFrame:
    return rows.select(
        "destination_key", outcome=pl.lit(outcome), code=pl.lit(code), message=pl.lit(message)
    ).cast(REFUSED)  # fmt: skip


def _compare_counts(
    unit: Unit, rows: pl.DataFrame, own: Mapping[str, int], counts: ImportCounts | None
) -> list[tuple[str, str]]:
    """A finding if our sums of outcomes differ from SCM's.

    Only SCM knows what an upsert did, so created and updated rows count together.
    """
    if counts is None:
        return []
    if (rows["action"] == "upsert").any():
        arrived = own["created"] + own["updated"]
        said = (
            f"created or updated {arrived:,}, SCM {counts.arrived:,}"
            if arrived != counts.arrived
            else ""
        )
    else:
        pairs = (
            ("created", own["created"], counts.created),
            ("updated", own["updated"], counts.updated),
        )
        said = "; ".join(
            f"{name} {ours:,}, SCM {theirs:,}" for name, ours, theirs in pairs if ours != theirs
        )
    return [(_DISAGREE, f"{unit.task} {unit.name}: {said}")] if said else []


def _count_unplaced(unit: Unit, messages: tuple[str, ...]) -> list[tuple[str, str]]:
    if not messages:
        return []
    noun = "message" if len(messages) == 1 else "messages"
    return [("message_unplaced", f"{unit.task} {unit.name}, {len(messages):,} {noun}")]

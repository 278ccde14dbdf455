"""The counter's row of *P2C AutoNumber*, and the form of a contact number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pipeline.errors import AnswerUnreadable, PlanRefused
from pipeline.wire.salesrows import ETAG, SalesRows

COUNTERS: Final = "msdynce_p2cautonumbers"
NEXT: Final = "msdynce_numbersequence"
LONGEST: Final = 20
"""Characters that a contact number may have."""

_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_KEY: Final = "msdynce_p2cautonumberid"
_COLUMNS: Final = (_KEY, "msdynce_entityname", "msdynce_prefix", NEXT, "msdynce_suffixlength")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """How many numbers, of which form, and the highest one that the plan found (0: none)."""

    count: int
    highest: int
    prefix: str
    suffix_length: int
    entity: str = "contact"


@dataclass(frozen=True, kw_only=True, slots=True)
class Counter:
    """The counter's row as it is now; ``next`` is the number that the next create gets."""

    id: str
    prefix: str
    next: int
    suffix_length: int
    etag: str


def format_number(prefix: str, number: int, suffix: str) -> str:
    """A contact number, as in ``CON-01000-BVRCPS``."""
    return f"{prefix}-{number:05d}-{suffix}"


def read_counter(rows: SalesRows, entity: str = "contact") -> Counter:
    """The counter of an entity.

    Raises:
        PlanRefused: there is none, or more than one.
        SystemStopped: Sales failed, or its counter has no number.
    """
    found = rows.query(COUNTERS, _COLUMNS, f"msdynce_entityname eq '{entity}'")
    if len(found) != 1:
        what = "no counter" if not found else f"{len(found)} counters"
        problem = (
            f"has {what} (P2C AutoNumber) for {entity}s; numbers can be reserved from exactly "
            "one. Correct that, then plan again."
        )
        raise PlanRefused(problem, where=rows.label)
    [row] = found
    return Counter(
        id=str(row[_KEY]),
        prefix=str(row["msdynce_prefix"]),
        next=_read_number(row[NEXT], rows.label),
        suffix_length=_read_number(row["msdynce_suffixlength"], rows.label),
        etag=str(row[ETAG]),
    )


def _read_number(value: object, system: str) -> int:
    """A number of the counter. Raises ``AnswerUnreadable``."""
    text = str(value).strip()
    if isinstance(value, bool) or _NUMBER.fullmatch(text) is None:
        raise AnswerUnreadable(
            "has a counter (P2C AutoNumber) without a number that can be read. Correct it there, "
            "then run the same command again to continue.",
            where=system,
        )
    return int(text)


def find_first_number(rows: SalesRows, now: Counter, wanted: Reservation) -> int:
    """The first number that a reservation would get.

    Raises ``PlanRefused`` if the counter does not fit the plan.
    """
    base = max(now.next, wanted.highest + 1)
    if (now.prefix, now.suffix_length) != (wanted.prefix, wanted.suffix_length):
        problem = (
            "the counter's prefix or suffix length changed since the plan was made. Plan again."
        )
        raise PlanRefused(problem, where=rows.label)
    if (
        len(format_number(wanted.prefix, base + wanted.count - 1, "x" * wanted.suffix_length))
        > LONGEST
    ):
        problem = f"the counter is so high that numbers would have more than {LONGEST} characters."
        raise PlanRefused(problem, where=rows.label)
    return base


def is_taken(rows: SalesRows, prefix: str, number: int) -> bool:
    """Whether a contact has this number, whatever its suffix."""
    text = format_number(prefix, number, "")
    return bool(
        rows.query("contacts", ["contactid"], f"startswith(msdynce_contactnumber,'{text}')", top=1)
    )

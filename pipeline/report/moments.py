"""Moments, lengths of time and sizes as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_SIZES: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def format_moment(moment: datetime | None) -> str:
    """As in ``2 Jan 2026, 03:04:05 UTC``; blank for null."""
    if moment is None:
        return ""
    there = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{there.day} {there:%b %Y, %H:%M:%S} UTC"


def parse_moment(text: str) -> datetime | None:
    """A moment as the journal writes it. Null where it is not one."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def format_duration(seconds: float) -> str:
    """In words: the largest unit and the next one, as in ``2 minutes 5 seconds``."""
    whole = round(seconds)
    if whole < 1:
        return "less than a second"
    for place, (length, noun) in enumerate(_UNITS):
        if whole >= length:
            parts = [(whole // length, noun)]
            if place + 1 < len(_UNITS):
                smaller, name = _UNITS[place + 1]
                parts.append((whole % length // smaller, name))
            return " ".join(
                f"{count:,} {name}{'' if count == 1 else 's'}" for count, name in parts if count
            )
    raise AssertionError("a whole number of seconds is at least one")


def format_size(count: int | None) -> str:
    """Bytes in the unit that fits; blank for null."""
    if count is None:
        return ""
    for unit, name in _SIZES:
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count:,} bytes" if count != 1 else "1 byte"

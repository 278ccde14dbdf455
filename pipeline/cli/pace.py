"""How far a step is, how fast it goes, and how long the rest takes."""

from __future__ import annotations

from typing import Final

_SOON: Final = 1.0
"""Seconds before which a rate says nothing."""
_MINUTE: Final = 60


def describe_pace(done: int, total: int | None, seconds: float, *, finished: bool) -> str:
    """Counts, rate and time left of a step, as far as they are known.

    ``seconds`` is how long ``done`` took.
    """
    if not done:
        return "" if total is None else f"0 of {total:,}"
    if finished or done == total:
        return f"{done:,}"
    rate = done / seconds if seconds >= _SOON else 0.0
    parts = [f"{done:,}" if total is None else f"{done:,} of {total:,}"]
    parts += [f"{rate:,.0f}/s"] if rate >= 1 else []
    if rate and total is not None and total > done:
        parts.append(f"{_describe_wait((total - done) / rate)} left")
    return ", ".join(parts)


def _describe_wait(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _MINUTE * _MINUTE:
        return f"{round(whole / _MINUTE)} min"
    return f"{whole // _MINUTE**2} h {whole % _MINUTE**2 // _MINUTE} min"

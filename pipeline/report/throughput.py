"""Rows over time: batches spread over the time they took, as bars of equal width and static SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from pipeline.report.moments import format_duration

_WIDTH: Final = 960
_HEIGHT: Final = 240
_LEFT: Final = 76
_BOTTOM: Final = 48
_TOP: Final = 30
_BINS: Final = 60
_TICKS: Final = 4
_DAY: Final = 86_400
_MINUTES: Final = 120
"""Seconds; a load that takes no longer is drawn over the seconds since it began."""
_FEW: Final = 3
_SHORT: Final = 5.0
"""Seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Rows that went between two moments; ``start`` is null where only the end is known."""

    start: datetime | None
    end: datetime
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Rows per bin of equal length, from ``start``."""

    start: datetime
    seconds: float
    """Length of one bin."""
    rows: tuple[float, ...]

    @property
    def rates(self) -> tuple[float, ...]:
        """Rows per second."""
        return tuple(rows / self.seconds for rows in self.rows)


def bin_spans(spans: Sequence[Span]) -> Series | None:
    """Spread spans over at most 60 bins.

    Null where the first moment is also the last.
    """
    if not spans:
        return None
    first = min(span.start or span.end for span in spans)
    last = max(span.end for span in spans)
    whole = (last - first).total_seconds()
    if whole <= 0:
        return None
    seconds = whole / _BINS
    bins = [0.0] * _BINS
    for span in spans:
        _spread(bins, span, first, seconds)
    return Series(start=first, seconds=seconds, rows=tuple(bins))


def _spread(bins: list[float], span: Span, first: datetime, seconds: float) -> None:
    end = (span.end - first).total_seconds() / seconds
    start = end if span.start is None else (span.start - first).total_seconds() / seconds
    if end - start <= 0:
        bins[min(int(end), len(bins) - 1)] += span.rows
        return
    for place in range(int(start), min(int(end), len(bins) - 1) + 1):
        share = min(end, place + 1) - max(start, place)
        bins[place] += span.rows * max(share, 0) / (end - start)


def draw_throughput(found: Series, *, title: str) -> Markup:
    """The bars, with the time below and rows per second on the left."""
    most = _round_up(max(found.rates))
    inner, tall = _WIDTH - _LEFT, _HEIGHT - _BOTTOM - _TOP
    width = inner / len(found.rows)
    parts = [_draw_tick_across(most * place / _TICKS, most, tall) for place in range(_TICKS + 1)]
    for place, rate in enumerate(found.rates):
        height = tall * rate / most
        if height > 0:
            parts.append(
                Markup(
                    '<rect class="bar done" x="{}" y="{}" width="{}" height="{}"></rect>'
                ).format(
                    f"{_LEFT + place * width + 0.5:.1f}",
                    f"{_TOP + tall - height:.1f}",
                    f"{width - 1:.1f}",
                    f"{height:.1f}",
                )
            )
    parts += [_draw_tick_below(found, share / _TICKS, inner) for share in range(_TICKS + 1)]
    is_short = found.seconds * len(found.rows) <= _MINUTES
    unit = "seconds since the first batch was sent" if is_short else "time of day, UTC"
    parts.append(
        Markup(
            '<text class="axis" x="0" y="14">rows per second</text>'
            '<text class="axis" x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(_WIDTH, _HEIGHT - 4, unit)
    )
    return Markup(
        '<svg class="throughput" viewBox="0 0 {} {}" role="img" aria-labelledby="throughput-title '
        'throughput-description" '
        'preserveAspectRatio="xMinYMin meet"><title id="throughput-title">{}</title>'
        '<desc id="throughput-description">{}</desc>{}</svg>'
    ).format(_WIDTH, _HEIGHT, title, describe_throughput(found), Markup("").join(parts))


def describe_throughput(found: Series) -> str:
    """The picture in one sentence."""
    total = sum(found.rows)
    whole = found.seconds * len(found.rows)
    return (
        f"{total:,.0f} rows in {format_duration(whole)}, {total / whole:,.1f} rows/s on average, "
        f"{max(found.rates):,.1f} rows/s at the fastest."
    )


def is_worth_drawing(found: Series, batches: int) -> bool:
    """Whether the bars say more than the sentence: several batches, over more than a moment."""
    return batches >= _FEW and found.seconds * len(found.rows) >= _SHORT


def _round_up(rate: float) -> float:
    """The next 1, 2 or 5 times a power of ten, for the axis."""
    power = 10.0 ** len(str(int(rate))) if rate >= 1 else 1.0
    return next(step * power for step in (0.1, 0.2, 0.5, 1) if step * power >= rate)


def _draw_tick_across(rate: float, most: float, tall: float) -> Markup:
    y = _TOP + tall - tall * rate / most
    return Markup(
        '<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"></line><text class="axis" x="{}" '
        'y="{}" text-anchor="end">{}</text>'
    ).format(
        _LEFT,
        _WIDTH,
        _LEFT - 6,
        f"{y + 4:.1f}",
        f"{rate:,.4g}" if rate < 1 else f"{rate:,.0f}",
        y=f"{y:.1f}",
    )


def _draw_tick_below(found: Series, share: float, inner: float) -> Markup:
    whole = found.seconds * len(found.rows)
    if whole <= _MINUTES:
        text = f"{whole * share:,.0f}"
    else:
        moment = found.start + timedelta(seconds=whole * share)
        text = f"{moment:{'%d %b %H:%M' if whole > _DAY else '%H:%M:%S'}}"
    anchor = "start" if share == 0 else "end" if share == 1 else "middle"
    return Markup('<text class="axis" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        f"{_LEFT + inner * share:.1f}", _HEIGHT - _BOTTOM + 20, anchor, text
    )

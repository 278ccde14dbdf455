"""What needed a person, run by run, as small bars and static SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

_WIDTH: Final = 440
_HEIGHT: Final = 120
_LEFT: Final = 56
_TOP: Final = 14
_BOTTOM: Final = 22
_WIDEST: Final = 40
_MOST: Final = 60
"""Bars; of more runs the newest are drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppedCount:
    """What one load left to people. ``day`` is when it began."""

    day: str
    held: int
    rejected: int
    failed: int


def draw_trend(loads: Sequence[StoppedCount]) -> Markup | None:
    """The bars, oldest first. Null where there are fewer than two loads: that is no trend."""
    shown = loads[-_MOST:]
    if len(shown) < 2:  # noqa: PLR2004 - said above
        return None
    most = max(one.held + one.rejected + one.failed for one in shown) or 1
    step = min((_WIDTH - _LEFT) / len(shown), _WIDEST)
    bars = [
        bar
        for place, one in enumerate(shown)
        for bar in _draw_bar(one, _LEFT + place * step, step - 2, most)
    ]
    end = _LEFT + step * len(shown)
    base = _HEIGHT - _BOTTOM
    wide = max(end, _LEFT + 280)
    return Markup(
        '<svg class="trend" width="{wide}" viewBox="0 0 {wide} {}" role="img" '
        'aria-labelledby="trend-title trend-description">'
        '<title id="trend-title">Contacts that needed a person, load by load</title>'
        '<desc id="trend-description">{}</desc>'
        '<text class="axis" x="{left}" y="{}" text-anchor="end">{}</text>'
        '<text class="axis" x="{left}" y="{base}" text-anchor="end">0</text>'
        '<line class="grid" x1="{x}" x2="{}" y1="{base}" y2="{base}"></line>{}'
        '<text class="axis" x="{x}" y="{below}">{}</text>'
        '<text class="axis" x="{}" y="{below}" text-anchor="end">{}</text></svg>'
    ).format(
        _HEIGHT, _describe(shown), _TOP + 8, f"{most:,}", f"{end:.1f}",
        Markup("").join(bars), shown[0].day, f"{wide:.1f}", shown[-1].day,
        wide=f"{wide:.0f}", left=_LEFT - 6, base=base, x=_LEFT, below=_HEIGHT - 6,
    )  # fmt: skip


def _describe(shown: Sequence[StoppedCount]) -> str:
    first, last = shown[0], shown[-1]
    return (
        f"{len(shown)} loads. First, on {first.day}: {_count(first)}. "
        f"Last, on {last.day}: {_count(last)}."
    )


def _count(one: StoppedCount) -> str:
    return f"{one.held:,} held, {one.rejected:,} rejected, {one.failed:,} failed"


def _draw_bar(one: StoppedCount, x: float, width: float, most: int) -> list[Markup]:
    """The parts of a bar, from the bottom up."""
    y = float(_HEIGHT - _BOTTOM)
    found = []
    for tone, rows in (("held", one.held), ("wrong", one.rejected + one.failed)):
        height = rows * (_HEIGHT - _BOTTOM - _TOP) / most
        y -= height
        if rows:
            found.append(
                Markup(
                    '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>'
                ).format(
                    tone,
                    f"{x:.1f}",
                    f"{y:.1f}",
                    f"{width:.1f}",
                    f"{height:.1f}",
                    f"{one.day}: {_count(one)}",
                )
            )
    return found

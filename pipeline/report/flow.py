"""The picture of where everything went: columns of bars, bands between them, as static SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 960
HEIGHT: Final = 420
_TOP: Final = 40
_BAR: Final = 14
_LABEL: Final = 24
"""Every bar has room for its label, however thin it is."""

_GAP: Final = 8
_THIN: Final = 1.5
_RIGHT: Final = 150
"""Room for the labels of the last column."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One bar: its name, how many rows it stands for, and its tone (a CSS class)."""

    name: str
    rows: int
    tone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowColumn:
    """Bars above one another, under a heading."""

    heading: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowLink:
    """Rows that go from a bar of one column to a bar of the next."""

    column: int
    source: str
    target: str
    rows: int


@dataclass(kw_only=True, slots=True)
class _Bar:
    node: Node
    x: float
    y: float
    height: float
    taken_left: float = 0
    taken_right: float = 0


def draw_flow(
    columns: Sequence[FlowColumn], links: Sequence[FlowLink], *, title: str, description: str
) -> Markup:
    """The picture.

    A table next to it shows the same; so it is one image with a name to screen readers.
    """
    bars = _place_bars(columns)
    bands = [
        _draw_band(
            bars[link.column][link.source],
            bars[link.column + 1][link.target],
            link,
            _compute_scale(columns),
        )
        for link in links
    ]
    labels = [_draw_label(bar) for column in bars for bar in column.values()]
    step = _compute_step(columns)
    depth = max(bar.y + max(bar.height, _LABEL) for column in bars for bar in column.values())
    headings = [
        Markup('<text class="heading" x="{}" y="16">{}</text>').format(
            f"{place * step:.1f}", column.heading
        )
        for place, column in enumerate(columns)
    ]
    return Markup(
        '<svg class="flow" viewBox="0 0 {w} {h}" role="img" aria-labelledby="flow-title '
        'flow-description" '
        'preserveAspectRatio="xMinYMin meet"><title id="flow-title">{title}</title><desc '
        'id="flow-description">{text}</desc>'
        "{inside}</svg>"
    ).format(
        w=WIDTH,
        h=f"{depth + _GAP:.0f}",
        title=title,
        text=description,
        inside=Markup("").join([*headings, *bands, *labels]),
    )


def _compute_step(columns: Sequence[FlowColumn]) -> float:
    return (WIDTH - _RIGHT) / max(len(columns) - 1, 1)


def _compute_scale(columns: Sequence[FlowColumn]) -> float:
    """Height of one row: the same in all columns, so that bands keep their width."""
    most = max(sum(node.rows for node in column.nodes) for column in columns) or 1
    crowd = max(len(column.nodes) for column in columns)
    return (HEIGHT - _TOP - crowd * (_LABEL + _GAP)) / most


def _place_bars(columns: Sequence[FlowColumn]) -> list[dict[str, _Bar]]:
    scale, step = _compute_scale(columns), _compute_step(columns)
    found = []
    for place, column in enumerate(columns):
        y = float(_TOP)
        bars = {}
        for node in column.nodes:
            height = max(node.rows * scale, _THIN)
            bars[node.name] = _Bar(node=node, x=place * step, y=y, height=height)
            y += max(height, _LABEL) + _GAP
        found.append(bars)
    return found


def _draw_band(source: _Bar, target: _Bar, link: FlowLink, scale: float) -> Markup:
    height = max(link.rows * scale, 0.5)
    start, end = source.y + source.taken_right, target.y + target.taken_left
    source.taken_right += link.rows * scale
    target.taken_left += link.rows * scale
    x, to = source.x + _BAR, target.x
    middle = (x + to) / 2
    path = (
        f"M{x:.1f},{start:.1f} C{middle:.1f},{start:.1f} {middle:.1f},{end:.1f} {to:.1f},{end:.1f} "
        f"V{end + height:.1f} C{middle:.1f},{end + height:.1f} {middle:.1f},{start + height:.1f} "
        f"{x:.1f},{start + height:.1f} Z"
    )
    text = f"{link.rows:,} {link.source} → {link.target}"
    return Markup('<path class="band {}" d="{}"><title>{}</title></path>').format(
        target.node.tone, path, text
    )


def _draw_label(bar: _Bar) -> Markup:
    y = bar.y + min(bar.height, _LABEL) / 2 + 4
    return Markup(
        '<rect class="bar {tone}" x="{x}" y="{top}" width="{bar}" height="{height}"></rect>'
        '<text x="{text}" y="{y}"><tspan class="figure">{rows}</tspan> {name}</text>'
    ).format(
        tone=bar.node.tone,
        x=f"{bar.x:.1f}",
        top=f"{bar.y:.1f}",
        bar=_BAR,
        height=f"{bar.height:.1f}",
        text=f"{bar.x + _BAR + 6:.1f}",
        y=f"{max(y, bar.y + 11):.1f}",
        rows=f"{bar.node.rows:,}",
        name=escape(bar.node.name),
    )

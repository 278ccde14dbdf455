"""The values that findings are about, as text: what there is, and what one entry repairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.run.summary import NamedValues
from pipeline.show.visible import make_visible

_MOST: Final = 8
_REPAIRED: Final[Mapping[str, str]] = {
    "legal_entity_unmapped": "[organizations]",
    "country_unknown": "[countries]",
    "state_unknown": "value_map",
    "value_not_mapped": "value_map",
    "value_not_allowed": "value_map",
    "reference_not_in_scm": "value_map",
    "value_unreadable": "[labels]",
}
"""Where entries of the project repair the findings of a code."""


def list_values(one: NamedValues) -> list[str]:
    """Values with their rows, most frequent first; those that are not named are counted."""
    ordered = _order(one)
    shown = [f"{make_visible(value) or 'blank'} {rows:,}" for value, rows in ordered[:_MOST]]
    others = one.distinct - len(ordered[:_MOST])
    if others > 0 and shown:
        left = one.rows - sum(rows for _, rows in ordered[:_MOST])
        noun = "other value" if others == 1 else "other values"
        shown.append(f"{others:,} {noun} {left:,}")
    return shown


def explain_repair(one: NamedValues) -> str:
    """How many rows entries of the project repair; blank where they cannot repair any."""
    place = _REPAIRED.get(one.code)
    values = [rows for value, rows in _order(one)[:_MOST] if value]
    if place is None or not values:
        return ""
    entries = "One entry" if len(values) == 1 else f"{len(values)} entries"
    verb = "repairs" if len(values) == 1 else "repair"
    noun = "row" if sum(values) == 1 else "rows"
    return f"{entries} in {place} {verb} {sum(values):,} {noun}."


def merge_columns(named: Iterable[NamedValues]) -> list[NamedValues]:
    """Values of one source column once, where one entry repairs them in all destination columns."""
    merged: dict[tuple[str, str, str], NamedValues] = {}
    for one in named:
        is_shared = _REPAIRED.get(one.code, "").startswith("[")
        place = (one.code, one.column, "" if is_shared else one.destination)
        before = merged.get(place)
        merged[place] = one if before is None else _add(before, one)
    return list(merged.values())


def _add(one: NamedValues, other: NamedValues) -> NamedValues:
    values = Counter(one.values)
    values.update(other.values)
    return one.replace(
        destination="",
        rows=one.rows + other.rows,
        distinct=max(one.distinct, other.distinct, len(values)),
        values=dict(values),
    )


def _order(one: NamedValues) -> list[tuple[str, int]]:
    return sorted(one.values.items(), key=lambda value: (-value[1], value[0]))

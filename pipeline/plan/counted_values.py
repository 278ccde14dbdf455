"""Values that a plan has counted: what findings are about, and what value maps were used for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from pipeline.mapping.compile import CompiledTemplate
from pipeline.run.summary import NamedValues, ValueMap
from pipeline.transform.named import UNIT, Place, choose_shown, name_units
from pipeline.transform.tally import Tally

_UNMAPPED: Final = 200
"""So many values that a map does not know are kept, the most frequent ones."""


def list_named(tally: Tally, units: Mapping[str, str]) -> Iterator[NamedValues]:
    """What the findings of lists are about, the most frequent first.

    Args:
        tally: has counted them.
        units: id or name of a business unit → its name.
    """
    places: dict[Place, Counter[str]] = {}
    for (place, value), rows in tally.values.items():
        places.setdefault(place, Counter())[value] = rows
    ordered = sorted(places.items(), key=lambda one: (-sum(one[1].values()), one[0]))
    for (code, column, destination), found in ordered:
        is_unit = column == UNIT
        values = name_units(found, units) if is_unit else found
        shown = choose_shown(values, set(units.values()) if is_unit else ())
        yield NamedValues(
            code=code,
            column=column,
            destination=destination,
            rows=values.total(),
            distinct=len(values),
            values=dict(list(shown.items())[:_UNMAPPED]),
        )


def count_value_maps(tally: Tally, mappings: Mapping[str, CompiledTemplate]) -> Iterator[ValueMap]:
    """Each value map: how often each key was used, and which source values had none."""
    for task, mapping in mappings.items():
        for target in mapping.targets:
            if target.lookup is None:
                continue
            uses = {key: tally.key_uses[task, target.name, key] for key in target.lookup.map_keys}
            unmapped = {
                value: count
                for (name, column, value), count in tally.unmapped.items()
                if (name, column) == (task, target.name)
            }
            often = sorted(unmapped.items(), key=lambda one: (-one[1], one[0]))
            yield ValueMap(
                task=task,
                destination=target.name,
                source=target.row.row.source,
                keys=uses,
                never_used=tuple(key for key, count in uses.items() if not count),
                unmapped=dict(often[:_UNMAPPED]),
                unmapped_values=len(unmapped),
            )

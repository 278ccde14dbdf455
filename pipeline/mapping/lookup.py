"""Closed lists: country → value map → default, computed once for every distinct value of a morsel.

Value-map keys match after trim and casefold; keys of a choice or two-options column are read as
such a column is, so that ``1``, ``true`` and ``Male`` meet what the source holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipeline.mapping import countries as shipped
from pipeline.mapping.states import load_state_codes
from pipeline.mapping.template import MappingRow, OnUnknown
from schemas.catalogue import Field, Type
from schemas.text import fold_text
from schemas.values import FLAGS


def look_up_country(text: str, own: Mapping[str, str]) -> str | None:
    """ISO-2 of a country: the project's own spellings first, then the shipped ones.

    Exact match only.
    """
    return own.get(fold_text(text)) or shipped.find_country(text)


def read_key(key: str, field: Field | None) -> str:
    """The form in which a value-map key is compared with a source value."""
    folded = fold_text(key)
    if field is None:
        return folded
    members = {fold_text(word): value for word, value in field.members.items()}
    if field.type is Type.TWO_OPTIONS:
        flag = bool(members[folded]) if folded in members else FLAGS.get(folded)
        return folded if flag is None else str(flag).lower()
    return str(members[folded]) if folded in members else folded


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What a row of a mapping makes of one value.

    Country or state, value map, default, and what to do with the unknown.
    """

    row: MappingRow
    field: Field | None
    default: str | None
    countries: Mapping[str, str]

    @cached_property
    def _map(self) -> Mapping[str, str] | None:
        pairs = self.row.value_map
        field = None if self.row.country or self.row.state else self.field
        return (
            None if pairs is None else {read_key(key, field): value for key, value in pairs.items()}
        )

    @property
    def map_keys(self) -> list[str]:
        """The value map's keys, as they are compared."""
        return list(self._map or ())

    def outcome(
        self, value: str | None, country: str | None = None
    ) -> tuple[str | None, str | None, str | None]:
        """One value's way through the row.

        Args:
            value: trimmed source text, null when blank.
            country: the row's ISO-2 code, for ``state``.

        Returns:
            The destination text (null when blank), the code of the problem if there is one, and the
            value-map key that was used if one was.
        """
        current, problem = value, None
        if value is not None and (self.row.country or self.row.state):
            found = (
                look_up_country(value, self.countries)
                if self.row.country
                else load_state_codes(country or "").get(fold_text(value))
            )
            problem = None if found else "country_unknown" if self.row.country else "state_unknown"
            current = found
        used = None
        if problem is None or self.row.on_unknown is OnUnknown.PASS:
            current = current if problem is None else value
            problem = None
            current, problem, used = self._apply_map(current)
        if problem is not None and self.row.on_unknown is OnUnknown.DEFAULT:
            current, problem = None, None
        elif problem is not None:
            return None, problem, used
        return (current or self.default), None, used

    def _apply_map(self, current: str | None) -> tuple[str | None, str | None, str | None]:
        """The value map's part: result, problem, key used."""
        if self._map is None:
            return current, None, None
        key = "" if current is None else fold_text(current)
        if key in self._map:
            return self._map[key] or None, None, key
        if current is None or self.row.on_unknown is OnUnknown.PASS:
            return current, None, None
        return None, "value_not_mapped", None

"""Side tables that are too large to be joined whole: of each stretch, what its contacts name.

A join builds its right side in memory. Where that has no room it spills, and rows come out in any
order: restoring it would take the memory that was spared.
"""

from __future__ import annotations

from typing import Final

from sql.query import query
from sql.session import Session

_LARGE: Final = 1_000_000
"""Rows that are joined whole, at most."""
_MORSELS: Final = 32
"""Morsels that have as many: whoever works on few rows at once has little memory."""
KEYS: Final = {
    "accounts": ("accountid", "parentcustomerid"),
    "companies": ("contactid", "parentcustomerid"),
    "only_ids": ("contactid", "contactid"),
    "known_keys": ("number_key", "number_key"),
    "organization_numbers": ("number_key", "number_key"),
    "prospect_numbers": ("number_key", "number_key"),
    "loaded": ("number_key", "first_number_key"),
    "loaded_numbers": ("number_key", "number_key"),
}
"""Side table → its key, and what contacts name it by (``sql/plan/parts/named.sql``)."""
_NUMBERS: Final = ("number_key", "first_number_key")


class LargeSides:
    """The large side tables of a session, on the disk while contacts are joined.

    The session has what ``sql/plan/route.sql`` reads. Accounts lie on the disk whatever their size:
    once in memory is enough.
    """

    def __init__(self, main: Session, rows: int) -> None:
        """``rows`` of contacts are worked on at once."""
        self._main = main
        large = min(_LARGE, _MORSELS * rows)
        self._names = [
            name for name in KEYS if main.frame(query("plan/count_rows", rows=name)).item() > large
        ]
        for name in self._names:
            main.set_aside(name, called=_name_whole(name))
        if "accounts" not in self._names:
            main.set_aside("accounts", called="accounts")

    @property
    def are_there(self) -> bool:
        """Whether any side table is large."""
        return bool(self._names)

    def choose(self) -> None:
        """Let each have what the contacts of today's stretch name."""
        if not self._names:
            return
        names = {KEYS[name][1] for name in self._names}
        by_number = not names.isdisjoint(_NUMBERS)
        self._main.store(
            "named", query("plan/parts/named"), by_id="contactid" in names, by_number=by_number
        )
        for name in self._names:
            key, named = KEYS[name]
            text = query("plan/parts/side", side=_name_whole(name), key=key, name=named)
            self._main.store(name, text)
        self._main.drop("named")

    def restore(self) -> None:
        """Let each have all of its rows again."""
        for name in self._names:
            self._main.drop(name)
            self._main.view(name, query("plan/parts/whole", rows=_name_whole(name)))


def _name_whole(side: str) -> str:
    return f"{side}_of_all"

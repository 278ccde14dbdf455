"""Counts of a part as JSON, whose objects have texts as keys only."""

from __future__ import annotations

from pipeline.plan.parts.kit import PartModel
from pipeline.transform.tally import COUNTERS, Tally

ByText = tuple[tuple[str, int], ...]
ByTwo = tuple[tuple[tuple[str, str], int], ...]
ByThree = tuple[tuple[tuple[str, str, str], int], ...]
"""Pairs of key and count; a key is one text, two or three."""


class PartTally(PartModel):
    """``Tally`` of one part."""

    rows: int
    units: tuple[str, ...]
    customers_with_currency_id: int
    states: ByText
    decisions: ByText
    reasons: ByTwo
    findings: ByText
    actions: ByThree
    defaulted: ByTwo
    blanks: ByTwo
    key_uses: ByThree
    unmapped: ByThree
    flags: ByText

    @classmethod
    def of(cls, tally: Tally) -> PartTally:
        """A tally to be carried."""
        counters = {name: tuple(getattr(tally, name).items()) for name in COUNTERS}
        return cls(
            rows=tally.rows,
            units=tuple(sorted(tally.units)),
            customers_with_currency_id=tally.customers_with_currency_id,
            **counters,
        )

    def restore(self) -> Tally:
        """The tally that it was."""
        tally = Tally(
            rows=self.rows,
            units=set(self.units),
            customers_with_currency_id=self.customers_with_currency_id,
        )
        for name in COUNTERS:
            getattr(tally, name).update(dict(getattr(self, name)))
        return tally

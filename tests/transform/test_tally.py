"""What a plan counts of values that met closed lists."""

from __future__ import annotations

from pipeline.mapping.closed import Usage, UsedValue
from pipeline.transform.tally import Tally


def test_keys_that_were_used_and_values_without_one_are_counted_over_all_morsels() -> None:
    values = (
        UsedValue(value="Germany", key="germany", problem=None, rows=3),
        UsedValue(value="Atlantis", key=None, problem="value_not_mapped", rows=2),
        UsedValue(value="Danmark", key="danmark", problem=None, rows=1),
    )
    tally = Tally()
    for _ in range(2):
        usage = {"Contacts": (Usage(destination="Country", values=values),)}
        tally.count_mapping(usage, {"Contacts": {"SalesCurrencyCode": 4}})
    assert dict(tally.key_uses) == {
        ("Contacts", "Country", "germany"): 6,
        ("Contacts", "Country", "danmark"): 2,
    }
    assert dict(tally.unmapped) == {("Contacts", "Country", "Atlantis"): 4}
    assert dict(tally.defaulted) == {("Contacts", "SalesCurrencyCode"): 8}

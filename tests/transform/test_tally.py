"""What a plan counts of values that met closed lists."""

from __future__ import annotations

import polars as pl

from pipeline.mapping.closed import Usage
from pipeline.transform.tally import Tally


def test_keys_that_were_used_and_values_without_one_are_counted_over_all_morsels() -> None:
    values = pl.DataFrame(
        {
            "value": ["Germany", "Atlantis", "Danmark"],
            "key": ["germany", None, "danmark"],
            "problem": [None, "value_not_mapped", None],
            "rows": [3, 2, 1],
        }
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

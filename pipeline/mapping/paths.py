"""Sources that lie behind a lookup.

The paths of the Data Integrator that p2c can follow (reference 5.5).
"""

from __future__ import annotations

from typing import Final

COMPANY: Final = "parentcustomerid.Account(accountnumber).Contact(msdynce_contactnumber)"
"""The company's Account Number if the lookup points at an account, its Contact Number if it points
at a contact."""

CURRENCY: Final = "transactioncurrencyid.isocurrencycode"
"""The ISO code of the row's currency."""

PATHS: Final = (COMPANY, CURRENCY)

NUMBER: Final = "msdynce_contactnumber"


def name_text_column(source: str) -> str:
    """The column of the routed table that carries a source as text."""
    return f"text:{source}"

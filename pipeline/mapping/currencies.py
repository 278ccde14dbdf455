"""The currencies of ISO 4217."""

from __future__ import annotations

from functools import cache

import pycountry


@cache
def _load_codes() -> frozenset[str]:
    return frozenset(one.alpha_3 for one in pycountry.currencies)


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has a currency of this code today."""
    return code in _load_codes()

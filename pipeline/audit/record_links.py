"""Addresses of contacts in Sales, as a browser opens them."""

from __future__ import annotations

from typing import Final

RECORD: Final = "/main.aspx?pagetype=entityrecord&etn=contact&id="
"""Behind the address of a Sales, before the id of a contact."""

_LOCAL: Final = ("http://127.0.0.1", "http://localhost")


def make_link_base(url: str | None) -> str | None:
    """What comes before a contact's id. Null where no Sales is known, or its address is no https.

    Addresses of this machine may be http.
    """
    if url is None or not url.startswith(("https://", *_LOCAL)):
        return None
    return f"{url.rstrip('/')}{RECORD}"

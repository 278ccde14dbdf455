"""How long a system may be silent, whoever is asked: Sales, SCM, a blob, the login service."""

from __future__ import annotations

from typing import Final

import httpx

CONNECT: Final = 15.0
READ: Final = 180.0
LOGIN: Final = 240.0
"""Seconds of a login as a whole, whatever it asks and however often."""

TIMEOUT: Final = httpx.Timeout(connect=CONNECT, read=READ, write=120.0, pool=None)
"""Seconds. A page of Dataverse may take two minutes. Waiting for a free connection is left to the
pace."""

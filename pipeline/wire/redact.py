"""Text without secrets: what a signed URL, a token or a secret would give away is cut out before anybody reads it."""

from __future__ import annotations

import re
from typing import Final

_QUERY: Final = re.compile(r"(?i)\b(https?://[^\s\"'<>?#]+)[?#][^\s\"'<>]*")
_USER: Final = re.compile(r"(?i)\b(https?://)[^\s/@\"'<>]+@")
_SECRET: Final = re.compile(
    r"(?i)\b(bearer\s+|(?:client_secret|client_assertion|access_token|refresh_token|password|sig|token)[\"']?\s*[=:]\s*[\"']?)"
    r"[A-Za-z0-9+/=_.~%-]{6,}"
)
_LONGEST: Final = 400


def without_secrets(text: str) -> str:
    """``text`` on one line, without query strings, users and tokens, at most 400 characters."""
    line = " ".join(text.split())
    line = _SECRET.sub(r"\1…", _USER.sub(r"\1", _QUERY.sub(r"\1?…", line)))
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"

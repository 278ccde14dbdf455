"""Text without secrets: whatever a signed URL, a token or a password would reveal is cut out."""

from __future__ import annotations

import re
from typing import Final

_QUERY: Final = re.compile(r"(?i)\b(https?://[^\s\"'<>?#]+)[?#][^\s\"'<>]*")
_USER: Final = re.compile(r"(?i)\b(https?://)[^\s/@\"'<>]+@")
_SECRET: Final = re.compile(
    r"(?i)\b(bearer\s+|(?:client_secret|client_assertion|access_token|refresh_token|password|sig"
    r"|token)[\"']?\s*[=:]\s*[\"']?)"
    r"[A-Za-z0-9+/=_.~%-]{6,}"
)
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff]"
)
"""Control and direction characters, and halves of characters."""
_LONGEST: Final = 400


def redact_secrets(text: str, *, longest: int = _LONGEST) -> str:
    r"""``text`` on one line, without query strings, users and tokens.

    Characters that steer a terminal, or that nobody sees, stand there as ``\u001b``. What exceeds
    ``longest`` characters is cut off.
    """
    line = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", " ".join(text.split()))
    line = _SECRET.sub(r"\1…", _USER.sub(r"\1", _QUERY.sub(r"\1?…", line)))
    return line if len(line) <= longest else f"{line[:longest]}…"

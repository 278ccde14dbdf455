"""Text without secrets: whatever a signed URL, a token or a password would reveal is cut out."""

from __future__ import annotations

import re
from typing import Final

_QUERY: Final = re.compile(r"(?i)\b(https?://[^\s\"'<>?#]+)[?#][^\s\"'<>]*")
_USER: Final = re.compile(r"(?i)\b(https?://)[^\s/@\"'<>]+@")
_SECRET: Final = re.compile(
    r"(?i)\b((?:bearer|sharedkey)\s+|(?:client_secret|client_assertion|secret|[a-z]+_token|password"
    r"|passwd|pwd|sig|token|(?:account|access|api|subscription)[ _-]?key)[\"']?\s*[=:]\s*[\"']?)"
    r"[A-Za-z0-9+/=_.~%-]{6,}"
)
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff]"
)
"""Control and direction characters, and halves of characters."""
_BARE: Final = re.compile(
    r"\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*"  # a JSON web token, whole or cut off
    r"|(?<![\w~.-])[\w.-]{3}[0-9]Q~[\w~.-]{6,}"  # a client secret of Entra
    r"|(?<![\w./-])[01]\.A[\w-]{20,}[\w.-]*"  # a refresh token or a code of Entra
    r"|[A-Za-z0-9+/_-]{43}="  # a key of 32 bytes
    r"|(?=[A-Za-z+/_-]*[0-9])(?=[0-9+/_-]*[A-Za-z])[A-Za-z0-9+/_-]{85,}={0,2}"  # what nobody reads
)
"""What is a secret by its own form, without a word before it."""
_LONGEST: Final = 400


def redact_secrets(text: str, *, longest: int = _LONGEST) -> str:
    r"""``text`` on one line, without query strings, users and tokens.

    Characters that steer a terminal, or that nobody sees, stand there as ``\u001b``. What exceeds
    ``longest`` characters is cut off.
    """
    line = _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", " ".join(text.split()))
    line = _SECRET.sub(r"\1…", _USER.sub(r"\1", _QUERY.sub(r"\1?…", line)))
    line = _BARE.sub("…", line)
    return line if len(line) <= longest else f"{line[:longest]}…"

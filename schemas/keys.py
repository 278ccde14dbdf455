"""What makes a key another key than it looks: signs that nobody sees, and signs that look alike.

All engines read the patterns.
"""

from __future__ import annotations

from typing import Final

_UNSEEN: Final = (
    "\x01-\x08\x0e-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
"""Controls, joiners, soft hyphens, and marks of direction and variation."""
_SPACES: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_DASHES: Final = "\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_OTHER_SCRIPTS: Final = r"[\p{Greek}\p{Cyrillic}]"
_WIDE: Final = r"[\x{ff01}-\x{ff5e}]"

HIDDEN: Final = f"[{_UNSEEN}{_SPACES}{_DASHES}]"
HIDDEN_SIGN: Final = (
    f"{HIDDEN}|[A-Za-z].*{_OTHER_SCRIPTS}|{_OTHER_SCRIPTS}.*[A-Za-z]"
    f"|[0-9A-Za-z].*{_WIDE}|{_WIDE}.*[0-9A-Za-z]"
    "|&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5});"
)
"""A key with such a sign, without blanks around it, is not the key that people read: one that
looks like a hyphen or a letter of another script, or an entity of HTML, is told as well."""

_SIGNS: Final = r"-\x{2013}\x{2014}.~?#_/\\'\"\x{b4}`,;:!|°§%^="
_WORDS: Final = (
    r"n\.v\.|n/v|n\. ?a\.|k\. ?a\.|o\. ?a\.|tbd|[<\[«](?:null|none|leer|empty|blank)[>\]»]"
    r"|\((?:leer|empty|blank)\)"
)
BLANK_SIGN: Final = rf"(?:[{_SIGNS}]{{1,4}}|\(\)|\[\]|\{{\}}|<>|(?i:{_WORDS}))"
"""What people and tools write into a text that has no value."""

"""Text from outside, shown so that it does no harm.

Control and direction characters become visible; nothing is lost.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SUSPECT: Final = re.compile(r"[^\x20-\x7E]")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def make_visible(text: str) -> str:
    r"""Show characters that a reader would not see, or that turn text around, as ``\u202e``.

    Line ends and tabs are among them; letters of all scripts, marks and emoji stay as they are.
    """
    return _SUSPECT.sub(lambda found: _show(found.group()), text)


def _show(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    point = ord(character)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"  # noqa: PLR2004


def make_lines_visible(text: str) -> str:
    """Make each line of a text ``make_visible``; its line ends stay."""
    return "\n".join(map(make_visible, text.split("\n")))

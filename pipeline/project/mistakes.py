"""What people get wrong in TOML, and how to write it: the parser itself says where, not what to do.

Nothing of the file is repeated but keys: a value may be a secret.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")
_KEY: Final = re.compile(r"\s*(?P<key>[A-Za-z0-9_.\"'-]+)\s*=\s*(?P<value>.*)")
_CURLY: Final = re.compile("[\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb]")
_WORDS: Final = re.compile(r"\s*[^\s=\"'\[\]#]+(\s+[^\s=\"'\[\]#]+)+\s*=")
_CONSTANT: Final = re.compile(r"(?i)(true|false|yes|no|on|off|none|null)\s*(#.*)?")
_BACKSLASH: Final = re.compile(r'"[^"]*\\')


@dataclass(frozen=True, slots=True)
class _Line:
    """The line where the parser gave up, and what it says."""

    text: str
    said: str

    @property
    def value(self) -> str:
        """What stands behind the first equals sign; blank without one."""
        found = _KEY.fullmatch(self.text)
        return found["value"] if found else ""


def _has_backslash(line: _Line) -> bool:
    return "Unescaped" in line.said or (
        _BACKSLASH.search(line.text) is not None and "hex" in line.said.lower()
    )


def _has_curly_quotes(line: _Line) -> bool:
    return _CURLY.search(line.text) is not None


def _opens(line: _Line) -> bool:
    return any(line.value.startswith(mark) and line.value.count(mark) == 1 for mark in "\"'")


def _is_open(line: _Line) -> bool:
    return _opens(line) or "Unterminated" in line.said or line.said.startswith('Expected "\'"')


def _is_colon(line: _Line) -> bool:
    return "=" not in line.text and re.match(r"\s*[A-Za-z_.]+\s*:", line.text) is not None


def _has_words_as_key(line: _Line) -> bool:
    return _WORDS.match(line.text) is not None and not line.text.lstrip().startswith("[")


def _is_constant(line: _Line) -> bool:
    return _CONSTANT.fullmatch(line.value) is not None


def _is_unquoted(line: _Line) -> bool:
    bare = re.fullmatch(r"[^\s\"'\[{][^\"'\[{]*", line.value) is not None
    return bare and ("Invalid value" in line.said or "Expected newline" in line.said)


def _is_bare_item(line: _Line) -> bool:
    return "Invalid value" in line.said and line.value[:1] in {"[", "{"}


def _is_blank(line: _Line) -> bool:
    return "Invalid value" in line.said and _KEY.fullmatch(line.text) is not None and not line.value


def _is_without_equals(line: _Line) -> bool:
    return "=" not in line.text and not line.text.lstrip().startswith("[")


_HINTS: Final[tuple[tuple[Callable[[_Line], bool], str], ...]] = (
    (
        _has_backslash,
        (
            "Between double quotes a backslash is special. Write the path with / (as in "
            "\"C:/Users/me/export\") or between single quotes (as in 'C:\\Users\\me\\export')."
        ),
    ),
    (
        _has_curly_quotes,
        (
            'The line has typographic quotes. Write straight ones, as in "EUR"; an editor for '
            "plain text does not change them."
        ),
    ),
    (_is_colon, 'A setting is written with =, as in currency = "EUR".'),
    (
        _has_words_as_key,
        'A name with spaces needs quotes, as in "Contoso Germany" = "demf".',
    ),
    (_is_open, "The quote at the beginning of the value is not closed; write \"EUR\" or 'EUR'."),
    (
        _is_constant,
        'Write true or false in small letters; for "not set" remove the line or write "".',
    ),
    (_is_blank, 'There is no value behind the =. For "not set" remove the line or write "".'),
    (_is_unquoted, 'Text needs quotes, as in currency = "EUR".'),
    (
        _is_bare_item,
        'In a list or table, too, text needs quotes, as in ["a", "b"] or { DE = "2" }.',
    ),
    (_is_without_equals, "A line is a [section], a KEY = VALUE or, behind a #, a comment."),
)
_SAID: Final[tuple[tuple[str, str], ...]] = (
    ("Cannot overwrite a value", "A key stands there twice; keep one of the two lines."),
    ("Cannot declare", "A [section] stands there twice; put all its settings below one of them."),
    ("Cannot mutate", "A key stands there twice; keep one of them."),
    ("Unclosed array", "A list ends with ]."),
    ("Unclosed inline table", "A table in one line ends with }."),
    ("Expected newline", "Something stands behind the value; only a comment with # may."),
    ("end of a table declaration", "A section ends with ], as in [source]."),
    ("Illegal character", "The line holds a character that TOML does not allow; type it again."),
)


def explain_toml_error(error: tomllib.TOMLDecodeError, text: str) -> str:
    """Where a text is not TOML, and what to write instead.

    Args:
        error: what the parser said.
        text: the whole text.
    """
    said = str(error)
    place = _PLACE.search(said)
    lines = text.splitlines() or [""]
    number = int(place[1]) if place and place[1] else _find_open_line(lines)
    column = f", column {place[2]}" if place and place[2] else ""
    line = _Line(lines[min(number, len(lines)) - 1], said)
    hints = [hint for applies, hint in _HINTS if applies(line)]
    hints += [hint for words, hint in _SAID if words in said]
    hint = next(iter(hints), "Look at this line and the one above it.")
    return f"is not valid TOML at line {number}{column}. {hint}"


def _find_open_line(lines: Sequence[str]) -> int:
    """The line that is to blame where the parser noticed it at the end of the text only."""
    found = [
        number
        for number, line in enumerate(lines, start=1)
        if any(line.count(mark * 3) % 2 for mark in "\"'") or _opens(_Line(line, ""))
    ]
    return found[0] if found else len(lines)

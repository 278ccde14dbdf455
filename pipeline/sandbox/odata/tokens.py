"""The text of a query option cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pipeline.sandbox.odata.tree import ODataError

_PATTERN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<enum>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*'(?:[^']|'')*')
    |(?P<text>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"\\]|\\.)*")
    |(?P<guid>[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![\w-]))
    |(?P<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:\d\d)?(?!\w))
    |(?P<date>\d{4}-\d\d-\d\d(?![\w-]))
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w))
    |(?P<alias>@\w+)
    |(?P<name>\$?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    |(?P<sign>[(),/:=\[\]*-])""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterToken:
    """A piece of the text.

    ``kind`` is a group of the pattern above, or ``end``; ``at`` counts from 0.
    """

    kind: str
    text: str
    at: int


def tokenize(text: str) -> tuple[FilterToken, ...]:
    """All tokens of the text but white space, and an ``end``."""
    found: list[FilterToken] = []
    at = 0
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None or match.lastgroup is None:
            raise syntax_error(text, at)
        if match.lastgroup != "space":
            found.append(FilterToken(kind=match.lastgroup, text=match.group(), at=at))
        at = match.end()
    return (*found, FilterToken(kind="end", text="", at=len(text)))


def syntax_error(text: str, at: int) -> ODataError:
    """The error of text that cannot be read from ``at`` on."""
    return ODataError(f"Syntax error at position {at} in '{text}'.")

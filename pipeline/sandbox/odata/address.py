"""The path of a URL below the service's root.

Segments with the keys or parameters in their brackets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pipeline.sandbox.odata.conditions import parse_constant
from pipeline.sandbox.odata.options import split
from pipeline.sandbox.odata.tree import Constant, ODataError

UNNAMED: Final = ""
"""The name of a key that stands alone in its brackets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One piece of a path.

    ``keys`` is null without brackets, empty with empty ones; ``UNNAMED`` for a key without a name.
    Parameters of a function stand here as well; a value ``@p`` is looked up in ``aliases``.
    """

    name: str
    keys: Mapping[str, Constant] | None = None
    texts: Mapping[str, str] | None = None


def parse_address(path: str, aliases: Mapping[str, str] | None = None) -> tuple[Segment, ...]:
    """The segments of a percent-encoded path, without the service's root. Raises ``ODataError``."""
    pieces = [unquote(piece) for piece in _pieces(path.strip("/"))]
    return tuple(_segment(piece, aliases or {}) for piece in pieces if piece)


def _pieces(path: str) -> list[str]:
    """The path cut at slashes; those in brackets and quotes belong to keys."""
    return list(split(path.replace("%27", "'").replace("%28", "(").replace("%29", ")"), "/"))


def _segment(piece: str, aliases: Mapping[str, str]) -> Segment:
    name, bracket, rest = piece.partition("(")
    if not bracket:
        return Segment(name=name)
    if not rest.endswith(")"):
        raise ODataError(f"Bad Request - Error in query syntax: '{piece}'.")
    texts = dict(_split_key(part.strip()) for part in split(rest[:-1], ",") if part.strip())
    texts = {
        key: aliases.get(text, text) if text.startswith("@") else text
        for key, text in texts.items()
    }
    return Segment(name=name, keys=_Constants(texts), texts=texts)


def _split_key(part: str) -> tuple[str, str]:
    """Name and value of a key; what is quoted is never a name."""
    head, sign, value = part.partition("=")
    return (head.strip(), value.strip()) if sign and "'" not in head else (UNNAMED, part)


class _Constants(Mapping[str, Constant]):
    """Keys read when they are asked for: parameters of functions may be JSON, which no key is."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __getitem__(self, name: str) -> Constant:
        return parse_constant(self._texts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

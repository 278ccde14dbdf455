"""The query part of a URL: text → :class:`Query`, with what stands in ``$expand``'s brackets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote_plus

from pipeline.sandbox.odata.conditions import parse_filter, parse_orderby
from pipeline.sandbox.odata.tree import Expand, ODataError, Query

_KNOWN: Final = frozenset(
    {"select", "filter", "orderby", "expand", "count", "top", "skip"}
    | {"skiptoken", "deltatoken", "apply", "search", "compute", "format", "id"}
)
_ID: Final = "$id"
"""Whose reference is to be deleted; it stands among the ``others``."""


def parse_query(text: str) -> Query:
    """The options of a query string as it stands in the URL, percent-encoded.

    Raises ``ODataError``.
    """
    return make_query(split_pairs(text))


def split_pairs(text: str) -> dict[str, str]:
    """Names and values, decoded. A name that comes twice is an error."""
    found: dict[str, str] = {}
    for piece in filter(None, text.split("&")):
        name, _, value = piece.partition("=")
        name = unquote_plus(name)
        if name in found:
            raise ODataError(
                f"Query option '{name}' was specified more than once, but it must be specified at "
                "most once."
            )
        found[name] = unquote_plus(value)
    return found


def make_query(given: Mapping[str, str]) -> Query:
    """The query that named options make; names of system options start with ``$``."""
    options = {name[1:]: value for name, value in given.items() if name.startswith("$")}
    others = {
        name: value for name, value in given.items() if not name.startswith("$") or name == _ID
    }
    unknown = [name for name in options if name not in _KNOWN]
    if unknown:
        raise ODataError(f"The query parameter '${unknown[0]}' is not supported.")
    aliases = {name: value for name, value in others.items() if name.startswith("@")}
    text = options.get
    return Query(
        select=_names(options.get("select", "")),
        filter=parse_filter(options["filter"], aliases)
        if options.get("filter", "").strip()
        else None,
        orderby=parse_orderby(options["orderby"]) if options.get("orderby", "").strip() else (),
        expand=parse_expand(options.get("expand", "")),
        count=_flag("$count", options.get("count", "false")),
        top=_number("$top", text("top")),
        skip=_number("$skip", text("skip")),
        skiptoken=text("skiptoken"),
        deltatoken=text("deltatoken"),
        apply=text("apply"),
        search=text("search"),
        compute=text("compute"),
        format=text("format"),
        others=others,
        given=frozenset(options),
    )


def parse_expand(text: str) -> tuple[Expand, ...]:
    """The terms of ``$expand``; options in brackets are parted by ``;``."""
    return tuple(_parse_expand(term) for term in split(text, ",") if term.strip())


def split(text: str, separator: str) -> Iterator[str]:
    """The text cut at the separators that stand neither in brackets nor in quotes."""
    start, depth, quoted = 0, 0, False
    for at, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == separator and depth == 0:
            yield text[start:at]
            start = at + 1
    if depth or quoted:
        raise ODataError(f"Found an unbalanced bracket expression in '{text}'.")
    yield text[start:]


def _parse_expand(term: str) -> Expand:
    name, bracket, rest = term.strip().partition("(")
    if bracket and not rest.endswith(")"):
        raise ODataError(f"Syntax error in '$expand': '{term}'.")
    inner: dict[str, str] = {}
    for option in split(rest[:-1] if bracket else "", ";"):
        key, _, value = option.strip().partition("=")
        if key:
            inner[key] = value
    return Expand(path=tuple(name.strip().split("/")), query=make_query(inner))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",")) if text.strip() else ()
    if "" in names:
        raise ODataError("Term '' is not valid in a $select or $expand expression.")
    return names


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise ODataError(
            f"Invalid value '{text}' for {name} query option found. Valid values are 'true' or "
            "'false'."
        )
    return text == "true"


def _number(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit():
        raise ODataError(
            f"Invalid value '{text}' for {name} query option found. "
            f"The {name} query option requires a non-negative integer value."
        )
    return int(text)

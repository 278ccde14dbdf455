"""What GetExecutionErrors says: a text that looks like JSON and often is not (reference C.1).

It is an array of ``{"RecordId", "Field", "ErrorMessage"}`` in which quotes, backslashes and line
ends inside messages are not escaped. Valid JSON is read as such. Everything else is cut where the
next object, or the next member, must begin: messages hardly ever hold those names between quotes,
followed by a colon.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.wire.json_body import mend_text, parse_json

_LOOSE: Final = json.JSONDecoder(strict=False)
_NAMES: Final = ("recordid", "field", "errormessage")
"""In any case of letters."""
_START: Final = re.compile(r'(?i)\{\s*"(?:RecordId|Field|ErrorMessage)"\s*:')
_END: Final = re.compile(r"\}\s*,?\s*\Z")
_MEMBER: Final = re.compile(r'(?i)(?:\A\{|,)\s*"(RecordId|Field|ErrorMessage)"\s*:\s*')


@dataclass(frozen=True, kw_only=True, slots=True)
class RowMessage:
    """One message of an import: the record that it is about, the field, and the text.

    ``record`` is the key as SCM writes it, blank if the message is about no record.
    """

    record: str
    field: str
    text: str


def read_errors(text: str) -> list[RowMessage]:
    """All messages, in order.

    What cannot be cut into messages comes out as one of them: no text is lost.
    """
    text = mend_text(text)
    if not text.strip():
        return []
    parsed = _parse_json(text)
    if parsed is not None:
        return [_make_message(one) for one in parsed]
    found = [_make_message(dict(_split_members(record))) for record in _split_records(text)]
    return found or [RowMessage(record="", field="", text=text.strip())]


def _parse_json(text: str) -> list[dict[str, object]] | None:
    """The array, if the text is one of objects; line ends inside strings are accepted."""
    try:
        value = parse_json(text, _LOOSE)
    except ValueError:
        return None
    if isinstance(value, dict):
        value = value.get("value", [value])
    return (
        value if isinstance(value, list) and all(isinstance(one, dict) for one in value) else None
    )


def _split_records(text: str) -> Iterator[str]:
    """The objects of the array, without the brace that closes each."""
    body = text.strip().removeprefix("[").removesuffix("]")
    starts = [match.start() for match in _START.finditer(body)]
    for start, end in zip(starts, [*starts, len(body)][1:], strict=True):
        yield _END.sub("", body[start:end])


def _split_members(record: str) -> Iterator[tuple[str, str]]:
    """Name and value of each member.

    If a name occurs twice the first one counts: a message may quote another object.
    """
    seen: dict[str, re.Match[str]] = {}
    for match in _MEMBER.finditer(record):
        seen.setdefault(match[1].lower(), match)
    ordered = sorted(seen.values(), key=lambda match: match.start())
    for match, following in zip(ordered, [*ordered[1:], None], strict=True):
        yield (
            match[1].lower(),
            _unquote(record[match.end() : following.start() if following else len(record)]),
        )


def _unquote(raw: str) -> str:
    """A value without its quotes.

    Backslashes stay: where quotes are not escaped, they are not either.
    """
    bare = raw.strip()
    return "" if bare == "null" else bare.removeprefix('"').removesuffix('"').replace('\\"', '"')


def _make_message(one: Mapping[str, object]) -> RowMessage:
    """A message; an object that is none comes out as it is."""
    members = {name.lower(): value for name, value in one.items()}
    if one and members.keys().isdisjoint(_NAMES):
        return RowMessage(record="", field="", text=json.dumps(one, ensure_ascii=False))
    record, field, text = (str(members.get(name) or "").strip() for name in _NAMES)
    return RowMessage(record=record, field=field, text=text)

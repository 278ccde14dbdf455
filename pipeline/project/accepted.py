"""``p2c.accepted.toml``: contacts that may stay held or rejected for a while, and who agreed.

People review it and change it by hand, so whatever is wrong with an entry is said, and the entry
is left out: a run is never more lenient than the file.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from pipeline.project.resolve import FILE
from pipeline.suggest import explain_validation_error, suggest_nearest
from schemas.codes import Decision, load_codes
from schemas.text import is_plain_key

_HEAD: Final = """\
# Contacts that may stay held or rejected for a while. `p2c accept` adds entries.
# A run counts these contacts as accepted, with the same code only, through the day in `until`.
# You can change or remove entries. Keep names and addresses of people out of this file.
"""
_LONGEST: Final = 500


def _check_code(value: str) -> str:
    known = [
        name
        for name, code in load_codes().items()
        if code.decision in (Decision.HELD, Decision.REJECTED)
    ]
    if value not in known:
        raise ValueError(
            f"'{value}' is not a code by which contacts are held or rejected."
            f"{suggest_nearest(value, known)} `p2c codes` lists them"
        )
    return value


def read_day(value: object) -> dt.date:
    """A day of TOML, or one that was written as text. Raises ``ValueError``."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
        with contextlib.suppress(ValueError):
            return dt.date.fromisoformat(value.strip())
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    raise ValueError("must be a day, as in 2026-12-31")


def check_line(value: str) -> str:
    """Text without blanks at its ends. Raises ``ValueError`` if it is not one line."""
    if not value.strip():
        raise ValueError("must say something")
    if len(value) > _LONGEST or not value.isprintable():
        raise ValueError(f"must be one line of at most {_LONGEST} characters")
    return value.strip()


Day = Annotated[dt.date, BeforeValidator(read_day)]
Line = Annotated[str, AfterValidator(check_line)]


class AcceptedEntry(BaseModel):
    """One entry: contacts, by contactid or contact number, and the code that is accepted of them.

    With a ``column``, findings in other columns still need a person.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, AfterValidator(_check_code)]
    column: Line | None = None
    until: Day
    why: Line
    by: Line = "unknown"
    at: Line | dt.datetime = "unknown"
    run: Line = "unknown"
    contacts: Annotated[list[Line], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedFile:
    """The file as it was read: its bytes, entries by their number from 1, and what is wrong."""

    content: bytes | None = None
    entries: tuple[tuple[int, AcceptedEntry], ...] = ()
    problems: tuple[str, ...] = ()


def find_accepted_file(project: Path | None) -> Path:
    """Where the accepted contacts of a project are listed: beside its file, by the same name."""
    file = project or FILE
    return file.with_name(f"{file.stem}.accepted.toml")


def read_accepted(path: Path) -> AcceptedFile:
    """Read the file. One that is missing accepts nothing; one that cannot be read neither."""
    name = path.name
    nothing = "Nothing is accepted until this is corrected."
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return AcceptedFile()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return AcceptedFile(problems=(f"{name} cannot be read: {reason}. {nothing}",))
    try:
        loaded = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        problems = f"{name} is not UTF-8 text; save it as UTF-8. {nothing}"
        return AcceptedFile(content=content, problems=(problems,))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problems = f"{name} is not valid TOML: {error}. {nothing}"
        return AcceptedFile(content=content, problems=(problems,))
    return _read_entries(name, content, loaded)


def _read_entries(name: str, content: bytes, loaded: dict[str, object]) -> AcceptedFile:
    problems = [
        f"{name}: unknown key '{key}'.{suggest_nearest(key, ['accepted'], 0.5)} Entries begin "
        "with [[accepted]]."
        for key in loaded
        if key != "accepted"
    ]
    given = loaded.get("accepted", [])
    if not isinstance(given, list):
        problems.append(f"{name}: write [[accepted]] with two brackets; nothing is accepted.")
        given = []
    entries: list[tuple[int, AcceptedEntry]] = []
    for number, one in enumerate(given, 1):
        try:
            entries.append((number, AcceptedEntry.model_validate(one)))
        except ValidationError as error:
            found = explain_validation_error(error, lambda _: AcceptedEntry.model_fields)
            problems += [
                f"{name}, entry {number}, {each.key}: {each.sentence} The entry is not used."
                if each.key
                else f"{name}, entry {number}: {each.sentence} The entry is not used."
                for each in found
            ]
    return AcceptedFile(content=content, entries=tuple(entries), problems=tuple(problems))


def render_entry(entry: AcceptedEntry, numbers: Sequence[str | None]) -> str:
    """An entry as TOML; the contact number stands behind each contactid, for those who review."""
    keys: dict[str, object] = {"code": entry.code, "column": entry.column}
    lines = [f"{key} = {_quote(str(value))}" for key, value in keys.items() if value]
    lines += [f"until = {entry.until.isoformat()}", f"why = {_quote(entry.why)}"]
    lines += [f"{key} = {_quote(str(getattr(entry, key)))}" for key in ("by", "at", "run")]
    pairs = zip(entry.contacts, numbers, strict=True)
    contacts = [
        f"  {_quote(contact)},{f'  # {number}' if number and is_plain_key(number) else ''}"
        for contact, number in pairs
    ]
    return "\n".join(["[[accepted]]", *lines, "contacts = [", *contacts, "]", ""])


def add_entries(content: bytes | None, entries: Sequence[str]) -> bytes:
    """The file with more entries at its end; what was there stays as it is."""
    before = _HEAD if content is None else content.decode("utf-8-sig").rstrip() + "\n"
    return "\n".join([before, *entries]).encode()


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

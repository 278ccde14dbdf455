"""Example rows for a project's templates: source row in, destination row or rejection out.

Written in TOML.
"""

from __future__ import annotations

import json
import tomllib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigurationError, UsageError, during, list_problems
from pipeline.project.resolve import Project
from pipeline.run.private import make_folder
from pipeline.suggest import explain_no_file, explain_validation_error, suggest_nearest
from schemas.codes import Decision, load_codes
from schemas.sales import CONTACTS

CUSTOMERS: Final = "ContactToCustomer"
_NAMES: Final = ("examples.toml", "examples")
_SPACE: Final = uuid.UUID("6f1f7a5e-0f0b-5f0e-9a0e-70326300c0de")
Value = str | int | float | bool


class Example(BaseModel):
    """One example.

    Columns of ``source`` that are left out are blank; so are those of ``row`` that are ``""``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    task: Literal["ContactToCustomer", "Contacts"] | None = None
    """Makes the row take this task: sets Is Active Customer, and for Contacts an account."""
    source: dict[str, Value]
    company: str = "ACC-00001-EXAMPL"
    """The Account Number of that account."""
    decision: Decision | None = None
    reason: str | None = None
    findings: list[str] | None = None
    row: dict[str, Value] = Field(default_factory=dict)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    defaults: dict[str, Value] = Field(default_factory=dict)
    example: Annotated[list[Example], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedExample:
    """An example, its file, its source row with the file's defaults, and the contactid it gets."""

    file: str
    example: Example
    source: Mapping[str, Value]
    contactid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One thing that differs from what an example says."""

    what: str
    expected: str
    got: str


def find_example_files(project: Project, named: Sequence[Path]) -> list[Path]:
    """The example files: those named, else those in the project's folder.

    There, ``examples.toml`` and ``examples/*.toml`` are looked for.

    Raises:
        UsageError: there are none.
    """
    missing = [path for path in named if not path.is_file()]
    if missing:
        raise UsageError(explain_no_file(missing[0]))
    if named:
        return list(named)
    single, folder = (project.folder / name for name in _NAMES)
    found = ([single] if single.is_file() else []) + (
        sorted(folder.glob("*.toml")) if folder.is_dir() else []
    )
    if not found:
        raise UsageError(
            f"there are no examples. Write {single}, or name files: each [[example]] has name, "
            "task, source, row."
        )
    return found


def parse_examples(paths: Iterable[Path], project: Project) -> list[PlacedExample]:
    """All examples of the files, checked.

    Raises:
        ConfigurationError: a file is not valid TOML, or names an unknown key, column or code. The
            error lists all problems of a file or an example.
    """
    placed: list[PlacedExample] = []
    for path in paths:
        for example, defaults in _read_file(path):
            number = len(placed)
            source = {**defaults, **example.source}
            problems = [*_check_columns(example, source, project), *_check_codes(example)]
            if problems:
                raise ConfigurationError(
                    list_problems(problems), where=f"{path.name}, example '{example.name}'"
                )
            contactid = str(source.get("contactid") or uuid.uuid5(_SPACE, str(number)))
            placed.append(
                PlacedExample(file=path.name, example=example, source=source, contactid=contactid)
            )
    return placed


def _read_file(path: Path) -> list[tuple[Example, Mapping[str, Value]]]:
    with during("reading examples"):
        content = path.read_bytes()
    try:
        file = _File.model_validate(tomllib.loads(content.decode("utf-8-sig")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"is not valid TOML: {error}.", where=path.name) from error
    except ValidationError as error:
        raise ConfigurationError(
            list_problems(explain_validation_error(error, _list_keys)), where=path.name
        ) from error
    return [(one, file.defaults) for one in file.example]


def _list_keys(place: tuple[str | int, ...]) -> Collection[str]:
    return Example.model_fields if "example" in place else _File.model_fields


def _check_columns(example: Example, source: Mapping[str, Value], project: Project) -> list[str]:
    known = {one.name for one in CONTACTS.fields} | {
        row.row.source
        for template in project.templates.values()
        for row in template.rows
        if row.row.source
    }
    problems = [
        f"source.{name}: there is no such column.{suggest_nearest(name, known)}"
        for name in source
        if name not in known
    ]
    templates = (
        [project.templates[example.task]] if example.task else list(project.templates.values())
    )
    mapped = [row.destination for template in templates for row in template.rows]
    problems += [
        f"row.{name}: the template does not fill it.{suggest_nearest(name, mapped)}"
        for name in example.row
        if name not in mapped
    ]
    return problems


def _check_codes(example: Example) -> list[str]:
    names = [*([example.reason] if example.reason else []), *(example.findings or [])]
    return [
        f"there is no code '{name}'.{suggest_nearest(name, load_codes())}"
        for name in names
        if name not in load_codes()
    ]


def write_source(placed: Sequence[PlacedExample], into: Path) -> None:
    """Write the examples as the tables of a source: ``contacts.jsonl`` and ``accounts.jsonl``."""
    contacts, accounts = [], []
    columns = {name for one in placed for name in one.source} | {
        one for group in CONTACTS.required for one in group
    }
    for number, one in enumerate(placed):
        row: dict[str, Value | None] = {
            **dict.fromkeys(sorted(columns)),
            **_route(one, number),
            **one.source,
        }
        contacts.append({**row, "contactid": one.contactid})
        accounts.append(
            {
                "accountid": _derive_account_id(number),
                "accountnumber": one.example.company,
                "name": "Example",
            }
        )
    with during("writing examples"):
        make_folder(into)
        for name, rows in (("contacts", contacts), ("accounts", accounts)):
            lines = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
            (into / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def _derive_account_id(number: int) -> str:
    return str(uuid.uuid5(_SPACE, f"account {number}"))


def _route(one: PlacedExample, number: int) -> dict[str, Value]:
    """What an example can leave out: its contact number, and the columns that choose its task."""
    found: dict[str, Value] = {"msdynce_contactnumber": f"CON-{10_000 + number}-EXAMPL"}
    if one.example.task == CUSTOMERS:
        found["msdynce_isactivecustomer"] = "true"
    elif one.example.task is not None:
        found |= {
            "msdynce_isactivecustomer": "false",
            "parentcustomerid": _derive_account_id(number),
            "parentcustomeridtype": "account",
        }
    return found


def compare_example(
    one: Example,
    decision: Mapping[str, object] | None,
    codes: set[str],
    row: Mapping[str, object] | None,
) -> list[Difference]:
    """What differs from what an example says.

    Args:
        one: the example.
        decision: its row of ``decisions.parquet``.
        codes: the codes of its findings.
        row: its planned row, null if it was not planned.
    """
    if decision is None:
        return [
            Difference(
                what="contact",
                expected="a decision",
                got="none: another row of its contactid superseded it",
            )
        ]
    got = f"{decision['decision']}/{decision['reason']}"
    found: list[Difference] = []
    if one.decision is not None and decision["decision"] != one.decision:
        found.append(Difference(what="decision", expected=one.decision.value, got=got))
    if one.reason is not None and decision["reason"] != one.reason:
        found.append(Difference(what="reason", expected=one.reason, got=got))
    if one.findings is not None:
        missing = sorted(set(one.findings) - codes)
        reported = ", ".join(sorted(codes)) or "none"
        found += [Difference(what="findings", expected=name, got=reported) for name in missing]
    if not one.row:
        return found
    if row is None:
        return [*found, Difference(what="row", expected="a planned row", got=got)]
    wrong = [(name, value) for name, value in one.row.items() if not _is_same(value, row[name])]
    return [
        *found,
        *(
            Difference(what=name, expected=_show_value(value), got=_show_value(row[name]))
            for name, value in wrong
        ),
    ]


def _is_same(expected: Value, got: object) -> bool:
    if got is None or expected == "":
        return got is None and expected == ""
    if isinstance(got, int | Decimal) and not isinstance(got, bool):
        try:
            return Decimal(str(expected)) == Decimal(got)
        except InvalidOperation:
            return False
    return str(got) == (str(expected).lower() if isinstance(expected, bool) else str(expected))


def _show_value(value: object) -> str:
    return "blank" if value is None or value == "" else repr(str(value))

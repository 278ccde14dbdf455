"""Templates: the rows of a mapping as text, parsed.

Shipped ones are data in ``pipeline/templates``; projects change rows. One row says how one
destination column is filled: trim → country → value map → default if still blank → length.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from typing import Annotated, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticKnownError

from pipeline.suggest import SettingProblem, explain_validation_error, suggest_nearest
from pipeline.templates import read_shipped
from schemas.catalogue import Entity, OnTooLong
from schemas.scm import ENTITIES

SHIPPED: Final = ("contacts", "contact_to_customer")


_REPLACES: Final = (
    ("default", "default_setting"),
    ("default_setting", "default"),
    ("value_map_file", "value_map"),
)
"""A project's key, and the shipped row's key that it puts out of force."""


PairReader = Callable[[str], tuple[dict[str, str], list[str]]]
"""Name of a value-map file → its pairs, and what is wrong with it, a sentence each."""


class OnUnknown(StrEnum):
    """What becomes of a value that its country list, state list or value map does not know."""

    REJECT = "reject"
    PASS = "pass"  # noqa: S105
    DEFAULT = "default"


class OnBlank(StrEnum):
    """What an update does with a column for which the contact has no value."""

    CLEAR = "clear"
    KEEP = "keep"


def _to_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


_DIGITS: Final = re.compile(r"\s*[-+]?[0-9]+(_[0-9]+)*\s*")


def _refuse_fraction(value: object) -> object:
    """A number that somebody may have written with separators of thousands: 10.000 is not 10."""
    if isinstance(value, bool | float) or (isinstance(value, str) and not _DIGITS.fullmatch(value)):
        raise PydanticKnownError("int_parsing")
    return value


IN_DIGITS: Final = BeforeValidator(_refuse_fraction)
"""A whole number is written in digits alone."""

Text = Annotated[
    str,
    BeforeValidator(_to_text),
    WithJsonSchema({"type": ["string", "number", "boolean"], "title": "text or a number"}),
]


class MappingRow(BaseModel):
    """How one column of SCM is filled.

    The order is always the same: source, then country or state, then value map, then default if
    the value is still blank, then length.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    source: str | None = Field(
        None,
        description=(
            "The column of contacts that is read, or one of the paths that `p2c templates` shows. "
            "Without a source the default fills the column."
        ),
        examples=["address1_country"],
    )
    country: bool = Field(
        default=False,
        description=(
            "Turns the name of a country into its ISO 3166-1 code of two letters; the value map "
            "then sees the code. Spellings of your own are in [countries]."
        ),
        examples=[True],
    )
    state: bool = Field(
        default=False,
        description=(
            "Turns the name of a state or province into its code within the country of the row. "
            "Not together with country."
        ),
    )
    value_map: dict[Text, Text] | None = Field(
        None,
        description=(
            "What each value becomes. Keys are compared without regard to case and to spaces at "
            'their ends; the key "" is a blank.'
        ),
        examples=[{"DE": "2", "DK": "3"}],
    )
    value_map_file: str | None = Field(
        None,
        description=(
            "A CSV file with more of the value map, relative to the project file: a header line, "
            "then one source value and one destination value per line."
        ),
    )
    default: Text | None = Field(
        None, description="What fills the column if the value is blank.", examples=["1"]
    )
    default_setting: str | None = Field(
        None,
        description=(
            "A setting that gives the default: destination.currency or destination.country. Not "
            "together with default."
        ),
    )
    on_unknown: OnUnknown = Field(
        OnUnknown.REJECT,
        description=(
            "What happens to a value that country, state or the value map does not know: the row "
            'is rejected ("reject"), the value passes unchanged ("pass"), or the default is used '
            '("default").'
        ),
        examples=["default"],
    )
    on_too_long: OnTooLong | None = Field(
        None,
        description=(
            'What happens to a value that is too long: the row is rejected ("reject"), the value '
            'is cut ("truncate") or left out ("blank"). If it is not set, names and keys are '
            "rejected, and free text is cut."
        ),
    )
    max_length: Annotated[int, Field(ge=1), IN_DIGITS] | None = Field(
        None,
        description=(
            "The longest value, in characters (UTF-16 code units). Set it if your site extended "
            "the column. If it is not set, it is the length in a standard SCM."
        ),
    )
    on_blank: OnBlank = Field(
        OnBlank.CLEAR,
        description=(
            "What an update does if the value is blank: SCM's value becomes blank, too "
            '("clear"), or stays as it is ("keep"). Packages are split by the columns that stay.'
        ),
        examples=["clear"],
    )
    unmapped: bool = Field(
        default=False, description="Leaves the column out: p2c does not send it."
    )


class _Shipped(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: str
    task: str
    source: str
    entity: str
    fields: dict[str, MappingRow]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class FieldRow:
    """One row in force: its destination column, and the keys that the project changed.

    Of an added row these are all keys.
    """

    destination: str
    row: MappingRow
    changed: frozenset[str] = frozenset()
    added: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A task's mapping in force.

    Shipped rows in the order of the mapping page, then the rows that the project added.
    """

    name: str
    task: str
    source: str
    entity: str
    rows: tuple[FieldRow, ...]
    removed: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """Destination columns in which an update without a value leaves what SCM has."""
        return tuple(one.destination for one in self.rows if one.row.on_blank is OnBlank.KEEP)

    def row(self, destination: str) -> FieldRow | None:
        """The row that fills that destination column."""
        return next((one for one in self.rows if one.destination == destination), None)


@cache
def load_shipped(name: str) -> Template:
    """A template as it ships, by the name of its file."""
    parsed = _Shipped.model_validate(tomllib.loads(read_shipped(name)))
    rows = tuple(FieldRow(destination=column, row=row) for column, row in parsed.fields.items())
    return Template(
        name=parsed.name, task=parsed.task, source=parsed.source, entity=parsed.entity, rows=rows
    )


def apply_overrides(
    overrides: Mapping[str, object], read_pairs: PairReader | None = None
) -> tuple[dict[str, Template], list[SettingProblem]]:
    """All templates by task with a project's rows applied, and the problems of those rows.

    Args:
        overrides: ``tasks`` of ``p2c.toml``: task → ``fields`` → destination column → keys.
        read_pairs: reads the pairs of a ``value_map_file``; none: they were read when the rows
            were recorded.
    """
    found = {one.task: one for one in map(load_shipped, SHIPPED)}
    problems: list[SettingProblem] = []
    for task, section in overrides.items():
        if task not in found:
            problems.append(
                SettingProblem(
                    f"tasks.{task}", f"unknown task '{task}'.{suggest_nearest(task, found)}"
                )
            )
            continue
        if not isinstance(section, dict):
            problems.append(SettingProblem(f"tasks.{task}", "must be a table."))
            continue
        problems += [
            SettingProblem(
                f"tasks.{task}.{key}", f"unknown key '{key}'.{suggest_nearest(key, ['fields'])}"
            )
            for key in section
            if key != "fields"
        ]
        fields = section.get("fields", {})
        if isinstance(fields, dict):
            found[task] = _change_rows(found[task], fields, read_pairs, problems)
        else:
            problems.append(SettingProblem(f"tasks.{task}.fields", "must be a table."))
    return found, problems


def _change_rows(
    template: Template,
    fields: Mapping[str, object],
    read_pairs: PairReader | None,
    problems: list[SettingProblem],
) -> Template:
    rows = {one.destination: one for one in template.rows}
    removed: list[str] = []
    for column, keys in fields.items():
        prefix = f"tasks.{template.task}.fields.{column}"
        if not isinstance(keys, dict):
            problems.append(
                SettingProblem(prefix, 'must be a table, as in { source = "address1_city" }.')
            )
            continue
        before = rows.get(column)
        base = before.row.model_dump(exclude_unset=True) if before else {}
        for key, other in _REPLACES:
            if key in keys:
                base.pop(other, None)
        try:
            row = MappingRow.model_validate({**base, **keys})
        except ValidationError as error:
            problems += [
                SettingProblem(f"{prefix}.{one.key}", one.sentence)
                for one in explain_validation_error(error, lambda _path: MappingRow.model_fields)
            ]
            continue
        if row.unmapped:
            removed += [column] if before else []
            problems += (
                []
                if before
                else [
                    SettingProblem(
                        f"{prefix}.unmapped",
                        f"the template has no such row.{suggest_nearest(column, rows)}",
                    )
                ]
            )
            rows.pop(column, None)
            continue
        row = _add_map_file(row, read_pairs, prefix, problems)
        rows[column] = FieldRow(
            destination=column, row=row, changed=frozenset(keys), added=before is None
        )
    return dataclasses.replace(template, rows=tuple(rows.values()), removed=tuple(removed))


def _add_map_file(
    row: MappingRow, read_pairs: PairReader | None, prefix: str, problems: list[SettingProblem]
) -> MappingRow:
    """The row with the pairs of its ``value_map_file`` behind those that it has itself."""
    if row.value_map_file is None or read_pairs is None:
        return row
    pairs, wrong = read_pairs(row.value_map_file)
    doubles = [key for key in pairs if key in (row.value_map or {})]
    wrong += [f"the key '{key}' is in value_map as well." for key in doubles]
    problems += [
        SettingProblem(f"{prefix}.value_map_file", f"{row.value_map_file}: {text}")
        for text in wrong
    ]
    return row.model_copy(update={"value_map": {**(row.value_map or {}), **pairs}})


def list_entities_by_task() -> dict[str, Entity]:
    """Task → the entity that it fills."""
    return {one.task: ENTITIES[one.entity] for one in map(load_shipped, SHIPPED)}

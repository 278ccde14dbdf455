"""The words in which SCM refuses a row, and how OData and Data management carry them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.sandbox.scm.entities import Property, ScmEntity


@dataclass(frozen=True, kw_only=True, slots=True)
class Info:
    """One line of the Infolog; ``field`` is the property it speaks of, if it speaks of one."""

    severity: str
    text: str
    field: str = ""


class RowRefused(Exception):
    """A row is refused; ``infos`` say why."""

    def __init__(self, infos: Sequence[Info]) -> None:
        super().__init__(" ".join(info.text for info in infos))
        self.infos = tuple(infos)


def warning(text: str, name: str = "") -> Info:
    """A line of the severity that validations have."""
    return Info(severity="Warning", text=text, field=name)


def error(text: str, name: str = "") -> Info:
    """A line of the severity that broken rules have."""
    return Info(severity="Error", text=text, field=name)


def must_be_filled(field: Property) -> Info:
    """A mandatory field is blank."""
    return warning(f"Field '{field.label}' must be filled in.", field.name)


def no_reference(field: Property, value: str, related: str) -> Info:
    """A value is not there in the table it refers to."""
    return warning(
        (
            f"The value '{value}' in field '{field.label}' is not found in the related table "
            f"'{related}'."
        ),
        field.name,
    )


def not_allowed(field: Property, value: str) -> Info:
    """A value is none of those that the field takes."""
    return warning(f"The value '{value}' is not valid for field '{field.label}'.", field.name)


def text_too_long(field: Property) -> Info:
    """A text does not fit."""
    return warning(
        f"The value of field '{field.label}' is longer than its {field.length} characters.",
        field.name,
    )


def record_exists(entity: ScmEntity, key: str) -> Info:
    """A record with that key is there."""
    return Info(
        severity="Info",
        text=f"Cannot create a record in {entity.table}. {key}.\nThe record already exists.",
    )


def in_use(entity: ScmEntity, dependent: ScmEntity) -> Info:
    """A record that others refer to cannot be deleted."""
    return error(f"{entity.label} cannot be deleted while dependent {dependent.label} exist.")


def validation_failed(entity: ScmEntity, infos: Sequence[Info]) -> tuple[Info, ...]:
    """The lines that follow when fields or the whole row did not pass: which validation said no."""
    fields = {
        info.field: None for info in infos if "is not found in the related table" in info.text
    }
    lines = [
        warning(f"validateField failed on field '{entity.aot}.{name}'", name) for name in fields
    ]
    if any("must be filled in" in info.text for info in infos):
        lines.append(
            warning(
                f"validateWrite failed on data source '{entity.table_name} ({entity.table_name})'"
            )
        )
    return tuple(lines)


def render_for_odata(entity: ScmEntity, infos: Sequence[Info], verb: str = "Write") -> str:
    """The inner message of an OData error."""
    lines = "; ".join(f"{info.severity}: {info.text}" for info in infos)
    return f"{verb} failed for table row of type '{entity.aot}'. Infolog: {lines}."


def render_for_staging(infos: Sequence[Info]) -> str:
    """The message that Data management keeps of a row."""
    return " ".join(f"Results. {info.text}" for info in infos)

"""JSON files of a run folder as checked models.

They are text from outside: somebody may have cut or altered them, and other versions of p2c wrote
other fields. What is unknown is ignored, a sentence names what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from pipeline.errors import RecordUnreadable, UsageError, list_problems
from pipeline.run.files import read_json
from pipeline.suggest import explain_validation_error

Json = Mapping[str, JsonValue]
"""A JSON object."""


class RunRecord(BaseModel):
    """A JSON object that a run folder keeps, or a part of one."""

    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        extra="ignore",
        json_schema_serialization_defaults_required=True,
    )

    def as_json(self) -> dict[str, JsonValue]:
        """The object as it is written."""
        return cast("dict[str, JsonValue]", self.model_dump(mode="json"))

    def replace(self, **changes: object) -> Self:
        """The same with other values in some fields, checked like all others."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        if not changes.keys() <= kept.keys():
            unknown = ", ".join(sorted(changes.keys() - kept.keys()))
            raise TypeError(f"{type(self).__name__} has no {unknown}")
        return self.model_validate({**kept, **changes})


Model = TypeVar("Model", bound=RunRecord)


@dataclass(frozen=True, kw_only=True, slots=True)
class Salvaged(Generic[Model]):
    """What a file says, as far as it can be read.

    ``known`` are the fields that it says; all others are as in the blank model. ``unreadable`` are
    those whose values cannot be.
    """

    content: Model
    known: frozenset[str]
    unreadable: tuple[str, ...] = ()


def read_record(path: Path, model: type[Model]) -> Model:
    """Read a file.

    Raises:
        RecordUnreadable: it is missing, cut, or lacks a field; the sentence names file and field.
    """
    try:
        loaded = read_json(path)
    except UsageError as error:
        raise RecordUnreadable(error.message, where=error.where) from error
    try:
        return model.model_validate(loaded)
    except ValidationError as error:
        problems = list_problems(
            [f"{path.name}, {one}" for one in explain_validation_error(error, lambda _: ())]
        )
        raise RecordUnreadable(
            f"{problems} Another version of p2c wrote it, or it was altered.",
            where=str(path.parent),
        ) from error


def salvage(loaded: Json, blank: Model) -> Salvaged[Model]:
    """Read what can be read of an object, field by field.

    Args:
        loaded: the JSON object.
        blank: stands for what is missing or cannot be read.
    """
    model = type(blank)
    known = {name: value for name, value in loaded.items() if name in model.model_fields}
    default = {name: getattr(blank, name) for name in model.model_fields}
    try:
        return Salvaged(content=model.model_validate({**default, **known}), known=frozenset(known))
    except ValidationError as error:
        wrong = dict.fromkeys(str(one["loc"][0]) for one in error.errors(include_url=False))
    kept = {name: value for name, value in known.items() if name not in wrong}
    content = model.model_validate({**default, **kept})
    return Salvaged(content=content, known=frozenset(kept), unreadable=tuple(wrong))

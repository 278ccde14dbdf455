"""The JSON schema of ``p2c.toml``, made from the models of the settings.

It is for editors: what may stand where, and what it does. The file is one of three places that
settings come from, so nothing is required in it, and a blank text means "not set". What depends on
several settings, only p2c checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pipeline.mapping.template import MappingRow, list_entities_by_task
from pipeline.project.resolve import SCHEMA
from pipeline.project.settings import Settings

FILE: Final = SCHEMA
"""The shipped schema, in this package."""


class _Generate(GenerateJsonSchema):
    """pydantic's generator for a file that need not be complete.

    No null, which TOML lacks; no titles that repeat names: here a title is the form of a value.
    """

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {
            key: value
            for key, value in made.items()
            if key != "default" or not (value is None or isinstance(value, dict))
        }


def make_settings_schema(model: type[BaseModel]) -> JsonSchemaValue:
    """A model as a JSON schema."""
    made = model.model_json_schema(schema_generator=_Generate)
    for table in (made, *made.get("$defs", {}).values()):
        table.pop("title", None)
        table.pop("required", None)
    return made


def build_schema() -> JsonSchemaValue:
    """The schema of ``p2c.toml``."""
    whole, row = make_settings_schema(Settings), make_settings_schema(MappingRow)
    every: JsonSchemaValue = {**whole["$defs"], **row.pop("$defs"), "Row": row}
    definitions = {name: one for name, one in every.items() if one}
    reference: JsonSchemaValue = {"$ref": "#/$defs/Row"}
    tasks = {
        task: _make_table(
            {"fields": _make_open({one.name: reference for one in entity.columns}, reference)}
        )
        for task, entity in list_entities_by_task().items()
    }
    declared = whole["properties"]["columns"]
    columns = dict.fromkeys(tasks, declared.pop("additionalProperties"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": "p2c.toml",
        "description": "A project file of p2c.",
        "properties": {
            **whole["properties"],
            "columns": {**declared, **_make_table(columns)},
            "tasks": {**whole["properties"]["tasks"], **_make_table(tasks)},
        },
        "allOf": [_limit_columns()],
        "$defs": definitions,
    }


def _limit_columns() -> JsonSchemaValue:
    """Only columns of the catalogue can be mapped, unless others are declared or SCM is asked."""
    asks_scm = {
        "required": ["destination"],
        "properties": {"destination": {"required": ["url"]}},
    }
    fields = {
        task: {
            "properties": {
                "fields": {"propertyNames": {"enum": [one.name for one in entity.columns]}}
            }
        }
        for task, entity in list_entities_by_task().items()
    }
    return {
        "if": {"not": {"anyOf": [asks_scm, {"required": ["columns"]}]}},
        "then": {"properties": {"tasks": {"properties": fields}}},
    }


def render_schema() -> str:
    """The schema as the text of its file."""
    return json.dumps(build_schema(), indent=1, ensure_ascii=False) + "\n"


def read_schema() -> str:
    """The schema as it is shipped."""
    return files("pipeline.project").joinpath(FILE).read_text(encoding="utf-8")


def _make_open(
    properties: Mapping[str, JsonSchemaValue], others: JsonSchemaValue
) -> JsonSchemaValue:
    """A table that has these keys, and others of the user's own."""
    return {"type": "object", "properties": dict(properties), "additionalProperties": others}


def _make_table(properties: Mapping[str, JsonSchemaValue]) -> JsonSchemaValue:
    """A table that has these keys only."""
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}

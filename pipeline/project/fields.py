"""The settings as people read of them: what each takes, its default, an example, what it does.

Read from the models, for the file that ``init`` writes and for the reference page.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue

from pipeline.project.schema import make_settings_schema


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribedSetting:
    """One setting. ``default`` and ``example`` are null where there is none."""

    name: str
    takes: str
    default: object
    example: object
    text: str


def describe(model: type[BaseModel]) -> list[DescribedSetting]:
    """The settings of a table, in the order of the model; tables in it are left out."""
    schema = make_settings_schema(model)
    defaults: dict[str, object] = {}
    found = []
    for name, field in model.model_fields.items():
        made = field.get_default(call_default_factory=True, validated_data=defaults)
        defaults[name] = None if field.is_required() else made
        takes = _describe_values(schema["properties"][name], schema.get("$defs", {}))
        if takes:
            found.append(
                DescribedSetting(
                    name=name,
                    takes=takes,
                    default=defaults[name],
                    example=next(iter(field.examples or ()), None),
                    text=field.description or "",
                )
            )
    return found


def explain_table(model: type[BaseModel]) -> str:
    """What a table of settings is about."""
    return " ".join((inspect.getdoc(model) or "").split())


def to_toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, Mapping):
        pairs = (f"{_to_key(str(key))} = {to_toml(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}"
    return json.dumps(value, ensure_ascii=False)


def _to_key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").isalnum()
    return key if bare else json.dumps(key, ensure_ascii=False)


def _describe_values(schema: JsonSchemaValue, definitions: Mapping[str, JsonSchemaValue]) -> str:
    """What a value may be, in words; blank for a table of settings."""
    match schema:
        case {"$ref": str(name)}:
            words = _describe_values(definitions[name.rpartition("/")[2]], definitions)
        case {"title": str(form)}:
            words = form
        case {"enum": values}:
            words = _join_or(map(to_toml, values))
        case {"type": "integer"}:
            words = f"a whole number{_describe_range(schema)}"
        case {"type": "array"}:
            words = "a list of texts"
        case {"type": "boolean"}:
            words = "true or false"
        case {"type": "string"}:
            words = "text"
        case {"type": "object", "additionalProperties": dict()}:
            words = "a table of texts"
        case _:
            words = ""
    return words


def _join_or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _describe_range(schema: JsonSchemaValue) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is None:
        return "" if least is None else f", at least {least:,}"
    return f" from {least:,} to {most:,}"

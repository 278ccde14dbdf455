"""JSON schemas of ``run.json`` and ``summary.json``: ``python -m pipeline.run.schema run|summary``.

Both files are an interface: others read them.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from pipeline.run import facts, summary
from pipeline.run.record import RunRecord

MODELS: Final[Mapping[str, type[RunRecord]]] = {"run": facts.RunFacts, "summary": summary.Summary}
"""File, without its ending → what it holds."""


def render_record_schema(name: str) -> str:
    """The JSON schema of a file, as this version writes it."""
    schema = MODELS[name].model_json_schema(mode="serialization")
    described = {**_read_descriptions(facts), **_read_descriptions(summary)}
    for model, part in {MODELS[name].__name__: schema, **schema.get("$defs", {})}.items():
        _describe(part, described.get(model, {}))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _describe(part: JsonSchemaValue, described: Mapping[str, str]) -> None:
    for field, content in part.get("properties", {}).items():
        if field in described:
            content["description"] = described[field]


def _read_descriptions(module: ModuleType) -> dict[str, dict[str, str]]:
    """Class → field → the docstring below it."""
    tree = ast.parse(inspect.getsource(module))
    return {
        one.name: dict(_read_fields(one.body)) for one in tree.body if isinstance(one, ast.ClassDef)
    }


def _read_fields(body: Sequence[ast.stmt]) -> Iterator[tuple[str, str]]:
    for before, after in itertools.pairwise(body):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
            case _:
                pass


def print_schema(arguments: Sequence[str]) -> int:
    """Print the schema that is asked for; the exit code."""
    if len(arguments) != 1 or arguments[0] not in MODELS:
        sys.stderr.write(f"name one: {' or '.join(MODELS)}\n")
        return 2
    sys.stdout.write(render_record_schema(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(print_schema(sys.argv[1:]))

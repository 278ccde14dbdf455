"""One direction: what may import what, read from the imports themselves. A module that appears is held to it as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("pipeline", "schemas", "sql")
    for path in sorted((ROOT / package).rglob("*.py"))
}
"""Every module of ours and its file."""

CLI, RUN, STEPS, GROUND, BASE = range(5, 0, -1)
FOLDERS = {
    **dict.fromkeys(("schemas", "sql"), BASE),
    **dict.fromkeys(("mapping", "templates", "wire"), GROUND),
    **dict.fromkeys(("extract", "transform", "load", "backfill", "report", "proof"), STEPS),
    **dict.fromkeys(("sandbox", "samples"), RUN),
}
MODULES = {
    **dict.fromkeys(("errors", "suggest", "lazy", "events", "heap"), BASE),
    **dict.fromkeys(("settings", "layers", "project", "journal", "folder", "console", "show"), GROUND),
    "summary": STEPS,
    **dict.fromkeys(("cli", "exits", "flags", "__main__"), CLI),
}
"""Modules directly in ``pipeline``. Those not named here are the run: the order of its steps and what is told of it."""

IMPURE = {
    "asyncio", "contextvars", "getpass", "http", "httpx", "os", "pathlib", "random", "requests", "secrets", "shutil", "signal",
    "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid",
    "pipeline.events", "pipeline.folder", "pipeline.journal", "pipeline.layers", "pipeline.project", "pipeline.settings",
    "pipeline.wire",
}  # fmt: skip
"""Network, clock, path, chance and the world's settings: a pure core gets what it needs of them as values."""


def level(module: str) -> int:
    package, _, rest = module.partition(".")
    if package != "pipeline":
        return FOLDERS[package]
    first = rest.partition(".")[0]
    if first in FOLDERS:
        return FOLDERS[first]
    if not first:
        return BASE
    return CLI if first.endswith("_words") else MODULES.get(first, RUN)


def imported(text: str) -> Iterator[str]:
    """Everything that a module's text imports, also under TYPE_CHECKING, within functions, and lazily."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{one.name}" for one in names)
            case ast.ImportFrom(level=steps) if steps:
                raise AssertionError("a relative import hides its direction")
            case ast.Call(func=ast.Name(id="lazily"), args=[ast.Constant(value=str(name))]):
                yield name
            case _:
                pass


def resolved(name: str) -> str:
    """The module of ours that a dotted name lies in, else the name."""
    own = name
    while own and own not in FILES:
        own = own.rpartition(".")[0]
    return own or name


@cache
def imports(module: str) -> frozenset[str]:
    return frozenset(resolved(name) for name in imported(FILES[module].read_text(encoding="utf-8"))) - {module}


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in FILES}


def in_folder(module: str, *folders: str) -> bool:
    return any(f"{module}.".startswith(f"pipeline.{folder}.") for folder in folders)


def test_the_reader_sees_every_way_to_import() -> None:
    text = (
        "import os.path\nfrom pipeline import plan as p, __version__\nfrom pipeline.load.package import Package\n"
        "if TYPE_CHECKING:\n    from schemas import sales\ndef f():\n    import socket\nx = lazily('pipeline.commands')\n"
    )
    assert {resolved(name) for name in imported(text)} == {
        "os.path", "pipeline.plan", "pipeline", "pipeline.load.package", "schemas.sales", "socket", "pipeline.commands",
    }  # fmt: skip
    with pytest.raises(AssertionError):
        list(imported("from . import plan"))


@pytest.mark.parametrize("module", FILES)
def test_a_module_imports_only_what_is_beside_or_below_it(module: str) -> None:
    above = {name for name in ours(module) if level(name) > level(module)}
    assert not above, f"{module} imports {sorted(above)}"


@pytest.mark.parametrize("module", [name for name in FILES if level(name) == STEPS])
def test_extract_transform_and_load_do_not_know_one_another(module: str) -> None:
    others = {"extract", "transform", "load"} - {module.split(".")[1]}
    if in_folder(module, "extract", "transform", "load"):
        assert not {name for name in ours(module) if in_folder(name, *others)}


@pytest.mark.parametrize("module", [name for name in FILES if in_folder(name, "transform")])
def test_transform_is_pure(module: str) -> None:
    names = imports(module)
    assert not {name for name in names if any(f"{name}.".startswith(f"{one}.") for one in IMPURE)}
    calls = {
        node.attr for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }
    assert not calls & {"now", "utcnow", "today", "monotonic"}


@pytest.mark.parametrize("module", [name for name in FILES if not name.startswith("pipeline")])
def test_schemas_and_sql_import_nothing_of_the_pipeline(module: str) -> None:
    assert not {name for name in ours(module) if name.startswith("pipeline")}


@pytest.mark.parametrize("module", [name for name in FILES if in_folder(name, "sandbox")])
def test_the_sandbox_imports_nothing_of_the_product_but_errors(module: str) -> None:
    assert {name for name in ours(module) if not in_folder(name, "sandbox")} <= {"pipeline", "pipeline.errors"}


@pytest.mark.parametrize("module", [name for name in FILES if level(name) < RUN or in_folder(name, "sandbox")])
def test_nothing_below_the_run_knows_samples_or_sandbox(module: str) -> None:
    assert not {name for name in ours(module) if in_folder(name, "samples", "sandbox")} or in_folder(module, "sandbox")


def test_no_modules_import_each_other_in_a_circle() -> None:
    state: dict[str, bool] = {}

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert state.get(module, True), f"a circle: {' → '.join([*way[way.index(module) :], module])}"
        if module in state:
            return
        state[module] = False
        for name in sorted(_at_run_time(module)):
            visit(name, (*way, module))
        state[module] = True

    for module in FILES:
        visit(module, ())


def _at_run_time(module: str) -> set[str]:
    """What a module needs to be imported: its imports, but for those that only types need or that load when used."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    text = "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    return {name for name in map(resolved, imported(text)) if name in FILES and name != module}

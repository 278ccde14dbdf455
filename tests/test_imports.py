"""The table of directions: what may import what, read from the imports themselves.

A module that appears is held to it, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from pipeline.mapping.compile import compiled

ROOT = Path(__file__).parents[1]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("pipeline", "schemas", "sql")
    for path in sorted((ROOT / package).rglob("*.py"))
}
"""Every module of ours and its file."""

TREE: Final = """
cli
commands
report
apply | audit
backfill | check
plan
load
extract
project
scm
show
transform
wire
run
mapping
samples
sandbox
flow
templates
suggest
errors | events | lazy
"""
"""The rooms of ``pipeline``, top line first: each line imports only lines below it; those of one
line do not know one another."""

LEVELS: Final = {
    room: -number
    for number, line in enumerate(TREE.split("\n"))
    for room in line.replace("|", " ").split()
}

STRANGERS: Final = {
    "extract": {"transform", "load"},
    "transform": {"extract", "load", "wire", "run", "flow", "project"},
    "load": {"extract", "transform"},
    "mapping": {"wire", "run", "flow", "project"},
}
"""Room → rooms that it must not import, though they lie below it."""

ONLY: Final = {
    "sandbox": {"errors"},
    "samples": {"errors"},
}
"""Room → the only rooms of ``pipeline`` that it imports."""

KNOWN_BY: Final = {
    "sandbox": {"cli", "commands"},
    "samples": {"cli", "commands"},
    "cli": set[str](),
    "commands": {"cli"},
}
"""Room → the only rooms that import it."""

IMPURE: Final = {
    "asyncio", "contextvars", "duckdb", "getpass", "http", "httpx", "os", "pathlib", "queue", "random", "requests", "secrets",
    "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "sql.session",
    "concurrent",
}  # fmt: skip
"""Network, clock, path, chance, threads and DuckDB: a pure core gets what it needs of them as
values."""

PURE: Final = ("transform", "mapping")
FAN_OUT: Final = 12
"""So many modules of ours a module may import: beyond, it does the work of two."""
IN_THE_ROOT: Final = 6

MOVING: Final = {
    "pipeline.mapping.mapfile", "pipeline.mapping.template",
    "pipeline.sandbox.sales.fetch", "pipeline.sandbox.sales.members",
    "pipeline.sandbox.sales.service", "pipeline.sandbox.world",
}  # fmt: skip
"""Modules that do not keep the rules yet: the list only gets shorter."""


def room(module: str) -> str:
    """The room of ``pipeline`` that a module lies in.

    Blank for the package itself, its own name elsewhere.
    """
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "pipeline" else package


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
    return frozenset(
        resolved(name) for name in imported(FILES[module].read_text(encoding="utf-8"))
    ) - {module}


def ours(module: str) -> set[str]:
    return {name for name in imports(module) if name in FILES}


def rooms(module: str) -> set[str]:
    """The other rooms of ``pipeline`` that a module imports."""
    return {room(name) for name in ours(module) if name.startswith("pipeline.")} - {room(module)}


def of_pipeline(*names: str) -> list[str]:
    """The modules of these rooms; of all, when none is named."""
    return [
        name
        for name in FILES
        if name.startswith("pipeline.") and (not names or room(name) in names)
    ]


def test_the_reader_sees_every_way_to_import() -> None:
    text = (
        "import os.path\nfrom pipeline.plan import make as p\nfrom pipeline import __version__\n"
        "from pipeline.load.packages.package import Package\n"
        "if TYPE_CHECKING:\n    from schemas import sales\ndef f():\n    import socket\nx = "
        "lazily('pipeline.commands.plan')\n"
    )
    assert {resolved(name) for name in imported(text)} == {
        "os.path", "pipeline.plan.make", "pipeline", "pipeline.load.packages.package", "schemas.sales", "socket",
        "pipeline.commands.plan",
    }  # fmt: skip
    with pytest.raises(AssertionError):
        list(imported("from . import plan"))


def test_every_room_stands_in_the_tree() -> None:
    assert {room(name) for name in of_pipeline()} == set(LEVELS)
    assert len(list((ROOT / "pipeline").glob("*.py"))) <= IN_THE_ROOT


@pytest.mark.parametrize("module", of_pipeline())
def test_a_module_imports_only_rooms_below_its_own(module: str) -> None:
    above = {name for name in rooms(module) - {""} if LEVELS[name] >= LEVELS[room(module)]}
    assert not above, f"{module} imports {sorted(above)}"


@pytest.mark.parametrize("module", of_pipeline(*STRANGERS))
def test_some_rooms_do_not_know_one_another(module: str) -> None:
    assert not rooms(module) & STRANGERS[room(module)]


@pytest.mark.parametrize("module", of_pipeline(*PURE))
def test_transform_and_mapping_are_pure(module: str) -> None:
    names = imports(module)
    assert module in MOVING or not {
        name for name in names if any(f"{name}.".startswith(f"{one}.") for one in IMPURE)
    }
    calls = {
        node.attr
        for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    assert not calls & {"now", "utcnow", "today", "monotonic"}


@pytest.mark.parametrize("module", of_pipeline(*ONLY))
def test_the_sandbox_and_the_samples_import_nothing_of_the_product_but_errors(module: str) -> None:
    assert rooms(module) - {""} <= ONLY[room(module)]
    if room(module) == "sandbox":
        assert not {name for name in ours(module) if not name.startswith("pipeline")}


@pytest.mark.parametrize("module", of_pipeline())
def test_some_rooms_are_known_by_few(module: str) -> None:
    hidden = {
        name for name in rooms(module) if room(module) not in KNOWN_BY.get(name, {room(module)})
    }
    assert not hidden, f"{module} imports {sorted(hidden)}"


@pytest.mark.parametrize("module", [name for name in FILES if not name.startswith("pipeline")])
def test_schemas_and_sql_import_nothing_of_the_pipeline(module: str) -> None:
    assert not {name for name in ours(module) if name.startswith("pipeline")}


@pytest.mark.parametrize(
    ("owner", "calls"),
    [
        (
            "pipeline.wire",
            {
                "httpx.Client",
                "httpx.AsyncClient",
                "Client",
                "requests.Session",
                "requests.get",
                "requests.post",
            },
        ),
        ("sql.session", {"duckdb.connect", "duckdb.sql", "duckdb.query", "duckdb.execute"}),
    ],
)
def test_only_one_place_opens_what_others_share(owner: str, calls: set[str]) -> None:
    found = {
        module
        for module, path in FILES.items()
        if not module.startswith("pipeline.sandbox")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in calls
    }
    assert found
    assert {module for module in found if not f"{module}.".startswith(f"{owner}.")} == set()


def is_foreign(target: ast.expr) -> bool:
    """Whether an assignment changes something of another module."""
    return isinstance(target, ast.Attribute | ast.Subscript)


def test_only_a_project_compiles_templates() -> None:
    """Whoever compiled by itself could forget what a project says of its templates."""
    name = compiled.__name__
    makers = {
        module
        for module, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.Attribute | ast.alias)
        and name in {getattr(node, part, "") for part in ("id", "attr", "name")}
        and compiled.__module__ in imports(module) | {module}
    }
    assert makers == {"pipeline.project.resolve"}


@pytest.mark.parametrize(
    ("sign", "writers"),
    [
        ("filelock", {"pipeline.run.files"}),
        ("os.fsync", {"pipeline.run.files", "pipeline.run.journal"}),
        (".partial", {"pipeline.run.files", "pipeline.run.folder"}),
    ],
)
def test_files_are_written_and_locked_in_one_way(sign: str, writers: set[str]) -> None:
    """The journal is appended to; a run folder in the making gets its name as a whole."""
    found = {
        module
        for module, path in FILES.items()
        if not module.startswith("pipeline.sandbox")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) == sign)
        or (isinstance(node, ast.Constant) and str(node.value).endswith(sign))
    }
    assert found == writers


def test_only_run_writes_what_a_run_is() -> None:
    writers: dict[str, set[str]] = {"write_facts": set(), "write_summary": set(), "by hand": set()}
    for module in of_pipeline():
        for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            call = ast.unparse(node.func).rpartition(".")[2]
            first = ast.unparse(node.args[0]) if node.args else ""
            if call in {"write_facts", "write_summary"}:
                writers[call].add(module)
            elif call in {"write_json", "replace_file"} and first.endswith(
                (".run_json", ".summary", ".journal")
            ):
                writers["by hand"].add(module)
    assert writers == {
        "write_facts": {"pipeline.run.folder", "pipeline.plan.make", "pipeline.backfill.planning"},
        "write_summary": {"pipeline.run.vouching"},
        "by hand": {"pipeline.run.folder"},
    }


@pytest.mark.parametrize("module", FILES)
def test_nothing_happens_at_import_but_definitions(module: str) -> None:
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    loops = ast.With | ast.For | ast.While | ast.Delete | ast.Raise
    acts = [
        node
        for node in tree.body
        if isinstance(node, loops)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
        or (isinstance(node, ast.Assign) and any(map(is_foreign, node.targets)))
    ]
    if (
        module != "pipeline" and module not in MOVING
    ):  # It tells Polars' allocator how to behave, which must come first.
        assert not [ast.unparse(node) for node in acts]


@pytest.mark.parametrize("module", FILES)
def test_no_module_knows_too_many_others(module: str) -> None:
    assert module in MOVING or len(ours(module) - {"pipeline"}) <= FAN_OUT, sorted(ours(module))


def test_no_modules_import_each_other_in_a_circle() -> None:
    state: dict[str, bool] = {}

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert state.get(module, True), (
            f"a circle: {' → '.join([*way[way.index(module) :], module])}"
        )
        if module in state:
            return
        state[module] = False
        for name in sorted(ours(module)):
            visit(name, (*way, module))
        state[module] = True

    for module in FILES:
        visit(module, ())

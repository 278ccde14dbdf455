"""The rules of the house: what may import what, and who may open what others share.

They are read from the code itself, so a module that appears is held to them, too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import pytest

from pipeline.mapping.compile import compile_template

ROOT: Final = Path(__file__).parents[1]
FILES: Final = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("p2c", "pipeline", "schemas", "sql")
    for path in sorted((ROOT / package).rglob("*.py"))
}
"""Every module of ours and its file."""

TREE: Final = """
manual
cli
commands
browse
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
engine
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

STRANGERS: Final = {"extract": {"transform", "load"}, "load": {"extract", "transform"}}
"""Room → rooms that it must not import, though they may lie below it."""

ONLY: Final[dict[str, set[str]]] = {
    "sandbox": {"errors"},
    "samples": {"errors", "sql", "schemas"},
    "transform": {"mapping", "errors", "schemas"},
    "mapping": {"templates", "suggest", "schemas"},
    "flow": {"errors"},
    "engine": {"errors", "lazy"},
    "templates": set(),
    "schemas": set(),
    "sql": {"schemas"},
}
"""Room or package → the only others of ours that it imports."""

KNOWN_BY: Final = {
    "sandbox": {"cli", "commands"},
    "samples": {"cli", "commands"},
    "manual": set[str](),
    "cli": {"manual"},
    "commands": {"cli", "p2c"},
}
"""Room → the only rooms that import it."""

PURE: Final = ("transform", "mapping")
IMPURE: Final = {
    "asyncio", "concurrent", "contextvars", "duckdb", "getpass", "glob", "http", "httpx",
    "importlib", "io", "multiprocessing", "os", "pathlib", "queue", "random", "requests", "secrets",
    "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time",
    "urllib", "uuid",
}  # fmt: skip
"""Network, clock, path, chance, threads and DuckDB: a pure core gets what it needs of them as
values."""
IMPURE_NAMES: Final = {"now", "utcnow", "today", "monotonic", "open"}

OPENERS: Final = {
    "httpx": (
        "pipeline.wire",
        {"Client", "AsyncClient", "get", "post", "put", "patch", "delete", "request", "stream"},
    ),
    "requests": ("pipeline.wire", {"Session", "session", "get", "post", "request"}),
    "duckdb": ("sql.session", {"connect", "sql", "query", "execute", "read_parquet"}),
}
"""Library → the one place that makes its clients or sessions, and the calls that do."""

FACTS: Final = {"run_json", "summary"}
"""A run folder's files of facts, by the attributes that name them: only ``run`` writes them."""

FAN_OUT: Final = 12
"""So many modules of ours a module may import: beyond, it does the work of two."""
IN_THE_ROOT: Final = 6

COMPILER: Final = "pipeline.mapping.compile"
COMPILE: Final = compile_template.__name__
WAYS: Final = {
    "filelock": {"pipeline.run.files"},
    "os.fsync": {"pipeline.run.files", "pipeline.run.journal", "pipeline.run.private"},
    ".partial": {"pipeline.run.files", "pipeline.run.folder"},
}
"""What a module would do by hand → the modules that do it for all."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """One module of ours, read but not imported."""

    name: str
    text: str

    @property
    def room(self) -> str:
        return room_of(self.name)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> frozenset[str]:
        """Modules of ours by their names, others with what is taken of them."""
        return frozenset(module_of(name) for name in list_imports(self.tree)) - {self.name}

    @property
    def ours(self) -> set[str]:
        return {name for name in self.imports if name in FILES and name != "pipeline"}

    @property
    def rooms(self) -> set[str]:
        """Rooms and packages of ours that it imports, its own left out."""
        return {room_of(name) for name in self.ours} - {self.room}

    @property
    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Calls, and what is called by its full name, whatever the import names it."""
        names = dict(list_bindings(self.tree))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                first, point, rest = ast.unparse(node.func).partition(".")
                yield node, names.get(first, first) + point + rest


def room_of(name: str) -> str:
    """The room of ``pipeline`` that a module lies in; elsewhere its package."""
    package, _, rest = name.partition(".")
    return rest.partition(".")[0] if package == "pipeline" else package


def read_module(name: str) -> Module:
    return Module(name=name, text=FILES[name].read_text(encoding="utf-8"))


def module_of(name: str) -> str:
    """The module of ours that a dotted name lies in, else the name."""
    own = name
    while own and own not in FILES:
        own = own.rpartition(".")[0]
    return own or name


LATE: Final = "importlib.import_module(self.__name__)"
"""How a lazy module comes; its name stands where ``import_lazily`` is called."""


def list_imports(tree: ast.AST) -> Iterator[str]:
    """Everything that a module imports, also under TYPE_CHECKING, within functions, and lazily."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (one.name for one in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{one.name}" for one in names)
            case ast.ImportFrom(level=steps) if steps:
                raise AssertionError("a relative import hides its direction")
            case ast.Call(func=ast.Name(id="import_lazily"), args=[ast.Constant(value=str(name))]):
                yield name
            case ast.Call() if ast.unparse(node) == LATE:
                continue
            case (
                ast.Call(func=ast.Name(id="import_lazily" | "import_module" | "__import__"))
                | ast.Call(func=ast.Attribute(attr="import_lazily" | "import_module"))
            ):
                raise AssertionError(f"{ast.unparse(node)} hides what it imports")
            case _:
                pass


def list_bindings(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names of a module, and what its imports bind them to."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((one.asname, one.name) for one in names if one.asname)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((one.asname or one.name, f"{module}.{one.name}") for one in names)
            case _:
                pass


def list_statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What a module runs when it is imported, its classes' bodies included.

    Both branches of ``if TYPE_CHECKING`` count, ``if __name__ == "__main__"`` does not run.
    """
    for node in body:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield from list_statements([*node.body, *node.orelse])
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                pass
            case ast.ClassDef():
                yield from list_statements(node.body)
            case _:
                yield node


def find_upward(module: Module) -> Iterator[str]:
    if module.room in LEVELS:
        for name in module.rooms & set(LEVELS):
            if LEVELS[name] >= LEVELS[module.room]:
                yield f"imports {name}, which does not lie below"


def find_strangers(module: Module) -> Iterator[str]:
    for name in module.rooms & STRANGERS.get(module.room, set()):
        yield f"imports {name}, which it must not know"


def find_needless(module: Module) -> Iterator[str]:
    for name in module.rooms - ONLY.get(module.room, module.rooms):
        yield f"imports {name}, which {module.room} does not need"


def find_hidden(module: Module) -> Iterator[str]:
    for name in module.rooms:
        if module.room not in KNOWN_BY.get(name, {module.room}):
            yield f"imports {name}, which only {sorted(KNOWN_BY[name])} may"


def find_impure(module: Module) -> Iterator[str]:
    if module.room not in PURE:
        return
    for name in module.imports:
        if name.partition(".")[0] in IMPURE:
            yield f"imports {name}, which is not pure"
    for node in ast.walk(module.tree):
        match node:
            case ast.Name(id=used) | ast.Attribute(attr=used) if used in IMPURE_NAMES:
                yield f"uses {ast.unparse(node)}, which is not pure"
            case _:
                pass


def find_openers(module: Module) -> Iterator[str]:
    if module.room == "sandbox":
        return
    for _, called in module.calls:
        library, _, rest = called.partition(".")
        owner, calls = OPENERS.get(library, ("", set[str]()))
        if rest in calls and not f"{module.name}.".startswith(f"{owner}."):
            yield f"calls {called}, which only {owner} may"


def find_writers(module: Module) -> Iterator[str]:
    if module.room == "run":
        return
    for call, called in module.calls:
        parts = [*call.args, *ast.walk(call.func)]
        written = {one.attr for one in parts if isinstance(one, ast.Attribute)} & FACTS
        if written and called.rpartition(".")[2].startswith("write"):
            yield f"writes {sorted(written)}, which only run may"


def find_acts(module: Module) -> Iterator[str]:
    if module.name == "pipeline":  # It prepares Polars' allocator, which must come first.
        return
    acts = (
        ast.With | ast.For | ast.While | ast.Delete | ast.Raise | ast.If | ast.Try | ast.AugAssign
    )
    for node in list_statements(module.tree.body):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, acts | ast.Expr) and not is_text:
            yield f"does something when it is imported: {ast.unparse(node)}"


def find_wide(module: Module) -> Iterator[str]:
    if len(module.ours) > FAN_OUT:
        yield f"knows {len(module.ours)} modules: {sorted(module.ours)}"


def find_compilers(module: Module) -> Iterator[str]:
    """Whoever compiled by itself could forget what a project says of its templates."""
    if module.name in {COMPILER, "pipeline.project.resolve"}:
        return
    if any(name == COMPILER and one == COMPILE for name, one in _taken(module)):
        yield f"compiles templates, which only a project may ({COMPILE})"


def _taken(module: Module) -> Iterator[tuple[str, str]]:
    """Module and name of everything that is taken out of another module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", one.name) for one in node.names)
        elif isinstance(node, ast.Attribute):
            yield COMPILER if module_of(COMPILER) in module.imports else "", node.attr


def find_own_ways(module: Module) -> Iterator[str]:
    """Files are written and locked in one way; the journal is appended to."""
    if module.room == "sandbox":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            sign = ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            sign = f".{node.value.rpartition('.')[2]}"
        else:
            continue
        if sign in WAYS and module.name not in WAYS[sign]:
            yield f"uses {sign}, which only {sorted(WAYS[sign])} may"


RULES: Final[tuple[Callable[[Module], Iterator[str]], ...]] = (
    find_upward,
    find_strangers,
    find_needless,
    find_hidden,
    find_impure,
    find_openers,
    find_writers,
    find_acts,
    find_wide,
    find_compilers,
    find_own_ways,
)


def find_breaches(module: Module) -> list[str]:
    """What is wrong with a module, a phrase for each breach of a rule."""
    return sorted({text for rule in RULES for text in rule(module)})


@pytest.mark.parametrize("name", FILES)
def test_a_module_keeps_the_rules(name: str) -> None:
    assert find_breaches(read_module(name)) == []


MANY: Final = [name for name in FILES if room_of(name) in {"scm", "wire", "schemas"}]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("pipeline.load.x", "from pipeline.plan import make", "plan, which does not lie below"),
        ("pipeline.audit.x", "from pipeline.apply import guards", "apply, which does not lie"),
        ("pipeline.errors", "from pipeline import events", "events, which does not lie below"),
        ("pipeline.load.x", "def f():\n    import pipeline.extract.view", "extract, which it must"),
        ("pipeline.audit.x", f"from {COMPILER} import {COMPILE}", "only a project may"),
        ("pipeline.plan.x", f"import {COMPILER} as c\nc.{COMPILE}()", "only a project may"),
        ("pipeline.extract.x", "import filelock\nfilelock.FileLock(x)", "uses filelock, which"),
        ("pipeline.show.x", "import os\nos.fsync(f)", "uses os.fsync, which only"),
        ("pipeline.audit.x", "x = f'{name}.partial'", "uses .partial, which only"),
        ("pipeline.load.x", "from pipeline.transform import batch", "transform, which it must not"),
        ("pipeline.sandbox.x", "from schemas import sales", "schemas, which sandbox does not need"),
        ("pipeline.sandbox.x", "from pipeline.wire import pace", "wire, which sandbox does"),
        ("pipeline.mapping.x", "from sql.session import literal", "sql, which mapping does"),
        ("schemas.x", "if TYPE_CHECKING:\n    from pipeline.scm import keys", "scm, which schemas"),
        ("sql.x", "from pipeline import suggest", "suggest, which sql does not need"),
        ("pipeline.report.x", "x = import_lazily('pipeline.sandbox.serve')", "sandbox, which only"),
        ("pipeline.commands.x", "from pipeline.cli.flags import Flags", "cli, which only"),
        ("pipeline.mapping.x", "from pathlib import Path", "pathlib.Path, which is not pure"),
        ("pipeline.transform.x", "import concurrent.futures", "concurrent.futures, which is"),
        ("pipeline.transform.x", "x = datetime.now", "datetime.now, which is not pure"),
        ("pipeline.transform.x", "def f():\n    return open('x')", "open, which is not pure"),
        ("pipeline.plan.x", "import httpx as h\ndef f():\n    h.get('x')", "httpx.get, which only"),
        ("pipeline.plan.x", "from httpx import Client\nx = Client()", "httpx.Client, which only"),
        ("pipeline.wire.x", "import duckdb\nx = duckdb.connect()", "duckdb.connect, which only"),
        ("pipeline.plan.x", "write_json(folder.run_json, {})", "writes ['run_json'], which only"),
        ("pipeline.plan.x", "folder.summary.write_text('')", "writes ['summary'], which only"),
        ("pipeline.plan.x", "logging.disable()", "when it is imported: logging.disable()"),
        ("pipeline.plan.x", "if sys.platform:\n    x = 1", "when it is imported: if"),
        ("pipeline.plan.x", "class A:\n    for one in (): pass", "when it is imported: for"),
        ("pipeline.plan.x", "\n".join(f"import {one}" for one in MANY[:13]), "knows 13 modules"),
    ],
)  # fmt: skip
def test_each_rule_finds_what_breaks_it(name: str, text: str, words: str) -> None:
    assert any(words in one for one in find_breaches(Module(name=name, text=text)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipeline.plan.x", "from pipeline.wire import pace\nfrom pipeline import errors"),
        ("pipeline.wire.x", "import httpx\ndef f():\n    return httpx.Client()"),
        ("pipeline.sandbox.x", "import duckdb\ndef f():\n    return duckdb.connect()"),
        ("pipeline.run.x", "def f():\n    write_json(folder.summary, {})"),
        ("pipeline.plan.x", "'A text.'\nif __name__ == '__main__':\n    main()"),
        ("pipeline.plan.x", "\n".join(f"import {one}" for one in MANY[:12])),
    ],
)
def test_what_the_rules_allow_is_no_breach(name: str, text: str) -> None:
    assert find_breaches(Module(name=name, text=text)) == []


def test_the_reader_sees_every_way_to_import() -> None:
    text = (
        "import os.path\nfrom pipeline.plan import make as p\nfrom pipeline import __version__\n"
        "from pipeline.load.packages.package import Package\n"
        "if TYPE_CHECKING:\n    from schemas import sales\ndef f():\n    import socket\n"
        "x = import_lazily('pipeline.commands.plan')\n"
    )
    assert Module(name="pipeline.cli.x", text=text).imports == {
        "os.path",
        "pipeline.plan.make",
        "pipeline",
        "pipeline.load.packages.package",
        "schemas.sales",
        "socket",
        "pipeline.commands.plan",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("from . import plan", "a relative import"),
        ("x = import_lazily(name)", r"import_lazily\(name\) hides"),
        ("x = importlib.import_module('pipeline.plan')", "hides what it imports"),
    ],
)
def test_an_import_that_cannot_be_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        list(list_imports(ast.parse(text)))


def test_every_room_stands_in_the_tree_once() -> None:
    assert {room_of(name) for name in FILES if name.startswith("pipeline.")} == set(LEVELS)
    assert len(LEVELS) == len(TREE.replace("|", " ").split())
    assert len(list((ROOT / "pipeline").glob("*.py"))) <= IN_THE_ROOT


def test_every_room_and_place_that_a_rule_names_is_there() -> None:
    tables: list[dict[str, set[str]]] = [STRANGERS, ONLY, KNOWN_BY]
    named = {one for table in tables for key, few in table.items() for one in (key, *few)}
    assert named | set(PURE) <= {*LEVELS, "p2c", "schemas", "sql"}
    for library, (owner, _) in OPENERS.items():
        places = [read_module(name) for name in FILES if f"{name}.".startswith(f"{owner}.")]
        called = [name for place in places for _, name in place.calls]
        assert any(name.startswith(f"{library}.") for name in called)


def find_circle(known: dict[str, set[str]]) -> list[str]:
    """A way through imports that comes back to where it was; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(known.get(name, ())):
            if found := visit(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in known if (found := visit(name, []))), [])


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert find_circle({name: read_module(name).ours for name in FILES}) == []


def test_a_circle_is_found() -> None:
    assert find_circle({"a": {"b", "c"}, "c": {"d"}, "d": {"c"}}) == ["c", "d", "c"]


ALL_MODULES: Final = """
import importlib, pathlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
for task in pathlib.Path("/proc/self/task").iterdir():
    print((task / "comm").read_text().strip())
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are listed by /proc")
def test_no_module_starts_the_threads_of_polars_as_it_is_imported() -> None:
    """A process that forks afterwards would be without them, and wait for ever."""
    names = [name for name in FILES if not name.endswith("__main__")]
    done = subprocess.run(
        [sys.executable, "-c", ALL_MODULES, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    threads = done.stdout.split()
    assert "polars-0" not in threads
    assert threads

"""``python -m tests.benchmarks.house [FOLDER] [--places]``: figures read from the code itself.

Of another checkout, for a comparison, with its folder as the argument; ``--places`` says where.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PACKAGES: Final = ("pipeline", "schemas", "sql", "p2c")
BORDERS: Final = ("pipeline/wire/", "pipeline/sandbox/", "pipeline/run/facts.py")
"""Where ``dict[str, Any]`` is the form that the world has."""

LONG: Final = 50
WIDE: Final = 100
_SQL: Final = re.compile(
    r"\b(SELECT\s.+\sFROM\s|INSERT\s+INTO\s|DELETE\s+FROM\s"
    r"|CREATE\s+(OR\s+REPLACE\s+)?(TEMP\s+)?(TABLE|VIEW|MACRO)\s"
    r"|^FROM\s+\w+\s+(SELECT|WHERE|JOIN)\b)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(kw_only=True, slots=True)
class House:
    """What was counted; places as ``file:line``."""

    root: Path
    lines: int = 0
    lines_beyond_the_sandbox: int = 0
    in_the_root: int = 0
    long_functions: list[str] = field(default_factory=list)
    wide_lines: list[str] = field(default_factory=list)
    any_beyond_the_sandbox: int = 0
    any_dicts_beyond_the_borders: list[str] = field(default_factory=list)
    sql_in_python: list[str] = field(default_factory=list)
    fan_out: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def names_of_two_things(self) -> dict[str, list[str]]:
        """Public top-level names that several modules define."""
        return {name: places for name, places in sorted(self.names.items()) if len(places) > 1}

    def widest(self) -> tuple[int, str]:
        """The module that knows most others."""
        return max(((count, module) for module, count in self.fan_out.items()), default=(0, ""))


def measure(root: Path) -> House:
    """Count what ``HOUSE`` sets goals for."""
    house = House(root=root)
    modules = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    }
    house.in_the_root = len(list((root / "pipeline").glob("*.py")))
    for module, path in modules.items():
        _measure_module(house, module, path, set(modules))
    for path in sorted((root / "tests").rglob("*.py")):
        _measure_width(house, path)
    return house


def _measure_module(house: House, module: str, path: Path, modules: set[str]) -> None:
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(house.root).as_posix()
    tree = ast.parse(text)
    count = text.count("\n")
    house.lines += count
    _measure_width(house, path)
    if not name.startswith("pipeline/sandbox/"):
        house.lines_beyond_the_sandbox += count
        house.any_beyond_the_sandbox += sum(
            isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(tree)
        )
        house.sql_in_python += [f"{name}:{line}" for line in _queries(tree)]
    if not name.startswith(BORDERS):
        house.any_dicts_beyond_the_borders += [
            f"{name}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]"
        ]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONG:
                house.long_functions.append(f"{name}:{node.lineno} {node.name} ({length})")
    house.fan_out[module] = len(_imports(tree, modules) - {module, "pipeline"})
    if module.partition(".")[0] == "p2c":  # A front says the commands' own names once more.
        return
    for one in tree.body:
        if isinstance(one, ast.FunctionDef | ast.ClassDef) and not one.name.startswith("_"):
            house.names[one.name].append(module)


def _measure_width(house: House, path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if len(line) > WIDE:
            house.wide_lines.append(f"{path.relative_to(house.root).as_posix()}:{number}")


def _imports(tree: ast.Module, modules: set[str]) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{one.name}" for one in node.names]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("lazily", "import_lazily")
            and node.args
        ):
            names = [str(getattr(node.args[0], "value", ""))]
        for name in names:
            own = name
            while own and own not in modules:
                own = own.rpartition(".")[0]
            found.add(own)
    return found - {""}


def _queries(tree: ast.Module) -> Iterator[int]:
    """Lines where a text that is a query begins; docstrings are none."""
    prose = {
        id(one.value)
        for one in ast.walk(tree)
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)
    }
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node}
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values
            )
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in prose | inside
        ):
            text = node.value
        else:
            continue
        if _SQL.search(text):
            yield node.lineno


def main(arguments: list[str]) -> None:
    """Print the figures."""
    folders = [Path(one) for one in arguments if not one.startswith("--")]
    house = measure(folders[0] if folders else Path(__file__).parents[2])
    shown: Counter[str] = Counter(place.split(":")[0] for place in house.sql_in_python)
    share = 1000 * house.any_beyond_the_sandbox / max(house.lines_beyond_the_sandbox, 1)
    rows = [
        ("lines", house.lines),
        ("modules in the root of pipeline", house.in_the_root),
        ("functions over 50 lines", len(house.long_functions)),
        ("Any per 1,000 lines outside the sandbox", round(share, 1)),
        ("dict[str, Any] outside the borders", len(house.any_dicts_beyond_the_borders)),
        ("longest fan-out", house.widest()),
        ("modules that know more than 12", sum(count > 12 for count in house.fan_out.values())),
        ("lines over 100 columns", len(house.wide_lines)),
        ("public names of two things", len(house.names_of_two_things())),
        ("SQL strings in Python", len(house.sql_in_python)),
    ]
    for what, figure in rows:
        sys.stdout.write(f"{what:<42} {figure}\n")
    if "--places" in arguments:
        for name, places in house.names_of_two_things().items():
            sys.stdout.write(f"name {name}: {', '.join(places)}\n")
        for place in [
            *house.long_functions,
            *house.any_dicts_beyond_the_borders,
            *map(str, shown.items()),
        ]:
            sys.stdout.write(f"{place}\n")


if __name__ == "__main__":
    main(sys.argv[1:])

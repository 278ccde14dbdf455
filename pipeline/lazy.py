"""Modules that load when they are first used.

``p2c --help`` and shell completion need none of the engines.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def import_lazily(name: str) -> ModuleType:
    """Import the module of that name; its code runs when something in it is first used."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(name)
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def hide_module(name: str) -> None:
    """From now on, importing a module fails as if it were not installed, unless it is loaded."""
    sys.meta_path.insert(0, _Hidden(name))


def show_module(name: str) -> None:
    """Let a module be imported again that was hidden."""
    sys.meta_path[:] = [
        one for one in sys.meta_path if not (isinstance(one, _Hidden) and one.name == name)
    ]


class _Hidden(MetaPathFinder, Loader):
    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == self.name else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        raise ModuleNotFoundError(f"No module named '{spec.name}'", name=spec.name)

    def exec_module(self, module: ModuleType) -> None: ...

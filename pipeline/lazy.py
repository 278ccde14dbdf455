"""Modules that load when they are first used.

``p2c --help`` and shell completion need none of the engines.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


def import_lazily(name: str) -> ModuleType:
    """What stands for the module of that name until something in it is first used."""
    if name in sys.modules:
        return sys.modules[name]
    if importlib.util.find_spec(name) is None:
        raise ModuleNotFoundError(name)
    return _Late(name)


class _Late(ModuleType):
    """A module that is imported at its first use, by whichever thread comes first.

    The one that ``importlib.util.LazyLoader`` makes is half loaded for the second thread, up to
    Python 3.11.8.
    """

    def __getattr__(self, name: str) -> object:
        return getattr(importlib.import_module(self.__name__), name)


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

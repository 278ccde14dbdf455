"""Modules that load when they are first used.

``p2c --help`` and shell completion need none of the engines.
"""

from __future__ import annotations

import importlib.util
import sys
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

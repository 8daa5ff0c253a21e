"""Imports all modules of a package, so that a new module needs no entry in a list."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def import_submodules(package: str) -> tuple[ModuleType, ...]:
    """Imports the modules directly below a package and returns them, sorted by name."""
    found = importlib.import_module(package)
    names = sorted(each.name for each in pkgutil.iter_modules(found.__path__, f"{package}."))
    return tuple(importlib.import_module(name) for name in names)

"""Finds modules by where they are, so that a new one needs no entry in a list."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def import_submodules(package: str) -> tuple[ModuleType, ...]:
    """Imports every module directly below a package, in the order of their names."""
    found = importlib.import_module(package)
    names = sorted(each.name for each in pkgutil.iter_modules(found.__path__, f"{package}."))
    return tuple(importlib.import_module(name) for name in names)

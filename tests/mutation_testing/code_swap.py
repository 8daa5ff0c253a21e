"""Gives the functions of a loaded module the code of a changed source, wherever they were imported or registered."""

import ast
import gc
import sys
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

ROOT = Path(__file__).parents[2]


def swap_code(path: str, source: str) -> bool:
    """Replaces the code of the functions of a file, and its constants. Returns False where it cannot.

    The functions stay the same objects, so that decorators, registers, classes and importers have the changed ones.
    What else a module computes when it is loaded, such as the defaults of arguments, is not replaced.
    """
    original = (ROOT / path).read_text(encoding="utf-8")
    before, after = (_without_bodies(text).body for text in (original, source))
    changed = [place for place, both in enumerate(zip(before, after, strict=True)) if not _same(*both)]
    if not all(_is_constant(before[place]) for place in changed):
        return False
    codes = _codes(compile(source, path, "exec"), defaultdict(list))
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and Path(function.__code__.co_filename) == ROOT / path:
            found[function.__code__.co_qualname].append(function)
    for name, functions in found.items():
        # Of several with one name, such as the lambdas of a class, the order of their lines.
        lines = sorted({function.__code__.co_firstlineno for function in functions})
        for function in functions:
            function.__code__ = codes[name][lines.index(function.__code__.co_firstlineno)]
    for module in [each for each in sys.modules.values() if getattr(each, "__file__", None) == str(ROOT / path)]:
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()
        _set_constants(vars(module), after, changed)
    return True


def _set_constants(names: dict[str, Any], statements: list[ast.stmt], changed: list[int]) -> None:
    """Runs the changed assignments of a module again, and the constants after them that are made of those."""
    again: set[str] = set()
    for place, statement in enumerate(statements):
        used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        if place in changed or (_is_constant(statement) and used & again):
            before = dict(names)
            exec(compile(ast.Module([statement], []), "changed", "exec"), names)
            for name in [name for name in names if name != "__builtins__" and names[name] is not before.get(name)]:
                again.add(name)
                for module in list(sys.modules.values()):
                    if name in before and getattr(module, "__dict__", {}).get(name) is before[name]:
                        setattr(module, name, names[name])


def _is_constant(statement: ast.stmt) -> bool:
    """Whether a statement gives a name a value that registers nothing."""
    value = getattr(statement, "value", None)
    is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign)
    return is_assignment and not (isinstance(value, ast.Call) and ast.unparse(value.func) == "RecordRules")


def _codes(code: CodeType, found: dict[str, list[CodeType]]) -> dict[str, list[CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found[constant.co_qualname].append(constant)
            _codes(constant, found)
    return found


class _WithoutBodies(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.body = [ast.Pass()]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.body = ast.Constant(None)
        return node


def _without_bodies(source: str) -> ast.Module:
    return ast.fix_missing_locations(_WithoutBodies().visit(ast.parse(source)))


def _same(one: ast.stmt, other: ast.stmt) -> bool:
    return ast.dump(one) == ast.dump(other)

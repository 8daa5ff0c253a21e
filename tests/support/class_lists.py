"""Finds lists that name entities one by one, where each mapped class could say it itself (rule 4).

A list is a tuple, a list, a set or the keys or values of a dictionary, with three or more mapped classes, types of the
graph or tables. It passes where its first line, or the one above it, says `# listed: reason`.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from db.models.registry import entities, mapped_classes

_MOST = 2
# At least three words.
_REASON = re.compile(r"# listed: \S+ \S+ \S+")


@cache
def _names() -> frozenset[str]:
    return frozenset(each.type_name() for each in entities()) | {each.__tablename__ for each in mapped_classes()}


def listed_entities(root: Path, paths: list[str]) -> list[str]:
    """Returns a line for each list in Python files that names more than two entities without a reason."""
    found = []
    for path in paths:
        source = (root / path).read_text()
        tree, lines = ast.parse(source), source.splitlines()
        classes = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("db.models.")
            for alias in node.names
        } & {each.__name__ for each in mapped_classes()}
        for node in ast.walk(tree):
            for part in _lists(node):
                named = {name for each in part for name in _named(each, classes)}
                if len(named) > _MOST and not any(map(_REASON.search, _lines_at(lines, node))):
                    found.append(f"{path}: line {node.lineno}: lists {', '.join(sorted(named))}")  # type: ignore[attr-defined]
    return found


def _lists(node: ast.AST) -> Iterator[list[ast.expr]]:
    match node:
        case ast.Dict(keys=keys, values=values):
            # Tables as keys are the names of fields elsewhere.
            yield [key for key in keys if isinstance(key, ast.Name)]
            yield values
        case (
            ast.Tuple(elts=elements, ctx=ast.Load()) | ast.List(elts=elements, ctx=ast.Load()) | ast.Set(elts=elements)
        ):
            yield elements


def _named(element: ast.expr, classes: set[str]) -> Iterator[str]:
    match element:
        case ast.Name(id=name) if name in classes:
            yield name
        case ast.Constant(value=str(name)) if name in _names():
            yield name
        # A row of a table.
        case ast.Tuple(elts=elements):
            yield from (name for each in elements for name in _named(each, classes))


def _lines_at(lines: list[str], node: ast.AST) -> list[str]:
    number = node.lineno  # type: ignore[attr-defined]  # expressions have one
    return lines[max(0, number - 2) : number]

"""Finds rows of statements that are read by position: `row[1]`, `for key, name, size in rows`, `Signer(*row)`.

Names are followed within a function, and through functions that return what a statement read. Two columns may be
unpacked, as a key and its value.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

_READS = {"execute", "rows", "stream", "exec_driver_sql", "fetch"}
_ALL = {"all", "fetchall", "fetchmany", "partitions", "unique", "yield_per"}
_ONE = {"one", "one_or_none", "first", "fetchone", "fetchrow"}
_SAME_ROWS = {"list", "tuple", "sorted", "reversed", "iter"}
_ONE_OF = {"next", "min", "max"}
_MOST_COLUMNS = 2

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class _Scope:
    """The names of one function that hold rows (`results`) or a row."""

    def __init__(self, returning: set[str]) -> None:
        self._returning = returning
        self.results: set[str] = set()
        self.rows: set[str] = set()

    def is_result(self, node: ast.expr) -> bool:
        match node:
            case ast.Await(value=value):
                return self.is_result(value)
            case ast.Name(id=name):
                return name in self.results
            case ast.Subscript(value=value, slice=ast.Slice()):
                return self.is_result(value)
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return attr in _READS or attr in self._returning or (attr in _ALL and self.is_result(value))
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _SAME_ROWS:
                return self.is_result(first)
            case ast.Call(func=ast.Name(id=name)):
                return name in self._returning
        return False

    def is_row(self, node: ast.expr) -> bool:
        match node:
            case ast.Await(value=value):
                return self.is_row(value)
            case ast.Name(id=name):
                return name in self.rows
            case ast.Subscript(value=value, slice=index):
                return _is_number(index) and self.is_result(value)
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return attr in _ONE and self.is_result(value)
            case ast.Call(func=ast.Name(id=name), args=[first, *_]):
                return name in _ONE_OF and self.is_result(first)
        return False

    def learn(self, node: ast.AST) -> None:
        """Adds the names that an assignment or a loop gives rows to."""
        for target, value, each in _assignments(node):
            if isinstance(target, ast.Name):
                if not each and self.is_result(value):
                    self.results.add(target.id)
                elif self.is_result(value) if each else self.is_row(value):
                    self.rows.add(target.id)
            elif isinstance(target, ast.Tuple | ast.List) and not each and self.is_result(value):
                # `[row] = rows`
                self.rows.update(part.id for part in target.elts if isinstance(part, ast.Name))

    def positions(self, node: ast.AST) -> Iterator[tuple[int, str]]:
        """Yields the line and the code where a row is read by position."""
        for target, value, each in _assignments(node):
            if each and self.is_row(value):
                yield target.lineno, f"{ast.unparse(target)} in {ast.unparse(value)}"
            unpacked = [target] if (self.is_result(value) if each else self.is_row(value)) else []
            if not each and self.is_result(value) and isinstance(target, ast.Tuple | ast.List):
                # `[[key, name]] = rows` unpacks the columns of the only row.
                unpacked = target.elts
            yield from ((columns.lineno, ast.unparse(columns)) for columns in unpacked if _has_too_many(columns))
        if isinstance(node, ast.Subscript) and _is_number(node.slice) and self.is_row(node.value):
            yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.Starred) and isinstance(node.ctx, ast.Load) and self.is_row(node.value):
            yield node.lineno, ast.unparse(node)


def positional_reads(root: Path, paths: list[str]) -> list[str]:
    """Returns a line for each place in Python files that reads a statement's row by position."""
    trees = {path: ast.parse((root / path).read_text()) for path in paths}
    returning: set[str] = set()
    for tree in trees.values():
        for function, scope in _scopes(tree, set()):
            returned = (node.value for node in _own(function) if isinstance(node, ast.Return) and node.value)
            if isinstance(function, _Function) and any(scope.is_result(value) for value in returned):
                returning.add(function.name)
    return [
        f"{path}: line {line}: {code} reads a row by position"
        for path, tree in trees.items()
        for line, code in sorted(
            {
                found
                for part, scope in _scopes(tree, returning)
                for node in _own(part)
                for found in scope.positions(node)
            }
        )
    ]


def _scopes(tree: ast.Module, returning: set[str]) -> Iterator[tuple[ast.AST, _Scope]]:
    """Yields the module and each function with the names of rows in it."""
    for part in [tree, *(node for node in ast.walk(tree) if isinstance(node, _Function))]:
        scope = _Scope(returning)
        # Twice: a comprehension is met before the statements that follow it, whatever their order.
        for _ in range(2):
            for node in _own(part):
                scope.learn(node)
        yield part, scope


def _own(part: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a function without those of functions within it."""
    for child in ast.iter_child_nodes(part):
        if not isinstance(child, _Function):
            yield child
            yield from _own(child)


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr, bool]]:
    """Yields (target, value, whether the target takes one element of the value after the other)."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value, False) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            yield target, value, False
        case ast.For(target=target, iter=iterated) | ast.AsyncFor(target=target, iter=iterated):
            yield target, iterated, True
        case ast.comprehension(target=target, iter=iterated):
            yield target, iterated, True


def _has_too_many(target: ast.expr) -> bool:
    names = target.elts if isinstance(target, ast.Tuple | ast.List) else []
    return len(names) > _MOST_COLUMNS or any(isinstance(name, ast.Starred) for name in names)


def _is_number(index: ast.expr) -> bool:
    number = index.operand if isinstance(index, ast.UnaryOp) else index
    return isinstance(number, ast.Constant) and isinstance(number.value, int)

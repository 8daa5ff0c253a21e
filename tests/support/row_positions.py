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
_MATTERS = (
    ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.For | ast.AsyncFor | ast.comprehension | ast.Return | ast.Subscript
    | ast.Starred
)  # fmt: skip


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
    parts = {path: list(_parts(ast.parse((root / path).read_text()))) for path in paths}
    returning: set[str] = set()
    for of_file in parts.values():
        for part, own in of_file:
            scope = _scope(own, set())
            returned = (node.value for node in own if isinstance(node, ast.Return) and node.value)
            if isinstance(part, _Function) and any(scope.is_result(value) for value in returned):
                returning.add(part.name)
    return [
        f"{path}: line {line}: {code} reads a row by position"
        for path, of_file in parts.items()
        for line, code in sorted(
            {
                found
                for _, own in of_file
                for scope in [_scope(own, returning)]
                for node in own
                for found in scope.positions(node)
            }
        )
    ]


def _scope(own: list[ast.AST], returning: set[str]) -> _Scope:
    """Returns the names of rows in a function. `own`: its nodes."""
    scope = _Scope(returning)
    # Twice: a comprehension is met before the statements that follow it, whatever their order.
    for _ in range(2):
        for node in own:
            scope.learn(node)
    return scope


def _parts(tree: ast.Module) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Yields the module and each function with its nodes that matter here, without those of functions within it."""
    parts: list[ast.AST] = [tree]
    for part in parts:
        own, waiting = [], [*ast.iter_child_nodes(part)][::-1]
        while waiting:
            node = waiting.pop()
            if isinstance(node, _Function):
                parts.append(node)
                continue
            if isinstance(node, _MATTERS):
                own.append(node)
            waiting += [*ast.iter_child_nodes(node)][::-1]
        yield part, own


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

"""Finds statements in Python source that read or write personal data without the viewer's scope.

A statement is a call of SQLAlchemy's `select`, `exists`, `update`, `delete` or `text`, or `session.get(Table, ...)`.
It is personal if it names a table with data of learners or users, an alias of one, or no table that the linter knows.
It is scoped if one of the conditions of `auth/scope.py` that depend on the role (`sees_...`, `visible_learners`) is in
the same expression, by its name or through a variable made from it, or is added to the same variable elsewhere in the
function. Any other statement needs a comment `# unscoped: reason` in its lines or above.
"""

import ast
import re
from dataclasses import dataclass

from db.models.base import Base
from db.models.entity import Visibility
from db.models.registry import mapped_classes

_STATEMENTS = {"select", "exists", "update", "delete", "text"}
_SCOPE = re.compile(r"^(visible_learners|sees|sees_\w+)$")
_REASON = re.compile(r"#\s*unscoped:\s*\S.{9,}")


@dataclass(frozen=True)
class Unscoped:
    """A finding: the line (from 1) and the tables of the statement; no tables if they are unknown."""

    line: int
    tables: tuple[str, ...]

    def __str__(self) -> str:
        return f"line {self.line}: {', '.join(self.tables) or 'an unknown table'} without scope"


def mapped_tables() -> dict[str, bool]:
    """Returns by name of each mapped class whether it has personal data."""
    return {entity.__name__: _is_personal(entity) for entity in mapped_classes()}


def _is_personal(entity: type[Base]) -> bool:
    """Returns whether its rows are about a learner, or not visible to every user of the provider."""
    declared = entity.__entity__
    return "learner_id" in entity.__table__.columns or bool(declared and declared.visible is not Visibility.PROVIDER)


def unscoped_statements(source: str) -> list[Unscoped]:
    """Returns the statements over personal data that have neither scope nor a reason."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    lines, tables, makers, found = source.splitlines(), mapped_tables(), statement_makers(tree), {}
    scope_functions = _functions_that_return_scope(tree, tables)
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and _makes_statement(call, makers, tables)):
            continue
        expression = _whole_expression(call, parents)
        function = _function(expression, parents) or tree
        aliases = _aliases(tree, tables) | _aliases(function, tables)
        named = {aliases.get(name, name) for name in _names(expression)} & set(tables)
        personal = tuple(sorted(name for name in named if tables[name]))
        # A select from an earlier statement has its scope, and that statement is checked itself.
        from_statement = not named and _names(expression) & _statement_variables(function, makers)
        if from_statement or (named and not personal):
            continue
        if not _is_scoped(expression, function, makers, scope_functions) and not _has_reason(
            lines, expression, parents
        ):
            found.setdefault(expression, Unscoped(call.lineno, personal))
    return sorted(found.values(), key=lambda finding: finding.line)


def statement_makers(tree: ast.AST, wanted: set[str] = _STATEMENTS) -> set[str]:
    """Returns the names under which a file imports the wanted statements of SQLAlchemy."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
        if alias.name in wanted
    }


def _makes_statement(call: ast.Call, makers: set[str], tables: dict[str, bool]) -> bool:
    match call.func:
        case ast.Name(id=name):
            return name in makers
        # `UserRow.select(role)` selects the columns of a light row without scope; `UserRow.statement(role)` has scope.
        case ast.Attribute(attr="select", value=ast.Name(id=row)):
            return row.endswith("Row")
        case ast.Attribute(attr="get"):
            return bool(call.args) and isinstance(call.args[0], ast.Name) and call.args[0].id in tables
        case ast.Attribute(value=ast.Name(id="sa" | "sqlalchemy"), attr=name):
            return name in _STATEMENTS
    return False


def _whole_expression(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    """Returns the outermost expression around a call, without the block below it."""
    while not isinstance(parents[node], ast.stmt | ast.match_case | ast.excepthandler):
        node = parents[node]
    return node


def _function(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST | None:
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node
    return None


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def _targets(node: ast.AST) -> set[str]:
    """Returns the variables that an assignment sets: for `self.condition` the attribute, not `self`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return set().union(*map(_targets, parts))
    return set()


def _assignments(scope: ast.AST) -> list[tuple[set[str], ast.AST]]:
    """Returns the assignments in a function or file: the variables, and the value."""
    pairs = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            pairs.append((set().union(*map(_targets, node.targets)), node.value))
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value is not None:
            pairs.append((_targets(node.target), node.value))
    return pairs


def _aliases(scope: ast.AST, tables: dict[str, bool]) -> dict[str, str]:
    """Returns the variables that are an alias of a table: `theirs = aliased(Aim)`."""
    return {
        variable: value.args[0].id
        for variables, value in _assignments(scope)
        for variable in variables
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "aliased"
        and isinstance(value.args[0], ast.Name) and value.args[0].id in tables
    }  # fmt: skip


def _statement_variables(function: ast.AST, makers: set[str]) -> set[str]:
    """Returns the variables of a function that hold a statement: `recent = select(...).subquery()`."""
    held = [variables for variables, value in _assignments(function) if _holds_statement(value, makers)]
    return set().union(*held)


def _holds_statement(node: ast.AST, makers: set[str]) -> bool:
    return any(isinstance(part, ast.Call) and _makes_statement(part, makers, {}) for part in ast.walk(node))


def _functions_that_return_scope(tree: ast.AST, tables: dict[str, bool]) -> set[str]:
    """Returns the functions of the file that return only conditions of `auth/scope.py`, such as a choice by table."""
    found = set()
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        given = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
        if any(map(_mentions_scope, given)) and all(_mentions_scope(v) or _of_provider_alone(v, tables) for v in given):
            found.add(function.name)
    return found


def _of_provider_alone(value: ast.AST | None, tables: dict[str, bool]) -> bool:
    """Returns whether it is `of_provider(...)` of a table without personal data."""
    names = _names(value) if value is not None else set()
    named = names & set(tables)
    return "of_provider" in names and bool(named) and not any(tables[name] for name in named)


def _is_scoped(expression: ast.AST, function: ast.AST, makers: set[str], scope_functions: set[str]) -> bool:
    pairs = _assignments(function)
    conditions = set(scope_functions)

    def mentions(node: ast.AST) -> bool:
        return any(_SCOPE.match(name) or name in conditions for name in _names(node))

    # A variable made from a condition is a condition, unless it holds a statement, which is checked itself.
    size = -1
    while size != len(conditions):
        size = len(conditions)
        for variables, value in pairs:
            if not _holds_statement(value, makers) and mentions(value):
                conditions |= variables
    if mentions(expression):
        return True
    # A statement built in steps: `found = select(...)`, then `found = found.where(sees_record(...))`.
    built = next((variables for variables, value in pairs if value is expression), set())
    return any(
        variables & built and value is not expression and _names(value) & built and _mentions_scope(value)
        for variables, value in pairs
    )


def _mentions_scope(node: ast.AST | None) -> bool:
    """Returns whether it names a condition of `auth/scope.py`."""
    return node is not None and any(_SCOPE.match(name) for name in _names(node))


def _has_reason(lines: list[str], expression: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    statement = expression
    while not isinstance(statement, ast.stmt):
        statement = parents[statement]
    text = lines[statement.lineno - 1 : expression.end_lineno]
    above = statement.lineno - 1
    while above and lines[above - 1].lstrip().startswith("#"):
        above -= 1
        text.append(lines[above])
    return any(_REASON.search(line) for line in text)

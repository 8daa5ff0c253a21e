"""Mutation operators: each yields the places of a syntax tree that it can change, and how to do and undo the change."""

import ast
from collections.abc import Callable, Iterator

ROLES = ("LEARNER", "ASSESSOR", "IQA", "EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW", "BASIC_ADMIN", "MASTER_ADMIN")
REVERSED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
COLUMNS = {
    "assessor_id": "iqa_id", "iqa_id": "assessor_id",
    "is_": "is_not", "is_not": "is_", "in_": "not_in", "not_in": "in_",
}  # fmt: skip
SUMS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip


# The line, the description of the change, and the functions that do and undo it.
Mutation = tuple[int, str, Callable[[], None], Callable[[], None]]


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree without the arguments of its decorators: the size of a cache is no rule, nor are slots."""
    decorators = {
        id(part) for node in ast.walk(tree) for made in getattr(node, "decorator_list", ()) for part in ast.walk(made)
    }
    return (node for node in ast.walk(tree) if id(node) not in decorators)


def _set(node: ast.AST, name: str, value: object, what: str) -> Mutation:
    before = getattr(node, name)
    return node.lineno, what, lambda: setattr(node, name, value), lambda: setattr(node, name, before)  # type: ignore[attr-defined]


def _without(call: ast.Call, place: int) -> Mutation:
    return _set(
        call,
        "args",
        call.args[:place] + call.args[place + 1 :],
        f"without {_short(call.args[place])} in {_short(call.func)}",
    )


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def conditions(tree: ast.AST) -> Iterator[Mutation]:
    """Reverses operators, drops conditions, exchanges roles and columns."""
    for node in _nodes(tree):
        match node:
            case ast.Compare(ops=[op]) if type(op) in REVERSED:
                yield _set(node, "ops", [REVERSED[type(op)]()], f"{_short(node)} reversed")
            case ast.BoolOp(op=op):
                yield _set(node, "op", ast.Or() if isinstance(op, ast.And) else ast.And(), f"{_short(node)} and/or")
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                yield (
                    node.lineno,
                    f"~{_short(operand)} without ~",
                    lambda node=node, operand=operand: _drop_invert(node, operand),
                    lambda node=node, operand=operand: _restore_invert(node, operand),
                )
            case ast.Call() if _name(node) in ("and_", "or_") and len(node.args) > 1:
                swapped = ast.Name("or_" if _name(node) == "and_" else "and_", ast.Load())
                yield _set(node, "func", swapped, f"{_short(node)} and/or")
                for place, argument in enumerate(node.args):
                    if not isinstance(argument, ast.Starred):
                        yield _without(node, place)
            case ast.Call() if _name(node) == "where":
                for place in range(len(node.args)):
                    yield _without(node, place)
            case ast.Attribute(value=ast.Name(id="Role"), attr=role) if role in ROLES:
                other = ROLES[(ROLES.index(role) + 1) % len(ROLES)]
                yield _set(node, "attr", other, f"Role.{role} as {other}")
            case ast.Attribute(attr=attr) if attr in COLUMNS:
                yield _set(node, "attr", COLUMNS[attr], f"{_short(node)} as {COLUMNS[attr]}")
            case ast.Constant(value=bool(value)):
                yield _set(node, "value", not value, f"{value} as {not value}")


def _drop_invert(node: ast.UnaryOp, operand: ast.expr) -> None:
    # A double negation is no negation.
    node.operand = ast.UnaryOp(ast.Invert(), operand)


def _restore_invert(node: ast.UnaryOp, operand: ast.expr) -> None:
    node.operand = operand


def scoped(tree: ast.AST) -> Iterator[Mutation]:
    """Drops each condition of auth/scope.py in a loader.

    `of_provider` next to a condition on the role is not dropped: that condition compares the provider too.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call() if _name(node) in ("where", "and_"):
                for place, argument in enumerate(node.args):
                    others = [_text(other) for other in node.args if other is not argument]
                    if _is_scope(argument, others):
                        yield _without(node, place)
            case ast.Tuple(elts=elements):
                # A tuple that a later `where` unpacks.
                for place, argument in enumerate(elements):
                    if _text(argument).startswith("scope.sees_"):
                        left = elements[:place] + elements[place + 1 :]
                        yield _set(node, "elts", left, f"without {_short(argument)} in {_short(node)}")
            case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
                for kept, dropped in ((left, right), (right, left)):
                    if _is_scope(dropped, [_text(kept)]):
                        yield (
                            node.lineno,
                            f"without {_short(dropped)}",
                            lambda node=node, kept=kept: _set_operands(node, kept, kept),
                            lambda node=node, left=left, right=right: _set_operands(node, left, right),
                        )


def _set_operands(node: ast.BinOp, left: ast.expr, right: ast.expr) -> None:
    node.left, node.right = left, right


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


def _is_scope(argument: ast.AST, others: list[str]) -> bool:
    text = _text(argument)
    if "scope.sees_" in text or text.startswith(("_seen(", "_sees(", "seen")):
        return True
    has_role_condition = any(
        "scope.sees_" in other or "_seen(" in other or "_sees(" in other or "seen" in other for other in others
    )
    return "scope.of_provider" in text and not has_role_condition


def permissions(tree: ast.AST) -> Iterator[Mutation]:
    """Removes each role from each set of the policy, adds each; allows each mutation to all roles and to none."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set(elts=elements) as inner]):
                for place, element in enumerate(elements):
                    left = elements[:place] + elements[place + 1 :]
                    yield _set(
                        inner, "elts", left or [ast.Constant(None)], f"without {_short(element)} in {_short(node)}"
                    )
                held = {_short(element) for element in elements}
                for name in ("_LEARNER", "_ASSESSOR", "_IQA", "_MANAGER", "_OVERVIEW", "_BASIC", "_MASTER"):
                    if name not in held:
                        yield _set(
                            inner, "elts", [*elements, ast.Name(name, ast.Load())], f"{name} into {_short(node)}"
                        )
            case ast.AnnAssign(target=ast.Name(id="MUTATIONS"), value=ast.Dict() as table):
                for place, key in enumerate(table.keys):
                    for name in ("_ALL_ROLES", "frozenset()"):
                        value = ast.parse(name, mode="eval").body
                        if _short(table.values[place]) != name:
                            changed = [*table.values[:place], value, *table.values[place + 1 :]]
                            line, *rest = _set(table, "values", changed, f"{_short(key)} for {name}")
                            yield key.lineno, *rest  # type: ignore[misc, union-attr]


def numbers(tree: ast.AST) -> Iterator[Mutation]:
    """Reverses comparisons and arithmetic operators, adds one to constants."""
    yield from conditions(tree)
    for node in _nodes(tree):
        match node:
            case ast.BinOp(op=op) if type(op) in SUMS:
                yield _set(node, "op", SUMS[type(op)](), f"{_short(node)} as {SUMS[type(op)].__name__}")
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                yield _set(node, "value", value + 1, f"{value} as {value + 1}")

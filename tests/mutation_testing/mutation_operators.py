"""Ways to break source that says who sees and does what: each gives the places, how each is broken and how mended."""

import ast
from collections.abc import Callable, Iterator

ROLES = ("LEARNER", "ASSESSOR", "IQA", "EMPLOYER_MANAGER", "EMPLOYER_OVERVIEW", "BASIC_ADMIN", "MASTER_ADMIN")
TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
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


# A place to break: its line, what is done to it, and how it is done and undone.
Mutation = tuple[int, str, Callable[[], None], Callable[[], None]]


def _said(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _set(node: ast.AST, name: str, value: object, what: str) -> Mutation:
    before = getattr(node, name)
    return node.lineno, what, lambda: setattr(node, name, value), lambda: setattr(node, name, before)  # type: ignore[attr-defined]


def _without(call: ast.Call, place: int) -> Mutation:
    return _set(
        call,
        "args",
        call.args[:place] + call.args[place + 1 :],
        f"without {_said(call.args[place])} in {_said(call.func)}",
    )


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def conditions(tree: ast.AST) -> Iterator[Mutation]:
    """Operators turned round, conditions dropped, roles and columns swapped."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(ops=[op]) if type(op) in TURNED:
                yield _set(node, "ops", [TURNED[type(op)]()], f"{_said(node)} turned round")
            case ast.BoolOp(op=op):
                yield _set(node, "op", ast.Or() if isinstance(op, ast.And) else ast.And(), f"{_said(node)} and/or")
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                yield (
                    node.lineno,
                    f"~{_said(operand)} without ~",
                    lambda node=node, operand=operand: _become(node, operand),
                    lambda node=node, operand=operand: _unbecome(node, operand),
                )
            case ast.Call() if _name(node) in ("and_", "or_") and len(node.args) > 1:
                swapped = ast.Name("or_" if _name(node) == "and_" else "and_", ast.Load())
                yield _set(node, "func", swapped, f"{_said(node)} and/or")
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
                yield _set(node, "attr", COLUMNS[attr], f"{_said(node)} as {COLUMNS[attr]}")
            case ast.Constant(value=bool(value)):
                yield _set(node, "value", not value, f"{value} as {not value}")


def _become(node: ast.UnaryOp, operand: ast.expr) -> None:
    # Double negation stands for none.
    node.operand = ast.UnaryOp(ast.Invert(), operand)


def _unbecome(node: ast.UnaryOp, operand: ast.expr) -> None:
    node.operand = operand


def scoped(tree: ast.AST) -> Iterator[Mutation]:
    """Of a loader: each condition of auth/scope.py dropped, where no other of them stands beside it.

    `of_provider` beside a condition on the role says again what that says already: dropped, it changes nothing.
    """
    for node in ast.walk(tree):
        match node:
            case ast.Call() if _name(node) in ("where", "and_"):
                for place, argument in enumerate(node.args):
                    others = [_said_whole(other) for other in node.args if other is not argument]
                    if _is_scope(argument, others):
                        yield _without(node, place)
            case ast.Tuple(elts=elements):
                # Spread into a `where` later on.
                for place, argument in enumerate(elements):
                    if _said_whole(argument).startswith("scope.sees_"):
                        left = elements[:place] + elements[place + 1 :]
                        yield _set(node, "elts", left, f"without {_said(argument)} in {_said(node)}")
            case ast.BinOp(op=ast.BitAnd(), left=left, right=right):
                for kept, dropped in ((left, right), (right, left)):
                    if _is_scope(dropped, [_said_whole(kept)]):
                        yield (
                            node.lineno,
                            f"without {_said(dropped)}",
                            lambda node=node, kept=kept: _both(node, kept, kept),
                            lambda node=node, left=left, right=right: _both(node, left, right),
                        )


def _both(node: ast.BinOp, left: ast.expr, right: ast.expr) -> None:
    node.left, node.right = left, right


def _said_whole(node: ast.AST) -> str:
    return ast.unparse(node)


def _is_scope(argument: ast.AST, others: list[str]) -> bool:
    text = _said_whole(argument)
    if "scope.sees_" in text or text.startswith(("_seen(", "_sees(", "seen")):
        return True
    beside = any(
        "scope.sees_" in other or "_seen(" in other or "_sees(" in other or "seen" in other for other in others
    )
    return "scope.of_provider" in text and not beside


def who_may(tree: ast.AST) -> Iterator[Mutation]:
    """Of the policy: each role taken out of each set or put into it; each mutation open to everybody, or to nobody."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="frozenset"), args=[ast.Set(elts=elements) as inner]):
                for place, element in enumerate(elements):
                    left = elements[:place] + elements[place + 1 :]
                    yield _set(
                        inner, "elts", left or [ast.Constant(None)], f"without {_said(element)} in {_said(node)}"
                    )
                held = {_said(element) for element in elements}
                for name in ("_LEARNER", "_ASSESSOR", "_IQA", "_MANAGER", "_OVERVIEW", "_BASIC", "_MASTER"):
                    if name not in held:
                        yield _set(inner, "elts", [*elements, ast.Name(name, ast.Load())], f"{name} into {_said(node)}")
            case ast.AnnAssign(target=ast.Name(id="MUTATIONS"), value=ast.Dict() as table):
                for place, key in enumerate(table.keys):
                    for name in ("_ALL_ROLES", "frozenset()"):
                        value = ast.parse(name, mode="eval").body
                        if _said(table.values[place]) != name:
                            changed = [*table.values[:place], value, *table.values[place + 1 :]]
                            line, *rest = _set(table, "values", changed, f"{_said(key)} for {name}")
                            yield key.lineno, *rest  # type: ignore[misc, union-attr]


def numbers(tree: ast.AST) -> Iterator[Mutation]:
    """Of the rules behind the numbers: comparisons and sums turned round, constants off by one."""
    yield from conditions(tree)
    # How many answers a cache keeps is no rule.
    kept = {
        id(part) for node in ast.walk(tree) for made in getattr(node, "decorator_list", ()) for part in ast.walk(made)
    }
    for node in ast.walk(tree):
        match node:
            case _ if id(node) in kept:
                continue
            case ast.BinOp(op=op) if type(op) in SUMS:
                yield _set(node, "op", SUMS[type(op)](), f"{_said(node)} as {SUMS[type(op)].__name__}")
            case ast.Constant(value=int(value)) if not isinstance(value, bool):
                yield _set(node, "value", value + 1, f"{value} as {value + 1}")

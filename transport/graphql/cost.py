"""What a selection costs: a number, or an expression of the variables that hold its page sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, IntValueNode, ListValueNode, OperationDefinitionNode, VariableNode

from transport.graphql.errors import BAD_USER_INPUT, operation_rejected
from transport.limits import Limits


@dataclass(frozen=True, slots=True)
class Page:
    """The length of a list that a variable decides: a page size, or the number of ids asked for."""

    variable: str
    default: int
    is_ids: bool = False


@dataclass(frozen=True, slots=True)
class Sum:
    """Parts that are added up."""

    parts: "tuple[Cost, ...]"


@dataclass(frozen=True, slots=True)
class Product:
    """So many times what one element costs."""

    size: "Page | int"
    each: "Cost"


Cost = int | Sum | Product


def plus(left: Cost, right: Cost) -> Cost:
    """The sum; a number wherever both are."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    if left == 0:
        return right
    return left if right == 0 else Sum((left, right))


def times(size: Page | int, each: Cost) -> Cost:
    """The product; a number wherever both are."""
    if isinstance(size, int) and isinstance(each, int):
        return size * each
    return 0 if each == 0 else Product(size, each)


def cost_of(cost: Cost, variables: Mapping[str, Any], limits: Limits) -> int:
    """The number, with page sizes taken from the variables; a page or ids outside 1 to `page_size` are Unrunnable."""
    if cost.__class__ is int:
        return cost
    if cost.__class__ is Sum:
        return sum(cost_of(part, variables, limits) for part in cost.parts)
    size = cost.size if isinstance(cost.size, int) else _page_size(cost.size, variables, limits)
    return size * cost_of(cost.each, variables, limits)


def _page_size(page: Page, variables: Mapping[str, Any], limits: Limits) -> int:
    value = variables.get(page.variable)
    if page.is_ids:
        return checked_ids(len(value), limits) if isinstance(value, list) else 1
    # 20.0 is an Int to GraphQL; whatever else is none is left to the coercion of variables.
    whole = value.__class__ is int or (value.__class__ is float and value.is_integer())
    return checked_page_size(int(value) if whole else page.default, limits)


def checked_page_size(size: int, limits: Limits) -> int:
    """The size, where it is one that may be asked for."""
    if 1 <= size <= limits.page_size:
        return size
    raise operation_rejected(
        f"A page holds 1 to {limits.page_size} items: first was {size}.", BAD_USER_INPUT, max=limits.page_size
    )


def checked_ids(count: int, limits: Limits) -> int:
    """The number of ids, where so many may be named at once; at least 1."""
    if count <= limits.page_size:
        return max(1, count)
    raise operation_rejected(
        f"At most {limits.page_size} ids can be named at once: ids were {count}.", BAD_USER_INPUT, max=limits.page_size
    )


def list_length(
    node: FieldNode, field: GraphQLField, operation: OperationDefinitionNode | None, limits: Limits
) -> Page | int | None:
    """How many elements the arguments of a field ask for, or None where none of them says: `first`, `last` or `ids`."""
    for name in ("first", "last", "ids"):
        if name in field.args:
            break
    else:
        return None
    default = limits.page_size_default
    for argument in node.arguments or ():
        if argument.name.value not in ("first", "last", "ids"):
            continue
        value = argument.value
        if isinstance(value, IntValueNode):
            # Longer than any page: not read as a number, which takes its square in time.
            return checked_page_size(int(value.value) if len(value.value) < 10 else 10**9, limits)
        if isinstance(value, ListValueNode):
            return checked_ids(len(value.values), limits)
        if isinstance(value, VariableNode):
            return Page(
                value.name.value, _variable_default(value.name.value, operation, default), argument.name.value == "ids"
            )
    return default


def _variable_default(name: str, operation: OperationDefinitionNode | None, otherwise: int) -> int:
    for definition in operation.variable_definitions or () if operation else ():
        value = definition.default_value
        if definition.variable.name.value == name and isinstance(value, IntValueNode) and len(value.value) < 10:
            return int(value.value)
    return otherwise

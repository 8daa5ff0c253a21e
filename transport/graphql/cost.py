"""The cost of a selection: a number, or an expression of the variables that decide the lengths of its lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, GraphQLField, IntValueNode, ListValueNode, OperationDefinitionNode, VariableNode

from transport.graphql.errors import BAD_USER_INPUT, operation_rejected
from transport.limits import Limits

# Larger than any page: used for literals with so many digits that parsing them would take long.
_HUGE = 10**9


@dataclass(frozen=True, slots=True)
class SizeVariable:
    """A variable that gives `first`, `last` or `ids`; `default` is that of its definition in the operation."""

    argument: str
    name: str
    default: int | None

    def size(self, variables: Mapping[str, Any], limits: Limits) -> int | None:
        """Returns the length of the list, or None where the variable is not given. Raises OperationRejected."""
        value = variables.get(self.name, self.default)
        if self.argument == "ids":
            return checked_id_count(len(value), limits) if isinstance(value, list) else 1
        # 20.0 is an Int in GraphQL. Values that are not Int are rejected when variables are coerced.
        if value.__class__ is int or (value.__class__ is float and value.is_integer()):
            return checked_page_size(self.argument, int(value), limits)
        return None


@dataclass(frozen=True, slots=True)
class VariableSize:
    """The length of a list that variables decide. `literal` is a length that is given beside them."""

    variables: tuple[SizeVariable, ...]
    literal: int | None = None

    def size(self, variables: Mapping[str, Any], limits: Limits) -> int:
        """Returns the largest length that is given, or else the default page size. Raises OperationRejected."""
        sizes = [self.literal, *(each.size(variables, limits) for each in self.variables)]
        return max((size for size in sizes if size is not None), default=limits.page_size_default)


ListSize = int | VariableSize


@dataclass(frozen=True, slots=True)
class Sum:
    """Costs that are added."""

    parts: "tuple[Cost, ...]"


@dataclass(frozen=True, slots=True)
class Product:
    """The cost of a list: its length times the cost of one element."""

    size: ListSize
    each: "Cost"


Cost = int | Sum | Product


def add(left: Cost, right: Cost) -> Cost:
    """Returns the sum: a number if both are numbers."""
    if isinstance(left, int) and isinstance(right, int):
        return left + right
    if left == 0:
        return right
    return left if right == 0 else Sum((left, right))


def multiply(size: ListSize, each: Cost) -> Cost:
    """Returns the product: a number if both are numbers."""
    if isinstance(size, int) and isinstance(each, int):
        return size * each
    return 0 if each == 0 else Product(size, each)


def evaluate(cost: Cost, variables: Mapping[str, Any], limits: Limits) -> int:
    """Returns the cost with these variables. Raises OperationRejected for a page or a number of ids over its limit."""
    if isinstance(cost, int):
        return cost
    if isinstance(cost, Sum):
        return sum(evaluate(part, variables, limits) for part in cost.parts)
    size = cost.size if isinstance(cost.size, int) else cost.size.size(variables, limits)
    return size * evaluate(cost.each, variables, limits)


def checked_page_size(argument: str, size: int, limits: Limits) -> int:
    """Returns the page size. Raises OperationRejected if it is out of range."""
    if 1 <= size <= limits.page_size:
        return size
    raise operation_rejected(
        f"{argument} must be between 1 and {limits.page_size}.", BAD_USER_INPUT, max=limits.page_size
    )


def checked_id_count(count: int, limits: Limits) -> int:
    """Returns the number of ids, at least 1. Raises OperationRejected if there are too many."""
    if count <= limits.page_size:
        return max(1, count)
    raise operation_rejected(f"ids must have at most {limits.page_size} items.", BAD_USER_INPUT, max=limits.page_size)


def list_size(
    node: FieldNode, field: GraphQLField, operation: OperationDefinitionNode | None, limits: Limits
) -> ListSize | None:
    """Returns the length of a field's list by its arguments `first`, `last` or `ids`; None for a field without them.

    The larger one counts where both `first` and `last` are given, and the default page size where neither is. Raises
    OperationRejected for a literal that is out of range.
    """
    if not any(name in field.args for name in ("first", "last", "ids")):
        return None
    literals: list[int] = []
    variables: list[SizeVariable] = []
    for argument in node.arguments or ():
        name, value = argument.name.value, argument.value
        if name not in ("first", "last", "ids"):
            continue
        if isinstance(value, IntValueNode):
            literals.append(checked_page_size(name, _int_of(value), limits))
        elif isinstance(value, ListValueNode):
            literals.append(checked_id_count(len(value.values), limits))
        elif isinstance(value, VariableNode):
            variables.append(SizeVariable(name, value.name.value, _default_of(value.name.value, operation)))
    literal = max(literals, default=None)
    if variables:
        return VariableSize(tuple(variables), literal)
    return limits.page_size_default if literal is None else literal


def _default_of(name: str, operation: OperationDefinitionNode | None) -> int | None:
    for definition in operation.variable_definitions or () if operation else ():
        if definition.variable.name.value == name and isinstance(definition.default_value, IntValueNode):
            return _int_of(definition.default_value)
    return None


def _int_of(node: IntValueNode) -> int:
    return int(node.value) if len(node.value) < 10 else _HUGE

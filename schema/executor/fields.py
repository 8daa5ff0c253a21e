"""A selected field: whether its value is an attribute of its source, and the Python expression that reads it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import Path
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo as ResolveInfo
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from .errors import Deopt

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


@dataclass(slots=True, frozen=True)
class SelectedField:
    """One field of one object type at one place in an operation."""

    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    response_key: str
    at_root: bool
    nodes: list[FieldNode] = field(init=False)
    path: Path = field(init=False)  # of a field at the root

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", [detail.node for detail in self.details])
        object.__setattr__(self, "path", Path(None, self.response_key, self.parent.name))

    @property
    def strawberry_field(self) -> StrawberryField | None:
        """Strawberry's own definition of the field; None where Strawberry did not make the schema."""
        return self.definition.extensions.get(BACKREF)


class BatchInfo(ResolveInfo):
    """The resolve info below the root: one for all objects of a field, so it has no path.

    Reading `path` makes the execution fail, even where the resolver catches the exception.
    """

    __slots__ = ()

    @property
    def path(self) -> Path:
        execution: Any = super().path  # stands in the place of the path, see resolve_info
        execution.failed = True
        raise Deopt


def resolve_info(selected: SelectedField, execution: Any) -> ResolveInfo:
    """Returns the resolve info of a field: with its path at the root, a BatchInfo below."""
    make = execution.executor.build_resolve_info
    if selected.at_root:
        return make(selected.definition, selected.nodes, selected.parent, selected.path)
    return tuple.__new__(BatchInfo, make(selected.definition, selected.nodes, selected.parent, execution))


def row_class(type_: GraphQLObjectType) -> type | None:
    """Returns `__row__` of the Strawberry class: the class whose direct instances are the type's sources."""
    definition = type_.extensions.get(BACKREF)
    return getattr(definition.origin, "__row__", None) if definition is not None else None


def is_attribute(selected: SelectedField) -> bool:
    """Whether the field's value is an attribute of its source that Strawberry would read with plain getattr."""
    field = selected.strawberry_field
    return (
        field is not None
        and field.is_basic_field
        and field.default_resolver is getattr
        and is_unmodified(field, selected.definition, "_get_basic_result")
    )


def is_unmodified(field: StrawberryField, definition: GraphQLField, *resolver_names: str) -> bool:
    """Whether the field still resolves through one of those functions of Strawberry: nothing overrides or wraps it."""
    known = {f"{GraphQLCoreConverter.__name__}.from_resolver.<locals>.{name}" for name in resolver_names}
    return (
        type(field).get_result is StrawberryField.get_result
        and getattr(definition.resolve, "__qualname__", None) in known
    )


def attribute_expression(selected: SelectedField, source: str, constant: Callable[[object], str]) -> str:
    """Returns the Python expression that reads the field's attribute from the object in the variable `source`.

    Where the type declares its row class, a descriptor with a method `inline(source)` gives the expression, and the
    function of any other property is called without looking the property up.
    """
    field, row = selected.strawberry_field, row_class(selected.parent)
    assert field is not None
    member = inspect.getattr_static(row, field.python_name, None) if row is not None else None
    inline = getattr(member, "inline", None) if hasattr(type(member), "__get__") else None
    if inline is not None:
        return inline(source)
    if type(member) is property and inspect.isfunction(member.fget):
        return f"{constant(member.fget)}({source})"
    return f"{source}.{field.python_name}"

"""A selected field: how it is resolved, and its resolver bound for one execution."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import GraphQLField, GraphQLObjectType
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo as ResolveInfo
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

from schema.executor.outcomes import Deopt

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF


@dataclass(slots=True, frozen=True)
class Site:
    """One selected field of one object type at one place in an operation."""

    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[FieldDetails]
    key: str  # in the answer
    at_root: bool

    @property
    def field(self) -> StrawberryField | None:
        """What Strawberry knows of the field; None where the schema was not made by it."""
        return self.definition.extensions.get(BACKREF)


class PathlessInfo(ResolveInfo):
    """What a resolver below the root is told: one for a whole column of objects, so it cannot say the path of any.

    Reading `path` ends the plan, also where the resolver swallows the exception: the run is marked.
    """

    __slots__ = ()

    @property
    def path(self) -> Path:
        self[4].spoiled = True
        raise Deopt


def is_attribute(definition: GraphQLField) -> bool:
    """Whether the field's value is its source's attribute, read by getattr and nothing else."""
    field = definition.extensions.get(BACKREF)
    return (
        field is not None
        and field.is_basic_field
        and field.default_resolver is getattr
        and _as_strawberry_made_it(definition, field, "_get_basic_result")
    )


def _as_strawberry_made_it(definition: GraphQLField, field: StrawberryField, *names: str) -> bool:
    """Whether neither the field's class nor anyone after Strawberry has changed how the field is resolved."""
    made = {f"{GraphQLCoreConverter.__name__}.from_resolver.<locals>.{name}" for name in names}
    return type(field).get_result is StrawberryField.get_result and definition.resolve.__qualname__ in made


def resolve_info(site: Site, run: Any) -> ResolveInfo:
    """The info for a site's resolver. At the root it has the path; below, see PathlessInfo."""
    nodes = [detail.node for detail in site.details]
    path = Path(None, site.key, site.parent.name) if site.at_root else run
    info = run.executor.build_resolve_info(site.definition, nodes, site.parent, path)
    return info if site.at_root else PathlessInfo(*info)


def bind(site: Site, run: Any) -> Callable[[Any], Any]:
    """A function from a source object to the field's value (or an awaitable of it), for one execution.

    Arguments are coerced, and the info is made, once for all the objects of the column. A field with permissions or
    other extensions keeps Strawberry's own wrapped resolver; any other resolver is called as it was written.
    """
    executor, definition, field = run.executor, site.definition, site.field
    detail, info, arguments = site.details[0], run.info(site), {}
    if definition.args or detail.node.arguments:
        arguments = get_argument_values(
            definition,
            detail.node,
            executor.variable_values,
            detail.fragment_variable_values,
            executor.hide_suggestions,
        )
    strawberry = executor.schema.extensions.get(BACKREF)
    if (
        field is None
        or field.extensions
        or not field.base_resolver
        or strawberry.exception_handlers
        or not _as_strawberry_made_it(definition, field, "_resolver", "_async_resolver")
    ):
        resolve = definition.resolve or executor.field_resolver
        return lambda source: resolve(source, info, **arguments)

    converter, resolver = strawberry.schema_converter, field.base_resolver
    own_info = converter.config.info_class(_raw_info=info, _field=field)
    given = {}
    if arguments:
        given = convert_arguments(
            arguments, field.arguments, converter.scalar_registry, converter.config, own_info
        )
    if resolver.info_parameter:
        given[resolver.info_parameter.name] = own_info
    call = partial(resolver.wrapped_func, **given) if given else resolver.wrapped_func
    named = [parameter.name for parameter in (resolver.parent_parameter, resolver.root_parameter) if parameter]
    if named and resolver.self_parameter:
        return lambda source: call(source, **dict.fromkeys(named, source))
    if named:
        return lambda source: call(**dict.fromkeys(named, source))
    return call if resolver.self_parameter else lambda _source: call()

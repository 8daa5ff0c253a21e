"""A selected field: how its value is had from its source, and the resolver bound for one execution."""

import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo as ResolveInfo
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_argument
from strawberry.types.field import StrawberryField

from schema.executor.outcomes import Deopt

BACKREF = GraphQLCoreConverter.DEFINITION_BACKREF
Resolver = Callable[[Any], Any]  # source -> the field's value, or an awaitable of it


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
        self[4].failed = True
        raise Deopt


def resolve_info(site: Site, execution: Any) -> ResolveInfo:
    """The info for a site's resolver. At the root it has the path; below, see PathlessInfo."""
    nodes = [detail.node for detail in site.details]
    path = Path(None, site.key, site.parent.name) if site.at_root else execution
    info = execution.executor.build_resolve_info(site.definition, nodes, site.parent, path)
    return info if site.at_root else PathlessInfo._make(info)


def row_class(type_: GraphQLObjectType) -> type | None:
    """The class whose exact instances are this type's sources: `__row__` on the Strawberry class, None without it."""
    definition = type_.extensions.get(BACKREF)
    return getattr(definition.origin, "__row__", None) if definition is not None else None


# ---------------------------------------------------------------------- attributes


def is_attribute(site: Site) -> bool:
    """Whether the field's value is its source's attribute, read by getattr and nothing else."""
    field = site.field
    return (
        field is not None
        and field.is_basic_field
        and field.default_resolver is getattr
        and _as_strawberry_made_it(site, "_get_basic_result")
    )


def _as_strawberry_made_it(site: Site, *names: str) -> bool:
    """Whether neither the field's class nor anyone after Strawberry has changed how the field is resolved."""
    made = {f"{GraphQLCoreConverter.__name__}.from_resolver.<locals>.{name}" for name in names}
    return type(site.field).get_result is StrawberryField.get_result and site.definition.resolve.__qualname__ in made


def attribute_expression(site: Site, source: str, constant: Callable[[object], str]) -> str:
    """The expression that reads the field's attribute from the source in a variable.

    Where the source's class is known, a property is not looked up again for each object: one that has a `spelling`
    becomes that, one that only reads on, as in `return self.unit.title`, that expression, any other a call of its
    function.
    """
    name = site.field.python_name
    member = inspect.getattr_static(row_class(site.parent), name, None)
    if isinstance(spelling := getattr(member, "spelling", None), str):
        return spelling.format(source)
    if type(member) is not property or not inspect.isfunction(member.fget):
        return f"{source}.{name}"
    first, *between, last = (i for i in dis.get_instructions(member.fget) if i.opname != "RESUME")
    if (first.opname, last.opname) == ("LOAD_FAST", "RETURN_VALUE") and all(i.opname == "LOAD_ATTR" for i in between):
        return ".".join([source, *(i.argval for i in between)])
    return f"{constant(member.fget)}({source})"


# ---------------------------------------------------------------------- resolvers


def binder(site: Site, schema: GraphQLSchema) -> Callable[[Any], Resolver]:
    """A function that binds the field's resolver for one run: arguments are coerced, and the info is made, once for all
    the objects of the column. A field with permissions or other extensions keeps Strawberry's own wrapped resolver; any
    other resolver is called as it was written. One that can be asked for all objects at once says so by its attributes:
    `batch`, of the same signature but for the list of sources, gives an awaitable of their values or None where it
    cannot, and `projection`, where it is not None, is what the field takes of each of them.
    """
    definition, field, detail = site.definition, site.field, site.details[0]

    def given(execution: Any) -> dict[str, Any]:
        if not (definition.args or detail.node.arguments):
            return {}
        executor = execution.executor
        return get_argument_values(
            definition,
            detail.node,
            executor.variable_values,
            detail.fragment_variable_values,
            executor.hide_suggestions,
        )

    def wrapped(execution: Any) -> Resolver:
        resolve, info, arguments = (
            definition.resolve or execution.executor.field_resolver,
            execution.info(site),
            given(execution),
        )
        return lambda source: resolve(source, info, **arguments)

    strawberry = schema.extensions.get(BACKREF)
    if (
        field is None
        or field.extensions
        or not field.base_resolver
        or strawberry.exception_handlers
        or not _as_strawberry_made_it(site, "_resolver", "_async_resolver")
    ):
        return wrapped

    config, scalars = strawberry.config, strawberry.schema_converter.scalar_registry
    known = {config.name_converter.from_argument(a): (a.python_name, a.type) for a in field.arguments}
    resolver, function = field.base_resolver, field.base_resolver.wrapped_func
    batch = getattr(function, "batch", None)
    takes_info = resolver.info_parameter
    sources = [p for p in (resolver.self_parameter, resolver.parent_parameter, resolver.root_parameter) if p]
    first = next(iter(resolver.signature.parameters.values()), None)
    if sources and (sources != [first] or first.kind is inspect.Parameter.KEYWORD_ONLY):
        return wrapped  # the source is not simply the first argument

    def direct(execution: Any) -> Resolver:
        info = config.info_class(_raw_info=execution.info(site), _field=field)
        arguments = {}
        for name, value in given(execution).items():
            python_name, type_ = known[name]
            arguments[python_name] = convert_argument(value, type_, scalars, config, info, path=(name,))
        if takes_info:
            arguments[takes_info.name] = info
        call = partial(function, **arguments)
        resolve = call if sources else partial(_without_source, call)
        if batch is not None:
            resolve.batch, resolve.projection = partial(batch, **arguments), function.projection  # type: ignore[attr-defined]
        return resolve

    return direct


def _without_source(call: partial[Any], _: Any) -> Any:
    return call()

"""Calling the resolver of a deferred field: its arguments and info are made once for all objects of the field."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import GraphQLSchema
from graphql.execution.values import get_argument_values
from strawberry.types.arguments import convert_argument

from .arguments import ArgumentCompiler, MakeArguments
from .cache import Resolver
from .errors import Deopt
from .fields import BACKREF, SelectedField, is_unmodified


def resolver_binder(
    selected: SelectedField, schema: GraphQLSchema, compiler_of: Callable[[Any], ArgumentCompiler]
) -> Callable[[Any], Resolver]:
    """Returns a function that binds the field's resolver to an execution.

    `compiler_of` returns the compiler of arguments for a Strawberry schema.

    A resolver is called as its author wrote it. One with permissions or other field extensions is called through
    Strawberry's wrapper. A resolver with the attributes `batch` and `projection` can also resolve all objects in one
    call, see README.md; the bound resolver then has these attributes too.
    """
    definition, field = selected.definition, selected.strawberry_field

    def bind_wrapped(execution: Any) -> Resolver:
        resolve = definition.resolve or execution.executor.field_resolver
        info, arguments = execution.info(selected), _arguments(selected, execution)
        return lambda source: resolve(source, info, **arguments)

    strawberry: Any = schema.extensions.get(BACKREF)
    if (
        field is None
        or field.extensions
        or not field.base_resolver
        or strawberry.exception_handlers
        or not is_unmodified(field, definition, "_resolver", "_async_resolver")
    ):
        return bind_wrapped

    config, scalars = strawberry.config, strawberry.schema_converter.scalar_registry
    known = {config.name_converter.from_argument(a): (a.python_name, a.type) for a in field.arguments}
    resolver = field.base_resolver
    function: Any = resolver.wrapped_func
    batch = getattr(function, "batch", None)
    info_parameter = resolver.info_parameter
    sources = [p for p in (resolver.self_parameter, resolver.parent_parameter, resolver.root_parameter) if p]
    first = next(iter(resolver.signature.parameters.values()), None)
    if sources and (first is None or sources != [first] or first.kind is inspect.Parameter.KEYWORD_ONLY):
        return bind_wrapped  # the source is not simply the first argument

    make_arguments = _compiled_arguments(selected, compiler_of(strawberry))

    def convert(execution: Any) -> dict[str, Any]:
        info, converted = config.info_class(_raw_info=execution.info(selected), _field=field), {}
        for name, value in _arguments(selected, execution).items():
            python_name, type_ = known[name]
            converted[python_name] = convert_argument(value, type_, scalars, config, info, path=(name,))
        return converted

    def bind_direct(execution: Any) -> Resolver:
        try:
            arguments = make_arguments(execution.executor.variable_values.coerced)
        except Deopt:
            arguments = convert(execution)
        if info_parameter:
            arguments[info_parameter.name] = config.info_class(_raw_info=execution.info(selected), _field=field)
        call = partial(function, **arguments)
        resolve: Any = call if sources else partial(_call_without_source, call)
        if batch is not None:
            resolve.batch, resolve.projection = partial(batch, **arguments), function.projection
        return resolve

    return bind_direct


def _compiled_arguments(selected: SelectedField, compiler: ArgumentCompiler) -> MakeArguments:
    """Returns the generated function that makes the field's arguments; where there is none, one that raises Deopt."""
    try:
        return compiler.compile(selected)
    except Exception:
        return _not_compiled


def _not_compiled(_: dict[str, Any]) -> dict[str, Any]:
    raise Deopt


def _arguments(selected: SelectedField, execution: Any) -> dict[str, Any]:
    """The field's arguments, coerced by graphql-core; the same for every object of the field."""
    definition, detail, executor = selected.definition, selected.details[0], execution.executor
    if not (definition.args or detail.node.arguments):
        return {}
    return get_argument_values(
        definition, detail.node, executor.variable_values, detail.fragment_variable_values, executor.hide_suggestions
    )


def _call_without_source(call: partial[Any], _: Any) -> Any:
    return call()

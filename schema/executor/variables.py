"""Variables: generated Python that coerces them to their types as graphql-core does.

There is one function for each input type, which all operations share, and one for the variables of an operation. They
take the values that clients send; for any other they raise, and graphql-core coerces all variables of the operation.
"""

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    is_leaf_type,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from .code import Code
from .errors import Deopt, Unsupported
from .leaves import UNCHANGED_IF

CoerceVariables = Callable[[Mapping[str, Any]], VariableValues]

# Classes of values that nobody can change, besides those of enums.
IMMUTABLE = frozenset({str, int, float, bool, type(None), dt.date, dt.datetime})


class VariableCompiler:
    """Compiles the coercion of variables for the operations of one schema. It keeps the function of each input type."""

    def __init__(self) -> None:
        self._functions: dict[GraphQLInputObjectType, Callable[[Any], dict[str, Any]] | None] = {}

    def compile(self, schema: GraphQLSchema, definitions: Iterable[VariableDefinitionNode]) -> CoerceVariables:
        """Returns the function that coerces the values of an operation's variables, by name.

        The function raises for a value that graphql-core rejects, and for some that it takes. Raises Unsupported for
        variables that graphql-core always coerces.
        """
        code = Code(Deopt=Deopt, Undefined=Undefined, new=tuple.__new__, Source=VariableValueSource)

        def body() -> None:
            code.emit(1, "sources, coerced = {}, {}")
            for definition in definitions:
                signature = get_variable_signature(schema, definition)
                if isinstance(signature, GraphQLError):
                    raise Unsupported("no input type")
                self._emit_variable(code, signature)
            code.emit_return(f"new({code.constant(VariableValues)}, (sources, coerced))")

        code.emit_function("coerce_variables(values)", body)
        code.compile()
        return code.namespace["coerce_variables"]

    def _emit_variable(self, code: Code, signature: GraphQLVariableSignature) -> None:
        name, type_ = signature.name, signature.type
        code.emit(1, f"if {name!r} in values:")
        code.emit(2, f"value = values[{name!r}]")
        code.emit(2, f"sources[{name!r}] = new(Source, ({code.constant(signature)}, value))")
        code.emit(2, f"coerced[{name!r}] = {self._emit_value(code, type_, 'value', 2)}")
        code.emit(1, "else:")
        code.emit(2, f"sources[{name!r}] = {code.constant(VariableValueSource(signature))}")
        if signature.default is not None:
            code.emit(2, f"coerced[{name!r}] = {code.constant(_default(signature))}()")
        elif isinstance(type_, GraphQLNonNull):
            code.emit(2, "raise Deopt")

    def _emit_value(self, code: Code, type_: GraphQLInputType, value: str, depth: int) -> str:
        """Emits what coercing the variable `value` takes, if anything; returns the expression of the result."""
        required = isinstance(type_, GraphQLNonNull)
        inner: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if (leaf := _leaf_expression(code, inner, required, value)) is not None:
            return leaf
        if required:
            code.emit(depth, f"if {value} is None: raise Deopt")
            return self._emit_non_null(code, inner, value, depth)
        result = code.new_name("r")
        code.emit(depth, f"if {value} is None: {result} = None")
        code.emit(depth, "else:")
        code.emit(depth + 1, f"{result} = {self._emit_non_null(code, inner, value, depth + 1)}")
        return result

    def _emit_non_null(self, code: Code, type_: Any, value: str, depth: int) -> str:
        if isinstance(type_, GraphQLInputObjectType):
            return f"{code.constant(self._function(type_))}({value})"
        result = code.new_name("r")
        if isinstance(type_, GraphQLList):
            item = code.new_name("i")
            code.emit(depth, f"if {value}.__class__ is not list: raise Deopt")
            code.emit(depth, f"{result} = []")
            code.emit(depth, f"for {item} in {value}:")
            code.emit(depth + 1, f"{result}.append({self._emit_value(code, type_.of_type, item, depth + 1)})")
            return result
        if not is_leaf_type(type_):
            raise Unsupported("no input type")
        code.emit(depth, f"if {value} is Undefined: raise Deopt")
        code.emit(depth, f"{result} = {code.constant(type_.coerce_input_value)}({value})")
        code.emit(depth, f"if {result} is Undefined: raise Deopt")
        return result

    def _function(self, type_: GraphQLInputObjectType) -> Callable[[Any], dict[str, Any]]:
        """Returns the function that coerces the values of an input type."""
        if type_ not in self._functions:
            # Within itself there is none: graphql-core limits how deep a value may be nested.
            self._functions[type_] = None
            if not type_.is_one_of and type_.out_type is GraphQLInputObjectType.out_type:
                try:
                    self._functions[type_] = self._compile_input(type_)
                finally:
                    if self._functions[type_] is None:
                        del self._functions[type_]
        function = self._functions.get(type_)
        if function is None:
            raise Unsupported("nested in itself, or with rules of its own")
        return function

    def _compile_input(self, type_: GraphQLInputObjectType) -> Callable[[Any], dict[str, Any]]:
        code = Code(Deopt=Deopt, Undefined=Undefined)

        def body() -> None:
            code.emit(1, "if values.__class__ is not dict: raise Deopt")
            code.emit(1, "coerced, unknown = {}, len(values)")
            for name, field in type_.fields.items():
                result = f"coerced[{(field.out_name or name)!r}]"
                code.emit(1, f"if {name!r} in values:")
                code.emit(2, f"value, unknown = values[{name!r}], unknown - 1")
                code.emit(2, f"{result} = {self._emit_value(code, field.type, 'value', 2)}")
                default = Undefined if is_required_input_field(field) else coerce_default_value(field)
                if is_required_input_field(field):
                    code.emit(1, "else: raise Deopt")
                elif default is not Undefined:
                    code.emit(1, f"else: {result} = {code.constant(default)}")
            code.emit(1, "if unknown: raise Deopt")
            code.emit_return("coerced")

        code.emit_function("coerce(values)", body)
        code.compile()
        return code.namespace["coerce"]


def _leaf_expression(code: Code, type_: GraphQLLeafType, required: bool, value: str) -> str | None:
    """The expression that coerces a value of an enum or of GraphQL's own scalars, or raises; None for other types."""
    if type_ in UNCHANGED_IF:
        condition = UNCHANGED_IF[type_].format(value) + ("" if required else f" or {value} is None")
        return f"({value} if {condition} else {code.constant(type_.coerce_input_value)}({value}))"
    if isinstance(type_, GraphQLEnumType):
        # A name that is not in the dictionary, or no name, raises.
        members = code.constant({name: type_.coerce_input_value(name) for name in type_.values})
        return f"{members}[{value}]" if required else f"(None if {value} is None else {members}[{value}])"
    return None


def _default(signature: GraphQLVariableSignature) -> Callable[[], Any]:
    """Returns a function that makes the default value of a variable. Raises Unsupported if it is not valid."""
    assert signature.default is not None and signature.default.literal is not None
    literal, type_ = signature.default.literal, signature.type
    value = coerce_input_literal(literal, type_)
    if value is Undefined:
        raise Unsupported("invalid default")
    if is_immutable(value):
        return lambda: value
    return lambda: coerce_input_literal(literal, type_)


def is_immutable(value: object) -> bool:
    """Whether executions may share the value."""
    return type(value) in IMMUTABLE or isinstance(value, enum.Enum)

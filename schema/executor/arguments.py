"""Arguments: generated Python that makes a field's arguments of the coerced variables, as Strawberry does.

There is one function for each field that is resolved, and one for each input class, which all fields share.
"""

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_required_argument,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from strawberry.relay.types import GlobalID
from strawberry.types.arguments import _is_leaf_type, _is_optional_leaf_type
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

from .code import Code
from .errors import Deopt, Unsupported
from .fields import SelectedField
from .variables import is_immutable

# The coerced variables -> the arguments, by the names of the resolver's parameters.
MakeArguments = Callable[[dict[str, Any]], dict[str, Any]]


class ArgumentCompiler:
    """Compiles the arguments of the fields of one Strawberry schema. It keeps the function of each input class."""

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self._config, self._scalars = schema.config, schema.schema_converter.scalar_registry
        self._functions: dict[type, Callable[[Any], Any] | None] = {}

    def compile(self, selected: SelectedField) -> MakeArguments:
        """Returns the function that makes the arguments of a selected field.

        The function raises Deopt for what graphql-core reports. Raises Unsupported for arguments that it does not make.
        """
        field = selected.strawberry_field
        assert field is not None
        name_of = self._config.name_converter.from_argument
        known: dict[str, Any] = {name_of(argument): argument for argument in field.arguments}
        given = {node.name.value: node.value for node in selected.details[0].node.arguments or ()}
        code = Code(Deopt=Deopt, UNSET=UNSET)

        def body() -> None:
            code.emit(1, "arguments = {}")
            for name, definition in selected.definition.args.items():
                argument = known[definition.out_name or name]
                target = f"arguments[{argument.python_name!r}]"
                self._emit_argument(code, target, definition, argument.type, given.get(name))
            code.emit_return("arguments")

        code.emit_function("make_arguments(variables)", body)
        code.compile()
        return code.namespace["make_arguments"]

    def _emit_argument(
        self, code: Code, target: str, definition: GraphQLArgument, type_: Any, node: ValueNode | None
    ) -> None:
        if isinstance(node, VariableNode):
            name = node.name.value
            code.emit(1, f"if {name!r} in variables:")
            code.emit(2, f"value = variables[{name!r}]")
            if isinstance(definition.type, GraphQLNonNull):
                code.emit(2, "if value is None: raise Deopt")
            code.emit(2, f"{target} = {self._emit_value(code, type_, 'value', 2)}")
            code.emit(1, "else:")
            if is_required_argument(definition):
                code.emit(2, "raise Deopt")
            else:
                code.emit(2, "pass")
                self._emit_constant(code, target, coerce_default_value(definition), type_, 2)
        elif node is not None:
            value = coerce_input_literal(node, definition.type)
            if value is Undefined or not _is_shared(definition.type, value) or _has_variables(node):
                raise Unsupported("a literal")
            self._emit_constant(code, target, value, type_, 1)
        elif is_required_argument(definition):
            raise Unsupported("a required argument")
        else:
            self._emit_constant(code, target, coerce_default_value(definition), type_, 1)

    def _emit_constant(self, code: Code, target: str, value: Any, type_: Any, depth: int) -> None:
        if value is not Undefined:
            code.emit(depth, f"value = {code.constant(value)}")
            code.emit(depth, f"{target} = {self._emit_value(code, type_, 'value', depth)}")

    def _emit_value(self, code: Code, type_: Any, value: str, depth: int) -> str:
        """Emits what converting the coerced value in the variable `value` takes; returns the expression of the result.

        The same as `strawberry.types.arguments.convert_argument`.
        """
        if isinstance(type_, LazyType):
            return self._emit_value(code, type_.resolve_type(), value, depth)
        if isinstance(type_, StrawberryMaybe) or type_ is GlobalID:
            raise Unsupported("Maybe or GlobalID")
        if isinstance(type_, StrawberryOptional):
            return self._emit_value(code, type_.of_type, value, depth)
        if isinstance(type_, StrawberryList):
            return self._emit_list(code, type_.of_type, value, depth)
        if _is_leaf_type(type_, self._scalars) or has_enum_definition(type_):
            return value
        if not has_object_definition(type_):
            raise Unsupported("another type")
        function = code.constant(self._function(type_))
        return f"({value} if {value} is None or {value} is UNSET else {function}({value}))"

    def _emit_list(self, code: Code, type_: Any, value: str, depth: int) -> str:
        # Strawberry copies the list, because all executions get the same default value.
        if _is_leaf_type(type_, self._scalars, (GlobalID,)) or _is_optional_leaf_type(
            type_, self._scalars, (GlobalID,)
        ):
            return f"({value} if {value} is None or {value} is UNSET else [*{value}])"
        result, item = code.new_name("r"), code.new_name("i")
        code.emit(depth, f"if {value} is None or {value} is UNSET: {result} = {value}")
        code.emit(depth, "else:")
        code.emit(depth + 1, f"{result} = []")
        code.emit(depth + 1, f"for {item} in {value}:")
        code.emit(depth + 2, f"{result}.append({self._emit_value(code, type_, item, depth + 2)})")
        return result

    def _function(self, cls: type) -> Callable[[Any], Any]:
        """Returns the function that makes an object of an input class."""
        if cls not in self._functions:
            self._functions[cls] = None  # while it is compiled: a class within itself is left to Strawberry
            try:
                self._functions[cls] = self._compile_input(cls)
            finally:
                if self._functions[cls] is None:
                    del self._functions[cls]
        function = self._functions[cls]
        if function is None:
            raise Unsupported("nested in itself")
        return function

    def _compile_input(self, cls: Any) -> Callable[[Any], Any]:
        definition = cls.__strawberry_definition__
        if definition.from_input is not None or not definition.is_input:
            raise Unsupported("made in another way")
        code = Code(UNSET=UNSET, make=cls)
        name_of = self._config.name_converter.from_field

        def body() -> None:
            implicit = [f for f in definition.fields if f.default_value is MISSING and f.default_factory is MISSING]
            code.emit(1, f"given = {{{', '.join(f'{field.python_name!r}: None' for field in implicit)}}}")
            for field in definition.fields:
                code.emit(1, f"if {name_of(field)!r} in values:")
                code.emit(2, f"value = values[{name_of(field)!r}]")
                type_ = field.resolve_type(type_definition=definition)
                code.emit(2, f"given[{field.python_name!r}] = {self._emit_value(code, type_, 'value', 2)}")
            code.emit_return("make(**given)")

        code.emit_function("convert(values)", body)
        code.compile()
        return code.namespace["convert"]


def _has_variables(node: ValueNode) -> bool:
    """Whether a literal has a variable within it, whose value differs from execution to execution."""
    if isinstance(node, ObjectValueNode):
        return any(isinstance(field.value, VariableNode) or _has_variables(field.value) for field in node.fields)
    return any(isinstance(each, VariableNode) or _has_variables(each) for each in getattr(node, "values", ()) or ())


def _is_shared(type_: GraphQLInputType, value: Any) -> bool:
    """Whether executions may share the coerced value: its lists and inputs are copied, and what they hold is not."""
    if isinstance(type_, GraphQLNonNull):
        return _is_shared(type_.of_type, value)
    if value is not None and isinstance(type_, GraphQLList):
        return all(_is_shared(type_.of_type, each) for each in value)
    if value is not None and isinstance(type_, GraphQLInputObjectType):
        if type_.is_one_of or type_.out_type is not GraphQLInputObjectType.out_type:
            return False
        types = {field.out_name or name: field.type for name, field in type_.fields.items()}
        return all(_is_shared(types[name], each) for name, each in value.items())
    return is_immutable(value)

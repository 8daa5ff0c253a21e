"""Parses and validates an operation's variables, from the command line or from Python, before a request is sent."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from graphql import (
    GraphQLInputType,
    GraphQLNonNull,
    VariableDefinitionNode,
    is_enum_type,
    is_input_object_type,
    is_input_type,
    is_list_type,
    print_ast,
    type_from_ast,
)
from graphql.error import GraphQLError
from graphql.pyutils import inspect
from graphql.type.definition import GraphQLNullableInputType
from graphql.utilities import validate_input_value

from .errors import UsageError
from .operations import SavedOperation
from .schema import load_schema

VariableTypes = Mapping[str, GraphQLInputType]


def variable_types(operation: SavedOperation) -> dict[str, GraphQLInputType]:
    """Returns the operation's variables and their types."""
    types = {}
    for definition in _definitions(operation):
        input_type = type_from_ast(load_schema(), definition.type)
        assert is_input_type(input_type)
        types[definition.variable.name.value] = input_type
    return types


def describe_variables(operation: SavedOperation) -> list[str]:
    """Returns a line for each variable: its name, its type and its default."""
    types = variable_types(operation)
    lines = []
    for definition in _definitions(operation):
        name = definition.variable.name.value
        line = f"{name}: {describe_type(types[name])}"
        if definition.default_value is not None:
            line += f" (default: {print_ast(definition.default_value)})"
        lines.append(line)
    return lines


def describe_type(input_type: GraphQLInputType) -> str:
    """Returns a type in words, such as `a list of ID, required`."""
    if isinstance(input_type, GraphQLNonNull):
        return f"{describe_type(input_type.of_type)}, required"
    if is_list_type(input_type):
        return f"a list of {describe_type(input_type.of_type).removesuffix(', required')}"
    if is_enum_type(input_type):
        return f"{input_type.name}, one of {', '.join(input_type.values)}"
    if is_input_object_type(input_type):
        fields = ", ".join(f"{name}: {field.type}" for name, field in input_type.fields.items())
        return f"{input_type.name} with {fields}"
    return str(input_type)


def parse_variables(operation: SavedOperation, arguments: Sequence[str]) -> dict[str, Any]:
    """Parses `name=value` arguments and validates them.

    `filter.search=Ann` sets a field of an input object. Lists and input objects may also be JSON. Raises UsageError.
    """
    values: dict[str, Any] = {}
    types = variable_types(operation)
    for argument in arguments:
        path, equals, value = argument.partition("=")
        if not equals:
            raise UsageError(f"--var {argument}: write it as name=value.")
        _set_value(operation, types, values, path.strip().split("."), value)
    return validate_variables(operation, values)


def _set_value(
    operation: SavedOperation, types: VariableTypes, values: dict[str, Any], path: list[str], text: str
) -> None:
    """Parses a text and stores it at its path."""
    name = path[0]
    if name not in types:
        _reject_unknown(operation, name)
    input_type, target = types[name], values
    for step in path[1:]:
        object_type = _nullable(input_type)
        if not is_input_object_type(object_type):
            raise UsageError(f"Variable {name} has no fields. It is {describe_type(input_type)}.")
        if step not in object_type.fields:
            raise UsageError(f"Variable {name} has no field {step!r}. It is {describe_type(object_type)}.")
        target, input_type, name = target.setdefault(name, {}), object_type.fields[step].type, step
        if not isinstance(target, dict):
            raise UsageError(f"Variable {'.'.join(path)}: {path[0]} already has a value.")
    nullable_type = _nullable(input_type)
    if is_list_type(nullable_type) and not text.startswith("["):
        target[name] = [*target.get(name, []), _parse_value(nullable_type.of_type, text, path)]
    else:
        target[name] = _parse_value(input_type, text, path)


def _parse_value(input_type: GraphQLInputType, text: str, path: list[str]) -> Any:
    """Parses a text by its type. A text that does not fit is returned as it is, for validation to reject."""
    nullable_type = _nullable(input_type)
    if is_input_object_type(nullable_type) or is_list_type(nullable_type):
        try:
            return json.loads(text)
        except ValueError:
            expected = describe_type(nullable_type)
            raise UsageError(f"Variable {'.'.join(path)}: {text!r} is not JSON. Expected: {expected}.") from None
    type_name = str(nullable_type)
    if type_name == "Boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if type_name in ("Int", "Float"):
        try:
            return int(text) if type_name == "Int" else float(text)
        except ValueError:
            return text
    return text


def validate_variables(operation: SavedOperation, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a copy of the values. Raises UsageError for the first invalid one, with what is expected."""
    types = variable_types(operation)
    for name in values:
        if name not in types:
            _reject_unknown(operation, name)
    for definition in _definitions(operation):
        _validate(definition, types[definition.variable.name.value], values)
    return dict(values)


def _validate(definition: VariableDefinitionNode, input_type: GraphQLInputType, values: Mapping[str, Any]) -> None:
    name = definition.variable.name.value
    if name not in values:
        if isinstance(input_type, GraphQLNonNull) and definition.default_value is None:
            raise UsageError(f"Variable {name} is missing. Expected: {describe_type(input_type)}.")
        return
    errors: list[tuple[GraphQLError, list[str | int]]] = []
    validate_input_value(
        values[name], input_type, lambda error, path: errors.append((error, path)), hide_suggestions=True
    )
    if not errors:
        return
    error, path = errors[0]
    found_type, parent_type = _type_at(input_type, path)
    full_path = ".".join(map(str, (name, *path)))
    if found_type is None:
        raise UsageError(f"Variable {full_path}: unknown field. Expected: {describe_type(parent_type)}.")
    value: Any = values[name]
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else value[step]
    problem = "is missing" if value is None else f"cannot be {inspect(value)}"
    # The name of a custom scalar does not say how its values are written; its error message does.
    reason = f" ({error.message})" if str(_nullable(found_type)) in ("Date", "DateTime") else ""
    raise UsageError(f"Variable {full_path} {problem}. Expected: {describe_type(found_type)}{reason}.")


def _type_at(input_type: GraphQLInputType, path: list[str | int]) -> tuple[GraphQLInputType | None, GraphQLInputType]:
    """Returns the type at a path, or None if there is no such field, and the type that contains it."""
    found, parent = input_type, input_type
    for step in path:
        parent = nullable_type = _nullable(found)
        if is_list_type(nullable_type):
            found = nullable_type.of_type
        else:
            field = nullable_type.fields.get(str(step)) if is_input_object_type(nullable_type) else None
            if field is None:
                return None, parent
            found = field.type
    return found, parent


def _nullable(input_type: GraphQLInputType) -> GraphQLNullableInputType:
    return input_type.of_type if isinstance(input_type, GraphQLNonNull) else input_type


def _definitions(operation: SavedOperation) -> Sequence[VariableDefinitionNode]:
    return operation.definition.variable_definitions or ()


def _reject_unknown(operation: SavedOperation, name: str) -> NoReturn:
    known = list(variable_types(operation))
    matches = get_close_matches(name, known, 1)
    hint = f" Did you mean {matches[0]}?" if matches else ""
    variables = f"Its variables: {', '.join(known)}." if known else "It has no variables."
    raise UsageError(f"{operation.name} has no variable {name!r}.{hint} {variables}")

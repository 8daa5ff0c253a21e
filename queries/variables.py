"""Variables as they are typed on a command line or given from Python, checked before anything is sent."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from graphql import (
    GraphQLInputField,
    GraphQLInputType,
    GraphQLNonNull,
    VariableDefinitionNode,
    get_nullable_type,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    print_ast,
    type_from_ast,
)
from graphql.error import GraphQLError
from graphql.pyutils import inspect
from graphql.utilities import validate_input_value

from queries.contract import contract
from queries.faults import WrongUse
from queries.saved import Saved

Types = Mapping[str, GraphQLInputType]


def variable_types(operation: Saved) -> dict[str, GraphQLInputType]:
    """The operation's variables with their types."""
    return {
        node.variable.name.value: type_from_ast(contract(), node.type)  # type: ignore[misc]
        for node in operation.operation.variable_definitions or ()
    }


def described(operation: Saved) -> list[str]:
    """The operation's variables, a line each: name, what is expected, and what stands in where none is given."""
    types = variable_types(operation)
    lines = []
    for node in operation.operation.variable_definitions or ():
        name = node.variable.name.value
        line = f"{name}: {expected(types[name])}"
        if node.default_value is not None:
            line += f" (unless given: {print_ast(node.default_value)})"
        lines.append(line)
    return lines


def expected(wanted: GraphQLInputType) -> str:
    """What a value of that type is, in words; `required` where it cannot be left out."""
    if isinstance(wanted, GraphQLNonNull):
        return f"{expected(wanted.of_type)}, required"
    if is_list_type(wanted):
        return f"a list of {expected(wanted.of_type).removesuffix(', required')}"
    if is_enum_type(wanted):
        return f"{wanted.name}, one of {', '.join(wanted.values)}"
    if is_input_object_type(wanted):
        return f"{wanted.name} with {', '.join(f'{name}: {field.type}' for name, field in wanted.fields.items())}"
    return str(wanted)


def read_variables(operation: Saved, typed: Sequence[str]) -> dict[str, Any]:
    """The values of `name=value` texts. `filter.search=Ann` sets a field of an input; lists and inputs may be JSON."""
    given: dict[str, Any] = {}
    types = variable_types(operation)
    for text in typed:
        path, equals, value = text.partition("=")
        if not equals:
            raise WrongUse(f"--var {text}: write it as name=value.")
        _set(operation, types, given, path.strip().split("."), value)
    return check_variables(operation, given)


def _set(operation: Saved, types: Types, given: dict[str, Any], path: list[str], value: str) -> None:
    """Puts one typed value where its path says."""
    wanted: GraphQLInputType = types.get(path[0]) or _unknown(operation, path[0])
    place, name = given, path[0]
    for step in path[1:]:
        inner = get_nullable_type(wanted)
        if not is_input_object_type(inner):
            raise WrongUse(f"Variable {name} has no fields: it is {expected(wanted)}.")
        if step not in inner.fields:
            raise WrongUse(f"Variable {name} has no field {step!r}: it is {expected(inner)}.")
        place, wanted, name = place.setdefault(name, {}), inner.fields[step].type, step
        if not isinstance(place, dict):
            raise WrongUse(f"Variable {'.'.join(path)}: {path[0]} has been given as a whole already.")
    if is_list_type(get_nullable_type(wanted)) and not value.startswith("["):
        place[name] = [*place.get(name, []), _read(get_nullable_type(wanted).of_type, value, path)]
    else:
        place[name] = _read(wanted, value, path)


def _read(wanted: GraphQLInputType, value: str, path: list[str]) -> Any:
    """The value of a text by its type; what does not fit stays text, and the check says what was expected."""
    wanted = get_nullable_type(wanted)
    if is_input_object_type(wanted) or is_list_type(wanted):
        try:
            return json.loads(value)
        except ValueError:
            raise WrongUse(f"Variable {'.'.join(path)}: {value!r} is not JSON. Expected: {expected(wanted)}.") from None
    if wanted.name == "Boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    if wanted.name in ("Int", "Float"):
        try:
            return int(value) if wanted.name == "Int" else float(value)
        except ValueError:
            return value
    return value


def check_variables(operation: Saved, given: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, once each has been seen to fit. Raises WrongUse: which does not, and what is expected."""
    types = variable_types(operation)
    for name in given:
        if name not in types:
            _unknown(operation, name)
    for node in operation.operation.variable_definitions or ():
        _check(node, types[node.variable.name.value], given)
    return dict(given)


def _check(node: VariableDefinitionNode, wanted: GraphQLInputType, given: Mapping[str, Any]) -> None:
    name = node.variable.name.value
    if name not in given:
        if isinstance(wanted, GraphQLNonNull) and node.default_value is None:
            raise WrongUse(f"Variable {name} is missing. Expected: {expected(wanted)}.")
        return
    faults: list[tuple[GraphQLError, list[str | int]]] = []
    validate_input_value(given[name], wanted, lambda error, path: faults.append((error, path)), hide_suggestions=True)
    if faults:
        _, path = faults[0]
        at, inner = _inside(wanted, path)
        place = ".".join(map(str, (name, *path)))
        value = given[name]
        for step in path:
            value = value[step] if isinstance(value, list) or step in value else None
        if at is None:
            raise WrongUse(f"Variable {place}: there is no such field. Expected: {expected(inner)}.")
        said = "is missing" if value is None else f"cannot be {inspect(value)}"
        reason = f" ({faults[0][0].message})" if is_custom(at) else ""
        raise WrongUse(f"Variable {place} {said}. Expected: {expected(at)}{reason}.")


def is_custom(wanted: GraphQLInputType) -> bool:
    """Whether a type is a scalar whose spelling its name does not tell."""
    return getattr(get_nullable_type(wanted), "name", "") in ("Date", "DateTime")


def _inside(wanted: GraphQLInputType, path: list[str | int]) -> tuple[GraphQLInputType | None, GraphQLInputType]:
    """The type at a path (None where there is no such field) and the type around it."""
    around = wanted
    for step in path:
        around = get_nullable_type(wanted)
        if is_list_type(around):
            wanted = around.of_type
        else:
            field: GraphQLInputField | None = around.fields.get(step)
            if field is None:
                return None, around
            wanted = field.type
    return wanted, around


def _unknown(operation: Saved, name: str) -> Any:
    known = list(variable_types(operation))
    near = get_close_matches(name, known, 1)
    hint = f" Did you mean {near[0]}?" if near else ""
    has = f"It has: {', '.join(known)}." if known else "It has none."
    raise WrongUse(f"{operation.name} has no variable {name!r}.{hint} {has}")

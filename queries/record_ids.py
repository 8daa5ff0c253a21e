"""Checks the ids among a query's variables: a wrong one is refused, instead of giving an empty table."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLInputType,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_object_type,
)

from .errors import UsageError
from .operations import SavedOperation
from .schema import load_schema
from .variables import variable_types

# The saved operation that finds records by their ids.
OPERATION = "record_ids"
MOST_IDS = 100
# Variables and fields that are named after what a user is to a record; the others are named after a type.
_OF_USERS = ("assessorId", "iqaId")


def check_record_ids(
    operation: SavedOperation, variables: Mapping[str, Any], find: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> None:
    """Raises UsageError for an id of no record that the viewer may see, or of a record of another type.

    `find` executes the operation `record_ids`.
    """
    if operation.name == OPERATION:
        return
    given = [
        found for name, input_type in variable_types(operation).items()
        for found in _ids(name, input_type, variables.get(name))
    ]  # fmt: skip
    for start in range(0, len(given), MOST_IDS):
        part = given[start : start + MOST_IDS]
        nodes = find({"ids": [each for _, each in part]})["nodes"]
        for (path, _), node in zip(part, nodes, strict=True):
            if node is None:
                raise UsageError(f"{path}: there is no such record, or you may not see it. Check the id.")
            wanted = _type_taken(path) or node["__typename"]
            if node["__typename"] != wanted:
                raise UsageError(f"{path}: give the id of a record of the type {wanted}, not {node['__typename']}.")


def _type_taken(path: str) -> str | None:
    """Returns the type whose ids a variable or field takes, by its name: an id of another finds nothing.

    None where no type has the name.
    """
    name = path.rpartition(".")[2]
    if name in _OF_USERS:
        return "User"
    type_name = f"{name[:1].upper()}{name[1:]}".removesuffix("Id")
    return type_name if is_object_type(load_schema().type_map.get(type_name)) else None


def _ids(path: str, input_type: GraphQLInputType, value: Any) -> Iterator[tuple[str, str]]:
    """Yields the ids in a value, each with the path of its variable."""
    if value is None:
        return
    nullable = get_nullable_type(input_type)
    if is_list_type(nullable):
        for entry in value if isinstance(value, list) else [value]:
            yield from _ids(path, nullable.of_type, entry)
    elif is_input_object_type(nullable):
        for name, field in nullable.fields.items():
            yield from _ids(f"{path}.{name}", field.type, value.get(name))
    elif get_named_type(nullable).name == "ID":
        yield path, str(value)

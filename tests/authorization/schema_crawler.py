"""Generates queries from the schema that select every field of every type. A field that they cannot select is an error.

Each field has the alias `Type_field`, so that a response shows which field each value is from.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

import strawberry
from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from schema.root import make_schema
from tests.support.kept_documents import KeptDocuments

# The arguments of fields that require some. Lists get `first: 100`.
ARGUMENTS = {
    "Learner.timeLogCalendar": '(from: "2026-01-01", to: "2026-12-31")',
    "User.assessorWorkload": '(from: "2026-01-01", to: "2026-12-31")',
    "Viewer.kpiGroups": "(by: ASSESSOR)",
    "Viewer.kpiHistory": '(from: "2025-01-01", every: MONTH)',
    "Viewer.turnaround": '(by: ASSESSOR, from: "2000-01-01", to: "2036-12-31")',
    "Viewer.outcomes": '(endedFrom: "2000-01-01", endedTo: "2036-12-31")',
    "Query.guide": '(slug: "dashboard")',
}


@cache
def schema() -> strawberry.Schema:
    """Returns the served schema. It parses and validates each of the long documents once."""
    made = make_schema()
    made.extensions = (KeptDocuments,)
    return made


def graph() -> GraphQLSchema:
    """Returns the schema as an object of graphql-core."""
    return schema()._schema


def is_node(type_: GraphQLNamedType) -> bool:
    """Returns whether the type implements `Node`."""
    return isinstance(type_, GraphQLObjectType) and any(one.name == "Node" for one in type_.interfaces)


def node_types() -> list[GraphQLObjectType]:
    """Returns every type that implements `Node`."""
    return sorted(graph().get_implementations(graph().type_map["Node"]).objects, key=lambda type_: type_.name)


def read_types() -> dict[str, GraphQLObjectType]:
    """Returns every object type that a query can reach, without Query."""
    found: dict[str, GraphQLObjectType] = {}
    waiting: list[GraphQLNamedType] = [graph().query_type]
    while waiting:
        type_ = waiting.pop()
        if isinstance(type_, GraphQLInterfaceType):
            waiting += node_types()
        elif isinstance(type_, GraphQLObjectType) and type_.name not in found:
            found[type_.name] = type_
            waiting += [get_named_type(field.type) for field in type_.fields.values()]
    del found["Query"]
    return found


def arguments_of(type_: GraphQLNamedType, name: str, field: GraphQLField) -> str:
    """Returns the arguments of a field as text; a list gets `first: 100`."""
    if (text := ARGUMENTS.get(f"{type_.name}.{name}")) is not None:
        return text
    required = [argument for argument, about in field.args.items() if is_required_argument(about)]
    assert not required, f"{type_.name}.{name} needs {required}: add its arguments to ARGUMENTS"
    return "(first: 100)" if "first" in field.args else ""


def selection(type_: GraphQLNamedType, depth: int) -> str:
    """Returns a selection of all fields of a type, `depth` nodes deep; at 0 only the scalar fields of a node."""
    if isinstance(type_, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(type_, GraphQLObjectType), f"{type_.name}: this kind of type is not supported yet"
    parts = ["__typename", "id"] if is_node(type_) else ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if name == "id" and is_node(type_):
            continue
        text = f"{type_.name}_{name}: {name}{arguments_of(type_, name, field)}"
        if is_leaf_type(inner):
            parts.append(text)
        elif is_node(inner) or isinstance(inner, GraphQLInterfaceType):
            if depth or not is_node(type_):
                # The node of an edge is also in `nodes` of the page: its id is enough.
                below = "{ __typename id }" if type_.name.endswith("Edge") else selection(inner, max(depth - 1, 0))
                parts.append(f"{text} {below}")
        elif depth or not is_node(type_):
            parts.append(f"{text} {selection(inner, depth)}")
    return "{ " + " ".join(parts) + " }"


@cache
def nodes_document() -> str:
    """Returns the query `nodes` with all fields of every type and the scalar fields of the records next to them."""
    fragments = " ".join(f"... on {type_.name} {selection(type_, 1)}" for type_ in node_types())
    return f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename id {fragments} }} }}"


def by_id_roots() -> dict[str, str]:
    """Returns the root fields that take an id only, with the type that each returns; `node` returns any."""
    return {
        name: get_named_type(field.type).name
        for name, field in graph().query_type.fields.items()
        if set(field.args) == {"id"}
    }


def list_roots() -> list[str]:
    """Returns the other root fields, without `nodes`."""
    return [name for name in graph().query_type.fields if name not in by_id_roots() and name != "nodes"]


@cache
def roots_document() -> str:
    """Returns a query of all `list_roots` with all their fields, two nodes deep for lists."""
    query, parts = graph().query_type, []
    for name in list_roots():
        field = query.fields[name]
        inner = get_named_type(field.type)
        below = "" if is_leaf_type(inner) else selection(inner, 2 if inner.name.endswith("Connection") else 1)
        parts.append(f"Query_{name}: {name}{arguments_of(query, name, field)} {below}")
    return "{ " + " ".join(parts) + " }"


def by_id_document(ids: tuple[str, ...]) -> str:
    """Returns a query of the ids through the roots that take one, also with some ids of other types than the root's."""
    parts = [
        f'{root}_{place}: {root}(id: "{id}") {{ __typename id }}'
        for place, id in enumerate(ids)
        for root, gives in by_id_roots().items()
        if gives in ("Node", id.partition("_")[0]) or place % 7 == 0
    ]
    return "{ " + " ".join(parts) + " }"


def filters() -> Iterator[tuple[str, str, str]]:
    """Yields every list that can be filtered by an id: (field name, type that has the field, argument as text).

    The argument's text holds `$id`, as in `filter: {assessorId: $id}`.
    """
    owners = [graph().query_type, *(type_ for type_ in read_types().values())]
    for owner in owners:
        for name, field in owner.fields.items():
            if "first" not in field.args:
                continue
            for argument, about in field.args.items():
                inner = get_named_type(about.type)
                if inner.name == "ID":
                    yield name, owner.name, f"{argument}: $id"
                for part, input_ in getattr(inner, "fields", {}).items():
                    if get_named_type(input_.type).name == "ID":
                        yield name, owner.name, f"{argument}: {{{part}: $id}}"


def found(answer: Any) -> Iterator[dict[str, Any]]:
    """Yields every object of a response, at any depth."""
    if isinstance(answer, dict):
        yield answer
        for value in answer.values():
            yield from found(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from found(value)


def ids_in(answer: Any) -> dict[str, set[str]]:
    """Returns the ids of every record in a response, by type."""
    by_type: dict[str, set[str]] = {type_.name: set() for type_ in node_types()}
    for record in found(answer):
        if "id" in record:
            by_type[record["__typename"]].add(record["id"])
    return by_type

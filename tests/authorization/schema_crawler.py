"""Questions made from the schema itself: every field of every type, every way in. What they cannot ask fails a test.

Each field is asked for as `Type_field`, so that an answer says by itself where each value stands.
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
from strawberry.extensions import ParserCache, ValidationCache

from schema.root import make_schema

# What has to be said where an argument is required; every list is asked for whole.
ARGUMENTS = {
    "Learner.timeLogCalendar": '(from: "2026-01-01", to: "2026-12-31")',
    "Query.guide": '(slug: "dashboard")',
}


@cache
def schema() -> strawberry.Schema:
    """The served schema; the few long questions are parsed and checked once."""
    made = make_schema()
    made.extensions = (ParserCache, ValidationCache)
    return made


def graph() -> GraphQLSchema:
    """The schema as graphql-core knows it."""
    return schema()._schema


def is_node(type_: GraphQLNamedType) -> bool:
    """Whether it can be read again by its id."""
    return isinstance(type_, GraphQLObjectType) and any(one.name == "Node" for one in type_.interfaces)


def node_types() -> list[GraphQLObjectType]:
    """Every type that `node` can give."""
    return sorted(graph().get_implementations(graph().type_map["Node"]).objects, key=lambda type_: type_.name)


def read_types() -> dict[str, GraphQLObjectType]:
    """Every object type that a query can lead to, the roots apart."""
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


def said(type_: GraphQLNamedType, name: str, field: GraphQLField) -> str:
    """A field's arguments: a whole page where it has pages."""
    if (text := ARGUMENTS.get(f"{type_.name}.{name}")) is not None:
        return text
    required = [argument for argument, about in field.args.items() if is_required_argument(about)]
    assert not required, f"{type_.name}.{name} needs {required}: say what to ask in ARGUMENTS"
    return "(first: 100)" if "first" in field.args else ""


def selection(type_: GraphQLNamedType, depth: int) -> str:
    """Everything of a type. At depth 0 of a node its values alone; above that what it leads to, one less deep."""
    if isinstance(type_, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(type_, GraphQLObjectType), f"{type_.name}: a kind of type that nobody asks for yet"
    parts = ["__typename", "id"] if is_node(type_) else ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if name == "id" and is_node(type_):
            continue
        text = f"{type_.name}_{name}: {name}{said(type_, name, field)}"
        if is_leaf_type(inner):
            parts.append(text)
        elif is_node(inner) or isinstance(inner, GraphQLInterfaceType):
            if depth or not is_node(type_):
                # An edge's node is the page's node: its id says so.
                below = "{ __typename id }" if type_.name.endswith("Edge") else selection(inner, max(depth - 1, 0))
                parts.append(f"{text} {below}")
        elif depth or not is_node(type_):
            parts.append(f"{text} {selection(inner, depth)}")
    return "{ " + " ".join(parts) + " }"


@cache
def nodes_document() -> str:
    """`nodes` with everything of every type, and the values of what that leads to."""
    fragments = " ".join(f"... on {type_.name} {selection(type_, 1)}" for type_ in node_types())
    return f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ __typename id {fragments} }} }}"


def by_id_roots() -> dict[str, str]:
    """The roots that give one record by its id, with the type that each gives; `node` gives any."""
    return {
        name: get_named_type(field.type).name
        for name, field in graph().query_type.fields.items()
        if set(field.args) == {"id"}
    }


def list_roots() -> list[str]:
    """The other roots, `nodes` apart."""
    return [name for name in graph().query_type.fields if name not in by_id_roots() and name != "nodes"]


@cache
def roots_document() -> str:
    """Every root that is not asked by id, with everything of what it gives and of what that leads to."""
    query, parts = graph().query_type, []
    for name in list_roots():
        field = query.fields[name]
        inner = get_named_type(field.type)
        below = "" if is_leaf_type(inner) else selection(inner, 2 if inner.name.endswith("Connection") else 1)
        parts.append(f"Query_{name}: {name}{said(query, name, field)} {below}")
    return "{ " + " ".join(parts) + " }"


def by_id_document(ids: tuple[str, ...]) -> str:
    """Each id through every root that takes one: `learner(id:)` is asked for a session's too."""
    parts = [
        f'{root}_{place}: {root}(id: "{id}") {{ __typename id }}'
        for place, id in enumerate(ids)
        for root, gives in by_id_roots().items()
        if gives in ("Node", id.partition("_")[0]) or place % 7 == 0
    ]
    return "{ " + " ".join(parts) + " }"


def filters() -> Iterator[tuple[str, str, str]]:
    """Every list that can be cut by an id: (path of the list from a root, type that owns it, argument as text).

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
    """Every object of an answer, however deep."""
    if isinstance(answer, dict):
        yield answer
        for value in answer.values():
            yield from found(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from found(value)


def ids_in(answer: Any) -> dict[str, set[str]]:
    """The ids of every record in an answer, by type."""
    by_type: dict[str, set[str]] = {type_.name: set() for type_ in node_types()}
    for record in found(answer):
        if "id" in record:
            by_type[record["__typename"]].add(record["id"])
    return by_type

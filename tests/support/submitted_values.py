"""Requests that submit a mark in every argument of every operation, as a variable and in the document."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from tests.support.client import SCHEMA

# Each request has marks of its own, so that a finding names its argument.
MARK = "Quuxlebury"
_FITTING: dict[str, Any] = {"Int": 3, "Float": 2.5, "Boolean": True, "Date": "2026-11-02"}
_FITTING["DateTime"] = "2026-11-02T10:00:00+00:00"

Path = tuple[str, ...]


@dataclass(frozen=True)
class Submission:
    """A request for POST /graphql; `what` says which mark it submits and how."""

    what: str
    query: str
    variables: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The body of the request."""
        return json.dumps({"query": self.query, "variables": self.variables}).encode()


def submissions() -> Iterator[Submission]:
    """The requests for every query and mutation of the schema."""
    numbers = count(1)
    for root in (SCHEMA.query_type, SCHEMA.mutation_type):
        assert root is not None
        for name, one in root.fields.items():
            if one.args:
                yield from _of_field(root, name, one, numbers)


def leaves(one: GraphQLField) -> Iterator[tuple[Path, GraphQLInputType]]:
    """Every argument and input field of a field that takes a value, with the path to it."""
    for name, argument in one.args.items():
        yield from _leaves((name,), argument.type)


def _leaves(path: Path, type_: GraphQLInputType) -> Iterator[tuple[Path, GraphQLInputType]]:
    named = get_named_type(type_)
    if isinstance(named, GraphQLInputObjectType):
        for name, each in named.fields.items():
            yield from _leaves((*path, name), each.type)
    else:
        yield path, type_


def _of_field(root: GraphQLObjectType, name: str, one: GraphQLField, numbers: Iterator[int]) -> Iterator[Submission]:
    def mark() -> str:
        return f"{MARK}{next(numbers)}"

    def both(what: str, values: dict[str, Any]) -> Iterator[Submission]:
        yield Submission(f"{name} {what} as variables", _document(root, name, one), values)
        yield Submission(f"{name} {what} in the document", _document(root, name, one, values))

    fitting = mark()
    yield from both(f"{fitting} where it fits", {each: _fitting(arg.type, fitting) for each, arg in one.args.items()})
    for path, _ in leaves(one):
        wrong = mark()
        what, number = f"{wrong} at {'.'.join(path)}", next(numbers)
        yield from both(what, _put(one, fitting, path, wrong))
        # The other ways in turn: their messages depend on the type, and every type has many arguments.
        if number % 3:
            other = _put(one, fitting, path, _Enum(wrong) if number % 3 == 1 else {"value": wrong})
            yield Submission(f"{name} {what} in another way", _document(root, name, one, other))
        else:
            other = _put(one, fitting, path, [[wrong]])
            yield Submission(f"{name} {what} in a list", _document(root, name, one), other)
    unknown = mark()
    values = {each: _fitting(arg.type, unknown) for each, arg in one.args.items()}
    for value in values.values():
        if isinstance(value, dict):
            value["unknownField"] = unknown
    yield from both(f"{unknown} beside an unknown field", values)


def _put(one: GraphQLField, fitting: str, path: Path, value: Any) -> dict[str, Any]:
    """Arguments that fit, except for the value at the path."""
    values = {each: _fitting(argument.type, fitting) for each, argument in one.args.items()}
    at: Any = values
    for name in path[:-1]:
        at = at[name]
        at = at[0] if isinstance(at, list) else at
    at[path[-1]] = value
    return values


def _fitting(type_: GraphQLInputType, mark: str) -> Any:
    nullable = get_nullable_type(type_)
    if is_list_type(nullable):
        return [_fitting(nullable.of_type, mark)]
    if isinstance(nullable, GraphQLInputObjectType):
        return {name: _fitting(each.type, mark) for name, each in nullable.fields.items()}
    if isinstance(nullable, GraphQLEnumType):
        return _Enum(next(iter(nullable.values)))
    return _FITTING.get(get_named_type(nullable).name, mark)


class _Enum(str):
    """The value of an enum, which has no quotes in a document."""


def _document(root: GraphQLObjectType, name: str, one: GraphQLField, values: dict[str, Any] | None = None) -> str:
    selected = "" if is_leaf_type(get_named_type(one.type)) else " { __typename }"
    if root is SCHEMA.mutation_type:
        selected = " { errors { code field message } }"
    if values is not None:
        given = ", ".join(f"{each}: {_literal(value)}" for each, value in values.items())
        return f"{root.name.lower()} {{ {name}({given}){selected} }}"
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in one.args.items())
    given = ", ".join(f"{each}: ${each}" for each in one.args)
    return f"{root.name.lower()}({declared}) {{ {name}({given}){selected} }}"


def _literal(value: Any) -> str:
    if isinstance(value, _Enum):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_literal(each)}' for name, each in value.items())}}}"
    return json.dumps(value)

"""Every argument of every field of the served schema, and calls in which one of them has a hostile value."""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from tests.support.architecture import ROOT
from tests.support.argument_values import SCHEMA, call, plausible, root_fields
from tests.support.client import PASSWORD
from tests.system.fuzz.hostile_values import BY_SCALAR, ENUM, MARK, OTHERS, cursors

Path = tuple[str | int, ...]
_CURSORS = ("after", "before")


@dataclass(frozen=True)
class Target:
    """One field: a document that calls it, good arguments, and the paths of all values in these with their types."""

    name: str
    document: str
    variables: dict[str, Any]
    leaves: tuple[tuple[Path, GraphQLInputType], ...]

    def calls(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The variables with one hostile value, with the path of that value; another order for each path."""
        for path, type_ in self.leaves:
            for value in hostile(path, type_):
                yield ".".join(map(str, path)), _with(self.variables, path, value)

    def unknown_fields(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The variables with an input field that does not exist, beside texts with the mark."""
        for path, _ in self.leaves:
            if len(path) > 1 and path[-1] != 0:
                marked = _with(self.variables, path, MARK)
                yield ".".join(map(str, path)), _with(marked, (*path[:-1], "nothing"), MARK)


def hostile(path: Path, type_: GraphQLInputType) -> list[Any]:
    """The hostile values for the value at a path."""
    named = get_named_type(type_)
    if path[-1] in _CURSORS:
        return cursors(order_names())
    if is_list_type(get_nullable_type(type_)) or isinstance(named, GraphQLInputObjectType):
        return OTHERS
    return ENUM if isinstance(named, GraphQLEnumType) else BY_SCALAR[named.name]()


@cache
def order_names() -> tuple[str, ...]:
    """The names of all orders of lists, which are in their cursors."""
    texts = (file.read_text() for file in sorted((ROOT / "loaders").rglob("*.py")))
    return tuple(sorted({name for text in texts for name in re.findall(r'\bOrder\(\s*"(\w+)"', text)}))


def targets(ids: dict[str, str]) -> list[Target]:
    """Every field that has arguments, those of the roots and those of other types. `ids`: an id for each type."""
    made = [
        _target(f"{root.name}.{name}", call(root, name, field), field.args, ids) for root, name, field in root_fields()
    ]
    for type_ in SCHEMA.type_map.values():
        is_root = type_ in (SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type)
        if isinstance(type_, GraphQLObjectType) and not is_root and not type_.name.startswith("__"):
            made += [
                _target(f"{type_.name}.{name}", _nested(type_, name, field), field.args, ids)
                for name, field in type_.fields.items()
                if field.args
            ]
    return [one for one in made if one.leaves]


def _target(name: str, document: str, arguments: dict[str, Any], ids: dict[str, str]) -> Target:
    variables = {each: _good(argument.type, each, ids, _subject(name, ids)) for each, argument in arguments.items()}
    leaves = [leaf for each, argument in arguments.items() for leaf in _leaves((each,), argument.type, variables[each])]
    # Both directions of a page at once are refused before anything else is looked at.
    for unused in ("last", "before"):
        variables.pop(unused, None)
    if "$node" in document:
        variables["node"] = ids[name.partition(".")[0]]
    return Target(name, document, variables, tuple(leaves))


def _nested(type_: GraphQLObjectType, name: str, field: Any) -> str:
    declared = "".join(f", ${each}: {argument.type}" for each, argument in field.args.items())
    given = ", ".join(f"{each}: ${each}" for each in field.args)
    selected = "" if is_leaf_type(get_named_type(field.type)) else " { __typename }"
    inner = f"{name}({given}){selected}"
    if type_.name == "Viewer":
        return f"query Call({declared.removeprefix(', ')}) {{ viewer {{ {inner} }} }}"
    assert any(one.name == "Node" for one in type_.interfaces), f"{type_.name} cannot be reached by an id"
    return f"query Call($node: ID!{declared}) {{ node(id: $node) {{ ... on {type_.name} {{ {inner} }} }} }}"


def _subject(name: str, ids: dict[str, str]) -> str:
    """The type that a field is about, by its name: `Mutation.evidenceReturn` about Evidence."""
    field = name.partition(".")[2].lower()
    return max((each for each in ids if field.startswith(each.lower())), key=len, default="Learner")


def _good(type_: GraphQLInputType, name: str, ids: dict[str, str], subject: str) -> Any:
    """A value that comes far: ids of records that exist, of the subject if nothing else is said, and the password."""
    nullable = get_nullable_type(type_)
    if is_list_type(nullable):
        return [_good(nullable.of_type, name, ids, subject)]
    if isinstance(nullable, GraphQLInputObjectType):
        return {each: _good(field.type, each, ids, subject) for each, field in nullable.fields.items()}
    if name == "password":
        return PASSWORD
    if nullable.name == "ID":
        wanted = name.removesuffix("s").removesuffix("Id")
        if wanted == "id":
            return ids[subject]
        known = next((one for one in ids if one.lower() == wanted.lower()), None)
        return ids[known or ("User" if wanted in ("assessor", "iqa", "fromUser", "toUser") else "Learner")]
    return None if name in _CURSORS else plausible(type_)


def _leaves(path: Path, type_: GraphQLInputType, value: Any) -> Iterator[tuple[Path, GraphQLInputType]]:
    yield path, type_
    nullable = get_nullable_type(type_)
    if is_list_type(nullable):
        yield from _leaves((*path, 0), nullable.of_type, value[0])
    elif isinstance(nullable, GraphQLInputObjectType):
        for name, field in nullable.fields.items():
            yield from _leaves((*path, name), field.type, value[name])


def _with(variables: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(variables)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    if path[-1] == "last" or path[-1] == "before":
        changed.pop("first", None)
        changed.pop("after", None)
    return changed

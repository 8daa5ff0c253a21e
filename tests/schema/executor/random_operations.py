"""Random valid query operations for any GraphQL schema: fragments, aliases, directives, variables, nesting, arguments.

    operation = generate(schema, random.Random(7), values=my_ids)

returns an `Operation` (text, variables). `values` may choose the value of an argument; every other value is generated
from its type. The same schema, generator state and options give the same operation.
"""

import json
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
    is_union_type,
)

# (rng, "Query.learner.id", the argument's type) -> the value as JSON, or GENERATED for one generated from the type.
Values = Callable[[Random, str, GraphQLInputType], Any]
GENERATED = object()

SCALARS: dict[str, Callable[[Random], Any]] = {
    "ID": lambda rng: str(rng.randrange(8)),
    "String": lambda rng: rng.choice(["", "a", "Ann", 'with "quotes"', "é\n"]),
    "Int": lambda rng: rng.randrange(1, 6),
    "Float": lambda rng: rng.choice([0.5, 2, 1e3]),
    "Boolean": lambda rng: rng.random() < 0.5,
    "Date": lambda rng: f"2026-{rng.randrange(1, 13):02}-11",
    "DateTime": lambda rng: f"2026-{rng.randrange(1, 13):02}-11T09:30:00+00:00",
}


FORWARDS, BACKWARDS = ("first", "after"), ("last", "before")


@dataclass(slots=True)
class Operation:
    """An operation as a client sends it."""

    text: str
    variables: dict[str, Any]


@dataclass(slots=True)
class _Level:
    """The response keys that are in use at one place of the response, each with its meaning and the level below."""

    keys: dict[str, tuple[str, "_Level"]] = field(default_factory=dict)
    unique_keys: bool = False  # every key here must be one that is used nowhere else


def generate(
    schema: GraphQLSchema,
    rng: Random,
    values: Values | None = None,
    skip: Container[str] = (),
    depth: int = 5,
    max_fields: int = 40,
) -> Operation:
    """Generates one operation of up to about `max_fields` fields, nested up to `depth` objects deep.

    `skip` names fields that are never selected, as "Type.field".
    """
    return _Generator(schema, rng, values or (lambda *_: GENERATED), skip, max_fields).operation(depth)


class _Generator:
    def __init__(self, schema: GraphQLSchema, rng: Random, values: Values, skip: Container[str], fields: int) -> None:
        self.schema, self.rng, self.values, self.skip, self.fields_left = schema, rng, values, skip, fields
        self.declared: list[str] = []
        self.variables: dict[str, Any] = {}
        self.fragments: list[tuple[GraphQLNamedType, str, str]] = []  # type, name, text
        self.numbered = 0

    def operation(self, depth: int) -> Operation:
        body = self.selection(self.schema.query_type, _Level(), depth, at_least=1)
        declared = f"({', '.join(self.declared)})" if self.declared else ""
        text = "\n".join([f"query Generated{declared} {body}", *(text for _, _, text in self.fragments)])
        return Operation(text, self.variables)

    def number(self) -> int:
        self.numbered += 1
        return self.numbered

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # ------------------------------------------------------------------ selections

    def selection(self, type_: GraphQLNamedType, level: _Level, depth: int, at_least: int = 0) -> str:
        parts = [] if is_union_type(type_) else self.fields(type_, level, depth, at_least)
        if is_abstract_type(type_):
            possible = list(self.schema.get_possible_types(type_))
            for concrete in self.rng.sample(possible, k=self.rng.randint(1, min(3, len(possible)))):
                inner = self.fields(concrete, level, depth, 1)
                if inner:
                    parts.append(f"... on {concrete.name}{self.directive()} {{ {' '.join(inner)} }}")
        if not parts or self.chance(0.15):
            parts.insert(self.rng.randrange(len(parts) + 1), self.typename(level))
        return f"{{ {' '.join(parts)} }}"

    def typename(self, level: _Level) -> str:
        if level.unique_keys or self.chance(0.3):
            return f"t{self.number()}: __typename"
        level.keys.setdefault("__typename", ("__typename", _Level()))
        return "__typename"

    def fields(self, type_: Any, level: _Level, depth: int, at_least: int) -> list[str]:
        """Selects some fields of an object or interface type; sometimes within a fragment, sometimes one twice."""
        names = [
            name
            for name, definition in type_.fields.items()
            if f"{type_.name}.{name}" not in self.skip and (depth > 0 or is_leaf_type(get_named_type(definition.type)))
        ]
        chosen = self.rng.sample(names, k=min(len(names), self.rng.randint(at_least, 6)))
        if chosen and self.chance(0.15):
            chosen.append(self.rng.choice(chosen))
        parts = []
        for name in chosen:
            if self.fields_left <= 0:
                break
            projection = self.one(type_, name, level, depth)
            if self.chance(0.1):
                condition = f" on {type_.name}" if self.chance(0.5) else ""
                projection = f"...{condition}{self.directive()} {{ {projection} }}"
            parts.append(projection)
        if self.chance(0.12) and not level.unique_keys and self.fields_left > 0:
            parts.append(f"...{self.fragment(type_, depth)}{self.directive()}")
        return parts

    def fragment(self, type_: Any, depth: int) -> str:
        """Names a fragment on the type, an earlier or a new one. Its response keys are unique, so it fits anywhere."""
        known = [name for on, name, _ in self.fragments if on is type_]
        if known and self.chance(0.6):
            return self.rng.choice(known)
        inner = self.fields(type_, _Level(unique_keys=True), min(depth, 2), 1) or [f"t{self.number()}: __typename"]
        name = f"F{self.number()}"
        self.fragments.append((type_, name, f"fragment {name} on {type_.name} {{ {' '.join(inner)} }}"))
        return name

    def one(self, type_: Any, name: str, level: _Level, depth: int) -> str:
        self.fields_left -= 1
        definition: GraphQLField = type_.fields[name]
        arguments = self.arguments(f"{type_.name}.{name}", definition)
        meaning = f"{name}{arguments}: {definition.type}"
        key = f"a{self.number()}" if level.unique_keys or self.chance(0.15) else name
        if key in level.keys and level.keys[key][0] != meaning:
            key = f"a{self.number()}"
        below = level.keys.setdefault(key, (meaning, _Level()))[1]
        named = get_named_type(definition.type)
        body = "" if is_leaf_type(named) else " " + self.selection(named, below, depth - 1)
        return f"{'' if key == name else key + ': '}{name}{arguments}{self.directive()}{body}"

    def directive(self) -> str:
        if not self.chance(0.08):
            return ""
        condition = self.rng.choice(["true", "false", None, None])
        if condition is None:
            condition = self.variable("Boolean!", self.chance(0.5))
        return f" @{self.rng.choice(['skip', 'include'])}(if: {condition})"

    # ------------------------------------------------------------------ arguments

    def arguments(self, coordinate: str, definition: GraphQLField) -> str:
        given = []
        # A connection is read from one end or from the other.
        left_out: tuple[str, ...] = ()
        if "last" in definition.args:
            left_out = BACKWARDS if self.chance(0.7) else FORWARDS
        for name, argument in definition.args.items():
            if name not in left_out and (is_required_argument(argument) or self.chance(0.4)):
                given.append(f"{name}: {self.argument(f'{coordinate}.{name}', argument)}")
        return f"({', '.join(given)})" if given else ""

    def argument(self, coordinate: str, argument: GraphQLArgument) -> str:
        value = self.value(coordinate, argument.type)
        if not self.chance(0.4):
            return _literal(value, argument.type)
        if not isinstance(argument.type, GraphQLNonNull) and self.chance(0.2):
            name = f"v{self.number()}"
            self.declared.append(f"${name}: {argument.type} = {_literal(value, argument.type)}")
            return f"${name}"
        return self.variable(str(argument.type), value)

    def variable(self, type_name: str, value: Any) -> str:
        name = f"v{self.number()}"
        self.declared.append(f"${name}: {type_name}")
        self.variables[name] = value
        return f"${name}"

    def value(self, coordinate: str, type_: GraphQLInputType) -> Any:
        given = self.values(self.rng, coordinate, type_)
        if given is not GENERATED:
            return given
        if isinstance(type_, GraphQLNonNull):
            return self.value(coordinate, type_.of_type)
        if isinstance(type_, GraphQLList):
            return [self.value(coordinate, type_.of_type) for _ in range(self.rng.randrange(3))]
        if isinstance(type_, GraphQLEnumType):
            return self.rng.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            chosen = {n: f for n, f in type_.fields.items() if is_required_input_field(f) or self.chance(0.5)}
            return {name: self.value(f"{type_.name}.{name}", f.type) for name, f in chosen.items()}
        return SCALARS.get(type_.name, SCALARS["String"])(self.rng)


def _literal(value: Any, type_: GraphQLInputType) -> str:
    """Returns the JSON value as a GraphQL literal; the type distinguishes enums from strings."""
    if isinstance(type_, GraphQLNonNull):
        return _literal(value, type_.of_type)
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        return f"[{', '.join(_literal(item, type_.of_type) for item in value)}]"
    if isinstance(type_, GraphQLEnumType):
        return value
    if isinstance(type_, GraphQLInputObjectType):
        fields = (f"{name}: {_literal(item, type_.fields[name].type)}" for name, item in value.items())
        return f"{{{', '.join(fields)}}}"
    return json.dumps(value, ensure_ascii=False)

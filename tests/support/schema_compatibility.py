"""Compares two versions of the schema: nothing may be removed that was not deprecated in an earlier release."""

from graphql import (
    REMOVE,
    DirectiveNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Node,
    Visitor,
    build_ast_schema,
    build_schema,
    find_breaking_changes,
    get_named_type,
    parse,
    visit,
)


def broken(released: str, now: str) -> list[str]:
    """Returns the changes since a released SDL that break a client without deprecated fields, as sentences."""
    return sorted(change.description for change in find_breaking_changes(promised(released), build_schema(now)))


def promised(released: str) -> GraphQLSchema:
    """Returns a released schema without its deprecated parts and the types that only these reach."""
    kept = build_ast_schema(visit(parse(released), _WithoutDeprecated()))
    return GraphQLSchema(kept.query_type, kept.mutation_type, kept.subscription_type, _implementers(kept))


def differences(released: str, now: str) -> set[str]:
    """Returns the coordinates of what was added, removed, deprecated or changed in type; for a whole type its name."""
    before, after = _signatures(build_schema(released)), _signatures(build_schema(now))
    changed = {each for each in before.keys() | after.keys() if before.get(each) != after.get(each)}
    whole = {each for each in changed if "." not in each}
    return {each for each in changed if each in whole or each.partition(".")[0] not in whole}


class _WithoutDeprecated(Visitor):
    def enter(self, node: Node, *_: object) -> object:
        directives: tuple[DirectiveNode, ...] = getattr(node, "directives", None) or ()
        return REMOVE if any(each.name.value == "deprecated" for each in directives) else None


def _implementers(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """Returns the types that only an interface reaches, without unreachable types."""
    reached: set[str] = set()
    waiting = [root for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root]
    while waiting:
        kind = waiting.pop()
        if kind.name in reached:
            continue
        reached.add(kind.name)
        if isinstance(kind, GraphQLInterfaceType):
            waiting += schema.get_possible_types(kind)
        if isinstance(kind, GraphQLUnionType):
            waiting += kind.types
        for field in getattr(kind, "fields", {}).values():
            waiting.append(get_named_type(field.type))
            waiting += [get_named_type(argument.type) for argument in getattr(field, "args", {}).values()]
        waiting += getattr(kind, "interfaces", ())
    return [schema.type_map[name] for name in sorted(reached)]


def _signatures(schema: GraphQLSchema) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for name, kind in schema.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        found[name] = (type(kind).__name__,)
        if isinstance(kind, GraphQLEnumType):
            found |= {f"{name}.{word}": (value.deprecation_reason,) for word, value in kind.values.items()}
        elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                arguments = tuple(
                    (argument, str(each.type), each.deprecation_reason)
                    for argument, each in sorted(getattr(field, "args", {}).items())
                )
                found[f"{name}.{field_name}"] = (str(field.type), field.deprecation_reason, arguments)
    return found

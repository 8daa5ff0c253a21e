"""What a client with a normalised cache asks for: every field of every record that it shows, and of a payload.

Generated from the schema, so that a field or a mutation that is added later is in it.
"""

from functools import cache

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_leaf_type

from tests.authorization.schema_crawler import arguments_of, graph, is_node, node_types

# Links and figures of the moment, which differ each time that they are read.
MOMENTARY = {"Download", "generatedAt", "authorizationUrl", "calendarUrl", "AssessorWorkload"}
# What there is one of. The other root fields are lists of the whole provider, which no payload contains.
ROOTS = ("viewer", "providerSettings", "samplingPolicy")
# Records of a payload, those next to them and those next to these have all their fields; further records their id.
DEPTH = 3
# A criterion that evidence is no longer mapped to is found through the units of the aim.
FURTHER = {"evidenceUnmap": 4}


def _fields(type_: GraphQLObjectType, depth: int) -> str:
    parts = ["__typename"]
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if name in MOMENTARY or inner.name in MOMENTARY:
            continue
        given = arguments_of(type_, name, field).replace("(first: 100)", "")
        parts.append(f"{name}{given} {_below(inner, depth)}")
    return " ".join(parts)


def _below(inner: object, depth: int) -> str:
    if is_leaf_type(inner):
        return ""
    if isinstance(inner, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(inner, GraphQLObjectType)
    if not is_node(inner):
        if inner.name.endswith("Edge"):
            return "{ cursor node { __typename id } }"
        # The viewer of a payload has its own fields, and those of its own records.
        depth = min(depth, 1) if inner.name == "Viewer" else depth
        return f"{{ {_fields(inner, depth)} }}"
    return f"{{ ...{inner.name}{depth - 1} }}" if depth else "{ __typename id }"


def _with_fragments(text: str) -> str:
    """Returns a document with the fragments that it uses."""
    used, waiting, parts = set(), [text], [text]
    names = {type_.name: type_ for type_ in node_types()}
    while waiting:
        content = waiting.pop()
        for type_name, type_ in names.items():
            for depth in range(DEPTH + 1):
                name = f"{type_name}{depth}"
                if name not in used and f"...{name} " in content:
                    used.add(name)
                    fragment = f"fragment {name} on {type_name} {{ {_fields(type_, depth)} }}"
                    parts.append(fragment)
                    waiting.append(fragment)
    return "\n".join(parts)


@cache
def screens() -> str:
    """Returns the query of what the client shows: records of each type by their ids, the viewer, the settings."""
    names = [type_.name for type_ in node_types()]
    declared = ", ".join(f"${name}: [ID!]!" for name in names)
    records = " ".join(f"{name}: nodes(ids: ${name}) {{ __typename id ...{name}0 }}" for name in names)
    roots = " ".join(f"{name} {_below(get_named_type(graph().query_type.fields[name].type), 0)}" for name in ROOTS)
    return _with_fragments(f"query Screens({declared}) {{ {records} {roots} }}")


@cache
def mutation_document(mutation: str) -> str:
    """Returns a mutation with its arguments as variables, which selects its whole payload."""
    field, depth = graph().mutation_type.fields[mutation], FURTHER.get(mutation, DEPTH)
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in field.args.items())
    passed = ", ".join(f"{name}: ${name}" for name in field.args)
    declared, passed = (f"({text})" if text else "" for text in (declared, passed))
    return _with_fragments(
        f"mutation Change{declared} {{ {mutation}{passed} {_below(get_named_type(field.type), depth)} }}"
    )

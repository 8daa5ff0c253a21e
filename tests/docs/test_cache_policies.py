"""The policies of Apollo Client's cache in docs/api.md name every list and every value of the schema that needs one."""

import re

from graphql import GraphQLObjectType, get_named_type, get_nullable_type, is_list_type

from tests.support.architecture import ROOT
from tests.support.client import SCHEMA

BLOCK = next(
    block
    for block in re.findall(r"^```js\n(.*?)^```$", (ROOT / "docs/api.md").read_text(), re.M | re.S)
    if "typePolicies" in block
)
# A link of the moment is replaced as a whole.
REPLACED = {"Download"}


def policies() -> dict[str, str]:
    """Returns the text of the policy of each type."""
    found = re.split(r"^  ([A-Z]\w+): ", BLOCK.partition("typePolicies = {")[2], flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def read_types() -> list[GraphQLObjectType]:
    """Returns the types of the schema that a cache keeps."""
    return [
        type_
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        and not type_.name.startswith("__")
        and not type_.name.endswith(("Payload", "Edge", "Connection"))
        and type_ not in (SCHEMA.mutation_type, SCHEMA.subscription_type)
    ]


def test_every_list_that_has_pages_is_named() -> None:
    expected = {
        type_.name: {
            name for name, field in type_.fields.items() if get_named_type(field.type).name.endswith("Connection")
        }
        for type_ in read_types()
    }
    named = {name: set(re.findall(r'"(\w+)"', text)) for name, text in policies().items() if "lists(" in text}
    assert named == {name: fields for name, fields in expected.items() if fields}


def test_every_value_that_is_no_record_is_named() -> None:
    values, singletons = set(), set()
    for type_ in read_types():
        for field in type_.fields.values():
            inner = get_named_type(field.type)
            single = isinstance(inner, GraphQLObjectType) and not is_list_type(get_nullable_type(field.type))
            if single and "id" not in inner.fields and not inner.name.endswith("Connection"):
                (singletons if type_ is SCHEMA.query_type else values).add(inner.name)
    assert {name for name, text in policies().items() if "merge: true" in text} == values - singletons - REPLACED
    assert {name for name, text in policies().items() if "keyFields" in text} == singletons

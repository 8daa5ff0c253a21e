"""The served schema equals the file in the repository, meets the contract, and describes everything."""

import os
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    find_breaking_changes,
    parse,
    validate,
)

from schema.root import printed
from tests.support.client import served_schema

ROOT = Path(__file__).parents[2]
# Beside the repository where it is developed; elsewhere the setting names it, or there is none.
CONTRACT = Path(os.environ.get("WAYMARK_CONTRACT", ROOT.parent / "shared" / "contract"))

served = served_schema()._schema


def test_the_sdl_in_the_repository_is_what_is_served() -> None:
    assert (ROOT / "schema" / "schema.graphql").read_text() == printed(), (
        "the schema changed: look at the difference, then `.venv/bin/python server.py schema > schema/schema.graphql`"
    )


def described() -> list[str]:
    """Returns the coordinates of the schema that have no description."""
    silent = []
    for name, kind in served.type_map.items():
        if name.startswith("__") or name in ("String", "Int", "Float", "Boolean", "ID"):
            continue
        if not kind.description:
            silent.append(name)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                if not field.description:
                    silent.append(f"{name}.{field_name}")
                for argument_name, argument in getattr(field, "args", {}).items():
                    if not argument.description:
                        silent.append(f"{name}.{field_name}({argument_name}:)")
        elif isinstance(kind, GraphQLEnumType):
            silent += [f"{name}.{word}" for word, value in kind.values.items() if not value.description]
    return silent


def test_everything_in_the_schema_is_described() -> None:
    assert described() == []


@pytest.mark.skipif(not CONTRACT.is_dir(), reason="the contract is not beside this clone")
def test_the_contract_is_met() -> None:
    contract = build_schema((CONTRACT / "schema.graphql").read_text())
    mine = build_schema(printed())
    assert [change.description for change in find_breaking_changes(contract, mine)] == []
    for path in sorted((CONTRACT / "operations").glob("*.graphql")):
        assert validate(mine, parse(path.read_text())) == [], path.name

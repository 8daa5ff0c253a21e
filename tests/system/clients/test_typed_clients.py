"""Types that frontend tools make of the served schema: gql.tada's, in a client that MSW tests, and Kotlin's."""

import json
import shutil
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    is_introspection_type,
)

from schema.root import printed
from tests.support.client import SCHEMA
from tests.support.demo_server import Demo
from tests.system.clients.conftest import HERE, NODE_TEST, Run

# What Kotlin does not allow as a name without quotes.
KEYWORDS = """
as break class continue do else false for fun if in interface is null object package return super this throw true try
typealias typeof val var when while
"""
BUILT_IN = {
    "String",
    "Int",
    "Float",
    "Boolean",
    "Any",
    "List",
    "Map",
    "java.time.LocalDate",
    "java.time.OffsetDateTime",
}


@pytest.mark.long
async def test_gql_tada_types_a_client_whose_mocks_of_msw_fit_the_schema(run: Run, demo: Demo, workshop: Path) -> None:
    """Wrong fields and values do not compile, and what passes with the mocks passes with a server."""
    shutil.copytree(HERE / "typed", workshop, dirs_exist_ok=True)
    (workshop / "schema.graphql").write_text(printed())
    await run("node", "introspection.mjs", cwd=workshop)
    await run("tsc", "--project", ".", cwd=workshop)
    options = "--bundle --platform=node --packages=external --format=esm --log-level=warning"
    await run("esbuild", "portal.test.ts", *options.split(), "--outfile=portal.test.mjs", cwd=workshop)
    async with demo.serving("sqlite") as running:
        await run(*NODE_TEST, "portal.test.mjs", cwd=workshop, WAYMARK=running.address)


@pytest.mark.long
async def test_kotlin_types(run: Run, workshop: Path) -> None:
    """There is no compiler of Kotlin here: a parser reads the file, and its names are compared with the schema."""
    shutil.copytree(HERE / "kotlin", workshop, dirs_exist_ok=True)
    (workshop / "schema.graphql").write_text(printed())
    await run("graphql-codegen", "--config", "codegen.json", cwd=workshop)
    classes = json.loads(await run("node", "declarations.mjs", "Waymark.kt", cwd=workshop))
    for name, type_ in SCHEMA.type_map.items():
        if is_introspection_type(type_):
            continue
        if isinstance(type_, GraphQLEnumType):
            assert classes[name]["members"] == sorted(type_.values)
        elif isinstance(type_, GraphQLInputObjectType):
            assert set(classes[name if name.endswith("Input") else f"{name}Input"]["members"]) == set(type_.fields)
        elif isinstance(type_, GraphQLObjectType):
            assert set(classes[name]["members"]) == set(type_.fields)
    for each in classes.values():
        assert not set(each["members"]) & set(KEYWORDS.split())
        assert set(each["types"]) <= BUILT_IN | set(classes)

"""Real clients against a real server: Apollo, urql, Relay, graphql-codegen, graphql-ws, graphql-sse, tus, a gateway."""

import json
import shutil
from pathlib import Path

import pytest
from graphql import parse, print_ast

from commands.manifest import read_manifest
from domain import clock
from schema.root import printed
from services.trusted_documents.store import NewDocument, add_documents
from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.system.clients.conftest import HERE, NODE_TEST, Run


@pytest.mark.parametrize(
    "client",
    [
        "apollo",
        *(pytest.param(name, marks=pytest.mark.long) for name in ("urql", "gateway", "payloads", "live", "tus")),
    ],
)
async def test_client(run: Run, demo: Demo, client: str) -> None:
    async with demo.serving("sqlite") as running:
        await run(*NODE_TEST, f"{client}.test.mjs", WAYMARK=running.address)


# As Apollo's tool writes it: with the names of types, which the client selects.
MANIFEST = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [
        {
            "id": "sign-in-1", "name": "SignIn", "type": "mutation",
            "body": "mutation SignIn($input: LoginInput!) { login(input: $input) { accessToken __typename } }",
        },
        {"id": "mine-1", "name": "Mine", "type": "query", "body": "query Mine { viewer { role __typename } }"},
    ],
}  # fmt: skip


@pytest.mark.long
async def test_apollo_with_its_manifest_where_only_trusted_documents_run(run: Run, demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    documents = [
        NewDocument(entry.document_id, print_ast(parse(entry.text)))
        for entry in read_manifest(tmp_path / "manifest.json")
    ]
    async with demo.serving("sqlite", WAYMARK_OPERATIONS="trusted") as running:
        async with running.server.services.database.writing() as session:
            await add_documents(session, "portal", "2.0", documents, clock.now())
        await run(*NODE_TEST, "trusted.test.mjs", WAYMARK=running.address, MANIFEST=json.dumps(MANIFEST))


async def test_relay_compiler_and_runtime(run: Run, demo: Demo, workshop: Path) -> None:
    shutil.copytree(HERE / "relay", workshop / "relay")
    shutil.copy(HERE / "waymark.mjs", workshop)
    artifacts = workshop / "relay/__generated__"
    artifacts.mkdir()
    (artifacts / "package.json").write_text('{"type": "commonjs"}')
    (workshop / "schema.graphql").write_text(printed())
    config = {"src": "relay", "schema": "schema.graphql", "language": "javascript", "artifactDirectory": str(artifacts)}
    (workshop / "relay.config.json").write_text(json.dumps({**config, "eagerEsModules": False}))
    await run("relay-compiler", cwd=workshop)
    assert len(list(artifacts.glob("*.graphql.js"))) == 6
    async with demo.serving("sqlite") as running:
        await run(*NODE_TEST, "relay/learners.test.mjs", cwd=workshop, WAYMARK=running.address)


async def test_generated_types_of_every_saved_operation_compile_in_strict_mode(run: Run, workshop: Path) -> None:
    shutil.copytree(ROOT / "queries", workshop / "queries", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copy(HERE / "types/usage.ts", workshop)
    shutil.copy(HERE / "types/codegen.json", workshop)
    (workshop / "schema.graphql").write_text(printed())
    await run("graphql-codegen", "--config", "codegen.json", cwd=workshop)
    types = (workshop / "graph.ts").read_text()
    for path in (ROOT / "queries").glob("*.graphql"):
        name = path.stem.title().replace("_", "")
        assert f"export const {name}Document" in types, path.name
    strict = "--noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --skipLibCheck --target es2022"
    modules = "--module esnext --moduleResolution bundler --lib es2022,dom"
    await run("tsc", *strict.split(), *modules.split(), "usage.ts", "schema.ts", cwd=workshop)


def test_lock_files_name_no_registry() -> None:
    for folder in (HERE, ROOT / "graphiql", ROOT / "examples/learner-progress"):
        lock = folder / "package-lock.json"
        packages = json.loads(lock.read_text())["packages"]
        assert [name for name, package in packages.items() if "resolved" in package] == []
        assert [name for name, package in packages.items() if name and not package.get("integrity")] == []

"""Real clients against a real server: Apollo Client, urql, Relay, graphql-codegen, graphql-ws and graphql-sse."""

import json
import shutil
from pathlib import Path

import pytest

from schema.root import printed
from tests.support.architecture import ROOT
from tests.support.demo_server import Demo
from tests.system.clients.conftest import HERE, Run

NODE_TEST = ("node", "--test", "--test-timeout=60000")


@pytest.mark.parametrize("client", ["apollo", "payloads", "urql", "live"])
async def test_client(run: Run, demo: Demo, client: str) -> None:
    async with demo.serving("sqlite") as running:
        await run(*NODE_TEST, f"{client}.test.mjs", WAYMARK=running.address)


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
    for lock in (HERE / "package-lock.json", ROOT / "graphiql/package-lock.json"):
        packages = json.loads(lock.read_text())["packages"]
        assert [name for name, package in packages.items() if "resolved" in package] == []
        assert [name for name, package in packages.items() if name and not package.get("integrity")] == []

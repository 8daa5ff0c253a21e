"""After every mutation a client's normalised cache holds what the server would answer.

Apollo Client, with the policies of docs/api.md, shows every field of every record that the viewer may see. It runs the
mutation, which selects its whole payload, and its cache is compared with a new response.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, update

from db.database import Database
from db.models.user import User
from tests.authorization.mutation_caller import mutations
from tests.authorization.permission_setup import Uploads, build_with_uploads, open_setup
from tests.support.databases import Databases
from tests.support.http_server import RunningServer, serving
from tests.support.scenarios.authorization import AuthorizationScenario
from tests.system.clients.cache_cases import Installation, case_of
from tests.system.clients.cache_documents import mutation_document, screens
from tests.system.clients.conftest import HERE

# As docs/api.md says, a client begins with an empty cache after these: another session or role, another content of all
# records, or another version of the units.
BEGIN_AGAIN = {
    "login", "loginWithProvider", "tokenRefresh", "passwordReset", "passwordResetRequest", "logout", "roleSwitch",
    "providerSettingsUpdate", "learnerErase", "aimVersionChange",
}  # fmt: skip
# What they change is in no record: files and e-mails, tokens, secrets, and lists of the whole provider.
UNSEEN = {
    "fileUploadCreate", "messageSend", "passwordChange", "secondFactorReset", "signingCodeRequest", "employerCreate",
    "subjectAccessExport", "invitationResend", "userInvite",
    # The unit has these, and there is nothing left to plan.
    "aimUnitsChoose", "samplingPlanMake",
}  # fmt: skip
# The documents are larger than what a client may send.
LIMITS = {
    f"WAYMARK_LIMIT_{name}": "1000000000"
    for name in (
        "BODY_BYTES", "TOKENS", "DEPTH", "FIELDS", "FRAGMENTS", "DOCUMENT_CHARACTERS", "REPEATS", "REPEAT_PAIRS",
        "OPERATION_COST", "BUDGET", "BUDGET_DOCUMENTS", "PAGE_SIZE", "DIRECTIVES", "ALIASES", "INPUT_VALUES",
    )
}  # fmt: skip

pytestmark = pytest.mark.long


async def build_accepted(database: Database) -> tuple[AuthorizationScenario, Uploads]:
    """The scenario of the permission tests, in which everybody has accepted the disclaimer."""
    made = await build_with_uploads(database)
    async with database.writing() as session:
        await session.execute(update(User).values(disclaimer_accepted=1))
    return made


@dataclass
class Apollo:
    """The client's process. The server's database is the same before each mutation."""

    installation: Installation
    process: asyncio.subprocess.Process
    snapshot: sqlite3.Connection
    live: sqlite3.Connection

    async def run(self, mutation: str) -> dict[str, Any]:
        """Runs a mutation, and returns how much it changed and what is stale afterwards."""
        # In a thread: it waits for what the server writes beside requests, in this event loop.
        await asyncio.to_thread(self.snapshot.backup, self.live)
        case = await case_of(mutation, self.installation)
        visibility = self.installation.setup.visibility(case.role)
        ids = {name: sorted(ids) for name, ids in visibility.ids.items()}
        ids["AccessKey"] = [f"AccessKey_{row['id']}" for row in visibility.of("access_key", user_id=visibility.me)]
        line = {
            "token": self.installation.token(case.role), "types": list(ids), "ids": {} if case.screens else ids,
            "screens": case.screens or screens(),
            "mutation": mutation_document(mutation), "variables": case.variables,
        }  # fmt: skip
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        async with asyncio.timeout(100):
            return json.loads(await self.process.stdout.readline())


@pytest.fixture(scope="module")
async def apollo(node: Path, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Apollo]:
    folder = tmp_path_factory.mktemp("cache")
    async with open_setup(databases, "sqlite", build_accepted, folder) as setup:
        url = setup.caller.crawler.database.url
        snapshot, live = (
            sqlite3.connect(path, check_same_thread=False) for path in (":memory:", str(make_url(url).database))
        )
        live.backup(snapshot)
        async with serving(url, folder, **LIMITS) as running, node_process(running) as process:
            yield Apollo(Installation(setup, running), process, snapshot, live)
        live.close()
        snapshot.close()


@asynccontextmanager
async def node_process(running: RunningServer) -> AsyncIterator[asyncio.subprocess.Process]:
    """Apollo Client, which reads a case a line and writes an answer a line."""
    pipe, environment = asyncio.subprocess.PIPE, {**os.environ, "WAYMARK": running.address}
    process = await asyncio.create_subprocess_exec(
        "node", "cache_server.mjs", cwd=HERE, env=environment, stdin=pipe, stdout=pipe, limit=100_000_000
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("mutation", [name for name in mutations() if name not in BEGIN_AGAIN])
async def test_the_cache_is_current_after(apollo: Apollo, mutation: str) -> None:
    answer = await apollo.run(mutation)
    assert "stale" in answer, answer
    assert answer["stale"] == []
    assert (answer["changed"] == 0) == (mutation in UNSEEN)

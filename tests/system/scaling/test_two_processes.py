"""Two server processes on one PostgreSQL: logouts, single-use tokens, counters and changes apply in both."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from db.database import Database
from db.models.audit_event import AuditEvent
from services.audit.chain import audit_chain_problems
from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.server_process import ServerProcess, server_process

VIEWER = "{ viewer { role } }"
LOGIN = (
    "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken "
    "viewer { role mustChangePassword mustAcceptDisclaimer user { id name } } errors { code message } } }"
)
REFRESH = "mutation($t: String!) { tokenRefresh(refreshToken: $t) { accessToken refreshToken errors { code } } }"
LOGOUT = "mutation($t: String!) { logout(refreshToken: $t) { errors { code } } }"
CREATE = "mutation($name: String!) { employerCreate(input: { name: $name }) { employer { id } errors { code } } }"
SITES = "query($name: String!) { employers(search: $name) { totalCount } }"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="module")
async def url(demo: Demo, folder: Path) -> str:
    return await demo.copied("postgresql", folder)


@pytest.fixture(scope="module")
async def servers(url: str, folder: Path) -> AsyncIterator[list[ServerProcess]]:
    async with server_process(url, folder) as first, server_process(url, folder) as second:
        yield [first, second]


@asynccontextmanager
async def at_other_process(server: ServerProcess, person: HttpClient) -> AsyncIterator[HttpClient]:
    """A client of another process with the token of the same user."""
    async with server.anonymous() as same:
        same.use(person.tokens)
        yield same


async def code_of(person: HttpClient) -> str | None:
    answer = await person.response(VIEWER)
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None


async def test_a_logout_in_one_process_applies_in_the_other(servers: list[ServerProcess]):
    here, there = servers
    async with here.signed_in("assessor") as person, at_other_process(there, person) as same:
        # Both processes have verified the token by now, and must not rely on that.
        assert (await code_of(person), await code_of(same)) == (None, None)
        out = await person.data(LOGOUT, t=person.tokens["refreshToken"])
        assert out["logout"]["errors"] == []
        assert (await code_of(same), await code_of(person)) == ("UNAUTHENTICATED", "UNAUTHENTICATED")


async def test_a_refresh_token_is_valid_once_across_processes(servers: list[ServerProcess]):
    here, there = servers
    async with here.signed_in("iqa") as person, at_other_process(there, person) as same:
        token = person.tokens["refreshToken"]
        requests = [each.response(REFRESH, t=token) for _ in range(5) for each in (person, same)]
        answers = await asyncio.gather(*requests)
        # From one address within 30 seconds these are retries: both processes give the same answer, to the byte.
        assert len({json.dumps(answer["data"]["tokenRefresh"]) for answer in answers}) == 1
        assert answers[0]["data"]["tokenRefresh"]["errors"] == []


async def test_wrong_passwords_are_counted_across_processes(servers: list[ServerProcess]):
    here, there = servers
    guess = {"username": "employer.overview", "password": "not it"}
    async with here.anonymous() as one, there.anonymous() as other:
        codes = [
            (await each.data(LOGIN, input=guess))["login"]["errors"][0]["code"]
            for _ in range(6)
            for each in (one, other)
        ]
        assert "TOO_MANY_ATTEMPTS" not in codes[:10] and codes[10:] == ["TOO_MANY_ATTEMPTS"] * 2, codes
        # The right password is rejected too, in both processes, until the window has passed.
        right = {"username": "employer.overview", "password": "waymark-demo"}
        for each in (one, other):
            assert (await each.data(LOGIN, input=right))["login"]["errors"][0]["code"] == "TOO_MANY_ATTEMPTS"


async def test_a_write_in_one_process_is_read_in_the_other(servers: list[ServerProcess]):
    here, there = servers
    async with here.signed_in("master.admin") as person, at_other_process(there, person) as same:
        for number in range(5):
            name = f"Both see {number}"
            assert (await person.data(CREATE, name=name))["employerCreate"]["errors"] == []
            assert (await same.data(SITES, name=name))["employers"]["totalCount"] == 1


async def test_an_idempotency_key_holds_across_processes(servers: list[ServerProcess]):
    here, there = servers
    async with here.signed_in("master.admin") as person, at_other_process(there, person) as same:
        for each in (person, same):
            each.http.headers["idempotency-key"] = "scaling-key-1"
        requests = [each.data(CREATE, name="Only one") for _ in range(4) for each in (person, same)]
        made = [answer["employerCreate"]["employer"]["id"] for answer in await asyncio.gather(*requests)]
        assert len(set(made)) == 1
        assert (await same.data(SITES, name="Only one"))["employers"]["totalCount"] == 1


async def test_the_events_of_both_processes_make_one_chain(servers: list[ServerProcess], url: str):
    here, there = servers
    async with here.signed_in("master.admin") as person, at_other_process(there, person) as same:
        await asyncio.gather(*(each.data(CREATE, name=f"Chain {n}") for n in range(10) for each in (person, same)))
    database = Database(url)
    unsealed = select(AuditEvent.id).where(AuditEvent.sequence < 0)
    try:
        async with asyncio.timeout(20):
            while await database.rows(unsealed):
                await asyncio.sleep(0.02)
        async with database.snapshot() as session:
            assert [problem async for problem in audit_chain_problems(session)] == []
    finally:
        await database.close()


async def test_a_subscription_receives_commits_of_another_process(servers: list[ServerProcess]):
    here, there = servers
    subscription = {"query": "subscription { learnerChanged { id name } }"}
    change = "mutation($id: ID!, $name: String!) { learnerUpdate(id: $id, input: { name: $name }) { errors { code } } }"
    async with here.signed_in("master.admin") as person, at_other_process(there, person) as same:
        learner = (await person.data("{ learners(first: 1) { nodes { id name } } }"))["learners"]["nodes"][0]
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {same.tokens['accessToken']}"}
        async with httpx2.AsyncClient(base_url=there.address, timeout=30, headers=headers) as client:
            async with client.stream("POST", "/graphql", json=subscription) as stream:
                assert stream.status_code == 200
                event_task = asyncio.create_task(_first_event(stream))
                await asyncio.sleep(0.5)
                done = await person.data(change, id=learner["id"], name=learner["name"] + " Junior")
                assert done["learnerUpdate"]["errors"] == []
                async with asyncio.timeout(20):
                    event = await event_task
        assert event["data"]["learnerChanged"] == {"id": learner["id"], "name": learner["name"] + " Junior"}


async def _first_event(stream: httpx2.Response) -> dict:
    async for line in stream.aiter_lines():
        if line.startswith("data:") and '"data"' in line:
            return json.loads(line.removeprefix("data:"))
    raise AssertionError("the stream ended without an event")

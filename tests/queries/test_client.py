"""The client against a real server: sign-in, token refresh, rate limits, pagination and error messages."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from queries import AuthenticationError, ServerError, UsageError, run
from queries.client import Client
from queries.operations import SavedOperation, get_operation
from queries.pagination import fetch_all_pages
from queries.runner import fetch
from tests.queries.conftest import OperationRunner
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, RunningServer

# The demo's 60 learners without five whose every aim is completed, and one whose every aim is withdrawn.
COUNTED = 54


async def as_admin(running: RunningServer, work: Callable[[Client], Any]) -> Any:
    """Runs `work` with a client signed in as the Master Admin, in a thread because the client blocks."""

    def sign_in_and_work() -> Any:
        with Client(running.address) as client:
            client.sign_in("master.admin", PASSWORD)
            return work(client)

    return await asyncio.to_thread(sign_in_and_work)


async def test_every_page_is_fetched_and_reported(served: RunningServer):
    saved, progress = get_operation("employer_dashboard"), []

    def fetch_in_pages_of_seven(client: Client) -> Any:
        return fetch_all_pages(
            saved,
            {"first": 7},
            lambda variables: client.execute(saved, variables).data,
            lambda done, total: progress.append((done, total)),
        )

    pages = await as_admin(served, fetch_in_pages_of_seven)
    single_page = await as_admin(served, lambda client: client.execute(saved, {"first": 100}).data)
    assert pages["learners"]["nodes"] == single_page["learners"]["nodes"]
    assert progress == [(min(7 * page, 60), 60) for page in range(1, 10)]


async def test_result_becomes_a_data_frame(served: RunningServer):
    result = await asyncio.to_thread(
        run, "site_comparison", url=served.address, username="master.admin", password=PASSWORD
    )
    frame = result.polars()
    assert frame.columns == [column.name for column in result.columns] == result.pandas().columns.to_list()
    assert frame["kpis.learnerCount"].sum() == COUNTED == sum(row["kpis.learnerCount"] for row in result.rows)
    assert result.cost == 403


async def test_keyword_arguments_are_variables(served: RunningServer):
    def names(**variables: Any) -> list[str]:
        result = run("learners_off_track", url=served.address, username="assessor", password=PASSWORD, **variables)
        return [row["name"] for row in result.rows]

    everyone = await asyncio.to_thread(names)
    assert 0 < len(await asyncio.to_thread(names, employerId="Employer_2")) < len(everyone)
    for wrong in ("Employer_999", "nothing"):
        with pytest.raises(UsageError, match="^employerId: there is no such record, or you may not see it") as refused:
            await asyncio.to_thread(names, employerId=wrong)
        assert wrong not in str(refused.value)


async def test_truncated_connection_is_noted(served: RunningServer):
    result = await asyncio.to_thread(
        run, "awaiting_signature", url=served.address, username="assessor", password=PASSWORD, first=1
    )
    total = result.data["viewer"]["signatureRequests"]["totalCount"]
    assert total > 1 and result.notes == [f"viewer.signatureRequests: only the first 1 of {total}"]


async def test_expired_token_is_refreshed(served: RunningServer):
    def expired(client: Client) -> Any:
        client.use_token("no.longer.good")
        return client.execute(get_operation("employer_kpis"), {}).data

    assert (await as_admin(served, expired))["viewer"]["kpis"]["learnerCount"] == COUNTED


async def test_expired_token_without_a_refresh_token_is_an_authentication_error(served: RunningServer):
    with pytest.raises(AuthenticationError, match="Sign in"):
        await asyncio.to_thread(run, "employer_kpis", url=served.address, token="no.longer.good")


async def test_run_signs_out_at_its_end(demo: Demo, backend: str):
    async with demo.serving(backend) as running:
        tokens: list[str] = []

        def keep(client: Client) -> None:
            client.sign_in("iqa", PASSWORD)
            tokens.append(client._token or "")

        await asyncio.to_thread(fetch, get_operation("employer_kpis"), {}, running.address, keep)
        with pytest.raises(AuthenticationError):
            await asyncio.to_thread(run, "employer_kpis", url=running.address, token=tokens[0])


@pytest.mark.parametrize(
    ("username", "password", "role", "message"),
    [
        ("assessor", "not-it", None, "assessor could not sign in: The username or the password is wrong."),
        ("nobody", "not-it", None, "nobody could not sign in: The username or the password is wrong."),
        (
            "many.roles",
            PASSWORD,
            "MASTER_ADMIN",
            "many.roles could not sign in: You do not have that role. Choose another.",
        ),
        (
            "new.starter",
            PASSWORD,
            None,
            "The password must be changed first. Do this in Waymark, then run the command again.",
        ),
    ],
)
async def test_failed_sign_in_says_why(served: RunningServer, username: str, password: str, role: str, message: str):
    with pytest.raises(AuthenticationError) as error:
        await asyncio.to_thread(
            run, "employer_kpis", url=served.address, username=username, password=password, role=role
        )
    assert str(error.value).startswith(message)


async def test_account_with_several_roles_uses_the_given_one(served: RunningServer):
    def row_count(role: str) -> int:
        return len(run("off_the_job_hours", url=served.address, username="many.roles", password=PASSWORD, role=role))

    assert await asyncio.to_thread(row_count, "ASSESSOR") != await asyncio.to_thread(row_count, "IQA")


async def test_server_that_accepts_saved_operations_only(demo: Demo, backend: str):
    async with demo.serving(backend, WAYMARK_OPERATIONS="trusted") as running:
        data = await as_admin(running, lambda client: client.execute(get_operation("employer_kpis"), {}).data)
        assert data["viewer"]["kpis"]["learnerCount"] == COUNTED
        changed = SavedOperation("employer_kpis", "{ viewer { role } }")
        with pytest.raises(ServerError, match="another version of employer_kpis"):
            await as_admin(running, lambda client: client.execute(changed, {}))


async def test_operation_with_an_unknown_hash_is_sent_as_text(served: RunningServer):
    changed = SavedOperation("employer_kpis", "{ viewer { role } }")
    data = await as_admin(served, lambda client: client.execute(changed, {}).data)
    assert data == {"viewer": {"role": "MASTER_ADMIN"}}


async def test_graphql_error_is_passed_on(runner: OperationRunner):
    client = await runner.client("IQA")
    with pytest.raises(ServerError, match="rejected time_log: .*not a cursor of this list"):
        await asyncio.to_thread(client.execute, get_operation("time_log"), {"learnerId": "Learner_1", "after": "x"})


class StopWaiting(Exception):
    """Raised in place of a wait, so that the test does not take that long."""


async def test_client_waits_when_rate_limited(demo: Demo, backend: str):
    messages: list[str] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        raise StopWaiting

    def spend(address: str) -> None:
        client = Client(address, messages.append, wait)
        client.sign_in("master.admin", PASSWORD)
        for _ in range(3):
            client.execute(get_operation("site_comparison"), {})

    async with demo.serving(backend, WAYMARK_LIMIT_BUDGET="1000") as running:
        with pytest.raises(StopWaiting):
            await asyncio.to_thread(spend, running.address)
    assert 1 <= waits[0] <= 120
    assert messages == [f"Waiting {waits[0]:.0f} s: the rate limit is reached"]


def mock_client(*responses: httpx2.Response | Exception) -> tuple[Client, list[float], list[dict[str, Any]]]:
    """Returns a client that gets these responses in order, the waits it makes, and the bodies it sends."""
    remaining, waits, sent = list(responses), [], []

    def handle(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        response = remaining.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    return Client("portfolio.example", sleep=waits.append, transport=httpx2.MockTransport(handle)), waits, sent


GOOD = {"data": {"viewer": None}, "extensions": {"cost": {"requested": 5, "left": 10}}}


def rate_limited(seconds: str) -> httpx2.Response:
    error = {"message": "Your budget is spent.", "extensions": {"code": "BUDGET_SPENT"}}
    return httpx2.Response(429, headers={"retry-after": seconds}, json={"errors": [error]})


def test_request_is_repeated_after_the_wait():
    client, waits, sent = mock_client(rate_limited("17"), rate_limited("1"), httpx2.Response(200, json=GOOD))
    assert client.execute(get_operation("employer_kpis"), {}).cost == 5
    assert waits == [17.0, 1.0] and sent[0] == sent[1] == sent[2]
    assert sent[0]["documentId"] == f"sha256:{get_operation('employer_kpis').sha256}"


def test_excessive_wait_is_an_error():
    client, waits, _ = mock_client(rate_limited("3600"))
    with pytest.raises(ServerError, match="asks clients to wait 3600 seconds"):
        client.execute(get_operation("employer_kpis"), {})
    assert waits == []


def test_number_of_waits_is_limited():
    client, waits, _ = mock_client(*[rate_limited("1")] * 11)
    with pytest.raises(ServerError, match="Your budget is spent"):
        client.execute(get_operation("employer_kpis"), {})
    assert len(waits) == 10


def test_only_queries_are_repeated_after_a_broken_connection():
    broken = httpx2.ReadError("gone")
    client, _, sent = mock_client(broken, broken, httpx2.Response(200, json=GOOD))
    assert client.execute(get_operation("employer_kpis"), {}).cost == 5 and len(sent) == 3
    for name, attempts in (("employer_kpis", 3), ("token_refresh", 1)):
        client, _, sent = mock_client(*[broken] * 3)
        with pytest.raises(ServerError, match="failed: ReadError"):
            client.execute(get_operation(name), {})
        assert len(sent) == attempts


def test_response_that_is_not_graphql_is_an_error():
    client, _, _ = mock_client(httpx2.Response(502, text="<h1>Bad gateway</h1>"))
    with pytest.raises(ServerError, match="answered HTTP 502 without a GraphQL response. Check the URL."):
        client.execute(get_operation("employer_kpis"), {})


def test_a_server_that_restarts_is_waited_for():
    refused, gateway = httpx2.ConnectError("refused"), httpx2.Response(502, text="<h1>Bad gateway</h1>")
    good = httpx2.Response(200, json=GOOD)
    client, waits, sent = mock_client(good, refused, refused, gateway, httpx2.ReadError("gone"), good)
    for _ in range(2):
        assert client.execute(get_operation("employer_kpis"), {}).cost == 5
    assert (waits, len(sent)) == ([0.5, 1.0, 2.0, 5.0], 6)


def test_a_server_that_does_not_come_back_is_given_up():
    client, waits, _ = mock_client(httpx2.Response(200, json=GOOD), *[httpx2.ConnectError("refused")] * 60)
    client.execute(get_operation("employer_kpis"), {})
    with pytest.raises(ServerError, match="Cannot connect to"):
        client.execute(get_operation("employer_kpis"), {})
    assert 120 <= sum(waits) < 130


def test_the_moment_of_reading_is_by_the_servers_clock():
    dated = httpx2.Response(200, json=GOOD, headers={"date": "Wed, 01 Jul 2026 12:00:05 GMT"})
    client, _, _ = mock_client(dated, httpx2.Response(200, json=GOOD))
    at = dt.datetime(2026, 7, 1, 12, 0, 5, tzinfo=dt.UTC)
    assert dt.timedelta(0) <= at - client.execute(get_operation("employer_kpis"), {}).as_of < dt.timedelta(seconds=5)
    as_of = client.execute(get_operation("employer_kpis"), {}).as_of
    assert abs(as_of - dt.datetime.now(dt.UTC)) < dt.timedelta(seconds=5)


def test_unreachable_server_is_an_error():
    with pytest.raises(ServerError, match="Cannot connect to http://127.0.0.1:9/graphql"):
        run("employer_kpis", url="http://127.0.0.1:9", token="x")


async def test_a_mutation_is_repeated_with_the_same_idempotency_key():
    """The server does not know whether the first request had its effect, and asks for a repetition."""
    keys: list[str | None] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        keys.append(request.headers.get("idempotency-key"))
        if len(keys) == 1:
            error = {"message": "It may be saved, or not.", "extensions": {"code": "OUTCOME_UNKNOWN"}}
            return httpx2.Response(503, json={"errors": [error]}, headers={"retry-after": "2"})
        return httpx2.Response(200, json={"data": {}})

    waits: list[float] = []
    client = Client("http://example.org", sleep=waits.append, transport=httpx2.MockTransport(answer))
    client.execute(get_operation("log_time"), {"input": {}})
    client.execute(get_operation("log_time"), {"input": {}})
    assert waits == [2]
    assert keys[0] and keys[0] == keys[1] != keys[2]
    client.execute(get_operation("site_comparison"), {})
    assert keys[3] is None

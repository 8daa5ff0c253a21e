"""The client against a real server: signing in, refreshing, waiting, pages, and what it says of faults."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from queries import NotLetIn, Unanswered, WrongUse, run
from queries.client import Client
from queries.paging import fetch_all
from queries.running import fetch
from queries.saved import Saved, find
from tests.queries.conftest import Desk
from tests.support.demo_server import Demo
from tests.support.http_server import PASSWORD, Running


async def as_admin(running: Running, work: Callable[[Client], Any]) -> Any:
    """Does what a signed-in client of the Master Admin's does, in a thread: the client waits for its answers."""

    def signed_in() -> Any:
        with Client(running.address) as client:
            client.sign_in("master.admin", PASSWORD)
            return work(client)

    return await asyncio.to_thread(signed_in)


async def test_every_page_is_fetched_and_reported(served: Running):
    saved, reached = find("employer_dashboard"), []

    def in_sevens(client: Client) -> Any:
        return fetch_all(
            saved,
            {"first": 7},
            lambda variables: client.ask(saved, variables).data,
            lambda done, total: reached.append((done, total)),
        )

    pages = await as_admin(served, in_sevens)
    whole = await as_admin(served, lambda client: client.ask(saved, {"first": 100}).data)
    assert pages["learners"]["nodes"] == whole["learners"]["nodes"]
    assert reached == [(min(7 * page, 60), 60) for page in range(1, 10)]


async def test_two_lines_of_python_give_a_frame(served: Running):
    result = await asyncio.to_thread(
        run, "site_comparison", url=served.address, username="master.admin", password=PASSWORD
    )
    frame = result.polars()
    assert frame.columns == [column.name for column in result.columns] == result.pandas().columns.to_list()
    assert frame["kpis.learnerCount"].sum() == 60 == sum(row["kpis.learnerCount"] for row in result.rows)
    assert result.cost == 403


async def test_variables_of_the_operation_are_keywords(served: Running):
    def mine(**variables: Any) -> list[str]:
        found = run("learners_off_track", url=served.address, username="assessor", password=PASSWORD, **variables)
        return [row["name"] for row in found.rows]

    everyone = await asyncio.to_thread(mine)
    assert 0 < len(await asyncio.to_thread(mine, employerId="Employer_2")) < len(everyone)
    assert await asyncio.to_thread(mine, employerId="Employer_999") == []


async def test_a_list_that_cannot_be_followed_is_said_to_be_cut(served: Running):
    result = await asyncio.to_thread(
        run, "awaiting_signature", url=served.address, username="assessor", password=PASSWORD, first=2
    )
    total = result.data["viewer"]["signatureRequests"]["totalCount"]
    assert total > 2 and result.notes == [f"viewer.signatureRequests: only the first 2 of {total}"]


async def test_a_token_that_runs_out_is_refreshed(served: Running):
    def expired(client: Client) -> Any:
        client.use_token("no.longer.good")
        return client.ask(find("employer_kpis"), {}).data

    assert (await as_admin(served, expired))["viewer"]["kpis"]["learnerCount"] == 60


async def test_a_token_without_a_refresh_token_is_said_to_be_over(served: Running):
    with pytest.raises(NotLetIn, match="Sign in"):
        await asyncio.to_thread(run, "employer_kpis", url=served.address, token="no.longer.good")


async def test_the_sign_in_ends_with_the_run(demo: Demo, backend: str):
    async with demo.serving(backend) as running:
        tokens: list[str] = []

        def keep(client: Client) -> None:
            client.sign_in("iqa", PASSWORD)
            tokens.append(client._token or "")

        await asyncio.to_thread(fetch, find("employer_kpis"), {}, running.address, keep)
        with pytest.raises(NotLetIn):
            await asyncio.to_thread(run, "employer_kpis", url=running.address, token=tokens[0])


@pytest.mark.parametrize(
    ("username", "password", "role", "said"),
    [
        ("assessor", "not-it", None, "assessor could not sign in: The username or the password is wrong."),
        ("nobody", "not-it", None, "nobody could not sign in: The username or the password is wrong."),
        ("many.roles", PASSWORD, "MASTER_ADMIN", "many.roles could not sign in: This login does not hold that role."),
        (
            "new.starter",
            PASSWORD,
            None,
            "The password has to be changed first: do it in the e-portfolio, then run this",
        ),
    ],
)
async def test_who_may_not_come_in_is_told_why(served: Running, username: str, password: str, role: str, said: str):
    with pytest.raises(NotLetIn) as refused:
        await asyncio.to_thread(
            run, "employer_kpis", url=served.address, username=username, password=password, role=role
        )
    assert str(refused.value).startswith(said)


async def test_one_login_runs_in_the_role_it_names(served: Running):
    def counted(role: str) -> int:
        return len(run("off_the_job_hours", url=served.address, username="many.roles", password=PASSWORD, role=role))

    assert await asyncio.to_thread(counted, "ASSESSOR") != await asyncio.to_thread(counted, "IQA")


async def test_a_server_that_runs_saved_operations_only(demo: Demo, backend: str):
    async with demo.serving(backend, WAYMARK_OPERATIONS="trusted") as running:
        data = await as_admin(running, lambda client: client.ask(find("employer_kpis"), {}).data)
        assert data["viewer"]["kpis"]["learnerCount"] == 60
        ours = Saved("employer_kpis", "{ viewer { role } }")
        with pytest.raises(Unanswered, match="knows employer_kpis in another version only"):
            await as_admin(running, lambda client: client.ask(ours, {}))


async def test_an_operation_of_another_version_is_sent_as_text(served: Running):
    ours = Saved("employer_kpis", "{ viewer { role } }")
    data = await as_admin(served, lambda client: client.ask(ours, {}).data)
    assert data == {"viewer": {"role": "MASTER_ADMIN"}}


async def test_what_the_server_refuses_is_passed_on(export_service: Desk):
    client = await export_service.client("IQA")
    with pytest.raises(Unanswered, match="did not answer time_log: .*not a cursor of this list"):
        await asyncio.to_thread(client.ask, find("time_log"), {"learnerId": "Learner_1", "after": "x"})


class Enough(Exception):
    """Ends a wait that nobody has time for."""


async def test_a_spent_budget_is_waited_for(demo: Demo, backend: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAYMARK_LIMIT_BUDGET", "1000")
    told: list[str] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        raise Enough

    def spend(address: str) -> None:
        client = Client(address, told.append, wait)
        client.sign_in("master.admin", PASSWORD)
        for _ in range(3):
            client.ask(find("site_comparison"), {})

    async with demo.serving(backend) as running:
        with pytest.raises(Enough):
            await asyncio.to_thread(spend, running.address)
    assert 1 <= waits[0] <= 120
    assert told == [f"The server asks to wait {waits[0]:.0f} s (the budget of this minute is spent)"]


def answering(*answers: httpx2.Response | Exception) -> tuple[Client, list[float], list[dict[str, Any]]]:
    """A client to whom these answers come, one after the other; what it waited, and what it sent."""
    left, waits, sent = list(answers), [], []

    def handle(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Client("portfolio.example", sleep=waits.append, transport=httpx2.MockTransport(handle)), waits, sent


GOOD = {"data": {"viewer": None}, "extensions": {"cost": {"requested": 5, "left": 10}}}


def spent(seconds: str) -> httpx2.Response:
    error = {"message": "Your budget is spent.", "extensions": {"code": "BUDGET_SPENT"}}
    return httpx2.Response(429, headers={"retry-after": seconds}, json={"errors": [error]})


def test_after_the_wait_the_same_is_asked_again():
    client, waits, sent = answering(spent("17"), spent("1"), httpx2.Response(200, json=GOOD))
    assert client.ask(find("employer_kpis"), {}).cost == 5
    assert waits == [17.0, 1.0] and sent[0] == sent[1] == sent[2]
    assert sent[0]["documentId"] == f"sha256:{find('employer_kpis').sha256}"


def test_no_wait_is_longer_than_anybody_would_wait():
    client, waits, _ = answering(spent("3600"))
    with pytest.raises(Unanswered, match="asks to come back in 3600 seconds"):
        client.ask(find("employer_kpis"), {})
    assert waits == []


def test_a_server_that_goes_on_refusing_is_left():
    client, waits, _ = answering(*[spent("1")] * 11)
    with pytest.raises(Unanswered, match="Your budget is spent"):
        client.ask(find("employer_kpis"), {})
    assert len(waits) == 10


def test_a_broken_connection_is_tried_again_for_what_only_reads():
    broken = httpx2.ReadError("gone")
    client, _, sent = answering(broken, broken, httpx2.Response(200, json=GOOD))
    assert client.ask(find("employer_kpis"), {}).cost == 5 and len(sent) == 3
    for name, tries in (("employer_kpis", 3), ("token_refresh", 1)):
        client, _, sent = answering(*[broken] * 3)
        with pytest.raises(Unanswered, match="broke: ReadError"):
            client.ask(find(name), {})
        assert len(sent) == tries


def test_what_is_no_graph_is_said_to_be_none():
    client, _, _ = answering(httpx2.Response(502, text="<h1>Bad gateway</h1>"))
    with pytest.raises(Unanswered, match="answered HTTP 502, and not as a graph. Is it Waymark?"):
        client.ask(find("employer_kpis"), {})


def test_a_list_that_stands_still_is_no_endless_loop():
    page = {"totalCount": 9, "pageInfo": {"hasNextPage": True, "endCursor": "x"}, "nodes": [{}]}
    with pytest.raises(Unanswered, match="employers changed while it was read"):
        fetch_all(find("site_comparison"), {}, lambda variables: {"employers": {**page, "nodes": [{}]}})


def test_pages_inside_a_list_are_refused_before_anything_is_sent():
    nested = Saved(
        "nested",
        "query($after: String) { learners { nodes { sessions(after: $after) { "
        "pageInfo { hasNextPage endCursor } nodes { id } } } } }",
    )
    with pytest.raises(WrongUse, match="nested has pages inside a list"):
        fetch_all(nested, {}, lambda variables: pytest.fail("was sent"))


def test_nobody_there():
    with pytest.raises(Unanswered, match="There is no server at http://127.0.0.1:9/graphql"):
        run("employer_kpis", url="http://127.0.0.1:9", token="x")

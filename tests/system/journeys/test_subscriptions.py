"""Subscriptions over server-sent events and WebSockets send changes to the users who see them at that moment."""

import asyncio
import datetime as dt
from contextlib import AsyncExitStack
from typing import Any

import jwt
import pytest

from auth.tokens import CLOCK_LEEWAY
from domain import clock
from tests.support.client import HttpClient
from tests.support.http_server import Clients
from tests.support.lookup import learner_id, user_id
from tests.support.subscriptions import listening, streaming

KPIS = "subscription($take: Int) { kpisChanged(take: $take) { learnerCount outstandingActionCount } }"
LEARNERS = """subscription($id: ID, $take: Int) { learnerChanged(id: $id, take: $take) {
  id name uln outstandingActionCount } }"""


async def set_action(assessor: HttpClient, learner: str, title: str = "Clean the bench") -> None:
    """Makes a change that the KPIs show."""
    asked = {
        "learnerId": learner, "kind": "ACTION", "title": title, "description": "Today.",
        "targetDate": clock.today().isoformat(),
    }  # fmt: skip
    await assessor.mutate("actionSet", input=asked)


def learner_in(message: dict[str, Any] | None) -> dict[str, Any]:
    assert message is not None and "errors" not in message
    return message["data"]["learnerChanged"]


@pytest.mark.parametrize("open_", [streaming, listening])
async def test_subscribers_get_what_they_see(clients: Clients, open_: Any):
    assessor, manager, colleague = (
        await clients("assessor"),
        await clients("employer.manager"),
        await clients("stuart.nolan"),
    )
    overview, stranger = await clients("employer.overview"), await clients("other.provider")
    maya = await learner_id(assessor, "Maya Thornton")
    theirs = (await colleague.data("{ learners { nodes { id } } }"))["learners"]["nodes"][0]["id"]
    async with AsyncExitStack() as stack:
        numbers = await stack.enter_async_context(open_(manager, KPIS))
        people = [manager, colleague, overview, stranger]
        learners = [await stack.enter_async_context(open_(person, LEARNERS)) for person in people]
        one = await stack.enter_async_context(open_(assessor, LEARNERS, id=maya))
        before = (await numbers.next())["data"]["kpisChanged"]
        # The sockets must be listening before the change.
        await asyncio.sleep(0.3)
        await set_action(assessor, maya)
        after = (await numbers.next())["data"]["kpisChanged"]
        assert after == {**before, "outstandingActionCount": before["outstandingActionCount"] + 1}
        seen = learner_in(await learners[0].next())
        assert (seen["name"], seen["uln"]) == ("Maya Thornton", None)
        assert learner_in(await learners[2].next()) == seen
        to_assessor = learner_in(await one.next())
        assert to_assessor["uln"] is not None and {**to_assessor, "uln": None} == seen

        # A colleague's first message is about their own learner; a subscription to one learner gets only that one.
        await set_action(assessor, theirs)
        assert learner_in(await learners[1].next())["id"] == theirs
        await set_action(assessor, maya, "Sharpen the files")
        assert learner_in(await one.next())["id"] == maya
        calder = (await stranger.data("{ learners { nodes { id } } }"))["learners"]["nodes"][0]["id"]
        await set_action(stranger, calder)
        assert learner_in(await learners[3].next())["id"] == calder


async def test_a_revoked_learner_is_no_longer_streamed(clients: Clients):
    admin, assessor, manager = (
        await clients("master.admin"),
        await clients("assessor"),
        await clients("employer.manager"),
    )
    maya, helen = await learner_id(admin, "Maya Thornton"), await user_id(admin, "Helen Ashworth")
    others = [one["id"] for one in (await manager.data("{ learners { nodes { id } } }"))["learners"]["nodes"]]
    other = next(one for one in others if one != maya)
    async with streaming(manager, LEARNERS) as stream, streaming(manager, KPIS) as numbers:
        count = (await numbers.next())["data"]["kpisChanged"]["learnerCount"]
        await admin.mutate("employerManagerDeallocate", userId=helen, learnerIds=[maya])
        assert (await numbers.next())["data"]["kpisChanged"]["learnerCount"] == count - 1
        await stream.settled(0.5)
        await set_action(assessor, maya)
        await asyncio.sleep(0.5)
        await set_action(assessor, other)
        assert {learner_in(message)["id"] for message in await stream.settled()} == {other}
    await admin.mutate("employerManagerAllocate", userId=helen, learnerIds=[maya])


async def test_a_burst_of_changes_is_few_messages_with_the_final_numbers(clients: Clients):
    learner, manager = await clients("learner"), await clients("employer.manager")
    maya = await learner_id(learner, "Maya Thornton")
    one = "timeLogEntryAdd(input: $input) { errors { code } }"
    burst = f"mutation($input: TimeLogEntryInput!) {{ {' '.join(f'a{n}: {one}' for n in range(25))} }}"
    entry = {
        "learnerId": maya, "date": clock.today().isoformat(), "activityType": "TRAINER_LED_TRAINING", "minutes": 1,
        "comments": "A minute.",
    }  # fmt: skip
    watched = "subscription($id: ID) { learnerChanged(id: $id) { id offTheJob { actualMinutes } } }"
    async with streaming(manager, watched, id=maya) as stream:
        await asyncio.sleep(0.3)
        for answer in [await learner.data(burst, input=entry) for _ in range(2)]:
            assert all(payload["errors"] == [] for payload in answer.values())
        messages = [learner_in(message) for message in await stream.settled()]
    assert 1 <= len(messages) < 25
    assert (
        messages[-1]["offTheJob"]["actualMinutes"]
        == (await learner.read("Learner", maya))["offTheJob"]["actualMinutes"]
    )


async def test_take_ends_a_stream(clients: Clients):
    manager = await clients("employer.manager")
    for open_ in (streaming, listening):
        async with open_(manager, KPIS, take=1) as stream:
            assert (await stream.next())["data"]["kpisChanged"]["learnerCount"] > 0
            assert await stream.next() is None
    async with streaming(manager, KPIS, take=0) as stream:
        assert (await stream.next())["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_stream_ends_with_its_token(clients: Clients):
    manager = await clients("employer.manager")
    key = clients.running.server.settings.secret_keys["test"]
    token = manager.tokens["accessToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    claims["exp"] = clock.now() + dt.timedelta(seconds=2) - CLOCK_LEEWAY
    ending = HttpClient(manager.http)
    ending.tokens = {"accessToken": jwt.encode(claims, key, "HS256", headers=jwt.get_unverified_header(token))}
    async with streaming(ending, KPIS) as stream, listening(ending, KPIS) as socket:
        assert "data" in await stream.next()
        assert "data" in await socket.next()
        assert (await stream.next())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert await stream.next() is None
        assert (await socket.closed())[0] == 4403


async def test_a_stream_ends_with_a_logout(clients: Clients):
    person = await clients.anonymous()
    await person.sign_in("fiona.grange")
    async with streaming(person, KPIS) as stream, streaming(person, LEARNERS) as quiet:
        assert "data" in await stream.next()
        await person.mutate("logout", refreshToken=person.tokens["refreshToken"])
        for one in (stream, quiet):
            assert (await one.next())["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            assert await one.next() is None

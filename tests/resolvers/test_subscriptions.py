"""Streams of a real server follow the viewer's scope and the provider's settings."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from domain import clock
from tests.support.client import HttpClient
from tests.support.demo_server import Demo

SETTINGS = (
    "mutation($n: Float!) { providerSettingsUpdate(input: { trafficLightTolerance: $n }) { errors { message } } }"
)


@asynccontextmanager
async def stream(person: HttpClient, subscription: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Yields the data of each message of a subscription over server-sent events."""

    async def messages() -> AsyncIterator[dict[str, Any]]:
        async for line in response.aiter_lines():
            if line.startswith("data:") and line.removeprefix("data:").strip():
                yield json.loads(line.removeprefix("data:"))["data"]

    request = person.http.stream(
        "POST", "/graphql", json={"query": subscription}, headers={"accept": "text/event-stream"}
    )
    async with request as response:
        assert response.status_code == 200
        yield messages()


@pytest.mark.parametrize("fields", ["offTrackCount", "generatedAt"], ids=["a-number", "no-number"])
async def test_a_change_of_the_settings_reaches_an_open_stream(demo: Demo, backend: str, fields: str) -> None:
    async with (
        demo.serving(backend) as running,
        running.signed_in("assessor") as assessor,
        running.signed_in("master.admin") as admin,
        stream(assessor, f"subscription {{ kpisChanged(take: 2) {{ {fields} }} }}") as messages,
    ):
        async with asyncio.timeout(20):
            first = await anext(messages)
            await admin.data(SETTINGS, n=60)
            second = await anext(messages)
    assert second["kpisChanged"] != first["kpisChanged"]
    if fields == "offTrackCount":
        assert second["kpisChanged"]["offTrackCount"] < first["kpisChanged"]["offTrackCount"]


async def test_streamed_learners_have_the_light_of_the_current_settings(demo: Demo, backend: str) -> None:
    async with (
        demo.serving(backend) as running,
        running.signed_in("assessor") as assessor,
        running.signed_in("master.admin") as admin,
    ):
        learners = await assessor.data("{ learners(filter: { trafficLight: OFF_TRACK }, first: 1) { nodes { id } } }")
        id = learners["learners"]["nodes"][0]["id"]
        asked = f'subscription {{ learnerChanged(id: "{id}", take: 1) {{ trafficLight }} }}'
        async with stream(assessor, asked) as messages, asyncio.timeout(20):
            waiting = asyncio.ensure_future(anext(messages))
            while not waiting.done():
                # A change before the stream listens is not sent, so it is repeated until it is received.
                await admin.data(SETTINGS, n=60)
                await asyncio.wait([waiting], timeout=0.3)
                if not waiting.done():
                    await admin.data(SETTINGS, n=59)
            assert (await waiting)["learnerChanged"]["trafficLight"] == "ON_TRACK"


async def test_tasks_and_parts_of_a_portfolio_are_streamed(demo: Demo, backend: str) -> None:
    async with (
        demo.serving(backend) as running,
        running.signed_in("learner") as learner,
        running.signed_in("assessor") as assessor,
        stream(assessor, "subscription { tasksChanged(take: 2) { kind count } }") as counts,
    ):
        id = (await learner.data("{ viewer { learner { id } } }"))["viewer"]["learner"]["id"]
        asked = f'subscription {{ portfolioChanged(learnerId: "{id}", take: 1) {{ learner {{ id }} parts at }} }}'
        async with stream(assessor, asked) as messages, asyncio.timeout(20):
            first = await anext(counts)
            await asyncio.sleep(0.3)
            time = "FACE_TO_FACE_SESSION"
            await learner.data(
                "mutation($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) { errors { message } } }",
                input={"learnerId": id, "date": clock.today().isoformat(), "activityType": time, "minutes": 5,
                       "comments": "Wheels"},
            )  # fmt: skip
            change, second = (await anext(messages))["portfolioChanged"], await anext(counts)
    assert (change["learner"], change["parts"]) == ({"id": id}, ["TIME_LOG"])
    was, now = ({each["kind"]: each["count"] for each in found["tasksChanged"]} for found in (first, second))
    assert now == {**was, "APPROVE_TIME": was["APPROVE_TIME"] + 1}

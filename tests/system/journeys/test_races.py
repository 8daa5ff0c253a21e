"""Races on both databases: one of concurrent requests has an effect, the others get an error or its result."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from db.models.provider import Provider
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock, signing_mutations
from domain import global_id as ids
from domain.enums import Role, SignatureRequestStatus, UserErrorCode
from domain.errors import DomainError
from resolvers import signature_request
from resolvers.core.unit_of_work import MUTATIONS, mutation
from services.audit.chain import audit_chain_problems
from tests.support.client import HttpClient
from tests.support.factories import Factory
from tests.support.http_server import Clients
from tests.support.lookup import learner_id
from tests.support.scenarios.base import PASSWORD, PASSWORD_HASH
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

RACERS = 20
# The number of races that check passwords, as clients do. The check comes before the transaction and takes most of
# the time, so the other races start with the transaction.
WITH_PASSWORD = 5


def straight_to_the_transaction() -> Any:
    """Returns the mutation that signs a document, without the check of the password before it."""
    registered = MUTATIONS["signatureRequestSign"]
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(signing_mutations, "ALL", ())
            return mutation("signatureRequestSign")(signature_request.sign.__wrapped__)
    finally:
        MUTATIONS["signatureRequestSign"] = registered


@pytest.fixture
async def scenario(empty_portfolio: EmptyPortfolio) -> EmptyPortfolio:
    """The scenario with 20 managers of one learner."""
    scenario = empty_portfolio
    _, _, ada = scenario.people["learner"]
    async with scenario.database.writing() as session:
        factory = Factory(session)
        provider = await session.get_one(Provider, ada.provider_id)
        for number in range(RACERS):
            user = await factory.user(provider, f"Manager {number}", Role.EMPLOYER_MANAGER, password_hash=PASSWORD_HASH)
            await factory.allocate(user, ada)
            scenario.people[f"manager {number}"] = (user, Role.EMPLOYER_MANAGER, None)
    return scenario


@pytest.mark.parametrize("documents", [10, pytest.param(50, marks=pytest.mark.long)])
async def test_one_of_twenty_concurrent_signers_succeeds(scenario: EmptyPortfolio, documents: int):
    async with scenario.database.writing() as session:
        factory = Factory(session)
        _, _, ada = scenario.people["learner"]
        requests = [
            await factory.signature_request(ada, scenario.user("assessor"), (Role.LEARNER, Role.EMPLOYER_MANAGER))
            for _ in range(documents)
        ]

    async def sign(who: str, request: SignatureRequest) -> Any:
        signing = signature_request.sign if request in requests[:WITH_PASSWORD] else without_password
        try:
            return await signing(
                scenario.context(who), id=ids.encode("SignatureRequest", request.id),
                document_sha256=request.document_sha256, password=PASSWORD,
            )  # fmt: skip
        except DomainError as refused:
            return {fault.code for fault in refused.errors}

    without_password = straight_to_the_transaction()
    for request in requests:
        racers = [f"manager {number}" for number in range(RACERS)]
        learner, *done = await asyncio.gather(*(sign(who, request) for who in ("learner", *racers)))
        slots = await scenario.rows(SignatureSlot, SignatureSlot.request_id == request.id)
        winners = [who for who, one in zip(racers, done, strict=True) if one == request.id]
        assert learner == request.id and len(winners) == 1
        assert all(one == {UserErrorCode.CONFLICT} for one in done if one != request.id)
        by_role = {slot.role: slot.signed_by_id for slot in slots}
        assert by_role == {
            Role.LEARNER: scenario.user("learner").id, Role.EMPLOYER_MANAGER: scenario.user(winners[0]).id
        }  # fmt: skip
        assert (await scenario.one(SignatureRequest, request.id)).status is SignatureRequestStatus.COMPLETE
    assert (await scenario.audit_trail()).count("signatureRequestSign") == 2 * documents
    async with scenario.database.writing() as session:
        assert [line async for line in audit_chain_problems(session)] == []


async def test_twenty_concurrent_completions_of_a_session_log_it_once(clients: Clients):
    assessor, others = await clients("assessor"), [await clients("basic.admin"), await clients("master.admin")]
    learner = await clients("learner")
    maya = await learner_id(assessor, "Maya Thornton")
    starts = clock.now() - dt.timedelta(hours=3)
    booking = {
        "learnerId": maya, "type": "GENERAL", "startsAt": starts.isoformat(),
        "endsAt": (starts + dt.timedelta(minutes=50)).isoformat(),
    }  # fmt: skip
    session = await assessor.mutate("sessionBook", input=booking)
    before = (await learner.read("Learner", maya))["offTheJob"]["actualMinutes"]
    racers = [[assessor, *others][number % 3] for number in range(20)]
    done = await asyncio.gather(
        *(who.payload("sessionComplete", id=session["id"], input={"attended": True}) for who in racers)
    )
    assert {payload["session"]["status"] for payload in done} == {"ATTENDED"}
    assert {payload["session"]["learner"]["offTheJob"]["actualMinutes"] for payload in done} == {before + 50}
    trail = [action for action, _ in await others[1].audit_trail(session["id"])]
    assert trail == ["sessionComplete", "sessionBook"]


async def _times(person: HttpClient, count: int, key: str, query: str, **variables: Any) -> list[dict[str, Any]]:
    """Sends one request several times at once with one Idempotency-Key; returns the data of each response."""
    answers = await asyncio.gather(
        *(
            person.http.post(
                "/graphql", json={"query": query, "variables": variables}, headers={"idempotency-key": key}
            )
            for _ in range(count)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["data"] for answer in answers]


async def test_a_hundred_requests_with_one_key_have_one_effect_and_one_result(clients: Clients):
    learner, admin = await clients("learner"), await clients("master.admin")
    maya = await learner_id(learner, "Maya Thornton")
    before = (await learner.read("Learner", maya))["offTheJob"]["actualMinutes"]
    entry = {
        "learnerId": maya, "date": clock.today().isoformat(), "activityType": "COACHING_OR_MENTORING", "minutes": 7,
        "comments": "Once.",
    }  # fmt: skip
    add = """mutation($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) {
      timeLogEntry { id minutes learner { offTheJob { actualMinutes } } } errors { code } } }"""
    first, *others = await _times(learner, 100, "one cup of tea", add, input=entry)
    assert first["timeLogEntryAdd"]["errors"] == []
    assert all(one == first for one in others)
    made = first["timeLogEntryAdd"]["timeLogEntry"]
    assert made["learner"]["offTheJob"]["actualMinutes"] == before + 7
    assert [action for action, _ in await admin.audit_trail(made["id"])] == ["timeLogEntryAdd"]
    # Another key adds another entry; the same key with other arguments is rejected; keys are separate per user.
    (again,) = await _times(learner, 1, "two cups of tea", add, input=entry)
    assert again["timeLogEntryAdd"]["timeLogEntry"]["id"] != made["id"]
    (other,) = await _times(learner, 1, "one cup of tea", add, input={**entry, "minutes": 8})
    assert other["timeLogEntryAdd"] == {"timeLogEntry": None, "errors": [{"code": "INVALID"}]}
    (theirs,) = await _times(admin, 1, "one cup of tea", add, input=entry)
    assert theirs["timeLogEntryAdd"]["timeLogEntry"]["id"] not in (None, made["id"])


async def test_one_of_concurrent_bookings_of_an_assessor_succeeds(clients: Clients):
    assessor, admin = await clients("assessor"), await clients("master.admin")
    page = await assessor.data("{ learners(first: 10, filter: { trafficLight: ON_TRACK }) { nodes { id } } }")
    starts = clock.now() + dt.timedelta(days=77)
    booking = {
        "type": "GENERAL", "startsAt": starts.isoformat(), "endsAt": (starts + dt.timedelta(hours=1)).isoformat()
    }  # fmt: skip
    learners = [one["id"] for one in page["learners"]["nodes"]]
    done = await asyncio.gather(
        *(assessor.payload("sessionBook", input={**booking, "learnerId": learner}) for learner in learners),
    )
    booked = [payload["session"]["id"] for payload in done if payload["session"]]
    assert len(booked) == 1 and len(done) > 3
    assert all(payload["errors"][0]["code"] == "CONFLICT" for payload in done if not payload["session"])
    assert [action for action, _ in await admin.audit_trail(booked[0])] == ["sessionBook"]

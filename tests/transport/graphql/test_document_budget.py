"""The budget for documents: new and rejected ones are charged by their length, before any work is done for them."""

import asyncio
import json

import httpx2 as httpx
import pytest

from tests.support.minimal_schema import AppState, make_app
from transport.graphql import Limits, endpoint
from transport.graphql.errors import HttpError
from transport.graphql.rate_limit import RateLimiter
from transport.graphql.request import decode

LIMITS = Limits(refusal_seconds=0)
KNOWN = "{number(value: 1)}"


class Asking:
    """Sends requests to an app, and counts its work on documents."""

    def __init__(self, limits, **options):
        app, self.endpoint, _ = make_app(AppState(), limits, **options)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")

    async def __call__(self, query, token="7", **more):
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
        return await self.client.post("/graphql", content=json.dumps({"query": query, **more}), headers=headers)

    async def statuses(self, queries, token="7"):
        return [(await self(query, token)).status_code for query in queries]


def unknown_names(number):
    """A document of 28 kB with 480 names that the schema does not have."""
    names = (f"field{number:03d}{index:03d}" + "NotInTheSchema" * 3 + "xxxx" for index in range(480))
    return "{" + " ".join(names) + "}"


@pytest.mark.parametrize("token", ["7", None])
async def test_two_hundred_and_forty_documents_of_28_kb_are_not_worked_on(token):
    ask = Asking(LIMITS)
    async with ask.client:
        assert 27_500 < len(unknown_names(0)) < 28_500
        await ask(KNOWN)
        before = (ask.endpoint.cache_stats.parsed, ask.endpoint.cache_stats.validated)
        found = await ask.statuses(map(unknown_names, range(240)), token)
        paid = LIMITS.budget_documents // (1 + len(unknown_names(0)) // LIMITS.characters_per_point)
        assert found.count(429) == 240 - paid and 30 < paid < 40
        parsed = ask.endpoint.cache_stats.parsed - before[0]
        # Of an anonymous caller nothing is even parsed.
        assert parsed == (paid if token else 0)
        assert ask.endpoint.cache_stats.validated - before[1] == parsed
        # What is known runs on, for this caller and for others.
        assert await ask.statuses([KNOWN, KNOWN]) == [200, 200]
        assert (await ask('{ learner(id: "1") { id } }', "8")).json()["data"] == {"learner": {"id": "1"}}
        refused = await ask(unknown_names(999), token)
        assert refused.json()["errors"][0]["extensions"]["code"] == "BUDGET_SPENT"
        assert 1 <= int(refused.headers["retry-after"]) <= 120
        saved = await ask(None, None, documentId="sample_log_in", variables={"name": "9"})
        assert saved.json()["data"]["logIn"]["token"] == "token of 9"


@pytest.mark.parametrize(
    "queries",
    [
        ["{"],
        ["{nothing}"],
        ["{learners(first: 1000) {totalCount}}"],
        [f"{{learner(id: \"{number}\") {{id}}}}" for number in range(50)],
        [f"{{a{number}: number(value: 1)}}" for number in range(50)],
        ["query A {viewer {role}} query B {viewer {role}}"],
        [""],
    ],
)  # fmt: skip
async def test_each_kind_of_refusal_is_charged_each_time(queries):
    ask = Asking(Limits(budget_documents=20, refusal_seconds=0))
    async with ask.client:
        await ask.statuses([KNOWN])
        found = await ask.statuses(queries * (50 // len(queries)))
        expected = {400} if queries == [""] else {200, 429}
        assert set(found) == expected
        assert (await ask(KNOWN)).status_code == 200
        assert (await ask(KNOWN, "8")).status_code == 200


async def test_a_document_that_is_too_long_is_charged_as_one():
    ask = Asking(Limits(budget_documents=1_000, refusal_seconds=0))
    async with ask.client:
        assert await ask.statuses(["x" * 30_001, "x" * 30_001, KNOWN]) == [200, 429, 200]


@pytest.mark.parametrize(
    "more",
    [
        {"documentId": "nothing"},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        {"query": KNOWN, "operationName": "Nothing"},
    ],
)
@pytest.mark.parametrize("token", ["7", None])
async def test_a_request_that_names_no_document_is_charged(more, token):
    ask = Asking(Limits(budget_documents=20, refusal_seconds=0))
    async with ask.client:
        found = [(await ask(**{"query": None, "token": token, **more})).status_code for _ in range(25)]
        assert found == [200] * found.index(429) + [429] * (25 - found.index(429))
        assert 18 <= found.index(429) <= 20


async def test_a_document_is_charged_once_and_its_cost_is_as_documented():
    ask = Asking(Limits(budget=50, budget_documents=2))
    async with ask.client:
        query = "query Q($n: Int) {learners(first: $n) {nodes {id}}}"
        left = [(await ask(query, variables={"n": 8})).json()["extensions"]["cost"]["left"] for _ in range(4)]
        assert left == [40, 30, 20, 10]


async def test_new_sign_ins_are_charged_and_known_ones_are_not():
    ask = Asking(Limits(budget_documents=5, refusal_seconds=0))
    async with ask.client:
        texts = [f'mutation {{a{number}: logIn(name: "7") {{token}}}}' for number in range(9)]
        assert await ask.statuses(texts, None) == [200] * 5 + [429] * 4
        assert await ask.statuses(texts[:5], None) == [200] * 5


@pytest.mark.parametrize("limits", [{"budget_documents": 1}, {"budget": 2}])
async def test_a_caller_whose_budget_is_spent_waits_for_the_refusal_and_nobody_else_does(limits):
    ask = Asking(Limits(**limits, refusal_seconds=600))
    async with ask.client:
        assert await ask.statuses([KNOWN]) == [200]
        refused = asyncio.create_task(ask("{viewer {role}}"))
        assert await ask.statuses([KNOWN], "8") == [200]
        await asyncio.sleep(0.05)
        assert not refused.done()
        refused.cancel()


def test_a_document_costs_a_point_for_each_fifty_characters():
    limiter = RateLimiter(Limits(budget_documents=4), lambda: 1_000.0)
    limiter.charge_document(7, 149)
    limiter.charge_document(7, 0)
    with pytest.raises(HttpError) as refusal:
        limiter.charge_document(7, 0)
    assert refusal.value.status == 429
    # The budget for operations is another one, and so is that of others.
    assert limiter.charge(7, 1, anonymous=False) is not None
    # However small the budget, one document is looked at.
    limiter.charge_document(8, 30_000)
    RateLimiter(Limits(budget_documents=0)).charge_document(7, 10**9)
    RateLimiter(Limits(characters_per_point=0)).charge_document(7, 100)


async def test_a_large_body_is_charged_before_it_is_decoded(monkeypatch):
    decoded = []
    monkeypatch.setattr(endpoint, "decode", lambda body, limits: decoded.append(len(body)) or decode(body, limits))
    ask = Asking(LIMITS)
    values = {f"f{number}": number for number in range(60_000)}
    async with ask.client:
        found = [await ask("{number(value: 1)}", token, variables=values) for token in ("7", "7", "8", None, None)]
        assert [answer.status_code for answer in found] == [200, 429, 200, 200, 429]
        # None of the values is looked at, and of what is refused not even the JSON.
        assert "more than 5000 values" in found[0].json()["errors"][0]["message"]
        assert found[1].json()["errors"][0]["extensions"]["code"] == "BUDGET_SPENT"
        assert len(decoded) == 3
        # Small ones are free.
        assert await ask.statuses([KNOWN] * 3) == [200] * 3

"""Cost out of types and page sizes, and the budget of points that each viewer has a minute."""

import json

import httpx2 as httpx
import pytest
from graphql import build_schema

from tests.support.minimal_schema import Toy, make_app, schema
from transport.graphql import Limits
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import HttpError, OperationRejected
from transport.graphql.rate_limit import RateLimiter, address_key

LIMITS = Limits()


@pytest.fixture
def preparation():
    return DocumentCache(schema, LIMITS)


def refused(preparation, text, variables=None):
    """The `limit` by which a document is refused."""
    with pytest.raises(OperationRejected) as refusal:
        preparation.prepare(text).operation(None).price(variables, preparation._limits)
    return refusal.value.errors[0]["extensions"].get("limit"), refusal.value.errors[0]["message"]


def price(preparation, text, variables=None, name=None):
    return preparation.prepare(text).operation(name).price(variables, preparation._limits)


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("{__typename}", None, 1),
        ("{viewer {role}}", None, 2),
        ("{viewer {role kpis {learnerCount}}}", None, 3),
        ("mutation {change}", None, 11),
        ("mutation {a: change b: change}", None, 21),
        # A connection is 1, and as many of its items as `first` says: 20 where nothing does.
        ("{learners {totalCount}}", None, 2),
        ("{learners {nodes {id}}}", None, 22),
        ("{learners(first: 5) {nodes {id}}}", None, 7),
        ("{learners(first: 5) {edges {cursor node {id}}}}", None, 7),
        ("{learners(first: 5) {nodes {id} edges {node {id}}}}", None, 12),
        ("{learners(first: 5) {...P}} fragment P on LearnerConnection {nodes {id}}", None, 7),
        ("{learners(first: 5) {nodes {aims {id}}}}", None, 2 + 5 * (1 + 10)),
        ("query Q($n: Int!) {learners(first: $n) {nodes {id}}}", {"n": 100}, 102),
        ("query Q($n: Int) {learners(first: $n) {nodes {id}}}", None, 22),
        ("query Q($n: Int) {learners(first: $n) {nodes {id}}}", {"n": None}, 22),
        ("query Q($n: Int = 7) {learners(first: $n) {nodes {id}}}", {}, 9),
        ("query Q($n: Int = 7) {learners(first: $n) {nodes {aims {id}}}}", {"n": 2.0}, 2 + 2 * 11),
        ("query Q($a: Int, $b: Int) {x: learners(first: $a) {nodes {id}} y: learners(first: $b) {nodes {id}}}",
         {"a": 3, "b": 4}, 1 + 4 + 5),
        ('{nodes(ids: ["1", "2", "3"]) {id}}', None, 4),
        ("query Q($ids: [ID!]!) {nodes(ids: $ids) {id}}", {"ids": ["1"] * 50}, 51),
    ],
)  # fmt: skip
def test_cost_is_made_of_types_and_page_sizes(preparation, text, variables, expected):
    assert price(preparation, text, variables) == expected


def test_operations_of_one_document_have_their_own_defaults(preparation):
    text = (
        "query A($n: Int = 2) {...P} query B($n: Int = 9) {...P} fragment P on Query {learners(first: $n) {nodes {id}}}"
    )
    assert (price(preparation, text, {}, "A"), price(preparation, text, {}, "B")) == (4, 11)


@pytest.mark.parametrize("first", [0, -1, 101, 10**30, 500.0])
def test_a_page_holds_1_to_100(preparation, first):
    with pytest.raises(OperationRejected) as refusal:
        price(preparation, "query Q($n: Int!) {learners(first: $n) {totalCount nodes {id}}}", {"n": first})
    assert refusal.value.errors[0]["extensions"] == {"code": "BAD_USER_INPUT", "max": 100}


@pytest.mark.parametrize("first", ["0", "-3", "101", "9" * 5_000])
def test_a_page_written_out_holds_1_to_100(preparation, first):
    with pytest.raises(OperationRejected, match="1 to 100"):
        preparation.prepare(f"{{learners(first: {first}) {{totalCount}}}}")


def test_at_most_100_ids_are_named_at_once(preparation):
    for text, variables in (
        ("{nodes(ids: [" + "1 " * 101 + "]) {id}}", None),
        ("query Q($ids: [ID!]!) {nodes(ids: $ids) {id}}", {"ids": ["1"] * 101}),
    ):
        assert "At most 100 ids" in refused(preparation, text, variables)[1]


def test_a_default_page_size_is_held_to_the_limit_too(preparation):
    with pytest.raises(OperationRejected, match="1 to 100"):
        price(preparation, "query Q($n: Int = 5000) {learners(first: $n) {nodes {id}}}", {})


def test_weights_and_lengths_can_be_set_by_field():
    limits = Limits(weights={"Viewer.kpis": 30}, list_sizes={"Learner.aims": 3}, operation_cost=100)
    preparation = DocumentCache(schema, limits)
    assert price(preparation, "{viewer {kpis {learnerCount}}}") == 32
    assert price(preparation, "{learners(first: 2) {nodes {aims {id}}}}") == 2 + 2 * 4
    assert refused(preparation, "{learners(first: 100) {nodes {id}}}")[0] == "operation_cost"


def test_the_contract_of_the_field_is_measured_too():
    class Contract:
        _schema = build_schema(
            "type Query {a(first: Int, last: Int): AConnection} type AConnection {nodes: [A]} "
            "type A {b(last: Int): AConnection ids: [ID]}"
        )

    preparation = DocumentCache(Contract, LIMITS)
    assert price(preparation, "{a(first: 10) {nodes {b(last: 3) {nodes {ids}}}}}") == 1 + 1 + 10 * (1 + 1 + 3)


class Clock:
    """A clock that tests turn."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def test_a_budget_slides_and_says_truly_when_to_come_back():
    clock = Clock()
    budget = RateLimiter(Limits(budget=100, budget_anonymous=10), clock)
    assert budget.charge(1, 60, anonymous=False) == 40
    assert budget.charge(2, 100, anonymous=False) == 0
    for passed in (0, 30, 70):
        clock.now = 1_000.0 + passed
        with pytest.raises(HttpError) as refusal:
            budget.charge(1, 100, anonymous=False)
        assert refusal.value.status == 429
        ((name, seconds),) = refusal.value.headers
        assert name == b"retry-after"
        # Not a moment before: and then it reaches.
        clock.now += int(seconds) - 2
        with pytest.raises(HttpError):
            budget.charge(1, 100, anonymous=False)
        again = RateLimiter(Limits(budget=100), clock)
        again.__dict__.update({**budget.__dict__, "_now": dict(budget._now), "_before": dict(budget._before)})
        clock.now += 2
        assert again.charge(1, 100, anonymous=False) >= 0
    clock.now += 600
    assert budget.charge(1, 100, anonymous=False) == 0


def test_a_cost_over_the_whole_budget_is_no_matter_of_waiting():
    with pytest.raises(OperationRejected, match="you may spend 10"):
        RateLimiter(Limits(budget_anonymous=10)).charge("192.0.2.1", 11, anonymous=True)
    assert RateLimiter(Limits(budget=0)).charge(1, 10**9, anonymous=False) is None


def test_callers_without_a_name_are_counted_by_address():
    assert address_key("192.0.2.1") != address_key("192.0.2.2")
    assert address_key("2001:db8:1:2::1") == address_key("2001:db8:1:2:ffff::9") != address_key("2001:db8:1:3::1")
    assert address_key(None) == ""


async def test_cost_is_reported_and_a_spent_budget_is_429():
    app, _, _ = make_app(Toy(), Limits(budget=50))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as client:

        async def ask(token):
            body = {"query": "query Q($n: Int) {learners(first: $n) {nodes {id}}}", "variables": {"n": 18}}
            headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
            return await client.post("/graphql", content=json.dumps(body), headers=headers)

        assert (await ask(7)).json()["extensions"] == {"cost": {"requested": 20, "left": 30}}
        assert (await ask(7)).json()["extensions"] == {"cost": {"requested": 20, "left": 10}}
        spent = await ask(7)
        assert spent.status_code == 429
        assert 1 <= int(spent.headers["retry-after"]) <= 120
        assert spent.json()["errors"][0]["extensions"] == {"code": "BUDGET_SPENT", "cost": 20, "budget": 50}
        assert (await ask(8)).status_code == 200

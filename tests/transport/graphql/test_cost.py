"""The cost of operations by types and page sizes, and the rate limit."""

import json

import httpx2 as httpx
import pytest
from graphql import build_schema

from tests.support.minimal_schema import AppState, make_app, schema
from transport.graphql import Limits
from transport.graphql.document_cache import DocumentCache
from transport.graphql.errors import HttpError, OperationRejected
from transport.graphql.rate_limit import RateLimiter

LIMITS = Limits()


@pytest.fixture
def documents():
    return DocumentCache(schema, LIMITS)


def rejection(documents, text, variables=None):
    """Returns the extensions and the message of the error with which an operation is rejected."""
    with pytest.raises(OperationRejected) as raised:
        cost(documents, text, variables)
    (error,) = raised.value.errors
    return error["extensions"], error["message"]


def cost(documents, text, variables=None, name=None):
    return documents.prepare(text).operation(name).cost_with(variables, documents._limits)


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("{__typename}", None, 1),
        ("{viewer {role}}", None, 2),
        ("{viewer {role kpis {learnerCount}}}", None, 3),
        ("mutation {change}", None, 11),
        ("mutation {a: change b: change}", None, 21),
        # A connection is 1, and its items as many as `first` or `last` says, else 20.
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
        ("{learners(last: 5) {nodes {id}}}", None, 7),
        ("{learners(last: 5, before: \"x\", first: null) {nodes {id}}}", None, 7),
        ("{learners(first: null, last: null) {nodes {id}}}", None, 22),
        ("query Q($f: Int, $l: Int) {learners(first: $f, last: $l) {nodes {id}}}", {"f": 3}, 5),
        ("query Q($f: Int, $l: Int) {learners(first: $f, last: $l) {nodes {id}}}", {"l": 4}, 6),
        ("query Q($f: Int, $l: Int) {learners(last: $l, first: $f) {nodes {id}}}", {"f": None, "l": 4}, 6),
        ("query Q($f: Int, $l: Int) {learners(first: $f, last: $l) {nodes {id}}}", {}, 22),
        ("query Q($f: Int = 50, $l: Int) {learners(first: $f, last: $l) {nodes {id}}}", {"f": None, "l": 4}, 6),
        ("query Q($f: Int, $l: Int = 30) {learners(first: $f, last: $l) {nodes {id}}}", None, 32),
        # With both the larger one counts.
        ("{learners(first: 3, last: 9) {nodes {id}}}", None, 11),
        ("query Q($l: Int) {learners(first: 3, last: $l) {nodes {id}}}", {"l": 9}, 11),
        ("query Q($l: Int) {learners(first: 3, last: $l) {nodes {id}}}", None, 5),
        ('{nodes(ids: ["1", "2", "3"]) {id}}', None, 4),
        ("query Q($ids: [ID!]!) {nodes(ids: $ids) {id}}", {"ids": ["1"] * 50}, 51),
    ],
)  # fmt: skip
def test_cost_is_made_of_types_and_page_sizes(documents, text, variables, expected):
    assert cost(documents, text, variables) == expected


def test_operations_of_one_document_have_their_own_defaults(documents):
    text = (
        "query A($n: Int = 2) {...P} query B($n: Int = 9) {...P} fragment P on Query {learners(first: $n) {nodes {id}}}"
    )
    assert (cost(documents, text, {}, "A"), cost(documents, text, {}, "B")) == (4, 11)


@pytest.mark.parametrize("argument", ["first", "last"])
@pytest.mark.parametrize("size", [0, -1, 101, 10**30, 500.0])
def test_a_page_size_in_a_variable_is_1_to_100(documents, argument, size):
    text = f"query Q($n: Int!) {{learners({argument}: $n) {{totalCount nodes {{id}}}}}}"
    extensions, message = rejection(documents, text, {"n": size})
    assert extensions == {"code": "BAD_USER_INPUT", "max": 100}
    assert message == f"{argument} must be between 1 and 100."


@pytest.mark.parametrize("argument", ["first", "last"])
@pytest.mark.parametrize("size", ["0", "-3", "101", "9" * 5_000])
def test_a_literal_page_size_is_1_to_100(documents, argument, size):
    with pytest.raises(OperationRejected, match=f"^{argument} must be between 1 and 100.$"):
        documents.prepare(f"{{learners({argument}: {size}) {{totalCount}}}}")


@pytest.mark.parametrize("variables", [{"f": 101, "l": 1}, {"f": 1, "l": 101}])
def test_both_page_sizes_are_checked(documents, variables):
    text = "query Q($f: Int, $l: Int) {learners(first: $f, last: $l) {nodes {id}}}"
    assert "must be between 1 and 100" in rejection(documents, text, variables)[1]


def test_at_most_100_ids_are_named_at_once(documents):
    for text, variables in (
        ("{nodes(ids: [" + "1 " * 101 + "]) {id}}", None),
        ("query Q($ids: [ID!]!) {nodes(ids: $ids) {id}}", {"ids": ["1"] * 101}),
    ):
        assert rejection(documents, text, variables)[1] == "ids must have at most 100 items."


@pytest.mark.parametrize("argument", ["first", "last"])
def test_the_default_of_a_variable_is_checked_too(documents, argument):
    text = f"query Q($n: Int = 5000) {{learners({argument}: $n) {{nodes {{id}}}}}}"
    assert rejection(documents, text, {})[1] == f"{argument} must be between 1 and 100."


def test_weights_and_lengths_can_be_set_by_field():
    limits = Limits(weights={"Viewer.kpis": 30}, list_sizes={"Learner.aims": 3}, operation_cost=100)
    documents = DocumentCache(schema, limits)
    assert cost(documents, "{viewer {kpis {learnerCount}}}") == 32
    assert cost(documents, "{learners(first: 2) {nodes {aims {id}}}}") == 2 + 2 * 4
    assert rejection(documents, "{learners(first: 100) {nodes {id}}}")[0]["limit"] == "operation_cost"


def test_a_schema_that_strawberry_did_not_make_is_measured_too():
    class Schema:
        _schema = build_schema(
            "type Query {a(first: Int, last: Int): AConnection} type AConnection {nodes: [A]} "
            "type A {b(last: Int): AConnection ids: [ID]}"
        )

    documents = DocumentCache(Schema, LIMITS)
    assert cost(documents, "{a(first: 10) {nodes {b(last: 3) {nodes {ids}}}}}") == 1 + 1 + 10 * (1 + 1 + 3)


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


def test_the_window_slides_and_retry_after_is_exact():
    clock = Clock()
    limiter = RateLimiter(Limits(budget=100, budget_anonymous=10), clock)
    assert limiter.charge(1, 60, anonymous=False) == 40
    assert limiter.charge(2, 100, anonymous=False) == 0
    for passed in (0, 30, 70):
        clock.now = 1_000.0 + passed
        with pytest.raises(HttpError) as refusal:
            limiter.charge(1, 100, anonymous=False)
        assert refusal.value.status == 429
        ((name, seconds),) = refusal.value.headers
        assert name == b"retry-after"
        # A second before it is still too early.
        clock.now += int(seconds) - 2
        with pytest.raises(HttpError):
            limiter.charge(1, 100, anonymous=False)
        again = RateLimiter(Limits(budget=100), clock)
        again.__dict__.update(
            {**limiter.__dict__, "_current": dict(limiter._current), "_previous": dict(limiter._previous)}
        )
        clock.now += 2
        assert again.charge(1, 100, anonymous=False) >= 0
    clock.now += 600
    assert limiter.charge(1, 100, anonymous=False) == 0


def test_a_cost_over_the_whole_budget_is_rejected():
    with pytest.raises(OperationRejected, match="the limit is 10 points a minute"):
        RateLimiter(Limits(budget_anonymous=10)).charge("192.0.2.1", 11, anonymous=True)
    assert RateLimiter(Limits(budget=0)).charge(1, 10**9, anonymous=False) is None


async def test_a_large_query_is_charged_for_what_it_gave():
    app, _, _ = make_app(AppState(), Limits(budget=3000))
    headers = {"content-type": "application/json", "authorization": "Bearer 7"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:

        async def costs(query):
            return (await client.post("/graphql", json={"query": query})).json()["extensions"]["cost"]

        # Each learner has 2 aims, and a list of aims is estimated at 10: 1 + 1 + 60 * (1 + 10).
        given = 1 + 1 + 60 * (1 + 2)
        large = "{learners(first: 60) {nodes {aims {id}}}}"
        assert await costs(large) == {"requested": 662, "charged": given, "left": 3000 - given}
        edges = "{learners(first: 60) {edges {node {aims {id}}}}}"
        assert await costs(edges) == {"requested": 662, "charged": given, "left": 3000 - 2 * given}
        small = "{learners(first: 40) {nodes {aims {id}}}}"
        assert await costs(small) == {"requested": 442, "left": 3000 - 2 * given - 442}


def test_what_is_given_back_is_never_more_than_was_charged_in_this_minute():
    now = 0.0
    limiter = RateLimiter(Limits(budget=1000), clock=lambda: now)
    limiter.charge(7, 600, anonymous=False)
    now = 61.0
    assert limiter.give_back(7, 500, anonymous=False) < 1000
    now = 200.0
    assert limiter.give_back(7, 500, anonymous=False) == 1000
    assert limiter.charge(7, 1000, anonymous=False) == 0


async def test_cost_is_reported_and_a_spent_budget_is_429():
    app, _, _ = make_app(AppState(), Limits(budget=50))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:

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

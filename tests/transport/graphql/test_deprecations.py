"""Finding deprecated parts of the schema in documents, and counting the operations that use them."""

import httpx2
import pytest
import strawberry
from graphql import build_schema, parse, validate

from tests.support.minimal_schema import AppState
from transport.graphql import make_endpoint
from transport.graphql.deprecations import Deprecations
from transport.observability.metrics import Metrics
from transport.observability.request_logging import OperationObserver

SCHEMA = build_schema("""
type Query { learner(id: ID!, slug: String @deprecated, filter: Filter, order: Order): Learner old: Int @deprecated }
type Learner implements Person { id: ID! name: String! photo: String @deprecated(reason: "Go.") friend: Learner }
interface Person { name: String! nick: String @deprecated }
extend type Learner { nick: String }
input Filter { site: ID employer: ID @deprecated inner: Filter orders: [Order!] }
enum Order { NAME BIRTH @deprecated }
""")


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ("{ learner(id: 1) { name } }", [()]),
        ("{ learner(id: 1) { photo again: photo } }", [("Learner.photo",)]),
        ("{ learner(id: 1) { friend { friend { photo } } } old }", [("Learner.photo", "Query.old")]),
        ('{ learner(id: 1, slug: "x") { name } }', [("Query.learner(slug:)",)]),
        ("{ learner(id: 1, filter: { inner: { employer: 1 } }) { id } }", [("Filter.employer",)]),
        ("{ learner(id: 1, order: BIRTH) { id } }", [("Order.BIRTH",)]),
        ("{ learner(id: 1, filter: { orders: [NAME, BIRTH] }) { id } }", [("Order.BIRTH",)]),
        ("query($order: Order = BIRTH) { learner(id: 1, order: $order) { id } }", [("Order.BIRTH",)]),
        ("{ learner(id: 1) { ... on Person { nick } } }", [("Person.nick",)]),
        (
            "{ learner(id: 1) { ...A } } fragment A on Learner { ...B } fragment B on Learner { photo }",
            [("Learner.photo",)],
        ),
        # each operation has the fragments that it spreads itself
        (
            "query One { old } query Two { learner(id: 1) { id ...A } } query Three { __typename } "
            "fragment A on Learner { photo }",
            [("Query.old",), ("Learner.photo",), ()],
        ),
        # an argument belongs to its own field, not to one selected before it
        ('{ a: old learner(id: 1, slug: "x") @include(if: true) { id } }', [("Query.learner(slug:)", "Query.old")]),
        ("{ __schema { types { name } } }", [()]),
    ],
)
def test_deprecated_parts_that_an_operation_uses(document: str, named: list[tuple[str, ...]]) -> None:
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    assert Deprecations(SCHEMA).used_by(parsed) == named


def test_documents_are_not_visited_if_nothing_is_deprecated() -> None:
    schema = build_schema("type Query { a: Int }")
    # The document does not fit the schema, so visiting it would fail.
    assert Deprecations(schema).used_by(parse("query A { b } query B { c }")) == [(), ()]


@strawberry.type
class Query:
    @strawberry.field
    def fresh(self) -> int:
        return 1

    @strawberry.field(deprecation_reason="Ask for fresh.")
    def stale(self) -> int:
        return 2


async def test_each_operation_that_uses_a_deprecated_part_is_counted() -> None:
    metrics = Metrics()
    schema = strawberry.Schema(Query)
    endpoint = make_endpoint(
        schema, AppState().make_context, on_complete=OperationObserver(metrics), open_introspection=True
    )

    def uses() -> float | None:
        return metrics.registry.get_sample_value("waymark_deprecated_uses_total", {"coordinate": "Query.stale"})

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=endpoint), base_url="http://test") as client:
        for query in ("{ fresh }", "{ stale }", "{ stale again: stale }", "{ stale nothing }"):
            await client.post("/graphql", json={"query": query})
    assert uses() == 2

"""The number of objects in a response: the same as counting all of them, whatever the operation selects."""

from random import Random
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, parse

from tests.schema.executor.executor_rows import Context, Dataset
from tests.schema.executor.random_operations import generate
from tests.schema.executor.test_differential import FALLING_BACK, GENERIC, SCHEMA, run
from transport.graphql.object_count import ObjectCount


def counter(document: DocumentNode) -> ObjectCount:
    [operation] = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return ObjectCount(document, operation)


def every_object(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(every_object, value))
    return 1 + sum(map(every_object, value.values())) if isinstance(value, dict) else 0


async def test_it_counts_what_counting_everything_counts() -> None:
    rng, total = Random(7), 0
    for number in range(150):
        # `extra` is a scalar that may be an object.
        operation = generate(SCHEMA, rng, skip=FALLING_BACK | {"Learner.extra"}, max_fields=30)
        document = parse(operation.text)
        count = counter(document)
        result = await run(GENERIC, document, operation.variables, Context(Dataset(number, 0.0)))
        assert count.of(result.data) == count.of(result.data) == every_object(result.data), operation.text
        total += every_object(result.data)
    assert total > 2_000


def test_lists_of_nothing_of_nulls_and_of_lists() -> None:
    count = counter(parse("{ a { b } c: d { e { f } } ...F } fragment F on Query { ... { edges { node { id } } } }"))
    assert count.of(None) == 0
    assert count.of({}) == 1
    assert count.of({"a": None, "c": [], "edges": []}) == 1
    assert count.of({"a": [None, {"b": 1}], "c": {"e": [None, {"f": 1}, {"f": 2}]}}) == 1 + 1 + 3
    assert count.of({"a": [[{"b": 1}, None], [], [{"b": 1}]]}) == 3


def test_an_edge_is_not_counted_in_addition_to_its_node() -> None:
    count = counter(parse("{ learners { edges { cursor node { id aims { id } } } } }"))
    edges = [{"cursor": "a", "node": {"id": 1, "aims": [{"id": 2}, {"id": 3}]}}, {"cursor": "b", "node": None}]
    assert count.of({"learners": {"edges": edges}}) == 2 + 3

"""The compiled executor against the generic one: generated operations over sound and over spoilt data."""

import json
from random import Random
from typing import Any

import pytest
from graphql import DocumentNode, parse, validate
from graphql.execution import ExecutionResult, execute
from strawberry.execution import optimized_is_awaitable

from schema.executor import executor_class
from tests.schema.executor_world import Context, World, make_schema
from tests.schema.operations import generate

# The generic executor itself drops coroutines where an error ends a list or an object early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SCHEMA = make_schema()._schema
GENERIC = executor_class("generic")


async def run(executor: type, document: DocumentNode, variables: dict, context: Context) -> ExecutionResult:
    """One execution as Strawberry would do it, without parsing and validating again."""
    result = execute(
        SCHEMA,
        document,
        variable_values=variables,
        context_value=context,
        is_awaitable=optimized_is_awaitable,
        executor_class=executor,
        operation_extensions=None,
    )
    return await result if optimized_is_awaitable(result) else result


def shown(result: ExecutionResult) -> dict[str, Any]:
    """All that a client gets, in a form that tells 1 from True and one order of keys or errors from another."""
    errors = [(e.message, e.path, [(at.line, at.column) for at in e.locations or ()]) for e in result.errors or ()]
    return {"data": json.dumps(result.data, default=repr), "errors": errors}


async def compare(world: World, rng: Random, number: int, executor: type) -> tuple[int, int]:
    """Runs generated operations with both executors; how many had errors, and batches that compiling saved."""
    failing = saved = 0
    for _ in range(number):
        operation = generate(SCHEMA, rng)
        document = parse(operation.text)
        assert not validate(SCHEMA, document), operation.text
        contexts = Context(world), Context(world)
        generic = await run(GENERIC, document, operation.variables, contexts[0])
        for _ in range(2):  # once compiling, once with the plan that is kept
            contexts = contexts[0], Context(world)
            compiled = await run(executor, document, operation.variables, contexts[1])
            assert shown(compiled) == shown(generic), f"{operation.text}\n{operation.variables}"
        if generic.errors:
            failing += 1
        elif not contexts[1].restarts:
            for name in contexts[1].batches | contexts[0].batches:
                assert contexts[1].batches[name] <= contexts[0].batches[name], f"{name} in {operation.text}"
            saved += contexts[0].batches.total() - contexts[1].batches.total()
    return failing, saved


@pytest.mark.parametrize(("seed", "rate", "number"), [(1, 0.0, 900), (2, 0.01, 500), (3, 0.05, 500), (4, 0.3, 300)])
async def test_generated_operations_give_the_same(seed: int, rate: float, number: int) -> None:
    executor = executor_class("compiled")
    failing, _ = await compare(World(seed, rate), Random(seed), number, executor)
    counters = executor.plans.counters
    assert counters.unsupported == 0
    assert counters.compiled >= number * 0.9
    if rate:
        assert failing > number * rate
        assert counters.deopt >= failing
    else:
        assert counters.fast > number
    assert counters.fast + counters.deopt + counters.rested == 2 * number

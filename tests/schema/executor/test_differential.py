"""The compiled executor returns what the generic one returns: generated operations over valid and over wrong data."""

import json
from random import Random
from typing import Any

import pytest
from graphql import DocumentNode, GraphQLSchema, parse, validate
from graphql.execution import ExecutionResult, execute
from strawberry.execution import optimized_is_awaitable

from schema.executor import executor_class
from tests.schema.executor.executor_rows import Context, Dataset
from tests.schema.executor.executor_schema import make_schema
from tests.schema.executor.random_operations import generate

# The generic executor itself drops coroutines where an error ends a list or an object early.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SCHEMA = make_schema()._schema
GENERIC = executor_class("generic")


async def run(
    executor: type,
    document: DocumentNode,
    variables: dict[str, Any],
    context: Context | None,
    schema: GraphQLSchema = SCHEMA,
    root: object = None,
) -> ExecutionResult:
    """Executes a document as Strawberry does, without parsing and validating it again."""
    result = execute(
        schema,
        document,
        root,
        variable_values=variables,
        context_value=context,
        is_awaitable=optimized_is_awaitable,
        executor_class=executor,
        operation_extensions=None,
    )
    return await result if optimized_is_awaitable(result) else result


def shown(result: ExecutionResult) -> dict[str, Any]:
    """Returns all that a client gets, in a form that distinguishes 1 from True, and orders of keys and of errors."""
    errors = [(e.message, e.path, [(at.line, at.column) for at in e.locations or ()]) for e in result.errors or ()]
    return {"data": json.dumps(result.data, default=repr), "errors": errors}


# Fields for which compiled code always falls back: info.path below the root, an iterator (which the first attempt would
# use up), a list of awaitables.
FALLING_BACK = frozenset({"Learner.where", "Learner.counting", "Aim.unitFutures"})


async def compare(rate: float, rng: Random, number: int, executor: type, skip: frozenset[str] = frozenset()) -> int:
    """Runs generated operations with both executors; returns how many had errors."""
    failing = 0
    for _ in range(number):
        dataset = Dataset(rng.randrange(1_000_000), rate)
        operation = generate(SCHEMA, rng, skip=skip, max_fields=30)
        document = parse(operation.text)
        assert not validate(SCHEMA, document), operation.text
        before = Context(dataset)
        generic = await run(GENERIC, document, operation.variables, before)
        failing += bool(generic.errors)
        for _ in range(2):  # compiles first, then takes the query from the cache
            after = Context(dataset)
            compiled = await run(executor, document, operation.variables, after)
            assert shown(compiled) == shown(generic), f"{operation.text}\n{operation.variables}"
            if not after.restarts:
                for name in after.batches:
                    assert after.batches[name] <= before.batches[name], f"{name} in {operation.text}"
    return failing


@pytest.mark.parametrize("number", [100, pytest.param(800, marks=pytest.mark.long)])
async def test_valid_data_never_needs_the_generic_executor(number: int) -> None:
    executor = executor_class("compiled")
    assert await compare(0.0, Random(1), number, executor, FALLING_BACK) == 0
    counters = executor.counters()
    assert (counters.executed, counters.deoptimized, counters.suspended, counters.unsupported) == (2 * number, 0, 0, 0)
    assert counters.compiled == number


# By seed and rate of wrong values: how many operations in the long form. The short form runs the first eighth.
WRONG = {(2, 0.0): 200, (3, 0.01): 500, (4, 0.04): 400, (5, 0.3): 100}
SHORT = [(*case, number // 8) for case, number in WRONG.items()]
LONG = [pytest.param(*case, number, marks=pytest.mark.long) for case, number in WRONG.items()]


@pytest.mark.parametrize(("seed", "rate", "number"), [*SHORT, *LONG])
async def test_wrong_data_gives_the_same_errors(seed: int, rate: float, number: int) -> None:
    executor = executor_class("compiled")
    failing = await compare(rate, Random(seed), number, executor)
    counters = executor.counters()
    assert failing >= min(5 * rate, 0.6) * number
    assert counters.executed + counters.deoptimized == 2 * number
    assert counters.deoptimized >= 2 * failing
    assert counters.unsupported == counters.suspended == 0

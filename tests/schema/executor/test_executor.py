"""What the executor compiles, what it caches, when it falls back to the generic executor, and what it counts."""

import gc
from typing import Any

import pytest
import strawberry
from graphql import parse
from strawberry.extensions import ParserCache, SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.executor import executor_class
from schema.executor.cache import FAILURE_WEIGHT, SCORE_LIMIT, SUSPENSION
from tests.schema.executor.executor_rows import Context, Dataset
from tests.schema.executor.executor_schema import make_schema
from tests.schema.executor.test_differential import run

pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


def schemas(**bounds: int) -> tuple[strawberry.Schema, strawberry.Schema, type]:
    """Returns the schema with the generic and with the compiled executor, and the class of the latter."""
    executor = executor_class("compiled", **bounds)
    options = {"extensions": [ParserCache]}
    return make_schema(**options), make_schema(execution_context_class=executor, **options), executor


async def same(text: str, dataset: Dataset | None = None, **variables: Any) -> Any:
    """Runs an operation with both executors, asserts the same result, and returns the counters of the compiled one."""
    generic, compiled, executor = schemas()
    answers, touched = [], []
    for schema in (generic, compiled):
        context = Context(dataset or Dataset())
        answers.append(await schema.execute(text, variables, context_value=context))
        touched.append(context.touched)
    assert answers[0].data == answers[1].data
    assert list(map(str, answers[0].errors or ())) == list(map(str, answers[1].errors or ()))
    assert touched[0] == touched[1]
    return executor.counters()


def test_the_setting_names_the_executor() -> None:
    assert executor_class("generic") is StrawberryGraphQLCoreExecutionContext
    assert executor_class("compiled") is not executor_class("compiled")
    with pytest.raises(ValueError, match="fast"):
        executor_class("fast")


@pytest.mark.parametrize(
    "text",
    [
        "{ today }",
        "{ learner(id: 1) { ...L } } fragment L on Learner { id name aims { ...A } } fragment A on Aim { title }",
        "{ nodes { __typename id ... on Learner { born mood level } ... on Aim { progress { percent } } } }",
        "{ thing(id: 2) { __typename ... on Note { text length } } named { name } }",
        "{ learners { things { ... on Learner { id } ... on Note { about { name } } } } }",
        "{ learners { aims { unitLists { id grade } } grid remarks pastProgress { half } } }",
        '{ learners { secret deepSecret loud initials(prefix: "x") shouted selected } }',
        "{ learner(id: 1) { aims { title } name: email aims { id } } again: learner(id: 99) { id } }",
    ],
)
async def test_queries_are_compiled(text: str) -> None:
    counters = await same(text)
    assert (counters.executed, counters.unsupported, counters.deoptimized) == (1, 0, 0)


@pytest.mark.parametrize(
    "text",
    ["mutation { touch again: touch }", "{ __schema { queryType { name } } }", '{ __type(name: "Aim") { name } }'],
)
async def test_other_operations_run_with_the_generic_executor(text: str) -> None:
    counters = await same(text)
    assert (counters.executed, counters.compiled, counters.unsupported) == (0, 0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "mutation { touch }",
        "mutation { done: touchLearner(id: 1) { __typename number learner { id aims { title units { grade } } } } }",
        "mutation { ...M } fragment M on Mutation { touchLearner(id: 2) { learner { employer { name } } number } }",
    ],
)
async def test_a_mutation_of_one_field_is_compiled(text: str) -> None:
    counters = await same(text)
    assert (counters.executed, counters.unsupported, counters.deoptimized) == (1, 0, 0)


@pytest.mark.parametrize(
    "text",
    [
        "mutation { touchLearner(id: 1, number: 3000) { number learner { name } } }",
        "mutation { touchLearner(id: -1) { number learner { name } } }",
        "mutation { touchLearner(id: 1) { learner { id deepSecret aims { id } secret } } }",
        "mutation { refuse }",
    ],
)
async def test_a_mutation_runs_once_where_it_or_its_completion_fails(text: str) -> None:
    dataset = Dataset(rate=0.4)
    assert (await same(text, dataset)).unsupported == 0
    _, compiled, executor = schemas()
    context = Context(dataset)
    await compiled.execute(text, context_value=context)
    assert (len(context.touched), executor.counters().deoptimized) == (1, executor.counters().compiled)


async def test_extensions_that_hook_into_resolving_use_the_generic_executor() -> None:
    class Watching(SchemaExtension):
        seen: list[str] = []

        def resolve(self, next_: Any, root: Any, info: Any, *args: Any, **kwargs: Any) -> Any:
            self.seen.append(info.field_name)
            return next_(root, info, *args, **kwargs)

    executor = executor_class()
    schema = make_schema(execution_context_class=executor, extensions=[Watching])
    assert (await schema.execute("{ today }", context_value=Context(Dataset()))).data == {"today": "2026-11-21"}
    assert Watching.seen == ["today"]
    assert executor.counters().unsupported == 1


async def test_each_combination_of_conditions_is_compiled() -> None:
    generic, compiled, executor = schemas()
    text = """query ($a: Boolean!, $b: Boolean = true) {
        learner(id: 1) { id name @include(if: $a) ... @skip(if: $b) { email tags } } }"""
    for variables in [{"a": a, "b": b} for a in (True, False) for b in (True, False)] * 2 + [{"a": True}]:
        answers = [await s.execute(text, variables, context_value=Context(Dataset())) for s in (generic, compiled)]
        assert answers[0].data == answers[1].data
        assert not answers[1].errors
    assert (executor.counters().compiled, executor.counters().executed) == (4, 9)


async def test_a_null_condition_is_an_error_of_the_generic_executor() -> None:
    counters = await same("query ($a: Boolean = true) { today @skip(if: $a) }", a=None)
    assert (counters.compiled, counters.unsupported) == (0, 1)


async def test_combinations_are_bounded() -> None:
    _, compiled, executor = schemas(max_variants=2)
    text = "query ($a: Boolean!, $b: Boolean!) { today a: today @skip(if: $a) b: today @skip(if: $b) }"
    for variables in [{"a": a, "b": b} for a in (True, False) for b in (True, False)]:
        assert not (await compiled.execute(text, variables, context_value=Context(Dataset()))).errors
    assert (executor.counters().compiled, executor.counters().unsupported) == (2, 2)


async def test_an_operation_of_too_much_code_is_not_compiled() -> None:
    aliases = " ".join(f"a{number}: name" for number in range(1600))
    counters = await same(f"{{ learner(id: 1) {{ {aliases} }} }}")
    assert (counters.compiled, counters.unsupported) == (0, 1)


async def test_the_least_recently_used_query_is_evicted() -> None:
    _, compiled, executor = schemas(max_operations=2)
    for alias in ("a", "b", "a", "c", "a", "b"):
        await compiled.execute(f"{{ {alias}: today }}", context_value=Context(Dataset()))
    # b is evicted for c, and c for b; a was used in between.
    assert (executor.counters().compiled, executor.counters().evicted, len(executor.cache)) == (4, 2, 2)


async def test_generated_code_is_bounded() -> None:
    _, compiled, executor = schemas(max_characters=3_000)
    for number in range(20):
        await compiled.execute(
            f"{{ a{number}: learners {{ id name aims {{ id }} }} }}", context_value=Context(Dataset())
        )
    counters = executor.counters()
    assert executor.cache.characters <= 3_000
    assert counters.compiled == 20 == counters.evicted + len(executor.cache)
    assert len(executor.cache) > 1


async def test_a_query_is_dropped_with_its_document() -> None:
    executor, context = executor_class(), Context(Dataset())
    kept, dropped = parse("{ learners { name } }"), parse("{ learners { id grade where } }")
    for document in (kept, dropped, kept):
        await run(executor, document, {}, context)
    assert (len(executor.cache), executor.counters().compiled) == (2, 2)
    del document, dropped
    gc.collect()
    assert len(executor.cache) == 1
    assert executor.counters().evicted == 0


async def test_a_query_that_keeps_failing_is_suspended_and_tried_again() -> None:
    dataset = Dataset(1, 0.0)
    _, compiled, executor = schemas()
    text = "{ learner(id: 1) { where } }"
    failures = -(-SCORE_LIMIT // FAILURE_WEIGHT)
    for _ in range(failures + SUSPENSION + 1):
        answer = await compiled.execute(text, context_value=Context(dataset))
        assert answer.data == {"learner": {"where": "learner.where"}}
    counters = executor.counters()
    assert (counters.deoptimized, counters.suspended, counters.executed) == (failures + 1, SUSPENSION, 0)


async def test_rare_failures_do_not_suspend_a_query() -> None:
    _, compiled, executor = schemas()
    text = "query ($skip: Boolean!, $id: ID!) { learner(id: $id) { name where @skip(if: $skip) } }"
    for number in range(200):
        variables = {"id": "x" if number % 10 == 0 else "1", "skip": True}
        await compiled.execute(text, variables, context_value=Context(Dataset()))
    counters = executor.counters()
    assert (counters.deoptimized, counters.executed, counters.suspended) == (20, 180, 0)


async def test_a_level_is_one_batch() -> None:
    _, compiled, executor = schemas()
    context = Context(Dataset())
    text = """{ learners(first: 6) {
        aims { units { grade } learner { grade } } other: aims { units { id } } employer { id } } }"""
    assert not (await compiled.execute(text, context_value=context)).errors
    assert context.batches == {"aims_of": 1, "units_of": 1, "learner": 1, "employer": 1, "grade": 1}
    assert executor.counters().executed == 1


async def test_synchronous_execution() -> None:
    generic, compiled, executor = schemas()
    text = '{ today echo(words: ["a", null]) named { name } }'
    answers = [schema.execute_sync(text, context_value=Context(Dataset())) for schema in (generic, compiled)]
    assert answers[0].data == answers[1].data
    assert executor.counters().executed == 1


async def test_a_fallback_restarts_the_context() -> None:
    _, compiled, executor = schemas()
    context = Context(Dataset())
    await compiled.execute("{ learners { aims { learner { where } } } }", context_value=context)
    assert context.restarts == 1
    # Twice, because the generic executor does not share the loads of the first attempt.
    assert context.batches == {"aims_of": 2, "learner": 2}
    assert executor.counters().deoptimized == 1

"""Variables and arguments that generated code makes are those that graphql-core and Strawberry make."""

import datetime as dt
from random import Random
from typing import Any

import pytest
import strawberry
from graphql import GraphQLNonNull, parse, type_from_ast, validate
from graphql.execution.values import get_variable_values
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from schema.executor import executor_class
from schema.executor.preparation import Preparation
from schema.executor.variables import VariableCompiler
from tests.schema.executor.executor_rows import Level, Mood
from tests.schema.executor.executor_schema import SCALARS, Json
from tests.schema.executor.input_comparison import FieldInputs
from tests.schema.executor.random_values import WRONG, random_value
from tests.schema.executor.test_differential import run, shown


@strawberry.input
class Place:
    id: strawberry.ID
    mood: Mood | None = strawberry.UNSET
    days: list[dt.date] = strawberry.field(default_factory=list)
    ratio: float = 0.5
    called: str | None = strawberry.field(name="name", default="nobody")


@strawberry.input
class Journey:
    start: Place
    stops: list[Place | None]
    levels: list[Level | None] | None = None
    grid: list[list[int]] | None = strawberry.UNSET
    is_long: bool = False
    extra: Json | None = None
    end: Place | None = None
    at: dt.datetime | None = None


@strawberry.input
class Tree:
    number: int
    below: list["Tree"] = strawberry.field(default_factory=list)


@strawberry.input(one_of=True)
class Either:
    number: strawberry.Maybe[int]
    word: strawberry.Maybe[str]


@strawberry.input
class Dated:
    day: dt.date | None

    def __post_init__(self) -> None:
        if self.day == dt.date(2026, 1, 11):
            raise ValueError("not on this day")


def received(info: Info, *arguments: Any) -> str:
    return repr((arguments, info.variable_values))


@strawberry.type
class Query:
    @strawberry.field
    def plan(
        self, info: Info, journey: Journey, first: int = 3, moods: list[Mood] = (), note: str | None = "none"
    ) -> str:
        return received(info, journey, first, moods, note)

    @strawberry.field
    def find(self, info: Info, place: Place | None = None, ids: list[strawberry.ID] | None = None) -> str:
        return received(info, place, ids)

    @strawberry.field
    def leaves(
        self, info: Info, number: int, ratio: float, flag: bool, text: str, id: strawberry.ID, day: dt.date, mood: Mood
    ) -> str:
        return received(info, number, ratio, flag, text, id, day, mood)

    @strawberry.field
    def tree(self, info: Info, tree: Tree) -> str:
        return received(info, tree)

    @strawberry.field
    def either(self, info: Info, either: Either) -> str:
        return received(info, either)

    @strawberry.field
    def dated(self, info: Info, dated: Dated) -> str:
        return received(info, dated)


SCHEMA = strawberry.Schema(Query, config=StrawberryConfig(scalar_map=SCALARS))._schema
COMPILED = ("plan", "find", "leaves", "dated")


def inputs_of(name: str) -> FieldInputs:
    return FieldInputs(SCHEMA, "query", SCHEMA.query_type.fields[name], name)


def random_variables(rng: Random, inputs: FieldInputs, wrong: float) -> dict[str, Any]:
    return {
        name: random_value(rng, argument.type, wrong)
        for name, argument in inputs.field.args.items()
        if rng.random() < 0.8 or (not wrong and str(argument.type).endswith("!"))
    }


@pytest.mark.parametrize("name", COMPILED)
def test_generated_code_takes_every_valid_value(name: str) -> None:
    rng, inputs = Random(name), inputs_of(name)
    assert inputs.compiled
    for _ in range(300):
        values = random_variables(rng, inputs, 0.0)
        assert inputs.compare(values), values


@pytest.mark.parametrize("wrong", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("name", COMPILED)
def test_wrong_values_are_left_to_graphql_core(name: str, wrong: float) -> None:
    rng, inputs = Random(f"{name}{wrong}"), inputs_of(name)
    taken = sum(inputs.compare(random_variables(rng, inputs, wrong)) for _ in range(300))
    assert taken < 300


@pytest.mark.parametrize("type_name", ["Int", "Float", "Boolean", "String", "ID", "Date", "Mood", "Json", "Place"])
def test_each_type_takes_what_graphql_core_takes(type_name: str) -> None:
    for type_ in (type_name, f"{type_name}!", f"[{type_name}]", f"[{type_name}!]!"):
        document: Any = parse(f"query ($value: {type_}) {{ find }}")
        definitions = document.definitions[0].variable_definitions
        coerce = VariableCompiler().compile(SCHEMA, definitions)
        for value in [*WRONG, *([each] for each in WRONG), 0, False, "1", {"id": 0}, {"id": "1", "name": None}]:
            expected = get_variable_values(SCHEMA, definitions, {"value": value})
            try:
                found = coerce({"value": value})
            except Exception:
                continue  # graphql-core coerces it
            assert not isinstance(expected, list), (type_, value)
            assert repr(found.coerced) == repr(expected.coerced), (type_, value)


@pytest.mark.parametrize("name", ["tree", "either"])
def test_types_with_rules_of_their_own_are_left_to_graphql_core(name: str) -> None:
    with pytest.raises(Exception, match="nested in itself, or with rules"):
        inputs_of(name)


OPERATIONS = [
    """query ($journey: Journey!, $first: Int = 2, $moods: [Mood!] = [CALM], $note: String) {
      plan(journey: $journey, first: $first, moods: $moods, note: $note)
    }""",
    """query ($start: Place!, $ids: [ID!], $mood: Mood) {
      plan(journey: {start: $start, stops: [$start, {id: 1, mood: $mood}]})
      find(ids: $ids, place: {id: 4, days: ["2026-11-29"]})
    }""",
    """query ($place: Place = {id: 7}, $ids: [ID!]) {
      find(place: $place, ids: $ids) a: find b: find(place: null)
    }""",
    "query ($tree: Tree!, $either: Either!) { tree(tree: $tree) either(either: $either) }",
    "query ($dated: Dated!) { dated(dated: $dated) }",
]


@pytest.mark.parametrize("wrong", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("text", OPERATIONS)
async def test_operations_give_the_same_data_and_errors(text: str, wrong: float) -> None:
    document, rng = parse(text), Random(f"{text}{wrong}")
    assert not validate(SCHEMA, document)
    definitions: Any = document.definitions[0].variable_definitions  # type: ignore[attr-defined]
    compiled, generic = executor_class(), executor_class("generic")
    types: dict[str, Any] = {each.variable.name.value: type_from_ast(SCHEMA, each.type) for each in definitions}
    for _ in range(40):
        values = {
            name: random_value(rng, type_, wrong)
            for name, type_ in types.items()
            if rng.random() < 0.9 or (not wrong and isinstance(type_, GraphQLNonNull))
        }
        expected = shown(await run(generic, document, values, None, SCHEMA))
        assert shown(await run(compiled, document, values, None, SCHEMA)) == expected, values


async def test_defaults_and_literals_are_new_for_each_execution() -> None:
    """A resolver that changes its arguments changes those of no other execution."""

    @strawberry.type
    class Changing:
        @strawberry.field
        def grow(self, info: Info, words: list[str] = ["a"], place: Place | None = None, extra: Json = None) -> str:  # noqa: B006
            words.append("b")
            if place is not None:
                place.days.append(dt.date(2026, 1, 1))
            if extra is not None:
                extra["a"].append(1)
            text_of_all = f"{words} {place and place.days} {extra} {info.variable_values}"
            info.variable_values.get("words", []).append("c")
            return text_of_all

    schema = strawberry.Schema(Changing, config=StrawberryConfig(scalar_map=SCALARS))._schema
    for text in (
        '{ grow(words: ["x"], place: {id: 1}) a: grow }',
        "{ grow(extra: {a: []}) }",
        """query ($words: [String!]! = ["x"], $place: Place = {id: 1}, $extra: Json = {a: []}) {
          grow(words: $words, place: $place, extra: $extra)
        }""",
    ):
        document, executor = parse(text), executor_class()
        results = [shown(await run(executor, document, {}, None, schema)) for _ in range(3)]
        assert results[0]["errors"] == [] and results[0] == results[1] == results[2]
        assert executor.counters().executed == 3


async def test_a_document_is_prepared_once_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    executor, taken = executor_class(), []
    coerce = Preparation.variables
    monkeypatch.setattr(Preparation, "variables", lambda self, values: taken.append(1) or coerce(self, values))

    # Functions of their own: a thread that looks at the locals of a frame keeps them until the frame ends.
    def run_twice_named() -> None:
        document: Any = parse("query A($ids: [ID!]) { find(ids: $ids) } query B { find }")
        for _ in range(3):
            for name in ("A", "B"):
                compiled = executor.build(SCHEMA, document, operation_name=name, raw_variable_values={"ids": ["1"]})
                assert compiled.operation.name.value == name
        assert len(taken) == 4 and len(executor.preparations) == 2

    def run_unnamed() -> int:
        document = parse("{ find }")
        executor.build(SCHEMA, document)
        return len(executor.preparations)

    run_twice_named()
    for number in range(600):
        assert run_unnamed() == 1, number
    assert len(executor.preparations) == 0


async def test_the_errors_of_variables_are_those_of_graphql_core() -> None:
    document = parse("query ($journey: Journey!, $first: Int) { plan(journey: $journey, first: $first) }")
    compiled, generic = executor_class(), executor_class("generic")
    valid = {"journey": {"start": {"id": "1"}, "stops": []}}
    for values in (
        valid, {}, {"journey": None}, {"journey": []}, {**valid, "first": "3"}, {**valid, "first": 2**31},
        {"journey": {"start": {"id": "1"}}}, {"journey": {**valid["journey"], "color": "red"}},
        {"journey": {"start": {"id": 1.5, "mood": "calm"}, "stops": 7}}, {**valid, "unknown": 1},
    ):  # fmt: skip
        for hidden in (False, True):
            found = [
                executor.build(SCHEMA, document, raw_variable_values=values, hide_suggestions=hidden)
                for executor in (compiled, generic)
            ]
            assert [_errors(each) for each in found][0] == [_errors(each) for each in found][1], values


def _errors(built: Any) -> Any:
    return [error.formatted for error in built] if isinstance(built, list) else built.variable_values.coerced


@pytest.mark.parametrize("attempt", [1, 2])
def test_an_executor_has_the_state_of_graphql_core_once_it_is_asked_for(attempt: int) -> None:
    """The first is made by graphql-core and the second from what is known of the document."""
    executor, document = executor_class(), parse("{ find }")
    for _ in range(attempt):
        made: Any = executor.build(SCHEMA, document, context_value=7, operation_extensions={"a": 1})
    plain: Any = executor_class("generic").build(SCHEMA, document, context_value=7, operation_extensions={"a": 1})
    assert not hasattr(made, "nothing")
    helper = made.create_sub_executor()
    assert (helper.context_value, helper.collected_errors.errors) == (7, [])
    assert made.__dict__.keys() == plain.__dict__.keys()
    same = [name for name, value in plain.__dict__.items() if made.__dict__[name] == value]
    own = {
        "async_helpers",
        "collected_errors",
        "_stream_usages",
        "_initial_execution_plans",
        "_deferred_execution_plans",
    }
    assert plain.__dict__.keys() - set(same) <= own

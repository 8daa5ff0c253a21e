"""The arguments of the served schema: generated code makes them as graphql-core and Strawberry do."""

from random import Random
from typing import Any

import pytest
from graphql import GraphQLInputObjectType

from schema.executor.variables import VariableCompiler
from schema.root import make_schema
from tests.schema.executor.input_comparison import FieldInputs
from tests.schema.executor.random_values import random_value

SCHEMA = make_schema("generic")._schema
VARIABLES = VariableCompiler()
FIELDS: dict[str, tuple[str, Any]] = {
    f"{root.name}.{name}": (kind, field)
    for kind, root in (("query", SCHEMA.query_type), ("mutation", SCHEMA.mutation_type))
    if root is not None
    for name, field in root.fields.items()
    if field.args
}


@pytest.mark.parametrize("number", [6, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("coordinate", FIELDS)
def test_arguments_are_those_of_strawberry(coordinate: str, number: int) -> None:
    kind, field = FIELDS[coordinate]
    inputs, rng = FieldInputs(SCHEMA, kind, field, coordinate.partition(".")[2], VARIABLES), Random(coordinate)
    assert inputs.compiled
    for wrong in (0.0, 0.03, 0.2):
        for _ in range(number):
            values = {
                name: random_value(rng, argument.type, wrong)
                for name, argument in field.args.items()
                if rng.random() < 0.8 or (not wrong and str(argument.type).endswith("!"))
            }
            assert inputs.compare(values) or wrong, values


def test_every_input_type_is_compiled() -> None:
    inputs = [each for each in SCHEMA.type_map.values() if isinstance(each, GraphQLInputObjectType)]
    assert len(inputs) > 40
    for each in inputs:
        assert VARIABLES._function(each), each.name

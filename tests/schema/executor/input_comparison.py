"""Compares generated code for variables and arguments with what graphql-core and Strawberry do."""

from types import SimpleNamespace
from typing import Any

from graphql import GraphQLField, GraphQLSchema, OperationDefinitionNode, parse
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import get_variable_values

from schema.executor.arguments import ArgumentCompiler
from schema.executor.fields import BACKREF, SelectedField
from schema.executor.resolvers import resolver_binder
from schema.executor.variables import VariableCompiler


class FieldInputs:
    """One field of the root of a Strawberry schema, with a variable for each of its arguments.

    `compiled` says whether generated code makes the arguments.
    """

    def __init__(self, schema: GraphQLSchema, kind: str, field: GraphQLField, name: str, variables: Any = None) -> None:
        self.schema, self.field = schema, field
        declared = ", ".join(f"${argument}: {field.args[argument].type}" for argument in field.args)
        given = ", ".join(f"{argument}: ${argument}" for argument in field.args)
        operation: Any = parse(f"{kind} ({declared}) {{ {name}({given}) {{ __typename }} }}").definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        self.definitions = operation.variable_definitions or ()
        self.coerce = (variables or VariableCompiler()).compile(schema, self.definitions)
        parent: Any = schema.mutation_type if kind == "mutation" else schema.query_type
        node: Any = operation.selection_set.selections[0]
        self.selected = SelectedField(parent, field, [FieldDetails(node, None)], name, True)
        strawberry_schema = schema.extensions[BACKREF]
        self.fast = resolver_binder(self.selected, schema, ArgumentCompiler)
        self.slow = resolver_binder(self.selected, schema, _none)
        try:
            self.compiled = bool(ArgumentCompiler(strawberry_schema).compile(self.selected))
        except Exception:
            self.compiled = False

    def compare(self, values: dict[str, Any]) -> bool:
        """Asserts that the values give the same; returns whether generated code took the variables."""
        expected = get_variable_values(self.schema, self.definitions, values)
        try:
            found = self.coerce(values)
        except Exception:
            found = None
        if isinstance(expected, list):
            assert found is None, f"{values} gives {found}, and has {expected[0].message}"
            return False
        if found is not None:
            assert repr(found.coerced) == repr(expected.coerced), values
            assert _shown(found) == _shown(expected), values
        assert self._arguments(self.fast, expected) == self._arguments(self.slow, expected), values
        return found is not None

    def _arguments(self, bind: Any, variables: Any) -> str:
        """Returns the arguments with which the resolver would be called, or the error."""
        executor = SimpleNamespace(variable_values=variables, hide_suggestions=False)
        try:
            bound = bind(SimpleNamespace(executor=executor, info=lambda _: None))
        except Exception as error:
            return repr(error)
        call = bound if "info" in bound.keywords or not bound.args else bound.args[0]
        return repr({name: value for name, value in call.keywords.items() if name != "info"})


def _none(_: Any) -> Any:
    """In the place of a compiler: it compiles nothing."""
    return None


def _shown(variables: Any) -> Any:
    return {
        name: (source.signature.name, str(source.signature.type), repr(source.value))
        for name, source in variables.sources.items()
    }

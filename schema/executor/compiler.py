"""Compiles a parsed query operation: walks the selection once and generates the Python functions that answer it.

There is one function for the root object, one for each deferred field, which completes it for all its objects in one
call, and one for each possible type of an interface or union. Attributes, nested objects and lists are completed
inline.
"""

import inspect
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLType,
    GraphQLUnionType,
    OperationType,
    Undefined,
    get_nullable_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet, collect_fields
from strawberry.execution import optimized_is_awaitable

from .cache import CompiledQuery, Resolver
from .code import Code
from .errors import Deopt, Unsupported
from .fields import SelectedField, attribute_expression, is_attribute, row_class
from .leaves import leaf_expression
from .mutation_outcome import once
from .resolvers import resolver_binder
from .sources import SourceReads


def compile_query(executor: Any) -> CompiledQuery:
    """Compiles the executor's operation for the present values of its @skip and @include variables.

    A mutation is compiled if it has one field: several run one after the other, each completed before the next.

    Raises Unsupported, or the error of Python's own compiler for a selection that is nested too deep.
    """
    operation = executor.operation
    root = executor.schema.get_root_type(operation.operation)
    collected = collect_fields(
        executor.schema, executor.fragments, executor.variable_values, root, operation, executor.hide_suggestions
    )
    if operation.operation is not OperationType.MUTATION:
        return _Compiler(executor).query(root, collected.grouped_field_set)
    if len(collected.grouped_field_set) != 1:
        raise Unsupported("several mutations")
    query = _Compiler(executor).query(root, collected.grouped_field_set)
    query.resolver_binders[:1] = map(once, query.resolver_binders[:1])
    query.is_mutation = True
    return query


class _Compiler(Code):
    def __init__(self, executor: Any) -> None:
        super().__init__(Deopt=Deopt, list_items=_list_items)
        self.executor, self.schema = executor, executor.schema
        self.resolver_binders: list[Callable[[Any], Resolver]] = []
        self.subtree_ends: list[int] = []
        self.reads = SourceReads()

    def query(self, root: GraphQLObjectType, groups: GroupedFieldSet) -> CompiledQuery:
        """Generates all functions, and returns them compiled."""
        self.emit_function(
            "complete_root(source, execution)",
            lambda: self.emit_return(self.complete_fields(root, groups, "source", 1, at_root=True)),
        )
        source = self.compile()
        completers = [self.namespace[f"complete{index}"] for index in range(len(self.resolver_binders))]
        self.reads.finish()
        return CompiledQuery(
            self.namespace["complete_root"], self.resolver_binders, completers, self.subtree_ends, self.reads, source
        )

    # Objects.

    def complete_fields(
        self, type_: GraphQLObjectType, groups: GroupedFieldSet, source: str, depth: int, at_root: bool = False
    ) -> str:
        """Emits the code that builds the result object of the variable `source`; returns the result's variable."""
        self.reads.add_type(type_)
        entries, deferred = [], []
        for key, details in groups.items():
            field_name = details[0].node.name.value
            if field_name == "__typename":
                entries.append(f"{key!r}: {type_.name!r}")
                continue
            definition = self.schema.get_field(type_, field_name)
            if definition is None:
                continue
            if field_name.startswith("__"):
                raise Unsupported("introspection")
            selected = SelectedField(type_, definition, details, key, at_root)
            self.reads.add(selected)
            if is_attribute(selected):
                value = self.new_name("v")
                self.emit(depth, f"{value} = {attribute_expression(selected, source, self.constant)}")
                entries.append(f"{key!r}: {self.complete_value(definition.type, selected, value, depth)}")
            else:
                entries.append(f"{key!r}: None")
                deferred.append(self.compile_deferred_field(selected))
        result = self.new_name("d")
        self.emit(depth, f"{result} = {{{', '.join(entries)}}}")
        for index in deferred:
            self.emit(depth, f"execution.deferred[{index}].append(({source}, {result}))")
        return result

    def compile_deferred_field(self, selected: SelectedField) -> int:
        """Generates the function that completes a deferred field for all its objects; returns the field's number."""
        index = len(self.resolver_binders)
        self.resolver_binders.append(resolver_binder(selected, self.schema, self.executor.argument_compiler))
        self.subtree_ends.append(0)

        def body() -> None:
            self.emit(1, "for (_, result), value in zip(pairs, values):")
            completed = self.complete_value(selected.definition.type, selected, "value", 2)
            self.emit(2, f"result[{selected.response_key!r}] = {completed}")

        self.emit_function(f"complete{index}(pairs, values, execution)", body)
        self.subtree_ends[index] = len(self.resolver_binders)
        return index

    # Values.

    def complete_value(self, type_: GraphQLOutputType, selected: SelectedField, value: str, depth: int) -> str:
        """Emits what completing the variable `value` takes, if anything; returns the expression of the result."""
        required = isinstance(type_, GraphQLNonNull)
        inner = get_nullable_type(type_)
        if is_leaf_type(inner):
            return leaf_expression(inner, required, value, self.constant, self.executor.utc_text)
        if required:
            return self.complete_non_null(inner, selected, value, depth)
        result = self.new_name("r")
        self.emit(depth, f"if {value} is None: {result} = None")
        self.emit(depth, "else:")
        self.emit(depth + 1, f"{result} = {self.complete_non_null(inner, selected, value, depth + 1)}")
        return result

    def complete_non_null(self, type_: GraphQLType, selected: SelectedField, value: str, depth: int) -> str:
        """The same for a list or object that must not be None: the generated code raises for None."""
        if isinstance(type_, GraphQLList):
            return self.complete_list(type_.of_type, selected, value, depth)
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            return f"{self.compile_abstract_type(type_, selected)}({value}, execution)"
        assert isinstance(type_, GraphQLObjectType)
        self.emit_type_check(type_, selected, value, depth)
        return self.complete_fields(type_, self.subfields(type_, selected.details), value, depth)

    def complete_list(self, item_type: GraphQLOutputType, selected: SelectedField, value: str, depth: int) -> str:
        """Emits the loop over a list; returns the expression of the list of results."""
        items, item = self.new_name("l"), self.new_name("i")
        self.emit(depth, f"{items} = {value} if {value}.__class__ is list else list_items({value})")
        if is_leaf_type(get_nullable_type(item_type)):
            return f"[{self.complete_value(item_type, selected, item, depth)} for {item} in {items}]"
        result = self.new_name("r")
        self.emit(depth, f"{result} = []")
        self.emit(depth, f"for {item} in {items}:")
        self.emit(depth + 1, f"{result}.append({self.complete_value(item_type, selected, item, depth + 1)})")
        return result

    def subfields(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> GroupedFieldSet:
        """Returns the fields that are selected within a field, for one object type."""
        return self.executor.collect_subfields(type_, details).grouped_field_set

    def emit_type_check(self, type_: GraphQLObjectType, selected: SelectedField, value: str, depth: int) -> None:
        """Emits the check that the variable `value` is an object of the type."""
        row = row_class(type_)
        if row is not None:
            self.emit(depth, f"if {value}.__class__ is not {self.constant(row)}: raise Deopt")
        elif type_.is_type_of is not None:
            self.emit(depth, f"{self.constant(_is_type_of_check(type_, selected))}({value}, execution)")
        else:
            known: set[type] = set()
            check = self.constant(_class_check(known))
            self.emit(depth, f"if {value}.__class__ not in {self.constant(known)}: {check}({value})")

    # Interfaces and unions.

    def compile_abstract_type(self, type_: GraphQLAbstractType, selected: SelectedField) -> str:
        """Generates a function for each possible type and one that selects among them; returns the latter's name."""
        by_name, by_row, dispatch = self.new_name("n"), self.new_name("w"), self.new_name("g")
        functions: dict[str, str] = {}
        functions_of_row: dict[type | None, list[str]] = {}
        for possible in self.schema.get_possible_types(type_):
            function = functions[possible.name] = self.new_name("t")

            def body(possible: GraphQLObjectType = possible) -> None:
                self.emit_type_check(possible, selected, "source", 1)
                groups = self.subfields(possible, selected.details)
                self.emit_return(self.complete_fields(possible, groups, "source", 1))

            self.emit_function(f"{function}(source, execution)", body)
            functions_of_row.setdefault(row_class(possible), []).append(function)
        unique = {row: found[0] for row, found in functions_of_row.items() if row is not None and len(found) == 1}
        rows = ", ".join(f"{self.constant(row)}: {function}" for row, function in unique.items())
        names = ", ".join(f"{name!r}: {function}" for name, function in functions.items())
        resolve_type = self.constant(_type_resolver(type_, selected))
        self.functions += [
            f"{by_row}, {by_name} = {{{rows}}}, {{{names}}}",
            f"def {dispatch}(source, execution):",
            f" complete = {by_row}.get(source.__class__) or {by_name}[{resolve_type}(source, execution)]",
            " return complete(source, execution)",
        ]
        return dispatch


# Functions that generated code calls for values that it does not handle inline.


def _list_items(value: object) -> list[Any] | tuple[Any, ...]:
    # graphql-core takes any iterable, but a first attempt could use up others than these.
    if isinstance(value, (list, tuple)):
        return value
    raise Deopt


def _check_is_object(value: object) -> None:
    if value is None or value is Undefined or isinstance(value, Exception) or optimized_is_awaitable(value):
        raise Deopt


def _class_check(known: set[type]) -> Callable[[object], None]:
    """The check for a type that takes any object. A class in `known` is not checked again."""

    def check(value: object) -> None:
        _check_is_object(value)
        if not inspect.isgenerator(value) and len(known) < 64:
            known.add(value.__class__)

    return check


def _is_type_of_check(type_: GraphQLObjectType, selected: SelectedField) -> Callable[[object, Any], None]:
    is_type_of: Any = type_.is_type_of

    def check(value: object, execution: Any) -> None:
        _check_is_object(value)
        result = is_type_of(value, execution.info(selected))
        if not result or optimized_is_awaitable(result):
            raise Deopt

    return check


def _type_resolver(type_: GraphQLAbstractType, selected: SelectedField) -> Callable[[object, Any], Any]:
    """Returns the name of a value's type, as the schema resolves it. A name of no possible type fails in the lookup."""

    def resolve_type(value: object, execution: Any) -> Any:
        _check_is_object(value)
        return (type_.resolve_type or execution.executor.type_resolver)(value, execution.info(selected), type_)

    return resolve_type

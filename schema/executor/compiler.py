"""From a parsed operation to a plan: the selection is walked once and Python functions are generated that answer it.

One function completes the root object, one each resolved field (for all its objects in one call) and one each possible
type of an interface or union; plain attributes, nested objects and lists are completed inline, without a call.
"""

import inspect
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLOutputType,
    Undefined,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet, collect_fields
from strawberry.execution import optimized_is_awaitable

from schema.executor.fields import Site, attribute_expression, binder, is_attribute, row_class
from schema.executor.leaves import leaf_expression
from schema.executor.outcomes import Deopt, Unsupported
from schema.executor.plans import Plan

# Nested interfaces multiply: what comes to more lines than this is left to the generic executor.
MOST_LINES = 1_500


def compile_operation(executor: Any) -> Plan:
    """The plan of the executor's query operation, for the values that its @skip and @include variables have now.

    Raises Unsupported, or whatever Python makes of a selection too deep for it.
    """
    operation, root = executor.operation, executor.schema.query_type
    collected = collect_fields(
        executor.schema, executor.fragments, executor.variable_values, root, operation, executor.hide_suggestions
    )
    return _Compiler(executor).plan(root, collected.grouped_field_set)


class _Compiler:
    def __init__(self, executor: Any) -> None:
        self.executor, self.schema = executor, executor.schema
        self.namespace: dict[str, Any] = {"Deopt": Deopt, "items_of": _items_of}
        self.names: dict[int, str] = {}
        self.functions: list[str] = []  # lines of the functions that are finished
        self.lines: list[str] = []  # of the function at hand
        self.written = self.numbered = 0
        self.binders: list[Callable[[Any], Callable[[Any], Any]]] = []
        self.ends: list[int] = []

    def plan(self, root: GraphQLObjectType, groups: GroupedFieldSet) -> Plan:
        self.function("root(source, run)", lambda: self.returned(self.fields_of(root, groups, "source", 1, True)))
        source = "\n".join(self.functions)
        exec(compile(source, "<operation>", "exec"), self.namespace)
        fills = [self.namespace[f"fill{index}"] for index in range(len(self.binders))]
        return Plan(self.namespace["root"], self.binders, fills, self.ends, source)

    # ------------------------------------------------------------------ writing

    def line(self, depth: int, text: str) -> None:
        self.written += 1
        if self.written > MOST_LINES:
            raise Unsupported("too many lines")
        self.lines.append(" " * depth + text)

    def name(self, letter: str) -> str:
        self.numbered += 1
        return f"{letter}{self.numbered}"

    def constant(self, value: object) -> str:
        """The name of an object in the generated code; the namespace keeps it alive, so its id stays its own."""
        name = self.names.get(id(value))
        if name is None:
            name = self.names[id(value)] = self.name("k")
            self.namespace[name] = value
        return name

    def function(self, signature: str, body: Callable[[], None]) -> None:
        outer, self.lines = self.lines, []
        body()
        self.functions += [f"def {signature}:", *self.lines]
        self.lines = outer

    def returned(self, expression: str) -> None:
        self.line(1, f"return {expression}")

    # ------------------------------------------------------------------ objects

    def fields_of(
        self, type_: GraphQLObjectType, groups: GroupedFieldSet, source: str, depth: int, at_root: bool = False
    ) -> str:
        """Writes what builds the answer for the object in the variable `source`; the name of the answer's variable."""
        entries, queues = [], []
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
            site = Site(type_, definition, details, key, at_root)
            if is_attribute(site):
                value = self.name("v")
                self.line(depth, f"{value} = {attribute_expression(site, source, self.constant)}")
                entries.append(f"{key!r}: {self.completed(definition.type, site, value, depth)}")
            else:
                entries.append(f"{key!r}: None")
                queues.append(self.resolved(site))
        answer = self.name("d")
        self.line(depth, f"{answer} = {{{', '.join(entries)}}}")
        for index in queues:
            self.line(depth, f"run.queues[{index}].append(({source}, {answer}))")
        return answer

    def resolved(self, site: Site) -> int:
        """Writes the function that completes a resolved field for all its objects; the number of its site."""
        index = len(self.binders)
        self.binders.append(binder(site, self.schema))
        self.ends.append(0)

        def body() -> None:
            self.line(1, "for (_, answer), value in zip(pairs, values):")
            self.line(2, f"answer[{site.key!r}] = {self.completed(site.definition.type, site, 'value', 2)}")

        self.function(f"fill{index}(pairs, values, run)", body)
        self.ends[index] = len(self.binders)
        return index

    # ------------------------------------------------------------------ values

    def completed(self, type_: GraphQLOutputType, site: Site, value: str, depth: int) -> str:
        """Writes what completes the value in a variable, where that needs lines; the expression of the result."""
        required = is_non_null_type(type_)
        if required:
            type_ = type_.of_type
        if is_leaf_type(type_):
            return leaf_expression(type_, required, value, self.constant)
        if required:
            return self.present(type_, site, value, depth)
        result = self.name("r")
        self.line(depth, f"if {value} is None: {result} = None")
        self.line(depth, "else:")
        self.line(depth + 1, f"{result} = {self.present(type_, site, value, depth + 1)}")
        return result

    def present(self, type_: GraphQLOutputType, site: Site, value: str, depth: int) -> str:
        """The same for a value that must not be None: where it is, what is written here raises."""
        if is_list_type(type_):
            return self.listed(type_.of_type, site, value, depth)
        if is_abstract_type(type_):
            return f"{self.dispatch(type_, site)}({value}, run)"
        self.admission(type_, site, value, depth)
        return self.fields_of(type_, self.subfields(type_, site.details), value, depth)

    def listed(self, item_type: GraphQLOutputType, site: Site, value: str, depth: int) -> str:
        items, item = self.name("l"), self.name("i")
        self.line(depth, f"{items} = {value} if {value}.__class__ is list else items_of({value})")
        if is_leaf_type(get_nullable_type(item_type)):
            return f"[{self.completed(item_type, site, item, depth)} for {item} in {items}]"
        result = self.name("r")
        self.line(depth, f"{result} = []")
        self.line(depth, f"for {item} in {items}:")
        self.line(depth + 1, f"{result}.append({self.completed(item_type, site, item, depth + 1)})")
        return result

    def subfields(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> GroupedFieldSet:
        return self.executor.collect_subfields(type_, details).grouped_field_set

    def admission(self, type_: GraphQLObjectType, site: Site, value: str, depth: int) -> None:
        """Writes the check that the value is an object of the type, before an attribute of it is read."""
        row = row_class(type_)
        if row is not None:
            self.line(depth, f"if {value}.__class__ is not {self.constant(row)}: raise Deopt")
        elif type_.is_type_of is not None:
            self.line(depth, f"{self.constant(_type_check(type_, site))}({value}, run)")
        else:
            known: set[type] = set()
            check = self.constant(_class_check(known))
            self.line(depth, f"if {value}.__class__ not in {self.constant(known)}: {check}({value})")

    # ------------------------------------------------------------------ interfaces and unions

    def dispatch(self, type_: GraphQLAbstractType, site: Site) -> str:
        """Writes a function for each possible type, and the one that chooses between them; the name of the latter."""
        by_name, by_row, choose = self.name("n"), self.name("w"), self.name("g")
        makers: dict[str, str] = {}
        rows: dict[type, list[str]] = {}
        for possible in self.schema.get_possible_types(type_):
            maker = makers[possible.name] = self.name("t")

            def body(possible: GraphQLObjectType = possible) -> None:
                self.admission(possible, site, "source", 1)
                self.returned(self.fields_of(possible, self.subfields(possible, site.details), "source", 1))

            self.function(f"{maker}(source, run)", body)
            rows.setdefault(row_class(possible), []).append(maker)
        certain = {row: found[0] for row, found in rows.items() if row is not None and len(found) == 1}
        by_rows = ", ".join(f"{self.constant(row)}: {maker}" for row, maker in certain.items())
        names = ", ".join(f"{name!r}: {maker}" for name, maker in makers.items())
        resolve_type = self.constant(_type_resolution(type_, site))
        self.functions += [
            f"{by_row}, {by_name} = {{{by_rows}}}, {{{names}}}",
            f"def {choose}(source, run):",
            f" make = {by_row}.get(source.__class__) or {by_name}[{resolve_type}(source, run)]",
            " return make(source, run)",
        ]
        return choose


# ---------------------------------------------------------------------- what generated code calls where it is not sure


def _items_of(value: object) -> list | tuple:
    # Of the iterables that graphql-core takes, only these can be gone through twice for certain.
    if isinstance(value, (list, tuple)):
        return value
    raise Deopt


def _refuse_what_is_no_object(value: object) -> None:
    if value is None or value is Undefined or isinstance(value, Exception) or optimized_is_awaitable(value):
        raise Deopt


def _class_check(known: set[type]) -> Callable[[object], None]:
    """For a type that takes any object: a class that was seen once need not be looked at again."""

    def check(value: object) -> None:
        _refuse_what_is_no_object(value)
        if not inspect.isgenerator(value) and len(known) < 64:
            known.add(value.__class__)

    return check


def _type_check(type_: GraphQLObjectType, site: Site) -> Callable[[object, Any], None]:
    def check(value: object, execution: Any) -> None:
        _refuse_what_is_no_object(value)
        verdict = type_.is_type_of(value, execution.info(site))
        if not verdict or optimized_is_awaitable(verdict):
            raise Deopt

    return check


def _type_resolution(type_: GraphQLAbstractType, site: Site) -> Callable[[object, Any], str]:
    """The name of the type as the schema's own resolve_type gives it; one that is not possible fails in the lookup."""

    def resolve_type(value: object, execution: Any) -> str:
        _refuse_what_is_no_object(value)
        return (type_.resolve_type or execution.executor.type_resolver)(value, execution.info(site), type_)

    return resolve_type

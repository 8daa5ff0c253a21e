"""Compiled queries, and the bounded cache that keeps each of them as long as its parsed operation lives."""

import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, OperationType, VariableNode

from .sources import SourceReads

# A failure adds FAILURE_WEIGHT to a compiled query's score, a success subtracts 1. At SCORE_LIMIT the query is
# suspended for SUSPENSION executions and then tried again, so that an outage does not make a server slow for good.
FAILURE_WEIGHT, SCORE_LIMIT, SUSPENSION = 4, 16, 200

# Compiled code and resolvers take the execution as Any: `execution.Execution` imports this module.
Resolver = Callable[[Any], Any]  # source -> the field's value, or an awaitable of it
Pairs = list[tuple[Any, dict[str, Any]]]  # (source, result object) of each object that a deferred field belongs to


@dataclass(slots=True)
class Counters:
    """How often each path was taken since the executor class was made. Plain integers that can be read at any time."""

    compiled: int = 0  # queries compiled
    executed: int = 0  # operations answered by compiled code
    deoptimized: int = 0  # operations that compiled code began and the generic executor answered
    widened: int = 0  # of these, operations that read an attribute of a source that was not selected
    unsupported: int = 0  # operations that cannot be compiled: several mutations, introspection, custom directives, ...
    suspended: int = 0  # operations left to the generic executor because their compiled query failed too often
    evicted: int = 0  # compiled queries dropped to stay within the bounds


@dataclass(slots=True)
class CompiledQuery:
    """The code of one operation: a query, or a mutation of one field."""

    complete_root: Callable[[Any, Any], dict[str, Any]]  # (root value, execution) -> data
    # One entry for each deferred field, numbered in document order, so that a field comes before those below it:
    resolver_binders: list[Callable[[Any], Resolver]]  # execution -> resolver
    completers: list[Callable[[Pairs, list[Any], Any], None]]  # (pairs, values, execution): completes values in place
    subtree_ends: list[int]  # the number after that of the last deferred field below
    reads: SourceReads  # of a mutation what is selected of its payload: its resolver may read anything before that
    source: str  # the generated Python
    is_mutation: bool = False
    failure_score: int = 0
    suspended_for: int = 0

    def is_suspended(self) -> bool:
        """Returns whether the generic executor must run this execution, and counts the execution."""
        if self.suspended_for:
            self.suspended_for -= 1
            return True
        return False

    def record_success(self) -> None:
        """Lowers the failure score."""
        if self.failure_score:
            self.failure_score -= 1

    def record_failure(self) -> None:
        """Raises the failure score, and suspends the query at the limit."""
        self.failure_score += FAILURE_WEIGHT
        if self.failure_score >= SCORE_LIMIT:
            self.failure_score -= FAILURE_WEIGHT
            self.suspended_for = SUSPENSION


@dataclass(slots=True)
class _Entry:
    operation: weakref.ref[OperationDefinitionNode]
    schema: GraphQLSchema
    condition_variables: tuple[str, ...] | None  # those that @skip and @include read; None: cannot be compiled
    queries: dict[tuple[bool, ...], CompiledQuery | None] = field(default_factory=dict)


class CompiledQueryCache:
    """A least-recently-used cache of compiled queries, by operation and by the values of its condition variables.

    Bounds: `max_operations`; `max_characters` of generated Python in all, each of which takes about 8 bytes of memory;
    `max_variants` of one operation. An entry is dropped when its parsed operation is garbage-collected.
    """

    def __init__(
        self,
        compile_query: Callable[[Any], CompiledQuery],
        max_operations: int = 512,
        max_characters: int = 4_000_000,
        max_variants: int = 16,
    ) -> None:
        self.compile_query = compile_query
        self.max_operations, self.max_characters, self.max_variants = max_operations, max_characters, max_variants
        self.counters = Counters()
        self.characters = 0  # of the generated Python in the cache
        self._entries: OrderedDict[int, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return sum(query is not None for entry in self._entries.values() for query in entry.queries.values())

    def get_or_compile(self, executor: Any) -> CompiledQuery | None:
        """Returns the compiled query of an executor's operation, or None to use the generic executor."""
        entry = self._entry(executor)
        query = None
        if entry.condition_variables is not None and not _has_hooks(executor):
            variables = executor.variable_values.coerced
            values = tuple(variables.get(name) for name in entry.condition_variables)
            if values in entry.queries:
                query = entry.queries[values]
            elif len(entry.queries) < self.max_variants and all(type(value) is bool for value in values):
                query = entry.queries[values] = self._compile(executor)
        if query is None:
            self.counters.unsupported += 1
        elif query.is_suspended():
            self.counters.suspended += 1
            query = None
        return query

    def _entry(self, executor: Any) -> _Entry:
        operation = executor.operation
        key = id(operation)
        entry = self._entries.get(key)
        if entry is not None and entry.operation() is operation and entry.schema is executor.schema:
            self._entries.move_to_end(key)
            return entry
        self._drop(key)

        def drop(_: weakref.ref[OperationDefinitionNode]) -> None:
            self._drop(key)

        entry = self._entries[key] = _Entry(
            weakref.ref(operation, drop), executor.schema, _condition_variables(executor)
        )
        self._evict()
        return entry

    def _compile(self, executor: Any) -> CompiledQuery | None:
        try:
            query = self.compile_query(executor)
        except Exception:
            return None
        self.counters.compiled += 1
        self.characters += len(query.source)
        self._evict()
        return query

    def _evict(self) -> None:
        while len(self._entries) > 1 and (
            len(self._entries) > self.max_operations or self.characters > self.max_characters
        ):
            self.counters.evicted += self._drop(next(iter(self._entries)))

    def _drop(self, key: int) -> int:
        """Removes an operation and returns how many compiled queries it had."""
        entry = self._entries.pop(key, None)
        dropped = [query for query in entry.queries.values() if query is not None] if entry else []
        self.characters -= sum(len(query.source) for query in dropped)
        return len(dropped)


def _has_hooks(executor: Any) -> bool:
    """Whether something observes this execution that compiled code would not call."""
    middleware = executor.middleware_manager
    return bool(
        (middleware is not None and middleware.middlewares) or executor.abort_signal is not None or executor.hooks
    )


def _condition_variables(executor: Any) -> tuple[str, ...] | None:
    """The variables that decide which fields are selected, sorted.

    None for an operation that is never compiled: a subscription, or with directives other than @skip and @include, or
    with variables of fragments.
    """
    if executor.operation.operation is OperationType.SUBSCRIPTION:
        return None
    names: set[str] = set()
    nodes: list[Any] = [executor.operation, *executor.fragment_definitions.values()]
    while nodes:
        node = nodes.pop()
        if getattr(node, "variable_definitions", None) and node is not executor.operation:
            return None
        for directive in node.directives or ():
            if directive.name.value not in ("skip", "include"):
                return None
            names.update(a.value.name.value for a in directive.arguments if isinstance(a.value, VariableNode))
        if getattr(node, "selection_set", None):
            nodes.extend(node.selection_set.selections)
    return tuple(sorted(names))

"""Plans, and the bounded store that keeps them for as long as the parsed document lives."""

import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema, OperationDefinitionNode, OperationType, VariableNode

from schema.executor.outcomes import Counters

# A failure weighs as much as FAILURE successes. A plan whose balance reaches LIMIT rests for REST executions and is
# then tried again, so that an outage of the database does not leave a server slow for good.
FAILURE, LIMIT, REST = 4, 16, 200


@dataclass(slots=True)
class Plan:
    """A compiled operation."""

    root: Callable[[Any, Any], dict[str, Any]]  # (root value, run) -> answer
    # For each resolved field, numbered from the top down:
    binders: list[Callable[[Any], Callable[[Any], Any]]]  # run -> (source -> value or awaitable)
    fills: list[Callable[[list, list, Any], None]]  # (pairs, values, run) completes the values into their places
    ends: list[int]  # the number after the last field below it
    source: str  # the generated Python
    balance: int = 0
    rest: int = 0

    def rests(self) -> bool:
        """Whether this execution is to be left to the generic executor; counts it."""
        if self.rest:
            self.rest -= 1
            return True
        return False

    def succeeded(self) -> None:
        if self.balance:
            self.balance -= 1

    def failed(self) -> None:
        self.balance += FAILURE
        if self.balance >= LIMIT:
            self.balance -= FAILURE
            self.rest = REST


@dataclass(slots=True)
class _Entry:
    operation: weakref.ref[OperationDefinitionNode]
    schema: GraphQLSchema
    conditions: tuple[str, ...] | None  # variables that @skip and @include read; None: never to be compiled
    plans: dict[tuple[bool, ...], Plan | None] = field(default_factory=dict)


class PlanCache:
    """Plans by operation and by the values of its @skip and @include variables; the longest unused go first.

    Bounds: `most` operations, `characters` of generated Python in all (a plan takes about 8 bytes for each of them),
    and `variants` an operation. A plan goes with the operation when the parser's cache drops the document.
    """

    def __init__(
        self,
        compile_operation: Callable[[Any], Plan],
        most: int = 512,
        characters: int = 4_000_000,
        variants: int = 16,
    ) -> None:
        self.compile_operation = compile_operation
        self.most, self.characters, self.variants = most, characters, variants
        self.counters = Counters()
        self.written = 0  # characters of generated Python now kept
        self._entries: OrderedDict[int, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return sum(plan is not None for entry in self._entries.values() for plan in entry.plans.values())

    def plan_for(self, executor: Any) -> Plan | None:
        """The plan to run for an executor's operation, compiled if need be; None leaves it to the generic executor."""
        entry = self._entry(executor)
        plan = None
        if entry.conditions is not None and not _is_watched(executor):
            given = executor.variable_values.coerced
            values = tuple(given.get(name) for name in entry.conditions)
            if values in entry.plans:
                plan = entry.plans[values]
            elif len(entry.plans) < self.variants and all(type(value) is bool for value in values):
                plan = entry.plans[values] = self._compiled(executor)
        if plan is None:
            self.counters.unsupported += 1
        elif plan.rests():
            self.counters.rested += 1
            plan = None
        return plan

    def _entry(self, executor: Any) -> _Entry:
        operation = executor.operation
        entry = self._entries.get(id(operation))
        if entry is not None and entry.operation() is operation and entry.schema is executor.schema:
            self._entries.move_to_end(id(operation))
            return entry
        self._drop(id(operation))
        gone = weakref.ref(operation, lambda _, number=id(operation): self._drop(number))
        entry = self._entries[id(operation)] = _Entry(gone, executor.schema, _conditions(executor))
        self._shrink()
        return entry

    def _compiled(self, executor: Any) -> Plan | None:
        try:
            plan = self.compile_operation(executor)
        except Exception:
            return None
        self.counters.compiled += 1
        self.written += len(plan.source)
        self._shrink()
        return plan

    def _shrink(self) -> None:
        while len(self._entries) > 1 and (len(self._entries) > self.most or self.written > self.characters):
            self.counters.evicted += self._drop(next(iter(self._entries)))

    def _drop(self, number: int) -> int:
        """Forgets an operation; how many plans it had."""
        entry = self._entries.pop(number, None)
        dropped = [plan for plan in entry.plans.values() if plan is not None] if entry else []
        self.written -= sum(len(plan.source) for plan in dropped)
        return len(dropped)


def _is_watched(executor: Any) -> bool:
    """Whether this execution has something attached that the compiled path would not serve."""
    middleware = executor.middleware_manager
    return bool(
        (middleware is not None and middleware.middlewares) or executor.abort_signal is not None or executor.hooks
    )


def _conditions(executor: Any) -> tuple[str, ...] | None:
    """The variables that decide what is selected; None for what is never compiled: anything but a query, directives
    other than @skip and @include, fragments with variables."""
    if executor.operation.operation is not OperationType.QUERY:
        return None
    names: set[str] = set()
    rest: list[Any] = [executor.operation, *executor.fragment_definitions.values()]
    while rest:
        node = rest.pop()
        if getattr(node, "variable_definitions", None) and node is not executor.operation:
            return None
        for directive in node.directives or ():
            if directive.name.value not in ("skip", "include"):
                return None
            names.update(a.value.name.value for a in directive.arguments if isinstance(a.value, VariableNode))
        if getattr(node, "selection_set", None):
            rest.extend(node.selection_set.selections)
    return tuple(sorted(names))

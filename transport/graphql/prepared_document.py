"""Valid documents, their operations with the cost of each, and an operation that may run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, OperationType

from transport.graphql.anonymous_document import Part
from transport.graphql.cost import Cost, evaluate
from transport.graphql.errors import operation_rejected
from transport.graphql.object_count import ObjectCount
from transport.graphql.operation_context import OperationContext
from transport.graphql.operation_log import OperationLog
from transport.graphql.request import GraphQLRequest
from transport.limits import Limits


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document.

    `only_introspects` says that its result is the same for every caller; `deprecated` are the coordinates of the
    deprecated parts of the schema that it uses.
    """

    document: DocumentNode
    name: str | None
    kind: OperationType
    cost: Cost
    introspects: bool
    only_introspects: bool
    deprecated: tuple[str, ...]
    objects: ObjectCount

    def cost_with(self, variables: Mapping[str, Any] | None, limits: Limits) -> int:
        """Returns the cost of running it with these variables. Raises OperationRejected if it is over the limit."""
        cost = evaluate(self.cost, variables or {}, limits)
        if cost > limits.operation_cost:
            raise operation_rejected(
                f"This operation costs {cost} points; the limit is {limits.operation_cost}. Request smaller pages.",
                limit="operation_cost",
                max=limits.operation_cost,
                found=cost,
            )
        return cost


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A valid document and its operations by name."""

    operations: dict[str | None, Operation]

    def operation(self, name: str | None) -> Operation:
        """Returns the operation to run. Without a name it is the only one. Raises OperationRejected."""
        if not name:
            if len(self.operations) == 1:
                return next(iter(self.operations.values()))
            raise operation_rejected("operationName is required: the document has several operations.")
        try:
            return self.operations[name]
        except KeyError:
            raise operation_rejected("operationName must name an operation of the document.") from None


@dataclass(slots=True)
class PreparedOperation:
    """An operation that may run: it is valid, within the limits, and its cost is charged."""

    operation: Operation
    request: GraphQLRequest
    context: OperationContext
    log: OperationLog
    anonymous: bool
    # Of an anonymous caller's own document: what runs before and after the sign-in.
    parts: tuple[Part, ...] = ()

"""What an answer costs: the estimate before it runs, and for large queries what they gave."""

from typing import Any

from graphql import OperationType

from transport.graphql.operation_log import OperationLog
from transport.graphql.prepared_document import PreparedOperation
from transport.graphql.rate_limit import RateLimiter

# Queries of fewer points are charged as estimated: counting takes time, and there is little to give back.
COUNTED_FROM = 500


def settle(limiter: RateLimiter, caller: Any, prepared: PreparedOperation, data: Any) -> None:
    """Gives back to the caller what a large query was charged for objects that it did not give."""
    log = prepared.log
    if prepared.operation.kind is not OperationType.QUERY or log.cost < COUNTED_FROM or log.cost_left is None:
        return
    log.charged = min(log.cost, max(1, prepared.operation.objects.of(data)))
    log.cost_left = limiter.give_back(caller, log.cost - log.charged, prepared.anonymous)


def with_cost(response: dict[str, Any], log: OperationLog) -> dict[str, Any]:
    """Adds the cost to a response."""
    cost = {"requested": log.cost}
    if log.charged is not None:
        cost["charged"] = log.charged
    if log.cost_left is not None:
        cost["left"] = log.cost_left
    response["extensions"] = {"cost": cost}
    return response

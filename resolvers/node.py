"""Any record by its id: `node` and `nodes`."""

import asyncio
from collections.abc import Callable
from typing import Any

from domain import global_id as ids
from loaders.core.registry import Loaders
from resolvers.core.context import Context

# How to read each type by its key; of units and criteria, by the aim's key and their own.
_BY_KEY: dict[str, Callable[[Loaders], Any]] = {
    "Action": lambda loaders: loaders.action,
    "Aim": lambda loaders: loaders.aim,
    "Evidence": lambda loaders: loaders.evidence,
    "File": lambda loaders: loaders.file,
    "Learner": lambda loaders: loaders.learner,
    "AuditEvent": lambda loaders: loaders.audit_event,
    "Employer": lambda loaders: loaders.employer,
    "Qualification": lambda loaders: loaders.qualification,
    "Resource": lambda loaders: loaders.resource,
    "Session": lambda loaders: loaders.session,
    "SignatureRequest": lambda loaders: loaders.signature_request,
    "TimeLogEntry": lambda loaders: loaders.time_log_entry,
    "User": lambda loaders: loaders.user,
}
_BY_PAIR: dict[str, Callable[[Loaders], Any]] = {
    "Unit": lambda loaders: loaders.unit,
    "Criterion": lambda loaders: loaders.criterion,
}


async def by_id(context: Context, id: str) -> Any | None:
    """The record's row; None for what is not there, what the viewer may not see, and what was never an id."""
    loaders, parts = context.loaders, ids.parse(id)
    if parts is None:
        return None
    type_name, key, part = parts
    if part is None:
        return await _BY_KEY[type_name](loaders).load(key) if type_name in _BY_KEY else None
    return await _BY_PAIR[type_name](loaders).load((key, part)) if type_name in _BY_PAIR else None


async def by_ids(context: Context, ids_asked: list[str]) -> list[Any | None]:
    """As `by_id` for each, in order, as few statements as types."""
    return list(await asyncio.gather(*(by_id(context, id) for id in ids_asked)))


async def of_type(context: Context, type_name: str, id: str) -> Any | None:
    """As `by_id`, and None where the id is of another type."""
    row = await by_id(context, id)
    parts = ids.parse(id)
    return row if parts is not None and parts[0] == type_name else None

"""Any record by its global id: the queries `node` and `nodes`."""

import asyncio
from collections.abc import Sequence
from typing import Any

from domain import global_id
from loaders.core.registry import node_loaders
from resolvers.core.context import Context


async def by_id(context: Context, id: str) -> Any | None:
    """Returns the record's row; None for an unknown record, one that the viewer does not see, and an invalid id."""
    loaders, parts = context.loaders, global_id.parse(id)
    if parts is None:
        return None
    type_name, key, part = parts
    loader = node_loaders().get(type_name)
    if loader is None or (part is not None) is not loader.takes_pairs:
        return None
    return await loaders[loader].load(key if part is None else (key, part))


async def by_ids(context: Context, ids: Sequence[str]) -> list[Any | None]:
    """Returns the row of each id as `by_id` does, in order, with one statement for each type."""
    return list(await asyncio.gather(*(by_id(context, id) for id in ids)))


async def of_type(context: Context, type_name: str, id: str) -> Any | None:
    """Returns the record's row as `by_id` does; None where the id is of another type."""
    row = await by_id(context, id)
    parts = global_id.parse(id)
    return row if parts is not None and parts[0] == type_name else None

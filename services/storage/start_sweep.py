"""The sweep of the file store when a server starts: what no record uses, and what was never completed."""

import asyncio

import structlog

from db.outages import cause_of
from services.storage.file_store import FileStore, FindReferenced, StoreUnavailable, SweepResult

log = structlog.get_logger("waymark")

# A store that does not answer must not keep a server from starting.
_SECONDS = 10.0


async def sweep_at_start(files: FileStore, find_referenced: FindReferenced) -> int:
    """Returns how many files were deleted. If the store is away, that is logged, and the next start sweeps."""
    swept = SweepResult(0, 0)
    try:
        async with asyncio.timeout(_SECONDS):
            swept = await files.sweep(find_referenced)
    except (StoreUnavailable, TimeoutError) as error:
        # Uploads are not possible, all else is.
        log.error("file_store_unavailable", cause=cause_of(error.__cause__ or error))
    return swept.incomplete + swept.unreferenced

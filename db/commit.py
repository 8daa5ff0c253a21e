"""The commit of a transaction, whose outcome is unknown if the connection is lost during it."""

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from db.outages import CommitOutcomeUnknown


async def commit(session: AsyncSession) -> None:
    """Commits a session that is flushed.

    Raises what SQLAlchemy raises if the database refused the commit. Raises CommitOutcomeUnknown if the connection was
    lost after COMMIT was sent: the server may have committed before its answer was lost.
    """
    try:
        await session.commit()
    except DBAPIError as error:
        if error.connection_invalidated and not _was_never_sent(error):
            raise CommitOutcomeUnknown from error
        raise


def _was_never_sent(error: DBAPIError) -> bool:
    # asyncpg sends nothing on a connection that it knows to be closed, and says so with its InterfaceError.
    cause: BaseException | None = error.orig
    while cause is not None and not isinstance(cause, asyncpg.InterfaceError):
        cause = cause.__cause__
    return isinstance(cause, asyncpg.InterfaceError)

"""The session of a write transaction on PostgreSQL, of which SQLAlchemy's own part is made when something needs it.

Most writes change one or two rows: they read, insert and update by statements that the driver gets directly
(`db.direct_statements`). SQLAlchemy's session, with its transaction, calls some 400 functions beside them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from db.compiled_select import AnyStatement
from db.direct_statements import DRIVER, DirectStatements
from db.models.base import Base


class WriteSession(AsyncSession):
    """A session whose direct statements and objects need no session of SQLAlchemy until another method is called.

    `objects`: those that were made of rows, by SQLAlchemy's identity key. They become SQLAlchemy's with its session.
    """

    def __init__(self, direct: DirectStatements) -> None:
        # Without SQLAlchemy's, which makes the session at once.
        connection = direct.connection.sqlalchemy
        self._async_bind, self._async_binds = connection, {}
        self._direct = direct
        self._info: dict[Any, Any] = {DRIVER: direct}
        self._made: Session | None = None
        self.objects: dict[Any, Base] = {}

    @property
    def info(self) -> dict[Any, Any]:
        """What others note with the session, also with SQLAlchemy's."""
        return self._info

    @property
    def made(self) -> Session | None:
        """SQLAlchemy's session, if something has needed it."""
        return self._made

    @property
    def sync_session(self) -> Session:  # type: ignore[override]  # an attribute there
        """SQLAlchemy's session, which joins the transaction of the direct statements."""
        made = self._made
        if made is None:
            bind = self._direct.connection.sqlalchemy.sync_connection
            made = self._made = self._assign_proxied(Session(bind, expire_on_commit=False, autoflush=False))
            made.info = self._info
            made.add_all(self.objects.values())
            self.objects.clear()
            # Its commit is the transaction's, also if it sends no statement of its own.
            made.connection()
        return made

    _proxied = sync_session

    async def rows(self, statement: AnyStatement, parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Returns the rows of a direct statement."""
        return await self._direct.rows(statement, parameters)

    async def commit(self) -> None:
        """Commits. Raises what SQLAlchemy raises."""
        await (self._direct.end("COMMIT") if self._made is None else super().commit())

    async def rollback(self) -> None:
        """Ends the transaction without its changes."""
        await (self._direct.end("ROLLBACK") if self._made is None else super().rollback())

    async def close(self) -> None:
        """Forgets the objects. The connection is not the session's."""
        if self._made is not None:
            await super().close()
        self.objects.clear()


def unmade_objects(session: AsyncSession) -> dict[Any, Base] | None:
    """Returns the objects of a session that has no session of SQLAlchemy yet; None of any other."""
    return session.objects if isinstance(session, WriteSession) and session.made is None else None

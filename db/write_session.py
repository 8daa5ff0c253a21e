"""The session of a write transaction on PostgreSQL, of which SQLAlchemy's own part is made when something needs it.

Most writes change one or two rows: they read, insert and update by statements that the driver gets directly
(`db.direct_statements`). SQLAlchemy's session, with its transaction, calls some 400 functions beside them.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state

from db.compiled_select import AnyStatement
from db.direct_statements import DRIVER, DirectStatements
from db.loaded_entity import identity_of, loaded, selecting
from db.models.base import Base


class WriteSession(AsyncSession):
    """A session whose direct statements and objects need no session of SQLAlchemy until another method is called.

    `objects`: those that were made of rows or inserted, by SQLAlchemy's identity key; `added`: new ones. They become
    SQLAlchemy's with its session. `flush` sends what has changed of them.
    """

    # An attribute, where SQLAlchemy has a property: it is read ten times in a transaction.
    info: Any = None

    def __init__(self, direct: DirectStatements, flush: Callable[[AsyncSession], Awaitable[None]]) -> None:
        # Without SQLAlchemy's, which makes the session at once.
        connection = direct.connection.sqlalchemy
        self._async_bind, self._async_binds = connection, {}
        self._direct = direct
        self._flush = flush
        # What others note with the session, also with SQLAlchemy's.
        self.info = {DRIVER: direct}
        self._made: Session | None = None
        self.objects: dict[Any, Base] = {}
        self.added: list[Any] = []

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
            made.info = self.info
            made.add_all([*self.objects.values(), *self.added])
            self.objects.clear()
            self.added.clear()
            # Its commit is the transaction's, also if it sends no statement of its own.
            made.connection()
        return made

    _proxied = sync_session

    @property
    def unmade_objects(self) -> dict[Any, Base] | None:
        """The objects; None if SQLAlchemy's session has them."""
        return self.objects if self._made is None else None

    async def rows(self, statement: AnyStatement, parameters: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Returns the rows of a direct statement."""
        return await self._direct.rows(statement, dict(parameters))

    def add(self, instance: Any, *, _warn: bool = True) -> None:
        """Adds a new object, or one of another session."""
        if self._made is not None or instance_state(instance).key is not None:
            self.sync_session.add(instance)
        elif not any(each is instance for each in self.added):
            self.added.append(instance)

    def add_all(self, instances: Iterable[Any]) -> None:
        """Adds objects."""
        for each in instances:
            self.add(each)

    async def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Sends what has changed. Raises what SQLAlchemy raises."""
        await (self._flush(self) if objects is None else super().flush(objects))

    async def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """Returns the object with that key, as SQLAlchemy's session does; None if there is none."""
        if self._made is not None or options:
            return await super().get(entity, ident, **options)
        key = ident if isinstance(ident, tuple) else (ident,)
        found = self.objects.get(identity_of(entity, key))
        if found is None:
            parameters = {f"key_{number}": part for number, part in enumerate(key)}
            rows = await self.rows(selecting(entity), parameters)
            found = loaded(self, entity, rows[0]) if rows else None
        return found

    async def get_one(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As `get`, but raises NoResultFound if there is none."""
        found = await self.get(entity, ident, **options)
        if found is None:
            raise NoResultFound("No row was found when one was required")
        return found

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
        self.added.clear()

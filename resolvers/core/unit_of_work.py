"""A write: one transaction that holds the change, its audit line, its e-mail, the progress figures, and who hears of it.

A mutation is one function marked `@writes("evidenceAssess")`. It gets a `Change` and plain arguments, and gives back what
names its result (a key). Called with the context, it runs in a transaction of its own, once for each Idempotency-Key:

    key = await evidence.assess(context, id=…, mappings=…)
"""

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from auth import policy, scope
from auth.auth_sessions import note_write
from auth.viewer import Viewer
from db.models.audit_event import AuditEvent
from db.models.base import Base
from db.models.outbox import outbox_row
from domain import clock
from domain import global_id as ids
from domain.enums import UserErrorCode
from domain.errors import Fault, Refused, not_allowed, not_found, refuse
from domain.mail import Mail
from repositories.scoped import TYPE_NAMES, one_for_write
from resolvers.core.context import Context
from resolvers.core.idempotency import claim, fulfil
from resolvers.core.signing_password import check_signing_password
from services.audit.append import append
from services.audit.progress_check import sum_up

E = TypeVar("E", bound=Base)
P = ParamSpec("P")
# What names the result of a write: a key, keys, or nothing. It is kept with an Idempotency-Key, so it is plain JSON.
Result = TypeVar("Result")

# A deadlock, and a serialization that failed: PostgreSQL's way of saying that another was first.
_LOST_A_RACE = ("40P01", "40001")
_MOST_ATTEMPTS = 3

# Every mutation that writes, by its name in the graph: the permission test walks it.
WRITES: dict[str, Callable[..., Awaitable[Any]]] = {}


class Change:
    """One transaction of one mutation."""

    def __init__(self, name: str, context: Context, session: AsyncSession, viewer: Viewer) -> None:
        self.name = name
        self.context = context
        self.services = context.services
        self.session = session
        self.viewer = viewer
        self.now = clock.now()
        self.today = clock.day_of(self.now)
        self._faults: list[Fault] = []
        self._line: AuditEvent | None = None
        self._aims: set[int] = set()
        self.touched: set[int] = set()

    # ------------------------------------------------------------ reading what is to be changed

    async def get(self, entity: type[E], id: str, *field: str, locked: bool = True) -> E:
        """The entity with that id, if the viewer sees it; else NOT_FOUND at `field`. Locked until the transaction ends."""
        found = await self.find(entity, ids.decode(TYPE_NAMES[entity], id), locked=locked)
        if found is None:
            raise not_found(*field)
        return found

    async def find(self, entity: type[E], key: int | None, locked: bool = True) -> E | None:
        """The entity with that key, if the viewer sees it."""
        if key is None:
            return None
        statement = one_for_write(self.viewer.role, entity, locked)
        found = await self.session.execute(statement, {**scope.binds(self.viewer), "key": key})
        return found.scalar_one_or_none()

    # ------------------------------------------------------------ may they, and is it right

    def allow(self, also: bool = True, message: str = "Your role does not allow this.", *field: str) -> None:
        """Refuses with NOT_ALLOWED unless the policy's table lets the role do this, and `also` holds of the record."""
        if not (also and policy.may(self.viewer.role, self.name)):
            raise not_allowed(message, *field)

    def fault(self, code: UserErrorCode, message: str, *field: str) -> None:
        """Notes one thing to mend; `check` refuses for all of them together."""
        self._faults.append(Fault(code, field or None, message))

    def check(self) -> None:
        """Refuses if anything was noted."""
        if self._faults:
            raise Refused(*self._faults)

    # ------------------------------------------------------------ what else the transaction holds

    def record(
        self,
        type_name: str | None,
        key: int | None,
        part: int | None = None,
        *,
        learner_id: int | None = None,
        aim_id: int | None = None,
        **detail: Any,
    ) -> None:
        """The audit line: on which record. `detail` says which fields changed, never what a person wrote in them."""
        self._line = AuditEvent(
            provider_id=self.viewer.provider_key,
            at=self.now,
            actor_id=self.viewer.user_key,
            role=self.viewer.role,
            action=self.name,
            subject_type=type_name,
            subject_key=key,
            subject_part=part,
            learner_id=learner_id,
            aim_id=aim_id,
            detail=detail,
            address=self.context.client.address,
            request_id=self.context.client.request_id,
        )
        if learner_id is not None:
            self.touched.add(learner_id)

    def mail(self, to: str, mail: Mail) -> None:
        """An e-mail that goes out if and when this commits."""
        self.session.add(outbox_row(self.viewer.provider_key, to, mail, self.now))

    def progress(self, aim_id: int) -> None:
        """The aim's sums are counted again at the end of the transaction."""
        self._aims.add(aim_id)

    @property
    def changed(self) -> bool:
        """Whether anything was put on record; a repetition that changes nothing is not."""
        return self._line is not None

    async def finish(self) -> None:
        """Writes what belongs to the change; the audit line last, because the chain's end stays locked until the commit."""
        await self.session.flush()
        for aim_id in sorted(self._aims):
            await sum_up(self.session, aim_id)
        if self._line is not None:
            await self.services.changes.in_transaction(self.session, self.viewer.provider_key, self.touched)
            await append(self.session, self._line)
            await self.session.flush()


def writes(
    name: str, *, signs: bool = False, password_at: tuple[str, ...] = ("password",)
) -> Callable[[Callable[Concatenate[Change, P], Awaitable[Result]]], Callable[Concatenate[Context, P], Awaitable[Result]]]:
    """Marks the function behind one mutation. `signs`: its `password` argument is checked first, before any lock is held.

    `password_at` is the path of the password in the graph's input.
    """

    def mark(
        work: Callable[Concatenate[Change, P], Awaitable[Result]],
    ) -> Callable[Concatenate[Context, P], Awaitable[Result]]:
        @functools.wraps(work)
        async def run(context: Context, *args: P.args, **kwargs: P.kwargs) -> Result:
            viewer = context.let_in
            context.write_number += 1
            if signs:
                await check_signing_password(context, str(kwargs["password"]), name, *password_at)
            result = await _in_transaction(name, context, viewer, lambda change: work(change, *args, **kwargs), kwargs)
            context.wrote()
            return result

        WRITES[name] = run
        return run

    return mark


async def _in_transaction(
    name: str, context: Context, viewer: Viewer, work: Callable[[Change], Awaitable[Any]], arguments: dict[str, Any]
) -> Any:
    attempts = 0
    while True:
        attempts += 1
        try:
            return await _attempt(name, context, viewer, work, arguments)
        except StaleDataError:
            raise _overtaken() from None
        except IntegrityError as error:
            raise _overtaken() from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _LOST_A_RACE:
                raise
            # PostgreSQL undid all of it, because two waited for each other: the second try finds the way free.
            if attempts == _MOST_ATTEMPTS:
                raise _overtaken() from error


async def _attempt(
    name: str, context: Context, viewer: Viewer, work: Callable[[Change], Awaitable[Any]], arguments: dict[str, Any]
) -> Any:
    async with context.services.database.writing() as session:
        earlier = await claim(session, context, viewer, name, arguments)
        if earlier is not None:
            return json.loads(earlier)
        change = Change(name, context, session, viewer)
        result = await work(change)
        await fulfil(session, context, viewer, name, result)
        await change.finish()
        if change.changed and context.services.database.replica is not None:
            await note_write(session, viewer.sign_in_key, change.now)
    if change.changed:
        context.services.committed(viewer.provider_key, change.touched)
    return result


def _overtaken() -> Refused:
    return refuse(
        UserErrorCode.CONFLICT,
        "Somebody else changed this at the same moment, and nothing of yours was kept. Look at it again, then repeat.",
    )

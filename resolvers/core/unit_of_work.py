"""A write: one transaction that holds the change, its audit line, its e-mail, the progress figures, and who hears of it.

A mutation is one function marked `@writes("evidenceAssess")`. It gets a `UnitOfWork` and plain arguments, and gives back what
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
from auth.auth_sessions import record_last_write
from auth.viewer import Viewer
from db.models.audit_event import AuditEvent
from db.models.base import Base
from db.models.outbox import outbox_mail
from domain import clock
from domain import global_id as ids
from domain.enums import UserErrorCode
from domain.errors import DomainError, UserError, not_allowed, not_found, reject
from domain.mail import Mail
from repositories.scoped import one_for_write
from resolvers.core.context import Context
from resolvers.core.idempotency import acquire, store_result
from resolvers.core.signing_password import require_signing_password
from services.audit.append import append
from services.progress import recount_progress

E = TypeVar("E", bound=Base)
P = ParamSpec("P")
# What names the result of a write: a key, keys, or nothing. It is kept with an Idempotency-Key, so it is plain JSON.
Result = TypeVar("Result")

# A deadlock, and a serialization that failed: PostgreSQL's way of saying that another was first.
_LOST_A_RACE = ("40P01", "40001")
_MOST_ATTEMPTS = 3

# Every mutation that writes, by its name in the graph: the permission test walks it.
MUTATIONS: dict[str, Callable[..., Awaitable[Any]]] = {}


class UnitOfWork:
    """One transaction of one mutation."""

    def __init__(self, name: str, context: Context, session: AsyncSession, viewer: Viewer) -> None:
        self.name = name
        self.context = context
        self.services = context.services
        self.session = session
        self.viewer = viewer
        self.now = clock.now()
        self.today = clock.day_of(self.now)
        self._errors: list[UserError] = []
        self._event: AuditEvent | None = None
        self._aims_to_recount: set[int] = set()
        self.changed_learners: set[int] = set()

    # ------------------------------------------------------------ reading what is to be changed

    async def get(self, entity: type[E], id: str, *field: str, locked: bool = True) -> E:
        """The entity with that id, if the viewer sees it; else NOT_FOUND at `field`. Locked until the transaction ends."""
        found = await self.get_or_none(entity, ids.decode(entity.type_name(), id), locked=locked)
        if found is None:
            raise not_found(*field)
        return found

    async def get_or_none(self, entity: type[E], key: int | None, locked: bool = True) -> E | None:
        """The entity with that key, if the viewer sees it."""
        if key is None:
            return None
        statement = one_for_write(self.viewer.role, entity, locked)
        found = await self.session.execute(statement, {**scope.viewer_params(self.viewer), "key": key})
        return found.scalar_one_or_none()

    # ------------------------------------------------------------ may they, and is it right

    def authorize(self, also: bool = True, message: str = "Your role does not allow this.", *field: str) -> None:
        """Refuses with NOT_ALLOWED unless the policy's table lets the role do this, and `also` holds of the record."""
        if not (also and policy.may(self.viewer.role, self.name)):
            raise not_allowed(message, *field)

    def add_error(self, code: UserErrorCode, message: str, *field: str) -> None:
        """Notes one thing to mend; `check` refuses for all of them together."""
        self._errors.append(UserError(code, field or None, message))

    def raise_errors(self) -> None:
        """Refuses if anything was noted."""
        if self._errors:
            raise DomainError(*self._errors)

    # ------------------------------------------------------------ what else the transaction holds

    def audit(
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
        self._event = AuditEvent(
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
            self.changed_learners.add(learner_id)

    def send_mail(self, to: str, mail: Mail) -> None:
        """An e-mail that goes out if and when this commits."""
        self.session.add(outbox_mail(self.viewer.provider_key, to, mail, self.now))

    def recount_progress(self, aim_id: int) -> None:
        """The aim's sums are counted again at the end of the transaction."""
        self._aims_to_recount.add(aim_id)

    @property
    def has_changes(self) -> bool:
        """Whether anything was put on record; a repetition that changes nothing is not."""
        return self._event is not None

    async def finish(self) -> None:
        """Writes what belongs to the change; the audit line last, because the chain's end stays locked until the commit."""
        await self.session.flush()
        for aim_id in sorted(self._aims_to_recount):
            await recount_progress(self.session, aim_id)
        if self._event is not None:
            await self.services.changes.notify_in_transaction(
                self.session, self.viewer.provider_key, self.changed_learners
            )
            await append(self.session, self._event)
            await self.session.flush()


def mutation(
    name: str, *, signs: bool = False, password_at: tuple[str, ...] = ("password",)
) -> Callable[
    [Callable[Concatenate[UnitOfWork, P], Awaitable[Result]]], Callable[Concatenate[Context, P], Awaitable[Result]]
]:
    """Marks the function behind one mutation. `signs`: its `password` argument is checked first, before any lock is held.

    `password_at` is the path of the password in the graph's input.
    """

    def mark(
        work: Callable[Concatenate[UnitOfWork, P], Awaitable[Result]],
    ) -> Callable[Concatenate[Context, P], Awaitable[Result]]:
        @functools.wraps(work)
        async def run(context: Context, *args: P.args, **kwargs: P.kwargs) -> Result:
            viewer = context.require_active_viewer()
            context.write_number += 1
            if signs:
                await require_signing_password(context, str(kwargs["password"]), name, *password_at)
            result = await _run_with_retries(name, context, viewer, lambda uow: work(uow, *args, **kwargs), kwargs)
            context.invalidate_loaders()
            return result

        MUTATIONS[name] = run
        return run

    return mark


async def _run_with_retries(
    name: str, context: Context, viewer: Viewer, work: Callable[[UnitOfWork], Awaitable[Any]], arguments: dict[str, Any]
) -> Any:
    attempts = 0
    while True:
        attempts += 1
        try:
            return await _attempt(name, context, viewer, work, arguments)
        except StaleDataError:
            raise _conflict() from None
        except IntegrityError as error:
            raise _conflict() from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _LOST_A_RACE:
                raise
            # PostgreSQL undid all of it, because two waited for each other: the second try finds the way free.
            if attempts == _MOST_ATTEMPTS:
                raise _conflict() from error


async def _attempt(
    name: str, context: Context, viewer: Viewer, work: Callable[[UnitOfWork], Awaitable[Any]], arguments: dict[str, Any]
) -> Any:
    async with context.services.database.writing() as session:
        earlier = await acquire(session, context, viewer, name, arguments)
        if earlier is not None:
            return json.loads(earlier)
        uow = UnitOfWork(name, context, session, viewer)
        result = await work(uow)
        await store_result(session, context, viewer, name, result)
        await uow.finish()
        if uow.has_changes and context.services.database.replica is not None:
            await record_last_write(session, viewer.auth_session_key, uow.now)
    if uow.has_changes:
        context.services.after_commit(viewer.provider_key, uow.changed_learners)
    return result


def _conflict() -> DomainError:
    return reject(
        UserErrorCode.CONFLICT,
        "Somebody else changed this at the same moment, and nothing of yours was kept. Look at it again, then repeat.",
    )

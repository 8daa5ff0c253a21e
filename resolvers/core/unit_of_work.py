"""The unit of work: one mutation's transaction, with its audit event, e-mails, progress sums and notification.

A mutation is one function marked with `@mutation`. It takes a `UnitOfWork` and plain arguments, and returns what
identifies its result: a key, keys, or a dictionary. With the context, it runs once for each Idempotency-Key:

    key = await assess(context, id=…, mappings=…)
"""

import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from functools import partial, wraps
from operator import itemgetter
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.exc import StaleDataError

from auth import policy
from auth.auth_sessions import record_last_write
from auth.viewer import Viewer
from db.flush import flush
from db.history.daily_rows import note_time
from db.models.aim import Aim
from db.models.base import Base
from db.models.time_log_entry import TimeLogEntry
from domain import clock, global_id, signing_mutations
from domain.enums import UserErrorCode
from domain.errors import ROLE_NOT_ALLOWED, DomainError, UserError, not_allowed, not_found, reject
from domain.mail import Mail
from domain.sentences import say
from repositories.scoped import read_for_write
from resolvers.core.context import Context
from resolvers.core.idempotency import acquire, store_result
from resolvers.core.rules import RecordRules, RecordState, own_record
from resolvers.core.signing_password import Confirmation, require_signing_password, wrong_confirmation
from resolvers.core.write_transaction import WriteTransaction
from services.off_the_job import recount_hours, recount_time
from services.progress import recount_breaks, recount_choice, recount_progress

E = TypeVar("E", bound=Base)
S = TypeVar("S", bound=RecordState)
P = ParamSpec("P")
# What identifies the result of a mutation. It is stored with an Idempotency-Key, so it is plain JSON.
Result = TypeVar("Result")

# SQLSTATEs of PostgreSQL: deadlock_detected, serialization_failure.
_RETRIED_STATES = ("40P01", "40001")
_MAX_ATTEMPTS = 3

# The kinds of what is counted again, in their order: each reads what those before it have written.
_PROGRESS, _BREAKS, _CHOICES, _HOURS, _TIME = range(5)

# Every mutation that has a unit of work, by its name in the graph. The permission tests call each of them.
MUTATIONS: dict[str, Callable[..., Awaitable[Any]]] = {}


class UnitOfWork(WriteTransaction):
    """The transaction of one mutation, as the viewer."""

    def __init__(self, name: str, context: Context, session: AsyncSession, viewer: Viewer) -> None:
        super().__init__(context, session, name)
        self.viewer = viewer
        self.today = clock.day_of(self.now)  # in London
        self._errors: list[UserError] = []
        # What is counted again at the end, each once, in the order of (kind, key).
        self._recounts: dict[tuple[int, int], Callable[[], Awaitable[None]]] = {}
        # How the viewer has confirmed a signature.
        self._confirmed_by: str | None = None

    # ------------------------------------------------------------ reading what is to be changed

    async def get(self, entity: type[E], id: str, *field: str, locked: bool = True) -> E:
        """Returns the entity with that id, locked until the transaction ends; NOT_FOUND unless the viewer sees it."""
        found = await self.get_or_none(entity, global_id.decode(entity.type_name(), id), locked=locked)
        if found is None:
            raise not_found(*field)
        return found

    async def get_or_none(self, entity: type[E], key: int | None, locked: bool = True) -> E | None:
        """Returns the entity with that key, if the viewer sees it."""
        return None if key is None else await read_for_write(self.session, self.viewer, entity, key, locked)

    # ------------------------------------------------------------ permission and validation

    def authorize(self, also: bool = True, message: str = ROLE_NOT_ALLOWED, *field: str) -> None:
        """Rejects with NOT_ALLOWED unless the policy allows the role this mutation, and `also` is true."""
        if not (also and policy.may(self.viewer.role, self.action)):
            raise not_allowed(message, *field)

    def require(self, rules: RecordRules[S], record: S, **facts: Any) -> None:
        """Rejects with the errors of this mutation's rule for the record; `facts` are those that the rule needs."""
        self.reject_with(rules.errors(self.action, self.viewer, record, **facts))

    def forbid_own_record(self, learner_keys: Collection[int]) -> None:
        """Rejects with NOT_ALLOWED a change of the viewer's own learner record in another role.

        `finish` calls it for the learners of the audit event.
        """
        self.reject_with(own_record(self.viewer, learner_keys))

    async def use_confirmation(self, confirmation: Confirmation, *field: str) -> None:
        """Uses up the code that confirms a signature. Rejects with WRONG_PASSWORD at `field` if it was used before."""
        if confirmation.use is not None and not await confirmation.use(self.session):
            raise wrong_confirmation(self.viewer, *field)
        self._confirmed_by = confirmation.method

    def add_error(self, code: UserErrorCode, message: str, *field: str) -> None:
        """Records an error; `raise_errors` rejects with all of them."""
        self._errors.append(UserError(code, field or None, message))

    def add_errors(self, errors: Iterable[UserError]) -> None:
        """Records errors; `raise_errors` rejects with all of them."""
        self._errors += errors

    def add_not_found(self, *field: str) -> None:
        """Records NOT_FOUND at a field."""
        self._errors += not_found(*field).errors

    @property
    def has_errors(self) -> bool:
        """Whether an error was recorded."""
        return bool(self._errors)

    def raise_errors(self) -> None:
        """Rejects the mutation if an error was recorded."""
        self.reject_with(self._errors)

    @staticmethod
    def reject_with(errors: Sequence[UserError]) -> None:
        """Rejects the mutation with these errors, if there are any."""
        if errors:
            raise DomainError(*errors)

    # ------------------------------------------------------------ what is committed with the change

    def audit(
        self,
        type_name: str | None,
        key: int | None,
        part: int | None = None,
        *,
        learner_id: int | None = None,
        aim_id: int | None = None,
        reason: str | None = None,
        notify: bool = True,
        **detail: Any,
    ) -> None:
        """Records an audit event of the change, and notifies subscribers. `detail` names fields, never their texts.

        It concerns any learner if none is named, here or in `changed_learners`; `notify=False` says that no learner,
        number, task or authentication session depends on it. `reason`: why a person took something back, as they wrote.
        """
        viewer = self.viewer
        if self._confirmed_by is not None:
            detail["confirmed_by"] = self._confirmed_by
        self._add_event(
            viewer.provider_key, viewer.user_key, viewer.role, reason,
            subject_type=type_name, subject_key=key, subject_part=part, learner_id=learner_id, aim_id=aim_id,
            detail=detail,
        )  # fmt: skip
        if notify:
            self._notify(viewer.provider_key)
        if learner_id is not None:
            self.changed_learners.add(learner_id)

    def send_mail(self, to: str, mail: Mail, *about: Any, by_viewer: bool = False) -> None:
        """Sends an e-mail, if the transaction commits. `about`: type and key of the record that its link opens.

        `by_viewer`: the viewer wrote it, and it counts as a message.
        """
        sender_key = self.viewer.user_key if by_viewer else None
        self._queue_mail(self.viewer.provider_key, to, mail, sender_key, self.link_to(*about) if about else None)

    def recount_progress(self, aim_id: int) -> None:
        """Counts the aim's progress sums again, at the end of the transaction."""
        self._recounts[_PROGRESS, aim_id] = partial(recount_progress, self.session, aim_id)

    def recount_breaks(self, aim: Aim) -> None:
        """Stores the aim's breaks and their days again, at the end of the transaction."""
        self._recounts[_BREAKS, aim.id] = partial(recount_breaks, self.session, aim)
        self.recount_time(aim.learner_id)

    def recount_choice(self, aim: Aim) -> None:
        """Stores the aim's chosen units again, at the end of the transaction."""
        self._recounts[_CHOICES, aim.id] = partial(recount_choice, self.session, aim)

    def recount_hours(self, aim: Aim) -> None:
        """Stores the hours that the aim requires again, at the end of the transaction."""
        self._recounts[_HOURS, aim.id] = partial(recount_hours, self.session, aim)

    def recount_time(self, learner_key: int) -> None:
        """Stores again which minutes of a learner's time log count, at the end of the transaction."""

        async def recount() -> None:
            if await recount_time(self.session, TimeLogEntry.learner_id == learner_key):
                note_time(self.session, learner_key)

        self._recounts[_TIME, learner_key] = recount

    @property
    def has_changes(self) -> bool:
        """Whether an audit event was recorded; a repetition that changes nothing records none."""
        return bool(self._events)

    async def finish(self) -> None:
        """Counts again what the change concerns, then writes what every write transaction ends with."""
        self.forbid_own_record(self.changed_learners)
        if self._recounts:
            await flush(self.session)
            for _, recount in sorted(self._recounts.items(), key=itemgetter(0)):
                await recount()
        await super().finish()


def mutation(
    name: str, *, signs: bool = False, password_at: tuple[str, ...] = ("password",)
) -> Callable[
    [Callable[Concatenate[UnitOfWork, P], Awaitable[Result]]], Callable[Concatenate[Context, P], Awaitable[Result]]
]:
    """Marks the function of one mutation; `name` is its name in the graph.

    `signs`: its `password` argument, which may be a code, is checked before the transaction begins. `password_at` is
    the path of the password in the input. Raises TypeError unless `domain/signing_mutations.py` agrees with `signs`.
    """
    if signs is not (name in signing_mutations.ALL):
        raise TypeError(f"{name}: signs=True and domain/signing_mutations.py must agree")

    def mark(
        work: Callable[Concatenate[UnitOfWork, P], Awaitable[Result]],
    ) -> Callable[Concatenate[Context, P], Awaitable[Result]]:
        @wraps(work)
        async def run(context: Context, *args: P.args, **kwargs: P.kwargs) -> Result:
            viewer = context.require_active_viewer()
            # The transport refuses mutations of access keys before this.
            if viewer.access_key:
                raise not_allowed(say("ACCESS_KEY_READS_ONLY"))
            context.write_number += 1
            confirmation = None
            if signs:
                confirmation = await require_signing_password(context, str(kwargs["password"]), name, *password_at)

            async def confirmed_work(uow: UnitOfWork) -> Result:
                if confirmation is not None:
                    await uow.use_confirmation(confirmation, *password_at)
                return await work(uow, *args, **kwargs)

            result, uow = await _run_with_retries(name, context, viewer, confirmed_work, kwargs)
            if uow is not None:
                await uow.committed()
            context.invalidate_loaders()
            return result

        MUTATIONS[name] = run
        return run

    return mark


async def _run_with_retries(
    name: str, context: Context, viewer: Viewer, work: Callable[[UnitOfWork], Awaitable[Any]], arguments: dict[str, Any]
) -> tuple[Any, UnitOfWork | None]:
    """Returns the result and the committed unit of work, which is None for a repeated Idempotency-Key."""
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
            if getattr(error.orig, "sqlstate", None) not in _RETRIED_STATES:
                raise
            # PostgreSQL rolled back one of two transactions that waited for each other; the other one has ended.
            if attempts == _MAX_ATTEMPTS:
                raise _conflict() from error


async def _attempt(
    name: str, context: Context, viewer: Viewer, work: Callable[[UnitOfWork], Awaitable[Any]], arguments: dict[str, Any]
) -> tuple[Any, UnitOfWork | None]:
    async with context.services.database.writing() as session:
        earlier = await acquire(session, context, viewer, name, arguments)
        if earlier is not None:
            return json.loads(earlier), None
        uow = UnitOfWork(name, context, session, viewer)
        result = await work(uow)
        await store_result(session, context, viewer, name, result)
        await uow.finish()
        if uow.has_changes and context.services.database.replica is not None:
            await record_last_write(session, viewer.auth_session_key, uow.now)
    return result, uow


def _conflict() -> DomainError:
    return reject(UserErrorCode.CONFLICT, say("CHANGED_MEANWHILE"))

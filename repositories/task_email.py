"""The users who get e-mails and push messages about tasks, and the record of what was sent: each is sent once."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Row, and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.viewer import RULES
from db.database import Database
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.push_subscription import PushSubscription
from db.models.task_reminder import TaskReminder
from db.models.user import RoleGrant, User
from db.sql.any_of import any_of

# The hour in London from which reminders are sent, and at which what falls on a day arises.
MORNING = 8


def _is_due(now: dt.datetime, today: dt.date, hour: int) -> ColumnElement[bool]:
    """The condition that an e-mail may be due for a user: as work arises, once a day, or as a reminder."""
    # unscoped: the server notifies everybody
    has_browsers = exists().where(PushSubscription.user_id == User.id)
    digest = and_(User.digest_hour <= hour, or_(User.digest_on.is_(None), User.digest_on < today))
    found = [User.email_for.is_not(None), digest, has_browsers]
    if hour >= MORNING:
        unreminded = or_(User.reminded_on.is_(None), User.reminded_on < today)
        found.append(and_(Provider.reminder_every_days > 0, unreminded))
    return and_(User.archived_at.is_(None), or_(*found))


async def providers_to_notify(database: Database, now: dt.datetime, today: dt.date, hour: int) -> list[int]:
    """Returns the providers with a user for whom an e-mail may be due."""
    # unscoped: the server sends e-mails to everybody
    statement = (
        select(User.provider_id)
        .join(Provider, Provider.id == User.provider_id)
        .where(_is_due(now, today, hour))
        .distinct()
    )
    return [row.provider_id for row in await database.rows(statement, primary=True)]


async def claim_provider(session: AsyncSession, provider_key: int, now: dt.datetime, every: dt.timedelta) -> bool:
    """Notes that this process sends the provider's e-mails now; returns False if another has begun less than so ago."""
    idle = or_(Provider.notifying_at.is_(None), Provider.notifying_at <= now - every)
    claiming = update(Provider).where(Provider.id == provider_key, idle).values(notifying_at=now)
    return await _changed(session, claiming)


async def users_to_notify(
    database: Database, provider_key: int, now: dt.datetime, today: dt.date, hour: int, after: int, most: int
) -> Sequence[Row[Any]]:
    """Returns up to `most` users for whom an e-mail may be due, with the provider's rules, after a key."""
    # unscoped: the server sends e-mails to everybody
    statement = (
        select(
            User.id.label("user_id"),
            User.provider_id,
            User.username,
            User.name,
            User.email,
            User.email_for,
            User.notified_at,
            User.digest_hour,
            User.digest_on,
            User.reminded_on,
            User.push_for,
            # unscoped: the server notifies everybody
            exists().where(PushSubscription.user_id == User.id).label("has_browsers"),
            Learner.id.label("learner_id"),
            *RULES,
        )
        .join(Provider, Provider.id == User.provider_id)
        .outerjoin(Learner, Learner.user_id == User.id)
        .where(User.provider_id == provider_key, User.id > after, _is_due(now, today, hour))
        .order_by(User.id)
        .limit(most)
    )
    return await database.rows(statement, primary=True)


async def roles_of(database: Database, user_keys: list[int]) -> dict[int, list[Any]]:
    """Returns the roles of each user."""
    # unscoped: the server sends e-mails to everybody
    statement = select(RoleGrant.user_id, RoleGrant.role).where(any_of(RoleGrant.user_id)).order_by(RoleGrant.id)
    found: dict[int, list[Any]] = {key: [] for key in user_keys}
    for row in await database.rows(statement, {"keys": user_keys}, primary=True):
        found[row.user_id].append(row.role)
    return found


async def note(session: AsyncSession, user_key: int, column: str, seen: Any, value: Any) -> bool:
    """Sets what a user was last sent, if it is still what was seen; returns whether it was."""
    noted: Any = getattr(User, column)
    unchanged = noted.is_(None) if seen is None else noted == seen
    # unscoped: the account that an e-mail goes to
    return await _changed(session, update(User).where(User.id == user_key, unchanged).values({column: value}))


async def reminders_of(database: Database, user_key: int) -> dict[int, dt.datetime]:
    """Returns when a user was last reminded of each task, by its key."""
    # unscoped: the account that an e-mail goes to
    statement = select(TaskReminder.task_key, TaskReminder.sent_at).where(TaskReminder.user_id == user_key)
    return {row.task_key: row.sent_at for row in await database.rows(statement, primary=True)}


async def note_reminders(
    session: AsyncSession, provider_key: int, user_key: int, task_keys: list[int], now: dt.datetime
) -> None:
    """Notes that a user was reminded of tasks now."""
    # unscoped: the account that an e-mail goes to
    of_tasks = and_(TaskReminder.user_id == user_key, any_of(TaskReminder.task_key))
    await session.execute(delete(TaskReminder).where(of_tasks), {"keys": task_keys})
    columns = {"provider_id": provider_key, "user_id": user_key, "sent_at": now}
    await session.execute(insert(TaskReminder), [{**columns, "task_key": key} for key in task_keys])


async def _changed(session: AsyncSession, statement: Any) -> bool:
    done: Any = await session.execute(statement.execution_options(synchronize_session=False))
    result: CursorResult[Any] = done
    return result.rowcount == 1

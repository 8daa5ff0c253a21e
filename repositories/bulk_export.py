"""Bulk exports and schedules: what the mutations count, and how server processes share the work."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Row, and_, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models.bulk_export import BulkExport, ReportSchedule
from db.models.user import RoleGrant, User
from db.sql.progress import total
from domain.bulk_exports import LEASE, MOST_ATTEMPTS
from domain.enums import BulkExportStatus

_RUNNING = BulkExport.status == BulkExportStatus.RUNNING


async def exports_of(session: AsyncSession, user_key: int, since: dt.datetime) -> tuple[int, int]:
    """Returns how many exports of a user are running, and how many were started since a time, scheduled ones left out.

    Of all roles.
    """
    # unscoped: the viewer's own, in every role
    running = select(func.count()).select_from(BulkExport).where(BulkExport.user_id == user_key, _RUNNING)
    # unscoped: the viewer's own, in every role
    started = select(func.count()).where(
        BulkExport.user_id == user_key, BulkExport.started_at >= since, BulkExport.schedule_id.is_(None)
    )
    return (await session.execute(running)).scalar_one(), (await session.execute(started)).scalar_one()


async def kept_bytes(session: AsyncSession, provider_key: int, user_key: int) -> tuple[int, int]:
    """Returns how many bytes the files of a user's exports have, in all roles, and those of the provider's."""
    own = total(case((BulkExport.user_id == user_key, BulkExport.size), else_=0))
    # unscoped: numbers of the whole provider, of which no viewer sees any
    counting = select(own, total(BulkExport.size)).where(
        BulkExport.provider_id == provider_key, BulkExport.storage_key.is_not(None)
    )
    of_user, of_provider = (await session.execute(counting)).one()
    return int(of_user), int(of_provider)


async def schedules_of(session: AsyncSession, user_key: int) -> int:
    """Returns how many schedules of a user have not ended."""
    # unscoped: the viewer's own, in every role
    active = select(func.count()).where(ReportSchedule.user_id == user_key, ReportSchedule.ended_at.is_(None))
    return (await session.execute(active)).scalar_one()


# ---------------------------------------------------------------------- the work of a server


def _without_role(table: Any) -> ColumnElement[bool]:
    """The condition that the user of a row has lost its role, or the account."""
    # unscoped: a condition on rows that the server itself reads
    granted = exists().where(RoleGrant.user_id == table.user_id, RoleGrant.role == table.role)
    # unscoped: a condition on rows that the server itself reads
    active = exists().where(User.id == table.user_id, User.archived_at.is_(None))
    return or_(~granted, ~active)


async def waiting(database: Database, now: dt.datetime, most: int) -> list[int]:
    """Returns the keys of exports that no process works on, the first that was started first."""
    free = or_(BulkExport.leased_until.is_(None), BulkExport.leased_until < now)
    # unscoped: the server's own work
    statement = select(BulkExport.id).where(_RUNNING, free).order_by(BulkExport.id).limit(most)
    return [row.id for row in await database.rows(statement, primary=True)]


async def claim(session: AsyncSession, key: int, now: dt.datetime) -> Row[Any] | None:
    """Takes an export for this process; returns it, or None if another process was first or nothing is left to do.

    An export that was begun too often is failed.
    """
    lease = uuid.uuid4().hex
    free = or_(BulkExport.leased_until.is_(None), BulkExport.leased_until < now)
    # unscoped: the server's own work
    claiming = update(BulkExport).where(BulkExport.id == key, _RUNNING, free)
    if not await _changed(
        session, claiming.values(lease=lease, leased_until=now + LEASE, attempts=BulkExport.attempts + 1)
    ):
        return None
    # unscoped: the server's own work
    claimed = select(BulkExport.__table__).where(BulkExport.id == key)
    row = (await session.execute(claimed)).one()
    if row.attempts > MOST_ATTEMPTS:
        await fail(session, key, lease, "SERVER_STOPPED", now)
        return None
    return row


async def note(session: AsyncSession, key: int, lease: str, now: dt.datetime, **values: Any) -> bool:
    """Keeps an export for this process; returns False if another process has it now, or it was deleted."""
    # unscoped: the server's own work
    mine = update(BulkExport).where(BulkExport.id == key, _RUNNING, BulkExport.lease == lease)
    return await _changed(session, mine.values(leased_until=now + LEASE, **values))


async def release(session: AsyncSession, key: int, lease: str) -> None:
    """Lets another process make the export at once, because this one stops."""
    # unscoped: the server's own work
    mine = update(BulkExport).where(BulkExport.id == key, _RUNNING, BulkExport.lease == lease)
    await _changed(session, mine.values(leased_until=None, lease=None, attempts=BulkExport.attempts - 1))


async def fail(session: AsyncSession, key: int, lease: str, failure: str, now: dt.datetime) -> bool:
    """Ends an export of this process with a failure."""
    failed = {"status": BulkExportStatus.FAILED, "failure": failure, "ended_at": now}
    return await note(session, key, lease, now, **failed)


async def withdrawn(database: Database) -> Sequence[Row[Any]]:
    """Returns the exports with a file whose user has lost the role or the account: key and storage key."""
    # unscoped: the server's own work
    statement = select(BulkExport.id, BulkExport.storage_key).where(
        BulkExport.storage_key.is_not(None), _without_role(BulkExport)
    )
    return await database.rows(statement.limit(500), primary=True)


async def withdraw(session: AsyncSession, key: int, now: dt.datetime) -> bool:
    """Takes the file of an export away, whose user has lost the role."""
    # unscoped: the server's own work
    ending = update(BulkExport).where(BulkExport.id == key, BulkExport.storage_key.is_not(None))
    values = {"status": BulkExportStatus.FAILED, "failure": "ROLE_ENDED", "storage_key": None, "ended_at": now}
    return await _changed(session, ending.values(values))


async def due_schedules(database: Database, now: dt.datetime) -> Sequence[Row[Any]]:
    """Returns the schedules that are due, and whether their user has lost the role (`is_over`)."""
    over = _without_role(ReportSchedule).label("is_over")
    # unscoped: the server's own work
    statement = select(ReportSchedule.__table__, over).where(
        ReportSchedule.ended_at.is_(None), or_(ReportSchedule.next_at <= now, _without_role(ReportSchedule))
    )
    return await database.rows(statement.order_by(ReportSchedule.next_at).limit(500), primary=True)


async def move_schedule(session: AsyncSession, key: int, seen: dt.datetime, **values: Any) -> bool:
    """Changes a schedule that is still due at the time that was seen; returns False if another process was first."""
    unchanged = and_(ReportSchedule.next_at == seen, ReportSchedule.ended_at.is_(None))
    # unscoped: the server's own work
    return await _changed(session, update(ReportSchedule).where(ReportSchedule.id == key, unchanged).values(values))


async def _changed(session: AsyncSession, statement: Any) -> bool:
    done: Any = await session.execute(statement.execution_options(synchronize_session=False))
    result: CursorResult[Any] = done
    return result.rowcount == 1

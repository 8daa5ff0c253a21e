"""Sessions (visits): by key and in pages of a learner, with the aims they are about and the files saved to them."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select

from auth import scope
from db.models.aim import Aim
from db.models.file import File
from db.models.session import Session, SessionAim, SessionFile
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role, SessionStatus, SessionType
from domain.global_id import Identifier
from loaders.aim import AimLoader, AimRow
from loaders.core.learner_list import LearnerList
from loaders.core.pagination import Order
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.file import FILE_COLUMNS, FileRow
from loaders.user import UserRow


@dataclass(slots=True)
class SessionRow:
    """One planned or completed session; `number` counts from 1 within the learner's plan."""

    key: int
    learner_key: int
    number: int
    type: SessionType
    status: SessionStatus
    starts_at: dt.datetime
    ends_at: dt.datetime
    location: str | None
    planning_notes: str | None
    feedback: str | None
    assessor: UserRow

    id = Identifier("Session", "key")


# With the assessor joined, these make `session_row(columns)`.
SESSION_COLUMNS = (
    Session.id,
    Session.learner_id,
    Session.number,
    Session.type,
    Session.status,
    Session.starts_at,
    Session.ends_at,
    Session.location,
    Session.planning_notes,
    Session.feedback,
    Session.assessor_id,
    User.name.label("assessor_name"),
)


def session_row(columns: Any, _: ReadSession | None = None) -> SessionRow:
    """From SESSION_COLUMNS."""
    *own, assessor, assessor_name = columns
    return SessionRow(*own, UserRow(assessor, assessor_name))


def _sessions(role: Role) -> Select:
    seen = scope.sees_session(role, Session.id, Session.learner_id) & scope.of_provider(Session)
    return select(*SESSION_COLUMNS).select_from(Session).join(User, User.id == Session.assessor_id).where(seen)


SESSIONS_OF_LEARNER: LearnerList[SessionRow] = LearnerList(
    Session.learner_id,
    Order("number", Session.number, Session.id, lambda row: row.number),
    _sessions,
    session_row,
    {"status": Session.status == bindparam("status", type_=Session.status.type)},
)


@cached_statement
def _by_key(role: Role) -> Select:
    return _sessions(role).where(any_of(Session.id))


@cached_statement
def _aims(role: Role) -> Select:
    return (
        select(SessionAim.session_id, SessionAim.aim_id)
        .join(Aim, Aim.id == SessionAim.aim_id)
        .where(any_of(SessionAim.session_id), scope.sees_aim(role))
        .order_by(SessionAim.aim_id)
    )


@cached_statement
def _files(role: Role) -> Select:
    return (
        select(SessionFile.session_id, *FILE_COLUMNS)
        .join(File, File.id == SessionFile.file_id)
        .where(
            any_of(SessionFile.session_id),
            scope.sees_session(role, SessionFile.session_id, SessionFile.learner_id),
            scope.of_provider(SessionFile),
        )
        .order_by(File.uploaded_at, File.id)
    )


class SessionLoader(OneLoader[int, SessionRow]):
    """Sessions by key."""

    async def fetch(self, keys: list[int]) -> dict[int, SessionRow]:
        rows = await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)
        return {row.id: session_row(row) for row in rows}


class AimsOfSessionLoader(ManyLoader[int, AimRow]):
    """The aims that a session is about, of those the viewer sees."""

    def __init__(self, reading: ReadSession, aims: AimLoader) -> None:
        super().__init__(reading)
        self._aims = aims

    async def fetch(self, keys: list[int]) -> dict[int, list[AimRow]]:
        pairs = await self.reading.rows(_aims(self.reading.viewer.role), keys=keys)
        aims = await self._aims.load_many([aim_key for _, aim_key in pairs])
        found: dict[int, list[AimRow]] = {}
        for (session_key, _), aim in zip(pairs, aims, strict=True):
            if aim is not None:
                found.setdefault(session_key, []).append(aim)
        return found


class FilesOfSessionLoader(ManyLoader[int, FileRow]):
    """The files saved to a session, the oldest first."""

    async def fetch(self, keys: list[int]) -> dict[int, list[FileRow]]:
        found: dict[int, list[FileRow]] = {}
        for session_key, *file in await self.reading.rows(_files(self.reading.viewer.role), keys=keys):
            found.setdefault(session_key, []).append(FileRow(*file))
        return found

"""Sessions: by key, in pages, their aims and their files."""

import datetime as dt

from sqlalchemy import ScalarSelect, Select, bindparam, select
from sqlalchemy.orm import aliased

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.base import UtcDateTime
from db.models.file import File
from db.models.learner import Learner
from db.models.session import Session, SessionAim, SessionFile
from db.models.time_log_entry import TimeLogEntry
from db.models.user import User
from db.sql.any_of import any_of
from domain import global_id
from domain.enums import Role, SessionStatus, SessionType
from domain.global_id import Identifier
from loaders.aim import AimLoader, AimRow
from loaders.core.base import EntityLoader, ManyLoader, OneLoader, RelatedLoader
from loaders.core.filters import at_least, before, changed_since, equals, one_of, refers_to
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.registry import Loaders
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, nested, row
from loaders.employer import at_employer
from loaders.file import FileRow
from loaders.user import UserRow

# The type in the ids of groups of sessions. A group is no record of its own.
GROUP = "SessionGroup"


@row(Session, joins=lambda statement: statement.join(User, User.id == Session.assessor_id))
class SessionRow(LightRow):
    """A session of a learning plan. `number` counts from 1 within the plan."""

    key: int = column(Session.id)
    learner_key: int = column(Session.learner_id)
    number: int = column(Session.number)
    type: SessionType = column(Session.type)
    status: SessionStatus = column(Session.status)
    starts_at: dt.datetime = column(Session.starts_at)
    ends_at: dt.datetime = column(Session.ends_at)
    location: str | None = column(Session.location)
    planning_notes: str | None = column(Session.planning_notes)
    feedback: str | None = column(Session.feedback)
    group_key: int | None = column(Session.group_id)
    updated_at: dt.datetime = column(Session.updated_at)
    assessor: UserRow = nested(UserRow, key=Session.assessor_id)

    id = Identifier("Session", "key")

    @computed("group_key")
    def group_id(self) -> str | None:
        """Returns the id that the sessions of a group share; None for a session of one learner."""
        return None if self.group_key is None else global_id.encode(GROUP, self.group_key)


SESSIONS = PagedList(
    SessionRow,
    Order("number", Session.number, Session.id, "number"),
    owners={"learner": Session.learner_id},
    filters={"status": equals(Session.status)},
)


# The diary: the sessions of all learners, by time. `from_` is included, `to` is not.
DIARY = PagedList(
    SessionRow,
    Order("starts_at", Session.starts_at, Session.id, "starts_at"),
    filters={
        "from_": at_least(Session.starts_at),
        "to": before(Session.starts_at),
        "assessor_id": refers_to("User", lambda assessor, role: Session.assessor_id == assessor),
        "employer_id": refers_to("Employer", at_employer(Session.learner_id)),
        "learner_id": refers_to("Learner", lambda learner, role: Session.learner_id == learner),
        "statuses": one_of(Session.status),
        "types": one_of(Session.type),
        "updated_since": changed_since(Session.updated_at),
    },
)


def next_planned(role: Role, type_: SessionType | None = None) -> ScalarSelect[int]:
    """The key of the planned session of a learner that begins next, after `now`; only of one type if it is given.

    For a statement that reads `Learner`. A subquery for each learner needs one index lookup. A join with numbered
    sessions would be planned for a few learners and then run for a page of them.
    """
    planned = aliased(Session)
    statement = select(planned.id).where(
        planned.learner_id == Learner.id,
        planned.status == SessionStatus.PLANNED,
        planned.starts_at >= bindparam("now", type_=UtcDateTime),
        # With the learner's own key, so that the scope does not look up the learner of each session.
        scope.sees_session(role, planned.id, Learner.id),
        scope.of_provider(planned),
    )
    if type_ is not None:
        statement = statement.where(planned.type == type_)
    return statement.order_by(planned.starts_at, planned.id).limit(1).correlate(Learner).scalar_subquery()


class SessionLoader(EntityLoader[SessionRow]):
    """Loads sessions by key."""

    row = SessionRow


@cached_statement
def _logged(role: Role) -> Select:
    return select(TimeLogEntry.session_id, TimeLogEntry.minutes).where(
        any_of(TimeLogEntry.session_id), scope.sees(role, TimeLogEntry)
    )


class MinutesLoggedLoader(OneLoader[int, int]):
    """Loads the minutes that the attendance of a session logged; None until it was attended."""

    keys_of = "session"

    async def fetch(self, keys: list[int]) -> dict[int, int]:
        rows = await self.reading.rows(_logged(self.reading.viewer.role), keys=keys)
        return {row.session_id: row.minutes for row in rows}


@cached_statement
def _aims(role: Role) -> Select:
    return (
        select(SessionAim.session_id, SessionAim.aim_id)
        .join(Aim, Aim.id == SessionAim.aim_id)
        .where(any_of(SessionAim.session_id), scope.sees_aim(role))
        .order_by(SessionAim.aim_id)
    )


class AimsOfSessionLoader(ManyLoader[int, AimRow]):
    """Loads the aims that a session is about and that the viewer sees."""

    keys_of = "session"

    def __init__(self, loaders: Loaders) -> None:
        super().__init__(loaders)
        self._aims = loaders[AimLoader]

    async def fetch(self, keys: list[int]) -> dict[int, list[AimRow]]:
        links = await self.reading.rows(_aims(self.reading.viewer.role), keys=keys)
        aims = await self._aims.load_many([link.aim_id for link in links])
        found: dict[int, list[AimRow]] = {}
        for link, aim in zip(links, aims, strict=True):
            if aim is not None:
                found.setdefault(link.session_id, []).append(aim)
        return found


class FilesOfSessionLoader(RelatedLoader[FileRow]):
    """Loads the files saved to a session, oldest first."""

    row, parent, order = FileRow, SessionFile.session_id, (File.uploaded_at, File.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            select(SessionFile.session_id, *FileRow.columns(role))
            .join(File, File.id == SessionFile.file_id)
            .where(
                scope.sees_session(role, SessionFile.session_id, SessionFile.learner_id),
                scope.of_provider(SessionFile),
            )
        )

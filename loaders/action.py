"""Actions: by key, in pages of a learner, as a session shows them, and their files."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, or_, select

from auth import scope
from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.base import Key
from db.models.file import File
from db.models.session import Session
from db.sql.any_of import any_of
from domain.enums import ActionKind, ActionStatus, Role
from domain.global_id import Identifier
from loaders.core.learner_list import LearnerList
from loaders.core.pagination import Order
from loaders.core.read_session import ManyLoader, OneLoader, ReadSession, cached_statement
from loaders.core.viewer_list import ViewerList, at_employer
from loaders.file import FILE_COLUMNS, FileRow


@dataclass(slots=True)
class ActionRow:
    """One action or activity; `days_overdue` counts from the day after its target date until it is complete."""

    key: int
    learner_key: int
    session_key: int | None
    aim_key: int | None
    kind: ActionKind
    title: str
    description: str
    target_date: dt.date
    status: ActionStatus
    accepts_evidence: bool
    learner_feedback: str | None
    minutes_spent: int | None
    learner_submitted_at: dt.datetime | None
    completed_by_key: int | None
    completed_at: dt.datetime | None
    days_overdue: int

    id = Identifier("Action", "key")

    @property
    def overdue(self) -> bool:
        """Whether the target date has passed and it is not complete."""
        return self.days_overdue > 0

    @property
    def outstanding(self) -> bool:
        """Not complete: red or yellow."""
        return self.status is not ActionStatus.COMPLETE


OUTSTANDING: ColumnElement[bool] = Action.status != ActionStatus.COMPLETE


def _actions(role: Role) -> Select:
    return select(
        Action.id,
        Action.learner_id,
        Action.session_id,
        Action.aim_id,
        Action.kind,
        Action.title,
        Action.description,
        Action.target_date,
        Action.status,
        Action.accepts_evidence,
        Action.learner_feedback,
        Action.minutes_spent,
        Action.learner_submitted_at,
        Action.completed_by_id,
        Action.completed_at,
    ).where(scope.sees_record(role, Action.learner_id, Action.aim_id), scope.of_provider(Action))


def _row(row: Row, reading: ReadSession) -> ActionRow:
    # By position: as part of a page the columns come out of a subquery.
    late = 0 if row[8] is ActionStatus.COMPLETE else (reading.today - row[7]).days
    return ActionRow(*row[:15], max(late, 0))


def _of_assessor(role: Role) -> ColumnElement[bool]:
    """Actions that an assessor follows up: of their aims, and those of no aim that were set in their sessions."""
    who = bindparam("assessor_key", type_=Key)
    aims = select(Aim.id).where(Aim.assessor_id == who, scope.sees_aim(role))
    seen = scope.sees_session(role, Session.id, Session.learner_id)
    sessions = select(Session.id).where(Session.assessor_id == who, seen, scope.of_provider(Session))
    return or_(Action.aim_id.in_(aims), and_(Action.aim_id.is_(None), Action.session_id.in_(sessions)))


_ORDER = Order("target_date", Action.target_date, Action.id, lambda row: row.target_date)

ACTIONS_OF_LEARNER: LearnerList[ActionRow] = LearnerList(
    Action.learner_id,
    _ORDER,
    _actions,
    _row,
    {"status": Action.status == bindparam("status", type_=Action.status.type), "outstanding_only": OUTSTANDING},
)

ACTIONS_OF_VIEWER: ViewerList[ActionRow] = ViewerList(
    _ORDER,
    _actions,
    _row,
    {
        "outstanding_only": OUTSTANDING,
        # Bound to the day on which they are overdue.
        "overdue_on": OUTSTANDING & (Action.target_date < bindparam("overdue_on", type_=Action.target_date.type)),
        "assessor_key": _of_assessor,
        "employer_key": at_employer(Action.learner_id),
    },
)


@cached_statement
def _by_key(role: Role) -> Select:
    return _actions(role).where(any_of(Action.id))


@cached_statement
def _of_session(role: Role) -> Select:
    return _actions(role).where(any_of(Action.session_id)).order_by(Action.target_date, Action.id)


@cached_statement
def _files(role: Role) -> Select:
    return (
        select(ActionFile.action_id, *FILE_COLUMNS)
        .join(Action, Action.id == ActionFile.action_id)
        .join(File, File.id == ActionFile.file_id)
        .where(
            any_of(ActionFile.action_id),
            scope.sees_record(role, Action.learner_id, Action.aim_id),
            scope.of_provider(Action),
        )
        .order_by(File.uploaded_at, File.id)
    )


class ActionLoader(OneLoader[int, ActionRow]):
    """Actions by key."""

    async def fetch(self, keys: list[int]) -> dict[int, ActionRow]:
        rows = await self.reading.rows(_by_key(self.reading.viewer.role), keys=keys)
        return {row.id: _row(row, self.reading) for row in rows}


class ActionsOfSessionLoader(ManyLoader[int, ActionRow]):
    """What was set in a session, by target date."""

    async def fetch(self, keys: list[int]) -> dict[int, list[ActionRow]]:
        found: dict[int, list[ActionRow]] = {}
        for row in await self.reading.rows(_of_session(self.reading.viewer.role), keys=keys):
            found.setdefault(row.session_id, []).append(_row(row, self.reading))
        return found


class FilesOfActionLoader(ManyLoader[int, FileRow]):
    """The files attached to an action, the oldest first."""

    async def fetch(self, keys: list[int]) -> dict[int, list[FileRow]]:
        found: dict[int, list[FileRow]] = {}
        for action_key, *file in await self.reading.rows(_files(self.reading.viewer.role), keys=keys):
            found.setdefault(action_key, []).append(FileRow(*file))
        return found

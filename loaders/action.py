"""Actions: by key, in pages, of a session, and their files."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, or_, select

from auth import scope
from db.models.action import Action, ActionFile
from db.models.aim import Aim
from db.models.file import File
from db.models.session import Session
from domain.enums import ActionKind, ActionStatus, AimStatus, Role
from domain.global_id import Identifier
from loaders.core.base import EntityLoader, RelatedLoader
from loaders.core.filters import equals, flag, refers_to
from loaders.core.paged_list import PagedList
from loaders.core.pagination import Order
from loaders.core.read_session import ReadSession
from loaders.core.row_properties import computed
from loaders.core.rows import LightRow, column, derived, row
from loaders.count_conditions import fell_due_on_break, of_counted_aim, overdue
from loaders.employer import at_employer
from loaders.file import FileRow


@row(Action, joins=lambda statement: statement.outerjoin(Aim, Aim.id == Action.aim_id))
class ActionRow(LightRow):
    """An action or activity. `days_overdue`: days since its target date in London, 0 unless it is outstanding."""

    key: int = column(Action.id)
    learner_key: int = column(Action.learner_id)
    session_key: int | None = column(Action.session_id)
    aim_key: int | None = column(Action.aim_id)
    kind: ActionKind = column(Action.kind)
    title: str = column(Action.title)
    description: str = column(Action.description)
    target_date: dt.date = column(Action.target_date)
    status: ActionStatus = column(Action.status)
    accepts_evidence: bool = column(Action.accepts_evidence)
    learner_feedback: str | None = column(Action.learner_feedback)
    minutes_spent: int | None = column(Action.minutes_spent)
    learner_submitted_at: dt.datetime | None = column(Action.learner_submitted_at)
    completed_by_key: int | None = column(Action.completed_by_id)
    completed_at: dt.datetime | None = column(Action.completed_at)
    updated_at: dt.datetime = column(Action.updated_at)
    # None for an action without an aim.
    aim_status: AimStatus | None = column(Aim.status)
    # Whether its target date lies in a break that has not ended.
    fell_due_on_break: bool = column(fell_due_on_break)
    days_overdue: int = derived("outstanding", "target_date", "fell_due_on_break")

    id = Identifier("Action", "key")

    @classmethod
    def derive(cls, rows: Sequence["ActionRow"], reading: ReadSession) -> None:
        today = reading.today
        for action in rows:
            action.days_overdue = 0
            if action.outstanding and not action.fell_due_on_break:
                action.days_overdue = max((today - action.target_date).days, 0)

    @computed("days_overdue")
    def overdue(self) -> bool:
        """Returns whether it is not complete and its target date has passed."""
        return self.days_overdue > 0

    @computed("status", "aim_status")
    def outstanding(self) -> bool:
        """Returns whether it is not complete (red or yellow); never for an action of a withdrawn aim."""
        return self.status is not ActionStatus.COMPLETE and self.aim_status is not AimStatus.WITHDRAWN


OUTSTANDING: ColumnElement[bool] = and_(Action.status != ActionStatus.COMPLETE, of_counted_aim(Action.aim_id))


def _of_assessor(assessor: ColumnElement[int], role: Role) -> ColumnElement[bool]:
    """Actions that an assessor follows up: those of their aims, and those without an aim of their sessions."""
    aims = select(Aim.id).where(Aim.assessor_id == assessor, scope.sees_aim(role))
    sessions = select(Session.id).where(Session.assessor_id == assessor, scope.sees(role, Session))
    return or_(Action.aim_id.in_(aims), and_(Action.aim_id.is_(None), Action.session_id.in_(sessions)))


ACTIONS = PagedList(
    ActionRow,
    Order("target_date", Action.target_date, Action.id, "target_date"),
    owners={"learner": Action.learner_id},
    filters={
        "status": equals(Action.status),
        "outstanding_only": flag(OUTSTANDING),
        "overdue_only": flag(lambda role: OUTSTANDING & overdue(role), lambda reading: {"today": reading.today}),
        "assessor_id": refers_to("User", _of_assessor),
        "employer_id": refers_to("Employer", at_employer(Action.learner_id)),
    },
)


class ActionLoader(EntityLoader[ActionRow]):
    """Loads actions by key."""

    row = ActionRow


class ActionsOfSessionLoader(RelatedLoader[ActionRow]):
    """Loads the actions set in a session, earliest target date first."""

    row, parent, order = ActionRow, Action.session_id, (Action.target_date, Action.id)


class FilesOfActionLoader(RelatedLoader[FileRow]):
    """Loads the files attached to an action, oldest first."""

    row, parent, order = FileRow, ActionFile.action_id, (File.uploaded_at, File.id)

    @classmethod
    def statement(cls, role: Role) -> Select:
        return (
            select(ActionFile.action_id, *FileRow.columns(role))
            .join(Action, Action.id == ActionFile.action_id)
            .join(File, File.id == ActionFile.file_id)
            .where(scope.sees(role, Action))
        )

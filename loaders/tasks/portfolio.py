"""Tasks: evidence to assess or improve, actions, and optional units to choose."""

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from auth import policy, scope
from auth.scope import VIEWER_USER
from db.models.action import Action
from db.models.aim import Aim, AimProgress
from db.models.evidence import Evidence
from db.models.qualification import Qualification
from db.models.session import Session
from db.models.user import User
from db.sql.day_number import day_number
from domain.enums import ActionStatus, EvidenceStatus, Role, TaskKind
from loaders.evidence import AWAITING_ASSESSMENT
from loaders.tasks.source import (
    RUNNING,
    TODAY_NUMBER,
    columns,
    is_running,
    not_own,
    of_running_aim,
    of_visible_learner,
    source,
)


@source(3, TaskKind.ASSESS_EVIDENCE, "Evidence", Role.ASSESSOR)
def _assess(role: Role) -> Select:
    return _evidence(role, Evidence.status.in_(AWAITING_ASSESSMENT), Evidence.submitted_at)


@source(4, TaskKind.RESUBMIT_EVIDENCE, "Evidence", *policy.MUTATIONS["evidenceResubmit"])
def _resubmit(role: Role) -> Select:
    """Returned evidence that the viewer submitted, or, for the learner, somebody whose account is archived."""
    submitted = Evidence.submitted_by_id == VIEWER_USER
    if role is Role.LEARNER:
        # unscoped: whether an account is archived
        archived = select(User.id).where(User.archived_at.is_not(None), scope.of_provider(User))
        submitted = or_(submitted, Evidence.submitted_by_id.in_(archived))
    since_at = func.coalesce(Evidence.returned_at, Evidence.submitted_at)
    return _evidence(role, and_(Evidence.status == EvidenceStatus.RETURNED, submitted), since_at)


def _evidence(role: Role, waits: ColumnElement[bool], since_at: ColumnElement | object) -> Select:
    return select(*columns(Evidence.id, Evidence.learner_id, Evidence.title, since_at=since_at)).where(
        scope.sees(role, Evidence),
        waits,
        of_running_aim(role, Evidence.aim_id),
        *not_own(role, Evidence.learner_id),
    )


@source(5, TaskKind.RESPOND_TO_ACTION, "Action", Role.LEARNER)
def _respond(role: Role) -> Select:
    due = day_number(Action.target_date)
    return select(*columns(Action.id, Action.learner_id, Action.title, due_day=due, since_at=Action.set_at)).where(
        scope.sees(role, Action),
        Action.status != ActionStatus.COMPLETE,
        Action.learner_submitted_at.is_(None),
        is_running(role, Action),
    )


@source(6, TaskKind.FOLLOW_UP_ACTION, "Action", Role.ASSESSOR)
def _follow_up(role: Role) -> Select:
    """Actions that the learner has responded to, or whose target date has passed.

    One without an aim is followed up by who set it and by the assessor of its session.
    """
    due = day_number(Action.target_date)
    sessions = select(Session.id).where(Session.assessor_id == VIEWER_USER, scope.sees(role, Session))
    own = or_(Action.aim_id.is_not(None), Action.set_by_id == VIEWER_USER, Action.session_id.in_(sessions))
    task = columns(
        Action.id,
        Action.learner_id,
        Action.title,
        due_day=due,
        since_at=Action.learner_submitted_at,
        since_day=due + 1,
    )
    return select(*task).where(
        scope.sees(role, Action),
        of_visible_learner(role, Action.learner_id),
        Action.status != ActionStatus.COMPLETE,
        or_(Action.learner_submitted_at.is_not(None), due < TODAY_NUMBER),
        own,
        is_running(role, Action),
        *not_own(role, Action.learner_id),
    )


@source(11, TaskKind.CHOOSE_UNITS, "Aim", *policy.MUTATIONS["aimUnitsChoose"])
def _choose_units(role: Role) -> Select:
    """Aims that lack optional units: their assessor's work, and the office's where they have no assessor."""
    whose = [] if role is Role.ASSESSOR else [Aim.assessor_id.is_(None)]
    return (
        select(*columns(Aim.id, Aim.learner_id, Qualification.title, since_at=Aim.created_at))
        .join_from(Aim, AimProgress, AimProgress.aim_id == Aim.id)
        .join(Qualification, Qualification.id == Aim.qualification_id)
        .where(
            scope.sees_aim(role),
            Aim.status.in_(RUNNING),
            AimProgress.units_to_choose > 0,
            *whose,
            *not_own(role, Aim.learner_id),
        )
    )

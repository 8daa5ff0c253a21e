"""Conditions of the records that counts include: none of a withdrawn aim, none late because of a break."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from auth import scope
from db.models.action import Action
from db.models.aim import Aim, AimProgress
from db.models.session import SessionAim
from db.sql.progress import TODAY
from domain.enums import AimStatus, Role
from domain.progress import ENDED


def of_counted_aim(aim_id: Any) -> ColumnElement[bool]:
    """The condition that a record has no aim, or one that is not withdrawn."""
    # Not a list of the withdrawn aims, which grows with the provider: a join, which starts from the records.
    aim = aliased(Aim)
    # unscoped: a condition in addition to the scope of its statement
    withdrawn = select(aim.id).where(aim.id == aim_id, aim.status == AimStatus.WITHDRAWN, scope.of_provider(aim))
    return ~withdrawn.exists()


def of_counted_aims(session_id: Any) -> ColumnElement[bool]:
    """The condition that a session is about no aim in particular, or about one that is not withdrawn."""
    # unscoped: a condition in addition to the scope of its statement
    about = select(SessionAim.session_id).where(SessionAim.session_id == session_id)
    counted = about.join(Aim, Aim.id == SessionAim.aim_id).where(Aim.status != AimStatus.WITHDRAWN)
    return or_(~about.exists(), counted.exists())


def fell_due_on_break(role: Role) -> ColumnElement[bool]:
    """The condition that an action's target date lies in a break that has not ended.

    An action without an aim is about the whole programme: on a break if every aim that has not ended is, of those that
    the viewer sees.
    """
    # Only some roles see a learner without all of their aims.
    sees_aim = scope.sees_aim(role) if role in scope.BY_AIM else scope.of_provider(Aim)
    # unscoped: conditions in addition to the scope of its statement
    of_aim = select(AimProgress.aim_id).where(
        AimProgress.aim_id == Action.aim_id, AimProgress.break_since <= Action.target_date
    )
    programme = (
        select(Aim.learner_id)
        .join(AimProgress, AimProgress.aim_id == Aim.id)
        .where(Aim.learner_id == Action.learner_id, Aim.status.not_in(ENDED), sees_aim)
        .group_by(Aim.learner_id)
        .having(
            func.count(AimProgress.break_since) == func.count(),
            func.max(AimProgress.break_since) <= Action.target_date,
        )
        .correlate(Action)
    )
    return or_(of_aim.correlate(Action).exists(), and_(Action.aim_id.is_(None), programme.exists()))


def overdue(role: Role) -> ColumnElement[bool]:
    """The condition that an outstanding action is overdue: from the day after its target date, unless on a break."""
    return and_(Action.target_date < TODAY, ~fell_due_on_break(role))

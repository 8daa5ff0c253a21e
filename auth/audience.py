"""Who sees a learner, the reverse of `auth.scope.visible_learners`: the viewers whom a change is sent to."""

from typing import Any

from sqlalchemy import CompoundSelect, Select, String, literal, select, union_all

from auth.scope import VIEWER_PROVIDER
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation
from db.sql.any_of import any_of
from domain.enums import Role


def audience() -> CompoundSelect[Any]:
    """Returns a select of (user_key, role) of those who see any of the learners bound as `keys`.

    Without the admins, who see all learners of their provider.
    """
    # unscoped: it decides who reads again, each within their scope
    at_site = Learner.employer_id == OverviewAllocation.employer_id
    by_role: list[tuple[Role, Select[Any]]] = [
        (
            Role.LEARNER,
            select(Learner.user_id.label("user_key")).where(any_of(Learner.id), Learner.provider_id == VIEWER_PROVIDER),
        ),
        (Role.ASSESSOR, select(Aim.assessor_id).where(any_of(Aim.learner_id), Aim.provider_id == VIEWER_PROVIDER)),
        # Who enrolled a learner sees them until there is an aim: more are woken than see them now.
        (
            Role.ASSESSOR,
            select(Learner.enrolled_by_id).where(any_of(Learner.id), Learner.provider_id == VIEWER_PROVIDER),
        ),
        (Role.IQA, select(Aim.iqa_id).where(any_of(Aim.learner_id), Aim.provider_id == VIEWER_PROVIDER)),
        (
            Role.EMPLOYER_MANAGER,
            select(ManagerAllocation.user_id).where(
                any_of(ManagerAllocation.learner_id), ManagerAllocation.provider_id == VIEWER_PROVIDER
            ),
        ),
        (
            Role.EMPLOYER_OVERVIEW,
            select(OverviewAllocation.user_id)
            .join(Learner, at_site)
            .where(
                any_of(Learner.id),
                Learner.provider_id == VIEWER_PROVIDER,
                OverviewAllocation.provider_id == VIEWER_PROVIDER,
            ),
        ),
    ]
    return union_all(*(each.add_columns(literal(role.name, String).label("role")) for role, each in by_role))

"""The sampling policy, and how much of it is planned and done for each assessor."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.learner import Learner
from db.models.sample import Sample, SamplingPolicy
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role, SampleStatus
from domain.sampling import SAMPLED_STATUSES, share
from loaders.core.base import CountLoader
from loaders.core.read_session import ReadSession
from loaders.core.rows import LightRow, column, derived, row


@row(SamplingPolicy)
class SamplingPolicyRow(LightRow):
    """How much of the assessors' work is sampled."""

    aims_percent: int = column(SamplingPolicy.aims_percent)
    units_percent: int = column(SamplingPolicy.units_percent)
    first_units_of_new_assessor: int = column(SamplingPolicy.first_units_of_new_assessor)


def sampled_aims(role: Role) -> ColumnElement[bool]:
    """The condition that a plan can choose an aim: in training, with an IQA, seen, and not of the viewer's own record.

    A person cannot choose who samples their own work.
    """
    # unscoped: the viewer's own learner record, whose aims are left out
    own = select(Learner.id).where(Learner.user_id == scope.VIEWER_USER, scope.of_provider(Learner))
    in_training = Aim.status.in_(SAMPLED_STATUSES), Aim.iqa_id.is_not(None), Aim.learner_id.not_in(own)
    return and_(*in_training, scope.sees_sampling(role), scope.sees_aim(role))


class AimsToSampleLoader(CountLoader):
    """Loads how many aims of an assessor a plan can choose from, by user key."""

    keys_of = "user_account"

    @classmethod
    def statement(cls, role: Role) -> Select:
        columns = Aim.assessor_id.label("parent_key"), func.count().label("count")
        return select(*columns).where(any_of(Aim.assessor_id), sampled_aims(role)).group_by(Aim.assessor_id)


@cached_statement
def _policy(role: Role) -> Select:
    return SamplingPolicyRow.select(role).where(scope.sees_sampling(role), scope.of_provider(SamplingPolicy))


async def read_policy(reading: ReadSession) -> SamplingPolicyRow | None:
    """Returns the provider's policy; None before it is saved, and for viewers who see no samples."""
    rows = await reading.read(SamplingPolicyRow, _policy(reading.viewer.role))
    return rows[0] if rows else None


@row(Aim)
class SamplingCoverageRow(LightRow):
    """How many aims of an assessor are sampled, over the aims in training that the viewer sees and that have an IQA."""

    assessor_key: int = column()
    aim_count: int = column()
    aims_planned: int = column()
    aims_concluded: int = column()
    units_planned: int = column()
    units_concluded: int = column()
    aims_to_sample: int = derived("aim_count")


@cached_statement
def _coverage(role: Role) -> Select:
    concluded = case((Sample.status == SampleStatus.CONCLUDED, 1), else_=0)
    of_aim = (
        select(Sample.aim_id, func.count().label("planned"), func.sum(concluded).label("concluded"))
        .where(scope.sees(role, Sample))
        .group_by(Sample.aim_id)
        .subquery()
    )
    done = case((of_aim.c.planned == of_aim.c.concluded, 1), else_=0)
    return (
        SamplingCoverageRow.select(
            role,
            assessor_key=Aim.assessor_id,
            aim_count=func.count(),
            aims_planned=func.count(of_aim.c.aim_id),
            aims_concluded=func.sum(done),
            units_planned=func.coalesce(func.sum(of_aim.c.planned), 0),
            units_concluded=func.coalesce(func.sum(of_aim.c.concluded), 0),
        )
        .outerjoin(of_aim, of_aim.c.aim_id == Aim.id)
        .join(User, User.id == Aim.assessor_id)
        .where(sampled_aims(role))
        .group_by(Aim.assessor_id, User.sort_name)
        .order_by(User.sort_name, Aim.assessor_id)
    )


async def read_coverage(reading: ReadSession) -> Sequence[SamplingCoverageRow]:
    """Returns the coverage of each assessor, by name; none before a policy is saved."""
    policy = await read_policy(reading)
    if policy is None:
        return []
    rows = await reading.read(SamplingCoverageRow, _coverage(reading.viewer.role))
    for each in rows:
        each.aims_to_sample = share(policy.aims_percent, each.aim_count)
    return rows

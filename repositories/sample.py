"""Reads of sampling within a write transaction: the policy, what can be sampled, and the records of a sample."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import scope
from auth.viewer import Viewer
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.aim_unit import AimUnit
from db.models.base import Key
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping
from db.models.file import File
from db.models.qualification import QualificationUnit
from db.models.sample import Sample, SampleAction, SamplingPolicy
from db.models.unit_signature import UnitSignature
from domain.enums import Role, SampleOutcome, SampleStatus
from domain.sampling import Policy, UnitKey, snapshot_sha256
from loaders.sampling import sampled_aims


async def sampling_policy(session: AsyncSession, provider_key: int) -> Policy | None:
    """Returns the provider's policy; None before it is saved."""
    saved = await session.get(SamplingPolicy, provider_key)
    if saved is None:
        return None
    return Policy(saved.aims_percent, saved.units_percent, saved.first_units_of_new_assessor)


@cached_statement
def _aims(role: Role) -> Select[Aim]:
    # unscoped: `sampled_aims` has the scope
    return select(Aim).where(Aim.assessor_id == bindparam("assessor", type_=Key), sampled_aims(role)).order_by(Aim.id)


async def aims_to_sample(session: AsyncSession, viewer: Viewer, assessor_key: int) -> dict[int, Aim]:
    """Returns the assessor's aims that a plan of the viewer can choose from, by key."""
    aims = await session.scalars(await _aims(viewer.role), {**scope.viewer_params(viewer), "assessor": assessor_key})
    return {aim.id: aim for aim in aims}


async def units_that_count(session: AsyncSession, aim_keys: Collection[int]) -> dict[int, list[int]]:
    """Returns the keys of the units of each aim that are mandatory or chosen, by the aim's key."""
    # unscoped: the aims were read within the viewer's scope
    statement = (
        select(Aim.id, QualificationUnit.id)
        .join(QualificationUnit, QualificationUnit.qualification_id == Aim.qualification_id)
        .outerjoin(AimUnit, and_(AimUnit.aim_id == Aim.id, AimUnit.unit_id == QualificationUnit.id))
        .where(Aim.id.in_(aim_keys), or_(QualificationUnit.mandatory, AimUnit.unit_id.is_not(None)))
    )
    found: dict[int, list[int]] = {}
    for aim_key, unit_key in await session.execute(statement):
        found.setdefault(aim_key, []).append(unit_key)
    return found


async def first_units(session: AsyncSession, provider_key: int, assessor_key: int, count: int) -> list[UnitKey]:
    """Returns the first units that an assessor signed, at most `count`; none once so many samples are concluded."""
    # unscoped: the assessor is seen, and how many of their samples are concluded is not shown
    concluded = select(func.count()).where(
        Sample.assessor_id == assessor_key,
        Sample.status == SampleStatus.CONCLUDED,
        Sample.provider_id == provider_key,
    )
    if not count or (await session.execute(concluded)).scalar_one() >= count:
        return []
    # unscoped: the plan keeps those of the aims that the viewer sees
    statement = (
        select(UnitSignature.aim_id, UnitSignature.unit_id)
        .where(
            UnitSignature.signed_by_id == assessor_key,
            UnitSignature.role == Role.ASSESSOR,
            UnitSignature.provider_id == provider_key,
            UnitSignature.withdrawn_at.is_(None),
        )
        .order_by(UnitSignature.signed_at, UnitSignature.id)
        .limit(count)
    )
    return [(aim_key, unit_key) for aim_key, unit_key in await session.execute(statement)]


async def standing_samples(session: AsyncSession, aim_keys: Collection[int]) -> dict[UnitKey, Sample]:
    """Returns the samples of units of these aims, without those that rejected the unit and are concluded."""
    # unscoped: the aims were read within the viewer's scope
    statement = select(Sample).where(Sample.aim_id.in_(aim_keys)).order_by(Sample.id)
    return {
        (sample.aim_id, sample.unit_id): sample
        for sample in await session.scalars(statement)
        if sample.status is not SampleStatus.CONCLUDED or sample.outcome is not SampleOutcome.REJECTED
    }


async def signed_units(session: AsyncSession, aim_keys: Collection[int]) -> set[UnitKey]:
    """Returns the units of these aims that an assessor has signed."""
    # unscoped: the aims were read within the viewer's scope
    statement = select(UnitSignature.aim_id, UnitSignature.unit_id).where(
        UnitSignature.aim_id.in_(aim_keys),
        UnitSignature.role == Role.ASSESSOR,
        UnitSignature.withdrawn_at.is_(None),
    )
    return {(aim_key, unit_key) for aim_key, unit_key in await session.execute(statement)}


async def mappings_of_unit(session: AsyncSession, aim_key: int, unit_key: int) -> list[tuple[int, int]]:
    """Returns the pairs of criterion and evidence that are mapped in a unit."""
    # unscoped: the aim was read within the viewer's scope
    statement = select(EvidenceMapping.criterion_id, EvidenceMapping.evidence_id).where(
        EvidenceMapping.aim_id == aim_key, EvidenceMapping.unit_id == unit_key
    )
    return [(criterion, evidence) for criterion, evidence in await session.execute(statement)]


async def snapshot(session: AsyncSession, aim_key: int, unit_key: int) -> str | None:
    """Returns the digest of a unit's evidence, mappings, sign-offs and signatures; None where there is no evidence."""
    # unscoped: the aim was read within the viewer's scope
    mapped: Any = (
        select(EvidenceMapping.criterion_id, EvidenceMapping.evidence_id, EvidenceMapping.signed_off, File.sha256)
        .join(Evidence, Evidence.id == EvidenceMapping.evidence_id)
        .join(File, File.id == Evidence.file_id)
        .where(EvidenceMapping.aim_id == aim_key, EvidenceMapping.unit_id == unit_key)
    )
    # unscoped: the same aim
    reached: Any = select(
        CriterionProgress.criterion_id, CriterionProgress.signed_off, CriterionProgress.signed_off_by_id
    ).where(CriterionProgress.aim_id == aim_key, CriterionProgress.unit_id == unit_key)
    # unscoped: the same aim
    signed: Any = select(UnitSignature.id, UnitSignature.signed_by_id, UnitSignature.content_sha256).where(
        UnitSignature.aim_id == aim_key, UnitSignature.unit_id == unit_key, UnitSignature.withdrawn_at.is_(None)
    )
    parts = [[tuple(row) for row in await session.execute(each)] for each in (mapped, reached, signed)]
    return snapshot_sha256(*parts) if parts[0] else None


async def has_open_actions(session: AsyncSession, sample_key: int) -> bool:
    """Returns whether an action of the sample is not closed."""
    # unscoped: the sample was read within the viewer's scope
    statement = select(SampleAction.id).where(SampleAction.sample_id == sample_key, SampleAction.closed_at.is_(None))
    return (await session.execute(statement.limit(1))).first() is not None

"""What a change of evidence or of a unit's signatures reads in its transaction, once the aim was read within scope."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.learner import Learner
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain.enums import Role


@dataclass(frozen=True, slots=True)
class CriterionState:
    """One criterion of a learner's unit as it stands; untouched ones have no evidence."""

    key: int
    code: str
    evidence_count: int
    signed_off: bool


@dataclass(frozen=True, slots=True)
class UnitState:
    """A unit as a signature confirms it: its words, and every criterion in order."""

    number: str
    title: str
    qualification_title: str
    learner_name: str
    criteria: list[CriterionState]


@dataclass(frozen=True, slots=True)
class AimNames:
    """What e-mails call an aim: its learner (by user key and name) and its title."""

    learner_user_key: int
    learner: str
    title: str


async def aim_names(session: AsyncSession, aim: Aim) -> AimNames:
    """The learner's name and the aim's title."""
    # unscoped: of an aim that was read within scope
    statement = (
        select(User.id, User.name, Qualification.title)
        .select_from(Learner)
        .join(User, User.id == Learner.user_id)
        .join(Qualification, Qualification.id == aim.qualification_id)
        .where(Learner.id == aim.learner_id)
    )
    return AimNames(*(await session.execute(statement)).one())


async def last_version(session: AsyncSession, evidence_key: int) -> int:
    """The number of the current version."""
    # unscoped: of evidence that was read within scope
    statement = select(func.max(EvidenceVersion.number)).where(EvidenceVersion.evidence_id == evidence_key)
    return (await session.execute(statement)).scalar_one()


async def signature_in_role(
    session: AsyncSession, evidence_key: int, version: int, role: Role
) -> EvidenceSignature | None:
    """A role's signature on one version."""
    # unscoped: of evidence that was read within scope
    statement = select(EvidenceSignature).where(
        EvidenceSignature.evidence_id == evidence_key,
        EvidenceSignature.version_number == version,
        EvidenceSignature.role == role,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def mappings_of_evidence(session: AsyncSession, evidence_key: int) -> dict[int, EvidenceMapping]:
    """The evidence's mappings by criterion key."""
    # unscoped: of evidence that was read within scope
    statement = select(EvidenceMapping).where(EvidenceMapping.evidence_id == evidence_key)
    return {mapping.criterion_id: mapping for mapping in await session.scalars(statement)}


async def units_of_criteria(session: AsyncSession, qualification_key: int, keys: Collection[int]) -> dict[int, int]:
    """Criterion key -> key of its unit, for those that are the qualification's."""
    statement = select(QualificationCriterion.id, QualificationCriterion.unit_id).where(
        QualificationCriterion.qualification_id == qualification_key, QualificationCriterion.id.in_(keys)
    )
    return {criterion: unit for criterion, unit in await session.execute(statement)}


async def criterion_progress_of(
    session: AsyncSession, aim_key: int, keys: Collection[int]
) -> dict[int, CriterionProgress]:
    """What was reached in those criteria of the aim, by criterion key; rows only for those that were touched."""
    # unscoped: of an aim that was read within scope
    statement = select(CriterionProgress).where(
        CriterionProgress.aim_id == aim_key, CriterionProgress.criterion_id.in_(keys)
    )
    return {row.criterion_id: row for row in await session.scalars(statement)}


async def criteria_met_by_other_evidence(
    session: AsyncSession, aim_key: int, evidence_key: int, keys: Collection[int]
) -> set[int]:
    """Those of the criteria that other evidence of the aim was found to meet."""
    # unscoped: of an aim that was read within scope
    statement = select(EvidenceMapping.criterion_id).where(
        EvidenceMapping.aim_id == aim_key,
        EvidenceMapping.criterion_id.in_(keys),
        EvidenceMapping.evidence_id != evidence_key,
        EvidenceMapping.signed_off,
    )
    return set(await session.scalars(statement))


async def active_signatures(session: AsyncSession, aim_key: int, units: Collection[int]) -> Sequence[UnitSignature]:
    """The signatures on those units of the aim that nobody has taken back."""
    # unscoped: of an aim that was read within scope
    statement = select(UnitSignature).where(
        UnitSignature.aim_id == aim_key, UnitSignature.unit_id.in_(units), UnitSignature.withdrawn_at.is_(None)
    )
    return (await session.scalars(statement)).all()


async def unit_state(session: AsyncSession, aim: Aim, unit_key: int) -> UnitState | None:
    """A unit of the aim as it stands; None where the aim's qualification has no such unit."""
    reached = and_(CriterionProgress.criterion_id == QualificationCriterion.id, CriterionProgress.aim_id == aim.id)
    # unscoped: of an aim that was read within scope
    statement = (
        select(
            QualificationUnit.number, QualificationUnit.title, Qualification.title, User.name,
            QualificationCriterion.id, QualificationCriterion.code,
            func.coalesce(CriterionProgress.evidence_count, 0), func.coalesce(CriterionProgress.signed_off, False),
        )
        .select_from(QualificationUnit)
        .join(Qualification, Qualification.id == QualificationUnit.qualification_id)
        .join(Learner, Learner.id == aim.learner_id)
        .join(User, User.id == Learner.user_id)
        .outerjoin(QualificationCriterion, QualificationCriterion.unit_id == QualificationUnit.id)
        .outerjoin(CriterionProgress, reached)
        .where(QualificationUnit.id == unit_key, QualificationUnit.qualification_id == aim.qualification_id)
        .order_by(QualificationCriterion.position)
    )  # fmt: skip
    rows = (await session.execute(statement)).all()
    if not rows:
        return None
    return UnitState(*rows[0][:4], [CriterionState(*row[4:]) for row in rows if row[4] is not None])

"""Reads of an aim's units and criteria within a write transaction: their state, and the signatures on them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.cached_statement import cached_statement
from db.direct_statements import send
from db.loaded_entity import columns_of, load_all
from db.models.aim import Aim
from db.models.aim_unit import AimUnit
from db.models.base import Key
from db.models.criterion_progress import CriterionProgress
from db.models.learner import Learner
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from db.models.unit_signature import UnitSignature
from db.models.user import User
from db.sql.any_of import any_of


@dataclass(frozen=True, slots=True)
class CriterionState:
    """The state of one criterion of an aim; one that was not started has no evidence and is not signed off."""

    key: int
    code: str
    evidence_count: int
    signed_off: bool


@dataclass(frozen=True, slots=True)
class UnitToSign:
    """What a signature on a unit confirms: the unit's texts and all its criteria, in order."""

    number: str
    title: str
    qualification_title: str
    learner_name: str
    # Whether the unit counts for the learner: it is mandatory, or chosen.
    counts: bool
    criteria: list[CriterionState]


async def unit_to_sign(session: AsyncSession, aim: Aim, unit_key: int) -> UnitToSign | None:
    """Returns a unit of the aim as it is now; None where the aim's qualification has no such unit."""
    of_aim = and_(CriterionProgress.criterion_id == QualificationCriterion.id, CriterionProgress.aim_id == aim.id)
    # unscoped: the aim was read within the viewer's scope
    statement = (
        select(
            QualificationUnit.number,
            QualificationUnit.title,
            Qualification.title.label("qualification_title"),
            User.name.label("learner_name"),
            or_(QualificationUnit.mandatory, AimUnit.unit_id.is_not(None)).label("counts"),
            QualificationCriterion.id.label("criterion_key"),
            QualificationCriterion.code,
            func.coalesce(CriterionProgress.evidence_count, 0).label("evidence_count"),
            func.coalesce(CriterionProgress.signed_off, False).label("signed_off"),
        )
        .select_from(QualificationUnit)
        .join(Qualification, Qualification.id == QualificationUnit.qualification_id)
        .join(Learner, Learner.id == aim.learner_id)
        .join(User, User.id == Learner.user_id)
        .outerjoin(AimUnit, and_(AimUnit.aim_id == aim.id, AimUnit.unit_id == QualificationUnit.id))
        .outerjoin(QualificationCriterion, QualificationCriterion.unit_id == QualificationUnit.id)
        .outerjoin(CriterionProgress, of_aim)
        .where(QualificationUnit.id == unit_key, QualificationUnit.qualification_id == aim.qualification_id)
        .order_by(QualificationCriterion.position)
    )
    rows = (await session.execute(statement)).all()
    if not rows:
        return None
    criteria = [
        CriterionState(row.criterion_key, row.code, row.evidence_count, row.signed_off)
        for row in rows
        if row.criterion_key is not None
    ]
    unit = rows[0]
    return UnitToSign(unit.number, unit.title, unit.qualification_title, unit.learner_name, bool(unit.counts), criteria)


async def active_signatures(session: AsyncSession, aim_key: int, units: Collection[int]) -> Sequence[UnitSignature]:
    """Returns the signatures on those units of the aim that have not been withdrawn."""
    return await load_all(session, UnitSignature, _active_signatures(), {"aim": aim_key, "keys": sorted(units)})


@cached_statement
def _active_signatures() -> Select[Any]:
    # unscoped: the aim was read within the viewer's scope
    return select(*columns_of(UnitSignature)).where(
        UnitSignature.aim_id == bindparam("aim", type_=Key), any_of(UnitSignature.unit_id),
        UnitSignature.withdrawn_at.is_(None),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitOfCriterion:
    """The unit of a criterion, and whether it counts for the learner."""

    key: int
    counts: bool


async def units_of_criteria(session: AsyncSession, aim: Aim, keys: Collection[int]) -> dict[int, UnitOfCriterion]:
    """Returns the unit of each of the criteria that belong to the aim's qualification, by criterion key."""
    parameters = {"aim": aim.id, "qualification": aim.qualification_id, "keys": sorted(keys)}
    found = await send(session, _units_of_criteria(), parameters)
    return {row.id: UnitOfCriterion(row.unit_id, bool(row.counts)) for row in found}


@cached_statement
def _units_of_criteria() -> Select[int, int, bool]:
    of_aim = AimUnit.aim_id == bindparam("aim", type_=Key)
    # unscoped: the aim was read within the viewer's scope
    return (
        select(
            QualificationCriterion.id,
            QualificationCriterion.unit_id,
            or_(QualificationUnit.mandatory, AimUnit.unit_id.is_not(None)).label("counts"),
        )
        .join(QualificationUnit, QualificationUnit.id == QualificationCriterion.unit_id)
        .outerjoin(AimUnit, and_(of_aim, AimUnit.unit_id == QualificationUnit.id))
        .where(
            QualificationCriterion.qualification_id == bindparam("qualification", type_=Key),
            any_of(QualificationCriterion.id),
        )
    )


async def progress_of_criteria(
    session: AsyncSession, aim_key: int, keys: Collection[int]
) -> dict[int, CriterionProgress]:
    """Returns the aim's progress in those of the criteria that have any, by criterion key."""
    found = await load_all(session, CriterionProgress, _progress(), {"aim": aim_key, "keys": sorted(keys)})
    return {row.criterion_id: row for row in found}


@cached_statement
def _progress() -> Select[Any]:
    of_aim = CriterionProgress.aim_id == bindparam("aim", type_=Key)
    # unscoped: the aim was read within the viewer's scope
    return select(*columns_of(CriterionProgress)).where(of_aim, any_of(CriterionProgress.criterion_id))

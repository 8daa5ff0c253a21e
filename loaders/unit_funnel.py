"""The sign-off funnel: how many aims have reached each step in each unit of a qualification."""

from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased

from auth import scope
from db.cached_statement import cached_statement
from db.models.aim import Aim
from db.models.aim_unit import AimUnit
from db.models.criterion_progress import CriterionProgress
from db.models.qualification import QualificationUnit
from db.models.unit_signature import UnitSignature
from db.sql.any_of import any_of
from db.sql.progress import total
from domain.enums import AimStatus, Role
from loaders.core.base import ManyLoader
from loaders.core.rows import LightRow, column, row


@row(QualificationUnit)
class UnitFunnelRow(LightRow):
    """A unit of a qualification, and how many of the aims that the viewer sees have reached each step."""

    qualification_key: int = column(QualificationUnit.qualification_id)
    number: str = column(QualificationUnit.number)
    title: str = column(QualificationUnit.title)
    mandatory: bool = column(QualificationUnit.mandatory)
    criterion_count: int = column(QualificationUnit.criterion_count)
    aim_count: int = column()
    started_count: int = column()
    mapped_count: int = column()
    complete_count: int = column()
    signed_off_count: int = column()


@cached_statement
def _funnel(role: Role, required: int) -> Select:
    """`required` is the number of roles that must sign; the roles are bound as `signer_0`, `signer_1`, ..."""
    is_counted = and_(any_of(Aim.qualification_id), Aim.status != AimStatus.WITHDRAWN)
    aims = (
        select(Aim.qualification_id, func.count().label("count"))
        .where(is_counted, scope.sees_aim(role))
        .group_by(Aim.qualification_id)
        .subquery()
    )
    # Optional units count for the aims that they are chosen for.
    chosen = (
        select(AimUnit.unit_id, func.count().label("count"))
        .join(Aim, Aim.id == AimUnit.aim_id)
        .where(is_counted, scope.sees_aim(role))
        .group_by(AimUnit.unit_id)
        .subquery()
    )
    unit = aliased(QualificationUnit)
    mapped = or_(CriterionProgress.evidence_count > 0, CriterionProgress.signed_off)
    reached = (
        select(
            CriterionProgress.aim_id,
            CriterionProgress.unit_id,
            total(case((mapped, 1), else_=0)).label("mapped"),
            total(case((CriterionProgress.signed_off, 1), else_=0)).label("signed_off"),
        )
        .join(Aim, Aim.id == CriterionProgress.aim_id)
        .join(unit, and_(unit.id == CriterionProgress.unit_id, unit.qualification_id == Aim.qualification_id))
        .outerjoin(AimUnit, and_(AimUnit.aim_id == Aim.id, AimUnit.unit_id == unit.id))
        .where(is_counted, scope.sees_aim(role), or_(unit.mandatory, AimUnit.unit_id.is_not(None)))
        .group_by(CriterionProgress.aim_id, CriterionProgress.unit_id)
        .subquery()
    )
    roles = [bindparam(f"signer_{index}", type_=UnitSignature.role.type) for index in range(required)]
    signed = (
        select(
            UnitSignature.aim_id,
            UnitSignature.unit_id,
            total(case((UnitSignature.role.in_(roles), 1), else_=0)).label("count"),
            func.max(case((UnitSignature.completes_unit, 1), else_=0)).label("completed"),
        )
        .join(Aim, Aim.id == UnitSignature.aim_id)
        .where(is_counted, scope.sees_aim(role), UnitSignature.withdrawn_at.is_(None))
        .group_by(UnitSignature.aim_id, UnitSignature.unit_id)
        .subquery()
    )
    criteria = QualificationUnit.criterion_count
    complete = and_(criteria > 0, reached.c.signed_off == criteria)
    # As `loaders.unit.unit_signed_off`: by the roles of today, or by those of the day of the last signature.
    signed_by_roles = or_(func.coalesce(signed.c.count, 0, type_=Integer) == required, signed.c.completed == 1)
    return (
        UnitFunnelRow.select(
            role,
            aim_count=func.coalesce(
                case((QualificationUnit.mandatory, func.max(aims.c.count)), else_=func.max(chosen.c.count)), 0
            ),
            started_count=func.count(case((reached.c.mapped > 0, 1))),
            mapped_count=func.count(case((and_(criteria > 0, reached.c.mapped == criteria), 1))),
            complete_count=func.count(case((complete, 1))),
            signed_off_count=func.count(case((and_(complete, signed_by_roles), 1))),
        )
        .outerjoin(aims, aims.c.qualification_id == QualificationUnit.qualification_id)
        .outerjoin(chosen, chosen.c.unit_id == QualificationUnit.id)
        .outerjoin(reached, reached.c.unit_id == QualificationUnit.id)
        .outerjoin(signed, and_(signed.c.aim_id == reached.c.aim_id, signed.c.unit_id == reached.c.unit_id))
        .where(any_of(QualificationUnit.qualification_id), scope.of_provider(QualificationUnit))
        # The whole key of the table, so that its other columns need no place here.
        .group_by(QualificationUnit.id, QualificationUnit.provider_id)
        .order_by(QualificationUnit.qualification_id, QualificationUnit.position)
    )


class UnitFunnelLoader(ManyLoader[int, UnitFunnelRow]):
    """Loads the funnel of a qualification, in the order of its units."""

    keys_of = "qualification"

    async def fetch(self, keys: list[int]) -> dict[int, list[UnitFunnelRow]]:
        signers = self.reading.viewer.rules.unit_signatures
        statement = _funnel(self.reading.viewer.role, len(signers))
        bound: dict[str, Any] = {f"signer_{index}": role for index, role in enumerate(signers)}
        found: dict[int, list[UnitFunnelRow]] = {}
        for unit in await self.reading.read(UnitFunnelRow, statement, keys=keys, **bound):
            found.setdefault(unit.qualification_key, []).append(unit)
        return found

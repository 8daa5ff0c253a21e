"""Finds records of an earlier release that break the separation of duties. They stay; an administrator decides."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from auth.separation_of_duties import EMPLOYER_ROLES, STAFF_ROLES
from db.models.aim import Aim
from db.models.evidence import EvidenceSignature
from db.models.learner import Learner
from db.models.signature_request import SignatureSlot
from db.models.unit_signature import UnitSignature
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant

_Other: Any = aliased(RoleGrant)
_OtherSlot: Any = aliased(SignatureSlot)
_OtherUnit: Any = aliased(UnitSignature)
_OtherEvidence: Any = aliased(EvidenceSignature)

# A sentence with the names of the row's columns in it, and the select that finds the rows.
_CHECKS: tuple[tuple[str, Select[*tuple[Any, ...]]], ...] = (
    (
        "user {user_id} holds the staff role {role} and the employer role {other_role}: revoke one of them",
        select(RoleGrant.user_id, RoleGrant.role, _Other.role.label("other_role"))
        .join(_Other, _Other.user_id == RoleGrant.user_id)
        .where(RoleGrant.role.in_(STAFF_ROLES), _Other.role.in_(EMPLOYER_ROLES))
        .order_by(RoleGrant.id, _Other.id),
    ),
    (
        "user {user_id} was granted the role {role} by themself: "
        "revoke it, or have another Master Admin revoke and grant it",
        select(RoleGrant.user_id, RoleGrant.role).where(RoleGrant.granted_by_id == RoleGrant.user_id),
    ),
    (
        "user {user_id} manages their own learner record {id}: remove the allocation",
        select(ManagerAllocation.user_id, Learner.id).join(
            Learner, and_(Learner.id == ManagerAllocation.learner_id, Learner.user_id == ManagerAllocation.user_id)
        ),
    ),
    (
        "user {user_id} oversees site {employer_id}, where they are a learner: remove the allocation",
        select(OverviewAllocation.user_id, OverviewAllocation.employer_id).join(
            Learner,
            and_(Learner.employer_id == OverviewAllocation.employer_id, Learner.user_id == OverviewAllocation.user_id),
        ),
    ),
    (
        "aim {id} has its learner as assessor or IQA: choose another person",
        select(Aim.id)
        .join(Learner, Learner.id == Aim.learner_id)
        .where(or_(Aim.assessor_id == Learner.user_id, Aim.iqa_id == Learner.user_id)),
    ),
    (
        "document {request_id} is signed by user {signed_by_id} as {role} and as {other_role}",
        select(
            SignatureSlot.request_id,
            SignatureSlot.signed_by_id,
            SignatureSlot.role,
            _OtherSlot.role.label("other_role"),
        ).join(
            _OtherSlot,
            and_(
                _OtherSlot.request_id == SignatureSlot.request_id,
                _OtherSlot.signed_by_id == SignatureSlot.signed_by_id,
                _OtherSlot.id > SignatureSlot.id,
            ),
        ),
    ),
    (
        "unit {unit_id} of aim {aim_id} is signed by user {signed_by_id} as {role} and as {other_role}",
        select(
            UnitSignature.unit_id,
            UnitSignature.aim_id,
            UnitSignature.signed_by_id,
            UnitSignature.role,
            _OtherUnit.role.label("other_role"),
        )
        .join(
            _OtherUnit,
            and_(
                _OtherUnit.aim_id == UnitSignature.aim_id,
                _OtherUnit.unit_id == UnitSignature.unit_id,
                _OtherUnit.signed_by_id == UnitSignature.signed_by_id,
                _OtherUnit.id > UnitSignature.id,
                _OtherUnit.role != UnitSignature.role,
            ),
        )
        .where(UnitSignature.withdrawn_at.is_(None), _OtherUnit.withdrawn_at.is_(None)),
    ),
    (
        "evidence {evidence_id}, version {version_number} is signed by user {signed_by_id} as {role} "
        "and as {other_role}",
        select(
            EvidenceSignature.evidence_id,
            EvidenceSignature.version_number,
            EvidenceSignature.signed_by_id,
            EvidenceSignature.role,
            _OtherEvidence.role.label("other_role"),
        ).join(
            _OtherEvidence,
            and_(
                _OtherEvidence.evidence_id == EvidenceSignature.evidence_id,
                _OtherEvidence.version_number == EvidenceSignature.version_number,
                _OtherEvidence.signed_by_id == EvidenceSignature.signed_by_id,
                _OtherEvidence.id > EvidenceSignature.id,
            ),
        ),
    ),
)


async def separation_notices(session: AsyncSession) -> AsyncIterator[str]:
    """Yields a sentence for each record that the rules of today would not allow. The data are consistent."""
    for sentence, statement in _CHECKS:
        async for row in await session.stream(statement.execution_options(yield_per=500)):
            values = {name: getattr(value, "value", value) for name, value in row._mapping.items()}
            yield sentence.format(**values)

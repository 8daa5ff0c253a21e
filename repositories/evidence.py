"""Reads of evidence within a write transaction: its versions, signatures and mappings."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from domain.enums import EvidenceStatus, Role


async def current_version_number(session: AsyncSession, evidence_key: int) -> int:
    """Returns the number of the evidence's latest version."""
    # unscoped: the evidence was read within the viewer's scope
    statement = select(func.max(EvidenceVersion.number)).where(EvidenceVersion.evidence_id == evidence_key)
    return (await session.execute(statement)).scalar_one()


async def signatures_on_version(
    session: AsyncSession, evidence_key: int, version: int
) -> dict[Role, EvidenceSignature]:
    """Returns the signatures on one version, by role."""
    # unscoped: the evidence was read within the viewer's scope
    statement = select(EvidenceSignature).where(
        EvidenceSignature.evidence_id == evidence_key,
        EvidenceSignature.version_number == version,
    )
    return {signature.role: signature for signature in await session.scalars(statement)}


async def mappings_of_evidence(session: AsyncSession, evidence_key: int) -> dict[int, EvidenceMapping]:
    """Returns the evidence's mappings, by criterion key."""
    # unscoped: the evidence was read within the viewer's scope
    statement = select(EvidenceMapping).where(EvidenceMapping.evidence_id == evidence_key)
    return {mapping.criterion_id: mapping for mapping in await session.scalars(statement)}


async def criteria_met_by_other_evidence(
    session: AsyncSession, aim_key: int, evidence_key: int, keys: Collection[int]
) -> set[int]:
    """Returns those of the criteria that other evidence of the aim meets, with a file that was assessed."""
    # unscoped: the aim was read within the viewer's scope
    statement = (
        select(EvidenceMapping.criterion_id)
        .join(Evidence, Evidence.id == EvidenceMapping.evidence_id)
        .where(
            EvidenceMapping.aim_id == aim_key,
            EvidenceMapping.criterion_id.in_(keys),
            EvidenceMapping.evidence_id != evidence_key,
            EvidenceMapping.signed_off,
            Evidence.status == EvidenceStatus.ASSESSED,
        )
    )
    return set(await session.scalars(statement))


async def files_of_evidence(session: AsyncSession, evidence_key: int) -> set[int]:
    """Returns the keys of the files of all versions."""
    # unscoped: the evidence was read within the viewer's scope
    statement = select(EvidenceVersion.file_id).where(EvidenceVersion.evidence_id == evidence_key)
    return set(await session.scalars(statement))

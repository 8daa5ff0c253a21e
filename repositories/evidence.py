"""Reads of evidence within a write transaction: its versions, signatures and mappings."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.cached_statement import cached_statement
from db.loaded_entity import columns_of, load_all
from db.models.base import Key
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.sql.any_of import any_of
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
    found = await load_all(session, EvidenceMapping, _mappings(), {"evidence": evidence_key})
    return {mapping.criterion_id: mapping for mapping in found}


@cached_statement
def _mappings() -> Select[Any]:
    of_evidence = EvidenceMapping.evidence_id == bindparam("evidence", type_=Key)
    # unscoped: the evidence was read within the viewer's scope
    return select(*columns_of(EvidenceMapping)).where(of_evidence)


async def criteria_met_by_other_evidence(
    session: AsyncSession, aim_key: int, evidence_key: int, keys: Collection[int]
) -> set[int]:
    """Returns those of the criteria that other evidence of the aim meets, with a file that was assessed."""
    parameters = {"aim": aim_key, "evidence": evidence_key, "keys": sorted(keys)}
    return set(await session.scalars(await _met_by_others(), parameters))


@cached_statement
def _met_by_others() -> Select[int]:
    # unscoped: the aim was read within the viewer's scope
    return (
        select(EvidenceMapping.criterion_id)
        .join(Evidence, Evidence.id == EvidenceMapping.evidence_id)
        .where(
            EvidenceMapping.aim_id == bindparam("aim", type_=Key),
            any_of(EvidenceMapping.criterion_id),
            EvidenceMapping.evidence_id != bindparam("evidence", type_=Key),
            EvidenceMapping.signed_off,
            Evidence.status == EvidenceStatus.ASSESSED,
        )
    )


async def files_of_evidence(session: AsyncSession, evidence_key: int) -> set[int]:
    """Returns the keys of the files of all versions."""
    # unscoped: the evidence was read within the viewer's scope
    statement = select(EvidenceVersion.file_id).where(EvidenceVersion.evidence_id == evidence_key)
    return set(await session.scalars(statement))

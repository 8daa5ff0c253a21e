"""Stores imported qualifications: adds a new version, and never changes one that is in use."""

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim
from db.models.qualification import Qualification, QualificationCriterion, QualificationUnit
from domain import clock
from services.importer.draft import QualificationDraft, StoredValues
from services.progress import recount_choice


class Outcome(Enum):
    """The effect of storing a draft."""

    ADDED = auto()
    UNCHANGED = auto()
    REPLACED = auto()
    UPDATED = auto()


class VersionInUse(Exception):
    """An aim uses this version with other content; changing it would change what the learner achieved."""

    def __init__(self, draft: QualificationDraft) -> None:
        version = f" version {draft.version}" if draft.version else ""
        super().__init__(
            f"{draft.title}{version} is in use with other content and cannot be changed. Import it as a new version."
        )
        self.draft = draft


@dataclass(frozen=True, slots=True)
class Stored:
    """The key of the stored qualification, and the effect of storing it."""

    qualification_id: int
    outcome: Outcome


async def store_qualification(session: AsyncSession, provider_id: int, draft: QualificationDraft) -> Stored:
    """Stores one version for one provider, in the caller's transaction. Raises VersionInUse.

    Other content replaces a version that no aim uses yet, under a new key, so that nothing cached under the old key is
    taken for the new content. What a CSV file cannot say is kept.
    """
    existing = (
        await session.execute(
            select(
                Qualification.id,
                Qualification.content_sha256,
                Qualification.kind,
                Qualification.level,
                Qualification.off_the_job_hours_minimum,
                Qualification.optional_units_minimum,
            ).where(
                Qualification.provider_id == provider_id,
                Qualification.reference == draft.reference,
                Qualification.version == draft.version,
                *([] if draft.reference else [Qualification.title == draft.title]),
            )
        )
    ).one_or_none()
    if existing is not None and draft.partial:
        mandatory = await session.execute(
            select(QualificationUnit.number, QualificationUnit.mandatory).where(
                QualificationUnit.qualification_id == existing.id
            )
        )
        stored = StoredValues(
            existing.kind, existing.level, existing.off_the_job_hours_minimum, existing.optional_units_minimum,
            {row.number: row.mandatory for row in mandatory},
        )  # fmt: skip
        draft = draft.completed(stored)
    digest = draft.digest()
    if existing is None:
        return Stored(await _insert(session, provider_id, draft, digest), Outcome.ADDED)
    if existing.content_sha256 == digest:
        if existing.optional_units_minimum == draft.optional_units_minimum:
            return Stored(existing.id, Outcome.UNCHANGED)
        await _set_minimum(session, existing.id, draft.optional_units_minimum)
        return Stored(existing.id, Outcome.UPDATED)
    if await session.scalar(select(exists().where(Aim.qualification_id == existing.id))):
        raise VersionInUse(draft)
    for table in (QualificationCriterion, QualificationUnit):
        await session.execute(delete(table).where(table.qualification_id == existing.id))
    await session.execute(delete(Qualification).where(Qualification.id == existing.id))
    return Stored(await _insert(session, provider_id, draft, digest), Outcome.REPLACED)


async def _set_minimum(session: AsyncSession, qualification_id: int, minimum: int) -> None:
    """Sets how many optional units a version requires, and counts again what its aims have still to choose."""
    stored = update(Qualification).where(Qualification.id == qualification_id).values(optional_units_minimum=minimum)
    await session.execute(stored)
    # unscoped: an import of the provider's operator
    for aim in await session.scalars(select(Aim).where(Aim.qualification_id == qualification_id).order_by(Aim.id)):
        await recount_choice(session, aim)


async def _insert(session: AsyncSession, provider_id: int, draft: QualificationDraft, digest: str) -> int:
    qualification = Qualification(
        provider_id=provider_id,
        title=draft.title,
        kind=draft.kind,
        reference=draft.reference,
        version=draft.version,
        level=draft.level,
        off_the_job_hours_minimum=draft.off_the_job_hours_minimum,
        optional_units_minimum=draft.optional_units_minimum,
        unit_count=len(draft.units),
        criterion_count=draft.criterion_count,
        content_sha256=digest,
        imported_at=clock.now(),
    )
    session.add(qualification)
    await session.flush()
    units = [
        QualificationUnit(
            provider_id=provider_id,
            qualification_id=qualification.id,
            number=unit.number,
            title=unit.title,
            mandatory=unit.mandatory,
            position=position,
            criterion_count=len(unit.criteria),
        )
        for position, unit in enumerate(draft.units, 1)
    ]
    session.add_all(units)
    await session.flush()
    criteria = [
        {
            "provider_id": provider_id,
            "qualification_id": qualification.id,
            "unit_id": stored.id,
            "code": criterion.code,
            "description": criterion.description,
            "position": position,
        }
        for stored, unit in zip(units, draft.units, strict=True)
        for position, criterion in enumerate(unit.criteria, 1)
    ]
    await session.execute(insert(QualificationCriterion), criteria)
    return qualification.id

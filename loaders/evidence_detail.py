"""What a piece of evidence carries: its versions, the signatures on them, and the criteria it is mapped to."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import aliased

from auth import scope
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.user import User
from db.sql.any_of import any_of
from domain.enums import Role
from loaders.core.read_session import ManyLoader, cached_statement
from loaders.file import FILE_COLUMNS, FileRow
from loaders.user import UserRow


@dataclass(slots=True)
class EvidenceVersionRow:
    """One upload; `number` counts from 1."""

    evidence_key: int
    number: int
    comment: str | None
    submitted_at: dt.datetime
    submitted_by: UserRow
    file: FileRow


@dataclass(slots=True)
class EvidenceSignatureRow:
    """A signature on one version; `current` where that is the latest, so that the signature stands."""

    version_number: int
    current: bool
    role: Role
    signed_at: dt.datetime
    signed_by: UserRow


@dataclass(slots=True)
class EvidenceMappingRow:
    """A criterion that the evidence is mapped to."""

    aim_key: int
    criterion_key: int
    signed_off: bool
    mapped_at: dt.datetime
    mapped_by: UserRow


def _sees(role: Role) -> ColumnElement[bool]:
    return scope.sees_record(role, Evidence.learner_id, Evidence.aim_id) & scope.of_provider(Evidence)


@cached_statement
def _versions(role: Role) -> Select:
    return (
        select(
            EvidenceVersion.evidence_id,
            EvidenceVersion.number,
            EvidenceVersion.comment,
            EvidenceVersion.submitted_at,
            EvidenceVersion.submitted_by_id,
            User.name.label("submitted_by_name"),
            *FILE_COLUMNS,
        )
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .join(User, User.id == EvidenceVersion.submitted_by_id)
        .join(File, File.id == EvidenceVersion.file_id)
        .where(any_of(EvidenceVersion.evidence_id), _sees(role))
        .order_by(EvidenceVersion.evidence_id, EvidenceVersion.number)
    )


@cached_statement
def _signatures(role: Role) -> Select:
    versions = aliased(EvidenceVersion)
    # unscoped: of evidence that the viewer sees
    latest = select(func.max(versions.number)).where(versions.evidence_id == Evidence.id).scalar_subquery()
    return (
        select(
            EvidenceSignature.evidence_id,
            EvidenceSignature.version_number,
            (EvidenceSignature.version_number == latest).label("current"),
            EvidenceSignature.role,
            EvidenceSignature.signed_at,
            EvidenceSignature.signed_by_id,
            User.name,
        )
        .join(Evidence, Evidence.id == EvidenceSignature.evidence_id)
        .join(User, User.id == EvidenceSignature.signed_by_id)
        .where(any_of(EvidenceSignature.evidence_id), _sees(role))
        .order_by(EvidenceSignature.signed_at, EvidenceSignature.id)
    )


@cached_statement
def _mappings(role: Role) -> Select:
    return (
        select(
            EvidenceMapping.evidence_id,
            EvidenceMapping.aim_id,
            EvidenceMapping.criterion_id,
            EvidenceMapping.signed_off,
            EvidenceMapping.mapped_at,
            EvidenceMapping.mapped_by_id,
            User.name,
        )
        .join(Evidence, Evidence.id == EvidenceMapping.evidence_id)
        .join(User, User.id == EvidenceMapping.mapped_by_id)
        .where(any_of(EvidenceMapping.evidence_id), _sees(role))
        # Units and criteria are numbered in the order of their qualification.
        .order_by(EvidenceMapping.unit_id, EvidenceMapping.criterion_id)
    )


class VersionsLoader(ManyLoader[int, EvidenceVersionRow]):
    """The uploads of a piece of evidence, the oldest first."""

    async def fetch(self, keys: list[int]) -> dict[int, list[EvidenceVersionRow]]:
        found: dict[int, list[EvidenceVersionRow]] = {}
        for key, number, comment, at, by, by_name, *file in await self.reading.rows(
            _versions(self.reading.viewer.role), keys=keys
        ):
            made = EvidenceVersionRow(key, number, comment, at, UserRow(by, by_name), FileRow(*file))
            found.setdefault(key, []).append(made)
        return found


class EvidenceSignaturesLoader(ManyLoader[int, EvidenceSignatureRow]):
    """The signatures on all versions of a piece of evidence, in the order in which they were given."""

    async def fetch(self, keys: list[int]) -> dict[int, list[EvidenceSignatureRow]]:
        found: dict[int, list[EvidenceSignatureRow]] = {}
        for key, *own, by, by_name in await self.reading.rows(_signatures(self.reading.viewer.role), keys=keys):
            found.setdefault(key, []).append(EvidenceSignatureRow(*own, UserRow(by, by_name)))
        return found


class MappingsLoader(ManyLoader[int, EvidenceMappingRow]):
    """The criteria that a piece of evidence is mapped to, in the qualification's order."""

    async def fetch(self, keys: list[int]) -> dict[int, list[EvidenceMappingRow]]:
        found: dict[int, list[EvidenceMappingRow]] = {}
        for key, *own, by, by_name in await self.reading.rows(_mappings(self.reading.viewer.role), keys=keys):
            found.setdefault(key, []).append(EvidenceMappingRow(*own, UserRow(by, by_name)))
        return found

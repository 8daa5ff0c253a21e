"""The versions, signatures and mappings of a piece of evidence."""

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.user import User
from domain.enums import Role
from loaders.core.base import RelatedLoader
from loaders.core.rows import LightRow, column, nested, row
from loaders.file import FileRow
from loaders.user import UserRow


@row(
    EvidenceVersion,
    joins=lambda statement: (
        statement.join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .join(User, User.id == EvidenceVersion.submitted_by_id)
        .join(File, File.id == EvidenceVersion.file_id)
    ),
)
class EvidenceVersionRow(LightRow):
    """One upload of a piece of evidence. `number` counts from 1."""

    evidence_key: int = column(EvidenceVersion.evidence_id)
    number: int = column(EvidenceVersion.number)
    comment: str | None = column(EvidenceVersion.comment)
    submitted_at: dt.datetime = column(EvidenceVersion.submitted_at)
    submitted_by: UserRow = nested(UserRow, key=EvidenceVersion.submitted_by_id)
    file: FileRow = nested(FileRow)


_version = aliased(EvidenceVersion)
# unscoped: a column of evidence that the viewer sees
_latest_number = select(func.max(_version.number)).where(_version.evidence_id == Evidence.id).scalar_subquery()


@row(
    EvidenceSignature,
    joins=lambda statement: statement.join(Evidence, Evidence.id == EvidenceSignature.evidence_id).join(
        User, User.id == EvidenceSignature.signed_by_id
    ),
)
class EvidenceSignatureRow(LightRow):
    """A signature on one version. `current`: it is the latest version, so that the signature is valid."""

    version_number: int = column(EvidenceSignature.version_number)
    current: bool = column(EvidenceSignature.version_number == _latest_number)
    role: Role = column(EvidenceSignature.role)
    signed_at: dt.datetime = column(EvidenceSignature.signed_at)
    signed_by: UserRow = nested(UserRow, key=EvidenceSignature.signed_by_id)


@row(
    EvidenceMapping,
    joins=lambda statement: statement.join(Evidence, Evidence.id == EvidenceMapping.evidence_id).join(
        User, User.id == EvidenceMapping.mapped_by_id
    ),
)
class EvidenceMappingRow(LightRow):
    """A mapping of a piece of evidence to a criterion."""

    aim_key: int = column(EvidenceMapping.aim_id)
    criterion_key: int = column(EvidenceMapping.criterion_id)
    signed_off: bool = column(EvidenceMapping.signed_off)
    mapped_at: dt.datetime = column(EvidenceMapping.mapped_at)
    mapped_by: UserRow = nested(UserRow, key=EvidenceMapping.mapped_by_id)


class EvidenceVersionsLoader(RelatedLoader[EvidenceVersionRow]):
    """Loads the versions of a piece of evidence, oldest first."""

    row, parent, order = EvidenceVersionRow, EvidenceVersion.evidence_id, (EvidenceVersion.number,)
    seen_through = Evidence


class EvidenceSignaturesLoader(RelatedLoader[EvidenceSignatureRow]):
    """Loads the signatures on all versions of a piece of evidence, oldest first."""

    row, parent = EvidenceSignatureRow, EvidenceSignature.evidence_id
    order = (EvidenceSignature.signed_at, EvidenceSignature.id)
    seen_through = Evidence


class EvidenceMappingsLoader(RelatedLoader[EvidenceMappingRow]):
    """Loads the mappings of a piece of evidence, in the order of the qualification."""

    row, parent = EvidenceMappingRow, EvidenceMapping.evidence_id
    # The keys of units and criteria follow the order of the qualification.
    order = (EvidenceMapping.unit_id, EvidenceMapping.criterion_id)
    seen_through = Evidence

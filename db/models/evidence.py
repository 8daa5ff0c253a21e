"""Evidence with its versions, the signatures on it, and the criteria that it is mapped to."""

from typing import Any

from sqlalchemy import JSON, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from db.models.base import Base, Digest, LongText, PrimaryKey, ShortText, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import ERASED, Reason, not_personal, personal
from db.models.updated_at import updated_at_column
from domain.enums import EvidenceStatus, PortfolioPart, Role
from domain.text import fold_words


def _searched(context: Any) -> str:
    values = context.get_current_parameters()
    return fold_words(values["title"], values["description"])


class Evidence(Base):
    """One piece of evidence in one aim. A resubmission adds a version and keeps the earlier ones."""

    __tablename__ = "evidence"
    __part__ = PortfolioPart.EVIDENCE
    __entity__ = Entity("Evidence", Visibility.RECORD)
    __row_limits__ = {"action_id": 100}
    __label__ = ("title",)
    __table_args__ = (
        Index("ix_evidence_learner", "learner_id", "submitted_at", "id"),
        Index("ix_evidence_aim_status", "aim_id", "status"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id", index=False)
    aim_id: Mapped[int] = reference("aim.id", index=False)
    # Erasure deletes the action.
    action_id: Mapped[int | None] = reference("action.id", nullable=True, erased=True)
    title: Mapped[ShortText] = personal(erased=ERASED)
    description: Mapped[LongText] = personal(erased="")
    # Title and description as a search reads them; NULL in a row that a version before 0011 added.
    search_text: Mapped[str | None] = personal(Text(), default=_searched, erased="", exported=False)
    status: Mapped[EvidenceStatus] = enum_column(EvidenceStatus)
    file_id: Mapped[int] = reference("file.id")
    declared_own_work: Mapped[bool]
    submitted_by_id: Mapped[int] = reference("user_account.id")
    submitted_at: Mapped[Timestamp]
    assessment_methods: Mapped[list[str]] = not_personal(Reason.CODE, JSON, default=list)
    feedback: Mapped[LongText | None] = personal(erased=None)
    points_for_improvement: Mapped[LongText | None] = personal(erased=None)
    assessed_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    assessed_at: Mapped[Timestamp | None]
    returned_at: Mapped[Timestamp | None]
    withdrawn_at: Mapped[Timestamp | None]
    withdrawn_reason: Mapped[LongText | None] = personal(erased=None)
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

    @validates("title", "description")
    def _fold(self, name: str, text: str) -> str:
        words = {"title": self.title, "description": self.description, name: text}
        self.search_text = fold_words(words["title"] or "", words["description"] or "")
        return text


class EvidenceVersion(Base):
    """One upload of a piece of evidence; `number` counts from 1."""

    __tablename__ = "evidence_version"
    __part__ = PortfolioPart.EVIDENCE
    __growth__ = Growth.PART
    __row_limits__ = {"evidence_id": 100}
    __table_args__ = (UniqueConstraint("evidence_id", "number"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    evidence_id: Mapped[int] = reference("evidence.id", index=False)
    number: Mapped[int]
    file_id: Mapped[int] = reference("file.id")
    comment: Mapped[LongText | None] = personal(erased=None)
    submitted_by_id: Mapped[int] = reference("user_account.id")
    submitted_at: Mapped[Timestamp]


class EvidenceSignature(Base):
    """A signature on one version of a piece of evidence: at most one for each role."""

    __tablename__ = "evidence_signature"
    __part__ = PortfolioPart.EVIDENCE
    __growth__ = Growth.PART
    __table_args__ = (UniqueConstraint("evidence_id", "version_number", "role"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    evidence_id: Mapped[int] = reference("evidence.id", index=False)
    version_number: Mapped[int]
    role: Mapped[Role] = enum_column(Role)
    signed_by_id: Mapped[int] = reference("user_account.id")
    signed_at: Mapped[Timestamp]
    statement: Mapped[LongText] = personal(erased=ERASED)
    file_sha256: Mapped[Digest]


class EvidenceMapping(Base):
    """Evidence that the assessor mapped to a criterion of its aim. `signed_off`: it meets the criterion."""

    __tablename__ = "evidence_mapping"
    __part__ = PortfolioPart.EVIDENCE
    __growth__ = Growth.PART
    __row_limits__ = {"criterion_id": 500}
    __table_args__ = (
        UniqueConstraint("evidence_id", "criterion_id"),
        Index("ix_evidence_mapping_criterion", "aim_id", "criterion_id"),
        Index("ix_evidence_mapping_unit", "aim_id", "unit_id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    evidence_id: Mapped[int] = reference("evidence.id", index=False)
    aim_id: Mapped[int] = reference("aim.id", index=False)
    unit_id: Mapped[int] = reference("qualification_unit.id", index=False)
    criterion_id: Mapped[int] = reference("qualification_criterion.id", index=False)
    signed_off: Mapped[bool] = mapped_column(default=False)
    mapped_by_id: Mapped[int] = reference("user_account.id")
    mapped_at: Mapped[Timestamp]

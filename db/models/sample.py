"""Sampling by internal quality assurance: the policy, and the single units of an assessor that an IQA checks."""

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, Digest, LongText, PrimaryKey, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import ERASED, personal
from domain.enums import SampleOutcome, SampleStatus


class SamplingPolicy(Base):
    """How much of the assessors' work a provider samples; percentages are 0 to 100."""

    __tablename__ = "sampling_policy"
    __growth__ = Growth.BOUNDED

    provider_id: Mapped[int] = reference("provider.id", index=False, primary_key=True)
    aims_percent: Mapped[int]
    units_percent: Mapped[int]
    first_units_of_new_assessor: Mapped[int]
    saved_at: Mapped[Timestamp]


class Sample(Base):
    """One unit of one learner's aim that an IQA checks.

    `assessor_id` and `iqa_id` are those of the aim when it was planned, then those of its conclusion. Until then the
    aim's own count, so that a sample survives a hand-over.
    """

    __tablename__ = "sample"
    __entity__ = Entity("Sample", Visibility.QUALITY_ASSURANCE)
    __table_args__ = (
        Index("ix_sample_unit", "aim_id", "unit_id"),
        # Of two plans that are made at once, one adds the sample.
        Index(
            "uq_sample_open",
            "aim_id",
            "unit_id",
            unique=True,
            sqlite_where=text("status <> 'CONCLUDED'"),
            postgresql_where=text("status <> 'CONCLUDED'"),
        ),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id", index=False)
    unit_id: Mapped[int] = reference("qualification_unit.id")
    assessor_id: Mapped[int] = reference("user_account.id")
    iqa_id: Mapped[int] = reference("user_account.id")
    planned_for: Mapped[Date]
    planned_at: Mapped[Timestamp]
    status: Mapped[SampleStatus] = enum_column(SampleStatus)
    outcome: Mapped[SampleOutcome | None] = enum_column(SampleOutcome)
    snapshot_sha256: Mapped[Digest | None]
    # When the outcome was recorded.
    concluded_at: Mapped[Timestamp | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class SampleFinding(Base):
    """What the IQA found, of the unit as a whole or of one criterion or one piece of evidence."""

    __tablename__ = "sample_finding"
    __growth__ = Growth.PART

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    sample_id: Mapped[int] = reference("sample.id")
    criterion_id: Mapped[int | None] = reference("qualification_criterion.id", nullable=True)
    evidence_id: Mapped[int | None] = reference("evidence.id", nullable=True)
    valid: Mapped[bool]
    authentic: Mapped[bool]
    current: Mapped[bool]
    sufficient: Mapped[bool]
    comment: Mapped[LongText | None] = personal(erased=None)


class SampleAction(Base):
    """What the assessor has to do after a sample. The assessor answers it; an IQA closes it."""

    __tablename__ = "sample_action"
    __entity__ = Entity("SampleAction", Visibility.QUALITY_ASSURANCE)
    __label__ = ("description",)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id")
    sample_id: Mapped[int] = reference("sample.id")
    description: Mapped[LongText] = personal(erased=ERASED)
    answer: Mapped[LongText | None] = personal(erased=None)
    answered_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    answered_at: Mapped[Timestamp | None]
    closed_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    closed_at: Mapped[Timestamp | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

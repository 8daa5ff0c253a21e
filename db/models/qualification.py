"""Qualifications in the versions of their awarding body. The units and criteria of a version never change."""

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, LongText, PrimaryKey, ShortText, Timestamp, folded_name_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import Reason, not_personal


class Qualification(Base):
    """One version of a standard, diploma or functional skill. Counts are stored, because the content never changes."""

    __tablename__ = "qualification"
    __entity__ = Entity("Qualification", Visibility.PROVIDER)
    __label__ = ("title",)
    __table_args__ = (
        UniqueConstraint("provider_id", "content_sha256"),
        Index("ix_qualification_title", "provider_id", "sort_title", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    title: Mapped[ShortText] = not_personal(Reason.ORGANISATION)
    sort_title: Mapped[str] = folded_name_column("title", Reason.ORGANISATION)
    kind: Mapped[str | None] = not_personal(Reason.ORGANISATION, String(40))
    reference: Mapped[str | None] = not_personal(Reason.ORGANISATION, String(40))
    version: Mapped[str | None] = not_personal(Reason.ORGANISATION, String(40))
    level: Mapped[int | None]
    off_the_job_hours_minimum: Mapped[int | None]
    # How many optional units must be chosen; 0 where all are mandatory.
    optional_units_minimum: Mapped[int] = mapped_column(default=0, server_default="0")
    unit_count: Mapped[int]
    criterion_count: Mapped[int]
    content_sha256: Mapped[Digest]
    imported_at: Mapped[Timestamp]


class QualificationUnit(Base):
    """A unit of a qualification version; `position` is its place, from 1."""

    __tablename__ = "qualification_unit"
    __label__ = ("number", "title")
    __growth__ = Growth.PART
    __table_args__ = (UniqueConstraint("qualification_id", "number"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    qualification_id: Mapped[int] = reference("qualification.id", index=False)
    number: Mapped[str] = not_personal(Reason.ORGANISATION, String(40))
    title: Mapped[ShortText] = not_personal(Reason.ORGANISATION)
    mandatory: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int]
    criterion_count: Mapped[int]


class QualificationCriterion(Base):
    """A criterion of a unit; its code is unique within the unit only."""

    __tablename__ = "qualification_criterion"
    __label__ = ("code",)
    __growth__ = Growth.PART
    __table_args__ = (
        UniqueConstraint("unit_id", "code"),
        Index("ix_qualification_criterion_place", "qualification_id", "unit_id", "position"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    qualification_id: Mapped[int] = reference("qualification.id", index=False)
    unit_id: Mapped[int] = reference("qualification_unit.id", index=False)
    code: Mapped[str] = not_personal(Reason.ORGANISATION, String(40))
    description: Mapped[LongText] = not_personal(Reason.ORGANISATION)
    position: Mapped[int]

"""Qualifications as versioned by their awarding body: units and criteria never change once a version stands."""

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, LongText, PrimaryKey, ShortText, Timestamp, folded_name_column, reference
from db.models.entity import Entity, Visibility


class Qualification(Base):
    """One version of a standard, diploma or functional skill. Counts are stored because its content never changes."""

    __tablename__ = "qualification"
    __entity__ = Entity("Qualification", Visibility.PROVIDER)
    __table_args__ = (
        UniqueConstraint("provider_id", "content_sha256"),
        Index("ix_qualification_title", "provider_id", "sort_title", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    title: Mapped[ShortText]
    sort_title: Mapped[str] = folded_name_column("title")
    kind: Mapped[str | None] = mapped_column(String(40))
    reference: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[str | None] = mapped_column(String(40))
    level: Mapped[int | None]
    off_the_job_hours_minimum: Mapped[int | None]
    unit_count: Mapped[int]
    criterion_count: Mapped[int]
    content_sha256: Mapped[Digest]
    imported_at: Mapped[Timestamp]


class QualificationUnit(Base):
    """A unit of a qualification version; `position` is its place, from 1."""

    __tablename__ = "qualification_unit"
    __table_args__ = (UniqueConstraint("qualification_id", "number"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    qualification_id: Mapped[int] = reference("qualification.id", index=False)
    number: Mapped[str] = mapped_column(String(40))
    title: Mapped[ShortText]
    mandatory: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int]
    criterion_count: Mapped[int]


class QualificationCriterion(Base):
    """A criterion of a unit; its code is unique within the unit only."""

    __tablename__ = "qualification_criterion"
    __table_args__ = (
        UniqueConstraint("unit_id", "code"),
        Index("ix_qualification_criterion_place", "qualification_id", "unit_id", "position"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    qualification_id: Mapped[int] = reference("qualification.id", index=False)
    unit_id: Mapped[int] = reference("qualification_unit.id", index=False)
    code: Mapped[str] = mapped_column(String(40))
    description: Mapped[LongText]
    position: Mapped[int]

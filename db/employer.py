"""Employers: a head office and its sites are each one, tied by parent."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from db.base import Base, Line, Moment, PrimaryKey, reference


class Employer(Base):
    """One employer site, or the head office that is the parent of its sites."""

    __tablename__ = "employer"
    __table_args__ = (Index("ix_employer_name", "provider_id", "name", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    name: Mapped[Line]
    parent_id: Mapped[int | None] = reference("employer.id", nullable=True)
    created_at: Mapped[Moment]

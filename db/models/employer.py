"""Employers: a head office and its sites are each one, tied by parent."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, validates

from db.models.base import Base, PrimaryKey, ShortText, Timestamp, fold_name, folded_name_column, reference
from db.models.entity import Entity, Visibility


class Employer(Base):
    """One employer site, or the head office that is the parent of its sites."""

    __tablename__ = "employer"
    __entity__ = Entity("Employer", Visibility.EMPLOYER_ITSELF)
    __table_args__ = (Index("ix_employer_name", "provider_id", "sort_name", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    name: Mapped[ShortText]
    sort_name: Mapped[str] = folded_name_column("name")
    parent_id: Mapped[int | None] = reference("employer.id", nullable=True)
    created_at: Mapped[Timestamp]

    @validates("name")
    def _fold(self, _: str, name: str) -> str:
        self.sort_name = fold_name(name)
        return name

"""Employers: a head office and each of its sites have a row of their own."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, validates

from db.models.base import Base, PrimaryKey, ShortText, Timestamp, folded_name_column, reference
from db.models.entity import Entity, Visibility
from db.models.personal_data import Reason, not_personal
from domain.text import fold_name


class Employer(Base):
    """One site of an employer, or the head office, which is the parent of its sites."""

    __tablename__ = "employer"
    __entity__ = Entity("Employer", Visibility.EMPLOYER_ITSELF)
    __label__ = ("name",)
    __table_args__ = (Index("ix_employer_name", "provider_id", "sort_name", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    name: Mapped[ShortText] = not_personal(Reason.ORGANISATION)
    sort_name: Mapped[str] = folded_name_column("name", Reason.ORGANISATION)
    parent_id: Mapped[int | None] = reference("employer.id", nullable=True)
    created_at: Mapped[Timestamp]

    @validates("name")
    def _fold(self, _: str, name: str) -> str:
        self.sort_name = fold_name(name)
        return name

"""Learners (apprentices): the record of a person at a provider. Name, e-mail and last login are those of their user."""

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import COUNTER, Base, PrimaryKey, Timestamp, reference, reference_without_constraint
from db.models.entity import Entity, Visibility
from db.models.personal_data import personal
from db.models.updated_at import updated_at_column
from domain.enums import PortfolioPart


class Learner(Base):
    """One learner. `version` counts the writes, so that of two concurrent writes none is lost."""

    __tablename__ = "learner"
    __part__ = PortfolioPart.LEARNER
    __seen_by__ = frozenset({"employer_id"})
    __entity__ = Entity("Learner", Visibility.LEARNER_ITSELF)
    __table_args__ = (
        UniqueConstraint("provider_id", "uln"),
        Index("ix_learner_updated", "provider_id", "updated_at", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    user_id: Mapped[int] = reference("user_account.id", index=False, unique=True)
    employer_id: Mapped[int | None] = reference("employer.id", nullable=True, erased=True)
    uln: Mapped[str | None] = personal(String(10), erased=None)
    # No foreign key: the file refers to the learner.
    photo_file_id: Mapped[int | None] = reference_without_constraint("file", erased=True)
    # The counter of session numbers: two concurrent bookings cannot get the same number.
    last_session_number: Mapped[int] = mapped_column(default=0, info=COUNTER)
    created_at: Mapped[Timestamp]
    # An assessor who enrols a learner sees them as long as they have no aim; then the aim decides.
    enrolled_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    erased_at: Mapped[Timestamp | None]
    updated_at: Mapped[Timestamp] = updated_at_column()
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

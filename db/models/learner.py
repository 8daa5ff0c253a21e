"""Learners (apprentices): the person's record at a provider; name and last login are their user's."""

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Key, PrimaryKey, Timestamp, reference
from db.models.entity import Entity, Visibility


class Learner(Base):
    """One learner. `version` counts the writes, so that two who write at once cannot lose one."""

    __tablename__ = "learner"
    __entity__ = Entity("Learner", Visibility.LEARNER_ITSELF)
    __table_args__ = (UniqueConstraint("provider_id", "uln"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    user_id: Mapped[int] = reference("user_account.id", index=False, unique=True)
    employer_id: Mapped[int | None] = reference("employer.id", nullable=True)
    uln: Mapped[str | None] = mapped_column(String(10))
    # No foreign key: the file already points here.
    photo_file_id: Mapped[int | None] = mapped_column(Key)
    # Numbers of sessions are given out here: two bookings at once cannot get the same one.
    last_session_number: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[Timestamp]
    # An assessor who enrols a learner sees them until there is an aim, from which on the aim decides.
    enrolled_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    erased_at: Mapped[Timestamp | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

"""The versions of a qualification that an aim was measured against before it moved to another one."""

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from db.models.base import Base, PrimaryKey, Timestamp, reference
from db.models.growth import Growth
from domain.enums import PortfolioPart


class AimVersion(Base):
    """An earlier version of an aim, until `changed_at`. What was reached in it and not carried over is kept."""

    __tablename__ = "aim_version"
    __part__ = PortfolioPart.AIM
    __growth__ = Growth.PART
    __row_limits__ = {"aim_id": 50}
    __table_args__ = (Index("ix_aim_version_aim", "aim_id", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int] = reference("aim.id", index=False)
    qualification_id: Mapped[int] = reference("qualification.id", index=False)
    changed_by_id: Mapped[int] = reference("user_account.id", index=False)
    changed_at: Mapped[Timestamp]

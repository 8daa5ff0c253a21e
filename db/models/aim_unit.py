"""The optional units that are chosen for an aim. Mandatory units always count and need no row."""

from sqlalchemy.orm import Mapped

from db.models.base import Base, Timestamp, reference
from db.models.growth import Growth
from domain.enums import PortfolioPart


class AimUnit(Base):
    """One optional unit that counts for one aim."""

    __tablename__ = "aim_unit"
    __part__ = PortfolioPart.UNIT
    __growth__ = Growth.BOUNDED

    aim_id: Mapped[int] = reference("aim.id", index=False, primary_key=True)
    unit_id: Mapped[int] = reference("qualification_unit.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    # None where the migration from 0.1.0 took the unit for chosen, because it had evidence or a signature.
    chosen_by_id: Mapped[int | None] = reference("user_account.id", nullable=True, index=False)
    chosen_at: Mapped[Timestamp]

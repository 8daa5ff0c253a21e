"""Tools of the provider that are lent to a learner."""

from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Date, LongText, PrimaryKey, ShortText, Timestamp, reference
from db.models.entity import Entity, Visibility
from db.models.personal_data import ERASED, personal
from domain.enums import PortfolioPart


class ToolLoan(Base):
    """One tool, lent to one learner, for one aim or in general."""

    __tablename__ = "tool_loan"
    __entity__ = Entity("ToolLoan", Visibility.RECORD)
    __label__ = ("title",)
    __part__ = PortfolioPart.RESOURCE

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int] = reference("learner.id")
    aim_id: Mapped[int | None] = reference("aim.id", nullable=True)
    title: Mapped[ShortText] = personal(erased=ERASED)
    note: Mapped[LongText | None] = personal(erased=None)
    due_on: Mapped[Date]
    lent_by_id: Mapped[int] = reference("user_account.id")
    returned_at: Mapped[Timestamp | None]
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}

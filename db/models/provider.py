"""Training providers: the tenants, with their settings."""

import json

from sqlalchemy import JSON, String, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, LongText, PrimaryKey, ShortText, Timestamp
from db.models.growth import Growth
from db.models.personal_data import Reason, not_personal
from domain.reviews import STANDARD_SIGNATURES


class Provider(Base):
    """A training provider. Its settings are columns, because each request reads this row to authenticate the viewer."""

    __tablename__ = "provider"
    __without_provider__ = "it is the provider"
    __growth__ = Growth.INSTALLATION

    id: Mapped[PrimaryKey]
    name: Mapped[ShortText] = not_personal(Reason.ORGANISATION)
    ukprn: Mapped[str | None] = not_personal(Reason.ORGANISATION, String(8))
    created_at: Mapped[Timestamp]

    traffic_light_tolerance: Mapped[float] = mapped_column(default=10.0)
    rated_from_percent: Mapped[float] = mapped_column(default=0.0)
    review_interval_weeks: Mapped[int] = mapped_column(default=12)
    # Months from one formal review to the next for aims that started from 1 August 2025; None: the standard three.
    review_rule_months: Mapped[int | None]
    unit_signatures: Mapped[list[str]] = not_personal(Reason.CODE, JSON, default=lambda: ["ASSESSOR"])
    # The roles that sign a progress review, if the learner has an employer; learner and assessor always do.
    review_signatures: Mapped[list[str]] = not_personal(
        Reason.CODE,
        JSON,
        default=lambda: list(STANDARD_SIGNATURES),
        server_default=json.dumps(STANDARD_SIGNATURES),
    )
    disclaimer: Mapped[LongText | None] = not_personal(Reason.ORGANISATION)
    # Incremented when the text changes: users who accepted an earlier version must accept again.
    disclaimer_version: Mapped[int] = mapped_column(default=1)
    require_second_factor: Mapped[list[str]] = not_personal(Reason.CODE, JSON, default=list, server_default="[]")
    # For how many years after their last aim a learner's personal data is kept; None: until somebody erases it.
    retention_years: Mapped[int | None]
    # Days between two reminders of the same task; 0: none are sent.
    reminder_every_days: Mapped[int] = mapped_column(default=0, server_default="0")
    # When a server last began to send what tasks are about: one at a time does.
    notifying_at: Mapped[Timestamp | None]
    settings_version: Mapped[int] = mapped_column(default=1)

    # The end of the provider's audit chain. A transaction that appends an event locks the row.
    audit_sequence: Mapped[int] = mapped_column(default=0)
    audit_hash: Mapped[Digest] = mapped_column(default="0" * 64)


async def provider_named(session: AsyncSession, name: str | None) -> Provider | None:
    """The provider with that UKPRN or name; without a name, the only provider. None if there is none or several."""
    statement = select(Provider).limit(2)
    if name is not None:
        statement = statement.where(or_(Provider.ukprn == name, Provider.name == name))
    found = (await session.execute(statement)).scalars().all()
    return found[0] if len(found) == 1 else None

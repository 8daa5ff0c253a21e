"""Training providers: the tenant that everything belongs to, with its settings."""

from sqlalchemy import JSON, String, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, LongText, PrimaryKey, ShortText, Timestamp


class Provider(Base):
    """A training provider. Settings stand here: one row is read with every sign-in check, so they cost nothing more."""

    __tablename__ = "provider"

    id: Mapped[PrimaryKey]
    name: Mapped[ShortText]
    ukprn: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[Timestamp]

    traffic_light_tolerance: Mapped[float] = mapped_column(default=10.0)
    rated_from_percent: Mapped[float] = mapped_column(default=0.0)
    review_interval_weeks: Mapped[int] = mapped_column(default=12)
    unit_signatures: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["ASSESSOR"])
    disclaimer: Mapped[LongText | None]
    # Counts up when the words change: who accepted a lower one is asked again.
    disclaimer_version: Mapped[int] = mapped_column(default=1)
    # How long personal data of a learner who has left is kept; None keeps it until somebody erases it.
    retention_years: Mapped[int | None]
    settings_version: Mapped[int] = mapped_column(default=1)

    # The end of the provider's audit chain: locked by whoever appends.
    audit_sequence: Mapped[int] = mapped_column(default=0)
    audit_hash: Mapped[str] = mapped_column(String(64), default="0" * 64)


async def provider_named(session: AsyncSession, name: str | None) -> Provider | None:
    """The provider with that UKPRN or name; without a name, the only one there is."""
    statement = select(Provider).limit(2)
    if name is not None:
        statement = statement.where(or_(Provider.ukprn == name, Provider.name == name))
    found = (await session.execute(statement)).scalars().all()
    return found[0] if len(found) == 1 else None

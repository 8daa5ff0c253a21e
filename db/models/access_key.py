"""Access keys: secrets with which a program reads as a user, in one role."""

import datetime as dt

from sqlalchemy import JSON, or_
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, PrimaryKey, ShortText, Timestamp, enum_column, reference
from db.models.entity import Entity, Visibility
from db.models.growth import Sweep
from db.models.personal_data import LearnerRows, Reason, not_personal
from domain.enums import Role


class AccessKey(Base):
    """A read-only key of a user. The secret is stored as its SHA-256, so it can be shown once only."""

    __tablename__ = "access_key"
    __stays__ = "the secret of a program that reads this installation"
    __entity__ = Entity("AccessKey", Visibility.OWNER)
    __growth__ = Sweep(
        dt.timedelta(days=90), lambda table, before: or_(table.expires_at < before, table.revoked_at < before)
    )
    __learner_rows__ = LearnerRows(deleted=True)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    role: Mapped[Role] = enum_column(Role)
    name: Mapped[ShortText]
    secret_sha256: Mapped[Digest] = mapped_column(unique=True)
    # The saved operations that it may run; all queries where empty.
    operations: Mapped[list[str]] = not_personal(Reason.CODE, JSON, default=list)
    created_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    revoked_at: Mapped[Timestamp | None]
    last_used_at: Mapped[Timestamp | None]

"""Second factors: the secret that a user shares with an authenticator app, and the recovery codes."""

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, PrimaryKey, ShortText, Timestamp, reference
from db.models.growth import Growth
from db.models.personal_data import LearnerRows


class SecondFactor(Base):
    """A user's authenticator app. Until it is confirmed with a code it protects nothing."""

    __tablename__ = "second_factor"
    __stays__ = "sealed with a key of this installation"
    __internal__ = True
    __growth__ = Growth.BOUNDED
    __learner_rows__ = LearnerRows(deleted=True, exported=False)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id", index=False, unique=True)
    # Sealed with a key of the installation: `auth/seals.py`.
    sealed_secret: Mapped[ShortText]
    started_at: Mapped[Timestamp]
    confirmed_at: Mapped[Timestamp | None]
    # The last 30-second step whose code was used: a code is used once.
    last_step: Mapped[int | None] = mapped_column(BigInteger())


class RecoveryCode(Base):
    """A recovery code, which replaces the authenticator app once; stored as its SHA-256."""

    __tablename__ = "recovery_code"
    __stays__ = "replaces a second factor, which stays"
    __internal__ = True
    __growth__ = Growth.BOUNDED
    __learner_rows__ = LearnerRows(deleted=True, exported=False)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    code_sha256: Mapped[Digest] = mapped_column(unique=True)
    used_at: Mapped[Timestamp | None]

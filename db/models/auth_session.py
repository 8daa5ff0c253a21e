"""What signing in leaves behind: sign-ins with their refresh tokens, one-time links, and wrong guesses that slow down."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, Key, PrimaryKey, Timestamp, enum_column, reference
from domain.enums import Role


class AuthSession(Base):
    """One sign-in on one device: the family of its refresh tokens. Ending it ends every token that came from it."""

    __tablename__ = "sign_in"

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    role: Mapped[Role] = enum_column(Role)
    started_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    ended_at: Mapped[Timestamp | None]
    end_reason: Mapped[str | None] = mapped_column(String(40))
    # When they last changed something; kept only where there is a read replica, which may not have it yet.
    last_write_at: Mapped[Timestamp | None] = mapped_column("wrote_at")


class RefreshToken(Base):
    """Good for one refresh; only its SHA-256 is kept. Using it twice ends the sign-in."""

    __tablename__ = "refresh_token"

    id: Mapped[PrimaryKey]
    sign_in_id: Mapped[int] = reference("sign_in.id")
    token_sha256: Mapped[Digest] = mapped_column(unique=True)
    issued_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    used_at: Mapped[Timestamp | None]


class OneTimeToken(Base):
    """A link in an e-mail (invitation, password reset); only its SHA-256 is kept."""

    __tablename__ = "one_time_token"

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    purpose: Mapped[str] = mapped_column(String(20))
    token_sha256: Mapped[Digest] = mapped_column(unique=True)
    issued_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp]
    used_at: Mapped[Timestamp | None]


class LoginAttempt(Base):
    """A wrong password, counted for an account (by the SHA-256 of the name tried) and for an address."""

    __tablename__ = "wrong_guess"
    __table_args__ = (Index("ix_wrong_guess_subject_at", "subject", "at"),)

    id: Mapped[PrimaryKey]
    subject: Mapped[str] = mapped_column(String(80))
    at: Mapped[Timestamp] = mapped_column(index=True)


class IdempotencyKey(Base):
    """A mutation that was sent with an Idempotency-Key: one effect, one answer, however often it is sent."""

    __tablename__ = "idempotency_key"

    user_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_sha256: Mapped[Digest]
    answer: Mapped[str | None]
    created_at: Mapped[Timestamp] = mapped_column(index=True)

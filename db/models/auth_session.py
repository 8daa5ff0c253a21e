"""Sessions with their refresh tokens, one-time links, wrong passwords, and the results of retried mutations."""

import datetime as dt
import hashlib

from sqlalchemy import ColumnElement, Index, String, false, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import (
    Base,
    Digest,
    Key,
    PrimaryKey,
    Timestamp,
    enum_column,
    reference,
    reference_without_constraint,
)
from db.models.growth import Sweep
from db.models.personal_data import DataSubject, LearnerRows, Reason, not_personal
from domain.enums import Role


class AuthSession(Base):
    """One session of a user on one device, with all its refresh tokens. A session that has ended revokes them."""

    __tablename__ = "sign_in"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Sweep(
        dt.timedelta(days=30), lambda table, before: or_(table.ended_at < before, table.expires_at < before)
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    role: Mapped[Role] = enum_column(Role)
    started_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp] = mapped_column(index=True)
    ended_at: Mapped[Timestamp | None] = mapped_column(index=True)
    end_reason: Mapped[str | None] = not_personal(Reason.CODE, String(40))
    # The time of the user's last write. Recorded only if there is a read replica, which may lag behind it.
    last_write_at: Mapped[Timestamp | None] = mapped_column("wrote_at")
    # The network of the login, hashed together with the username: a known network has its own allowance of attempts.
    network_sha256: Mapped[Digest | None]
    # Where the user signed in, if not with a password, and whether a second factor was checked there.
    identity_provider_id: Mapped[int | None] = reference_without_constraint("identity_provider")
    second_factor_met: Mapped[bool] = mapped_column(default=False, server_default=false())


class RefreshToken(Base):
    """A refresh token, stored as its SHA-256. It is valid once; a second use ends the session, unless it is a retry.

    What the next token is can be computed from this one with the server's key only, so that a retry gets the same.
    """

    __tablename__ = "refresh_token"
    __without_provider__ = "its session has one; a token is looked up by its digest before the provider is known"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __growth__ = Sweep(dt.timedelta(days=1), lambda table, before: table.expires_at < before)

    id: Mapped[PrimaryKey]
    sign_in_id: Mapped[int] = reference("sign_in.id")
    token_sha256: Mapped[Digest] = mapped_column(unique=True)
    issued_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp] = mapped_column(index=True)
    used_at: Mapped[Timestamp | None]
    # The Idempotency-Key and the network of the first use, each hashed together with the token.
    used_key_sha256: Mapped[Digest | None]
    used_network_sha256: Mapped[Digest | None]

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """The tokens of the user's sessions."""
        return cls.sign_in_id.in_(select(AuthSession.id).where(AuthSession.user_id == subject.user_key))


class OneTimeToken(Base):
    """The token of a link in an e-mail, stored as its SHA-256. Its use confirms `new_email` as the user's address."""

    __tablename__ = "one_time_token"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __growth__ = Sweep(dt.timedelta(days=1), lambda table, before: table.expires_at < before)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    purpose: Mapped[str] = not_personal(Reason.CODE, String(20))
    new_email: Mapped[str | None] = mapped_column(String(254))
    token_sha256: Mapped[Digest] = mapped_column(unique=True)
    issued_at: Mapped[Timestamp]
    expires_at: Mapped[Timestamp] = mapped_column(index=True)
    used_at: Mapped[Timestamp | None]


class LoginAttempt(Base):
    """A login that has not succeeded: one row for the username's SHA-256, one for the client's address."""

    __tablename__ = "wrong_guess"
    __without_provider__ = "attempts are counted for what somebody typed, before the provider is known"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __growth__ = Sweep(dt.timedelta(minutes=15), lambda table, before: table.at < before)
    __table_args__ = (Index("ix_wrong_guess_subject_at", "subject", "at"),)

    id: Mapped[PrimaryKey]
    subject: Mapped[str] = not_personal(Reason.SHORT_LIVED, String(80))
    at: Mapped[Timestamp] = mapped_column(index=True)

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """The attempts at the learner's account. Which attempts came from their address is not known."""
        return cls.subject == f"account:{hashlib.sha256(subject.username.encode()).hexdigest()}"


class PasswordResetRequest(Base):
    """A request for a link to choose a new password, for the username that somebody typed; deleted after an hour."""

    __tablename__ = "password_reset_request"
    __without_provider__ = "it is for what somebody typed, before the provider is known"
    __internal__ = True
    __growth__ = Sweep(dt.timedelta(hours=1), lambda table, before: table.requested_at < before)
    __table_args__ = (Index("ix_password_reset_request_network", "network", "requested_at"),)

    id: Mapped[PrimaryKey]
    # Emptied once the request is handled, seconds later.
    username: Mapped[str] = not_personal(Reason.SHORT_LIVED, String(254))
    network: Mapped[str] = not_personal(Reason.SHORT_LIVED, String(45))
    address: Mapped[str] = not_personal(Reason.SHORT_LIVED, String(60))
    request_id: Mapped[str | None] = not_personal(Reason.SHORT_LIVED, String(100))
    requested_at: Mapped[Timestamp] = mapped_column(index=True)
    handled_at: Mapped[Timestamp | None]


class IdempotencyKey(Base):
    """The result of a mutation that was sent with an Idempotency-Key: a retry gets it, without a second effect."""

    __tablename__ = "idempotency_key"
    __without_provider__ = "it is the user's, and refers to nothing"
    __internal__ = True
    __learner_rows__ = LearnerRows(deleted=True, exported=False)
    __growth__ = Sweep(dt.timedelta(days=7), lambda table, before: table.created_at < before)

    user_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request_sha256: Mapped[Digest]
    answer: Mapped[str | None]
    created_at: Mapped[Timestamp] = mapped_column(index=True)


class SigningCode(Base):
    """A code by e-mail for a user without a password: it confirms one signature in the session that requested it."""

    __tablename__ = "signing_code"
    __internal__ = True
    # For as long as they count towards the limit of an hour.
    __growth__ = Sweep(dt.timedelta(hours=1), lambda table, before: table.issued_at < before)
    __learner_rows__ = LearnerRows(deleted=True, exported=False)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    sign_in_id: Mapped[int] = reference("sign_in.id")
    # Hashed with a key of the installation, because a plain hash of so few digits is easily reversed.
    code_mac: Mapped[Digest]
    issued_at: Mapped[Timestamp] = mapped_column(index=True)
    expires_at: Mapped[Timestamp]
    used_at: Mapped[Timestamp | None]

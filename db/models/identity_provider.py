"""Identity providers, through which people sign in without a password of Waymark, and who has which account there."""

import datetime as dt

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, Digest, PrimaryKey, ShortText, Timestamp, reference
from db.models.growth import Growth, Sweep
from db.models.personal_data import LearnerRows, Reason, not_personal


class IdentityProvider(Base):
    """An OpenID provider of one training provider. The operator configures it with `server.py identity-provider`."""

    __tablename__ = "identity_provider"
    __internal__ = True
    __growth__ = Growth.INSTALLATION
    __table_args__ = (UniqueConstraint("provider_id", "name"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    name: Mapped[ShortText] = not_personal(Reason.ORGANISATION)
    issuer: Mapped[str] = not_personal(Reason.CODE, String(500))
    client_id: Mapped[ShortText] = not_personal(Reason.CODE)
    # Sealed with a key of the installation: `auth/seals.py`. None for a client without a secret.
    sealed_secret: Mapped[str | None] = not_personal(Reason.DIGEST, String(1000), exported=False, of_installation=True)
    # From its discovery document when it was added, so that a stranger's request never waits for it.
    authorization_endpoint: Mapped[str] = not_personal(Reason.CODE, String(500))
    # The addresses of clients to which it may return people.
    redirect_uris: Mapped[list[str]] = not_personal(Reason.CODE, JSON)
    # The values of `acr` or `amr` that mean a second factor; if empty, none does.
    second_factor_values: Mapped[list[str]] = not_personal(Reason.CODE, JSON)
    # Whether its e-mail addresses are its organisation's own, and need no claim `email_verified`.
    trusts_email: Mapped[bool]
    created_at: Mapped[Timestamp]


class IdentityLink(Base):
    """Which account a person of an identity provider has. The subject never changes; an address may.

    An account has one link at each identity provider.
    """

    __tablename__ = "identity_link"
    __internal__ = True
    __growth__ = Growth.BOUNDED
    __learner_rows__ = LearnerRows(deleted=True)
    __table_args__ = (UniqueConstraint("identity_provider_id", "subject"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    identity_provider_id: Mapped[int] = reference("identity_provider.id", index=False)
    subject: Mapped[str] = mapped_column(String(255))
    linked_at: Mapped[Timestamp]


class IdentityLogin(Base):
    """A login that an identity provider has confirmed, for some minutes: until the user has given the other factor.

    `state_sha256` is unique, so that a sign-in that was begun once is finished once.
    """

    __tablename__ = "identity_login"
    __internal__ = True
    __growth__ = Sweep(dt.timedelta(days=1), lambda table, before: table.expires_at < before)
    __learner_rows__ = LearnerRows(exported=False)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id")
    identity_provider_id: Mapped[int] = reference("identity_provider.id")
    state_sha256: Mapped[Digest] = mapped_column(unique=True)
    # Of the authorization code and the code verifier: who repeats the request knows both.
    proof_sha256: Mapped[Digest]
    # Whether the identity provider has checked a second factor.
    factor_met: Mapped[bool]
    expires_at: Mapped[Timestamp] = mapped_column(index=True)
    used_at: Mapped[Timestamp | None]

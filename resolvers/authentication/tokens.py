"""Authentication sessions and their tokens, and the one-time tokens of links in e-mails."""

import datetime as dt
from dataclasses import dataclass

from auth.tokens import REFRESH_LIFETIME, AccessClaims, digest, new_secret
from db.models.auth_session import AuthSession, OneTimeToken, RefreshToken
from db.models.user import User
from domain.enums import Role
from resolvers.core.write_transaction import AccountTransaction

# From login to the latest end of an authentication session, however often it is refreshed.
MAX_SESSION_AGE = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Tokens:
    """A signed access token, valid for 15 minutes, and a refresh token, valid for one refresh."""

    access_token: str
    refresh_token: str


async def start_session(transaction: AccountTransaction, user: User, role: Role) -> tuple[Tokens, AccessClaims]:
    """Starts an authentication session in one role. Returns its first tokens."""
    auth_session = AuthSession(
        provider_id=user.provider_id,
        user_id=user.id,
        role=role,
        started_at=transaction.now,
        expires_at=transaction.now + MAX_SESSION_AGE,
    )
    transaction.session.add(auth_session)
    await transaction.session.flush()
    return issue_tokens(transaction, auth_session)


def issue_tokens(transaction: AccountTransaction, auth_session: AuthSession) -> tuple[Tokens, AccessClaims]:
    """Returns the next tokens of an authentication session."""
    secret = new_secret()
    transaction.session.add(
        RefreshToken(
            sign_in_id=auth_session.id,
            token_sha256=digest(secret),
            issued_at=transaction.now,
            expires_at=transaction.now + REFRESH_LIFETIME,
        )
    )
    signer = transaction.services.tokens
    access = signer.sign(auth_session.user_id, auth_session.role, auth_session.id)
    return Tokens(access, secret), signer.verify(access)


def one_time_token(user: User, purpose: str, secret: str, now: dt.datetime, lifetime: dt.timedelta) -> OneTimeToken:
    """Returns the row of a link's token, which has only the hash: the secret itself is in the e-mail alone."""
    return OneTimeToken(
        provider_id=user.provider_id,
        user_id=user.id,
        purpose=purpose,
        token_sha256=digest(secret),
        issued_at=now,
        expires_at=now + lifetime,
    )

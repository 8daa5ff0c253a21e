"""Authentication sessions and their tokens, and the one-time tokens of links in e-mails."""

import datetime as dt
from dataclasses import dataclass

from auth.auth_sessions import RequestMarks, is_refresh_token_of
from auth.known_clients import network_mark
from auth.tokens import REFRESH_LIFETIME, AccessClaims, digest, new_secret
from db.models.auth_session import AuthSession, OneTimeToken, RefreshToken
from db.models.user import User
from domain.enums import Role
from domain.network import network_of
from resolvers.core.context import Context
from resolvers.core.write_transaction import AccountTransaction

# From login to the latest end of an authentication session, however often it is refreshed.
MAX_SESSION_AGE = dt.timedelta(days=90)

_NEXT_REFRESH = "next refresh token"


# The purposes of links. Those that set a password must never be sent to an address that is not confirmed.
INVITATION, RESET, EMAIL = "invitation", "reset", "email"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A signed access token, valid for 15 minutes, and a refresh token, valid for one refresh.

    A login also gives a device token, which the device keeps.
    """

    access_token: str
    refresh_token: str
    device_token: str | None = None
    second_factor_required: bool = False


@dataclass(frozen=True, slots=True)
class NoTokens:
    """What a reset of the password gives to a user with a second factor, who has to sign in with a code."""

    access_token: None = None
    refresh_token: None = None
    device_token: None = None
    second_factor_required: bool = True


async def start_session(
    transaction: AccountTransaction,
    user: User,
    role: Role,
    *,
    identity_provider_key: int | None = None,
    second_factor_met: bool = False,
) -> tuple[Tokens, AccessClaims]:
    """Starts an authentication session in one role. Returns its first tokens.

    `identity_provider_key`: where the user signed in, if not with a password; `second_factor_met`: whether a second
    factor was checked there.
    """
    auth_session = AuthSession(
        provider_id=user.provider_id,
        user_id=user.id,
        role=role,
        started_at=transaction.now,
        expires_at=transaction.now + MAX_SESSION_AGE,
        network_sha256=network_mark(user.username, network_of(transaction.context.client.address)),
        identity_provider_id=identity_provider_key,
        second_factor_met=second_factor_met,
    )
    transaction.session.add(auth_session)
    await transaction.session.flush()
    return issue_tokens(transaction, auth_session)


def issue_tokens(
    transaction: AccountTransaction, auth_session: AuthSession, after: str | None = None
) -> tuple[Tokens, AccessClaims]:
    """Returns the next tokens of an authentication session: `after` a refresh token, or its first."""
    secret = new_secret() if after is None else transaction.services.tokens.derive(_NEXT_REFRESH, after)
    transaction.session.add(
        RefreshToken(
            sign_in_id=auth_session.id,
            token_sha256=digest(secret),
            issued_at=transaction.now,
            expires_at=transaction.now + REFRESH_LIFETIME,
        )
    )
    return _signed(transaction, auth_session, secret, transaction.now)


async def tokens_again(
    transaction: AccountTransaction, auth_session: AuthSession, after: str, issued_at: dt.datetime
) -> tuple[Tokens, AccessClaims] | None:
    """Returns the tokens that were issued after a refresh token; None where the server's key has changed since."""
    secret = transaction.services.tokens.derive(_NEXT_REFRESH, after)
    if not await is_refresh_token_of(transaction.session, digest(secret), auth_session.id):
        return None
    return _signed(transaction, auth_session, secret, issued_at)


def request_marks(context: Context, refresh_token: str) -> RequestMarks:
    """Returns what marks a client that sends a refresh token. Nothing can be compared between two tokens."""
    key, network = context.client.idempotency_key, network_of(context.client.address)
    return RequestMarks(
        idempotency_key_sha256=None if key is None else digest(f"key:{refresh_token}:{key}"),
        network_sha256=None if network == "unknown" else digest(f"network:{refresh_token}:{network}"),
    )


def _signed(
    transaction: AccountTransaction, auth_session: AuthSession, secret: str, issued_at: dt.datetime
) -> tuple[Tokens, AccessClaims]:
    signer = transaction.services.tokens
    access = signer.sign(
        auth_session.user_id,
        auth_session.role,
        auth_session.id,
        issued_at=issued_at,
        token_id=signer.derive("access token id", secret),
    )
    return Tokens(access, secret), signer.verify(access)


def one_time_token(
    user: User, purpose: str, secret: str, now: dt.datetime, lifetime: dt.timedelta, new_email: str | None = None
) -> OneTimeToken:
    """Returns the row of a link's token, which has only the hash: the secret itself is in the sent e-mail alone.

    `new_email`: the address that the link confirms.
    """
    return OneTimeToken(
        provider_id=user.provider_id,
        user_id=user.id,
        purpose=purpose,
        new_email=new_email,
        token_sha256=digest(secret),
        issued_at=now,
        expires_at=now + lifetime,
    )

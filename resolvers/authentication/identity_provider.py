"""Sign-in through an identity provider, which never makes an account: it finds the one that a person has."""

import re
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import IntegrityError

from auth.auth_sessions import account_by_user
from auth.identity.client import Identity, authorization_url
from auth.identity.configured import ConfiguredProvider, client_secret, configured_provider, configured_providers
from auth.identity.http import IdentityUnavailable
from auth.identity.id_token import IdentityRefused
from auth.identity.links import (
    PROVEN_LIFETIME,
    ProvenLogin,
    corrected_email,
    has_link,
    linked_user,
    proven_login,
    use_proven_login,
    users_of_email,
)
from auth.identity.state import is_state, new_state, nonce_of
from auth.tokens import digest
from db.models.identity_provider import IdentityLink, IdentityLogin
from domain import clock, global_id
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError, reject
from domain.sentences import say
from repositories.user import revoke_tokens
from resolvers.authentication.complete_login import complete_login
from resolvers.authentication.email import take_new_email
from resolvers.authentication.tokens import Tokens
from resolvers.core.context import Context
from resolvers.core.write_transaction import AccountTransaction, account_transaction
from services.mail.code_messages import identity_linked

_TYPE = "IdentityProvider"
# RFC 7636.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_log = structlog.get_logger("waymark")


@dataclass(frozen=True, slots=True)
class IdentityProviderRow:
    """An identity provider, and where a new sign-in at it begins."""

    id: str
    name: str
    authorization_url: str


async def identity_providers(context: Context) -> list[IdentityProviderRow]:
    """Returns the identity providers of the installation, each with a sign-in that is begun by opening its address."""
    services, now = context.services, clock.now()
    found = []
    for provider in await configured_providers(services.database):
        state = new_state(services.tokens, provider.key, now)
        url = authorization_url(provider, state, nonce_of(services.tokens, state))
        found.append(IdentityProviderRow(global_id.encode(_TYPE, provider.key), provider.name, url))
    return found


async def login_with_provider(
    context: Context,
    *,
    provider_id: str,
    code: str,
    state: str,
    code_verifier: str,
    redirect_uri: str,
    role: Role | None = None,
    second_factor_code: str | None = None,
) -> Tokens:
    """Starts an authentication session for who has signed in at an identity provider.

    The authorization code is exchanged once. The same request can be sent again for 10 minutes with another role or
    with `second_factor_code`, until it has started a session. Rejects with SecondFactorRequired where the user has a
    second factor that the identity provider has not confirmed.
    """
    services = context.services
    provider = await configured_provider(services.database, global_id.decode(_TYPE, provider_id))
    if provider is None:
        message = say("IDENTITY_PROVIDER_GONE")
        raise reject(UserErrorCode.NOT_FOUND, message, "input", "providerId")
    if redirect_uri not in provider.redirect_uris:
        message = say("REDIRECT_NOT_REGISTERED")
        raise reject(UserErrorCode.INVALID, message, "input", "redirectUri")
    if not _VERIFIER.fullmatch(code_verifier):
        message = say("CODE_VERIFIER_INVALID")
        raise reject(UserErrorCode.INVALID, message, "input", "codeVerifier")
    if not is_state(services.tokens, provider.key, state, clock.now()):
        raise _begin_again("input", "state")
    proof = digest(f"{code}\0{code_verifier}")
    proven = await proven_login(services.database, state, clock.now())
    if proven is None:
        identity = await _identify(context, provider, code, state, code_verifier, redirect_uri)
        await _prove(context, provider, identity, state, proof)
        proven = await proven_login(services.database, state, clock.now())
    if proven is None or not proven.is_usable or proven.proof_sha256 != proof:
        raise _begin_again("input", "state")
    return await _complete(context, provider, proven, role, second_factor_code)


async def _complete(
    context: Context, provider: ConfiguredProvider, proven: ProvenLogin, role: Role | None, code: str | None
) -> Tokens:
    async def use(transaction: AccountTransaction) -> None:
        if not await use_proven_login(transaction.session, proven.key, transaction.now):
            raise _begin_again("input", "state")

    return await complete_login(
        context, "loginWithProvider", proven.user_key, role=role, code=code,
        needs_code=proven.has_second_factor and not proven.factor_met, refused=_no_account(),
        code_field="secondFactorCode", confirm=use, identity_provider_key=provider.key,
        second_factor_met=proven.factor_met,
    )  # fmt: skip


async def _identify(
    context: Context, provider: ConfiguredProvider, code: str, state: str, verifier: str, redirect_uri: str
) -> Identity:
    services = context.services
    try:
        return await services.identity.identify(
            provider, client_secret(services.tokens.seals, provider), code=code, verifier=verifier,
            redirect_uri=redirect_uri, nonce=nonce_of(services.tokens, state), now=clock.now(),
        )  # fmt: skip
    except IdentityRefused as refusal:
        _log.warning(
            "identity_provider_refused", identity_provider=provider.key, cause=str(refusal),
            request_id=context.client.request_id,
        )  # fmt: skip
        message = say("SIGN_IN_NOT_CONFIRMED")
        raise reject(UserErrorCode.INVALID, message, "input", "code") from None
    except IdentityUnavailable as outage:
        _log.error(
            "identity_provider_unavailable", identity_provider=provider.key, cause=str(outage),
            request_id=context.client.request_id,
        )  # fmt: skip
        message = say("IDENTITY_PROVIDER_UNAVAILABLE")
        raise reject(UserErrorCode.CONFLICT, message, "input", "providerId") from None


async def _prove(context: Context, provider: ConfiguredProvider, identity: Identity, state: str, proof: str) -> None:
    """Stores whose login the identity provider has confirmed, and links the account at the first one."""
    try:
        async with account_transaction(context, "identityLink") as transaction:
            session = transaction.session
            user_key = await linked_user(session, provider.key, identity.subject)
            if user_key is None:
                user_key = await _link(transaction, provider, identity)
            session.add(
                IdentityLogin(
                    provider_id=provider.provider_key, user_id=user_key, identity_provider_id=provider.key,
                    state_sha256=digest(state), proof_sha256=proof, factor_met=identity.factor_met,
                    expires_at=transaction.now + PROVEN_LIFETIME,
                )
            )  # fmt: skip
    except IntegrityError:
        # The same sign-in, or the first one of the same person, was finished by another request at this moment.
        raise _begin_again("input", "state") from None


async def _link(transaction: AccountTransaction, provider: ConfiguredProvider, identity: Identity) -> int:
    """Links the account whose verified e-mail address this is. Returns the user's key."""
    session = transaction.session
    found = []
    if identity.email is not None:
        found = await users_of_email(session, provider.provider_key, identity.email)
    account = await account_by_user(session, found[0]) if len(found) == 1 else None
    if account is None or not account.roles or await has_link(session, provider.key, account.user.id):
        raise _no_account()
    user = account.user
    await take_new_email(transaction, user, await corrected_email(session, user.id))
    # The invitation has been used.
    await revoke_tokens(session, user.id, transaction.now)
    session.add(
        IdentityLink(
            provider_id=provider.provider_key, user_id=user.id, identity_provider_id=provider.key,
            subject=identity.subject, linked_at=transaction.now,
        )
    )  # fmt: skip
    transaction.send_mail(
        user, identity_linked(name=user.name, username=user.username, where=provider.name, at=transaction.now)
    )
    transaction.audit(user.provider_id, user.id, None, identity_provider=provider.key)
    return user.id


def _no_account() -> DomainError:
    """Returns the one refusal for who is unknown, archived or without a role, and for an address that is not theirs."""
    message = say("NO_ACCOUNT_FOR_SIGN_IN")
    return reject(UserErrorCode.NOT_FOUND, message, "input")


def _begin_again(*field: str) -> DomainError:
    message = say("SIGN_IN_EXPIRED")
    return reject(UserErrorCode.INVALID, message, *field)

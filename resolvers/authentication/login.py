"""Login, refresh, logout and the switch to another role. Each sets the viewer of the rest of the operation."""

from dataclasses import replace

from auth.auth_sessions import (
    account_by_user,
    end_session,
    exchange_refresh_token,
    replace_refresh_tokens,
    session_by_refresh_token,
    use_refresh_token,
)
from auth.credentials import verify_login, verify_viewer_password
from auth.known_clients import is_device_of, new_device_token
from auth.login_candidates import LoginCandidate
from auth.tokens import digest
from auth.viewer import NotSignedIn
from db.models.auth_session import AuthSession
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError, UserError, reject
from domain.network import network_of
from domain.sentences import say
from resolvers.authentication.complete_login import complete_login
from resolvers.authentication.tokens import Tokens, issue_tokens, request_marks, tokens_again
from resolvers.core.context import Context
from resolvers.core.write_transaction import account_transaction


class TrainingProviderRequired(DomainError):
    """The username and the password are right at several training providers: `names` says which."""

    def __init__(self, candidates: list[LoginCandidate]) -> None:
        message = say("TRAINING_PROVIDER_MISSING")
        super().__init__(UserError(UserErrorCode.REQUIRED, ("input", "trainingProvider"), message))
        names = [each.provider_name for each in candidates]
        # Of two with the same name, the UKPRN says which is which.
        self.names = [
            each.provider_ukprn if names.count(each.provider_name) > 1 and each.provider_ukprn else each.provider_name
            for each in candidates
        ]


async def login(
    context: Context,
    *,
    username: str,
    password: str,
    role: Role | None = None,
    device_token: str | None = None,
    code: str | None = None,
    training_provider: str | None = None,
) -> Tokens:
    """Starts an authentication session. `device_token` is that of an earlier login of the user on this device.
    `code` is of the second factor: SecondFactorRequired where the user has one and it is missing.
    `training_provider`: the name or UKPRN of one of several where the username and the password are right:
    TrainingProviderRequired where it is missing.

    Rejects an unknown username, a wrong password and an archived account with the same error in the same time.
    """
    signer = context.services.tokens
    wrong = reject(UserErrorCode.WRONG_PASSWORD, say("WRONG_CREDENTIALS"), "input")
    candidates = await verify_login(
        context.services.database, signer, network=network_of(context.client.address), username=username,
        password=password, device_token=device_token,
    )  # fmt: skip
    if not candidates:
        raise wrong
    candidate = _chosen(candidates, training_provider)
    user_key = candidate.user_key
    tokens = await complete_login(
        context, "login", user_key, role=role, code=code, needs_code=candidate.has_second_factor, refused=wrong
    )
    if device_token is None or not is_device_of(signer, user_key, device_token):
        device_token = new_device_token(signer, user_key)
    return replace(tokens, device_token=device_token)


def _chosen(candidates: list[LoginCandidate], training_provider: str | None) -> LoginCandidate:
    """Returns the account at the named training provider, or the only one. The password is right for all of them."""
    if training_provider is not None:
        named = training_provider.strip().casefold()
        candidates = [each for each in candidates if named in (each.provider_name.casefold(), each.provider_ukprn)]
        if not candidates:
            message = say("TRAINING_PROVIDER_WRONG")
            raise reject(UserErrorCode.NOT_ALLOWED, message, "input", "trainingProvider")
    if len(candidates) > 1:
        raise TrainingProviderRequired(candidates)
    return candidates[0]


async def token_refresh(context: Context, *, refresh_token: str) -> Tokens:
    """Returns new tokens for a refresh token, once.

    The same client gets the same answer again within 30 seconds. Any other second use ends the authentication session.
    """
    async with account_transaction(context, "tokenRefresh") as transaction:
        known = await session_by_refresh_token(transaction.session, digest(refresh_token))
        account = await account_by_user(transaction.session, known.user_id) if known else None
        marks = request_marks(context, refresh_token)
        use = await use_refresh_token(transaction.session, digest(refresh_token), transaction.now, marks)
        issued = None
        if use is not None and account is not None and use.auth_session.role in account.roles:
            if use.repeated:
                issued = await tokens_again(transaction, use.auth_session, refresh_token, use.used_at)
            else:
                issued = issue_tokens(transaction, use.auth_session, refresh_token)
    # Outside of the transaction: the end of a session after a second use is committed, too.
    if issued is None:
        message = say("REFRESH_TOKEN_INVALID")
        raise reject(UserErrorCode.INVALID, message, "refreshToken")
    tokens, claims = issued
    await context.set_viewer(claims)
    return tokens


async def logout(context: Context, *, refresh_token: str) -> None:
    """Ends the authentication session of a refresh token, with its tokens and streams. Repeating it changes nothing."""
    async with account_transaction(context, "logout") as transaction:
        auth_session = await session_by_refresh_token(transaction.session, digest(refresh_token))
        if auth_session is None:
            return
        await end_session(transaction.session, auth_session.id, transaction.now, "logout")
        user = await transaction.session.get_one(User, auth_session.user_id)
        transaction.audit(user.provider_id, user.id, auth_session.role)
        transaction.end_streams(user.provider_id)
    context.invalidate_loaders()


async def role_switch(
    context: Context, *, role: Role, refresh_token: str | None = None, password: str | None = None
) -> Tokens:
    """Continues the viewer's authentication session in another role that they hold, until the same end as before.

    An access token alone cannot do it: the session's unused refresh token or the password is needed. A refusal changes
    nothing, so that a thief of an access token cannot sign the owner out.
    """
    viewer = context.viewer_or_raise()
    if role is viewer.role:
        raise reject(UserErrorCode.INVALID, say("ROLE_IN_USE"), "role")
    if refresh_token is None:
        await _require_password(context, password)
    async with account_transaction(context, "roleSwitch") as transaction:
        session, now = transaction.session, transaction.now
        account = await account_by_user(session, viewer.user_key)
        auth_session = await session.get_one(AuthSession, viewer.auth_session_key, populate_existing=True)
        if account is None or auth_session.ended_at is not None:
            raise NotSignedIn
        if role not in account.roles:
            raise reject(UserErrorCode.NOT_ALLOWED, say("ROLE_NOT_HELD"), "role")
        if refresh_token is None:
            await replace_refresh_tokens(session, auth_session.id, now)
        elif not await exchange_refresh_token(
            session, digest(refresh_token), auth_session.id, now, request_marks(context, refresh_token)
        ):
            message = say("REFRESH_TOKEN_NOT_CURRENT")
            raise reject(UserErrorCode.INVALID, message, "refreshToken")
        auth_session.role = role
        await session.flush()
        tokens, claims = issue_tokens(transaction, auth_session, refresh_token)
        transaction.audit(account.user.provider_id, account.user.id, role)
        transaction.end_streams(account.user.provider_id)
    await context.set_viewer(claims)
    return tokens


async def _require_password(context: Context, password: str | None) -> None:
    if password is None:
        message = say("ROLE_SWITCH_NOT_CONFIRMED")
        raise reject(UserErrorCode.REQUIRED, message, "refreshToken")
    viewer = context.viewer_or_raise()
    if not await verify_viewer_password(context.services.database, viewer, password, "password"):
        raise reject(UserErrorCode.WRONG_PASSWORD, say("ROLE_SWITCH_WRONG_PASSWORD"), "password")

"""Passwords and the disclaimer: changing one's own, asking for a link to reset it, and accepting the words first shown."""

import datetime as dt

from auth.auth_sessions import (
    account_by_user,
    account_by_username,
    count_recent_one_time_tokens,
    end_sessions,
    token_is_valid,
    use_one_time_token,
)
from auth.credentials import verify_password
from auth.passwords import hash_password, password_weakness
from auth.tokens import digest, new_secret
from auth.viewer import NotSignedIn, Viewer
from db.models.auth_session import OneTimeToken
from db.models.outbox import outbox_mail
from db.models.provider import Provider
from db.models.user import User
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import reject
from resolvers.authentication import Tokens, account_event, logout, set_viewer, start_session
from resolvers.core.context import Client, Context, Services
from services.audit.append import append
from services.mail.messages import password_changed, password_reset

RESET_LIFETIME = dt.timedelta(hours=2)
_MOST_RESETS_AN_HOUR = 5


async def change(context: Context, *, current_password: str, new_password: str) -> Tokens:
    """Changes the viewer's own password. Every sign-in of theirs ends; this one goes on with new tokens."""
    viewer, now, database = context.viewer_or_raise(), clock.now(), context.services.database
    if not await verify_password(
        context.services.database, context.client.address, viewer.username, current_password, "input", "currentPassword"
    ):
        raise reject(UserErrorCode.WRONG_PASSWORD, "This is not your current password.", "input", "currentPassword")
    if new_password == current_password:
        raise reject(UserErrorCode.INVALID, "Choose a password that is not the old one.", "input", "newPassword")
    _check(new_password, viewer.username, viewer.name)
    hashed = await hash_password(new_password)
    async with database.writing() as session:
        account = await account_by_user(session, viewer.user_key)
        if account is None:
            raise NotSignedIn
        user = account.user
        user.password_hash, user.must_change_password = hashed, False
        await end_sessions(session, user.id, now, "password changed")
        tokens, claims = await start_session(session, context, user, viewer.role, now)
        mail = password_changed(name=user.name, username=user.username, at=now)
        session.add(outbox_mail(user.provider_id, user.email, mail, now))
        await session.flush()
        await append(session, account_event(context, user, viewer.role, "passwordChange", now))
        await context.services.changes.notify_in_transaction(session, user.provider_id, set())
    context.services.after_commit(viewer.provider_key, set())
    await set_viewer(context, claims)
    return tokens


async def reset_request(context: Context, *, username: str) -> None:
    """Sends a link by e-mail where there is such an account; says nothing about whether there is."""
    now, database = clock.now(), context.services.database
    async with database.writing() as session:
        found = await account_by_username(session, username)
        if found is None:
            return
        recent = await count_recent_one_time_tokens(session, found.user.id, now - dt.timedelta(hours=1))
        if recent >= _MOST_RESETS_AN_HOUR:
            return
        secret = new_secret()
        session.add(one_time_token(found.user, "reset", secret, now, RESET_LIFETIME))
        mail = password_reset(
            name=found.user.name,
            username=found.user.username,
            link=f"{context.services.base_url}/password?token={secret}",
            good_until=now + RESET_LIFETIME,
        )
        session.add(outbox_mail(found.user.provider_id, found.user.email, mail, now))
        await session.flush()
        await append(session, account_event(context, found.user, None, "passwordResetRequest", now))
    context.services.mail.wake()


async def reset(context: Context, *, token: str, new_password: str) -> Tokens:
    """Sets a new password with the token of a link, once. Every other sign-in ends; the person is signed in."""
    now, database = clock.now(), context.services.database
    spent = reject(
        UserErrorCode.INVALID, "This link was used already or is too old. Ask for a new one.", "input", "token"
    )
    # Hashing is work: nobody without a link is given any.
    if not await token_is_valid(database, digest(token), now):
        raise spent
    _check(new_password)
    hashed = await hash_password(new_password)
    async with database.writing() as session:
        used = await use_one_time_token(session, digest(token), now)
        account = await account_by_user(session, used.user_id) if used else None
        role = account.role(None) if account else None
        if account is None or role is None:
            raise spent
        user = account.user
        _check(new_password, user.username, user.name)
        user.password_hash, user.must_change_password = hashed, False
        user.last_login_at = now
        await end_sessions(session, user.id, now, "password reset")
        tokens, claims = await start_session(session, context, user, role, now)
        await append(session, account_event(context, user, role, "passwordReset", now))
        await context.services.changes.notify_in_transaction(session, user.provider_id, set())
    context.services.after_commit(user.provider_id, set())
    await set_viewer(context, claims)
    return tokens


async def reset_from_page(services: Services, token: str, new_password: str, client: Client) -> None:
    """Sets a new password from the page that the link opens. Nobody is signed in by it: they sign in where they use it.

    Refuses as `reset` does.
    """
    context = Context(services, client=client)
    tokens = await reset(context, token=token, new_password=new_password)
    await logout(context, refresh_token=tokens.refresh_token)


async def disclaimer_accept(context: Context) -> Viewer:
    """Notes that the viewer has read and accepted the provider's disclaimer as it now stands."""
    viewer, now = context.viewer_or_raise(), clock.now()
    async with context.services.database.writing() as session:
        account = await account_by_user(session, viewer.user_key)
        provider = await session.get_one(Provider, viewer.provider_key)
        if account is not None and account.user.disclaimer_accepted < provider.disclaimer_version:
            account.user.disclaimer_accepted = provider.disclaimer_version
            account.user.disclaimer_accepted_at = now
            line = account_event(context, account.user, viewer.role, "disclaimerAccept", now)
            line.detail = {"version": provider.disclaimer_version}
            await append(session, line)
    if context.claims is not None:
        await set_viewer(context, context.claims)
    return context.viewer_or_raise()


def one_time_token(user: User, purpose: str, secret: str, now: dt.datetime, lifetime: dt.timedelta) -> OneTimeToken:
    """The row of a link's token, which only the e-mail has in the clear."""
    return OneTimeToken(
        provider_id=user.provider_id,
        user_id=user.id,
        purpose=purpose,
        token_sha256=digest(secret),
        issued_at=now,
        expires_at=now + lifetime,
    )


def _check(password: str, *own_words: str) -> None:
    if fault := password_weakness(password, *own_words):
        raise reject(UserErrorCode.INVALID, fault, "input", "newPassword")

"""Login, refresh, logout and the switch of roles: tokens end when they should, and wrong passwords are limited."""

import asyncio
import datetime as dt
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import text, update

from auth.auth_sessions import end_sessions
from auth.tokens import digest
from auth.viewer import NotSignedIn, read_viewer
from db.models.auth_session import LoginAttempt
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import login as authentication
from resolvers.core.context import Client, Context
from tests.support.scenarios.base import PASSWORD


async def rejection(operation: Awaitable[Any]) -> tuple[UserErrorCode, str]:
    """Awaits an operation that must be rejected with one error; returns its code and message."""
    with pytest.raises(DomainError) as caught:
        await operation
    (error,) = caught.value.errors
    return error.code, error.message


async def test_login_starts_a_session_in_the_default_role(context: Context) -> None:
    tokens = await authentication.login(context, username=" ADA ", password=PASSWORD)
    claims = context.services.tokens.verify(tokens.access_token)
    viewer = await read_viewer(context.services.database, claims)
    assert (viewer.role, viewer.name) == (Role.ASSESSOR, "Ada")
    assert viewer.last_login_at is not None
    assert context.viewer_or_raise() == viewer


async def test_login_in_a_role_of_another_user_is_rejected(context: Context) -> None:
    code, _ = await rejection(authentication.login(context, username="ada", password=PASSWORD, role=Role.MASTER_ADMIN))
    assert code is UserErrorCode.NOT_ALLOWED


async def test_an_unknown_username_and_a_wrong_password_give_the_same_error(context: Context) -> None:
    wrong = await rejection(authentication.login(context, username="ada", password="not this one"))
    unknown = await rejection(authentication.login(context, username="nobody", password="not this one"))
    assert wrong == unknown == (UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.")


async def test_an_archived_account_gives_the_same_error(context: Context) -> None:
    async with context.services.database.writing() as session:
        ada = await session.get_one(User, 1)
        ada.archived_at = clock.now()
    code, message = await rejection(authentication.login(context, username="ada", password=PASSWORD))
    assert (code, message) == (UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.")


async def test_ten_concurrent_wrong_passwords_lock_the_account(context: Context) -> None:
    async def attempt(number: int) -> UserErrorCode:
        other = Context(context.services, client=Client(address=f"192.0.2.{number}"))
        return (await rejection(authentication.login(other, username="ada", password=f"wrong {number}")))[0]

    codes = await asyncio.gather(*(attempt(number) for number in range(14)))
    assert codes.count(UserErrorCode.WRONG_PASSWORD) == 10
    assert codes.count(UserErrorCode.TOO_MANY_ATTEMPTS) == 4
    # The correct password too, so that further attempts reveal nothing.
    code, message = await rejection(authentication.login(context, username="ada", password=PASSWORD))
    assert code is UserErrorCode.TOO_MANY_ATTEMPTS
    assert "seconds" in message


async def test_a_correct_password_is_not_counted_as_an_attempt(context: Context) -> None:
    for _ in range(12):
        await authentication.login(context, username="ada", password=PASSWORD)
    assert await context.services.database.rows(LoginAttempt.__table__.select()) == []


async def test_attempts_expire_after_five_minutes(context: Context) -> None:
    for number in range(10):
        await rejection(authentication.login(context, username="ada", password=f"wrong {number}"))
    async with context.services.database.writing() as session:
        await session.execute(update(LoginAttempt).values(at=clock.now() - dt.timedelta(minutes=5, seconds=1)))
    await authentication.login(context, username="ada", password=PASSWORD)


async def test_a_second_use_of_a_refresh_token_ends_the_session(context: Context) -> None:
    first = await authentication.login(context, username="ada", password=PASSWORD)
    second = await authentication.token_refresh(context, refresh_token=first.refresh_token)
    await read_viewer(context.services.database, context.services.tokens.verify(second.access_token))
    for tokens in (first, second):
        code, _ = await rejection(authentication.token_refresh(context, refresh_token=tokens.refresh_token))
        assert code is UserErrorCode.INVALID
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, context.services.tokens.verify(second.access_token))


async def test_at_most_one_of_twenty_concurrent_refreshes_succeeds(context: Context) -> None:
    first = await authentication.login(context, username="ada", password=PASSWORD)

    async def refresh() -> bool:
        try:
            await authentication.token_refresh(Context(context.services), refresh_token=first.refresh_token)
        except (DomainError, NotSignedIn):
            return False
        return True

    # None succeeds where a second use ends the session before the first has read its viewer.
    assert sum(await asyncio.gather(*(refresh() for _ in range(20)))) <= 1
    used = await context.services.database.rows(text("select count(*) from refresh_token"))
    assert used[0][0] == 2, "one token was used, one was issued"


async def test_logout_ends_every_token_and_can_be_repeated(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    claims = context.services.tokens.verify(tokens.access_token)
    for _ in range(2):
        await authentication.logout(context, refresh_token=tokens.refresh_token)
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, claims)


async def test_switching_roles_ends_the_tokens_of_the_old_role(context: Context) -> None:
    before = await authentication.login(context, username="ada", password=PASSWORD)
    await authentication.role_switch(context, role=Role.IQA)
    assert context.viewer_or_raise().role is Role.IQA
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, context.services.tokens.verify(before.access_token))
    assert (await rejection(authentication.role_switch(context, role=Role.BASIC_ADMIN)))[0] is UserErrorCode.NOT_ALLOWED


async def test_a_revoked_role_ends_access_from_the_next_request(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    async with context.services.database.writing() as session:
        await session.execute(RoleGrant.__table__.delete().where(RoleGrant.role == Role.ASSESSOR))
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, context.services.tokens.verify(tokens.access_token))


async def test_refresh_tokens_are_stored_as_hashes(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    stored = await context.services.database.rows(text("select token_sha256 from refresh_token"))
    assert [row[0] for row in stored] == [digest(tokens.refresh_token)]


async def test_ending_sessions_keeps_the_excepted_one(context: Context) -> None:
    kept = await authentication.login(context, username="ada", password=PASSWORD)
    spared = context.viewer_or_raise().auth_session_key
    gone = await authentication.login(context, username="ada", password=PASSWORD)
    async with context.services.database.writing() as session:
        await end_sessions(session, context.viewer_or_raise().user_key, clock.now(), "test", except_key=spared)
    verify = context.services.tokens.verify
    await read_viewer(context.services.database, verify(kept.access_token))
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, verify(gone.access_token))

"""Login, refresh, logout and the switch of roles: tokens end when they should, and wrong passwords are limited."""

import asyncio
import datetime as dt
from collections.abc import Awaitable
from typing import Any

import pytest
from sqlalchemy import select, text, update

from auth.auth_sessions import end_sessions
from auth.tokens import AccessTokens, digest
from auth.viewer import NotSignedIn, read_viewer
from db.models.auth_session import LoginAttempt, RefreshToken
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


async def pass_time(context: Context, **ago: float) -> None:
    """Makes every use of a refresh token so much older."""
    async with context.services.database.writing() as session:
        for token in await session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_not(None))):
            token.used_at -= dt.timedelta(**ago)


def of(context: Context, address: str, idempotency_key: str | None = None) -> Context:
    """Returns the context of another client."""
    return Context(context.services, client=Client(address=address, idempotency_key=idempotency_key))


async def is_signed_in(context: Context, access_token: str) -> bool:
    try:
        await read_viewer(context.services.database, context.services.tokens.verify(access_token))
    except NotSignedIn:
        return False
    return True


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("192.0.2.1", None), ("192.0.2.1", None)),
        (("192.0.2.1", "once"), ("198.51.100.9", "once")),
        (("2001:db8::1", None), ("2001:db8::ffff:2", None)),
    ],
)
async def test_a_retried_refresh_gets_the_same_answer(
    context: Context, first: tuple[str, str | None], second: tuple[str, str | None]
) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    answer = await authentication.token_refresh(of(context, *first), refresh_token=tokens.refresh_token)
    await pass_time(context, seconds=2)
    again = await authentication.token_refresh(of(context, *second), refresh_token=tokens.refresh_token)
    assert again.refresh_token == answer.refresh_token
    await authentication.token_refresh(of(context, *second), refresh_token=again.refresh_token)
    assert await is_signed_in(context, answer.access_token)


async def test_a_retry_gets_the_same_bytes(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    answers = [await authentication.token_refresh(context, refresh_token=tokens.refresh_token) for _ in range(3)]
    assert len(set(answers)) == 1


@pytest.mark.parametrize(
    ("seconds", "client"),
    [
        (31, ("192.0.2.1", "once")),
        (0, ("198.51.100.9", None)),
        (0, ("198.51.100.9", "another")),
        (0, ("2001:db8::1", None)),
        (0, ("made up", None)),
    ],
)
async def test_a_replay_ends_the_session(context: Context, seconds: int, client: tuple[str, str | None]) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    first = of(context, "192.0.2.1", "once")
    answer = await authentication.token_refresh(first, refresh_token=tokens.refresh_token)
    assert await is_signed_in(context, answer.access_token)
    await pass_time(context, seconds=seconds)
    for token in (tokens.refresh_token, answer.refresh_token):
        code, _ = await rejection(authentication.token_refresh(of(context, *client), refresh_token=token))
        assert code is UserErrorCode.INVALID
    assert not await is_signed_in(context, answer.access_token)


async def test_of_twenty_concurrent_refreshes_by_others_at_most_one_succeeds(context: Context) -> None:
    first = await authentication.login(context, username="ada", password=PASSWORD)

    async def refresh(number: int) -> bool:
        other = of(context, f"198.51.100.{number}")
        try:
            await authentication.token_refresh(other, refresh_token=first.refresh_token)
        except (DomainError, NotSignedIn):
            return False
        return True

    # None succeeds where a second use ends the session before the first has read its viewer.
    assert sum(await asyncio.gather(*(refresh(number) for number in range(20)))) <= 1
    used = await context.services.database.rows(text("select count(*) from refresh_token"))
    assert used[0][0] == 2, "one token was used, one was issued"


async def test_twenty_concurrent_refreshes_of_one_client_get_one_answer(context: Context) -> None:
    first = await authentication.login(context, username="ada", password=PASSWORD)
    answers = await asyncio.gather(
        *(authentication.token_refresh(of(context, "192.0.2.1"), refresh_token=first.refresh_token) for _ in range(20))
    )
    assert len(set(answers)) == 1
    assert await is_signed_in(context, answers[0].access_token)


async def test_the_database_does_not_hold_what_a_retry_gets(context: Context) -> None:
    """Neither the next token nor anything that gives it without the server's key."""
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    answer = await authentication.token_refresh(context, refresh_token=tokens.refresh_token)
    rows = await context.services.database.rows(text("select * from refresh_token"))
    assert not {answer.refresh_token, answer.access_token, tokens.refresh_token} & {
        str(cell) for row in rows for cell in row
    }
    elsewhere = AccessTokens({"another": b"a" * 32})
    assert elsewhere.derive("next refresh token", tokens.refresh_token) != answer.refresh_token


async def test_logout_ends_every_token_and_can_be_repeated(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    claims = context.services.tokens.verify(tokens.access_token)
    for _ in range(2):
        await authentication.logout(context, refresh_token=tokens.refresh_token)
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, claims)


async def test_switching_roles_ends_the_tokens_of_the_old_role(context: Context) -> None:
    before = await authentication.login(context, username="ada", password=PASSWORD)
    after = await authentication.role_switch(context, role=Role.IQA, refresh_token=before.refresh_token)
    assert context.viewer_or_raise().role is Role.IQA
    assert not await is_signed_in(context, before.access_token)
    refused = authentication.role_switch(context, role=Role.BASIC_ADMIN, refresh_token=after.refresh_token)
    assert (await rejection(refused))[0] is UserErrorCode.NOT_ALLOWED


async def test_the_role_is_switched_with_the_password_too(context: Context) -> None:
    before = await authentication.login(context, username="ada", password=PASSWORD)
    wrong = authentication.role_switch(context, role=Role.IQA, password="not this one")
    assert (await rejection(wrong))[0] is UserErrorCode.WRONG_PASSWORD
    after = await authentication.role_switch(context, role=Role.IQA, password=PASSWORD)
    assert await is_signed_in(context, after.access_token)
    assert not await is_signed_in(context, before.access_token)


async def test_a_switch_keeps_the_end_of_the_session(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    ends = text("select expires_at, ended_at from sign_in")
    before = [tuple(row) for row in await context.services.database.rows(ends)]
    for role in (Role.IQA, Role.ASSESSOR) * 3:
        tokens = await authentication.role_switch(context, role=role, refresh_token=tokens.refresh_token)
    assert [tuple(row) for row in await context.services.database.rows(ends)] == before


async def test_the_role_in_use_is_not_switched_to(context: Context) -> None:
    tokens = await authentication.login(context, username="ada", password=PASSWORD)
    switching = authentication.role_switch(context, role=Role.ASSESSOR, refresh_token=tokens.refresh_token)
    assert (await rejection(switching))[0] is UserErrorCode.INVALID
    assert await is_signed_in(context, tokens.access_token)


async def test_a_stolen_access_token_neither_switches_nor_signs_out(context: Context) -> None:
    """A thief has the access token, an old refresh token, and one of another session."""
    old = await authentication.login(context, username="ada", password=PASSWORD)
    mine = await authentication.token_refresh(context, refresh_token=old.refresh_token)
    other = await authentication.login(Context(context.services), username="ada", password=PASSWORD)
    thief = of(context, "198.51.100.9")
    await thief.set_viewer(context.services.tokens.verify(mine.access_token))
    code, message = await rejection(authentication.role_switch(thief, role=Role.IQA))
    assert code is UserErrorCode.REQUIRED and "refresh token" in message and "password" in message
    await pass_time(context, minutes=5)
    for token in (old.refresh_token, other.refresh_token, "made up"):
        code, _ = await rejection(authentication.role_switch(thief, role=Role.IQA, refresh_token=token))
        assert code is UserErrorCode.INVALID
    for tokens in (mine, other):
        assert await is_signed_in(context, tokens.access_token)
        await authentication.token_refresh(of(context, "192.0.2.1"), refresh_token=tokens.refresh_token)


async def test_a_switch_whose_answer_was_lost_is_found_by_a_refresh(context: Context) -> None:
    before = await authentication.login(context, username="ada", password=PASSWORD)
    after = await authentication.role_switch(context, role=Role.IQA, refresh_token=before.refresh_token)
    assert await authentication.token_refresh(context, refresh_token=before.refresh_token) == after


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

"""Signing in: tokens that end when they should, guesses that slow down, one answer for a stranger and a wrong password."""

import asyncio
import datetime as dt
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from auth.auth_sessions import end_sessions
from auth.passwords import hash_password
from auth.tokens import digest
from auth.viewer import NotSignedIn, read_viewer
from db.database import Database
from db.models.auth_session import LoginAttempt
from db.models.provider import Provider
from db.models.user import RoleGrant, User
from domain import clock
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers import authentication as sign_in
from resolvers import password
from resolvers.core.context import Client, Context
from tests.support.factories import Factory
from tests.support.viewers import services

SECRET = "a heron on the weir"


@pytest.fixture
async def stranger(database: Database, tmp_path: Path) -> Context:
    """Nobody yet, at a provider whose `ada` is an Assessor and an IQA."""
    async with database.writing() as session:
        factory = Factory(session)
        provider = await factory.provider(disclaimer=None)
        hashed = await hash_password(SECRET)
        await factory.user(provider, "Ada", Role.ASSESSOR, Role.IQA, username="ada", password_hash=hashed)
    return Context(services(database, tmp_path), client=Client(address="192.0.2.1"))


async def refused(doing: Awaitable[Any]) -> tuple[UserErrorCode, str]:
    with pytest.raises(DomainError) as caught:
        await doing
    (fault,) = caught.value.errors
    return fault.code, fault.message


async def test_login_begins_a_sign_in_in_the_first_of_the_roles(stranger: Context) -> None:
    tokens = await sign_in.login(stranger, username=" ADA ", password=SECRET)
    claims = stranger.services.tokens.verify(tokens.access_token)
    viewer = await read_viewer(stranger.services.database, claims)
    assert (viewer.role, viewer.name) == (Role.ASSESSOR, "Ada")
    assert viewer.last_login_at is not None
    assert stranger.viewer_or_raise() == viewer


async def test_login_in_a_role_that_is_not_held_is_refused(stranger: Context) -> None:
    code, _ = await refused(sign_in.login(stranger, username="ada", password=SECRET, role=Role.MASTER_ADMIN))
    assert code is UserErrorCode.NOT_ALLOWED


async def test_an_unknown_name_and_a_wrong_password_have_one_answer(stranger: Context) -> None:
    wrong = await refused(sign_in.login(stranger, username="ada", password="not this one"))
    unknown = await refused(sign_in.login(stranger, username="nobody", password="not this one"))
    assert wrong == unknown == (UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.")


async def test_an_archived_account_has_the_same_answer(stranger: Context) -> None:
    async with stranger.services.database.writing() as session:
        ada = await session.get_one(User, 1)
        ada.archived_at = clock.now()
    code, message = await refused(sign_in.login(stranger, username="ada", password=SECRET))
    assert (code, message) == (UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.")


async def test_ten_wrong_guesses_at_once_are_the_last(stranger: Context) -> None:
    async def guess(number: int) -> UserErrorCode:
        someone = Context(stranger.services, client=Client(address=f"192.0.2.{number}"))
        return (await refused(sign_in.login(someone, username="ada", password=f"wrong {number}")))[0]

    codes = await asyncio.gather(*(guess(number) for number in range(14)))
    assert codes.count(UserErrorCode.WRONG_PASSWORD) == 10
    assert codes.count(UserErrorCode.TOO_MANY_ATTEMPTS) == 4
    # Even the right one: whoever guesses learns nothing more.
    code, message = await refused(sign_in.login(stranger, username="ada", password=SECRET))
    assert code is UserErrorCode.TOO_MANY_ATTEMPTS
    assert "seconds" in message


async def test_a_right_password_counts_as_no_guess(stranger: Context) -> None:
    for _ in range(12):
        await sign_in.login(stranger, username="ada", password=SECRET)
    assert await stranger.services.database.rows(LoginAttempt.__table__.select()) == []


async def test_guesses_are_forgotten_after_five_minutes(stranger: Context) -> None:
    for number in range(10):
        await refused(sign_in.login(stranger, username="ada", password=f"wrong {number}"))
    async with stranger.services.database.writing() as session:
        await session.execute(update(LoginAttempt).values(at=clock.now() - dt.timedelta(minutes=5, seconds=1)))
    await sign_in.login(stranger, username="ada", password=SECRET)


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_sign_in(stranger: Context) -> None:
    first = await sign_in.login(stranger, username="ada", password=SECRET)
    second = await sign_in.token_refresh(stranger, refresh_token=first.refresh_token)
    await read_viewer(stranger.services.database, stranger.services.tokens.verify(second.access_token))
    assert (await refused(sign_in.token_refresh(stranger, refresh_token=first.refresh_token)))[
        0
    ] is UserErrorCode.INVALID
    assert (await refused(sign_in.token_refresh(stranger, refresh_token=second.refresh_token)))[
        0
    ] is UserErrorCode.INVALID
    with pytest.raises(NotSignedIn):
        await read_viewer(stranger.services.database, stranger.services.tokens.verify(second.access_token))


async def test_of_twenty_refreshes_at_once_one_wins(stranger: Context) -> None:
    first = await sign_in.login(stranger, username="ada", password=SECRET)

    async def refresh() -> bool:
        try:
            await sign_in.token_refresh(Context(stranger.services), refresh_token=first.refresh_token)
        except (DomainError, NotSignedIn):
            return False
        return True

    # Whoever wins may find the sign-in ended by those who came second before it has read itself: at most one gets through.
    assert sum(await asyncio.gather(*(refresh() for _ in range(20)))) <= 1
    used = await stranger.services.database.rows(text("select count(*) from refresh_token"))
    assert used[0][0] == 2, "one token was used, one was issued"


async def test_signing_out_ends_every_token_and_can_be_repeated(stranger: Context) -> None:
    tokens = await sign_in.login(stranger, username="ada", password=SECRET)
    claims = stranger.services.tokens.verify(tokens.access_token)
    for _ in range(2):
        await sign_in.logout(stranger, refresh_token=tokens.refresh_token)
    with pytest.raises(NotSignedIn):
        await read_viewer(stranger.services.database, claims)


async def test_switching_roles_ends_the_tokens_in_the_old_one(stranger: Context) -> None:
    before = await sign_in.login(stranger, username="ada", password=SECRET)
    await sign_in.role_switch(stranger, role=Role.IQA)
    assert stranger.viewer_or_raise().role is Role.IQA
    with pytest.raises(NotSignedIn):
        await read_viewer(stranger.services.database, stranger.services.tokens.verify(before.access_token))
    assert (await refused(sign_in.role_switch(stranger, role=Role.BASIC_ADMIN)))[0] is UserErrorCode.NOT_ALLOWED


async def test_a_role_taken_away_works_from_the_next_request(stranger: Context) -> None:
    tokens = await sign_in.login(stranger, username="ada", password=SECRET)
    async with stranger.services.database.writing() as session:
        await session.execute(RoleGrant.__table__.delete().where(RoleGrant.role == Role.ASSESSOR))
    with pytest.raises(NotSignedIn):
        await read_viewer(stranger.services.database, stranger.services.tokens.verify(tokens.access_token))


async def test_changing_the_password_ends_the_other_sign_ins(stranger: Context) -> None:
    elsewhere = await sign_in.login(Context(stranger.services), username="ada", password=SECRET)
    await sign_in.login(stranger, username="ada", password=SECRET)
    mine = await password.change(stranger, current_password=SECRET, new_password="another bird altogether")
    verify = stranger.services.tokens.verify
    with pytest.raises(NotSignedIn):
        await read_viewer(stranger.services.database, verify(elsewhere.access_token))
    await read_viewer(stranger.services.database, verify(mine.access_token))
    await sign_in.login(Context(stranger.services), username="ada", password="another bird altogether")


@pytest.mark.parametrize("new", ["short", "password", "12345678", "ada" * 3, "x" * 300, SECRET])
async def test_passwords_that_are_refused(stranger: Context, new: str) -> None:
    await sign_in.login(stranger, username="ada", password=SECRET)
    changing = password.change(stranger, current_password=SECRET, new_password=new)
    assert (await refused(changing))[0] is UserErrorCode.INVALID


async def test_whoever_must_change_the_password_and_accept_the_disclaimer_gets_nothing_else(stranger: Context) -> None:
    async with stranger.services.database.writing() as session:
        (await session.get_one(User, 1)).must_change_password = True
        (await session.get_one(Provider, 1)).disclaimer = "Read this."
    await sign_in.login(stranger, username="ada", password=SECRET)
    with pytest.raises(Exception, match="^Change your password before you continue.$"):
        _ = stranger.loaders
    await password.change(stranger, current_password=SECRET, new_password="another bird altogether")
    with pytest.raises(Exception, match="^Read and accept the disclaimer before you continue.$"):
        _ = stranger.loaders
    await password.disclaimer_accept(stranger)
    assert stranger.loaders is not None


async def test_a_reset_link_is_good_once(stranger: Context) -> None:
    await password.reset_request(stranger, username="ada")
    await password.reset_request(stranger, username="nobody")
    rows = await stranger.services.database.rows(text("select kind, body from outbox_mail"))
    ((kind, body),) = rows
    assert kind == "password_reset"
    secret = body.split("token=")[1].split()[0]
    await password.reset(stranger, token=secret, new_password="another bird altogether")
    assert stranger.viewer_or_raise().username == "ada"
    again = password.reset(Context(stranger.services), token=secret, new_password="a third bird on the weir")
    assert (await refused(again))[0] is UserErrorCode.INVALID


async def test_nothing_that_could_sign_somebody_in_is_stored(stranger: Context) -> None:
    tokens = await sign_in.login(stranger, username="ada", password=SECRET)
    stored = await stranger.services.database.rows(text("select token_sha256 from refresh_token"))
    assert [row[0] for row in stored] == [digest(tokens.refresh_token)]


async def test_ending_sign_ins_spares_the_one_that_is_named(stranger: Context) -> None:
    kept = await sign_in.login(stranger, username="ada", password=SECRET)
    spared = stranger.viewer_or_raise().auth_session_key
    gone = await sign_in.login(stranger, username="ada", password=SECRET)
    async with stranger.services.database.writing() as session:
        await end_sessions(session, stranger.viewer_or_raise().user_key, clock.now(), "test", except_key=spared)
    verify = stranger.services.tokens.verify
    await read_viewer(stranger.services.database, verify(kept.access_token))
    with pytest.raises(NotSignedIn):
        await read_viewer(stranger.services.database, verify(gone.access_token))

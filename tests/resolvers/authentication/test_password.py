"""Passwords are changed and reset, and the disclaimer accepted, before anything else can be done."""

import pytest
from sqlalchemy import text

from auth.viewer import NotSignedIn, read_viewer
from db.models.provider import Provider
from db.models.user import User
from domain.enums import UserErrorCode
from resolvers.authentication import disclaimer, password
from resolvers.authentication import login as authentication
from resolvers.core.context import Context
from tests.resolvers.authentication.test_login import rejection
from tests.support.scenarios.base import PASSWORD

NEW_PASSWORD = "another bird altogether"


async def test_changing_the_password_ends_the_other_sessions(context: Context) -> None:
    elsewhere = await authentication.login(Context(context.services), username="ada", password=PASSWORD)
    await authentication.login(context, username="ada", password=PASSWORD)
    mine = await password.change(context, current_password=PASSWORD, new_password=NEW_PASSWORD)
    verify = context.services.tokens.verify
    with pytest.raises(NotSignedIn):
        await read_viewer(context.services.database, verify(elsewhere.access_token))
    await read_viewer(context.services.database, verify(mine.access_token))
    await authentication.login(Context(context.services), username="ada", password=NEW_PASSWORD)


@pytest.mark.parametrize("new", ["short", "password", "12345678", "ada" * 3, "x" * 300, PASSWORD])
async def test_weak_passwords_are_rejected(context: Context, new: str) -> None:
    await authentication.login(context, username="ada", password=PASSWORD)
    changing = password.change(context, current_password=PASSWORD, new_password=new)
    assert (await rejection(changing))[0] is UserErrorCode.INVALID


async def test_password_change_and_disclaimer_come_before_everything_else(context: Context) -> None:
    async with context.services.database.writing() as session:
        (await session.get_one(User, 1)).must_change_password = True
        (await session.get_one(Provider, 1)).disclaimer = "Read this."
    await authentication.login(context, username="ada", password=PASSWORD)
    with pytest.raises(Exception, match="^Change your password before you continue.$"):
        _ = context.loaders
    await password.change(context, current_password=PASSWORD, new_password=NEW_PASSWORD)
    with pytest.raises(Exception, match="^Read and accept the disclaimer before you continue.$"):
        _ = context.loaders
    await disclaimer.accept(context)
    assert context.loaders is not None


async def test_a_reset_link_is_valid_once(context: Context) -> None:
    await password.reset_request(context, username="ada")
    await password.reset_request(context, username="nobody")
    rows = await context.services.database.rows(text("select kind, body from outbox_mail"))
    ((kind, body),) = rows
    assert kind == "password_reset"
    secret = body.split("token=")[1].split()[0]
    await password.reset(context, token=secret, new_password=NEW_PASSWORD)
    assert context.viewer_or_raise().username == "ada"
    again = password.reset(Context(context.services), token=secret, new_password="a third bird on the weir")
    assert (await rejection(again))[0] is UserErrorCode.INVALID

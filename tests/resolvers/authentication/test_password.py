"""Passwords are changed and reset, and the disclaimer accepted, before anything else can be done."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from auth.viewer import NotSignedIn, read_viewer
from db.models.provider import Provider
from db.models.user import User
from domain.enums import UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import disclaimer, password
from resolvers.authentication import login as authentication
from resolvers.authentication.reset_request import create_requested_links, reset_request
from resolvers.core.context import Client, Context
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


async def ask_for_link(context: Context, username: str) -> None:
    """Asks for a link, and lets the mail sender's loop create it."""
    await reset_request(context, username=username)
    await create_requested_links(context.services)


async def links(context: Context) -> list[str]:
    """Returns the tokens of the reset links that were sent, the oldest first."""
    fill_in = context.services.one_time_secrets.fill_in
    return [fill_in(body, address).split("token=")[1].split()[0] for body, address in await reset_mails(context)]


async def reset_mails(context: Context) -> list[tuple[str, str]]:
    """Returns text and address of the mails with reset links in the outbox, the oldest first."""
    statement = text("select body, to_address from outbox_mail where kind = 'password_reset' order by id")
    return [(row[0], row[1]) for row in await context.services.database.rows(statement)]


async def count_mails(context: Context) -> int:
    """Returns how many e-mails say that a password was set."""
    statement = text("select id from outbox_mail where kind = 'password_changed'")
    return len(await context.services.database.rows(statement))


async def test_a_reset_link_is_valid_once(context: Context) -> None:
    await ask_for_link(context, username="ada")
    await ask_for_link(context, username="nobody")
    (secret,) = await links(context)
    # What waits in the outbox opens nothing.
    ((body, _),) = await reset_mails(context)
    reference = body.split("token=")[1].split()[0]
    opening = password.reset(Context(context.services), token=reference, new_password=NEW_PASSWORD)
    assert (await rejection(opening))[0] is UserErrorCode.INVALID
    await password.reset(context, token=secret, new_password=NEW_PASSWORD)
    assert context.viewer_or_raise().username == "ada"
    again = password.reset(Context(context.services), token=secret, new_password="a third bird on the weir")
    assert (await rejection(again))[0] is UserErrorCode.INVALID


async def test_a_used_link_ends_every_other_link_and_mails_the_owner(context: Context) -> None:
    for _ in range(3):
        await ask_for_link(context, username="ada")
    first, second, third = await links(context)
    await password.reset(Context(context.services), token=second, new_password=NEW_PASSWORD)
    assert await count_mails(context) == 1
    for other in (first, third):
        again = password.reset(Context(context.services), token=other, new_password="a third bird on the weir")
        assert (await rejection(again))[0] is UserErrorCode.INVALID


async def test_a_changed_password_ends_every_link_and_mails_the_owner(context: Context) -> None:
    await ask_for_link(context, username="ada")
    (secret,) = await links(context)
    await authentication.login(context, username="ada", password=PASSWORD)
    await password.change(context, current_password=PASSWORD, new_password=NEW_PASSWORD)
    assert await count_mails(context) == 1
    again = password.reset(Context(context.services), token=secret, new_password="a third bird on the weir")
    assert (await rejection(again))[0] is UserErrorCode.INVALID


async def test_of_two_links_used_at_once_one_sets_the_password(context: Context) -> None:
    for _ in range(4):
        await ask_for_link(context, username="ada")
    done = await asyncio.gather(
        *(
            password.reset(Context(context.services), token=secret, new_password=f"{NEW_PASSWORD} {number}")
            for number, secret in enumerate(await links(context))
        ),
        return_exceptions=True,
    )
    refused = [one for one in done if isinstance(one, DomainError)]
    assert len(refused) == 3, done
    assert await count_mails(context) == 1


async def statements_of(context: Context, username: str) -> list[str]:
    """Returns the statements that a request for a link sends."""
    sent: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", record)
    try:
        await reset_request(context, username=username)
    finally:
        event.remove(Engine, "before_cursor_execute", record)
    return sent


async def test_a_request_for_a_link_does_the_same_for_known_and_unknown_names(context: Context) -> None:
    known, unknown = [await statements_of(context, name) for name in ("ada", "nobody")]
    assert known == unknown != []
    # Nothing of it is in the request: the mail comes from the sender's loop.
    assert await links(context) == []
    await create_requested_links(context.services)
    await create_requested_links(context.services)
    assert len(await links(context)) == 1
    # What was typed is not kept.
    kept = await context.services.database.rows(text("select username from password_reset_request"))
    assert [row[0] for row in kept] == ["", ""]


async def test_requests_for_links_are_limited_by_network(context: Context) -> None:
    for number in range(60):
        address = f"2001:db8::{number:x}"
        await reset_request(Context(context.services, client=Client(address=address)), username=f"name {number}")
    for username in ("ada", "nobody"):
        refused = reset_request(Context(context.services, client=Client(address="2001:db8::ffff")), username=username)
        assert (await rejection(refused))[0] is UserErrorCode.TOO_MANY_ATTEMPTS
    elsewhere = Context(context.services, client=Client(address="2001:db8:0:1::1"))
    await ask_for_link(elsewhere, "ada")
    assert len(await links(context)) == 1


async def test_an_account_gets_five_links_an_hour(context: Context) -> None:
    for _ in range(7):
        await ask_for_link(context, "ada")
    assert len(await links(context)) == 5

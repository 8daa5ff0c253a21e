"""Who has no password signs with a code by e-mail, or of an authenticator app: one code, one signature."""

import asyncio
import datetime as dt
import re
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from sqlalchemy import select, update

from auth.auth_sessions import account_by_user
from auth.signing_code import store_code
from db.models.audit_event import AuditEvent
from db.models.auth_session import AuthSession, SigningCode
from db.models.outbox import OutboxMail
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain import clock
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers import unit
from resolvers.authentication import second_factor, signing_code
from resolvers.core.context import Client, Context
from tests.resolvers.test_unit import complete
from tests.support.scenarios.base import PASSWORD, rejected
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def without_password(scenario: EmptyPortfolio, who: str = "assessor", role: Role = Role.ASSESSOR) -> Context:
    """Returns the context of a user who signed in at an identity provider and has never chosen a password."""
    context, user, now = scenario.context(who), scenario.user(who), clock.now()
    async with scenario.database.writing() as session:
        await session.execute(update(User).where(User.id == user.id).values(has_password=False))
        started = AuthSession(
            provider_id=user.provider_id, user_id=user.id, role=role, started_at=now,
            expires_at=now + dt.timedelta(days=1),
        )  # fmt: skip
        session.add(started)
        await session.flush()
        token = context.services.tokens.sign(user.id, role, started.id)
    await context.set_viewer(context.services.tokens.verify(token))
    assert not context.viewer_or_raise().has_password
    return context


async def mailed_code(scenario: EmptyPortfolio) -> str:
    async with scenario.database.writing() as session:
        statement = select(OutboxMail).where(OutboxMail.kind == "signing_code").order_by(OutboxMail.id)
        *_, mail = await session.scalars(statement)
    sent = scenario.context("assessor").services.one_time_secrets.fill_in(mail.body, mail.to_address)
    (code,) = re.findall(r"^\d{8}$", sent, re.MULTILINE)
    assert code not in mail.body
    return code


async def signed(scenario: EmptyPortfolio) -> int:
    return len(await scenario.rows(UnitSignature))


async def detail_of(scenario: EmptyPortfolio, action: str) -> dict[str, Any]:
    async with scenario.database.writing() as session:
        *_, last = await session.scalars(
            select(AuditEvent.detail).where(AuditEvent.action == action).order_by(AuditEvent.id)
        )
    return last


async def test_a_code_by_mail_confirms_one_signature(scenario: EmptyPortfolio) -> None:
    id, context = await complete(scenario), await without_password(scenario)
    assert re.fullmatch(r"\w…@[\w.]+", await signing_code.request(context))
    code = await mailed_code(scenario)
    wrong = {"password": UserErrorCode.WRONG_PASSWORD}
    for refused in (PASSWORD, "", "00000000", code[:-1], "123456"):
        assert await rejected(unit.sign(context, id=id, password=refused)) == wrong
    assert (await signed(scenario), (await scenario.audit_trail()).count("signingRefused")) == (0, 5)
    await unit.sign(context, id=id, password=f"{code[:4]} {code[4:]}")
    assert (await signed(scenario), (await detail_of(scenario, "unitSign"))["confirmed_by"]) == (1, "code by e-mail")
    assert await rejected(unit.sign(context, id=id, password=code)) == wrong


async def test_a_password_is_recorded_as_such(scenario: EmptyPortfolio) -> None:
    id = await complete(scenario)
    await unit.sign(scenario.context("assessor"), id=id, password=PASSWORD)
    assert (await detail_of(scenario, "unitSign"))["confirmed_by"] == "password"


async def test_a_signature_that_fails_does_not_use_the_code_up(scenario: EmptyPortfolio) -> None:
    id, context = await complete(scenario), await without_password(scenario)
    await signing_code.request(context)
    code = await mailed_code(scenario)
    assert await rejected(unit.sign(context, id=scenario.units[1], password=code)) == {"id": UserErrorCode.INVALID}
    await unit.sign(context, id=id, password=code)
    assert await signed(scenario) == 1


async def test_a_repetition_with_the_same_idempotency_key_gets_the_same_answer(scenario: EmptyPortfolio) -> None:
    id, context = await complete(scenario), await without_password(scenario)
    await signing_code.request(context)
    code = await mailed_code(scenario)

    async def sign() -> Any:
        again = Context(context.services, context.viewer, Client(idempotency_key="once"), context.claims)
        return await unit.sign(again, id=id, password=code)

    answers = [tuple(await sign()) for _ in range(3)]
    assert len(set(answers)) == 1 and await signed(scenario) == 1


async def test_of_ten_uses_at_once_one_signs(scenario: EmptyPortfolio) -> None:
    """Another user's signature of the same unit does not count: the code is used up by one transaction."""
    id, context = await complete(scenario), await without_password(scenario)
    await signing_code.request(context)
    code = await mailed_code(scenario)
    contexts = [Context(context.services, context.viewer, Client(), context.claims) for _ in range(10)]
    done = await asyncio.gather(*(unit.sign(one, id=id, password=code) for one in contexts), return_exceptions=True)
    assert sum(not isinstance(one, DomainError) for one in done) == 1, done
    assert await signed(scenario) == 1


async def test_a_code_is_for_ten_minutes_in_its_session_and_the_last_one_counts(scenario: EmptyPortfolio) -> None:
    id, context = await complete(scenario), await without_password(scenario)
    wrong = {"password": UserErrorCode.WRONG_PASSWORD}
    await signing_code.request(context)
    first = await mailed_code(scenario)
    await signing_code.request(context)
    second = await mailed_code(scenario)
    assert await rejected(unit.sign(context, id=id, password=first)) == wrong
    assert await rejected(unit.sign(await without_password(scenario), id=id, password=second)) == wrong
    colleague = await without_password(scenario, "manager", Role.EMPLOYER_MANAGER)
    assert await rejected(unit.sign(colleague, id=id, password=second)) == wrong
    (row,) = [row for row in await scenario.rows(SigningCode) if row.used_at is None]
    assert row.expires_at - row.issued_at == dt.timedelta(minutes=10)
    async with scenario.database.writing() as session:
        await session.execute(update(SigningCode).values(expires_at=clock.now()))
    assert await rejected(unit.sign(context, id=id, password=second)) == wrong
    assert await signed(scenario) == 0


async def test_guesses_and_requests_are_limited(scenario: EmptyPortfolio) -> None:
    id, context = await complete(scenario), await without_password(scenario)
    for _ in range(5):
        await signing_code.request(context)
    assert await rejected(signing_code.request(context)) == {None: UserErrorCode.TOO_MANY_ATTEMPTS}
    code = await mailed_code(scenario)
    guesses = [await rejected(unit.sign(context, id=id, password=f"{number:08}")) for number in range(11)]
    assert [guess["password"] for guess in guesses] == [UserErrorCode.WRONG_PASSWORD] * 10 + [
        UserErrorCode.TOO_MANY_ATTEMPTS
    ]
    assert await rejected(unit.sign(context, id=id, password=code)) == {"password": UserErrorCode.TOO_MANY_ATTEMPTS}
    async with scenario.database.writing() as session:
        await session.execute(update(SigningCode).values(issued_at=clock.now() - dt.timedelta(hours=1)))
    await signing_code.request(context)


async def test_who_has_a_password_gets_no_code(scenario: EmptyPortfolio) -> None:
    """Nor does a code that they have from before sign for them."""
    id, context = await complete(scenario), await without_password(scenario)
    await signing_code.request(context)
    code = await mailed_code(scenario)
    context.viewer = replace(context.viewer_or_raise(), has_password=True)
    assert await rejected(signing_code.request(context)) == {None: UserErrorCode.INVALID}
    assert await rejected(unit.sign(context, id=id, password=code)) == {"password": UserErrorCode.WRONG_PASSWORD}


async def test_the_database_alone_does_not_give_the_code(scenario: EmptyPortfolio) -> None:
    """All hundred million hashes of a kind that needs no key are computed in a minute: a key is needed."""
    context = await without_password(scenario)
    viewer, tokens = context.viewer_or_raise(), context.services.tokens
    async with scenario.database.writing() as session:
        code = "12345678"
        await store_code(session, tokens, viewer, code, clock.now())
    (row,) = await scenario.rows(SigningCode)
    assert code not in row.code_mac
    assert tokens.is_derived(row.code_mac, "signing code", f"{viewer.auth_session_key}:{code}")
    elsewhere = type(tokens)({"another": b"a" * 32})
    assert not elsewhere.is_derived(row.code_mac, "signing code", f"{viewer.auth_session_key}:{code}")


async def test_an_authenticator_app_confirms_too(scenario: EmptyPortfolio, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set up with a code by e-mail; each of its codes confirms one signature."""
    id, context = await complete(scenario), await without_password(scenario)
    await signing_code.request(context)
    begun = await second_factor.enrol(context, password=await mailed_code(scenario))
    app = pyotp.parse_uri(str(begun.uri))
    await second_factor.confirm(context, code=app.now())
    wrong = {"password": UserErrorCode.WRONG_PASSWORD}
    assert await rejected(unit.sign(context, id=id, password=app.now())) == wrong
    later = clock.now() + dt.timedelta(seconds=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    await unit.sign(context, id=id, password=app.at(later))
    assert (await detail_of(scenario, "unitSign"))["confirmed_by"] == "authenticator"
    assert await rejected(unit.sign(context, id=id, password=app.at(later))) == wrong


async def test_an_invited_person_has_no_password_until_they_choose_one(scenario: EmptyPortfolio) -> None:
    context = await without_password(scenario)
    async with scenario.database.writing() as session:
        account = await account_by_user(session, context.viewer_or_raise().user_key)
        assert account is not None
        account.user.must_change_password = True
    await context.reload_viewer()
    assert not context.viewer_or_raise().must_change_password

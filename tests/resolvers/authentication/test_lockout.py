"""Wrong passwords: who guesses from elsewhere locks nobody out."""

import asyncio

import pytest

from auth.viewer import read_viewer
from db.models.auth_session import LoginAttempt
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import login as authentication
from resolvers.authentication import password
from resolvers.authentication.tokens import Tokens
from resolvers.core.context import Context
from resolvers.core.signing_password import require_signing_password
from tests.resolvers.authentication.test_login import of, rejection
from tests.support.factories import Factory
from tests.support.passwords import cheap_hash
from tests.support.scenarios.base import PASSWORD

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.9"


async def guess(
    context: Context, address: str, times: int = 10, username: str = "ada", **more: str
) -> set[UserErrorCode]:
    """Sends wrong passwords from an address; returns the codes of the answers."""
    guesses = [
        rejection(authentication.login(of(context, address), username=username, password=f"wrong {number}", **more))
        for number in range(times)
    ]
    return {code for code, _ in await asyncio.gather(*guesses)}


async def login(context: Context, address: str, device_token: str | None = None, username: str = "ada") -> Tokens:
    return await authentication.login(
        of(context, address), username=username, password=PASSWORD, device_token=device_token
    )


async def test_guesses_from_elsewhere_do_not_lock_out_a_known_address(context: Context) -> None:
    await login(context, HOME)
    assert await guess(context, ELSEWHERE, 12) == {UserErrorCode.WRONG_PASSWORD, UserErrorCode.TOO_MANY_ATTEMPTS}
    await login(context, HOME)
    # A client that the account does not know is locked out, right or wrong.
    with pytest.raises(DomainError):
        await login(context, "203.0.113.7")


async def test_guesses_do_not_lock_out_a_known_device(context: Context) -> None:
    """Also where the guesses come from the same address, and where the device is at a new one."""
    device = (await login(context, HOME)).device_token
    assert device is not None
    await guess(context, HOME)
    await guess(context, ELSEWHERE)
    with pytest.raises(DomainError):
        await login(context, HOME)
    for address in (HOME, ELSEWHERE, "203.0.113.7"):
        assert (await login(context, address, device)).device_token == device


async def test_a_known_client_has_ten_guesses_too(context: Context) -> None:
    device = (await login(context, HOME)).device_token
    assert device is not None
    for more in ({}, {"device_token": device}):
        assert await guess(context, HOME, 10, **more) == {UserErrorCode.WRONG_PASSWORD}
        assert await guess(context, HOME, 1, **more) == {UserErrorCode.TOO_MANY_ATTEMPTS}


@pytest.mark.parametrize("forged", ["", ".", "made.up", "x" * 5000, "é.é", "another's", "reversed"])
async def test_a_forged_device_token_is_that_of_a_stranger(context: Context, forged: str) -> None:
    if forged == "another's":
        async with context.services.database.writing() as session:
            factory = Factory(session)
            provider = await factory.provider("Elsewhere")
            hashed = cheap_hash(PASSWORD)
            await factory.user(provider, "Bo", Role.ASSESSOR, username="bo", password_hash=hashed)
        forged = (await login(context, HOME, username="bo")).device_token or ""
    if forged == "reversed":
        forged = ".".join(reversed(((await login(context, HOME)).device_token or "").split(".")))
    await guess(context, ELSEWHERE)
    assert await guess(context, ELSEWHERE, 1, device_token=forged) == {UserErrorCode.TOO_MANY_ATTEMPTS}


async def test_two_hundred_wrong_passwords_behind_one_proxy_lock_out_nobody_who_is_right(context: Context) -> None:
    """None of them has signed in before; guesses at one account from there are fewer from then on."""
    async with context.services.database.writing() as session:
        factory, hashed = Factory(session), cheap_hash(PASSWORD)
        provider = await factory.provider("College")
        for number in range(5):
            await factory.user(
                provider, f"Person {number}", Role.ASSESSOR, username=f"person {number}", password_hash=hashed
            )
        session.add_all(LoginAttempt(subject=f"address:{HOME}", at=factory.now) for _ in range(200))
    for number in range(5):
        await login(context, HOME, username=f"person {number}")
    codes = [await guess(context, HOME, 1, username="nobody") for _ in range(4)]
    assert codes == [{UserErrorCode.WRONG_PASSWORD}] * 3 + [{UserErrorCode.TOO_MANY_ATTEMPTS}]


async def test_signing_counts_per_session(context: Context) -> None:
    """Neither guesses at the login nor those in another session stop an assessor from signing."""

    async def signer() -> Context:
        tokens = await login(context, HOME)
        signing = of(context, HOME)
        signing.claims = context.services.tokens.verify(tokens.access_token)
        signing.viewer = await read_viewer(context.services.database, signing.claims)
        return signing

    mine, stolen = await signer(), await signer()
    await guess(context, HOME)
    await guess(context, ELSEWHERE)
    codes = [
        (await rejection(require_signing_password(stolen, f"wrong {number}", "unitSign")))[0] for number in range(12)
    ]
    assert codes == [UserErrorCode.WRONG_PASSWORD] * 10 + [UserErrorCode.TOO_MANY_ATTEMPTS] * 2
    await require_signing_password(mine, PASSWORD, "unitSign")
    await password.change(mine, current_password=PASSWORD, new_password="another bird altogether")


async def test_a_stranger_and_a_wrong_password_cost_the_same(context: Context) -> None:
    """The same rows are written, whether or not there is such an account."""
    await guess(context, HOME, 1, username="ada")
    known = await context.services.database.rows(LoginAttempt.__table__.select())
    await guess(context, HOME, 1, username="nobody")
    both = await context.services.database.rows(LoginAttempt.__table__.select())
    kinds = [row.subject.partition(":")[0] for row in both]
    assert kinds[: len(known)] == kinds[len(known) :] == ["account", "pair", "address"]

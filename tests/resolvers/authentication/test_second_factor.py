"""A second factor: set up, used at the login, recovered, removed, and required by the provider."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import select, text

from auth import tokens
from auth.seals import Seals
from auth.second_factor import seal_again
from auth.viewer import SetupRequired
from db.models.outbox import OutboxMail
from db.models.provider import Provider
from db.models.second_factor import SecondFactor
from domain import clock
from domain.enums import Role, UserErrorCode
from domain.errors import DomainError
from resolvers.authentication import login as authentication
from resolvers.authentication import password, second_factor
from resolvers.authentication.second_factor import SecondFactorRequired
from resolvers.core.context import Client, Context
from tests.resolvers.authentication.test_login import of, rejection
from tests.resolvers.authentication.test_password import ask_for_link, links
from tests.support.scenarios.base import PASSWORD


class Clock:
    """The time of the server, which a test moves on."""

    def __init__(self) -> None:
        self.time = clock.now()

    def __call__(self) -> dt.datetime:
        return self.time

    def next_code(self) -> None:
        self.time += dt.timedelta(seconds=30)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    moving = Clock()
    monkeypatch.setattr(clock, "now", moving)
    # Tokens are issued at the moved time and checked at the real one.
    monkeypatch.setattr(tokens, "CLOCK_LEEWAY", dt.timedelta(hours=1))
    yield moving


class App:
    """An authenticator app, which knows what the QR code says."""

    def __init__(self, uri: str | None, time: Clock) -> None:
        assert uri is not None
        self.totp, self.time = pyotp.parse_uri(uri), time

    def code(self, steps: int = 0) -> str:
        return self.totp.at(self.time() + dt.timedelta(seconds=30 * steps))


async def enrolled(context: Context, time: Clock) -> tuple[App, tuple[str, ...]]:
    """Signs in, sets up a second factor and returns the app and the recovery codes."""
    await authentication.login(context, username="ada", password=PASSWORD)
    app = App((await second_factor.enrol(context, password=PASSWORD)).uri, time)
    codes = (await second_factor.confirm(context, code=app.code())).recovery_codes
    time.next_code()
    return app, codes


async def login(context: Context, code: str | None = None, address: str = "192.0.2.1", **more: str) -> Context:
    other = Context(context.services, client=Client(address=address))
    await authentication.login(other, username="ada", **{"password": PASSWORD, "code": code, **more})
    return other


async def mails(context: Context) -> list[str]:
    async with context.services.database.writing() as session:
        return list(await session.scalars(select(OutboxMail.body).order_by(OutboxMail.id)))


async def test_the_uri_is_what_authenticator_apps_read(context: Context, time: Clock) -> None:
    await authentication.login(context, username="ada", password=PASSWORD)
    uri = (await second_factor.enrol(context, password=PASSWORD)).uri
    assert uri is not None
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Waymark:ada")
    query = parse_qs(parts.query)
    assert query["issuer"] == ["Waymark"] and len(query["secret"][0]) == 32


async def test_a_login_needs_a_code_once_the_factor_is_confirmed(context: Context, time: Clock) -> None:
    await authentication.login(context, username="ada", password=PASSWORD)
    app = App((await second_factor.enrol(context, password=PASSWORD)).uri, time)
    assert not (await login(context)).viewer_or_raise().has_second_factor
    codes = (await second_factor.confirm(context, code=app.code())).recovery_codes
    assert context.viewer_or_raise().has_second_factor
    assert len(set(codes)) == 10 and all(len(code) == 19 for code in codes)
    with pytest.raises(SecondFactorRequired):
        await login(context)
    time.next_code()
    assert (await login(context, app.code())).viewer_or_raise().name == "Ada"
    assert "set up" in (await mails(context))[-1]


async def test_without_the_password_a_code_says_nothing(context: Context, time: Clock) -> None:
    app, codes = await enrolled(context, time)
    answers = {
        await rejection(login(context, code, password="not this one"))
        for code in (None, "000000", app.code(), codes[0])
    }
    assert answers == {(UserErrorCode.WRONG_PASSWORD, "The username or the password is wrong.")}
    await login(context, app.code())


@pytest.mark.parametrize("late", [-1, 0, 1])
async def test_a_clock_may_be_one_step_off_and_no_more(context: Context, time: Clock, late: int) -> None:
    app, _ = await enrolled(context, time)
    time.next_code()
    time.next_code()
    code, _ = await rejection(login(context, app.code(2 if late > 0 else -2)))
    assert code is UserErrorCode.WRONG_PASSWORD
    await login(context, app.code(late))


async def test_a_code_is_used_once_also_by_ten_at_once(context: Context, time: Clock) -> None:
    app, codes = await enrolled(context, time)

    async def attempt(code: str) -> bool:
        try:
            await login(context, code)
        except DomainError:
            return False
        return True

    for code in (app.code(), codes[3]):
        # Ten of them are checked at all: each counts as wrong until it was right.
        assert sum(await asyncio.gather(*(attempt(code) for _ in range(10)))) == 1
        time.time += dt.timedelta(minutes=6)
    assert not await attempt(codes[3].lower().replace("-", ""))
    assert await attempt(codes[4].lower().replace("-", ""))


async def test_an_earlier_code_than_the_last_one_is_refused(context: Context, time: Clock) -> None:
    app, _ = await enrolled(context, time)
    await login(context, app.code(1))
    assert (await rejection(login(context, app.code())))[0] is UserErrorCode.WRONG_PASSWORD


async def test_wrong_codes_are_counted_for_the_account(context: Context, time: Clock) -> None:
    app, codes = await enrolled(context, time)
    guesses = [(await rejection(login(context, f"{number:06}", f"198.51.100.{number}")))[0] for number in range(12)]
    assert guesses == [UserErrorCode.WRONG_PASSWORD] * 10 + [UserErrorCode.TOO_MANY_ATTEMPTS] * 2
    for right in (app.code(), codes[0]):
        assert (await rejection(login(context, right)))[0] is UserErrorCode.TOO_MANY_ATTEMPTS
    time.time += dt.timedelta(minutes=5, seconds=1)
    await login(context, app.code())


async def test_a_recovery_code_that_is_used_is_mailed(context: Context, time: Clock) -> None:
    _, codes = await enrolled(context, time)
    await login(context, codes[0])
    assert "You have 9 left" in (await mails(context))[-1]


async def test_the_database_holds_neither_the_secret_nor_the_codes(context: Context, time: Clock) -> None:
    app, codes = await enrolled(context, time)
    cells = []
    for table in ("second_factor", "recovery_code", "audit_event", "outbox_mail"):
        cells += [
            str(cell) for row in await context.services.database.rows(text(f"select * from {table}")) for cell in row
        ]
    words = [app.totp.secret, *codes, *(code.replace("-", "") for code in codes)]
    assert cells and not [word for word in words if any(word in cell for cell in cells)]


async def test_a_sealed_secret_opens_for_its_owner_and_with_its_key_only(context: Context) -> None:
    old, new = b"o" * 32, b"n" * 32
    sealed = Seals({"old": old}).seal("secret", "Ada")
    both = Seals({"new": new, "old": old})
    assert both.unseal(sealed, "Ada") == "secret" and not both.is_current(sealed)
    assert both.unseal(sealed, "Ben") is None
    assert Seals({"new": new}).unseal(sealed, "Ada") is None
    assert Seals({"old": new}).unseal(sealed, "Ada") is None
    assert both.unseal(sealed[:-4] + "AAAA", "Ada") is None and both.unseal("old.", "Ada") is None


async def test_keys_rotate(context: Context, time: Clock) -> None:
    """A login, or the command, seals a secret with the newest key; after that the old key can go."""
    app, codes = await enrolled(context, time)
    signer, database = context.services.tokens, context.services.database
    signer.seals = Seals({"next": b"n" * 32, "test": b"t" * 32})
    await login(context, app.code())
    signer.seals = Seals({"next": b"n" * 32})
    time.next_code()
    await login(context, app.code())
    async with database.writing() as session:
        assert await seal_again(session, Seals({"last": b"l" * 32, "next": b"n" * 32})) == (1, 0)
        assert await seal_again(session, Seals({"later": b"r" * 32})) == (0, 1)
    signer.seals = Seals({"lost": b"x" * 32})
    time.next_code()
    assert (await rejection(login(context, app.code())))[0] is UserErrorCode.WRONG_PASSWORD
    await login(context, codes[0])


async def test_enrolment_needs_the_password_and_begins_again(context: Context, time: Clock) -> None:
    await authentication.login(context, username="ada", password=PASSWORD)
    assert (await rejection(second_factor.enrol(context, password="wrong")))[0] is UserErrorCode.WRONG_PASSWORD
    assert (await rejection(second_factor.confirm(context, code="123456")))[0] is UserErrorCode.CONFLICT
    first = App((await second_factor.enrol(context, password=PASSWORD)).uri, time)
    second = App((await second_factor.enrol(context, password=PASSWORD)).uri, time)
    assert (await rejection(second_factor.confirm(context, code=first.code())))[0] is UserErrorCode.WRONG_PASSWORD
    await second_factor.confirm(context, code=second.code())
    for again in (second_factor.enrol(context, password=PASSWORD), second_factor.confirm(context, code="123456")):
        assert (await rejection(again))[0] is UserErrorCode.CONFLICT


async def test_it_is_removed_with_a_code_only(context: Context, time: Clock) -> None:
    app, _ = await enrolled(context, time)
    assert (await rejection(second_factor.remove(context, code=PASSWORD)))[0] is UserErrorCode.WRONG_PASSWORD
    await second_factor.remove(context, code=app.code())
    assert not context.viewer_or_raise().has_second_factor
    assert "removed" in (await mails(context))[-1]
    await login(context)
    for table in ("second_factor", "recovery_code"):
        assert await context.services.database.rows(text(f"select * from {table}")) == []


async def test_a_reset_password_does_not_get_past_the_factor(context: Context, time: Clock) -> None:
    app, _ = await enrolled(context, time)
    await ask_for_link(context, "ada")
    other = of(context, "192.0.2.1")
    got = await password.reset(other, token=(await links(context))[-1], new_password="quiet rivers of the north")
    assert (got.access_token, got.refresh_token, got.second_factor_required) == (None, None, True)
    assert other.viewer is None
    with pytest.raises(SecondFactorRequired):
        await login(context, password="quiet rivers of the north")
    await login(context, app.code(), password="quiet rivers of the north")


async def require(context: Context, *roles: Role) -> None:
    async with context.services.database.writing() as session:
        (provider,) = await session.scalars(select(Provider))
        provider.require_second_factor = [role.value for role in roles]


async def test_a_required_factor_comes_before_everything_else(context: Context, time: Clock) -> None:
    """From the next request on, also for tokens that were issued before; in the required roles only."""
    await authentication.login(context, username="ada", password=PASSWORD)
    await require(context, Role.ASSESSOR, Role.MASTER_ADMIN)
    await context.reload_viewer()
    for blocked in (lambda: context.loaders, context.require_active_viewer):
        with pytest.raises(SetupRequired) as caught:
            blocked()
        assert caught.value.code == "SECOND_FACTOR_REQUIRED"
    assert not await context.still_signed_in()
    in_other_role = of(context, "192.0.2.1")
    await authentication.login(in_other_role, username="ada", password=PASSWORD, role=Role.IQA)
    assert in_other_role.require_active_viewer()
    app = App((await second_factor.enrol(context, password=PASSWORD)).uri, time)
    await context.reload_viewer()
    with pytest.raises(SetupRequired):
        context.require_active_viewer()
    await second_factor.confirm(context, code=app.code())
    assert context.require_active_viewer() and context.loaders
    time.next_code()
    await second_factor.remove(context, code=app.code())
    with pytest.raises(SetupRequired):
        context.require_active_viewer()


async def test_an_unconfirmed_factor_protects_nothing(context: Context, time: Clock) -> None:
    await authentication.login(context, username="ada", password=PASSWORD)
    app = App((await second_factor.enrol(context, password=PASSWORD)).uri, time)
    assert (await rejection(second_factor.remove(context, code=app.code())))[0] is UserErrorCode.CONFLICT
    async with context.services.database.writing() as session:
        (factor,) = await session.scalars(select(SecondFactor))
        assert factor.confirmed_at is None
    await login(context)

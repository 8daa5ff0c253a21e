"""The employer app and an identity provider: signing in there, a second factor here, signing without a password."""

import asyncio
import re
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default

import pyotp
import pytest
from playwright.async_api import expect
from sqlalchemy import select, update

from auth import second_factor
from db.models.user import User
from domain import clock
from tests.support.http_server import PASSWORD, RunningServer
from tests.support.identity_login import configure
from tests.support.openid_provider import OpenIdProvider
from tests.system.browser.conftest import Open
from tests.system.browser.test_signing import go_to_document, open_document

BUTTON = "Sign in with Hill accounts"


@pytest.fixture
async def openid(own_running: RunningServer) -> AsyncIterator[OpenIdProvider]:
    """The identity provider at which the Employer Manager of the demo, who has no password, signs in."""
    services = own_running.server.services
    async with OpenIdProvider(f"{own_running.address}/kpi/") as openid:
        await configure(services.database, services.tokens.seals, 1, openid)
        async with services.database.writing() as session:
            user = (await session.scalars(select(User).where(User.username == "employer.manager"))).one()
            user.has_password = False
        openid.tell(person={"sub": "helen", "email": user.email, "email_verified": True})
        yield openid


async def mailed(running: RunningServer, subject: str) -> str:
    """Waits for the e-mail with that subject, and returns its text: the outbox keeps no code that was sent."""
    async with asyncio.timeout(30):
        while True:
            for path in running.server.settings.mail_folder.glob("*.eml"):
                mail = message_from_bytes(path.read_bytes(), policy=default)
                if mail["Subject"] == subject:
                    return "\n".join(mail.get_content().splitlines())
            await asyncio.sleep(0.05)


@pytest.mark.long
async def test_who_has_no_password_signs_in_and_signs(
    own_running: RunningServer, openid: OpenIdProvider, open_app: Open
) -> None:
    visit = await open_app(own_running)
    page = visit.page
    await page.get_by_role("button", name=BUTTON).click()
    await expect(visit.heading("Overview")).to_be_visible()
    await visit.is_live()
    assert "code=" not in page.url and "state=" not in page.url
    # As Employer Overview, which is refused, then as Employer Manager, with one exchange.
    assert visit.names().count("sign_in_with_provider") == 2 and openid.requests.count("token") == 1
    await go_to_document(visit)
    await open_document(page)
    await page.get_by_label("I have read this document and sign it.").check()
    await page.get_by_role("button", name="Sign the document").click()
    await expect(page.get_by_role("alert")).to_have_text("Please enter the code.")
    await page.get_by_role("button", name="Send me a code").click()
    await expect(page.get_by_text("A code was sent to")).to_be_visible()
    (code,) = re.findall(r"^\d{8}$", await mailed(own_running, "Your code to sign in Waymark"), re.MULTILINE)
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Sign the document").click()
    await expect(page.get_by_text("You have signed").first).to_be_visible()
    await visit.go("account", "Your account")
    await expect(page.get_by_text("You have no password")).to_be_visible()


@pytest.mark.long
async def test_a_second_factor_is_entered_after_the_return(
    own_running: RunningServer, openid: OpenIdProvider, open_app: Open
) -> None:
    services = own_running.server.services
    async with services.database.writing() as session:
        user = (await session.scalars(select(User).where(User.username == "employer.manager"))).one()
        secret = await second_factor.begin(session, services.tokens.seals, user, clock.now())
        await session.flush()
        factor = await second_factor.second_factor_of(session, user.id)
        assert factor is not None
        await second_factor.confirm(session, factor, clock.now())
    visit = await open_app(own_running)
    await visit.page.get_by_role("button", name=BUTTON).click()
    await visit.page.get_by_label("Code").fill("000000")
    await visit.page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(visit.page.get_by_role("alert")).to_contain_text("This code is wrong")
    await visit.page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    await visit.page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(visit.heading("Overview")).to_be_visible()


@pytest.mark.long
async def test_a_return_that_was_not_begun_here_signs_nobody_in(
    own_running: RunningServer, openid: OpenIdProvider, open_app: Open
) -> None:
    visit = await open_app(own_running)
    await visit.page.goto(f"{own_running.address}/kpi/?code=theirs&state=theirs")
    await expect(visit.page.get_by_role("alert")).to_contain_text("not begun in this window")
    assert "sign_in_with_provider" not in visit.names()
    openid.tell(person={"sub": "stranger", "email": "stranger@example.org", "email_verified": True})
    await visit.page.get_by_role("button", name=BUTTON).click()
    await expect(visit.page.get_by_role("alert")).to_contain_text("No account here fits this sign-in")


@pytest.mark.long
async def test_the_training_provider_is_chosen_where_a_password_is_right_at_two(
    own_running: RunningServer, open_app: Open
) -> None:
    async with own_running.server.services.database.writing() as session:
        own = (await session.scalars(select(User).where(User.username == "employer.manager"))).one()
        # The demo's second provider has a Master Admin only.
        other = select(User.id).where(User.provider_id != own.provider_id).limit(1)
        same = {"username": own.username, "password_hash": own.password_hash, "archived_at": None}
        await session.execute(update(User).where(User.id == other.scalar_subquery()).values(same))
    visit = await open_app(own_running)
    await visit.fill_in("employer.manager")
    choice = visit.page.get_by_label("Training provider")
    await expect(choice).to_be_visible()
    names = await choice.locator("option").all_inner_texts()
    assert len(names) == 2
    async with own_running.anonymous() as client:
        login = {"username": "employer.manager", "password": PASSWORD}
        assert (await client.payload("login", input=login))["trainingProviders"] == names
    await choice.select_option(names[0])
    await visit.page.get_by_label("Password").fill(PASSWORD)
    await visit.page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(visit.heading("Overview")).to_be_visible()

"""Signing in to the employer app: roles, the required steps of a new user, tokens in two tabs, signing out."""

import pyotp
import pytest
from playwright.async_api import expect
from sqlalchemy import update

from db.models.auth_session import AuthSession
from db.models.provider import Provider
from db.models.user import User
from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.conftest import Open


async def test_wrong_password_shows_an_error(running: RunningServer, open_app: Open):
    visit = await open_app(running)
    await visit.fill_in("employer.manager", "not the password")
    await expect(visit.page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    await expect(visit.page.get_by_label("Password")).to_be_focused()
    await expect(visit.page.get_by_label("Password")).to_have_value("")


@pytest.mark.long
async def test_other_role_gets_an_error_and_no_session(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running)
    for username in ("learner", "assessor", "master.admin"):
        await visit.page.get_by_label("Username").fill("")
        await visit.fill_in(username)
        await expect(visit.page.get_by_role("alert")).to_contain_text("This app is for employers.")
        assert await visit.stored("session") == {}
    async with own_running.server.services.database.writing() as session:
        assert (await session.execute(AuthSession.__table__.select())).all() == []


@pytest.mark.long
async def test_session_survives_a_reload(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    await visit.page.reload()
    await expect(visit.heading("Overview")).to_be_visible()
    assert visit.names().count("sign_in") == 2  # As Employer Overview, which is refused, then as Employer Manager.


async def test_new_user_changes_the_password_and_accepts_the_disclaimer(own_running: RunningServer, open_app: Open):
    async with own_running.server.services.database.writing() as session:
        values = {"must_change_password": True, "disclaimer_accepted": 0}
        await session.execute(update(User).where(User.username == "employer.manager").values(values))
    visit = await open_app(own_running)
    page = visit.page
    await visit.fill_in("employer.manager")
    await expect(visit.heading("Choose a password")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_have_count(0)

    await page.get_by_label("Current password").fill("not it")
    await page.get_by_label("New password", exact=True).fill("three-mile-towpath-9")
    await page.get_by_label("New password again").fill("three-mile-towpath-8")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_have_text("This does not match the new password.")
    await page.get_by_label("New password again").fill("three-mile-towpath-9")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_have_text("This is not your current password.")
    await expect(page.get_by_label("Current password")).to_be_focused()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Change password").click()

    await expect(visit.heading("Please read this first")).to_be_visible()
    async with own_running.signed_in("employer.manager", "three-mile-towpath-9") as manager:
        disclaimer = (await manager.data("{ viewer { disclaimer } }"))["viewer"]["disclaimer"]
    assert " ".join(await visit.texts(".prose p")) == " ".join(disclaimer.split())
    await page.get_by_role("button", name="I have read and accept this").click()
    await expect(visit.heading("Overview")).to_be_visible()
    await visit.is_live()


@pytest.mark.long
async def test_a_required_second_factor_is_set_up_and_asked_for(own_running: RunningServer, open_app: Open):
    async with own_running.server.services.database.writing() as session:
        await session.execute(update(Provider).values(require_second_factor=["EMPLOYER_MANAGER"]))
    visit = await open_app(own_running)
    page = visit.page
    await visit.fill_in("employer.manager")
    await expect(visit.heading("Set up a second step")).to_be_visible()
    await page.get_by_label("Password").fill("not it")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("alert")).to_contain_text("This is not your password")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Continue").click()
    uri = await page.get_by_role("link", name="Open your authenticator app").get_attribute("href")
    app = pyotp.parse_uri(uri or "")
    await page.get_by_label("Code").fill(app.now())
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.locator(".codes li")).to_have_count(10)
    first = await page.locator(".codes li").first.inner_text()
    await page.get_by_role("button", name="I have written them down").click()
    await expect(visit.heading("Overview")).to_be_visible()
    await page.get_by_role("link", name="Your account").click()
    await page.get_by_role("button", name="Sign out").click()

    await visit.fill_in("employer.manager")
    await expect(page.get_by_role("alert")).to_contain_text("Enter the code of your authenticator app")
    await expect(page.get_by_label("Code")).to_be_focused()
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("This code is wrong")
    await page.get_by_label("Code").fill(first)
    await page.get_by_role("button", name="Sign in").click()
    await expect(visit.heading("Overview")).to_be_visible()


@pytest.mark.long
async def test_two_tabs_refresh_an_expired_token_once(running: RunningServer, open_app: Open):
    one = await open_app(running, "employer.overview")
    other_page = await one.context.new_page()
    other = type(one)(one.context, other_page, running.address)
    await other.start()
    await other.is_live()

    for visit in (one, other):
        # Each tab has an expired access token; the device has a valid refresh token.
        await visit.page.evaluate(
            """async () => {
                const { session } = await import("/kpi/js/session.js");
                const { write } = await import("/kpi/js/storage.js");
                session.accessToken = "expired";
                await write("session", "current", session);
            }"""
        )
    one.expected = other.expected = "401"
    await one.page.evaluate("document.querySelector('.refresh').click()")
    await other.page.evaluate("document.querySelector('.refresh').click()")
    for visit in (one, other):
        await expect(visit.page.locator("#announcement")).to_have_text("Up to date.")
        await expect(visit.heading("Overview")).to_be_visible()
    assert [*one.names(), *other.names()].count("token_refresh") == 1
    stored = await one.stored("session")
    assert stored["current"]["accessToken"] != "expired"


@pytest.mark.long
async def test_session_that_was_ended_elsewhere_ends_in_the_app(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager")
    visit.expected = "401"
    async with own_running.signed_in("employer.manager") as manager:
        changed = await manager.data(
            "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { errors { message } } }",
            input={"currentPassword": PASSWORD, "newPassword": "three-mile-towpath-9"},
        )
        assert changed["passwordChange"]["errors"] == []
    # The button is gone if a stream has ended the session already.
    await visit.page.evaluate("document.querySelector('.refresh')?.click()")
    await expect(visit.page.get_by_text("You have been signed out. Please sign in again.")).to_be_visible()
    assert await visit.stored("answers") == {}


@pytest.mark.long
async def test_sign_out_deletes_stored_data_in_every_tab_and_ends_the_session(running: RunningServer, open_app: Open):
    one = await open_app(running, "employer.overview")
    other = type(one)(one.context, await one.context.new_page(), running.address)
    await other.start()
    await other.is_live()
    stored = await one.stored("session")
    assert await one.stored("answers")

    await one.page.get_by_role("link", name="Your account").click()
    async with one.page.expect_response(lambda response: "log_out" in (response.request.post_data or "")) as log_out:
        await one.page.get_by_role("button", name="Sign out").click()
    assert (await (await log_out.value).json())["data"]["logout"]["errors"] == []
    for visit in (one, other):
        await expect(visit.page.get_by_label("Username")).to_be_visible()
        await expect(visit.page.get_by_role("navigation")).to_have_count(0)
        assert await visit.stored("session") == {}
        assert await visit.stored("answers") == {}
    async with running.anonymous() as stranger:
        stranger.use(stored["current"])
        response = await stranger.post("{ viewer { role } }")
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

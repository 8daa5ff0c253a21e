"""Signing in to the employer app: who gets in, what a new login does first, tokens over two tabs, and signing out."""

from playwright.async_api import expect
from sqlalchemy import update

from db.models.registry import AuthSession, User
from tests.support.http_server import PASSWORD, Running
from tests.system.browser.conftest import Open


async def test_a_wrong_password_is_said_in_place(running: Running, open_app: Open):
    visit = await open_app(running)
    await visit.fill_in("employer.manager", "not the password")
    await expect(visit.page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    await expect(visit.page.get_by_label("Password")).to_be_focused()
    await expect(visit.page.get_by_label("Password")).to_have_value("")


async def test_another_role_gets_a_sentence_and_no_sign_in(own_running: Running, open_app: Open):
    visit = await open_app(own_running)
    for username in ("learner", "assessor", "master.admin"):
        await visit.page.get_by_label("Username").fill("")
        await visit.fill_in(username)
        await expect(visit.page.get_by_role("alert")).to_contain_text("This app is for employers.")
        assert await visit.kept("session") == {}
    async with own_running.server.services.database.writing() as session:
        assert (await session.execute(AuthSession.__table__.select())).all() == []


async def test_the_sign_in_lasts_over_a_reload(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    await visit.page.reload()
    await expect(visit.heading("At a glance")).to_be_visible()
    assert visit.names().count("sign_in") == 2  # as Employer Overview, which she is not; then as Employer Manager


async def test_a_new_login_chooses_a_password_and_accepts_the_disclaimer(own_running: Running, open_app: Open):
    async with own_running.server.services.database.writing() as session:
        new = {"must_change_password": True, "disclaimer_accepted": 0}
        await session.execute(update(User).where(User.username == "employer.manager").values(new))
    visit = await open_app(own_running)
    page = visit.page
    await visit.fill_in("employer.manager")
    await expect(visit.heading("Choose a password")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_have_count(0)

    await page.get_by_label("Current password").fill("not it")
    await page.get_by_label("New password", exact=True).fill("three-mile-waymark-9")
    await page.get_by_label("New password again").fill("three-mile-waymark-8")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_have_text("This is not the same as the one above.")
    await page.get_by_label("New password again").fill("three-mile-waymark-9")
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_role("alert")).to_have_text("This is not your current password.")
    await expect(page.get_by_label("Current password")).to_be_focused()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_role("button", name="Change password").click()

    await expect(visit.heading("Please read this first")).to_be_visible()
    async with own_running.person("employer.manager", "three-mile-waymark-9") as manager:
        words = (await manager.data("{ viewer { disclaimer } }"))["viewer"]["disclaimer"]
    assert " ".join(await visit.texts(".prose p")) == " ".join(words.split())
    await page.get_by_role("button", name="I have read and accept this").click()
    await expect(visit.heading("At a glance")).to_be_visible()
    await visit.is_live()


async def test_two_tabs_whose_token_ran_out_renew_it_once(running: Running, open_app: Open):
    one = await open_app(running, "employer.overview")
    other_page = await one.context.new_page()
    other = type(one)(one.context, other_page, running.address)
    await other.start()
    await other.is_live()

    for visit in (one, other):
        # In each tab's hands is a token that is no longer good; on the device the refresh token is.
        await visit.page.evaluate(
            """async () => {
                const { session } = await import("/kpi/js/session.js");
                const { keep } = await import("/kpi/js/kept.js");
                session.accessToken = "no longer good";
                await keep("session", "current", session);
            }"""
        )
    one.expected = other.expected = "401"
    await one.page.evaluate("document.querySelector('.refresh').click()")
    await other.page.evaluate("document.querySelector('.refresh').click()")
    for visit in (one, other):
        await expect(visit.page.locator("#said")).to_have_text("Up to date.")
        await expect(visit.heading("At a glance")).to_be_visible()
    assert [*one.names(), *other.names()].count("token_refresh") == 1
    kept = await one.kept("session")
    assert kept["current"]["accessToken"] != "no longer good"


async def test_a_sign_in_that_has_ended_elsewhere_ends_here(own_running: Running, open_app: Open):
    visit = await open_app(own_running, "employer.manager")
    visit.expected = "401"
    async with own_running.person("employer.manager") as manager:
        changed = await manager.data(
            "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { errors { message } } }",
            input={"currentPassword": PASSWORD, "newPassword": "three-mile-waymark-9"},
        )
        assert changed["passwordChange"]["errors"] == []
    await visit.page.get_by_role("button", name="Refresh").click()
    await expect(visit.page.get_by_text("Your sign-in has ended. Please sign in again.")).to_be_visible()
    assert await visit.kept("answers") == {}


async def test_signing_out_wipes_the_device_in_every_tab_and_ends_the_sign_in(running: Running, open_app: Open):
    one = await open_app(running, "employer.overview")
    other = type(one)(one.context, await one.context.new_page(), running.address)
    await other.start()
    await other.is_live()
    kept = await one.kept("session")
    assert await one.kept("answers")

    await one.page.get_by_role("link", name="Your account").click()
    async with one.page.expect_response(lambda answer: "log_out" in (answer.request.post_data or "")) as told:
        await one.page.get_by_role("button", name="Sign out").click()
    assert (await (await told.value).json())["data"]["logout"]["errors"] == []
    for visit in (one, other):
        await expect(visit.page.get_by_label("Username")).to_be_visible()
        await expect(visit.page.get_by_role("navigation")).to_have_count(0)
        assert await visit.kept("session") == {}
        assert await visit.kept("answers") == {}
    async with running.stranger() as stranger:
        stranger.use(kept["current"])
        answer = await stranger.post("{ viewer { role } }")
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

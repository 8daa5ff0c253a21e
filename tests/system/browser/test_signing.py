"""Signing a document in the employer app, and every error on the way."""

import hashlib

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select, update

from db.models.signature_request import SignatureSlot
from db.models.user import User
from domain import clock, global_id
from domain.enums import Role
from queries.operations import get_operation
from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from tests.system.browser.other_users import do, learner_id, request_signature

# tests/system/browser/test_offline.py has the service worker, and others.
INSTALLS = False
TITLE = "Training plan: change of hours"


async def go_to_document(visit: Visit, title: str = TITLE) -> Page:
    await visit.page.get_by_role("navigation").get_by_role("link", name="To sign").click()
    await visit.page.get_by_role("link", name=title).click()
    await expect(visit.heading(title)).to_be_visible()
    return visit.page


async def open_document(page: Page) -> bytes:
    async with page.expect_response("**/downloads/*") as answering:
        await page.get_by_role("button", name="Open the document").click()
    await expect(page.locator(".reader-pages")).to_be_visible()
    return await (await answering.value).body()


async def sign(page: Page, password: str = PASSWORD) -> None:
    await page.get_by_label("I have read this document and sign it.").check()
    await page.get_by_label("Your password").fill(password)
    await page.get_by_role("button", name="Sign the document").click()


async def test_document_is_opened_and_signed(own_running: RunningServer, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    before = int(await visit.page.locator(".badge").inner_text())
    waiting = f"{before} document{'' if before == 1 else 's'} waiting"
    await expect(visit.page.get_by_role("link", name=f"To sign {waiting}")).to_be_visible()
    page = await go_to_document(visit)
    content = await open_document(page)
    assert content.startswith(b"%PDF-")
    # It is read on the page: as a picture, and as text for screen readers.
    shown = page.get_by_role("region", name="The document")
    await expect(shown.locator("canvas").first).to_be_visible()
    await expect(shown).to_contain_text("Training plan")
    small = await shown.locator("canvas").first.get_attribute("width")
    await page.get_by_role("button", name="Larger").click()
    await expect(shown.locator("canvas").first).not_to_have_attribute("width", small)
    await sign(page)

    await expect(visit.heading("Documents to sign")).to_be_visible()
    await expect(page.get_by_text(f"You have signed “{TITLE}” for Maya Thornton.").first).to_be_visible()
    await expect(page.get_by_role("link", name=TITLE)).to_have_count(0)
    # How many documents the demo has for them depends on the day.
    left = before - 1
    await expect(page.locator(".badge")).to_have_text([str(left)] if left else [])
    need = {0: "No documents need your signature.", 1: "1 document needs your signature"}
    await expect(page.locator(".result")).to_have_text(need.get(left, f"{left} documents need your signature"))
    # The app has sent the digest of the bytes that it received.
    (request,) = [request for name, request in visit.sent if name == "sign_document"]
    assert request.post_data_json["variables"]["documentSha256"] == hashlib.sha256(content).hexdigest()
    async with own_running.signed_in("employer.manager") as manager:
        slots = "slots { role documentSha256 signedBy { name } }"
        query = (
            f"{{ viewer {{ awaitingSignatureCount signatureRequests(first: 50) {{ nodes {{ title {slots} }} }} }} }}"
        )
        listed = (await manager.data(query))["viewer"]
    assert listed["awaitingSignatureCount"] == before - 1
    (slots,) = [request["slots"] for request in listed["signatureRequests"]["nodes"] if request["title"] == TITLE]
    own_slot = next(slot for slot in slots if slot["role"] == "EMPLOYER_MANAGER")
    assert own_slot["signedBy"] == {"name": "Helen Ashworth"}
    assert own_slot["documentSha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.long
async def test_missing_step_shows_an_error_at_its_field(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = await go_to_document(visit)
    button, alert = page.get_by_role("button", name="Sign the document"), page.get_by_role("alert")
    await button.click()
    await expect(alert).to_have_text("Please open and read the document first.")
    await expect(page.get_by_role("button", name="Open the document")).to_be_focused()
    await open_document(page)
    await button.click()
    await expect(alert).to_have_text("Please tick this box to sign.")
    tick = page.get_by_label("I have read this document and sign it.")
    await expect(tick).to_be_focused()
    await tick.check()
    await button.click()
    await expect(alert).to_have_text("Please enter your password.")
    await expect(page.get_by_label("Your password")).to_be_focused()
    await sign(page, "not the password")
    await expect(alert).to_be_visible()
    (sent,) = [request.post_data_json["variables"] for name, request in visit.sent if name == "sign_document"]
    async with running.signed_in("employer.manager") as manager:
        result = await manager.data(get_operation("sign_document").text, **{**sent, "password": "wrong"})
    (error,) = result["signatureRequestSign"]["errors"]
    assert error["code"] == "WRONG_PASSWORD"
    await expect(alert).to_have_text(error["message"])
    await expect(page.get_by_label("Your password")).to_be_focused()
    await expect(page.get_by_label("Your password")).to_have_value("")
    # The completed steps stay completed.
    await expect(tick).to_be_checked()
    await expect(page.locator(".reader-pages")).to_be_visible()


@pytest.mark.long
async def test_cancelled_request_shows_an_error_and_the_current_state(own_running: RunningServer, open_app: Open):
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await request_signature(assessor, maya, "Change of training days", ["EMPLOYER_MANAGER", "IQA"])
        visit = await open_app(own_running, "employer.manager")
        page = await go_to_document(visit, "Change of training days")
        await open_document(page)
        # The event streams are closed, as if both happened at the same moment.
        await page.evaluate("""async () => {
            Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
        await expect(page.locator(".freshness")).not_to_contain_text("Live")
        await do(assessor, "signatureRequestCancel(id: ID!)", id=request)
        await sign(page)
    await expect(
        page.get_by_text("This request was cancelled, so the document no longer needs your signature.")
    ).to_be_visible()
    await expect(page.get_by_role("button", name="Sign the document")).to_have_count(0)


@pytest.mark.long
async def test_corrupted_download_is_not_signed(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = await go_to_document(visit)
    await page.route("**/downloads/*", lambda route: route.fulfill(body=b"%PDF-1.7 something else"))
    await page.get_by_role("button", name="Open the document").click()
    await expect(page.get_by_role("alert")).to_contain_text("cannot be shown here")
    await expect(page.get_by_role("link", name="Save a copy")).to_be_visible()
    await sign(page)
    await expect(page.get_by_role("alert")).to_have_text(
        "This is not the document that you opened. Open it again, read it, then sign."
    )
    await expect(page.get_by_role("button", name="Open the document")).to_be_visible()
    await expect(page.get_by_label("I have read this document and sign it.")).not_to_be_checked()


@pytest.mark.long
async def test_signing_offline_shows_an_error(running: RunningServer, open_app: Open):
    visit = await open_app(running, "employer.manager")
    visit.expected = "ERR_INTERNET_DISCONNECTED|ERR_FAILED"
    page = await go_to_document(visit)
    await open_document(page)
    await visit.context.set_offline(True)
    await sign(page)
    await expect(page.get_by_text("There is no connection, so nothing was signed.")).to_be_visible()
    await visit.context.set_offline(False)


@pytest.mark.long
async def test_who_may_not_sign_is_shown_why(own_running: RunningServer, open_app: Open):
    """One person signs once: what the mutation would refuse after the password is said before it."""
    title = "Agreed by one person"
    async with own_running.signed_in("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await request_signature(assessor, maya, title, ["EMPLOYER_MANAGER", "LEARNER"])
        key = global_id.decode("SignatureRequest", request)
        visit = await open_app(own_running, "employer.manager")
        async with own_running.server.services.database.writing() as session:
            manager = (await session.scalars(select(User).where(User.username == "employer.manager"))).one()
            signed = {"signed_by_id": manager.id, "signed_at": clock.now()}
            slot = (SignatureSlot.request_id == key, SignatureSlot.role == Role.LEARNER)
            await session.execute(update(SignatureSlot).where(*slot).values(signed))
    page = await go_to_document(visit, title)
    await expect(page.get_by_role("alert")).to_contain_text("You have already signed this as a Learner.")
    await expect(page.get_by_role("button", name="Sign the document")).to_have_count(0)
    await expect(page.get_by_role("button", name="Open the document")).to_be_visible()

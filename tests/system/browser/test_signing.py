"""Signing a document in the employer app, to the end, and everything that can be wrong on the way."""

import hashlib
from pathlib import Path

from playwright.async_api import Page, expect

from queries.operations import get_operation
from tests.support.http_server import PASSWORD, Running
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from tests.system.browser.other_users import ask_to_sign, do, learner_id

TITLE = "Training plan: change of hours"


async def to_document(visit: Visit, title: str = TITLE) -> Page:
    await visit.page.get_by_role("navigation").get_by_role("link", name="To sign").click()
    await visit.page.get_by_role("link", name=title).click()
    await expect(visit.heading(title)).to_be_visible()
    return visit.page


async def opened(page: Page) -> Path:
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Open the document").click()
    return Path(await (await downloading.value).path())


async def signs(page: Page, password: str = PASSWORD) -> None:
    await page.get_by_label("I have read this document and sign it.").check()
    await page.get_by_label("Your password").fill(password)
    await page.get_by_role("button", name="Sign the document").click()


async def test_a_document_is_opened_ticked_and_signed(own_running: Running, open_app: Open):
    visit = await open_app(own_running, "employer.manager", phone=True)
    before = int(await visit.page.locator(".badge").inner_text())
    await expect(visit.page.get_by_role("link", name=f"To sign, {before} documents waiting")).to_be_visible()
    page = await to_document(visit)
    content = (await opened(page)).read_bytes()
    assert content.startswith(b"%PDF-")
    await signs(page)

    await expect(visit.heading("Documents to sign")).to_be_visible()
    await expect(page.get_by_text(f"You have signed “{TITLE}” for Maya Thornton.").first).to_be_visible()
    await expect(page.get_by_role("link", name=TITLE)).to_have_count(0)
    await expect(page.locator(".badge")).to_have_text(str(before - 1))
    await expect(page.locator(".result")).to_have_text(f"{before - 1} documents wait for your signature")
    # What was sent is the digest of the bytes that came, and no other.
    (request,) = [request for name, request in visit.asked if name == "sign_document"]
    assert request.post_data_json["variables"]["documentSha256"] == hashlib.sha256(content).hexdigest()
    async with own_running.person("employer.manager") as manager:
        slots = "slots { role documentSha256 signedBy { name } }"
        asked = (
            f"{{ viewer {{ awaitingSignatureCount signatureRequests(first: 50) {{ nodes {{ title {slots} }} }} }} }}"
        )
        listed = (await manager.data(asked))["viewer"]
    assert listed["awaitingSignatureCount"] == before - 1
    (slots,) = [one["slots"] for one in listed["signatureRequests"]["nodes"] if one["title"] == TITLE]
    mine = next(slot for slot in slots if slot["role"] == "EMPLOYER_MANAGER")
    assert mine["signedBy"] == {"name": "Helen Ashworth"}
    assert mine["documentSha256"] == hashlib.sha256(content).hexdigest()


async def test_each_step_is_asked_for_in_place(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = await to_document(visit)
    button, alert = page.get_by_role("button", name="Sign the document"), page.get_by_role("alert")
    await button.click()
    await expect(alert).to_have_text("Please open and read the document first.")
    await expect(page.get_by_role("button", name="Open the document")).to_be_focused()
    await opened(page)
    await button.click()
    await expect(alert).to_have_text("Please tick this to sign.")
    tick = page.get_by_label("I have read this document and sign it.")
    await expect(tick).to_be_focused()
    await tick.check()
    await button.click()
    await expect(alert).to_have_text("Please give your password.")
    await expect(page.get_by_label("Your password")).to_be_focused()
    await signs(page, "not the password")
    await expect(alert).to_be_visible()
    (sent,) = [request.post_data_json["variables"] for name, request in visit.asked if name == "sign_document"]
    async with running.person("employer.manager") as manager:
        refused = await manager.data(get_operation("sign_document").text, **{**sent, "password": "wrong"})
    (error,) = refused["signatureRequestSign"]["errors"]
    assert error["code"] == "WRONG_PASSWORD"
    await expect(alert).to_have_text(error["message"])
    await expect(page.get_by_label("Your password")).to_be_focused()
    await expect(page.get_by_label("Your password")).to_have_value("")
    # What was done so far stands.
    await expect(tick).to_be_checked()
    await expect(page.get_by_role("link", name="Open it again")).to_be_visible()


async def test_a_conflict_is_explained_and_the_document_read_again(own_running: Running, open_app: Open):
    async with own_running.person("assessor") as assessor:
        maya = await learner_id(assessor, "Maya Thornton")
        request = await ask_to_sign(assessor, maya, "Change of training days", ["EMPLOYER_MANAGER", "IQA"])
        visit = await open_app(own_running, "employer.manager")
        page = await to_document(visit, "Change of training days")
        await opened(page)
        # No stream tells of it: the two are as good as at the same moment.
        await page.evaluate("""async () => {
            Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
        await expect(page.locator(".freshness")).not_to_contain_text("Live")
        await do(assessor, "signatureRequestCancel(id: ID!)", id=request)
        await signs(page)
    await expect(page.get_by_text("The request was cancelled: there is nothing to sign any more.")).to_be_visible()
    await expect(page.get_by_role("button", name="Sign the document")).to_have_count(0)


async def test_a_document_that_was_damaged_on_its_way_is_not_signed_for_another(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    page = await to_document(visit)
    await page.route("**/downloads/*", lambda route: route.fulfill(body=b"%PDF-1.7 something else"))
    await opened(page)
    await signs(page)
    await expect(page.get_by_role("alert")).to_have_text(
        "The document is not the one that you opened. Open and read it again, then sign it."
    )
    await expect(page.get_by_role("button", name="Open the document")).to_be_visible()
    await expect(page.get_by_label("I have read this document and sign it.")).not_to_be_checked()


async def test_without_a_connection_nothing_is_signed_and_it_is_said(running: Running, open_app: Open):
    visit = await open_app(running, "employer.manager")
    visit.expected = "ERR_INTERNET_DISCONNECTED|ERR_FAILED"
    page = await to_document(visit)
    await opened(page)
    await visit.context.set_offline(True)
    await signs(page)
    await expect(page.get_by_text("There is no connection, so nothing was signed.")).to_be_visible()
    await visit.context.set_offline(False)

"""Signing several documents in the employer app with one password."""

import pytest
from playwright.async_api import Locator, expect
from sqlalchemy import select, update

from db.models.signature_request import SignatureRequest
from domain import global_id
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD, RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from tests.system.browser.other_users import learner_id, request_signature
from tests.system.browser.test_accessibility import violations
from tests.system.browser.test_work import small_targets

# tests/system/browser/test_offline.py has the service worker, and others.
INSTALLS = False
TITLES = ("Change of hours", "Change of mentor", "Change of site")
SIGNED = """query($id: ID!) { signatureRequest(id: $id) { ... on SignatureRequest {
    document { sha256 } slots { role documentSha256 signedBy { name } } } } }"""
READ = "I have read this document and sign it."


def card(visit: Visit, title: str) -> Locator:
    return visit.page.locator(".document-list > li", has=visit.page.get_by_role("heading", name=title, exact=True))


async def read_and_tick(visit: Visit, title: str) -> None:
    await card(visit, title).get_by_role("button", name="Open the document").click()
    await expect(card(visit, title).locator("canvas").first).to_be_visible()
    await card(visit, title).get_by_label(READ).check()


async def replace(running: RunningServer, id: str, by: str) -> None:
    """Gives a request for signatures the document of another one, unnoticed by the app."""
    keys = [global_id.decode("SignatureRequest", each) for each in (id, by)]
    async with running.server.services.database.writing() as session:
        other = (await session.scalars(select(SignatureRequest).where(SignatureRequest.id == keys[1]))).one()
        document = {"file_id": other.file_id, "document_sha256": other.document_sha256}
        await session.execute(update(SignatureRequest).where(SignatureRequest.id == keys[0]).values(document))


async def slot_of(person: HttpClient, id: str) -> tuple[str | None, bool]:
    """Returns who signed the slot, and whether the signature is for the document as it is."""
    request = (await person.data(SIGNED, id=id))["signatureRequest"]
    (slot,) = request["slots"]
    return slot["signedBy"] and slot["signedBy"]["name"], slot["documentSha256"] == request["document"]["sha256"]


@pytest.mark.long
async def test_several_are_signed_and_one_that_changed_is_refused(own_running: RunningServer, open_app: Open):
    async with own_running.signed_in("assessor") as assessor, own_running.signed_in("employer.manager") as manager:
        maya = await learner_id(assessor, "Maya Thornton")
        other = await request_signature(assessor, maya, "Review", ["LEARNER"], "12-week progress review")
        asked = [await request_signature(assessor, maya, title, ["EMPLOYER_MANAGER"]) for title in TITLES]
        visit = await open_app(own_running, "employer.manager", phone=True)
        page, badge = visit.page, visit.page.locator(".badge")
        before = int(await badge.inner_text())
        await visit.go("documents", "Documents to sign")
        await page.get_by_role("link", name="Sign several with one password").click()
        await expect(visit.heading("Sign several documents")).to_be_visible()
        button, alert = page.get_by_role("button", name="Sign the documents"), page.get_by_role("alert")
        await button.click()
        await expect(alert).to_have_text("Please open, read and tick the documents that you want to sign.")
        for title in TITLES:
            await read_and_tick(visit, title)
        # The documents before the last are not on the page any more, and stay read.
        await expect(page.locator(".reader")).to_have_count(1)
        assert await violations(page) == [] and await small_targets(visit) == []
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
        button = page.get_by_role("button", name="Sign 3 documents")
        await page.get_by_label("Your password").fill("not the password")
        await button.click()
        await expect(page.get_by_label("Your password")).to_be_focused()
        assert [await slot_of(manager, id) for id in asked] == [(None, False)] * 3

        await replace(own_running, asked[1], other)
        await page.get_by_label("Your password").fill(PASSWORD)
        await button.click()
        expected = "You have signed 2 documents. 1 document was not signed. The reason is beside each."
        await expect(alert).to_have_text(expected)
        await expect(card(visit, TITLES[1]).locator(".error")).to_have_text(
            "This is not the document that you opened. Open it again, read it, then sign."
        )
        await expect(card(visit, TITLES[0])).to_have_count(0)
        await expect(badge).to_have_text(str(before - 2))
        signed = ("Helen Ashworth", True)
        assert [await slot_of(manager, id) for id in asked] == [signed, (None, False), signed]
        # It is read as it is now, and signed.
        await expect(card(visit, TITLES[1]).get_by_label(READ)).to_have_count(0)
        await read_and_tick(visit, TITLES[1])
        await page.get_by_label("Your password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign 1 document").click()
        await expect(visit.heading("Documents to sign")).to_be_visible()
        await expect(page.get_by_text("You have signed 1 document.").first).to_be_visible()
        assert await slot_of(manager, asked[1]) == signed
    sent = [request for name, request in visit.sent if name == "sign_documents"]
    # One password for all, each with a digest of its own.
    assert [len(request.post_data_json["variables"]["documents"]) for request in sent] == [3, 3, 1]

"""The page on which somebody without an account signs: on a phone, by keyboard, and without a violation of axe."""

import asyncio
import datetime as dt

import pytest
from playwright.async_api import expect
from sqlalchemy import select, update

from auth.tokens import digest
from db.models.guest_invitation import GuestInvitation
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock
from tests.support.http_server import RunningServer
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit
from tests.system.browser.test_accessibility import violations

TOKEN, CODE = "the token of a link", "12345678"
LONG = "Commitment-statement-and-agreement-on-the-hours-of-off-the-job-training-" * 2


async def invited(running: RunningServer) -> int:
    """Adds a link for the demo's document whose manager has no account. Returns its key."""
    now = clock.now()
    async with running.server.services.database.writing() as session:
        found = select(SignatureSlot).where(SignatureSlot.guest_email.is_not(None), SignatureSlot.signed_at.is_(None))
        slot = (await session.scalars(found.limit(1))).one()
        request = await session.get_one(SignatureRequest, slot.request_id)
        request.title = LONG
        link = GuestInvitation(
            provider_id=slot.provider_id, learner_id=slot.learner_id, slot_id=slot.id,
            invited_by_id=request.requested_by_id, name="Jo Miller", email="jo@tworivers.example",
            document_sha256=request.document_sha256, token_sha256=digest(TOKEN), invited_at=now,
            expires_at=now + dt.timedelta(days=1),
        )  # fmt: skip
        session.add(link)
        await session.flush()
        return link.id


async def is_opened(running: RunningServer, key: int) -> bool:
    async with running.server.services.database.writing() as session:
        return (await session.get_one(GuestInvitation, key)).opened_at is not None


async def fits(visit: Visit) -> None:
    """Fails unless the page is accessible and no wider than the screen."""
    assert await violations(visit.page) == []
    assert await visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    heights = await visit.page.evaluate(
        "[...document.querySelectorAll('button, input:not([type=hidden])')].map(e => e.getBoundingClientRect().height)"
    )
    assert min(heights, default=44) >= 44


@pytest.mark.long
async def test_a_guest_signs_on_a_phone_by_keyboard(own_running: RunningServer, open_app: Open):
    key = await invited(own_running)
    visit = await open_app(own_running, phone=True)
    visit.expected = "status of (410|422)"
    page, press = visit.page, visit.page.keyboard.press
    await page.goto(f"{visit.address}/sign?token={TOKEN}")
    await expect(visit.heading()).to_have_text(LONG)
    await fits(visit)
    await page.get_by_label("Your full name").fill("Joanna Miller")
    await press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Open the document first")
    await fits(visit)
    await press("Tab")
    await expect(page.get_by_role("button", name="Open the document")).to_be_focused()
    await press("Enter")
    async with asyncio.timeout(10):
        while not await is_opened(own_running, key):
            await asyncio.sleep(0.1)
    await page.get_by_label("Your full name").focus()
    await press("Enter")
    await expect(page.get_by_label("The code in the e-mail")).to_be_focused()
    await fits(visit)
    tokens = own_running.server.services.tokens
    async with own_running.server.services.database.writing() as session:
        mac = tokens.derive("guest signing code", f"{key}:{CODE}")
        await session.execute(update(GuestInvitation).where(GuestInvitation.id == key).values(code_mac=mac))
    await page.keyboard.type("1234")
    await press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("nothing was signed")
    await page.keyboard.type(CODE)
    await press("Enter")
    await expect(visit.heading("Signed")).to_be_visible()
    await expect(page.locator("blockquote")).to_contain_text("I, Joanna Miller, have opened and read")
    await fits(visit)
    await page.goto(f"{visit.address}/sign?token={TOKEN}")
    await expect(page.get_by_role("alert")).to_contain_text("the link no longer works")
    await fits(visit)

"""Notifications in Chromium: switched on with a button, sent through a push service, shown by the service worker.

Chromium's own subscription needs the push service of its maker, which tests do not reach. In its place the page gets a
subscription of the test's push service, with keys of its own. What arrives there is decrypted with them and given to
the service worker, as the browser would.
"""

import datetime as dt
import json
from typing import Any

import pytest
from playwright.async_api import expect

from domain import clock
from resolvers.task_email import INTERVAL_SECONDS, TaskEmails
from services.push.push_services import PushServices
from tests.support.http_server import RunningServer
from tests.support.lookup import learner_id
from tests.support.push_service import Browser, PushService
from tests.system.browser.conftest import Open
from tests.system.browser.device import Visit

SUBSCRIBED = """({ endpoint, p256dh, auth }) => {
  let current = null;
  PushManager.prototype.getSubscription = async () => current;
  PushManager.prototype.subscribe = async ({ applicationServerKey, userVisibleOnly }) => {
    if (!userVisibleOnly) throw new Error("hidden");
    const text = atob(applicationServerKey.replaceAll("-", "+").replaceAll("_", "/"));
    const key = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    if (key.length !== 65) throw new Error("not a key");
    current = {
      endpoint,
      options: { applicationServerKey: key.buffer },
      toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh, auth } }),
      unsubscribe: async () => { current = null; return true; },
    };
    return current;
  };
}"""
# Without a screen Chromium takes a notification away again: what the worker shows is noted as it does.
NOTE = """() => {
  self.shown = [];
  const show = ServiceWorkerRegistration.prototype.showNotification;
  ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
    const { body, tag, data } = options;
    return show.call(this, title, options).then(() => self.shown.push({ title, body, tag, data }));
  };
}"""
# A click by hand: only the browser's own may bring the window to the front.
CLICK = """async (data) => {
  let closed = false, work;
  const click = { notification: { data, close: () => (closed = true) }, waitUntil: (promise) => (work = promise) };
  self.dispatchEvent(Object.assign(new Event("notificationclick"), click));
  await work.catch((error) => { if (error.name !== "InvalidAccessError") throw error; });
  return closed;
}"""


async def deliver(visit: Visit, message: dict[str, Any]) -> None:
    """Gives a message to the service worker, as the browser does with what a push service sends."""
    session = await visit.context.new_cdp_session(visit.page)
    registered: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registered.extend(each["registrationId"] for each in event["registrations"]),
    )
    await session.send("ServiceWorker.enable")
    while not registered:
        await visit.page.wait_for_timeout(20)
    await session.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": visit.address, "registrationId": registered[-1], "data": json.dumps(message)},
    )


@pytest.fixture
async def push(own_running: RunningServer) -> Any:
    async with PushService() as service:
        sender = own_running.server.services.push
        sender.services, sender._client = PushServices([service.host]), service.client
        yield service


async def open_account(open_app: Open, served: RunningServer, browser: Browser | None = None) -> Visit:
    visit = await open_app(served)
    await visit.context.grant_permissions(["notifications"], origin=visit.address)
    if browser is not None:
        await visit.page.evaluate(SUBSCRIBED, browser.input)
    await visit.sign_in("employer.manager")
    await visit.page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    await visit.go("account", "Your account")
    return visit


@pytest.mark.long
async def test_a_document_to_sign_is_shown_and_a_click_opens_it(
    own_running: RunningServer, open_app: Open, push: PushService
) -> None:
    browser = push.browser()
    visit = await open_account(open_app, own_running, browser)
    page = visit.page
    await page.get_by_role("button", name="Notify me on this device").click()
    await expect(page.get_by_role("button", name="Stop notifying on this device")).to_be_visible()
    choice = page.get_by_role("group", name="Notify me about")
    await expect(choice.get_by_label("Documents to sign")).to_be_checked()
    # A kind that is not chosen.
    await choice.get_by_label("Time to confirm").uncheck()
    async with own_running.signed_in("employer.manager") as manager:
        settings = "{ viewer { notificationSettings { pushFor } pushSubscriptions { endpoint role } } }"
        await expect(choice.get_by_label("Time to confirm")).not_to_be_checked()
        await visit.is_settled()
        viewer = (await manager.data(settings))["viewer"]
    assert viewer["pushSubscriptions"] == [{"endpoint": browser.endpoint, "role": "EMPLOYER_MANAGER"}]
    assert "CONFIRM_TIME" not in viewer["notificationSettings"]["pushFor"]
    async with own_running.signed_in("assessor") as assessor:
        file = await assessor.upload("plan.pdf", "application/pdf", b"%PDF-1.4\n%%EOF\n")
        asked = {"learnerId": await learner_id(assessor, "Maya Thornton"), "title": "Plan for May", "fileId": file}
        request = await assessor.mutate("signatureRequestCreate", input={**asked, "roles": ["EMPLOYER_MANAGER"]})
    services = own_running.server.services
    await TaskEmails(services).send_due(clock.now() + dt.timedelta(seconds=2 * INTERVAL_SECONDS))
    await services.push.send_due()
    for _ in range(200):
        if browser.arrived:
            break
        await page.wait_for_timeout(50)
    [message] = browser.arrived
    assert message["open"] == request["id"] and message["kind"] == "SIGN_DOCUMENT"
    [worker] = visit.context.service_workers
    await worker.evaluate(NOTE)
    await deliver(visit, message)
    while not (shown := await worker.evaluate("() => self.shown")):
        await page.wait_for_timeout(20)
    opens = {"open": request["id"]}
    noted = {"title": message["title"], "body": message["body"], "tag": "SIGN_DOCUMENT", "data": opens}
    assert shown == [noted]
    assert await worker.evaluate(CLICK, opens)
    await expect(visit.heading("Plan for May")).to_be_visible()
    # Signing out ends it.
    await visit.go("account", "Your account")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("Username")).to_be_visible()
    async with own_running.signed_in("employer.manager") as manager:
        assert (await manager.data(settings))["viewer"]["pushSubscriptions"] == []


@pytest.mark.long
async def test_where_it_cannot_be_set_up_the_app_says_so(running: RunningServer, open_app: Open) -> None:
    visit = await open_account(open_app, running)
    await visit.page.evaluate("() => { PushManager.prototype.subscribe = () => Promise.reject(new Error('none')); }")
    await visit.page.get_by_role("button", name="Notify me on this device").click()
    await expect(visit.page.get_by_role("alert")).to_contain_text("could not set up notifications")
    await visit.page.evaluate("() => { Notification.requestPermission = async () => 'denied'; }")
    await visit.page.get_by_role("button", name="Notify me on this device").click()
    await expect(visit.page.get_by_role("alert")).to_contain_text("does not allow notifications")


@pytest.mark.long
async def test_a_browser_without_notifications_has_no_button(running: RunningServer, open_app: Open) -> None:
    visit = await open_app(running)
    await visit.context.add_init_script("delete self.PushManager")
    await visit.page.reload()
    await visit.sign_in("employer.manager")
    await visit.go("account", "Your account")
    await visit.is_settled()
    await expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
    await expect(visit.page.get_by_role("button", name="Notify me on this device")).to_have_count(0)

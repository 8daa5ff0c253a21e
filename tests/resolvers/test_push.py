"""Web push: browsers that users add, and messages about tasks that arise, to a real push service that decrypts them."""

import asyncio
import datetime as dt
from typing import Any

import pytest
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from db.models.aim import Aim
from db.models.auth_session import AuthSession
from db.models.evidence import Evidence
from db.models.push_subscription import MESSAGE_LIFETIME, PushMessage, PushSubscription
from db.models.user import RoleGrant, User
from domain import clock
from domain import global_id as ids
from domain.enums import Role
from resolvers.task_email import TaskEmails
from services.push.keys import PushKeys
from services.push.push_services import PushServices
from services.push.sender import MAX_ATTEMPTS, PushSender
from services.sweeper import Sweeper
from tests.support.factories import Factory
from tests.support.push_device import REMOVE, device_of
from tests.support.push_service import PushService
from tests.support.scenarios.empty_portfolio import EmptyPortfolio

MINUTE = dt.timedelta(minutes=1)


async def submitted(scenario: EmptyPortfolio, at: dt.datetime | None = None, title: str = "Brakes") -> Evidence:
    """Evidence that waits for the assessor, as of some seconds from now."""
    async with scenario.database.writing() as session:
        aim = await session.get_one(Aim, ids.decode("Aim", scenario.aim))
        at = at or clock.now() + dt.timedelta(seconds=5)
        return await Factory(session).evidence(aim, scenario.user("learner"), submitted_at=at, title=title)


async def arise(scenario: EmptyPortfolio, after: dt.timedelta = MINUTE) -> int:
    """Makes a pass over what arose, and sends what is due; returns how many messages were tried."""
    await TaskEmails(scenario.services).send_due(clock.now() + after)
    return await scenario.services.push.send_due()


async def change(scenario: EmptyPortfolio, entity: type[Any], **values: Any) -> None:
    async with scenario.database.writing() as session:
        await session.execute(update(entity).values(**values))


async def test_what_arises_is_shown_once_on_each_device_of_the_user(
    scenario: EmptyPortfolio, push: PushService
) -> None:
    await submitted(scenario, clock.now() - MINUTE, "Before the subscription")
    phone, laptop = await device_of(scenario), await device_of(scenario)
    browsers = [push.browser(), push.browser()]
    await phone.add(browsers[0])
    listed = await laptop.add(browsers[1])
    assert [each["endpoint"] for each in listed] == [browser.endpoint for browser in reversed(browsers)]
    assert [each["ofThisSession"] for each in listed] == [True, False] and {each["role"] for each in listed} == {
        "ASSESSOR"
    }
    assert await arise(scenario, dt.timedelta(0)) == 0
    evidence = await submitted(scenario)
    assert await arise(scenario) == 2
    for browser in browsers:
        assert browser.arrived == [
            {
                "title": "2 pieces of evidence to assess", "body": "1 of them is new.", "kind": "ASSESS_EVIDENCE",
                "open": ids.encode("Evidence", evidence.id),
            }
        ]  # fmt: skip
        assert browser.headers["topic"] == "ASSESS_EVIDENCE" and 86_300 <= int(browser.headers["ttl"]) <= 86_400
    assert await arise(scenario, 2 * MINUTE) == 0
    assert await scenario.rows(PushMessage) == []
    assert all(each.last_sent_at for each in await scenario.rows(PushSubscription))


async def test_several_of_a_kind_are_one_message_that_names_nobody(scenario: EmptyPortfolio, push: PushService) -> None:
    browser = push.browser()
    await (await device_of(scenario)).add(browser)
    for number in range(3):
        await submitted(scenario, title=f"Evidence {number}")
    await arise(scenario)
    [message] = browser.arrived
    assert message["title"] == "3 pieces of evidence to assess" and message["body"] == ""
    assert message["open"] == message["kind"] == "ASSESS_EVIDENCE"
    assert "Learner" not in str(message) and "Evidence 1" not in str(message)


async def test_a_session_gets_the_tasks_of_its_role_and_of_the_chosen_kinds(
    scenario: EmptyPortfolio, push: PushService
) -> None:
    device, other = await device_of(scenario), await device_of(scenario, role=Role.IQA)
    async with scenario.database.writing() as session:
        await Factory(session).role_grant(scenario.user("assessor"), Role.IQA)
    browser, idle = push.browser(), push.browser()
    await device.add(browser)
    await other.add(idle)
    query = """mutation($kinds: [TaskKind!]) { notificationSettingsUpdate(input: {pushFor: $kinds}) {
      viewer { notificationSettings { pushFor emailFor } } errors { code } } }"""
    for expected, kinds in enumerate([[], ["ASSESS_EVIDENCE"]]):
        payload = (await device.client.data(query, kinds=kinds))["notificationSettingsUpdate"]
        assert payload["viewer"]["notificationSettings"]["pushFor"] == kinds
        # E-mails are another choice.
        assert "ASSESS_EVIDENCE" in payload["viewer"]["notificationSettings"]["emailFor"]
        await submitted(scenario, clock.now())
        await arise(scenario, (1 + expected) * MINUTE)
        # Not what arose while the kind was not chosen.
        assert [message["body"] for message in browser.arrived] == ["1 of them is new."] * expected
    assert idle.arrived == []


async def test_two_processes_send_each_message_once(scenario: EmptyPortfolio, push: PushService) -> None:
    browser = push.browser()
    await (await device_of(scenario)).add(browser)
    await submitted(scenario)
    later = clock.now() + MINUTE
    await asyncio.gather(*(TaskEmails(scenario.services).send_due(later) for _ in range(2)))
    keys, services = scenario.services.push.keys, scenario.services.push.services
    senders = [PushSender(scenario.database, keys, services, push.client) for _ in range(2)]
    assert sum(await asyncio.gather(*(sender.send_due() for sender in senders))) == 1
    assert len(browser.arrived) == 1


@pytest.mark.parametrize("end", ["sign-out", "expiry", "role", "account", "removal", "erasure"])
async def test_nothing_is_sent_after(scenario: EmptyPortfolio, push: PushService, end: str) -> None:
    who = "learner" if end == "erasure" else "assessor"
    device, browser = await device_of(scenario, who), push.browser()
    await device.add(browser)
    user = scenario.user(who)
    # One message waits, and one task has just arisen.
    await scenario.add(
        PushMessage(
            provider_id=user.provider_id, user_id=user.id, topic="SIGN_DOCUMENT", content={}, created_at=clock.now(),
            due_at=clock.now(), subscription_id=(await scenario.rows(PushSubscription))[0].id,
        )
    )  # fmt: skip
    await submitted(scenario)
    if end == "sign-out":
        await change(scenario, AuthSession, ended_at=clock.now())
    elif end == "expiry":
        await change(scenario, AuthSession, expires_at=clock.now())
    elif end == "account":
        await change(scenario, User, archived_at=clock.now())
    elif end == "role":
        async with scenario.database.writing() as session:
            await session.execute(delete(RoleGrant).where(RoleGrant.user_id == user.id))
    elif end == "removal":
        payload = (await device.client.data(REMOVE, endpoint=browser.endpoint))["pushSubscriptionRemove"]
        assert payload == {"viewer": {"pushSubscriptions": []}, "errors": []}
        assert await scenario.rows(PushMessage) == []
    else:
        name = user.name
        await scenario.client("master").mutate("learnerErase", id=scenario.ada, confirmName=name)
        assert await scenario.rows(PushMessage) == await scenario.rows(PushSubscription) == []
    await arise(scenario)
    assert browser.arrived == [] and push.requests == 0
    assert await scenario.rows(PushMessage) == []
    if end in ("sign-out", "expiry"):
        await Sweeper(scenario.database, scenario.services.files).sweep(clock.now() + MINUTE)
        assert await scenario.rows(PushSubscription) == []
        # The session is kept for longer.
        assert len(await scenario.rows(AuthSession)) == 1


async def test_a_browser_that_ended_its_subscription_is_forgotten(scenario: EmptyPortfolio, push: PushService) -> None:
    gone, browser = push.browser(), push.browser()
    await (await device_of(scenario)).add(gone)
    await (await device_of(scenario)).add(browser)
    del push.browsers[gone.endpoint.removeprefix(f"https://{push.host}")]
    await submitted(scenario)
    assert await arise(scenario) == 2
    assert [each.endpoint for each in await scenario.rows(PushSubscription)] == [browser.endpoint]
    assert await scenario.rows(PushMessage) == [] and len(browser.arrived) == 1


async def test_a_busy_push_service_is_tried_again_as_late_as_it_says(
    scenario: EmptyPortfolio, push: PushService
) -> None:
    browser = push.browser()
    await (await device_of(scenario)).add(browser)
    await submitted(scenario)
    push.answers = [(503, {}), (429, {"retry-after": "120"}), (500, {"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"})]
    assert await arise(scenario) == 1
    for least, most in ((10, 15), (110, 120), (50, 60)):
        [message] = await scenario.rows(PushMessage)
        assert least < (message.due_at - clock.now()).total_seconds() <= most
        assert await scenario.services.push.send_due() == 0
        await change(scenario, PushMessage, due_at=clock.now())
        assert await scenario.services.push.send_due() == 1
    assert len(browser.arrived) == 1 and await scenario.rows(PushMessage) == []


@pytest.mark.parametrize("why", ["refused", "too often", "too old", "host", "key"])
async def test_a_message_is_given_up(scenario: EmptyPortfolio, push: PushService, why: str) -> None:
    browser = push.browser()
    await (await device_of(scenario)).add(browser)
    await submitted(scenario)
    await TaskEmails(scenario.services).send_due(clock.now() + MINUTE)
    if why == "refused":
        push.answers = [(413, {})]
    elif why == "too often":
        push.answers = [(503, {})]
        await change(scenario, PushMessage, attempts=MAX_ATTEMPTS - 1)
    elif why == "too old":
        push.answers = [(503, {})]
        await change(scenario, PushMessage, created_at=clock.now() - MESSAGE_LIFETIME + dt.timedelta(seconds=5))
    elif why == "host":
        scenario.services.push.services = PushServices(["push.example.net"])
    else:
        await change(scenario, PushSubscription, key_id="removed")
    with capture_logs() as logs:
        assert await scenario.services.push.send_due() == 1
    assert await scenario.rows(PushMessage) == [] and browser.arrived == []
    # A subscription whose key is gone can never be sent to again.
    assert len(await scenario.rows(PushSubscription)) == (0 if why == "key" else 1)
    [line] = [line for line in logs if line["event"].startswith("push_")]
    assert line["event"] == ("push_subscription_ended" if why == "key" else "push_delivery_failed")
    assert browser.endpoint not in str(logs)


async def test_messages_for_an_older_key_are_signed_with_it(scenario: EmptyPortfolio, push: PushService) -> None:
    browser = push.browser()
    await (await device_of(scenario)).add(browser)
    await change(scenario, PushSubscription, key_id="old")
    push.public_key = PushKeys({"old": b"o" * 32}, "mailto:it@example.org").public_key
    await submitted(scenario)
    await arise(scenario)
    assert len(browser.arrived) == 1

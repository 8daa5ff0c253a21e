"""Browsers that users add to be notified of tasks, and remove: whose they are, how many, and what is refused."""

import datetime as dt

from sqlalchemy import select

from db.models.push_subscription import MESSAGE_LIFETIME, PushMessage, PushSubscription
from domain import clock
from resolvers.push_subscription import MAX_DEVICES
from services.push.push_services import PushServices
from services.sweeper import Sweeper
from tests.support.push_device import REMOVE, device_of
from tests.support.push_service import PushService
from tests.support.scenarios.empty_portfolio import EmptyPortfolio


async def test_a_browser_belongs_to_who_used_it_last_and_a_session_has_one(
    scenario: EmptyPortfolio, push: PushService
) -> None:
    shared, second = push.browser(), push.browser()
    assessor, manager = await device_of(scenario), await device_of(scenario, "manager")
    await assessor.add(shared)
    await assessor.add(shared)
    assert len(await scenario.rows(PushSubscription)) == 1
    await manager.add(shared)
    assert [each.user_id for each in await scenario.rows(PushSubscription)] == [scenario.user("manager").id]
    await manager.add(second)
    assert [each.endpoint for each in await scenario.rows(PushSubscription)] == [second.endpoint]
    own = "{ viewer { pushSubscriptions { ofThisSession } } }"
    # Another user's is not seen, and not removed.
    for device, expected in ((manager, [{"ofThisSession": True}]), (assessor, [])):
        viewer = (await device.client.data(own))["viewer"]
        assert viewer == {"pushSubscriptions": expected}
    payload = (await assessor.client.data(REMOVE, endpoint=second.endpoint))["pushSubscriptionRemove"]
    assert payload["errors"] == [] and len(await scenario.rows(PushSubscription)) == 1


async def test_the_newest_browsers_of_a_user_are_kept(scenario: EmptyPortfolio, push: PushService) -> None:
    browsers = [push.browser() for _ in range(MAX_DEVICES + 2)]
    for browser in browsers:
        await (await device_of(scenario)).add(browser)
    kept = [each.endpoint for each in await scenario.rows(PushSubscription)]
    assert kept == [browser.endpoint for browser in browsers[2:]]


async def test_what_is_no_subscription_is_refused_with_the_field(scenario: EmptyPortfolio, push: PushService) -> None:
    device, good = await device_of(scenario), push.browser().input
    assert await device.errors(**good | {"endpoint": "https://127.0.0.1/x"}) == {"endpoint": "INVALID"}
    assert await device.errors(endpoint="x" * 100_000, p256dh="no", auth="") == {
        "endpoint": "INVALID", "p256dh": "INVALID", "auth": "INVALID",
    }  # fmt: skip
    scenario.services.push.services = PushServices([])
    assert await device.errors(**good) == {"endpoint": "INVALID"}
    assert (await device.client.data("{ viewer { pushPublicKey } }"))["viewer"] == {"pushPublicKey": None}
    assert await scenario.services.push.send_due() == 0
    async with scenario.database.snapshot() as session:
        assert (await session.scalars(select(PushSubscription))).all() == []


async def test_a_message_that_nobody_could_send_is_deleted_after_a_day(
    scenario: EmptyPortfolio, push: PushService
) -> None:
    user, now = scenario.user("assessor"), clock.now()
    for topic, age in (("old", MESSAGE_LIFETIME + dt.timedelta(hours=1)), ("new", dt.timedelta(hours=23))):
        owner = {"provider_id": user.provider_id, "user_id": user.id, "subscription_id": 1, "content": {}}
        await scenario.add(PushMessage(topic=topic, created_at=now - age, due_at=now, **owner))
    swept = await Sweeper(scenario.database, scenario.services.files).sweep(now)
    assert swept["push_message"] == 1
    assert [message.topic for message in await scenario.rows(PushMessage)] == ["new"]

"""A user's session on a device, whose browser is notified of tasks."""

from typing import Any

from db.models.auth_session import AuthSession
from domain.enums import Role
from resolvers.core.context import Client, Context
from tests.support.client import InProcessClient
from tests.support.factories import Factory
from tests.support.push_service import Browser
from tests.support.scenarios.empty_portfolio import EmptyPortfolio
from tests.support.viewers import viewer

ADD = """mutation($input: PushSubscriptionInput!) { pushSubscriptionAdd(input: $input) {
  viewer { pushSubscriptions { endpoint role ofThisSession lastSentAt } } errors { code field message } } }"""
REMOVE = """mutation($endpoint: String!) { pushSubscriptionRemove(endpoint: $endpoint) {
  viewer { pushSubscriptions { endpoint } } errors { code } } }"""


class Device:
    """A user's session on a device."""

    def __init__(self, scenario: EmptyPortfolio, who: str, session: AuthSession) -> None:
        user, _, learner = scenario.people[who]
        self.session = session
        made = viewer(user, session.role, learner)
        object.__setattr__(made, "auth_session_key", session.id)
        self.client = InProcessClient(lambda key: Context(scenario.services, made, Client(idempotency_key=key)))

    async def add(self, browser: Browser) -> list[dict[str, Any]]:
        payload = (await self.client.data(ADD, input=browser.input))["pushSubscriptionAdd"]
        assert payload["errors"] == []
        return payload["viewer"]["pushSubscriptions"]

    async def errors(self, **given: str) -> dict[str, str]:
        payload = (await self.client.data(ADD, input=given))["pushSubscriptionAdd"]
        return {error["field"][-1]: error["code"] for error in payload["errors"]}


async def device_of(scenario: EmptyPortfolio, who: str = "assessor", role: Role | None = None) -> Device:
    user, own, _ = scenario.people[who]
    async with scenario.database.writing() as session:
        return Device(scenario, who, await Factory(session).auth_session(user, role or own))

"""Sends the push messages that wait, to browsers whose authentication session lasts."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from sqlalchemy import Row, delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.viewer import SIGNED_IN
from db.database import Database
from db.models.auth_session import AuthSession
from db.models.push_subscription import MESSAGE_LIFETIME, PushMessage, PushSubscription
from db.sql.any_of import any_of
from domain import clock
from services.outbox import OutboxSender, backoff
from services.push.client import Outcome, PushClient, Result
from services.push.encryption import encrypt
from services.push.keys import PushKeys
from services.push.push_services import PushServices, origin_of
from services.settings import Settings

log = structlog.get_logger(__name__)

# Some two hours with the sender's waits.
MAX_ATTEMPTS = 10
# The browsers to which messages may be sent now, by the key of the subscription.
_LIVE = (
    SIGNED_IN.join(PushSubscription, PushSubscription.sign_in_id == AuthSession.id)
    .with_only_columns(
        PushSubscription.id, PushSubscription.endpoint, PushSubscription.p256dh, PushSubscription.auth,
        PushSubscription.key_id,
    )
    .where(any_of(PushSubscription.id))
)  # fmt: skip


class PushSender(OutboxSender[PushMessage]):
    """Sends push messages, each at least once. `services`: the push services that it may send to."""

    def __init__(self, database: Database, keys: PushKeys, services: PushServices, client: PushClient) -> None:
        super().__init__("push sender", "push messages", database, PushMessage)
        self._client = client
        self.keys, self.services = keys, services

    @property
    def public_key(self) -> str | None:
        """The public key for new subscriptions; None if this server sends no push messages."""
        return None if self.services.is_empty else self.keys.public_key

    async def send_due(self) -> int:
        leased = [] if self.services.is_empty else await self.lease()
        if not leased:
            return 0
        keys = sorted({message.subscription_id for message in leased})
        rows = await self._database.rows(_LIVE, {"keys": keys, "moment": clock.now()}, primary=True)
        live = {row.id: row for row in rows}
        async with asyncio.TaskGroup() as group:
            for message in leased:
                group.create_task(self._send(message, live.get(message.subscription_id)))
        return len(leased)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """As every sender; it does nothing where this server sends to no push service."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._client.close)
            if not self.services.is_empty:
                await stack.enter_async_context(super().running())
            yield

    async def _send(self, message: PushMessage, device: Row[Any] | None) -> None:
        outcome = (
            Outcome(Result.REFUSED, "the session has ended") if device is None else await self._try(message, device)
        )
        wait = outcome.wait or backoff(message.attempts)
        given_up = message.attempts >= MAX_ATTEMPTS or clock.now() + wait >= message.created_at + MESSAGE_LIFETIME
        fields = {"message": message.id, "attempts": message.attempts, "reason": outcome.reason}
        async with self._database.writing() as session:
            if outcome.result is Result.LATER and not given_up:
                await self.end_lease(session, message, due_at=clock.now() + wait)
                log.warning("push_delivery_delayed", **fields, retry_in=wait.total_seconds())
                return
            # unscoped: a message that was sent, or is not tried again
            await session.execute(delete(PushMessage).where(PushMessage.id == message.id))
            if outcome.result is Result.SENT:
                await _note(session, message.subscription_id)
            elif outcome.result is Result.GONE:
                await _end(session, message.subscription_id)
        if outcome.result is Result.SENT:
            log.info("push_sent", **fields)
        elif outcome.result is Result.GONE:
            log.info("push_subscription_ended", **fields)
        else:
            log.warning("push_delivery_failed", **fields)

    async def _try(self, message: PushMessage, device: Row[Any]) -> Outcome:
        """Sends the message once."""
        now = clock.now()
        # The setting may have changed since the browser subscribed.
        if not self.services.has(device.endpoint):
            return Outcome(Result.REFUSED, "not an allowed push service")
        authorization = self.keys.authorization(device.key_id, origin_of(device.endpoint), now)
        if authorization is None:
            return Outcome(Result.GONE, "its key was removed")
        left = message.created_at + MESSAGE_LIFETIME - now
        headers = {
            "authorization": authorization,
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(max(int(left.total_seconds()), 0)),
            "topic": message.topic,
            "urgency": "normal",
        }
        body = encrypt(json.dumps(message.content).encode(), device.p256dh, device.auth)
        return await self._client.send(device.endpoint, body, headers)


async def _note(session: AsyncSession, subscription_key: int) -> None:
    # unscoped: the browser that a message was sent to
    noting = update(PushSubscription).where(PushSubscription.id == subscription_key)
    await session.execute(noting.values(last_sent_at=clock.now()))


async def _end(session: AsyncSession, subscription_key: int) -> None:
    # unscoped: a browser that has ended its subscription
    await session.execute(delete(PushMessage).where(PushMessage.subscription_id == subscription_key))
    # unscoped: a browser that has ended its subscription
    await session.execute(delete(PushSubscription).where(PushSubscription.id == subscription_key))


def open_push(database: Database, settings: Settings) -> PushSender:
    """Returns the sender of a server process."""
    # The contact of this installation for the operators of push services: some refuse an address that is not public.
    is_public = settings.base_url.startswith("https://")
    contact = settings.base_url if is_public else f"mailto:{settings.mail_from}"
    keys = PushKeys(settings.secret_keys, contact)
    return PushSender(database, keys, PushServices(settings.push_services), PushClient())

"""Adds and removes the viewer's browsers that are notified of tasks (web push)."""

import hashlib

from db.models.push_subscription import PushSubscription
from db.models.user import User
from domain.enums import UserErrorCode
from domain.sentences import say
from repositories import push_subscription as repository
from resolvers.core.unit_of_work import UnitOfWork, mutation
from services.push.encryption import browser_key, browser_secret

# Of one user. The next one takes the place of the oldest.
MAX_DEVICES = 10


@mutation("pushSubscriptionAdd")
async def add(uow: UnitOfWork, *, endpoint: str, p256dh: str, auth: str) -> int:
    """Adds the browser of the viewer's session. Rejects with INVALID for what is no push subscription."""
    uow.authorize()
    push, session, viewer = uow.services.push, uow.session, uow.viewer
    if not push.services.has(endpoint):
        uow.add_error(UserErrorCode.INVALID, say("PUSH_SERVICE_UNKNOWN"), "input", "endpoint")
    for field, text, parse in (("p256dh", p256dh, browser_key), ("auth", auth, browser_secret)):
        try:
            parse(text)
        except ValueError:
            uow.add_error(UserErrorCode.INVALID, say("PUSH_KEY_INVALID"), "input", field)
    uow.raise_errors()
    # Locked, so that two at once do not pass the limit together.
    user = await session.get_one(User, viewer.user_key, with_for_update={"key_share": True})
    digest = _digest(endpoint)
    await repository.remove(session, await repository.replaced(session, digest, viewer.auth_session_key))
    session.add(
        PushSubscription(
            provider_id=user.provider_id, user_id=user.id, sign_in_id=viewer.auth_session_key, endpoint=endpoint,
            endpoint_sha256=digest, p256dh=p256dh, auth=auth, key_id=push.keys.newest, created_at=uow.now,
            # What waits already has not just arisen.
            notified_at=uow.now,
        )
    )  # fmt: skip
    await session.flush()
    await repository.remove(session, await repository.older_of(session, user.id, MAX_DEVICES))
    uow.audit("User", user.id, notify=False, fields=["push_subscriptions"])
    return user.id


@mutation("pushSubscriptionRemove")
async def remove(uow: UnitOfWork, *, endpoint: str) -> int:
    """Removes one of the viewer's browsers; again changes nothing."""
    uow.authorize()
    viewer = uow.viewer
    found = await repository.own_with(uow.session, viewer.user_key, _digest(endpoint))
    if found:
        await repository.remove(uow.session, found)
        uow.audit("User", viewer.user_key, notify=False, fields=["push_subscriptions"])
    return viewer.user_key


def _digest(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode("utf-8", "replace")).hexdigest()

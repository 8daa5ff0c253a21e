"""The viewer's own e-mails and push messages about tasks, and the address of their calendar.

A link in an e-mail ends its kind.
"""

import datetime as dt
import secrets
from typing import Any, TypedDict, Unpack

from auth.auth_sessions import account_by_user
from auth.lasting_links import CALENDAR, UNSUBSCRIBE
from db.models.user import User
from domain import clock
from domain.enums import TaskKind, UserErrorCode
from domain.notifications import email_kinds
from domain.sentences import say
from loaders.notification_settings import NotificationSettingsRow
from repositories.push_subscription import note_all
from resolvers.core.changes import assign
from resolvers.core.context import Client, Context, Services
from resolvers.core.task_mail import DIGEST
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.write_transaction import account_transaction


class SettingsChanges(TypedDict, total=False):
    """The changes: what is missing is not changed, and what is None neither, but None ends the daily e-mail."""

    email_for: list[TaskKind] | None
    push_for: list[TaskKind] | None
    digest_hour: int | None
    calendar: bool | None


@mutation("notificationSettingsUpdate")
async def update(uow: UnitOfWork, **changes: Unpack[SettingsChanges]) -> int:
    """Changes the viewer's own settings. Rejects with INVALID for an hour that no day has."""
    uow.authorize()
    user = await uow.session.get_one(User, uow.viewer.user_key, with_for_update={"key_share": True})
    hour = changes.get("digest_hour")
    if hour is not None and not 0 <= hour <= 23:
        uow.add_error(UserErrorCode.INVALID, say("HOUR_OUT_OF_RANGE"), "input", "digestHour")
    uow.raise_errors()
    values: dict[str, Any] = {}
    for column, kinds in (("email_for", changes.get("email_for")), ("push_for", changes.get("push_for"))):
        if kinds is not None:
            values[column] = [kind.value for kind in TaskKind if kind in kinds]
    if "digest_hour" in changes:
        values["digest_hour"] = hour
    if changes.get("calendar") is not None:
        values["calendar_nonce"] = secrets.token_hex(12) if changes["calendar"] else None
    changed = _change(user, values, uow.now)
    if "push_for" in changed:
        await note_all(uow.session, user.id, uow.now)
    if changed:
        uow.audit("User", user.id, notify=False, fields=changed)
    return user.id


def _change(user: User, values: dict[str, Any], now: dt.datetime) -> list[str]:
    """Changes the settings; returns the names of those that differ."""
    changed = assign(user, values)
    if "email_for" in changed:
        # What waits already has not just arisen.
        user.notified_at = now
    if "digest_hour" in changed and user.digest_hour is not None:
        # Today's hour may have passed: then the first one comes tomorrow.
        passed = now.astimezone(clock.LONDON).hour > user.digest_hour
        user.digest_on = clock.day_of(now) if passed else None
    return changed


# ---------------------------------------------------------------------- links


def calendar_url(context: Context, settings: NotificationSettingsRow) -> str | None:
    """Returns the address of the viewer's calendar; None without one, and for an access key, which would outlive it."""
    if settings.calendar_nonce is None or context.viewer_or_raise().access_key is not None:
        return None
    services = context.services
    token = services.lasting_links.sign(CALENDAR, str(settings.user_key), settings.calendar_nonce)
    return f"{services.base_url}/calendar/{token}.ics"


async def unsubscribe(services: Services, token: str, client: Client) -> bool:
    """Ends the kind of e-mail that a token of `task_mail.unsubscribe_url` names; returns False for any other token.

    Ending it again changes nothing.
    """
    parts = services.lasting_links.verify(UNSUBSCRIBE, token)
    if parts is None:
        return False
    user_key, what = parts
    async with account_transaction(Context(services, client=client), "notificationSettingsUpdate") as transaction:
        account = await account_by_user(transaction.session, int(user_key))
        if account is None:
            return False
        user, values = account.user, dict[str, Any]()
        if what == DIGEST:
            values["digest_hour"] = None
        else:
            values["email_for"] = [kind.value for kind in email_kinds(user.email_for) if kind.value != what]
        changed = _change(user, values, transaction.now)
        if changed:
            transaction.audit(user.provider_id, user.id, None, fields=changed)
    return True

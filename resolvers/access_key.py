"""Makes access keys for programs that read as their user, and revokes them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from auth.access_keys import digest, new_secret
from auth.auth_sessions import account_by_user
from auth.viewer import NotSignedIn
from db.models.access_key import AccessKey
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import DomainError, UserError, reject, user_error
from domain.sentences import say
from domain.text import clean_line
from repositories.access_key import active_keys_of
from resolvers.core.context import Context
from resolvers.core.signing_password import require_signing_password, wrong_confirmation
from resolvers.core.unit_of_work import UnitOfWork, mutation
from resolvers.core.validation import MAX_SINGLE_LINE
from resolvers.core.write_transaction import account_transaction

# Keys of one user that are neither revoked nor expired.
MAX_KEYS = 20
MAX_LIFETIME = dt.timedelta(days=366)


async def create(
    context: Context, *, name: str, operations: Sequence[str], expires_at: dt.datetime, password: str
) -> dict[str, Any]:
    """Makes a key in the viewer's role; returns its key and its secret, which is nowhere else, so it is not idempotent.

    Rejects with WRONG_PASSWORD, TOO_MANY_ATTEMPTS, INVALID beyond `MAX_KEYS`, and REQUIRED and INVALID for the fields.
    """
    viewer = context.require_active_viewer()
    confirmation = await require_signing_password(context, password, "accessKeyCreate", "input", "password")
    name, secret = clean_line(name), new_secret()
    chosen = list(dict.fromkeys(operations))
    errors = _errors(context, name, chosen, expires_at)
    if errors:
        raise DomainError(*errors)
    async with account_transaction(context, "accessKeyCreate") as transaction:
        if confirmation.use is not None and not await confirmation.use(transaction.session):
            raise wrong_confirmation(viewer, "input", "password")
        # Locked, so that two at once do not pass the limit together.
        account = await account_by_user(transaction.session, viewer.user_key)
        if account is None:
            raise NotSignedIn
        if await active_keys_of(transaction.session, viewer.user_key, transaction.now) >= MAX_KEYS:
            raise reject(UserErrorCode.INVALID, say("TOO_MANY_ACCESS_KEYS", most=MAX_KEYS))
        added = AccessKey(
            provider_id=viewer.provider_key, user_id=viewer.user_key, role=viewer.role, name=name,
            secret_sha256=digest(secret), operations=chosen, created_at=transaction.now, expires_at=expires_at,
        )  # fmt: skip
        transaction.session.add(added)
        await transaction.session.flush()
        transaction.audit(viewer.provider_key, viewer.user_key, viewer.role, ("AccessKey", added.id))
    context.invalidate_loaders()
    return {"key": added.id, "secret": secret}


def _errors(context: Context, name: str, operations: list[str], expires_at: dt.datetime) -> list[UserError]:
    found = []
    if not name:
        found.append(user_error(UserErrorCode.REQUIRED, say("TEXT_MISSING"), "input", "name"))
    elif len(name) > MAX_SINGLE_LINE:
        too_long = say("TEXT_TOO_LONG", length=len(name), most=MAX_SINGLE_LINE)
        found.append(user_error(UserErrorCode.INVALID, too_long, "input", "name"))
    if not set(operations) <= context.services.saved_queries:
        unknown = say("ACCESS_KEY_OPERATION_UNKNOWN")
        found.append(user_error(UserErrorCode.INVALID, unknown, "input", "operations"))
    now = clock.now()
    if not now < expires_at <= now + MAX_LIFETIME:
        found.append(user_error(UserErrorCode.INVALID, say("ACCESS_KEY_EXPIRY"), "input", "expiresAt"))
    return found


@mutation("accessKeyRevoke")
async def revoke(uow: UnitOfWork, *, id: str) -> dict[str, Any]:
    """Revokes one of the viewer's own keys, from the next request on. Rejects with NOT_FOUND; again changes nothing."""
    key = await uow.get(AccessKey, id, "id")
    uow.authorize()
    if key.revoked_at is None:
        key.revoked_at = uow.now
        uow.audit("AccessKey", key.id)
    return {"key": key.id}

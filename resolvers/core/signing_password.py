"""What every signature requires besides an access token: the password, or a code where the viewer has no password.

A refusal is audited. The password or code is checked before the transaction of the mutation begins. A code is used up
in the transaction, so that a mutation that fails, or is repeated with its Idempotency-Key, needs no other code.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from auth import signing_code
from auth.credentials import count_signing_code, verify_viewer_password
from auth.login_throttle import clear_attempt
from auth.second_factor import AUTHENTICATOR, find_authenticator_step, use_authenticator_step
from auth.viewer import Viewer
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import DomainError, reject
from domain.sentences import say
from resolvers.core.context import Context
from resolvers.core.write_transaction import account_transaction

PASSWORD, MAILED_CODE = "password", "code by e-mail"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How the viewer has confirmed a signature, for the audit trail."""

    method: str
    # Uses up the code; returns False if it was used before.
    use: Callable[[AsyncSession], Awaitable[bool]] | None = None


async def require_signing_password(context: Context, password: str, mutation: str, *field: str) -> Confirmation:
    """Returns how the viewer has confirmed it. Rejects with WRONG_PASSWORD or TOO_MANY_ATTEMPTS at `field`."""
    viewer = context.require_active_viewer()
    confirmed = await confirm_viewer(context, password, *field)
    if confirmed is not None:
        return confirmed
    async with account_transaction(context, "signingRefused") as transaction:
        transaction.audit(viewer.provider_key, viewer.user_key, viewer.role, mutation=mutation)
    raise wrong_confirmation(viewer, *field)


async def confirm_viewer(context: Context, password: str, *field: str) -> Confirmation | None:
    """Returns how this text confirms that it is the viewer who acts; None if it is wrong.

    It is the password, or a code where the viewer has none. Rejects with TOO_MANY_ATTEMPTS at `field`.
    """
    viewer, database, tokens = context.viewer_or_raise(), context.services.database, context.services.tokens
    if viewer.has_password:
        return Confirmation(PASSWORD) if await verify_viewer_password(database, viewer, password, *field) else None
    attempt = await count_signing_code(database, viewer, *field)
    now = clock.now()
    found: Confirmation | None = None
    key = await signing_code.find_code(database, tokens, viewer, password, now)
    if key is not None:
        found = Confirmation(MAILED_CODE, partial(signing_code.use_code, key=key, now=now))
    elif viewer.has_second_factor:
        step = await find_authenticator_step(database, tokens.seals, viewer.user_key, password, now)
        if step is not None:
            found = Confirmation(AUTHENTICATOR, partial(use_authenticator_step, user_key=viewer.user_key, step=step))
    if found is not None:
        async with database.writing() as session:
            await clear_attempt(session, attempt)
    return found


def wrong_confirmation(viewer: Viewer, *field: str) -> DomainError:
    """Returns the error for a wrong password, or a code that is wrong, expired or used."""
    if viewer.has_password:
        message = say("SIGNING_PASSWORD_WRONG")
    else:
        message = say("SIGNING_CODE_WRONG")
    return reject(UserErrorCode.WRONG_PASSWORD, message, *field)
